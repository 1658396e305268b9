//! Each group of settings is changed while a topic is in use, and seen to act on what comes and goes by the wire.

use strandline_log::config::Durability;
use strandline_protocol::batch::NewRecord;
use strandline_protocol::{Compression, ErrorCode};

use crate::support::{Folder, Running};
use crate::wire::{
    BROKER, Change, TOPIC, alter, create, now_ms, offset, produce, produce_value, read, set, until,
};

/// Looks for old records all the time.
const EAGER: [(&str, &str); 2] =
    [("log.retention.check.interval.ms", "20"), ("strandline.checkpoint.interval.ms", "20")];

fn keyed<'a>(running: &Running, key: &'a [u8], value: Option<&'a [u8]>) -> NewRecord<'a> {
    NewRecord { key: Some(key), value, ..NewRecord::at(now_ms(running)) }
}

/// Waits until old records have been looked for in all topics, and once more.
async fn rounds(running: &Running) {
    for _ in 0..2 {
        let name = format!("round-{}", running.node.broker().metadata.new_id());
        create(running, &name, &[]).await;
        produce(running, &name, &[NewRecord { value: Some(b"old"), ..NewRecord::at(1) }]).await.unwrap();
        set(running, &name, &[("retention.ms", "1000")]).await;
        until("a round", async || offset(running, &name, -2).await == 1).await;
    }
}

#[tokio::test]
async fn limits_of_messages_hold_from_the_next_one_on() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    create(&running, "t", &[]).await;
    let large = vec![7; 5_000];
    assert_eq!(produce_value(&running, "t", &large).await, Ok(0));
    set(&running, "t", &[("max.message.bytes", "1000")]).await;
    assert_eq!(produce_value(&running, "t", &large).await, Err(ErrorCode::MESSAGE_TOO_LARGE));
    assert_eq!(
        alter(&running, TOPIC, "t", &[("max.message.bytes", Change::Delete)]).await.0,
        ErrorCode::NONE
    );
    assert_eq!(produce_value(&running, "t", &large).await, Ok(1));
    // What all topics have that say nothing themselves.
    let limit = [("message.max.bytes", Change::Set("2000"))];
    assert_eq!(alter(&running, BROKER, "", &limit).await.0, ErrorCode::NONE);
    assert_eq!(produce_value(&running, "t", &large).await, Err(ErrorCode::MESSAGE_TOO_LARGE));
    set(&running, "t", &[("max.message.bytes", "9000")]).await;
    assert_eq!(produce_value(&running, "t", &large).await, Ok(2));
    running.stop().await;
    let running = folder.start(&[]).await;
    create(&running, "other", &[]).await;
    assert_eq!(produce_value(&running, "other", &large).await, Err(ErrorCode::MESSAGE_TOO_LARGE));
    assert_eq!(produce_value(&running, "t", &large).await, Ok(3));
    running.stop().await;
}

#[tokio::test]
async fn timestamps_are_checked_or_given_as_the_topic_says() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    create(&running, "t", &[]).await;
    let now = now_ms(&running);
    let at = async |timestamp| {
        produce(&running, "t", &[NewRecord { value: Some(b"v"), ..NewRecord::at(timestamp) }]).await
    };
    assert_eq!(at(now - 10_000_000).await, Ok(0));
    assert_eq!(at(now + 10_000_000).await, Err(ErrorCode::INVALID_TIMESTAMP));
    set(
        &running,
        "t",
        &[("message.timestamp.before.max.ms", "5000000"), ("message.timestamp.after.max.ms", "20000000")],
    )
    .await;
    assert_eq!(at(now - 10_000_000).await, Err(ErrorCode::INVALID_TIMESTAMP));
    assert_eq!(at(now + 10_000_000).await, Ok(1));
    set(&running, "t", &[("message.timestamp.type", "LogAppendTime")]).await;
    assert_eq!(at(1).await, Ok(2));
    let timestamps: Vec<_> = read(&running, "t").await.iter().map(|record| record.timestamp).collect();
    assert_eq!(timestamps[..2], [now - 10_000_000, now + 10_000_000]);
    assert!((now..now + 600_000).contains(&timestamps[2]), "{timestamps:?}");
    running.stop().await;
}

