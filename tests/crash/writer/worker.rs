//! A thread that writes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use strandline_log::engine::{
    self, Command, Done, Engine, NewBatch, Partition, ReadError, Refusal, Replies, Request,
};
use strandline_log::producers;
use strandline_log::random::Random;

use super::Until;
use super::partition::Live;
use crate::directory::{self, ReadFailure};
use crate::model::{Kind, Name, Operation, Placed};
use crate::report::{Line, Reason, say};
use crate::{Outcome, values};

/// An answer that does not come within this will not come.
const PATIENCE: Duration = Duration::from_secs(30);

/// An offline directory is asked for so many things more by each thread.
const AFTERWARDS: u32 = 40;

/// Tells of an answer first, and hands it over then.
#[derive(Debug)]
struct Teller(Sender<(u64, engine::Outcome)>);

impl Replies for Teller {
    fn reply(&self, ticket: u64, outcome: engine::Outcome) {
        say(&match &outcome {
            Ok(Done::Appended { base_offset, is_duplicate, .. }) => {
                let placed = Placed { base_offset: *base_offset, is_duplicate: *is_duplicate };
                Line::Done { ticket, placed: Some(placed) }
            }
            Ok(Done::Created(_) | Done::Producers(_) | Done::Changed) => Line::Done { ticket, placed: None },
            Err(refusal) => {
                let reason = match refusal {
                    Refusal::DiskFull => Reason::DiskFull,
                    Refusal::Offline(_) => Reason::Offline,
                    Refusal::Unreadable(_) => Reason::Unreadable,
                    _ => Reason::Other,
                };
                Line::Refused { ticket, reason, text: refusal.to_string() }
            }
        });
        // A thread that is gone does not want to know.
        let _ = self.0.send((ticket, outcome));
    }
}

/// What a thread has.
pub(super) struct Worker {
    number: u32,
    engine: Arc<Engine>,
    /// None where there is no partition; one may be on its way.
    slots: BTreeMap<u32, Option<Live>>,
    generations: Arc<AtomicU32>,
    random: Random,
    until: Until,
    asked: HashMap<u64, (Name, Operation)>,
    next_ticket: u64,
    replies: Arc<dyn Replies>,
    answers: Receiver<(u64, engine::Outcome)>,
    /// How many more things are asked for, if that is known.
    left: Option<u64>,
    /// How many batches may be on their way to one partition.
    in_flight_max: usize,
}

impl Worker {
    pub(super) fn new(
        number: u32,
        engine: Arc<Engine>,
        slots: BTreeMap<u32, Option<Live>>,
        generations: Arc<AtomicU32>,
        mut random: Random,
        until: Until,
    ) -> Self {
        let (sender, answers) = mpsc::channel();
        let left = match until {
            Until::Operations(operations) => Some(operations),
            Until::Killed | Until::Cut | Until::Filled | Until::Offline => None,
        };
        Self {
            number,
            engine,
            slots,
            generations,
            in_flight_max: if until == Until::Filled { 1 } else { 1 + random.index(5) },
            random,
            until,
            asked: HashMap::new(),
            next_ticket: 0,
            replies: Arc::new(Teller(sender)),
            answers,
            left,
        }
    }

    pub(super) fn run(mut self) -> Outcome<()> {
        while self.left != Some(0) {
            let slots: Vec<u32> = self.slots.keys().copied().collect();
            let slot = slots.get(self.random.index(slots.len())).copied().unwrap_or_default();
            let has_asked = self.ask(slot)?;
            let is_busy = self.asked.len() >= slots.len() * self.in_flight_max;
            self.hear(!has_asked || is_busy)?;
            if has_asked || self.asked.is_empty() {
                self.left = self.left.map(|left| left - 1);
            }
        }
        while !self.asked.is_empty() {
            self.hear(true)?;
        }
        Ok(())
    }

    /// Asks for something, if the slot can take it.
    fn ask(&mut self, slot: u32) -> Outcome<bool> {
        let (name, operation) = match self.slots.get_mut(&slot) {
            Some(Some(live)) if live.can_ask(self.in_flight_max) => (live.name, live.next(&mut self.random)),
            Some(None) if !self.asked.values().any(|(name, _)| name.slot == slot) => {
                let generation = self.generations.fetch_add(1, Ordering::Relaxed);
                (Name { slot, generation }, Operation::Create)
            }
            _ => return Ok(false),
        };
        let command = self.command(name, &operation)?;
        let ticket = u64::from(self.number) << 48 | self.next_ticket;
        self.next_ticket += 1;
        self.asked.insert(ticket, (name, operation));
        say(&Line::Try { ticket, name, operation });
        let request = Request { command, ticket, replies: Arc::clone(&self.replies) };
        match self.engine.mailbox().send([request]).is_empty() {
            true => Ok(true),
            false => Err("the engine takes nothing any more".into()),
        }
    }

