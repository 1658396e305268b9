//! The last work before a directory is given up: everything goes into segments and the manifest. The next start has
//! nothing to replay then, and `async` logs have lost nothing even if the machine dies right after.

use std::sync::Arc;

use super::Writer;
use crate::engine::error::EngineError;
use crate::engine::jobs::Job;
use crate::engine::observer::Reason;
use crate::journal::Seal;

/// How far the last work is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Closing {
    #[default]
    NotAsked,
    Saving,
}

impl Writer {
    /// What is left to be done before the end, if nothing is asked any more.
    pub(super) fn plan_last_job(&mut self) -> Option<Job> {
        if self.closing == Closing::NotAsked {
            self.closing = Closing::Saving;
            self.checkpoints.want_all(Reason::Closing);
        }
        if let Some(job) = self.plan_removals(true) {
            return Some(Job::Removal(job));
        }
        if self.is_short() {
            return None;
        }
        if let Some(job) = self.plan_checkpoint() {
            return Some(Job::Checkpoint(Box::new(job)));
        }
        self.plan_flush().map(Job::Flush)
    }

    /// Whether the last work is done, or cannot be: what the journal holds is replayed then, as after a crash.
    pub fn is_saved(&mut self) -> bool {
        self.is_all_saved() || self.offline.is_some() || self.is_short()
    }

    fn is_all_saved(&self) -> bool {
        self.closing == Closing::Saving
            && self.checkpoints.is_idle()
            && !self.flushing.is_busy()
            && self.removals.is_idle()
            && self.unsaved.is_empty()
    }

    /// Gives the directory up. All that was acknowledged is durable; seals tell the next start that nothing was torn, and
    /// whether what the machine may lose yet, or has lost before this start, is still to be answered for.
    pub fn close(self) -> Result<(), EngineError> {
        let is_all_saved = self.is_all_saved() && self.offline.is_none();
        let may_lose_more = !is_all_saved && self.logs.values().any(|log| log.is_async());
        let Self { mut journal, manifest, checkpoints, offline, shared, .. } = self;
        if may_lose_more {
            journal.seal_as(Seal::Died);
        } else if shared.is_answered_for() {
            journal.seal_as(Seal::Closed);
        }
        // One that found no room holds on to the manifest.
        drop(checkpoints);
        if let Some(manifest) = Arc::into_inner(manifest).filter(|_| offline.is_none()) {
            manifest.close()?;
        }
        Ok(journal.close()?)
    }
}
