//! What is around a request.

use std::time::Duration;

use strandline_protocol::Bytes;
use strandline_protocol::apis::metadata::MetadataRequest;
use strandline_protocol::frame::{LENGTH_BYTES, OutboundFrame};

use super::{Rig, answer, settle, whole};
use crate::api::dispatch;

#[tokio::test]
async fn what_follows_a_request_is_not_looked_at() {
    // librdkafka 2.16 sends three bytes behind a Metadata request of version 13.
    let rig = Rig::new();
    let request = MetadataRequest { topics: None, ..Default::default() };
    let frame = OutboundFrame::request(13, 7, Some("a client".into()), &request).unwrap();
    let bytes = [&whole(frame.into_pieces())[LENGTH_BYTES..], &[1, 2, 3]].concat();
    let reply =
        settle(dispatch(&rig.broker, &rig.connection, Bytes::from(bytes), Duration::ZERO).await).await;
    assert!(answer::<MetadataRequest>(13, reply).topics.is_empty());
}