    fn command(&self, name: Name, operation: &Operation) -> Outcome<Command> {
        let kind = name.kind();
        if let Operation::Create = operation {
            let config = Arc::new(kind.config(kind.durability()));
            return Ok(Command::Create { description: name.to_string().into(), config });
        }
        let partition = self.live(name).ok_or("the partition is not there")?.partition.id();
        Ok(match operation {
            Operation::Append(batch) => Command::Append {
                partition,
                leader_epoch: values::LEADER_EPOCH,
                sender: producers::Sender::Client,
                batch: NewBatch::validated(values::encode(batch, name)?)?,
            },
            Operation::Truncate(end_offset) => Command::Truncate { partition, end_offset: *end_offset },
            Operation::SetLogStart(start_offset) => {
                Command::SetLogStart { partition, start_offset: *start_offset }
            }
            Operation::Switch(durability) => {
                Command::Configure { partition, config: Arc::new(kind.config(*durability)) }
            }
            Operation::Delete | Operation::Create => Command::Delete { partition },
        })
    }

    fn live(&self, name: Name) -> Option<&Live> {
        self.slots.get(&name.slot).and_then(Option::as_ref).filter(|live| live.name == name)
    }

    /// Takes the answers that are there; waits for one if there has to be one.
    fn hear(&mut self, has_to: bool) -> Outcome<()> {
        if has_to && !self.asked.is_empty() {
            let (ticket, outcome) = self.answers.recv_timeout(PATIENCE).map_err(|_| {
                let waiting = self.asked.values().map(|(name, operation)| format!("{name} {operation}"));
                format!("no answer within {PATIENCE:?} to {:?}", waiting.collect::<Vec<_>>())
            })?;
            self.take(ticket, outcome)?;
        }
        while let Ok((ticket, outcome)) = self.answers.try_recv() {
            self.take(ticket, outcome)?;
        }
        Ok(())
    }

    fn take(&mut self, ticket: u64, outcome: engine::Outcome) -> Outcome<()> {
        let (name, operation) = self.asked.remove(&ticket).ok_or("an answer to nothing")?;
        let slot = self.slots.get_mut(&name.slot).ok_or("an answer about nothing")?;
        match (outcome, operation, slot.as_mut()) {
            (Ok(Done::Created(partition)), ..) => *slot = Some(Live::new(name, partition)),
            (Ok(_), Operation::Delete, _) => *slot = None,
            (Ok(_), operation, Some(live)) => {
                live.done(&operation);
                if self.random.one_in(8) {
                    return self.look_at(name);
                }
            }
            (Err(refusal), operation, live) => {
                let is_known = !matches!(refusal, Refusal::Offline(_));
                live.into_iter().for_each(|live| live.refused(&operation, is_known));
                return self.note_refusal(name, &refusal);
            }
            (Ok(_), _, None) => return Err(format!("an answer about {name}, which is not there").into()),
        }
        Ok(())
    }

    /// Where nothing is taken any more, reading goes on.
    fn note_refusal(&mut self, name: Name, refusal: &Refusal) -> Outcome<()> {
        match refusal {
            Refusal::Offline(_) if self.until == Until::Offline => {
                self.left.get_or_insert(u64::from(AFTERWARDS));
                self.look_at(name)
            }
            Refusal::DiskFull => {
                // Somebody else needs the processor as well.
                thread::sleep(Duration::from_micros(200));
                self.look_at(name)
            }
            _ => Ok(()),
        }
    }

    /// Reads something back.
    fn look_at(&mut self, name: Name) -> Outcome<()> {
        let mut random = self.random.split();
        // What is being cut off may be gone already.
        let Some(live) = self.live(name).filter(|live| !live.is_waiting()) else { return Ok(()) };
        let Some(expected) = live.acknowledged(&mut random) else { return Ok(()) };
        let partition: &Partition = &live.partition;
        let offset = expected.base_offset.max(partition.offsets().start);
        match directory::read_at(partition, name, offset) {
            Ok(found) if found.batches.first() == Some(&expected) => {
                say(&Line::Looked);
                Ok(())
            }
            // The start may have moved on since.
            Err(ReadFailure::Refused(ReadError::OffsetOutOfRange { start_offset, .. }))
                if start_offset > offset =>
            {
                Ok(())
            }
            // Compaction may have taken it.
            Ok(_) if name.kind() == Kind::Compacting => Ok(()),
            // There is no disk.
            Err(_) if self.until == Until::Cut => Ok(()),
            Ok(found) => Err(format!("{name}: read {:?}, not {expected:?}", found.batches.first()).into()),
            Err(error) => Err(format!("{name}: {expected:?} cannot be read: {error}").into()),
        }
    }
}
