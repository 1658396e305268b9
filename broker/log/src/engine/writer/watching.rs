//! What the writer tells those who watch it, and takes from them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::super::observer::Event;
use super::super::watch::Watch;
use super::Writer;

/// The group that is on its way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Watched {
    began: Duration,
    bytes: u64,
    requests: usize,
    given_up_files: u64,
}

impl Writer {
    /// The way to look after this engine.
    pub fn watch(&self) -> Watch {
        let bytes_max = self.options.journal.bytes_max;
        Watch::new(self.shared.clone(), self.sources.clone(), self.mailbox.clone(), bytes_max)
    }

    pub(super) fn tell(&self, event: &Event<'_>) {
        self.options.observer.see(event);
    }

    pub(in super::super) fn tell_recovered(&self, began: Duration) {
        let took = self.clock.monotonic().saturating_sub(began);
        self.tell(&Event::Recovered { logs: self.logs.len(), was_closed: self.was_closed(), took });
    }

    /// Takes over what was changed from outside.
    pub(super) fn heed_tuning(&mut self) {
        if let Some(tuning) = self.shared.take_tuning() {
            let rate_before = self.options.removal_bytes_per_second;
            self.options.tune(tuning);
            if tuning.removal_bytes_per_second != rate_before {
                self.removals.set_rate(tuning.removal_bytes_per_second);
            }
        }
    }

    pub(super) fn note_begun(&mut self, bytes: u64, requests: usize) {
        self.watched = Watched { began: self.clock.monotonic(), bytes, requests, ..self.watched };
    }

    pub(super) fn note_committed(&self) {
        let Watched { began, bytes, requests, .. } = self.watched;
        let took = self.clock.monotonic().saturating_sub(began);
        self.tell(&Event::Committed { requests, bytes, took });
    }

    /// Brings the numbers up to date that only the writer knows.
    pub(super) fn note_numbers(&mut self) {
        let numbers = &self.shared.numbers;
        let behind = self.published.saturating_sub(self.checkpoints.reached());
        let is_compacting = u64::from(self.compactions.is_running());
        for (number, value) in [
            (&numbers.logs, self.logs.len() as u64),
            (&numbers.journal_bytes, self.journal.used_bytes()),
            (&numbers.unflushed_bytes, self.flushing.bytes()),
            (&numbers.unsynced_bytes, self.unjournaled.unsynced_bytes()),
            (&numbers.frames_behind, behind),
            (&numbers.hopeless_logs, self.compactions.hopeless_count() as u64),
            (&numbers.compacting_logs, is_compacting),
            (&numbers.waiting_removals, self.removals.waiting() as u64),
            (&numbers.missing_reserve, u64::from(!self.reserve.is_whole())),
        ] {
            number.store(value, Ordering::Relaxed);
        }
        let files = self.sources.journal.pins().given_up();
        if files > self.watched.given_up_files {
            self.watched.given_up_files = files;
            self.tell(&Event::JournalGivenUp { files });
        }
    }
}
