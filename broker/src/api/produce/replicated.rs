//! What a producer that waits for all replicas waits for: that the high watermark gets beyond its records. Where a
//! partition has one replica, it is there as soon as they are durable.

use strandline_log::engine::UpTo;
use strandline_protocol::ErrorCode;
use strandline_protocol::apis::produce::ProduceResponse;
use tokio::time::{Instant, timeout_at};

use super::answer::Pending;
use crate::api::wait::Wait;

/// A batch that is in its log, and the position that the answer about it depends on.
#[derive(Debug)]
pub(super) struct Appended {
    pub(super) pending: Pending,
    pub(super) last_offset: i64,
}

impl Appended {
    fn is_replicated(&self) -> bool {
        self.pending.log.offsets().high_watermark > self.last_offset
    }

    /// What becomes of it where it is not waited for any longer.
    fn refuse(&self, response: &mut ProduceResponse, code: ErrorCode) {
        if let Some(partition) = self.pending.response(response) {
            partition.error_code = code;
        }
    }
}

/// Waits until all of these are replicated. As in Kafka, those that are not when the time is over are
/// REQUEST_TIMED_OUT: they are in the log, and may be replicated yet.
pub(super) async fn replicated(
    response: &mut ProduceResponse,
    mut unreplicated: Vec<Appended>,
    deadline: Instant,
) {
    loop {
        unreplicated.retain(|appended| {
            if appended.pending.log.is_deleted() {
                appended.refuse(response, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
                return false;
            }
            !appended.is_replicated()
        });
        if unreplicated.is_empty() {
            return;
        }
        let places = unreplicated.iter();
        let places =
            places.map(|appended| (&appended.pending.log, appended.last_offset, UpTo::HighWatermark));
        if let Some(wait) = Wait::on(places)
            && timeout_at(deadline, wait).await.is_err()
        {
            let late = unreplicated.iter().filter(|appended| !appended.is_replicated());
            late.for_each(|appended| appended.refuse(response, ErrorCode::REQUEST_TIMED_OUT));
            return;
        }
    }
}
