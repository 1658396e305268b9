//! What is given back when nothing was asked for a while: memory that waits to be used again.

use std::time::Duration;

use super::Writer;

/// After so much time without a request the next ones may pay for new memory.
const REST: Duration = Duration::from_secs(5);

/// When there was something to do last.
#[derive(Debug, Default)]
pub(super) struct Resting {
    busy_at: Duration,
    has_rested: bool,
}

impl Writer {
    /// Notes that there was something to do, after which memory waits to be used again.
    pub(super) fn note_busy(&mut self, now: Duration) {
        (self.resting.busy_at, self.resting.has_rested) = (now, false);
    }

    /// Gives memory back that nobody has used for a while.
    pub(super) fn rest_unless(&mut self, is_busy: bool, now: Duration) {
        if is_busy {
            self.note_busy(now);
        } else if !self.resting.has_rested && now.saturating_sub(self.resting.busy_at) >= REST {
            self.resting.has_rested = true;
            self.options.tail_budget.buffers().release();
        }
    }
}
