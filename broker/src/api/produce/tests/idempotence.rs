//! Producers that number their batches.

use strandline_protocol::batch::{BatchBuilder, TimestampType};
use strandline_protocol::{Bytes, ErrorCode};

use crate::api::tests::{NOW_MS, Rig, built};
use crate::api::topics::TopicRules;

fn numbered(epoch: i16, sequence: i32) -> Bytes {
    built(BatchBuilder::new().producer(7, epoch, sequence), &[b"a"])
}

async fn send(rig: &Rig, epoch: i16, sequence: i32) -> (ErrorCode, i64) {
    let response = rig.produce("t", numbered(epoch, sequence)).await;
    (response.error_code, response.base_offset)
}

#[tokio::test]
async fn a_batch_that_comes_twice_is_there_once() {
    let rig = Rig::new();
    rig.create("t", 1, TopicRules::default());
    for sequence in 0..6 {
        assert_eq!(send(&rig, 0, sequence).await, (ErrorCode::NONE, sequence.into()));
    }
    // Five are remembered.
    for sequence in 1..6 {
        assert_eq!(send(&rig, 0, sequence).await, (ErrorCode::NONE, sequence.into()));
    }
    assert_eq!(rig.log("t", 0).offsets().end, 6);
}

#[tokio::test]
async fn a_batch_that_comes_twice_was_appended_when_it_came_first() {
    let rig = Rig::new();
    let timestamp_type = TimestampType::LogAppendTime;
    rig.create("t", 1, TopicRules { timestamp_type, ..TopicRules::default() });
    for _ in 0..2 {
        let response = rig.produce("t", numbered(0, 0)).await;
        assert_eq!((response.base_offset, response.log_append_time_ms), (0, NOW_MS));
        rig.clock.advance(1_000);
    }
    // Where it is the producer's time that counts, there is no other one to tell of.
    rig.create("u", 1, TopicRules::default());
    for _ in 0..2 {
        assert_eq!(rig.produce("u", numbered(0, 0)).await.log_append_time_ms, -1);
    }
}

#[tokio::test]
async fn a_gap_is_out_of_order_and_an_old_epoch_is_invalid() {
    let rig = Rig::new();
    rig.create("t", 1, TopicRules::default());
    // A producer that nothing is known of may begin anywhere (KIP-360).
    assert_eq!(send(&rig, 1, 5).await, (ErrorCode::NONE, 0));
    assert_eq!(send(&rig, 1, 7).await, (ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER, -1));
    assert_eq!(send(&rig, 0, 6).await, (ErrorCode::INVALID_PRODUCER_EPOCH, -1));
    assert_eq!(send(&rig, 1, 6).await, (ErrorCode::NONE, 1));
    assert_eq!(send(&rig, 2, 0).await, (ErrorCode::NONE, 2), "a new epoch begins at zero");
}
