//! The thread that an embedded broker runs on, and the way to it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use strandline_protocol::{ErrorCode, Text};
use strandline_state::metadata::decide::{CreateTopics, NewTopic, Refusal};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use super::EmbeddedError;
use super::folder::Folder;
use super::options::{EmbeddedOptions, EmbeddedTopic};
use crate::metadata::Metadata;
use crate::node::{Node, NodeError, NodeOptions, NodeParts};

/// What is left on threads of the runtime when the node has ended is not waited for longer than this.
const LEFT_MAX: Duration = Duration::from_secs(1);

/// A broker that serves until this goes.
///
/// Dropping it stops it, and removes its folder unless that was given by name. That blocks for some milliseconds, in
/// async code too; clients that are still connected find their connections closed.
#[derive(Debug)]
pub struct EmbeddedBroker {
    started: Started,
    data_dir: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), NodeError>>>,
    // Last: it is dropped when nobody writes there any more.
    folder: Option<Folder>,
}

/// What is known once it serves.
#[derive(Debug)]
struct Started {
    bootstrap: String,
    address: SocketAddr,
    http_address: Option<SocketAddr>,
}

type Starting = SyncSender<Result<Started, EmbeddedError>>;

impl EmbeddedBroker {
    pub(super) fn start(options: EmbeddedOptions) -> Result<Self, EmbeddedError> {
        let (data_dir, folder) = match options.chosen_data_dir() {
            Some(path) => (path, None),
            None => {
                let folder = Folder::new()?;
                (folder.path().to_owned(), Some(folder))
            }
        };
        let (node, parts) = options.node(data_dir.clone())?;
        let topics = options.into_topics();
        let (starting, started) = sync_channel(1);
        let (stop, stopped) = oneshot::channel();
        let run = move || run(node, parts, topics, &starting, stopped);
        let thread = thread::Builder::new().name("strandline".to_owned()).spawn(run)?;
        match started.recv() {
            Ok(Ok(started)) => Ok(Self { started, data_dir, stop: Some(stop), thread: Some(thread), folder }),
            Ok(Err(error)) => {
                // Nothing of it is left when this returns.
                let _ = thread.join();
                Err(error)
            }
            Err(_) => Err(EmbeddedError::Panicked),
        }
    }

    /// What clients are told as `bootstrap.servers`: a host, a colon and a port.
    pub fn bootstrap(&self) -> &str {
        &self.started.bootstrap
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.started.address
    }

    /// Where its health and its metrics are served, if `strandline.http.address` was set.
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.started.http_address
    }

    /// Where its data is.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Stops it as dropping does, and says how that went.
    ///
    /// # Errors
    /// Not everything was written, or the folder does not go.
    pub fn stop(mut self) -> Result<(), EmbeddedError> {
        self.end()?;
        self.folder.take().map_or(Ok(()), Folder::remove)
    }

    fn end(&mut self) -> Result<(), EmbeddedError> {
        // Nobody listens any more where the thread has ended.
        let _ = self.stop.take().map(|stop| stop.send(()));
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => Ok(result?),
            Some(Err(_)) => Err(EmbeddedError::Panicked),
            None => Ok(()),
        }
    }
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        // Who wants to know how it went calls `stop`.
        let _ = self.end();
    }
}

/// The life of a broker, on a thread of its own.
fn run(
    options: NodeOptions,
    parts: NodeParts,
    topics: Vec<EmbeddedTopic>,
    starting: &Starting,
    stopped: oneshot::Receiver<()>,
) -> Result<(), NodeError> {
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = starting.send(Err(error.into()));
            return Ok(());
        }
    };
    let result = runtime.block_on(live(options, parts, topics, starting, stopped));
    Runtime::shutdown_timeout(runtime, LEFT_MAX);
    result
}

async fn live(
    options: NodeOptions,
    parts: NodeParts,
    topics: Vec<EmbeddedTopic>,
    starting: &Starting,
    stopped: oneshot::Receiver<()>,
) -> Result<(), NodeError> {
    let node = match Node::start_with(options, parts).await {
        Ok(node) => node,
        Err(error) => {
            let _ = starting.send(Err(error.into()));
            return Ok(());
        }
    };
    let started = match create(&node.broker().metadata, topics).await {
        Ok(()) => describe(&node),
        Err(error) => Err(error),
    };
    let is_wanted = started.is_ok();
    let _ = starting.send(started);
    if is_wanted {
        // That whoever could say so is gone says the same.
        let _ = stopped.await;
    }
    node.shutdown().await
}

fn describe(node: &Node) -> Result<Started, EmbeddedError> {
    let (Some(endpoint), Some(address)) = (node.endpoints().first(), node.addresses().first()) else {
        return Err(EmbeddedError::Panicked);
    };
    Ok(Started {
        bootstrap: format!("{}:{}", endpoint.host, endpoint.port),
        address: *address,
        http_address: node.http_address(),
    })
}

/// Makes the topics that are not there yet.
async fn create(metadata: &Arc<Metadata>, topics: Vec<EmbeddedTopic>) -> Result<(), EmbeddedError> {
    if topics.is_empty() {
        return Ok(());
    }
    let topics = topics.into_iter().map(|topic| NewTopic {
        name: Text::from(topic.name),
        topic_id: metadata.new_id(),
        partition_count: topic.partitions,
        replication_factor: -1,
        configs: topic.settings.into_iter().map(|(name, value)| (name.into(), Some(value.into()))).collect(),
        ..NewTopic::default()
    });
    let command =
        CreateTopics { topics: topics.collect(), validate_only: false, settings: metadata.settings() };
    let refused = |name: String, refusal: Refusal| EmbeddedError::Topic { name, why: refusal.to_string() };
    let created = metadata.run(command).await.map_err(|refusal| refused("*".to_owned(), refusal))?;
    for topic in created {
        match topic.result {
            Err(refusal) if refusal.code != ErrorCode::TOPIC_ALREADY_EXISTS => {
                return Err(refused(topic.name.to_string(), refusal));
            }
            _ => {}
        }
    }
    Ok(())
}