#[tokio::test]
async fn records_are_compressed_as_the_topic_says() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    create(&running, "t", &[]).await;
    let value = vec![b'x'; 10_000];
    let kinds = [
        ("producer", Compression::None),
        ("zstd", Compression::Zstd),
        ("lz4", Compression::Lz4),
        ("gzip", Compression::Gzip),
        ("snappy", Compression::Snappy),
        ("uncompressed", Compression::None),
    ];
    for (kind, _) in kinds {
        set(&running, "t", &[("compression.type", kind)]).await;
        produce_value(&running, "t", &value).await.unwrap();
    }
    let found = read(&running, "t").await;
    assert_eq!(
        found.iter().map(|record| record.compression).collect::<Vec<_>>(),
        kinds.map(|(_, kind)| kind)
    );
    assert!(found.iter().all(|record| record.value.as_ref() == Some(&value)));
    running.stop().await;
}

#[tokio::test]
async fn old_segments_go_by_time_and_by_size() {
    let folder = Folder::new();
    let running = folder.start(&EAGER).await;
    create(&running, "time", &[]).await;
    let day_ms = 24 * 60 * 60 * 1_000;
    let old = NewRecord { value: Some(b"old"), ..NewRecord::at(now_ms(&running) - day_ms) };
    assert_eq!(produce(&running, "time", &[old]).await, Ok(0));
    set(&running, "time", &[("retention.ms", "3600000")]).await;
    until("retention by time", async || offset(&running, "time", -2).await == 1).await;
    assert_eq!(produce_value(&running, "time", b"new").await, Ok(1));

    create(&running, "size", &[("internal.segment.bytes", "10000")]).await;
    let value = vec![1; 4_000];
    for expected in 0..20 {
        assert_eq!(produce_value(&running, "size", &value).await, Ok(expected));
    }
    assert_eq!(offset(&running, "size", -2).await, 0);
    set(&running, "size", &[("retention.bytes", "30000")]).await;
    until("retention by size", async || offset(&running, "size", -2).await > 8).await;
    assert!(offset(&running, "size", -2).await < 19, "no more than has to goes");
    assert!(read(&running, "size").await.len() >= 5);

    // Nothing of a topic goes that keeps everything, as soon as it does.
    create(&running, "kept", &[("cleanup.policy", "")]).await;
    assert_eq!(
        produce(&running, "kept", &[NewRecord { value: Some(b"old"), ..NewRecord::at(1) }]).await,
        Ok(0)
    );
    rounds(&running).await;
    assert_eq!(read(&running, "kept").await.len(), 1);
    running.stop().await;
}

#[tokio::test]
async fn segments_end_where_the_topic_says() {
    let folder = Folder::new();
    let running = folder.start(&EAGER).await;
    let value = vec![1; 4_000];
    let settings = [("internal.segment.bytes", "10000"), ("segment.ms", "1"), ("segment.index.bytes", "40")];
    for (setting, _) in settings {
        create(&running, setting, &[("retention.bytes", "20000")]).await;
        for _ in 0..10 {
            produce_value(&running, setting, &value).await.unwrap();
        }
    }
    rounds(&running).await;
    for (setting, small) in settings {
        assert_eq!(offset(&running, setting, -2).await, 0, "one segment that takes more stays as a whole");
        set(&running, setting, &[(setting, small)]).await;
        for _ in 0..10 {
            produce_value(&running, setting, &value).await.unwrap();
        }
        until(setting, async || offset(&running, setting, -2).await >= 10).await;
    }
    running.stop().await;
}

