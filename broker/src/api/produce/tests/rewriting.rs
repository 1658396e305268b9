//! What the leader changes about batches.

use strandline_protocol::batch::{BatchBuilder, BatchView, NewRecord, TimestampType};
use strandline_protocol::{Compression, ErrorCode};

use super::stored;
use crate::api::tests::{NOW_MS, Rig, batch, built};
use crate::api::topics::TopicRules;

#[tokio::test]
async fn the_time_of_the_append_takes_the_place_of_the_producers() {
    let rig = Rig::new();
    let rules = TopicRules { timestamp_type: TimestampType::LogAppendTime, ..TopicRules::default() };
    rig.create("t", 1, rules);
    let mut builder = BatchBuilder::new();
    builder.append(&NewRecord { key: Some(b"k"), ..NewRecord::at(5) }).unwrap();
    let response = rig.produce("t", builder.build().unwrap()).await;
    assert_eq!((response.error_code, response.log_append_time_ms), (ErrorCode::NONE, NOW_MS));
    let bytes = stored(&rig).await;
    assert_eq!(BatchView::parse(&bytes).unwrap().header().append_time(), Some(NOW_MS));
}

#[tokio::test]
async fn a_producer_does_not_say_when_it_is_appended() {
    for timestamp_type in [TimestampType::LogAppendTime, TimestampType::CreateTime] {
        let rig = Rig::new();
        rig.create("t", 1, TopicRules { timestamp_type, ..TopicRules::default() });
        let claimed = built(BatchBuilder::new().log_append_time(NOW_MS), &[b"a"]);
        let response = rig.produce("t", claimed).await;
        // As in Kafka, a topic that takes the producers' times takes this one for one of them.
        let is_refused = timestamp_type == TimestampType::LogAppendTime;
        let expected = if is_refused { ErrorCode::INVALID_TIMESTAMP } else { ErrorCode::NONE };
        assert_eq!((response.error_code, response.log_append_time_ms), (expected, -1));
        if !is_refused {
            let bytes = stored(&rig).await;
            let header = *BatchView::parse(&bytes).unwrap().header();
            assert_eq!((header.append_time(), header.max_timestamp), (None, NOW_MS));
        }
    }
}

#[tokio::test]
async fn a_highest_time_that_is_not_so_is_put_right() {
    let rig = Rig::new();
    rig.create("t", 1, TopicRules::default());
    let mut bytes = batch(&[b"a"]).to_vec();
    let mut header = *BatchView::parse(&bytes).unwrap().header();
    header.set_timestamps(TimestampType::CreateTime, NOW_MS + 5);
    header.write_over(&mut bytes).unwrap();
    assert_eq!(rig.produce("t", bytes.into()).await.error_code, ErrorCode::NONE);
    let bytes = stored(&rig).await;
    assert_eq!(BatchView::parse(&bytes).unwrap().header().max_timestamp, NOW_MS);
}

#[tokio::test]
async fn records_are_compressed_as_the_topic_has_it() {
    for (codec, level) in [(Compression::None, None), (Compression::Gzip, Some(1)), (Compression::Zstd, None)]
    {
        for source in Compression::ALL {
            let rig = Rig::new();
            rig.create("t", 1, TopicRules { compression: Some((codec, level)), ..TopicRules::default() });
            let sent = built(BatchBuilder::new().compression(source, None), &[&[7; 500], b"b"]);
            assert_eq!(rig.produce("t", sent.clone()).await.error_code, ErrorCode::NONE);
            let bytes = stored(&rig).await;
            let batch = BatchView::parse(&bytes).unwrap();
            assert_eq!(batch.header().attributes.compression(), Ok(codec));
            let values: Vec<_> = batch
                .records(1 << 20)
                .unwrap()
                .iter()
                .map(|record| record.unwrap().value.unwrap().to_vec())
                .collect();
            assert_eq!(values, [vec![7; 500], b"b".to_vec()]);
        }
    }
}

#[tokio::test]
async fn a_batch_that_becomes_too_large_by_it_is_refused() {
    let rig = Rig::new();
    let rules = TopicRules {
        compression: Some((Compression::None, None)),
        message_bytes_max: 1_000,
        ..TopicRules::default()
    };
    rig.create("t", 1, rules);
    let sent = built(BatchBuilder::new().compression(Compression::Gzip, None), &[&[0; 5_000]]);
    assert!(sent.len() < 1_000);
    assert_eq!(rig.produce("t", sent).await.error_code, ErrorCode::MESSAGE_TOO_LARGE);
}
