//! Reading what is wanted, partition by partition, within the limits of the whole.

use std::sync::Arc;

use strandline_log::engine::{Offsets, Partition, ReadError, ReadLimits, ReadOut, Rest, Slice, UpTo};
use strandline_log::epochs::EpochEnd;
use strandline_log::segment::{AbortedTransaction, FileRange};
use strandline_protocol::{Compression, ErrorCode};
use tokio::sync::oneshot;

use super::Terms;
use super::wanted::{TopicKey, Wanted, WantedPartition};
use crate::api::topics::{Led, Topic, check_leader_epoch, end_of_epoch};
use crate::api::wait::Wait;
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;
use crate::metrics::TopicTally;
use crate::offload::Offload;
use crate::storage::read_ahead;

/// From this version on a client knows zstd.
const ZSTD_VERSION_MIN: i16 = 10;

/// A partition, and what was found in it.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) wanted: WantedPartition,
    /// None where it was refused before anything was read.
    pub(super) log: Option<Arc<Partition>>,
    leader_epoch: i32,
    pub(super) found: Found,
}

/// What was found in a partition.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) error: ErrorCode,
    /// Who leads it in which epoch, beside an error that this explains.
    pub(super) leader: Option<(i32, i32)>,
    /// None where they do not matter.
    pub(super) offsets: Option<Offsets>,
    pub(super) slices: Vec<Slice>,
    /// What of a file comes behind them.
    behind: Option<FileRange>,
    /// How many bytes count for the fewest that are waited for: those that are there, and those behind them that would
    /// be there were the partition not read in pieces.
    available: u64,
    /// Whether newer segments than the one that was read can be read.
    is_far_behind: bool,
    pub(super) aborted: Vec<AbortedTransaction>,
    /// Where the reader's log and this one part.
    pub(super) diverging: Option<EpochEnd>,
}

/// All partitions of a fetch.
#[derive(Debug)]
pub(super) struct Reads {
    pub(super) topics: Vec<TopicKey>,
    /// Where they are counted, in the same order; none for those that are refused.
    pub(super) tallies: Vec<Option<Arc<TopicTally>>>,
    pub(super) targets: Vec<Target>,
    pub(super) terms: Terms,
    /// How many bytes count for the fewest that are waited for.
    available: u64,
    /// Whether something was found that the client is to have at once.
    has_news: bool,
    /// How often topics had changed when it was resolved what is wanted.
    changes: u64,
    /// Whether partitions are refused that were not when it was asked for them.
    has_lost: bool,
}

impl Reads {
    /// Resolves what is wanted; nothing is read yet.
    pub(super) fn new(broker: &Broker, call: &Call, wanted: Wanted, terms: Terms) -> Self {
        let Wanted { topics, partitions } = wanted;
        // Before anything is looked at: what changes meanwhile is looked at again.
        let changes = broker.topics.changes();
        let resolver = Resolver::new(broker, call, terms);
        let found: Vec<_> = topics.iter().map(|topic| resolver.topic(topic)).collect();
        let target = |wanted: WantedPartition| {
            let topic = found.get(wanted.topic).ok_or(ErrorCode::UNKNOWN_SERVER_ERROR);
            let log = topic.and_then(|topic| topic.as_ref().map_err(|code| *code));
            match log.map_err(Refused::from).and_then(|topic| resolver.partition(topic, &wanted)) {
                Ok(Led { log, leader_epoch, .. }) => {
                    Target { wanted, log: Some(log), leader_epoch, found: Found::default() }
                }
                Err(Refused { error, leader }) => {
                    let found = Found { error, leader, ..Found::default() };
                    Target { wanted, log: None, leader_epoch: -1, found }
                }
            }
        };
        let targets = partitions.into_iter().map(target).collect();
        let tally = |topic: &Result<Arc<Topic>, _>| topic.as_ref().ok().map(|topic| Arc::clone(&topic.tally));
        let tallies = found.iter().map(tally).collect();
        Self { topics, tallies, targets, terms, available: 0, has_news: false, changes, has_lost: false }
    }

    /// Whether something about topics has changed since it was resolved what is wanted.
    pub(super) fn is_outdated(&self, broker: &Broker) -> bool {
        broker.topics.changes() != self.changes
    }

