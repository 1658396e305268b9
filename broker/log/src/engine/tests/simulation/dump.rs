//! All that an engine has, and whether it is what the model says.

use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;
use strandline_protocol::batch::batches;

use super::super::super::{Partition as Handle, ReadError, UpTo};
use super::batch::Batch;
use super::compacted::check_compacted;
use super::model::{Log, Partition, Pending};
use super::{Simulation, Violation};
use crate::config::LogConfig;
use crate::local_id::LocalId;

/// What became of the machine, or of the process alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Death {
    Kill,
    PowerCut,
}

/// A partition, as it can be read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    pub(super) id: LocalId,
    pub(super) config: LogConfig,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) last_stable: i64,
    pub(super) latest_epoch: i32,
    pub(super) batches: Vec<Bytes>,
}

impl Found {
    /// Start, end, last stable offset, epoch and where batches begin.
    pub(super) fn facts(&self) -> (i64, i64, i64, i32, Vec<i64>) {
        let bases = self.batches.iter().filter_map(|bytes| base_offset(bytes)).collect();
        (self.start, self.end, self.last_stable, self.latest_epoch, bases)
    }
}

/// By the numbers in their descriptions.
pub(super) type Dump = BTreeMap<u64, Found>;

/// Everything in a log, each batch for itself.
pub(super) fn read_all(handle: &Handle, bytes_max: u64) -> Result<Vec<Bytes>, ReadError> {
    let mut found = Vec::new();
    let mut offset = handle.offsets().start;
    loop {
        let before = found.len();
        let slices = handle.read(offset, bytes_max, UpTo::End)?.slices;
        for slice in slices {
            let bytes = slice.read().map_err(ReadError::Journal)?;
            for batch in batches(&bytes) {
                // The last one may be cut.
                let Ok(batch) = batch else { break };
                offset = batch.header().last_offset() + 1;
                found.push(Bytes::copy_from_slice(batch.bytes()));
            }
        }
        if found.len() == before {
            return Ok(found);
        }
    }
}

impl Simulation {
    pub(super) fn dump(&mut self) -> Result<Dump, Violation> {
        let bytes_max = [1, 2_000, 1 << 20][self.random.index(3)];
        let writer = self.writer();
        let mut dump = Dump::new();
        for (handle, description) in writer.partitions() {
            let number = description.as_ref().try_into().map(u64::from_le_bytes);
            let number = number.map_err(|_| format!("the description of {} is another one", handle.id()))?;
            let config = writer.logs.get(&handle.id()).map(|log| (*log.config).clone());
            let batches = read_all(&handle, bytes_max).map_err(|error| format!("{number}: {error}"))?;
            let offsets = handle.offsets();
            let found = Found {
                id: handle.id(),
                config: config.ok_or("a partition without a log")?,
                start: offsets.start,
                end: offsets.end,
                last_stable: offsets.last_stable,
                latest_epoch: handle.latest_epoch().unwrap_or(-1),
                batches,
            };
            if dump.insert(number, found).is_some() {
                return Err(format!("partition {number} is there twice"));
            }
        }
        Ok(dump)
    }

    /// The logs as they have to be if the pending operations came to pass.
    pub(super) fn candidate(&self, pending: &[Pending]) -> BTreeMap<u64, Log> {
        let mut logs: BTreeMap<u64, Log> =
            self.model.partitions.iter().map(|(number, one)| (*number, one.durable.clone())).collect();
        for Pending { number, op, .. } in pending {
            logs.get_mut(number).expect("a partition").apply(op);
        }
        logs
    }

    /// Whether what was found is what has to be there. Gives the logs as they are now.
    pub(super) fn compare(
        &self,
        dump: &Dump,
        mut logs: BTreeMap<u64, Log>,
        death: Death,
    ) -> Result<BTreeMap<u64, Log>, Violation> {
        logs.retain(|_, log| log.is_there());
        if !logs.keys().eq(dump.keys()) {
            let (found, expected) = (dump.keys().collect::<Vec<_>>(), logs.keys().collect::<Vec<_>>());
            return Err(format!("partitions {found:?}, not {expected:?}"));
        }
        for (number, log) in &mut logs {
            let (found, partition) = (&dump[number], &self.model.partitions[number]);
            self.compare_one(found, partition, log, death).map_err(|what| format!("{number}: {what}"))?;
        }
        Ok(logs)
    }

