//! A data directory as everybody sees it who opens it: with small bounds, so that everything happens often.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use strandline_log::check::{self, CheckError, Finding, Severity, Summary};
use strandline_log::clock::RealClock;
use strandline_log::engine::{EngineError, Offsets, Options, Partition, ReadError, UpTo, Writer};
use strandline_log::journal;
use strandline_log::layout::Layout;
use strandline_log::random::Random;
use strandline_log::tail::Budget;
use strandline_protocol::batch::batches;

use crate::disk::{Way, disk};
use crate::model::{Batch, Name};
use crate::{Outcome, values};

/// What a read asks for.
const READ_BYTES: u64 = 200_000;

/// The bounds: journal files are used again every few dozen groups, and a checkpoint comes every few.
pub(crate) fn options() -> Options {
    Options {
        journal: journal::Options {
            file_bytes: 512 << 10,
            bytes_max: 4 << 20,
            entries_max: 4_000,
            group_bytes_max: 128 << 10,
            placed_bytes_min: 4 << 10,
        },
        tail_budget: Budget::new(1 << 20),
        flush_bytes: 512 << 10,
        flush_job_bytes: 128 << 10,
        unsynced_bytes_max: 2 << 20,
        reserve_bytes: 4 << 20,
        syncs_max: 16,
        compaction_map_bytes: 1 << 20,
        checkpoint_interval: Duration::from_millis(40),
        housekeeping_interval: Duration::from_millis(20),
        // What is sent has a timestamp of long ago.
        producer_expiration_ms: i64::MAX,
        ..Options::default()
    }
}

/// Opens it, or makes it in a folder that is there.
pub(crate) fn open(root: &Path, way: Way) -> Outcome<Writer, EngineError> {
    let failed = |source| EngineError::Io { doing: "open", path: root.to_owned(), source };
    let disk = disk(root, way).map_err(failed)?;
    let (clock, random) = (Arc::new(RealClock::new()), Random::from_system().map_err(failed)?);
    Writer::recover(disk, root.to_owned(), options(), clock, random)
}

/// What a reader finds in a partition.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    pub(crate) start: i64,
    pub(crate) end: i64,
    /// From the one that holds `start` on.
    pub(crate) batches: Vec<Batch>,
    /// Of the records.
    pub(crate) numbers: BTreeSet<u64>,
    /// How long they are together.
    pub(crate) bytes: u64,
}

/// Lets the offline checker look a directory over.
fn check(root: &Path, visit: impl FnMut(Finding)) -> Outcome<Summary, CheckError> {
    let io = |source| CheckError::Io { doing: "open", path: root.to_owned(), source };
    check::check(&disk(root, Way::Direct).map_err(io)?, &Layout::new(root.to_owned()), visit)
}

/// Fails if the offline checker finds that something is lost, or contradicts itself.
pub(crate) fn expect_no_damage(root: &Path) -> Outcome<()> {
    let mut damage = String::new();
    let checked = check(root, |finding| {
        if finding.problem.severity() == Severity::Damage {
            damage += &format!("; {finding}");
        }
    });
    match checked {
        // A process that died early has not made it one.
        Err(CheckError::NoDirectory { .. }) => return Ok(()),
        checked => checked?,
    };
    if damage.is_empty() { Ok(()) } else { Err(format!("the offline checker finds damage{damage}").into()) }
}

/// Opens a directory, reads everything, and leaves it as a crash would.
pub(crate) fn observe(root: &Path) -> Outcome<BTreeMap<Name, Observed>> {
    observe_all(&open(root, Way::Direct)?)
}

/// The same, and gives the directory up as one should.
pub(crate) fn observe_and_close(root: &Path) -> Outcome<BTreeMap<Name, Observed>> {
    let writer = open(root, Way::Direct)?;
    let observed = observe_all(&writer)?;
    writer.close()?;
    Ok(observed)
}

fn observe_all(writer: &Writer) -> Outcome<BTreeMap<Name, Observed>> {
    let mut all = BTreeMap::new();
    for (partition, description) in writer.partitions() {
        let name = std::str::from_utf8(&description)?.parse()?;
        let observed = read(&partition, name).map_err(|error| format!("partition {name}: {error}"))?;
        if all.insert(name, observed).is_some() {
            return Err(format!("partition {name} is there twice").into());
        }
    }
    Ok(all)
}

/// Reads a partition from its start to its end.
pub(crate) fn read(partition: &Partition, name: Name) -> Outcome<Observed> {
    let Offsets { start, end, .. } = partition.offsets();
    let mut observed = Observed { start, end, batches: Vec::new(), numbers: BTreeSet::new(), bytes: 0 };
    let mut offset = start;
    loop {
        let found = read_at(partition, name, offset)?;
        let Some(last) = found.batches.last() else { return Ok(observed) };
        offset = last.last_offset() + 1;
        observed.batches.extend(found.batches);
        observed.numbers.extend(found.numbers);
        observed.bytes += found.bytes;
    }
}

/// Batches from the one on that holds an offset, and how long they are.
pub(crate) struct Found {
    pub(crate) batches: Vec<Batch>,
    numbers: Vec<u64>,
    bytes: u64,
}

/// Reads some of a partition, from an offset on.
pub(crate) fn read_at(partition: &Partition, name: Name, offset: i64) -> Result<Found, ReadFailure> {
    let out = partition.read(offset, READ_BYTES, UpTo::End).map_err(ReadFailure::Refused)?;
    let wrong = |error: crate::Failure| ReadFailure::Wrong(format!("at {offset}: {error}"));
    let mut found = Found { batches: Vec::new(), numbers: Vec::new(), bytes: 0 };
    for slice in &out.slices {
        let bytes = slice.read().map_err(|error| wrong(error.into()))?;
        // The last one may be cut where it comes from a file.
        for batch in batches(&bytes).map_while(Result::ok) {
            found.bytes += batch.bytes().len() as u64;
            let (batch, numbers) = values::decode(&batch, name).map_err(wrong)?;
            found.batches.push(batch);
            found.numbers.extend(numbers);
        }
    }
    if found.batches.is_empty() && !out.slices.is_empty() {
        return Err(ReadFailure::Wrong(format!("no batch can be read at {offset}")));
    }
    Ok(found)
}

/// Why a read gave nothing.
#[derive(Debug)]
pub(crate) enum ReadFailure {
    /// The engine says so.
    Refused(ReadError),
    /// What came is not what was written.
    Wrong(String),
}

impl std::fmt::Display for ReadFailure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(error) => write!(formatter, "{error}"),
            Self::Wrong(what) => write!(formatter, "{what}"),
        }
    }
}

impl std::error::Error for ReadFailure {}
