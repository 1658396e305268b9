//! The durable state of a partition's producers as bytes, and back.
//!
//! Numbers are little-endian:
//!
//! ```text
//! CRC-32C of all that follows (4), version (2)
//! number of producers (4), and of each, by id:
//!     id (8), epoch (2), coordinator epoch (4), last timestamp (8), transaction's first offset or -1 (8),
//!     number of batches (1), and of each, the oldest first:
//!         last sequence (4), offset delta (4), last offset (8), timestamp (8)
//! number of transactions that ended at or above the high watermark (4), and of each:
//!     first offset (8), last offset (8)
//! number of aborted transactions that no index has (4), and of each:
//!     producer id (8), first offset (8), last offset (8), last stable offset (8)
//! ```

use super::batch::Trace;
use super::state::{State, TRACES_MAX};
use super::transactions::{CompletedTransaction, Decided, Transactions};
use super::{Producer, Producers};

const VERSION: u16 = 1;

const NO_OFFSET: i64 = -1;

/// Why bytes are no snapshot.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SnapshotError {
    /// The bytes are not those that were written.
    #[error("a producer snapshot of {bytes} bytes has another checksum than it says")]
    Checksum {
        /// How many there are.
        bytes: usize,
    },
    /// A later version of this program wrote it.
    #[error("a producer snapshot has version {found}, and {VERSION} is the last that is known")]
    NewerVersion {
        /// Its version.
        found: u16,
    },
    /// The checksum is right, and what it covers makes no sense.
    #[error("a producer snapshot is malformed at byte {offset}: {what}")]
    Malformed {
        /// Where.
        offset: usize,
        /// What is wrong there.
        what: &'static str,
    },
}

impl Producers {
    /// What is durable, as bytes; none if there is nothing to be said.
    pub fn snapshot(&self) -> Option<Vec<u8>> {
        let transactions = &self.0.as_ref()?.transactions;
        let producers_count = self.durable().count();
        if producers_count == 0 && transactions.is_empty() {
            return None;
        }
        let mut body = Body(VERSION.to_le_bytes().to_vec());
        body.count(producers_count)?;
        for (producer_id, state) in self.durable() {
            body.producer(producer_id, state)?;
        }
        body.count(transactions.decided().len())?;
        for Decided { first_offset, last_offset } in transactions.decided() {
            body.number(*first_offset).number(*last_offset);
        }
        body.count(transactions.aborted().len())?;
        for aborted in transactions.aborted() {
            body.number(aborted.producer_id).number(aborted.first_offset);
            body.number(aborted.last_offset).number(aborted.last_stable_offset);
        }
        Some([crc32c::crc32c(&body.0).to_le_bytes().as_slice(), &body.0].concat())
    }

    /// The state that [`Producers::snapshot`] was taken of, with nothing staged.
    pub fn restore(snapshot: &[u8]) -> Result<Self, SnapshotError> {
        let mut fields = Fields { bytes: snapshot, rest: snapshot };
        let crc = fields.take().map(u32::from_le_bytes)?;
        if crc32c::crc32c(fields.rest) != crc {
            return Err(SnapshotError::Checksum { bytes: snapshot.len() });
        }
        let found = fields.take().map(u16::from_le_bytes)?;
        if found > VERSION {
            return Err(SnapshotError::NewerVersion { found });
        }
        fields.hold(found == VERSION, "there is no such version")?;
        let mut producers = Self::new();
        fields.producers(&mut producers)?;
        fields.decided(&mut producers)?;
        fields.aborted(&mut producers)?;
        fields.hold(fields.rest.is_empty(), "more follows than belongs to it")?;
        Ok(producers)
    }
}

struct Body(Vec<u8>);

impl Body {
    fn number(&mut self, number: i64) -> &mut Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    /// None for more than a count can say, which no memory holds.
    fn count(&mut self, count: usize) -> Option<()> {
        self.0.extend(u32::try_from(count).ok()?.to_le_bytes());
        Some(())
    }

    fn producer(&mut self, producer_id: i64, state: &State) -> Option<()> {
        self.number(producer_id);
        self.0.extend(state.epoch.to_le_bytes());
        self.0.extend(state.coordinator_epoch.to_le_bytes());
        self.number(state.last_timestamp).number(state.transaction_start.unwrap_or(NO_OFFSET));
        self.0.push(u8::try_from(state.traces().len()).ok()?);
        for Trace { last_sequence, offset_delta, last_offset, timestamp } in state.traces() {
            self.0.extend(last_sequence.to_le_bytes());
            self.0.extend(offset_delta.to_le_bytes());
            self.number(*last_offset).number(*timestamp);
        }
        Some(())
    }
}

