//! Producing, as a client sees it.

mod gathered;
mod idempotence;
mod refusals;
mod replicated;
mod rewriting;
mod turns;

use strandline_log::engine::{MailboxOptions, Options};
use strandline_protocol::batch::BatchView;
use strandline_protocol::{Bytes, ErrorCode};

use super::plan::Plan;
use crate::api::Reply;
use crate::api::tests::{Rig, batch, fetch_request, only_partition, produce_request, records};
use crate::api::topics::TopicRules;

/// What is answered about a batch that is all there is in a request.
async fn produce(rig: &Rig, version: i16, batch: Bytes) -> ErrorCode {
    only_partition(rig.call(version, &produce_request("t", -1, [(0, batch)])).await).error_code
}

/// The only batch of the only partition.
async fn stored(rig: &Rig) -> Bytes {
    let response = rig.call(12, &fetch_request("t", &[(0, 0)])).await;
    let records = response.responses[0].partitions[0].records.as_ref().unwrap();
    let bytes = records.as_slice().unwrap().clone();
    BatchView::parse_only(&bytes).unwrap().check_crc().unwrap();
    bytes
}

#[tokio::test]
async fn what_is_produced_can_be_fetched_in_every_version() {
    let rig = Rig::new();
    rig.create("t", 2, TopicRules::default());
    let mut expected = Vec::new();
    for version in 3..=13 {
        let request = produce_request("t", 1, [(0, batch(&[b"a", b"b"])), (1, batch(&[b"c"]))]);
        let response = rig.call(version, &request).await;
        let partitions = &response.responses[0].partition_responses;
        assert!(partitions.iter().all(|partition| partition.error_code == ErrorCode::NONE));
        let offset = i64::from(version - 3) * 2;
        assert_eq!((partitions[0].base_offset, partitions[1].base_offset), (offset, offset / 2));
        if version >= 5 {
            assert_eq!(partitions[0].log_start_offset, 0);
        }
        expected.extend([(0, offset, b"a".to_vec()), (0, offset + 1, b"b".to_vec())]);
    }
    for version in 4..=18 {
        let response = rig.call(version, &fetch_request("t", &[(0, 0)])).await;
        assert_eq!(records(&response), expected, "version {version}");
    }
}

#[tokio::test]
async fn without_acks_there_is_silence_and_an_error_closes_the_connection() {
    let rig = Rig::new();
    rig.create("t", 1, TopicRules::default());
    let good = rig.reply(9, &produce_request("t", 0, [(0, batch(&[b"a"]))])).await;
    assert!(matches!(good, Reply::Silence { .. }), "{good:?}");
    let bad = rig.reply(9, &produce_request("t", 0, [(1, batch(&[b"a"]))])).await;
    assert!(matches!(bad, Reply::Close(_)), "{bad:?}");
}

#[tokio::test]
async fn one_partition_that_is_not_there_leaves_the_others_alone() {
    let rig = Rig::new();
    rig.create("t", 1, TopicRules::default());
    let request = produce_request("t", -1, [(1, batch(&[b"a"])), (0, batch(&[b"b"]))]);
    let response = rig.call(9, &request).await;
    let codes: Vec<_> =
        response.responses[0].partition_responses.iter().map(|partition| partition.error_code).collect();
    assert_eq!(codes, [ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, ErrorCode::NONE]);
    let unknown = rig.call(13, &produce_request("other", -1, [(0, batch(&[b"a"]))])).await;
    assert_eq!(only_partition(unknown).error_code, ErrorCode::UNKNOWN_TOPIC_ID);
}

#[tokio::test]
async fn batches_that_the_writer_has_no_room_for_wait_for_it() {
    let mailbox = MailboxOptions { requests_max: 2, ..MailboxOptions::default() };
    let rig = Rig::with_options(Options { mailbox, ..Options::default() });
    rig.create("t", 20, TopicRules::default());
    for offset in 0..3 {
        let request = produce_request("t", -1, (0..20).map(|index| (index, batch(&[b"a"]))));
        let response = rig.call(9, &request).await;
        let partitions = &response.responses[0].partition_responses;
        let answers = partitions.iter().map(|answer| (answer.index, answer.error_code, answer.base_offset));
        assert!(answers.eq((0..20).map(|index| (index, ErrorCode::NONE, offset))), "{partitions:?}");
    }
}

#[tokio::test]
async fn a_batch_goes_to_the_writer_from_where_it_came_in() {
    let rig = Rig::new();
    rig.create("t", 1, TopicRules::default());
    let frame = batch(&[&[7; 500 << 10]]);
    let request = produce_request("t", -1, [(0, frame.clone())]);
    let plan = Plan::new(&rig.broker, &rig.a_call(12), request);
    assert_eq!(plan.batches().collect::<Vec<_>>(), [frame.as_ptr_range()]);
}
