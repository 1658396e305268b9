//! Offsets by time and place, as a client asks for them.

use strandline_log::engine::{Command, Offsets, UpTo};
use strandline_protocol::ErrorCode;
use strandline_protocol::apis::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsTopic,
};
use strandline_protocol::batch::{BatchBuilder, NewRecord};

use super::{EARLIEST, EARLIEST_LOCAL, Search, beginning};
use crate::api::tests::{LEADER_EPOCH, NOW_MS, Rig};
use crate::api::topics::TopicRules;
use crate::tests::lines::Lines;

/// A topic whose second record is the newest.
async fn rig() -> Rig {
    let rig = Rig::new();
    rig.create("t", 1, TopicRules::default());
    for delta in [0, 20, 10] {
        let mut builder = BatchBuilder::new();
        builder.append(&NewRecord { value: Some(b"v"), ..NewRecord::at(NOW_MS + delta) }).unwrap();
        assert_eq!(rig.produce("t", builder.build().unwrap()).await.error_code, ErrorCode::NONE);
    }
    rig
}

async fn ask(rig: &Rig, version: i16, asked: &[(i32, i64, i32)]) -> Vec<ListOffsetsPartitionResponse> {
    let partitions = asked.iter().map(|(partition_index, timestamp, epoch)| ListOffsetsPartition {
        partition_index: *partition_index,
        timestamp: *timestamp,
        current_leader_epoch: *epoch,
        ..Default::default()
    });
    let topic = ListOffsetsTopic { name: "t".into(), partitions: partitions.collect(), ..Default::default() };
    let request = ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..Default::default() };
    rig.call(version, &request).await.topics.remove(0).partitions
}

#[tokio::test]
async fn every_place_and_time_is_found() {
    let rig = rig().await;
    for (timestamp, expected) in [
        (-1, (-1, 3, LEADER_EPOCH)),
        (-2, (-1, 0, LEADER_EPOCH)),
        (-3, (NOW_MS + 20, 1, LEADER_EPOCH)),
        (-4, (-1, 0, LEADER_EPOCH)),
        (-5, (-1, -1, -1)),
        (-6, (-1, -1, -1)),
        (0, (NOW_MS, 0, LEADER_EPOCH)),
        (NOW_MS + 1, (NOW_MS + 20, 1, LEADER_EPOCH)),
        (NOW_MS + 21, (-1, -1, -1)),
    ] {
        let answer = &ask(&rig, 11, &[(0, timestamp, -1)]).await[0];
        assert_eq!(answer.error_code, ErrorCode::NONE);
        assert_eq!((answer.timestamp, answer.offset, answer.leader_epoch), expected, "at {timestamp}");
    }
}

#[tokio::test]
async fn an_empty_log_has_no_largest_timestamp() {
    let rig = Rig::new();
    rig.create("t", 1, TopicRules::default());
    let answer = &ask(&rig, 11, &[(0, -3, -1)]).await[0];
    assert_eq!((answer.error_code, answer.timestamp, answer.offset), (ErrorCode::NONE, -1, -1));
}

#[tokio::test]
async fn places_are_known_from_their_versions_on() {
    let rig = rig().await;
    for (timestamp, version_min) in [(-1, 1), (-2, 1), (-3, 7), (-4, 8), (-5, 9), (-6, 11), (-7, 12)] {
        for version in 1..=11 {
            let expected =
                if version < version_min { ErrorCode::UNSUPPORTED_VERSION } else { ErrorCode::NONE };
            let answer = &ask(&rig, version, &[(0, timestamp, -1)]).await[0];
            assert_eq!(answer.error_code, expected, "{timestamp} in v{version}");
        }
    }
}

#[tokio::test]
async fn leader_epochs_are_checked_and_twice_is_once_too_often() {
    let rig = rig().await;
    let asked = [(0, -1, LEADER_EPOCH - 1), (1, -1, -1), (2, -2, -1), (2, -1, -1)];
    let codes: Vec<_> = ask(&rig, 4, &asked).await.iter().map(|answer| answer.error_code).collect();
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    assert_eq!(
        codes,
        [ErrorCode::FENCED_LEADER_EPOCH, unknown, ErrorCode::INVALID_REQUEST, ErrorCode::INVALID_REQUEST]
    );
    let ahead = ask(&rig, 4, &[(0, -1, LEADER_EPOCH + 1)]).await;
    assert_eq!(ahead[0].error_code, ErrorCode::UNKNOWN_LEADER_EPOCH);
}

#[tokio::test]
async fn of_a_topic_that_was_deleted_while_it_was_searched_no_operator_hears() {
    let rig = rig().await;
    let search = Search { place: (0, 0), log: rig.log("t", 0), timestamp: NOW_MS };
    rig.engine.call(Command::Delete { partition: search.log.id() }).unwrap();
    let lines = Lines::begin();
    tracing::warn!("what is told is seen");
    let answer = search.run(UpTo::HighWatermark);
    assert_eq!((answer.error_code, answer.offset), (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, -1));
    assert!(lines.only().contains("what is told is seen"));
}

#[test]
fn the_log_and_what_of_it_is_kept_here_begin_each_by_itself() {
    let offsets = Offsets { start: 5, local_start: 8, last_stable: 9, high_watermark: 9, end: 9 };
    assert_eq!([EARLIEST, EARLIEST_LOCAL].map(|timestamp| beginning(timestamp, &offsets)), [5, 8]);
}