    fn compare_one(
        &self,
        found: &Found,
        partition: &Partition,
        log: &mut Log,
        death: Death,
    ) -> Result<(), Violation> {
        if found.config != *log.config {
            return Err(format!("its settings are {:?}, not {:?}", found.config, log.config));
        }
        if partition.id.is_some_and(|id| id != found.id) {
            return Err(format!("its id is {}", found.id));
        }
        if log.is_async() && found.end != log.end {
            follow_unsynced(found, partition, log, death)?;
        }
        if log.is_async() && death == Death::PowerCut && found.end == log.start {
            // What was before the beginning may be lost as well, with all that it said.
            log.is_fuzzy = true;
            log.epochs = Vec::from_iter((found.latest_epoch >= 0).then_some((found.latest_epoch, log.start)));
        }
        if (found.start, found.end) != (log.start, log.end) {
            let (start, end) = (log.start, log.end);
            let bases: Vec<_> = found.batches.iter().filter_map(|bytes| base_offset(bytes)).collect();
            return Err(format!(
                "it is from {} to {}, not from {start} to {end}; batches at {bases:?}",
                found.start, found.end
            ));
        }
        if found.latest_epoch != log.latest_epoch() {
            return Err(format!("its epoch is {}, not {}", found.latest_epoch, log.latest_epoch()));
        }
        if log.compacted {
            let times_ms = (partition.delete_retention_ms, self.latest_ms());
            return check_compacted(log, &found.batches, times_ms);
        }
        check_equal(log.from(log.start), &found.batches)
    }
}

/// Lets the log be what an `async` one may have become: it lost its end in a power cut, or has more than was
/// acknowledged.
fn follow_unsynced(
    found: &Found,
    partition: &Partition,
    log: &mut Log,
    death: Death,
) -> Result<(), Violation> {
    if found.end > log.end {
        // In the order in which they were sent, but those that were not on their way.
        for batch in &partition.in_flight {
            let placed = batch.placed(log.end);
            let there = found.batches.iter().find(|bytes| base_offset(bytes) == Some(placed.base_offset));
            if placed.base_offset >= log.end && there.is_some_and(|bytes| placed.check_same(bytes).is_ok()) {
                log.apply(&super::model::Op::Append(placed));
            }
        }
        if partition.gaps.contains(&found.end) {
            log.end = found.end;
        }
        return Ok(());
    }
    let kept = match death {
        Death::Kill => log.end,
        // It has just become one: before that, all of it had to be durable.
        Death::PowerCut if !partition.durable.is_async() => log.end,
        Death::PowerCut => partition.synced_to,
    };
    if found.end < kept {
        return Err(format!("an async log ends at {} and has to have {kept} ({death:?})", found.end));
    }
    let is_border =
        log.batches.iter().any(|batch| [batch.last_offset + 1, batch.base_offset].contains(&found.end));
    if found.end != partition.synced_to && found.end != log.start && !is_border {
        return Err(format!("an async log ends at {}, within a batch", found.end));
    }
    log.truncate(found.end);
    Ok(())
}

fn base_offset(batch: &[u8]) -> Option<i64> {
    batch.first_chunk().map(|bytes| i64::from_be_bytes(*bytes))
}

fn check_equal(expected: &[Rc<Batch>], found: &[Bytes]) -> Result<(), Violation> {
    for (expected, found) in expected.iter().zip(found) {
        expected.check_same(found)?;
    }
    match expected.len() == found.len() {
        true => Ok(()),
        false => {
            let (found, is, missing) =
                (found.len(), expected.len(), expected.get(found.len()).map(|batch| batch.base_offset));
            Err(format!("{found} batches, not {is}; missing: {missing:?}"))
        }
    }
}
