//! A broker that wants to be left alone for a while says so in its answers (KIP-219), and does not read meanwhile: what
//! is sent all the same only grows old.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use strandline_protocol::{Message, Request};
use tokio::time::Instant;

use crate::telemetry;

/// The field that says so; in most answers it is the first.
const FIELD: &str = "ThrottleTimeMs";

#[derive(Debug, Default)]
pub(super) struct Throttle {
    // Looked at for each request, where the lock is only taken while there is something to wait for.
    is_throttled: AtomicBool,
    until: Mutex<Option<Instant>>,
}

impl Throttle {
    /// Takes in that the broker wants `wait_ms` of rest. More than `most` is not believed.
    pub(super) fn note(&self, wait_ms: i32, most: Duration) {
        let wait = Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0)).min(most);
        if wait.is_zero() {
            return;
        }
        telemetry::throttled(wait);
        let until = Instant::now() + wait;
        let mut known = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some(known.map_or(until, |known| known.max(until)));
        self.is_throttled.store(true, Ordering::Release);
    }

    /// Until the rest is over, if there is any.
    pub(super) async fn rest(&self) {
        while self.is_throttled.load(Ordering::Acquire) {
            let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
            match until.filter(|until| *until > Instant::now()) {
                Some(until) => tokio::time::sleep_until(until).await,
                None => self.is_throttled.store(false, Ordering::Release),
            }
        }
    }
}

/// What an answer says of it where that is the first thing that it says.
pub(super) fn said_first<R: Request>(content: &Bytes, version: i16) -> i32 {
    let fields = R::Response::SCHEMA.body.fields.iter();
    let first = fields.filter(|field| field.tag.is_none()).find(|field| field.versions.contains(version));
    if first.is_none_or(|field| field.name != FIELD) {
        return 0;
    }
    // The correlation id, and where the header is flexible, that it has no tagged fields.
    let start = match R::KEY.api().response_header_version(version) {
        0 => 4,
        _ if content.get(4) == Some(&0) => 5,
        _ => return 0,
    };
    let bytes = content.get(start..).and_then(|rest| rest.first_chunk().copied());
    bytes.map_or(0, i32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use strandline_protocol::apis::fetch::{FetchRequest, FetchResponse};
    use strandline_protocol::apis::produce::{ProduceRequest, ProduceResponse};
    use strandline_protocol::frame::OutboundFrame;
    use strandline_protocol::{Piece, Response};

    use super::*;

    fn content<R: Response>(version: i16, response: &R) -> Bytes {
        let frame = OutboundFrame::response(version, 7, response).unwrap();
        let pieces = frame.into_pieces().into_iter().map(|piece| match piece {
            Piece::Slice(slice) => slice,
            Piece::External(_) => panic!("not in memory"),
        });
        let frame: Vec<u8> = pieces.flatten().collect();
        Bytes::from(frame).slice(4..)
    }

    #[test]
    fn it_is_found_where_it_comes_first() {
        for version in [4, 11, 12] {
            let response = FetchResponse { throttle_time_ms: 1_234, ..Default::default() };
            assert_eq!(said_first::<FetchRequest>(&content(version, &response), version), 1_234);
        }
        let response = ProduceResponse { throttle_time_ms: 1_234, ..Default::default() };
        assert_eq!(said_first::<ProduceRequest>(&content(9, &response), 9), 0, "there it comes last");
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_rest_counts_and_ends() {
        let throttle = Throttle::default();
        let start = Instant::now();
        throttle.rest().await;
        assert_eq!(start.elapsed(), Duration::ZERO);
        throttle.note(500, Duration::from_secs(30));
        throttle.note(200, Duration::from_secs(30));
        throttle.rest().await;
        assert!(start.elapsed() >= Duration::from_millis(500));
        let start = Instant::now();
        throttle.note(i32::MAX, Duration::from_secs(30));
        throttle.note(-5, Duration::from_secs(30));
        throttle.rest().await;
        assert!(start.elapsed() <= Duration::from_secs(31));
    }
}
