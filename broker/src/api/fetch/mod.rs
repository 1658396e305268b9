//! Fetch: reads batches from partitions, and waits for them if there are none yet.
//!
//! What is in memory is read on the connection's task; what lies in files is found, verified and read ahead on a
//! thread that may wait. Nothing is copied: the answer holds slices of the tail and ranges of files. A fetch that
//! finds too little waits on the partitions that it named, until one of them goes on, or is led by another broker, or
//! `max_wait_ms` have passed, or a second for a request of more than 64 KiB, which keeps that much memory meanwhile. For `min_bytes` counts what could be read, up to `partition_max_bytes` of each partition,
//! and not only what one read brings; who reads an older segment than the newest does not wait.
//!
//! - The first batch of the first partition that has any is sent however large; all else keeps to
//!   `max_bytes` and `partition_max_bytes`, and to what the quota leaves.
//! - Records are empty and never null, beside errors too: librdkafka takes null for a protocol error.
//!   `aborted_transactions` is null for read_uncommitted, and a list for read_committed.
//! - v9 checks leader epochs, v12 finds where logs diverge, v13 names topics by id.
//! - Below v10 a topic that compresses with zstd is UNSUPPORTED_COMPRESSION_TYPE, as in Kafka; batches that producers
//!   compressed so are sent as they are.
//! - Sessions ([`sessions`]) spare a client to name its partitions again, and the broker to repeat what has not
//!   changed.
//! - A follower needs the right to act for the cluster, or each partition is TOPIC_AUTHORIZATION_FAILED. One that is
//!   no replica of a partition gets NOT_LEADER_OR_FOLLOWER there, or UNKNOWN_LEADER_EPOCH if it said which one it knows.

mod answer;
mod read;
pub mod sessions;
mod wanted;

use std::sync::Arc;
use std::time::Duration;

use strandline_log::engine::UpTo;
use strandline_protocol::ErrorCode;
use strandline_protocol::apis::fetch::{FetchRequest, FetchResponse};
use tokio::time::{Instant, timeout_at};

use self::read::Reads;
use super::Dispatched;
use crate::broker::Broker;
use crate::context::Call;
use crate::metrics::Stage;

/// A request that is longer keeps memory that others want for as long as it waits. Clients that follow many partitions
/// send such a one once, and what has changed after that.
const LONG_BYTES: usize = 64 << 10;

/// So long it may wait, and asks again.
const LONG_WAIT_MAX: Duration = Duration::from_secs(1);

/// What is asked, beside the partitions.
#[derive(Clone, Copy, Debug)]
struct Terms {
    up_to: UpTo,
    /// -1 for consumers.
    replica_id: i32,
    bytes_min: u64,
    bytes_max: u64,
    wait: Duration,
}

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: FetchRequest) -> Dispatched {
    let terms = Terms::new(broker, &call, &request);
    let sessions = &broker.fetch_sessions;
    let begun = sessions.begin(&request, call.version, terms.is_follower(), call.received_at);
    let (context, wanted) = match begun {
        Ok(begun) => begun,
        Err(error_code) => return call.now(broker, FetchResponse { error_code, ..Default::default() }),
    };
    let mut reads = Reads::new(broker, &call, wanted, terms);
    let is_read = reads.read_memory();
    if is_read && (reads.is_enough() || terms.wait.is_zero()) {
        return call.now(broker, answer::response(broker, &call, &context, reads));
    }
    let shared = Arc::clone(broker);
    let deadline = Instant::now() + terms.wait;
    Dispatched::later(async move {
        let response = match complete(&shared, &call, reads, is_read, deadline).await {
            Some(reads) => {
                let waited = shared.clock.monotonic().saturating_sub(call.received_at);
                shared.metrics.stage(call.api, Stage::Wait, waited);
                answer::response(&shared, &call, &context, reads)
            }
            None => FetchResponse { error_code: ErrorCode::KAFKA_STORAGE_ERROR, ..Default::default() },
        };
        call.reply(&shared, response)
    })
}

/// Reads until there is enough, or the time is over; none if the broker is about to end.
async fn complete(
    broker: &Broker,
    call: &Call,
    mut reads: Reads,
    mut is_read: bool,
    deadline: Instant,
) -> Option<Reads> {
    loop {
        if !is_read {
            reads = reads.read_files(&broker.offload).await?;
        }
        if reads.is_enough() {
            return Some(reads);
        }
        // Before it is looked whether what it rests on is so still: what changes in between is not missed.
        let wait = reads.wait();
        if reads.is_outdated(broker) {
            reads = reads.resolved_again(broker, call);
            is_read = reads.read_memory();
            continue;
        }
        let is_woken = match wait {
            Some(wait) => timeout_at(deadline, wait).await.is_ok(),
            None => Instant::now() < deadline,
        };
        if !is_woken {
            return Some(reads);
        }
        is_read = reads.read_memory();
    }
}

impl Terms {
    const fn is_follower(&self) -> bool {
        self.replica_id >= 0
    }

    fn new(broker: &Broker, call: &Call, request: &FetchRequest) -> Self {
        let replica_id =
            if call.version >= 15 { request.replica_state.replica_id } else { request.replica_id };
        let up_to = match (replica_id, request.isolation_level) {
            (0.., _) => UpTo::End,
            (_, 1) => UpTo::LastStable,
            _ => UpTo::HighWatermark,
        };
        let wait_max = if call.request_bytes > LONG_BYTES { LONG_WAIT_MAX } else { Duration::MAX };
        let allowed = u64::try_from(broker.metadata.settings().fetch_max_bytes).unwrap_or(0);
        let wanted = u64::try_from(request.max_bytes).unwrap_or(0).min(allowed);
        let bytes_max = if replica_id < 0 { broker.quotas.fetch_bytes_max(call, wanted) } else { wanted };
        Self {
            up_to,
            replica_id,
            bytes_min: u64::try_from(request.min_bytes).unwrap_or(0).min(bytes_max),
            bytes_max,
            wait: Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0)).min(wait_max),
        }
    }
}

#[cfg(test)]
mod tests;
