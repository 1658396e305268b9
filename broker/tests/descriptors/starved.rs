//! A whole broker whose process has no descriptors left when it wants to make segments.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use strandline_broker::embedded::EmbeddedBroker;
use strandline_client::{Client, ClientConfig, OffsetReset, Producer, ProducerRecord};

use crate::limit::{Lowered, one_at_a_time};

/// A folder that goes with this.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// How many of the first logs have a segment. It takes no descriptor to find out.
fn logs_with_segments(folder: &Path) -> usize {
    let first = |id: &u32| folder.join(format!("logs/00000/{id:016x}/{:020}.log", 0)).exists();
    (0..4).filter(first).count()
}

fn start(folder: &Folder) -> EmbeddedBroker {
    let options = strandline_broker::embedded().data_dir(&folder.0).topic("t", 1).topic("u", 1);
    options.setting("strandline.checkpoint.interval.ms", "200").start().unwrap()
}

async fn connect(broker: &EmbeddedBroker) -> Client {
    Client::connect(ClientConfig::new(broker.bootstrap()).unwrap()).await.unwrap()
}

async fn write(producer: &Producer, topic: &str, values: std::ops::Range<usize>) {
    for value in values {
        let text = value.to_string();
        let record = ProducerRecord::to(topic).value(&*text);
        let delivered = producer.send(record).await.unwrap().await.unwrap();
        assert_eq!(delivered.offset, i64::try_from(value).ok());
    }
}

#[test]
fn without_descriptors_it_acknowledges_what_is_durable_and_makes_segments_later() {
    let _alone = one_at_a_time();
    let folder = Folder(std::env::temp_dir().join(format!("strandline-starved-{}", std::process::id())));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let broker = start(&folder);
    runtime.block_on(async {
        let client = connect(&broker).await;
        let producer = client.producer().start().unwrap();
        // So that it is connected.
        write(&producer, "t", 0..1).await;
        let lowered = Lowered::to_leave(20);
        let taken: Vec<_> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
        let before = logs_with_segments(&folder.0);
        write(&producer, "u", 0..10).await;
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        write(&producer, "u", 10..20).await;
        assert_eq!(logs_with_segments(&folder.0), before, "{} files were open", taken.len());
        drop((taken, lowered));
        let deadline = Instant::now() + Duration::from_secs(30);
        while logs_with_segments(&folder.0) == before {
            assert!(Instant::now() < deadline, "nothing is flushed");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        write(&producer, "u", 20..25).await;
        producer.close().await;
    });
    broker.stop().unwrap();
    let broker = start(&folder);
    runtime.block_on(async {
        let client = connect(&broker).await;
        let mut consumer = client.consumer().offset_reset(OffsetReset::Earliest).start().unwrap();
        consumer.assign_topics(&["u"]).await.unwrap();
        for value in 0..25 {
            let record = consumer.next().await.unwrap();
            assert_eq!(record.value.as_deref(), Some(value.to_string().as_bytes()));
        }
    });
    broker.stop().unwrap();
}
