//! What can be asked of a data directory, and what it answers.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use strandline_protocol::batch::{BatchHeader, BatchView, Origin, TimestampType};

use super::error::Refusal;
use super::partition::Partition;
use crate::config::LogConfig;
use crate::local_id::LocalId;
use crate::producers::{ActiveProducer, Guard, Marker, MarkerError, Sender};

/// A record batch that may be appended: its checksum and its records have been looked at.
#[derive(Clone, Debug)]
pub struct NewBatch {
    /// As it came; its header is not the one that counts.
    pub(super) bytes: Bytes,
    pub(super) header: BatchHeader,
    /// The end of a transaction, if it is one.
    pub(super) marker: Option<Marker>,
    /// What it shows if it begins a transaction; none where nobody asks for it.
    pub(super) verification: Option<Option<Guard>>,
    /// What it makes sense behind, if that is all that came before it.
    pub(super) chain: Option<Chain>,
}

/// Batches that follow from each other: once one of them is refused, so are all that come after it. Clones are the same
/// chain.
///
/// Whoever sends batches without waiting for answers can tell what is in the log then: all up to some place.
#[derive(Clone, Debug, Default)]
pub struct Chain(Arc<AtomicBool>);

impl Chain {
    // The writer alone looks at it and sets it.
    pub(super) fn is_broken(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn cut(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl NewBatch {
    /// Checks everything about one batch. `bytes` hold nothing else.
    pub fn validate(
        bytes: Bytes,
        origin: Origin,
        decompressed_bytes_max: usize,
    ) -> Result<Self, MarkerError> {
        BatchView::parse_only(&bytes)?.validate(origin, decompressed_bytes_max)?;
        Self::validated(bytes)
    }

    /// A batch that the caller has validated before, as a connection's task does: only its header is looked at.
    pub fn validated(bytes: Bytes) -> Result<Self, MarkerError> {
        let view = BatchView::parse_only(&bytes)?;
        let (header, marker) = (*view.header(), Marker::read(&view)?);
        Ok(Self { bytes, header, marker, verification: None, chain: None })
    }

    /// A producer's batch that the caller has validated as one, so that it is no marker, with the header that was read
    /// of it.
    pub const fn of_producer(bytes: Bytes, header: BatchHeader) -> Self {
        Self { bytes, header, marker: None, verification: None, chain: None }
    }

    /// The same batch, which is to be let in only if its transaction is open, or with this guard if that is still worth
    /// something. It says nothing about a batch that is part of no transaction.
    pub fn verified(mut self, guard: Option<Guard>) -> Self {
        self.verification = Some(guard);
        self
    }

    /// The same batch as the next of a chain.
    #[must_use]
    pub fn chained(mut self, chain: &Chain) -> Self {
        self.chain = Some(chain.clone());
        self
    }

    /// The same marker, which has a higher epoch than the records that it is for.
    pub fn raising_epoch(mut self) -> Self {
        if let Some(marker) = &mut self.marker {
            marker.raises_epoch = true;
        }
        self
    }

    /// The same with these timestamps. Nothing is copied: it is its header that changes, when it is written.
    #[must_use]
    pub fn stamped(mut self, timestamp_type: TimestampType, max_timestamp: i64) -> Self {
        self.header.set_timestamps(timestamp_type, max_timestamp);
        self
    }

    /// What its header says.
    pub fn header(&self) -> &BatchHeader {
        &self.header
    }
}

/// What is asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// A partition is to be.
    Create {
        /// What the layer above wants to find again; the engine does not look into it.
        description: Bytes,
        /// Its settings.
        config: Arc<LogConfig>,
    },
    /// A partition gets other settings.
    Configure {
        /// Which one.
        partition: LocalId,
        /// The settings.
        config: Arc<LogConfig>,
    },
    /// A batch goes behind what is there.
    Append {
        /// Where to.
        partition: LocalId,
        /// The epoch of the leader that says so, or -1 where there are none. Of a batch that a leader has
        /// appended before, its own counts.
        leader_epoch: i32,
        /// Who hands it in. A leader's batch brings its offsets with it, which may leave a gap and never go back;
        /// all others get the next ones.
        sender: Sender,
        /// The batch.
        batch: NewBatch,
    },
    /// Everything from an offset on goes, with the rest of the batch that holds it.
    Truncate {
        /// Of which one.
        partition: LocalId,
        /// The first offset that is not there any more.
        end_offset: i64,
    },
    /// Everything before an offset goes.
    SetLogStart {
        /// Of which one.
        partition: LocalId,
        /// The first offset that is still there.
        start_offset: i64,
    },
    /// So much is replicated. It never goes back but with the log's end; nothing has to be durable for it.
    SetHighWatermark {
        /// Of which one.
        partition: LocalId,
        /// The offset behind the last one that is replicated; the log's end counts if that comes before.
        offset: i64,
    },
    /// Which producers it remembers.
    ListProducers {
        /// Which one.
        partition: LocalId,
    },
    /// A partition goes, with all that is in it.
    Delete {
        /// Which one.
        partition: LocalId,
    },
}

impl Command {
    /// How many bytes of a queue it takes.
    pub fn bytes(&self) -> usize {
        let own = size_of::<Request>();
        match self {
            Self::Append { batch, .. } => own + batch.bytes.len(),
            Self::Create { description, .. } => own + description.len(),
            Self::Configure { .. }
            | Self::Truncate { .. }
            | Self::SetLogStart { .. }
            | Self::SetHighWatermark { .. }
            | Self::ListProducers { .. }
            | Self::Delete { .. } => own,
        }
    }

    /// Whether it brings something new, and waits first when room gets short.
    pub(super) fn is_append(&self) -> bool {
        matches!(self, Self::Append { .. })
    }
}

/// What was done. It is durable, as the log's settings mean it.
#[derive(Clone, Debug)]
pub enum Done {
    /// The partition is there.
    Created(Arc<Partition>),
    /// The batch is in the log.
    Appended {
        /// The offset of its first record.
        base_offset: i64,
        /// The offset of its last record.
        last_offset: i64,
        /// Whether it had been there before, sent by the same producer.
        is_duplicate: bool,
        /// If so, the highest timestamp of what had been there.
        timestamp: Option<i64>,
        /// Where the log began by then; -1 if it is gone.
        log_start: i64,
        /// How far it was replicated; -1 if it is gone.
        high_watermark: i64,
    },
    /// The producers whose batches are durable, by rising id.
    Producers(Vec<ActiveProducer>),
    /// It is as was asked.
    Changed,
}

/// How it went.
pub type Outcome = Result<Done, Refusal>;

/// Where answers go.
///
/// Called on the writer's thread: what takes time belongs elsewhere.
pub trait Replies: Send + Sync + fmt::Debug {
    /// How the request with this ticket went.
    fn reply(&self, ticket: u64, outcome: Outcome);

    /// A request is about to be staged. Where that has to wait after all, it is said again later. The time is that of
    /// the engine's monotonic clock.
    fn taken(&self, _at: Duration) {}

    /// No more answers come for now: the moment to wake those who wait, once for all of them.
    fn flush(&self) {}
}

/// Something that is asked, and where the answer goes.
#[derive(Clone, Debug)]
pub struct Request {
    /// What is asked.
    pub command: Command,
    /// What the asker knows it by.
    pub ticket: u64,
    /// Where the answer goes.
    pub replies: Arc<dyn Replies>,
}

impl Request {
    /// Where the answer goes, and nothing else.
    pub(super) fn into_reply_to(self) -> ReplyTo {
        let Self { ticket, replies, .. } = self;
        ReplyTo { ticket, replies }
    }
}

/// Where one answer goes.
#[derive(Clone, Debug)]
pub(super) struct ReplyTo {
    pub(super) ticket: u64,
    pub(super) replies: Arc<dyn Replies>,
}
