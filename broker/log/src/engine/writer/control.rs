//! Staging of everything that is no batch: partitions come, change and go.

use std::sync::Arc;
use std::task::Waker;

use bytes::Bytes;

use super::super::error::{EngineError, Refusal};
use super::super::group::{Change, Cut, Operation, Said};
use super::super::log::Log;
use super::super::observer::Reason;
use super::super::replay::producers_at;
use super::super::request::{Command, Done, ReplyTo, Request};
use super::{Taken, Writer};
use crate::config::{Durability, LogConfig};
use crate::journal::{Class, Entry, StageError, Staged};
use crate::local_id::LocalId;

/// Whether a command can be staged now.
pub(super) enum Readiness {
    Ready,
    /// Something has to be done first.
    Waits,
    /// It is as asked already.
    Done,
}

impl Writer {
    pub(super) fn take_control(&mut self, request: Request) -> Taken {
        if let Command::ListProducers { partition } = request.command {
            let Request { ticket, replies, .. } = request;
            let producers = self.log(partition).map(|log| log.producers.active().collect());
            self.reply(ReplyTo { ticket, replies }, producers.map(Done::Producers));
            return Taken::Yes;
        }
        let Request { command, ticket, replies } = &request;
        let reply = ReplyTo { ticket: *ticket, replies: Arc::clone(replies) };
        let staged = match self.readiness(command) {
            Ok(Readiness::Ready) => self
                .change(command)
                .and_then(|(partition, change)| self.stage_change(partition, change, Some(reply))),
            Ok(Readiness::Waits) => Ok(false),
            Ok(Readiness::Done) => {
                self.reply(reply, Ok(Done::Changed));
                Ok(true)
            }
            Err(refusal) => Err(refusal),
        };
        match staged {
            Ok(true) => {}
            Ok(false) => return Taken::NotYet(request),
            Err(refusal) => self.refuse(request, refusal),
        }
        Taken::Yes
    }

    fn readiness(&mut self, command: &Command) -> Result<Readiness, Refusal> {
        let Some(partition) = subject(command) else { return Ok(Readiness::Ready) };
        let log = self.log(partition)?;
        let keeps_segments = matches!(command, Command::Configure { .. } | Command::SetHighWatermark { .. });
        if log.is_changing {
            return Ok(Readiness::Waits);
        }
        if !keeps_segments && self.compactions.is_replacing(partition) {
            return self.waits_for_manifest();
        }
        let (start_offset, end) = {
            let view = log.partition.view();
            (view.start, view.end)
        };
        let end_offset = log.next_offset;
        let check = |offset: i64| match offset {
            offset if offset < start_offset || offset > end_offset => {
                Err(Refusal::OffsetOutOfRange { offset, start_offset, end_offset })
            }
            _ => Ok(()),
        };
        match command {
            Command::Truncate { end_offset: offset, .. } => {
                check(*offset)?;
                if *offset == end_offset {
                    Ok(Readiness::Done)
                } else {
                    self.readiness_to_truncate(partition)
                }
            }
            Command::SetLogStart { start_offset: offset, .. } if *offset <= start_offset => {
                Ok(Readiness::Done)
            }
            Command::SetLogStart { start_offset: offset, .. } => {
                check(*offset)?;
                // What is staged may be given up as well, once it is there.
                if *offset > end { Ok(Readiness::Waits) } else { Ok(Readiness::Ready) }
            }
            Command::SetHighWatermark { offset, .. } => {
                self.set_high_watermark(partition, *offset);
                Ok(Readiness::Done)
            }
            Command::Configure { config, .. } if log.config.durability != config.durability => {
                if log.is_ahead {
                    self.move_end(partition, end_offset);
                }
                self.readiness_when_saved(partition)
            }
            _ => Ok(Readiness::Ready),
        }
    }

    fn set_high_watermark(&mut self, partition: LocalId, offset: i64) {
        let Some(log) = self.logs.get_mut(&partition) else { return };
        let due = {
            let mut view = log.partition.view();
            let offset = offset.min(view.end).max(view.high_watermark.unwrap_or(i64::MIN));
            view.high_watermark = Some(offset);
            log.producers.high_watermark_moved(offset);
            view.first_unstable = log.producers.first_unstable_offset();
            view.due()
        };
        due.into_iter().for_each(Waker::wake);
    }

    /// The end of a log is cut off when nothing else of it is on its way anywhere.
    fn readiness_to_truncate(&mut self, partition: LocalId) -> Result<Readiness, Refusal> {
        let Some(log) = self.logs.get(&partition) else { return Ok(Readiness::Waits) };
        if log.staged > 0 || self.flushing.is_busy() || self.sweeping.is_busy() {
            Ok(Readiness::Waits)
        } else if log.is_async() {
            // What a scan after a crash would find must not be more than what is left now.
            self.readiness_when_saved(partition)
        } else {
            Ok(Readiness::Ready)
        }
    }

    /// Waits until the manifest has all of a log, and sees to it.
    pub(super) fn readiness_when_saved(&mut self, partition: LocalId) -> Result<Readiness, Refusal> {
        let Some(log) = self.logs.get(&partition) else { return Ok(Readiness::Waits) };
        let is_saved = log.staged == 0 && log.first_unflushed.is_none() && !self.unsaved.contains(&partition);
        if is_saved && !self.checkpoints.is_saving() {
            return Ok(Readiness::Ready);
        }
        self.checkpoints.want_all(Reason::Asked);
        self.waits_for_manifest()
    }

    /// What waits for a checkpoint waits in vain where that finds no room, and keeps those behind it from what would
    /// make some.
    fn waits_for_manifest(&self) -> Result<Readiness, Refusal> {
        if self.is_out_of_room() { Err(Refusal::DiskFull) } else { Ok(Readiness::Waits) }
    }