#[tokio::test]
async fn compaction_waits_and_hurries_as_the_topic_says() {
    let folder = Folder::new();
    let running = folder.start(&EAGER).await;
    let own = [
        ("min.compaction.lag.ms", "3600000", "min.cleanable.dirty.ratio", "0.01", "0"),
        ("max.compaction.lag.ms", "3600000", "min.cleanable.dirty.ratio", "1", "1"),
    ];
    let value = vec![b'v'; 1_000];
    for (lag, long, ratio, part, _) in own {
        let small = ("internal.segment.bytes", "4000");
        create(&running, lag, &[("cleanup.policy", "compact"), small, (lag, long), (ratio, part)]).await;
        for number in 0..20_u8 {
            produce(&running, lag, &[keyed(&running, &[number % 3], Some(&value))]).await.unwrap();
        }
        let filler = vec![b'f'; 3_900];
        produce(&running, lag, &[keyed(&running, b"filler", Some(&filler))]).await.unwrap();
    }
    rounds(&running).await;
    for (lag, _, _, _, short) in own {
        assert_eq!(read(&running, lag).await.len(), 21, "{lag}");
        set(&running, lag, &[(lag, short)]).await;
        until(lag, async || read(&running, lag).await.len() < 10).await;
    }
    running.stop().await;
}

#[tokio::test]
async fn a_topic_that_is_to_be_compacted_is() {
    let folder = Folder::new();
    let running = folder.start(&EAGER).await;
    create(&running, "t", &[("internal.segment.bytes", "4000")]).await;
    let value = vec![b'v'; 1_000];
    for number in 0..20_u8 {
        produce(&running, "t", &[keyed(&running, &[number % 3], Some(&value))]).await.unwrap();
    }
    assert_eq!(read(&running, "t").await.len(), 20);
    assert_eq!(produce_value(&running, "t", b"no key").await, Ok(20));
    set(&running, "t", &[("cleanup.policy", "compact"), ("min.cleanable.dirty.ratio", "0.01")]).await;
    assert_eq!(produce_value(&running, "t", b"no key").await, Err(ErrorCode::INVALID_RECORD));
    // A record goes into a segment of its own, so that those before can be compacted.
    let filler = vec![b'f'; 3_900];
    produce(&running, "t", &[keyed(&running, b"filler", Some(&filler))]).await.unwrap();
    until("compaction", async || {
        let keys: Vec<_> = read(&running, "t").await.into_iter().filter_map(|record| record.key).collect();
        keys.iter().filter(|key| key.len() == 1).count() == 3
    })
    .await;
    let last: Vec<_> = read(&running, "t").await.iter().map(|record| record.offset).collect();
    assert!(last.starts_with(&[17, 18, 19]), "of each key the last is left: {last:?}");

    set(&running, "t", &[("delete.retention.ms", "0")]).await;
    produce(&running, "t", &[keyed(&running, &[0], None)]).await.unwrap();
    until("the end of a tombstone", async || {
        produce(&running, "t", &[keyed(&running, b"filler", Some(&filler))]).await.unwrap();
        read(&running, "t").await.iter().all(|record| record.key.as_deref() != Some(&[0]))
    })
    .await;
    running.stop().await;
}

#[tokio::test]
async fn durability_changes_under_a_log_that_is_in_use() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    create(&running, "t", &[]).await;
    let durability = |running: &Running| {
        let topic_id = running.node.broker().metadata.image().topic("t").unwrap().id();
        let place = strandline_broker::storage::TopicPartition { topic_id, index: 0 };
        running.node.broker().storage.partition(place).unwrap().config().durability
    };
    for (expected, (word, kind)) in
        (0..).zip([("async", Durability::Async), ("fsync", Durability::Fsync), ("async", Durability::Async)])
    {
        set(&running, "t", &[("strandline.durability", word)]).await;
        assert_eq!(durability(&running), kind);
        assert_eq!(produce_value(&running, "t", b"v").await, Ok(expected));
    }
    running.stop().await;
    let running = folder.start(&[]).await;
    assert_eq!(durability(&running), Durability::Async);
    assert_eq!(read(&running, "t").await.len(), 3);
    running.stop().await;
}

#[tokio::test]
async fn more_replicas_in_sync_than_there_are_are_not_asked_for() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    create(&running, "t", &[("min.insync.replicas", "3")]).await;
    assert_eq!(produce_value(&running, "t", b"v").await, Ok(0), "as Kafka does: all there are is enough");
    running.stop().await;
}
