//! A partition that takes part in transactions, by the rules that the log's writer has.

use std::collections::BTreeMap;

use super::Markers;

#[derive(Debug, Default)]
struct Producer {
    epoch: i16,
    /// The records of the open transaction, and the epoch that they have.
    open: Option<(i16, Vec<u64>)>,
    /// Each marker makes what was verified before it invalid.
    markers: u64,
}

/// A record of a transaction on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub(super) identity: (i64, i16),
    pub(super) value: u64,
    /// What its client was given to show.
    pub(super) guard: Option<u64>,
}

#[derive(Debug, Default)]
pub(super) struct DataPartition {
    producers: BTreeMap<i64, Producer>,
    /// The values that count, as often as they are there.
    committed: Vec<u64>,
    faults: Vec<String>,
}

impl DataPartition {
    /// What an append has to show if no transaction is open under this epoch.
    pub(super) fn guard(&self, producer_id: i64, epoch: i16) -> Option<u64> {
        let producer = self.producers.get(&producer_id);
        let is_open =
            producer.and_then(|producer| producer.open.as_ref()).is_some_and(|(open, _)| *open == epoch);
        (!is_open).then(|| producer.map_or(0, |producer| producer.markers))
    }

    /// Whether a record is there now.
    pub(super) fn append(&mut self, record: Record, minds_guards: bool) -> bool {
        let Record { identity: (producer_id, epoch), value, guard } = record;
        let producer = self.producers.entry(producer_id).or_default();
        if epoch < producer.epoch {
            return false;
        }
        let is_open = producer.open.as_ref().is_some_and(|(open, _)| *open == epoch);
        if !is_open && guard != Some(producer.markers) && minds_guards {
            return false;
        }
        producer.epoch = epoch;
        let (_, values) = producer.open.get_or_insert((epoch, Vec::new()));
        values.push(value);
        true
    }

    /// Takes a marker, unless it is an old one.
    pub(super) fn end(&mut self, markers: &Markers) {
        let producer = self.producers.entry(markers.producer_id).or_default();
        let is_stale = markers.producer_epoch < producer.epoch
            || (markers.version >= 2 && markers.producer_epoch == producer.epoch && producer.open.is_some());
        if is_stale {
            return;
        }
        producer.epoch = markers.producer_epoch;
        producer.markers += 1;
        if let Some((epoch, values)) = producer.open.take() {
            if markers.version >= 2 && epoch >= markers.producer_epoch {
                self.faults.push(format!("{markers:?} ends what has epoch {epoch}"));
            }
            if markers.is_commit {
                self.committed.extend(values);
            }
        }
    }

    pub(super) fn count(&self, value: u64) -> usize {
        self.committed.iter().filter(|committed| **committed == value).count()
    }

    pub(super) fn check(&self) -> Result<(), String> {
        if let Some(fault) = self.faults.first() {
            return Err(fault.clone());
        }
        match self.producers.iter().find(|(_, producer)| producer.open.is_some()) {
            Some((id, producer)) => Err(format!("a transaction of {id} hangs: {producer:?}")),
            None => Ok(()),
        }
    }
}
