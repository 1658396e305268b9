//! A broker inside another program, for its tests: real, quick to start, and gone without a trace.
//!
//! Owns a thread with its own runtime, a free port of this machine, and a folder that goes when the broker does. It
//! decides nothing about records: it is the node that `strandline serve` runs, over the same sockets, and what it
//! acknowledges has been fsynced. What differs is stated in [`EmbeddedOptions`].
//!
//! One line starts it, from any kind of test, as often as one likes in one process:
//!
//! ```
//! # fn main() -> Result<(), strandline_broker::embedded::EmbeddedError> {
//! let broker = strandline_broker::embedded().start()?;
//! println!("clients connect to {}", broker.bootstrap());
//! # Ok(())
//! # }
//! ```
//!
//! With topics, and a client that uses them:
//!
//! ```
//! use strandline_client::{Client, ClientConfig, OffsetReset, ProducerRecord};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let broker = strandline_broker::embedded().topic("orders", 3).start()?;
//!
//! let client = Client::connect(ClientConfig::new(broker.bootstrap())?).await?;
//! let producer = client.producer().start()?;
//! producer.send(ProducerRecord::to("orders").value("4 anchors")).await?.await?;
//!
//! let mut consumer = client.consumer().offset_reset(OffsetReset::Earliest).start()?;
//! consumer.assign_topics(&["orders"]).await?;
//! assert_eq!(consumer.next().await?.value.as_deref(), Some(&b"4 anchors"[..]));
//! # Ok(())
//! # }
//! ```
//!
//! Whether a program finds its way back after its broker was away is tested with a port and a folder that stay:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = std::env::temp_dir().join(format!("strandline-example-{}", std::process::id()));
//! let broker = strandline_broker::embedded().data_dir(&folder).start()?;
//! let port = broker.address().port();
//! broker.stop()?;
//! // The program notices, waits, tries again ...
//! let broker = strandline_broker::embedded().data_dir(&folder).port(port).start()?;
//! # broker.stop()?;
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok(())
//! # }
//! ```

mod folder;
mod options;
mod running;

use std::io;
use std::path::PathBuf;

use strandline_state::settings::SettingError;

pub use self::options::EmbeddedOptions;
pub use self::running::EmbeddedBroker;

use crate::node::NodeError;

/// A broker in this process: at a free port of this machine, with a folder of its own. It is started by
/// [`EmbeddedOptions::start`], and ends with what that returns.
pub fn embedded() -> EmbeddedOptions {
    EmbeddedOptions::default()
}

/// Why an embedded broker does not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// What it was told makes no sense.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// It was told what it says itself.
    #[error("{name} is not set for an embedded broker: there is {instead} for that")]
    Chosen {
        /// The setting.
        name: &'static str,
        /// The function of [`EmbeddedOptions`] that takes its place.
        instead: &'static str,
    },
    /// There is no folder to be had, or it does not go.
    #[error("the folder {}: {source}", path.display())]
    Folder {
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is no thread to be had, or no runtime.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] io::Error),
    /// The node does not start, or did not end well.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// A topic that it was to have cannot be made.
    #[error("topic {name}: {why}")]
    Topic {
        /// Which one.
        name: String,
        /// Why not.
        why: String,
    },
    /// A defect of ours: its output says more.
    #[error("the broker's thread panicked")]
    Panicked,
}