    /// What is to happen; all that it needs from the disk is done here.
    fn change(&mut self, command: &Command) -> Result<(LocalId, Change), Refusal> {
        if let Command::Configure { partition, config } = command
            && config.durability == Durability::Async
            && let Some(log) = self.logs.get(partition).filter(|log| !log.is_async())
            && let Err(error) = log.remove_leftovers(&self.sources)
        {
            return Err(self.cannot_clear(&error));
        }
        Ok(match command {
            Command::Create { description, config } => {
                let change = Change::Create { description: description.clone(), config: Arc::clone(config) };
                (LocalId(self.next_local_id), change)
            }
            Command::Configure { partition, config } => {
                (*partition, Change::Configure { config: Arc::clone(config) })
            }
            Command::Truncate { partition, end_offset } => {
                let cut = self.cut(*partition, *end_offset)?;
                (*partition, Change::Truncate(Box::new(cut)))
            }
            Command::SetLogStart { partition, start_offset } => {
                (*partition, Change::SetLogStart { start_offset: *start_offset })
            }
            Command::Delete { partition } => (*partition, Change::Delete),
            Command::Append { .. } | Command::SetHighWatermark { .. } | Command::ListProducers { .. } => {
                return Err(Refusal::UnknownPartition);
            }
        })
    }

    /// What lies behind a log could not be removed, so that the log is kept as it was. Where a file or folder was only not
    /// opened, nothing is unknown: what was removed by then nobody needs, and whoever asks may ask again.
    fn cannot_clear(&mut self, error: &EngineError) -> Refusal {
        if error.lacks_descriptors() {
            // Files that wait for their sync are closed then. Other work does not wait for who asks again and again.
            self.checkpoints.want_synced();
            return Refusal::DiskFull;
        }
        self.go_offline(error);
        self.offline_refusal()
    }

    fn cut(&self, partition: LocalId, end_offset: i64) -> Result<Cut, Refusal> {
        let log = self.log(partition)?;
        let failed = |error: &dyn std::fmt::Display| Refusal::Unreadable(error.to_string().into());
        log.check_readable_before(end_offset, &self.sources).map_err(|error| failed(&error))?;
        let prefix = log.prefix(end_offset, &self.sources).map_err(|error| failed(&error))?;
        let producers =
            producers_at(log, end_offset, &self.sources, &self.manifest).map_err(|error| failed(&error))?;
        Ok(Cut { end_offset, prefix, producers })
    }

    /// Stages a change and notes what it means for what comes after it; false if it has to wait for room.
    pub(super) fn stage_change(
        &mut self,
        partition: LocalId,
        change: Change,
        reply: Option<ReplyTo>,
    ) -> Result<bool, Refusal> {
        let staged = self.stage_entry(partition, &change);
        if self.staged(staged)?.is_none() {
            return Ok(false);
        }
        if matches!(change, Change::Create { .. }) {
            self.next_local_id += 1;
        } else if let Some(log) = self.logs.get_mut(&partition) {
            log.note_staged(&change);
        }
        self.forming.operations.push(Operation { partition, said: Said::Change(change), reply });
        Ok(true)
    }

    fn stage_entry(&mut self, partition: LocalId, change: &Change) -> Result<Staged, StageError> {
        let partition = partition.0;
        let described;
        let entry = match change {
            Change::Create { description, config } => {
                described = encode_description(description, config);
                Entry::CreatePartition { partition, description: &described }
            }
            Change::Configure { config } => {
                described = encoded(config);
                Entry::Configure { partition, config: &described }
            }
            Change::Truncate(cut) => Entry::Truncate { partition, end_offset: cut.end_offset },
            Change::SetLogStart { start_offset } => {
                Entry::SetLogStart { partition, start_offset: *start_offset }
            }
            Change::Delete => Entry::DeletePartition { partition },
        };
        self.journal.stage(&entry, Class::Control)
    }
}

impl Log {
    fn note_staged(&mut self, change: &Change) {
        self.staged += 1;
        match change {
            Change::Truncate(cut) => {
                self.is_changing = true;
                self.next_offset = cut.end_offset;
            }
            Change::Configure { config } => self.is_changing |= config.durability != self.config.durability,
            Change::Delete => self.is_ending = true,
            Change::SetLogStart { .. } => self.staged_starts += 1,
            Change::Create { .. } => {}
        }
    }
}

fn encoded(config: &LogConfig) -> Vec<u8> {
    let mut bytes = Vec::new();
    config.encode(&mut bytes);
    bytes
}

/// Settings and description as one journal entry's bytes: the length of the settings, the settings, and the rest.
fn encode_description(description: &[u8], config: &LogConfig) -> Vec<u8> {
    let config = encoded(config);
    let length = u32::try_from(config.len()).unwrap_or(u32::MAX);
    [&length.to_le_bytes(), config.as_slice(), description].concat()
}

/// What a partition is made with by the journal's entry that says so: its settings, and what the layer above knows about
/// it. None if the bytes are no such thing.
pub fn decode_description(bytes: &[u8]) -> Option<(LogConfig, Bytes)> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (mut config, description) =
        rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    Some((LogConfig::decode(&mut config).ok()?, Bytes::copy_from_slice(description)))
}

/// What a command is about; none for a creation.
fn subject(command: &Command) -> Option<LocalId> {
    match command {
        Command::Create { .. } => None,
        Command::Configure { partition, .. }
        | Command::Append { partition, .. }
        | Command::Truncate { partition, .. }
        | Command::SetLogStart { partition, .. }
        | Command::SetHighWatermark { partition, .. }
        | Command::ListProducers { partition }
        | Command::Delete { partition } => Some(*partition),
    }
}