    /// The same with what is so of the topics now. What another broker leads by now is told at once.
    pub(super) fn resolved_again(self, broker: &Broker, call: &Call) -> Self {
        let led = |reads: &Self| reads.targets.iter().filter(|target| target.log.is_some()).count();
        let led_before = led(&self);
        let partitions = self.targets.into_iter().map(|target| target.wanted).collect();
        let mut reads = Self::new(broker, call, Wanted { topics: self.topics, partitions }, self.terms);
        reads.has_lost = led(&reads) < led_before;
        reads
    }

    /// Reads what is in memory. False if that is not all, and a file has to be looked into.
    pub(super) fn read_memory(&mut self) -> bool {
        self.read(|log, offset, limits| log.read_memory(offset, limits))
    }

    /// Reads what may lie in files, and has it brought into memory, off this task; none if nothing is done any more. What
    /// is likely to be asked for next is read while this is sent.
    pub(super) async fn read_files(mut self, offload: &Offload) -> Option<Self> {
        let (done, reads) = oneshot::channel();
        offload.start(move || {
            self.read(|log, offset, limits| log.read_within(offset, limits).map(Some));
            let found = self.targets.iter_mut().map(|target| &mut target.found);
            let jobs = read_ahead(found.map(|found| (&mut found.slices, found.behind.as_ref())));
            // Who has gone wants neither.
            if done.send(self).is_ok() {
                jobs.into_iter().for_each(|job| job());
            }
        });
        reads.await.ok()
    }

    fn read(
        &mut self,
        read: impl Fn(&Partition, i64, ReadLimits) -> Result<Option<ReadOut>, ReadError>,
    ) -> bool {
        let mut left = self.terms.bytes_max;
        let mut is_first = true;
        (self.available, self.has_news) = (0, false);
        for target in &mut self.targets {
            let Some(log) = &target.log else { continue };
            let bytes_max = left.min(target.wanted.bytes_max);
            let limits = ReadLimits { bytes_max, takes_one: is_first, up_to: self.terms.up_to };
            let parted = Found::parted(log, &target.wanted, target.leader_epoch);
            let found = parted.or_else(|| Found::in_log(log, target.wanted.offset, limits, &read));
            let Some(found) = found else { return false };
            let bytes = found.bytes();
            is_first &= bytes == 0;
            left = left.saturating_sub(bytes);
            self.available = self.available.saturating_add(found.available);
            self.has_news |=
                found.error != ErrorCode::NONE || found.diverging.is_some() || found.is_far_behind;
            target.found = found;
        }
        true
    }

    /// Waits for what was read to go on; none if some of it has.
    pub(super) fn wait(&self) -> Option<Wait> {
        let up_to = self.terms.up_to;
        Wait::on(
            self.targets
                .iter()
                .filter_map(|target| Some((target.log.as_ref()?, target.found.offsets?.limit(up_to), up_to))),
        )
    }

    /// Whether there is nothing to wait for.
    pub(super) fn is_enough(&self) -> bool {
        self.has_news
            || self.has_lost
            || self.available >= self.terms.bytes_min
            || self.targets.iter().all(|target| target.log.is_none())
    }
}

impl Found {
    fn of(error: ErrorCode) -> Self {
        Self { error, ..Self::default() }
    }

    /// How many bytes of batches it has.
    pub(super) fn bytes(&self) -> u64 {
        self.slices.iter().map(Slice::length).sum()
    }

    /// What is in a log; none if it cannot be told without a file.
    fn in_log(
        log: &Partition,
        offset: i64,
        limits: ReadLimits,
        read: impl Fn(&Partition, i64, ReadLimits) -> Result<Option<ReadOut>, ReadError>,
    ) -> Option<Self> {
        let ReadOut { slices, end_offset, rest, behind, offsets } = match read(log, offset, limits) {
            Ok(read) => read?,
            Err(error) => {
                let offsets = matches!(error, ReadError::OffsetOutOfRange { .. }).then(|| log.offsets());
                if matches!(error, ReadError::Segment(_) | ReadError::Journal(_)) {
                    tracing::warn!(partition = %log.id(), %error, "cannot be read");
                }
                return Some(Self { offsets, ..Self::of(error.code()) });
            }
        };
        let mut found = Self { offsets: Some(offsets), slices, behind, ..Self::default() };
        let bytes = found.bytes();
        // As in Kafka: no more counts of a partition than may be read of it, and who reads an older segment does not wait.
        (found.available, found.is_far_behind) = match rest {
            Rest::Bytes(rest) => (bytes.max(limits.bytes_max.min(bytes.saturating_add(rest))), false),
            Rest::Segments => (bytes, true),
        };
        if limits.up_to == UpTo::LastStable && !found.slices.is_empty() {
            // Of what comes behind it, the next fetch asks.
            match log.aborted(offset, end_offset.min(offsets.last_stable)) {
                Ok(aborted) => found.aborted = aborted,
                Err(error) => return Some(Self::of(error.code())),
            }
        }
        Some(found)
    }

