//! The engine: a data directory with its one writer, its readers, and the work in the background.
//!
//! [`Engine`] is a directory that is open, with its threads. Under it lies [`Writer`], a state machine that decides
//! everything and that a simulation drives by itself; beside it [`Partition`], what is published of a log, for those
//! who read. What takes long is a [`Job`]: the writer hands it out and takes it back, and knows what follows.

mod checkpoint_job;
mod compaction_job;
mod error;
mod flush_job;
mod group;
mod jobs;
mod log;
mod mailbox;
mod observer;
mod options;
mod partition;
mod read;
mod read_back;
mod recovery;
mod removal_job;
mod replay;
mod request;
mod scan;
mod slice;
mod sweep_job;
mod threads;
mod times;
mod watch;
mod writer;

pub use self::error::{EngineError, ReadError, Refusal};
pub use self::jobs::{Job, JobDone, Lane};
pub use self::mailbox::{Closed, Mailbox, MailboxOptions, Rejected};
pub use self::observer::{CompactionOutcome, Event, Observer, Reason, Unobserved};
pub use self::options::Options;
pub use self::partition::{Offsets, Partition, UpTo};
pub use self::read::{ReadLimits, ReadOut, Rest};
pub use self::request::{Chain, Command, Done, NewBatch, Outcome, Replies, Request};
pub use self::slice::Slice;
pub use self::threads::Engine;
pub use self::watch::{Figures, Tuning, Watch};
pub use self::writer::{Writer, decode_description};

#[cfg(test)]
mod tests;
