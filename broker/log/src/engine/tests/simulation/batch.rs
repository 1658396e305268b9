//! Batches as they are sent, and what the model remembers of them.

use std::cell::OnceCell;
use std::rc::Rc;

use bytes::Bytes;
use strandline_protocol::Compression;
use strandline_protocol::batch::{BatchBuilder, BatchHeader, BatchView, ControlRecord, NewRecord};

use super::Violation;
use crate::producers::Sender;

/// A record, wherever it was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Record {
    pub(super) offset: i64,
    pub(super) timestamp: i64,
    pub(super) key: Option<Vec<u8>>,
    pub(super) value: Option<Vec<u8>>,
}

/// A batch, sent or in a log.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) base_offset: i64,
    pub(super) last_offset: i64,
    pub(super) leader_epoch: i32,
    /// As it was sent: offset and epoch in it may be others.
    pub(super) bytes: Bytes,
    pub(super) header: BatchHeader,
    pub(super) sender: Sender,
    /// The epoch of the coordinator, and whether the transaction is aborted, if it is a marker.
    pub(super) marker: Option<(i32, bool)>,
    /// What the wall's clock showed when it was sent.
    pub(super) sent_ms: i64,
    /// What is in it, once somebody has asked.
    records: OnceCell<Vec<Record>>,
}

/// What is to be in a batch.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) records: Vec<Record>,
    /// Id, epoch and sequence.
    pub(super) producer: Option<(i64, i16, i32)>,
    pub(super) is_transactional: bool,
    /// With offset and epoch, of a leader's.
    pub(super) place: Option<(i64, i32)>,
    pub(super) compression: Compression,
}

impl Content {
    pub(super) fn build(&self) -> Bytes {
        let mut builder =
            BatchBuilder::new().transactional(self.is_transactional).compression(self.compression, None);
        if let Some((id, epoch, sequence)) = self.producer {
            builder = builder.producer(id, epoch, sequence);
        }
        if let Some((base_offset, epoch)) = self.place {
            builder = builder.base_offset(base_offset).partition_leader_epoch(epoch);
        }
        for record in &self.records {
            let (key, value) = (record.key.as_deref(), record.value.as_deref());
            builder.append(&NewRecord { key, value, ..NewRecord::at(record.timestamp) }).unwrap();
        }
        builder.build().unwrap()
    }
}

/// The marker that ends a transaction, as bytes.
pub(super) fn marker(
    timestamp: i64,
    producer: (i64, i16),
    coordinator_epoch: i32,
    is_abort: bool,
    place: Option<(i64, i32)>,
) -> Bytes {
    let record = match is_abort {
        true => ControlRecord::Abort { coordinator_epoch },
        false => ControlRecord::Commit { coordinator_epoch },
    };
    let mut bytes = record.transaction_marker(timestamp, producer.0, producer.1).unwrap().to_vec();
    if let Some((base_offset, epoch)) = place {
        let mut header = *BatchView::parse(&bytes).unwrap().header();
        header.assign(base_offset, epoch);
        header.write_over(&mut bytes).unwrap();
    }
    bytes.into()
}

impl Batch {
    /// A batch that has no place yet.
    pub(super) fn sent(bytes: Bytes, sender: Sender, leader_epoch: i32, sent_ms: i64) -> Self {
        let view = BatchView::parse(&bytes).unwrap();
        let header = *view.header();
        let marker = header.attributes.is_control().then(|| {
            let records = view.records(1 << 20).unwrap();
            let record = records.iter().next().unwrap().unwrap();
            match ControlRecord::read(record.key, record.value).unwrap() {
                ControlRecord::Abort { coordinator_epoch } => (coordinator_epoch, true),
                ControlRecord::Commit { coordinator_epoch } => (coordinator_epoch, false),
                other => panic!("{other:?}"),
            }
        });
        let leader_epoch =
            if sender == Sender::Leader { header.partition_leader_epoch } else { leader_epoch };
        let (base_offset, last_offset) = (header.base_offset, header.last_offset());
        let records = OnceCell::new();
        Self { base_offset, last_offset, leader_epoch, bytes, header, sender, marker, sent_ms, records }
    }

    /// The same with the place that it gets.
    pub(super) fn placed(&self, next_offset: i64) -> Rc<Self> {
        let mut placed = self.clone();
        if self.sender != Sender::Leader {
            placed.records = OnceCell::new();
            placed.base_offset = next_offset;
            placed.last_offset = next_offset + i64::from(self.header.last_offset_delta);
        }
        Rc::new(placed)
    }

    pub(super) fn producer(&self) -> Option<i64> {
        self.header.has_producer_id().then_some(self.header.producer_id)
    }

    /// Whether it is the same one, sent again.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let of = |batch: &Self| {
            let header = &batch.header;
            (header.producer_id, header.producer_epoch, header.base_sequence, header.last_offset_delta)
        };
        of(self) == of(other)
    }

    pub(super) fn is_data(&self) -> bool {
        self.marker.is_none()
    }

    /// Its records, with the offsets that they got.
    pub(super) fn records(&self) -> &[Record] {
        self.records.get_or_init(|| {
            let shift = self.base_offset - self.header.base_offset;
            let mut records = records(&BatchView::parse(&self.bytes).unwrap()).unwrap();
            records.iter_mut().for_each(|record| record.offset += shift);
            records
        })
    }

    /// Holds bytes against this batch: all must be the same but for the place, which must be the right one.
    pub(super) fn check_same(&self, found: &[u8]) -> Result<(), Violation> {
        let header = BatchHeader::parse(found).map_err(|error| error.to_string())?;
        let place = (header.base_offset, header.partition_leader_epoch);
        if place != (self.base_offset, self.leader_epoch) {
            return Err(format!("{place:?} in place of {:?}", (self.base_offset, self.leader_epoch)));
        }
        if found.get(16..) != self.bytes.get(16..) {
            return Err(format!("the batch at {} is not the one that was sent", self.base_offset));
        }
        Ok(())
    }
}

/// What is in a batch.
pub(super) fn records(batch: &BatchView<'_>) -> Result<Vec<Record>, Violation> {
    let records = batch.records(1 << 24).map_err(|error| error.to_string())?;
    let records = records.iter().map(|record| {
        let record = record.map_err(|error| error.to_string())?;
        Ok(Record {
            offset: record.offset,
            timestamp: record.timestamp,
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
        })
    });
    records.collect()
}
