//! What a producer that waits for all replicas waits for: that the high watermark gets beyond its records while this
//! broker leads on. Where a partition has one replica, it is there as soon as they are durable.

use strandline_log::engine::UpTo;
use strandline_protocol::ErrorCode;
use tokio::time::{Instant, timeout_at};

use super::answer::Pending;
use super::outline::{Outline, Said};
use crate::api::topics::{Found, Leadership, Led, Topics};
use crate::api::wait::Wait;

/// A batch that is in its log, and the position that the answer about it depends on.
#[derive(Debug)]
pub(super) struct Unreplicated {
    pub(super) pending: Pending,
    pub(super) last_offset: i64,
    /// The epoch that it was appended in: an earlier one than that of now where its producer sends it again.
    pub(super) epoch: Option<i32>,
}

impl Unreplicated {
    /// How it stands: what is to be said of it, or nothing yet. The rules and their order are Kafka's: who leads comes
    /// first, whatever the high watermark says.
    fn verdict(&self, topics: &dyn Topics) -> Option<ErrorCode> {
        let Pending { found, in_sync_min, .. } = &self.pending;
        let Found { topic, led: Led { index, log, .. } } = &**found;
        if log.is_deleted() {
            return Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
        }
        let topic = topics.by_id(topic.id);
        let leadership = topic.ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
        let leadership = match leadership.and_then(|topic| topic.leadership(*index)) {
            Ok(leadership) => leadership,
            Err(code) => return Some(code),
        };
        if !self.is_led(&leadership, topics.node_id()) {
            return Some(ErrorCode::NOT_LEADER_OR_FOLLOWER);
        }
        (log.offsets().high_watermark > self.last_offset).then(|| {
            let is_enough = leadership.in_sync_replicas >= *in_sync_min;
            if is_enough { ErrorCode::NONE } else { ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND }
        })
    }

    /// Whether this broker leads still, or again. In a later epoch that is no promise about what was appended in an
    /// earlier one: another leader may have come in between, and what stands at the offset now be its record.
    fn is_led(&self, leadership: &Leadership, node_id: i32) -> bool {
        let Led { log, leader_epoch, .. } = &self.pending.found.led;
        let is_there = || self.epoch.is_some() && log.epoch_at(self.last_offset) == self.epoch;
        leadership.leader == node_id && (leadership.leader_epoch == *leader_epoch || is_there())
    }

    /// Says what became of it. As in Kafka, where it was put stays beside an error.
    fn answer(&self, outline: &mut Outline, code: ErrorCode) {
        if let Some(Said::Appended(appended)) = outline.said(self.pending.place) {
            appended.code = code;
        }
    }
}

/// Waits until all of these are replicated, or nobody can tell. As in Kafka, those that are neither when the time is
/// over are REQUEST_TIMED_OUT: they are in the log, and may be replicated yet.
pub(super) async fn replicated(
    topics: &dyn Topics,
    outline: &mut Outline,
    mut unreplicated: Vec<Unreplicated>,
    deadline: Instant,
) {
    loop {
        // Before it is looked how they stand: what changes in between is not missed.
        let places = unreplicated.iter();
        let wait = Wait::on(
            places.map(|appended| (appended.pending.log(), appended.last_offset, UpTo::HighWatermark)),
        );
        unreplicated.retain(|appended| {
            let verdict = appended.verdict(topics);
            verdict.into_iter().for_each(|code| appended.answer(outline, code));
            verdict.is_none()
        });
        if unreplicated.is_empty() {
            return;
        }
        if let Some(wait) = wait
            && timeout_at(deadline, wait).await.is_err()
        {
            for appended in unreplicated {
                let verdict = appended.verdict(topics);
                appended.answer(outline, verdict.unwrap_or(ErrorCode::REQUEST_TIMED_OUT));
            }
            return;
        }
    }
}
