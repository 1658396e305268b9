//! A machine that adds numbers up. Numbers of a transaction count when that is committed.

use std::collections::BTreeMap;
use std::time::Duration;

use strandline_protocol::wire::DecodeResult;
use strandline_protocol::{Bytes, EncodeError};
use strandline_state::coordinator::{Decision, Heeded, Machine, Origin, Record, Ticket, TransactionEnd};

#[derive(Debug, Default)]
pub(super) struct Adder {
    sum: i64,
    pending: BTreeMap<i64, i64>,
    waiting: Vec<Ticket>,
    put_off: Option<Duration>,
    last_offset: Option<i64>,
}

#[derive(Debug)]
pub(super) enum Command {
    /// Adds, and tells the sum.
    Add(Ticket, i64),
    /// Adds in a producer's transaction.
    AddIn {
        ticket: Ticket,
        producer_id: i64,
        producer_epoch: i16,
        number: i64,
    },
    /// Tells the sum.
    Sum(Ticket),
    /// Has so many bytes kept, for nothing.
    Keep(Ticket, usize),
    /// Adds one so many times, with so many bytes each, in parts but for the last two.
    Many(Ticket, i64, usize),
    /// Tells the sum when the timer goes off.
    Later(Ticket, i64),
    Due,
}

#[derive(Clone, Debug)]
pub(super) struct Number {
    pub(super) number: i64,
    pub(super) padding: usize,
}

impl Record for Number {
    fn from_bytes(key: Bytes, value: Option<Bytes>) -> DecodeResult<Option<Self>> {
        if key.as_ref() != b"n" {
            return Ok(None);
        }
        let value = value.unwrap();
        let number = i64::from_be_bytes(value[..8].try_into().unwrap());
        Ok(Some(Self { number, padding: value.len() - 8 }))
    }

    fn to_bytes(&self) -> Result<(Bytes, Option<Bytes>), Box<EncodeError>> {
        let mut value = self.number.to_be_bytes().to_vec();
        value.resize(8 + self.padding, 0);
        Ok((Bytes::from_static(b"n"), Some(value.into())))
    }
}

fn one(number: i64) -> Vec<Number> {
    vec![Number { number, padding: 0 }]
}

impl Machine for Adder {
    type Command = Command;
    type Record = Number;
    type Passing = Option<Ticket>;
    type Reply = i64;
    type Timer = ();
    type Event = i64;
    /// After so long the timer shall go off; or it is kept here that it shall not before that.
    type Sign<'a> = Result<i64, Duration>;

    fn heed(&mut self, now: Duration, now_ms: i64, after: Result<i64, Duration>) -> Option<Heeded<Self>> {
        let timer = after.ok().map(|after_ms| ((), now_ms + after_ms));
        self.put_off = after.err().map(|after| now + after);
        Some(Heeded { reply: self.sum, timer })
    }

    fn put_off(&self, (): &()) -> Option<Duration> {
        self.put_off
    }

    fn is_of_transaction(command: &Command) -> bool {
        matches!(command, Command::AddIn { .. })
    }

    fn decide(&self, now_ms: i64, command: Command) -> Decision<Self> {
        match command {
            Command::Add(ticket, number) => {
                let events = vec![number];
                Decision { records: one(number), events, ..Decision::reply(ticket, self.sum + number) }
            }
            Command::AddIn { ticket, producer_id, producer_epoch, number } => Decision {
                origin: Origin::Transaction { producer_id, producer_epoch },
                records: one(number),
                ..Decision::reply(ticket, 0)
            },
            Command::Sum(ticket) => Decision::reply(ticket, self.sum),
            Command::Keep(ticket, padding) => {
                let records = vec![Number { number: 0, padding }];
                Decision { records, ..Decision::reply(ticket, self.sum) }
            }
            Command::Many(ticket, count, padding) => {
                let records: Vec<_> = (0..count).map(|_| Number { number: 1, padding }).collect();
                let divisible = records.len().saturating_sub(2);
                Decision { records, divisible, ..Decision::reply(ticket, self.sum + count) }
            }
            Command::Later(ticket, after_ms) => Decision {
                passing: vec![Some(ticket)],
                timers: vec![((), Some(now_ms + after_ms))],
                ..Decision::default()
            },
            Command::Due => Decision {
                passing: vec![None],
                replies: self.waiting.iter().map(|ticket| (*ticket, self.sum)).collect(),
                ..Decision::default()
            },
        }
    }

    fn due((): ()) -> Command {
        Command::Due
    }

    fn evolve(&mut self, offset: i64, origin: Origin, record: Number) {
        assert!(
            self.last_offset.is_none_or(|last| last < offset),
            "{offset} comes after {:?}",
            self.last_offset
        );
        self.last_offset = Some(offset);
        match origin {
            Origin::Plain => self.sum += record.number,
            Origin::Transaction { producer_id, .. } => {
                *self.pending.entry(producer_id).or_default() += record.number;
            }
        }
    }

    fn end_transaction(&mut self, offset: i64, end: TransactionEnd) {
        self.last_offset = Some(offset);
        let number = self.pending.remove(&end.producer_id).unwrap_or(0);
        self.sum += if end.is_commit { number } else { 0 };
    }

    fn pass(&mut self, passing: Option<Ticket>) {
        match passing {
            Some(ticket) => self.waiting.push(ticket),
            None => self.waiting.clear(),
        }
    }

    fn loaded(&self, _: i64) -> Decision<Self> {
        Decision::default()
    }
}
