//! Fetching, as a client sees it.

use std::sync::Arc;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::fetch::FetchRequest;

use crate::api::Dispatched;
use crate::api::tests::{Rig, answer, batch, fetch_request, records, settle};
use crate::api::topics::TopicRules;

#[tokio::test]
async fn a_long_poll_ends_with_the_first_batch() {
    let rig = Arc::new(Rig::new());
    rig.create("t", 2, TopicRules::default());
    let request = FetchRequest { max_wait_ms: 60_000, ..fetch_request("t", &[(0, 0), (1, 0)]) };
    let dispatched = rig.dispatch(13, &request).await;
    assert!(matches!(dispatched, Dispatched::Later(_)));
    let waiting = tokio::spawn(settle(dispatched));
    rig.produce("t", batch(&[b"a"])).await;
    let response = answer::<FetchRequest>(13, waiting.await.unwrap());
    assert_eq!(records(&response), [(0, 0, b"a".to_vec())]);
}

#[tokio::test]
async fn records_are_empty_and_never_null() {
    let rig = Rig::new();
    rig.create("t", 1, TopicRules::default());
    for (partition, offset, code) in [
        (0, 0, ErrorCode::NONE),
        (0, 1, ErrorCode::OFFSET_OUT_OF_RANGE),
        (1, 0, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
    ] {
        for version in 4..=18 {
            let response = rig.call(version, &fetch_request("t", &[(partition, offset)])).await;
            let data = &response.responses[0].partitions[0];
            assert_eq!(data.error_code, code);
            assert_eq!(data.records.as_ref().map(|records| records.len()), Some(0));
            assert_eq!(data.aborted_transactions, None);
        }
    }
}