/// What is left of a snapshot, and all of it, to tell where one is.
struct Fields<'a> {
    bytes: &'a [u8],
    rest: &'a [u8],
}

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], SnapshotError> {
        let Some((field, rest)) = self.rest.split_first_chunk() else {
            return Err(self.malformed("it ends too early"));
        };
        self.rest = rest;
        Ok(*field)
    }

    fn number(&mut self) -> Result<i64, SnapshotError> {
        self.take().map(i64::from_le_bytes)
    }

    fn count(&mut self) -> Result<u32, SnapshotError> {
        self.take().map(u32::from_le_bytes)
    }

    fn offset(&mut self) -> Result<i64, SnapshotError> {
        let offset = self.number()?;
        self.hold(offset >= 0, "an offset is negative")?;
        Ok(offset)
    }

    fn malformed(&self, what: &'static str) -> SnapshotError {
        SnapshotError::Malformed { offset: self.bytes.len() - self.rest.len(), what }
    }

    fn hold(&self, is_so: bool, what: &'static str) -> Result<(), SnapshotError> {
        if is_so { Ok(()) } else { Err(self.malformed(what)) }
    }

    fn producers(&mut self, producers: &mut Producers) -> Result<(), SnapshotError> {
        let mut id_before = -1;
        for _ in 0..self.count()? {
            let producer_id = self.number()?;
            self.hold(producer_id > id_before, "the producers' ids do not rise")?;
            id_before = producer_id;
            let state = self.state()?;
            let table = producers.0.get_or_insert_default();
            if let Some(first_offset) = state.transaction_start {
                self.hold(
                    !table.transactions.is_open_at(first_offset),
                    "two transactions begin at one offset",
                )?;
                table.transactions.begin(producer_id, first_offset);
            }
            let producer = Producer { durable: Some(state.clone()), latest: state, staged_count: 0 };
            table.producers.insert(producer_id, Box::new(producer));
        }
        Ok(())
    }

    fn state(&mut self) -> Result<State, SnapshotError> {
        let mut state = State::UNKNOWN;
        state.epoch = self.take().map(i16::from_le_bytes)?;
        state.coordinator_epoch = self.take().map(i32::from_le_bytes)?;
        state.last_timestamp = self.number()?;
        state.transaction_start = Some(self.number()?).filter(|offset| *offset != NO_OFFSET);
        self.hold(state.transaction_start.is_none_or(|offset| offset >= 0), "an offset is negative")?;
        let [count] = self.take()?;
        self.hold(usize::from(count) <= TRACES_MAX, "it remembers too many batches")?;
        for _ in 0..count {
            state.remember(Trace {
                last_sequence: self.take().map(i32::from_le_bytes)?,
                offset_delta: self.take().map(i32::from_le_bytes)?,
                last_offset: self.offset()?,
                timestamp: self.number()?,
            });
        }
        Ok(state)
    }

    fn decided(&mut self, producers: &mut Producers) -> Result<(), SnapshotError> {
        let mut before = Decided { first_offset: -1, last_offset: -1 };
        for _ in 0..self.count()? {
            let decided = Decided { first_offset: self.offset()?, last_offset: self.offset()? };
            let rises =
                decided.first_offset > before.first_offset && decided.last_offset > before.last_offset;
            self.hold(rises, "the transactions that ended do not rise")?;
            transactions(producers).decide(decided);
            before = decided;
        }
        Ok(())
    }

    fn aborted(&mut self, producers: &mut Producers) -> Result<(), SnapshotError> {
        let mut last_before = -1;
        for _ in 0..self.count()? {
            let aborted = CompletedTransaction {
                producer_id: self.number()?,
                first_offset: self.offset()?,
                last_offset: self.offset()?,
                last_stable_offset: self.offset()?,
                is_aborted: true,
            };
            self.hold(aborted.last_offset > last_before, "the aborted transactions do not rise")?;
            last_before = aborted.last_offset;
            transactions(producers).restore_aborted(aborted);
        }
        Ok(())
    }
}

fn transactions(producers: &mut Producers) -> &mut Transactions {
    &mut producers.0.get_or_insert_default().transactions
}
