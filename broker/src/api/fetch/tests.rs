//! Fetching, as a client sees it.

use std::sync::Arc;

use strandline_log::engine::{ReadOut, Slice, UpTo};
use strandline_protocol::apis::fetch::FetchRequest;
use strandline_protocol::{ErrorCode, Piece};

use crate::api::tests::{Rig, answer, batch, fetch_request, records, settle};
use crate::api::topics::TopicRules;
use crate::api::{Dispatched, Reply};

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
async fn a_batch_in_the_tail_is_sent_from_where_it_lies() {
    let rig = Rig::new();
    rig.create("t", 1, TopicRules::default());
    rig.produce("t", batch(&[&[7; 100 << 10]])).await;
    let ReadOut { slices, .. } = rig.log("t", 0).read(0, 1 << 20, UpTo::End).unwrap();
    let [Slice::Memory(lying)] = &slices[..] else { panic!("{slices:?}") };
    for version in [4, 12, 18] {
        let reply = rig.reply(version, &fetch_request("t", &[(0, 0)])).await;
        let Reply::Send { frame, .. } = reply else { panic!("{reply:?}") };
        let sent = frame.pieces().iter().find_map(|piece| match piece {
            Piece::Slice(slice) if slice.len() > 100 << 10 => Some(slice.as_ptr_range()),
            _ => None,
        });
        assert_eq!(sent, Some(lying.as_ref().as_ptr_range()), "version {version}");
    }
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
