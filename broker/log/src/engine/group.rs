//! What goes to the disk together, and is answered together.

use std::sync::Arc;

use bytes::Bytes;

use super::partition::Offsets;
use super::request::{Done, Outcome, ReplyTo};
use crate::config::LogConfig;
use crate::journal::Staged;
use crate::local_id::LocalId;
use crate::producers::Producers;
use crate::segment::Segment;

/// A batch that has its offsets.
#[derive(Clone, Copy, Debug)]
pub(super) struct PlacedBatch {
    pub(super) base_offset: i64,
    pub(super) last_offset: i64,
    pub(super) last_offset_delta: i32,
    pub(super) leader_epoch: i32,
    pub(super) max_timestamp: i64,
    pub(super) has_producer: bool,
}

impl PlacedBatch {
    /// What is said of it once it is in its log, and where the log is then: nowhere, if it is gone by now.
    pub(super) fn appended(&self, offsets: Option<Offsets>) -> Done {
        let Self { base_offset, last_offset, .. } = *self;
        let (log_start, high_watermark) =
            offsets.map_or((-1, -1), |offsets| (offsets.start, offsets.high_watermark));
        let (is_duplicate, timestamp) = (false, None);
        Done::Appended { base_offset, last_offset, is_duplicate, timestamp, log_start, high_watermark }
    }
}

/// How a log goes on after its end was cut off. All that needed the disk has been done.
#[derive(Debug)]
pub(super) struct Cut {
    pub(super) end_offset: i64,
    /// The beginning of the segment that the cut goes through.
    pub(super) prefix: Option<Arc<Segment>>,
    pub(super) producers: Producers,
}

/// Something other than an append that happens to a partition once it is durable.
#[derive(Debug)]
pub(super) enum Change {
    Create { description: Bytes, config: Arc<LogConfig> },
    Configure { config: Arc<LogConfig> },
    Truncate(Box<Cut>),
    SetLogStart { start_offset: i64 },
    Delete,
}

/// What an entry of the journal says.
#[derive(Debug)]
pub(super) enum Said {
    Append { batch: PlacedBatch, staged: Staged },
    Change(Change),
}

/// An entry of the journal, and who waits for it; nobody for what the engine itself asked for.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) partition: LocalId,
    pub(super) said: Said,
    pub(super) reply: Option<ReplyTo>,
}

/// What is in one frame, and what is answered when it is durable.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) operations: Vec<Operation>,
    /// Answers about something that this group, or one before it, makes durable.
    pub(super) answers: Vec<(ReplyTo, Outcome)>,
}

impl Group {
    /// All of it. There is room for as much again: the next one will hardly be much smaller.
    pub(super) fn take(&mut self) -> Self {
        let operations = Vec::with_capacity(self.operations.len());
        std::mem::replace(self, Self { operations, answers: Vec::new() })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }
}
