//! Numbers about an engine for those who look after it, and what they may change while it runs.
//!
//! Reading takes no lock that the writer holds for long, and changes nothing.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::mailbox::Mailbox;
use super::options::Options;
use super::read::Sources;
use crate::segment::CacheFigures;

macro_rules! numbers {
    ($($name:ident),+ $(,)?) => {
        /// What the writer alone knows, kept up to date by it.
        #[derive(Debug, Default)]
        pub(super) struct Numbers {
            $(pub(super) $name: AtomicU64,)+
        }

        impl Numbers {
            fn read_into(&self, figures: &mut Figures) {
                $(figures.$name = self.$name.load(Ordering::Relaxed);)+
            }
        }
    };
}

numbers! {
    logs,
    journal_bytes,
    unflushed_bytes,
    unsynced_bytes,
    frames_behind,
    hopeless_logs,
    compacting_logs,
    waiting_removals,
    missing_reserve,
}

/// How an engine stands at a moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// How many logs there are.
    pub logs: u64,
    /// What of the journal is in use.
    pub journal_bytes: u64,
    /// What of it may be in use.
    pub journal_bytes_max: u64,
    /// Bytes of its files that are done with and kept by slow readers.
    pub journal_pinned_bytes: u64,
    /// Files that were taken from readers since they kept too much, since the start.
    pub journal_given_up_files: u64,
    /// Bytes of batches that are in no segment yet.
    pub unflushed_bytes: u64,
    /// Bytes of `async` logs that no sync has covered.
    pub unsynced_bytes: u64,
    /// How many groups of the journal a recovery would replay.
    pub frames_behind: u64,
    /// Logs that cannot be compacted since they cannot be read.
    pub hopeless_logs: u64,
    /// Logs that are being compacted: none, or one.
    pub compacting_logs: u64,
    /// Segments and partitions whose files wait to be removed.
    pub waiting_removals: u64,
    /// 1 while the room that is kept on the disk is not whole: appends are refused.
    pub missing_reserve: u64,
    /// Memory of tails in use, by all that share its budget.
    pub tail_memory_bytes: u64,
    /// What of it may be in use.
    pub tail_memory_bytes_max: u64,
    /// Requests before the writer.
    pub waiting_requests: u64,
    /// What they take.
    pub waiting_bytes: u64,
    /// The open files of segments.
    pub files: CacheFigures,
    /// The indexes of segments in memory.
    pub indexes: CacheFigures,
}

/// What may be changed while the engine runs. The rest of [`Options`] is for the start alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Tuning {
    /// [`Options::checkpoint_interval`].
    pub checkpoint_interval: Duration,
    /// [`Options::housekeeping_interval`].
    pub housekeeping_interval: Duration,
    /// [`Options::producer_expiration_ms`].
    pub producer_expiration_ms: i64,
    /// [`Options::compaction_bytes_per_second`].
    pub compaction_bytes_per_second: u64,
    /// [`Options::removal_bytes_per_second`].
    pub removal_bytes_per_second: u64,
}

impl Options {
    /// What of them may be changed later, as it is now.
    pub fn tuning(&self) -> Tuning {
        let Self {
            checkpoint_interval,
            housekeeping_interval,
            producer_expiration_ms,
            compaction_bytes_per_second,
            removal_bytes_per_second,
            ..
        } = *self;
        Tuning {
            checkpoint_interval,
            housekeeping_interval,
            producer_expiration_ms,
            compaction_bytes_per_second,
            removal_bytes_per_second,
        }
    }

    pub(super) fn tune(&mut self, tuning: Tuning) {
        let Tuning {
            checkpoint_interval,
            housekeeping_interval,
            producer_expiration_ms,
            compaction_bytes_per_second,
            removal_bytes_per_second,
        } = tuning;
        self.checkpoint_interval = checkpoint_interval;
        self.housekeeping_interval = housekeeping_interval;
        self.producer_expiration_ms = producer_expiration_ms;
        self.compaction_bytes_per_second = compaction_bytes_per_second;
        self.removal_bytes_per_second = removal_bytes_per_second;
    }
}

/// What the writer and those who look after it share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) numbers: Numbers,
    /// So many bytes a second are compacted, by the round that is under way as well.
    pub(super) compaction_bytes_per_second: Arc<AtomicU64>,
    is_tuned: AtomicBool,
    tuning: Mutex<Option<Tuning>>,
    is_answered_for: AtomicBool,
}

impl Shared {
    pub(super) fn new(options: &Options) -> Self {
        let rate = AtomicU64::new(options.compaction_bytes_per_second);
        Self { compaction_bytes_per_second: Arc::new(rate), ..Self::default() }
    }

    /// Whether somebody has answered for what the process before may have lost.
    pub(super) fn is_answered_for(&self) -> bool {
        self.is_answered_for.load(Ordering::Acquire)
    }

    /// What was changed since the last time, if anything.
    pub(super) fn take_tuning(&self) -> Option<Tuning> {
        let is_tuned = self.is_tuned.load(Ordering::Acquire) && self.is_tuned.swap(false, Ordering::AcqRel);
        is_tuned.then(|| self.tuning.lock().unwrap_or_else(PoisonError::into_inner).take()).flatten()
    }
}

/// The way to look after an engine. Clones are the same.
#[derive(Clone, Debug)]
pub struct Watch {
    shared: Arc<Shared>,
    sources: Arc<Sources>,
    mailbox: Arc<Mailbox>,
    journal_bytes_max: u64,
}

impl Watch {
    pub(super) fn new(
        shared: Arc<Shared>,
        sources: Arc<Sources>,
        mailbox: Arc<Mailbox>,
        journal_bytes_max: u64,
    ) -> Self {
        Self { shared, sources, mailbox, journal_bytes_max }
    }

    /// How it stands.
    pub fn figures(&self) -> Figures {
        let (budget, pins) = (self.sources.frames.budget(), self.sources.journal.pins());
        let (waiting_requests, waiting_bytes) = self.mailbox.waiting();
        let mut figures = Figures {
            journal_bytes_max: self.journal_bytes_max,
            journal_pinned_bytes: pins.held_bytes(),
            journal_given_up_files: pins.given_up(),
            tail_memory_bytes: budget.used_bytes(),
            tail_memory_bytes_max: budget.bytes_max(),
            waiting_requests,
            waiting_bytes,
            files: self.sources.files.open_figures(),
            indexes: self.sources.files.index_figures(),
            ..Figures::default()
        };
        self.shared.numbers.read_into(&mut figures);
        figures
    }

    /// Why nothing is written any more; none as long as it is.
    pub fn offline(&self) -> Option<Arc<str>> {
        self.mailbox.offline()
    }

    /// Says that whoever has to know that the process before died, and that `async` logs may have lost their end, knows
    /// it for good. Until then, [`Writer::was_closed`](super::Writer::was_closed) says at every start that it died.
    pub fn answer_for_losses(&self) {
        self.shared.is_answered_for.store(true, Ordering::Release);
    }

    /// Changes what may be changed, from the writer's next turn on.
    pub fn tune(&self, tuning: Tuning) {
        self.shared.compaction_bytes_per_second.store(tuning.compaction_bytes_per_second, Ordering::Relaxed);
        *self.shared.tuning.lock().unwrap_or_else(PoisonError::into_inner) = Some(tuning);
        self.shared.is_tuned.store(true, Ordering::Release);
        self.mailbox.ring();
    }
}
