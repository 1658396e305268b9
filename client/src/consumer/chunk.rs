//! What one answer had of one partition, and how it becomes records: batch by batch, when they are asked for, so that
//! no more than one batch is decompressed at a time.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use strandline_protocol::apis::fetch::AbortedTransaction;
use strandline_protocol::batch::{
    BatchError, BatchHeader, ControlRecord, Record, RecordSection, SharedBatch, batches, shared_batches,
};
use strandline_protocol::{Decompressor, Text};

use super::record::{ConsumerHeader, ConsumerRecord};
use crate::error::{Error, Result};

/// How records are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) is_committed_only: bool,
    pub(super) checks_crc: bool,
    pub(super) batch_bytes_max: usize,
}

/// Batches of one partition that have been fetched, partly read.
pub(super) struct Chunk {
    pub(super) topic: Text,
    pub(super) partition: i32,
    // What has been decoded and not been handed out.
    records: VecDeque<ConsumerRecord>,
    batches: VecDeque<SharedBatch>,
    aborted: Aborted,
    // The next offset that the user has not got.
    position: i64,
    leader_epoch: Option<i32>,
    // Where it begins that no answer has had yet.
    end: i64,
    bytes: usize,
}

impl fmt::Debug for Chunk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { topic, partition, position, end, .. } = self;
        write!(formatter, "Chunk({topic}-{partition}, {position}..{end})")
    }
}

impl Chunk {
    /// The whole batches at the start of `bytes`; none if there is none.
    pub(super) fn new(
        key: &(Text, i32),
        fetched_from: i64,
        bytes: &Bytes,
        aborted: Vec<AbortedTransaction>,
    ) -> Result<Option<Self>, BatchError> {
        let mut whole = VecDeque::new();
        for batch in shared_batches(bytes.clone()) {
            match batch {
                Ok(batch) => whole.push_back(batch),
                Err(error) if error.is_incomplete() => break,
                // Those before it can be read; the next fetch begins with it.
                Err(_) if !whole.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        let Some(last) = whole.back() else { return Ok(None) };
        // A broker that goes back would have us read in a circle.
        let end = last.header().last_offset().saturating_add(1).max(fetched_from);
        Ok(Some(Self {
            topic: key.0.clone(),
            partition: key.1,
            records: VecDeque::new(),
            bytes: bytes.len() - batches_rest(bytes),
            batches: whole,
            aborted: Aborted::new(aborted),
            position: fetched_from,
            leader_epoch: None,
            end,
        }))
    }

    pub(super) fn is_of(&self, key: &(Text, i32)) -> bool {
        self.topic == key.0 && self.partition == key.1
    }

    pub(super) const fn position(&self) -> i64 {
        self.position
    }

    pub(super) const fn leader_epoch(&self) -> Option<i32> {
        self.leader_epoch
    }

    pub(super) const fn end(&self) -> i64 {
        self.end
    }

    /// The epoch of the leader that wrote its last batch.
    pub(super) fn last_epoch(&self) -> Option<i32> {
        let epoch = self.batches.back().map(|batch| batch.header().partition_leader_epoch);
        epoch.filter(|epoch| *epoch >= 0)
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The next record, or none where all have been handed out.
    pub(super) fn next(
        &mut self,
        reading: Reading,
        decompressor: &mut Decompressor,
    ) -> Result<Option<ConsumerRecord>> {
        loop {
            if let Some(record) = self.records.pop_front() {
                self.position = record.offset.saturating_add(1);
                self.leader_epoch = record.leader_epoch.or(self.leader_epoch);
                return Ok(Some(record));
            }
            let Some(batch) = self.batches.pop_front() else {
                self.position = self.end.max(self.position);
                return Ok(None);
            };
            self.decode(&batch, reading, decompressor).map_err(|source| Error::Corrupt {
                subject: format!("{}-{} at {}", self.topic, self.partition, self.position),
                source: Arc::new(source),
            })?;
            if self.records.is_empty() {
                self.position = self.position.max(batch.header().last_offset().saturating_add(1));
            }
        }
    }

    fn decode(
        &mut self,
        batch: &SharedBatch,
        reading: Reading,
        decompressor: &mut Decompressor,
    ) -> Result<(), BatchError> {
        if reading.checks_crc {
            batch.view().check_crc()?;
        }
        let header = batch.header();
        if reading.is_committed_only && self.aborted.covers(batch)? {
            return Ok(());
        }
        if header.attributes.is_control() {
            return Ok(());
        }
        let section = batch.records_with(decompressor, reading.batch_bytes_max)?;
        let leader_epoch = Some(header.partition_leader_epoch).filter(|epoch| *epoch >= 0);
        for record in &section {
            let record = record?;
            // The first batch may begin before what was asked for.
            if record.offset >= self.position {
                let owned = self.owned(&section, &record, header, leader_epoch);
                self.records.push_back(owned);
            }
        }
        Ok(())
    }

    fn owned(
        &self,
        section: &RecordSection<'_>,
        record: &Record<'_>,
        header: &BatchHeader,
        leader_epoch: Option<i32>,
    ) -> ConsumerRecord {
        let share = |part: Option<&[u8]>| part.map(|part| section.share(part));
        let headers = record.headers.map_while(Result::ok);
        ConsumerRecord {
            topic: self.topic.clone(),
            partition: self.partition,
            offset: record.offset,
            timestamp: record.timestamp,
            timestamp_type: header.attributes.timestamp_type(),
            leader_epoch,
            key: share(record.key),
            value: share(record.value),
            headers: headers
                .map(|header| ConsumerHeader { name: section.share(header.key), value: share(header.value) })
                .collect(),
        }
    }
}

fn batches_rest(bytes: &Bytes) -> usize {
    let mut batches = batches(bytes);
    while batches.next().is_some_and(|batch| batch.is_ok()) {}
    batches.rest().len()
}

/// Which transactions among the batches were aborted, as the broker said: by producer, from which offset on.
struct Aborted {
    // By rising offset.
    coming: VecDeque<AbortedTransaction>,
    current: HashSet<i64>,
}

impl Aborted {
    fn new(mut list: Vec<AbortedTransaction>) -> Self {
        list.sort_by_key(|transaction| transaction.first_offset);
        Self { coming: list.into(), current: HashSet::new() }
    }

    /// Whether the batch, which is the next one, belongs to one of them.
    fn covers(&mut self, batch: &SharedBatch) -> Result<bool, BatchError> {
        let header = batch.header();
        while self.coming.front().is_some_and(|next| next.first_offset <= header.last_offset()) {
            self.current.extend(self.coming.pop_front().map(|transaction| transaction.producer_id));
        }
        if !header.has_producer_id() || !self.current.contains(&header.producer_id) {
            return Ok(false);
        }
        if header.attributes.is_control() {
            if is_abort(batch)? {
                self.current.remove(&header.producer_id);
            }
            return Ok(false);
        }
        Ok(header.attributes.is_transactional())
    }
}

fn is_abort(batch: &SharedBatch) -> Result<bool, BatchError> {
    let section = batch.records(batch.bytes().len())?;
    let first = section.iter().next().transpose()?;
    let marker = first.map(|record| ControlRecord::read(record.key, record.value));
    Ok(matches!(marker, Some(Ok(ControlRecord::Abort { .. }))))
}

#[cfg(test)]
mod tests;