    /// Where the reader's log and this one part, or that it cannot be told; none if they do not.
    fn parted(log: &Partition, wanted: &WantedPartition, leader_epoch: i32) -> Option<Self> {
        if wanted.last_fetched_epoch < 0 {
            return None;
        }
        let offsets = Some(log.offsets());
        let Some(end) = end_of_epoch(log, wanted.last_fetched_epoch, leader_epoch) else {
            return Some(Self { offsets, ..Self::of(ErrorCode::OFFSET_OUT_OF_RANGE) });
        };
        // What is gone is out of range, whether or not the logs part.
        let is_parted = end.epoch < wanted.last_fetched_epoch || end.end_offset < wanted.offset;
        let is_gone = offsets.is_some_and(|offsets| wanted.offset < offsets.start);
        (is_parted && !is_gone).then(|| Self { offsets, diverging: Some(end), ..Self::default() })
    }
}

/// Why a partition is not read.
struct Refused {
    error: ErrorCode,
    /// Who leads it in which epoch, if that explains it.
    leader: Option<(i32, i32)>,
}

impl From<ErrorCode> for Refused {
    fn from(error: ErrorCode) -> Self {
        Self { error, leader: None }
    }
}

/// Finds out what may be read.
struct Resolver<'a> {
    broker: &'a Broker,
    call: &'a Call,
    is_follower: bool,
    may_follow: bool,
}

impl<'a> Resolver<'a> {
    fn new(broker: &'a Broker, call: &'a Call, terms: Terms) -> Self {
        let is_follower = terms.is_follower();
        let may_follow =
            is_follower && broker.authorizer.authorize(call, Operation::ClusterAction, Resource::Cluster);
        Self { broker, call, is_follower, may_follow }
    }

    /// The topic, if the one who calls may read it. By name the right is asked for first; an id says nothing as
    /// long as it is not known whose it is.
    fn topic(&self, key: &TopicKey) -> Result<Arc<Topic>, ErrorCode> {
        let Self { broker, call, .. } = self;
        if self.is_follower && !self.may_follow {
            return Err(ErrorCode::TOPIC_AUTHORIZATION_FAILED);
        }
        let may_read = |name: &str| {
            self.is_follower || broker.authorizer.authorize(call, Operation::Read, Resource::Topic(name))
        };
        if call.version >= 13 {
            let topic = broker.topics.by_id(key.id).ok_or(ErrorCode::UNKNOWN_TOPIC_ID)?;
            return if may_read(&topic.name) {
                Ok(topic)
            } else {
                Err(ErrorCode::TOPIC_AUTHORIZATION_FAILED)
            };
        }
        if !may_read(&key.name) {
            return Err(ErrorCode::TOPIC_AUTHORIZATION_FAILED);
        }
        broker.topics.by_name(&key.name).ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
    }

    fn partition(&self, topic: &Topic, wanted: &WantedPartition) -> Result<Led, Refused> {
        let leadership = topic.leadership(wanted.partition)?;
        let leader = Some((leadership.leader, leadership.leader_epoch));
        let explained = |error| Refused { error, leader };
        let led = topic.led(self.broker, wanted.partition).map_err(explained)?;
        check_leader_epoch(wanted.current_leader_epoch, led.leader_epoch).map_err(|error| match error {
            ErrorCode::FENCED_LEADER_EPOCH => explained(error),
            error => error.into(),
        })?;
        if self.is_follower {
            // No other broker is registered. One that says which epoch it knows may know more than this one.
            let is_told = wanted.current_leader_epoch >= 0;
            let (told, untold) = (ErrorCode::UNKNOWN_LEADER_EPOCH, ErrorCode::NOT_LEADER_OR_FOLLOWER);
            return Err(if is_told { told } else { untold }.into());
        }
        let is_zstd = topic.rules.compression.is_some_and(|(codec, _)| codec == Compression::Zstd);
        if is_zstd && self.call.version < ZSTD_VERSION_MIN {
            return Err(ErrorCode::UNSUPPORTED_COMPRESSION_TYPE.into());
        }
        Ok(led)
    }
}
