//! Nothing of a record is ever in the log, at any level and whatever goes wrong with it.

use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use strandline_protocol::batch::{BatchBuilder, NewRecord, RecordHeader};
use strandline_protocol::{Compression, ErrorCode};
use tracing::level_filters::LevelFilter;

use crate::support::{Folder, Running};
use crate::wire::{create, now_ms, produce, produce_batch, read, set, until};

/// In each record, and nowhere else.
const CONTENT: &[u8] = b"nobody-else-s-business";

/// What was logged.
#[derive(Clone, Debug, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Logged {
    /// Everything that is said in this process goes here.
    fn start() -> Self {
        let logged = Self::default();
        let writer = logged.clone();
        let subscriber = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE);
        subscriber.with_writer(move || writer.clone()).with_ansi(false).init();
        logged
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

fn record<'a>(running: &Running, headers: &'a [RecordHeader<'a>]) -> NewRecord<'a> {
    NewRecord { key: Some(CONTENT), value: Some(CONTENT), headers, ..NewRecord::at(now_ms(running)) }
}

#[tokio::test]
async fn nothing_of_a_record_is_logged_whatever_becomes_of_it() {
    let logged = Logged::start();
    let folder = Folder::new();
    let eager = [("log.retention.check.interval.ms", "20"), ("strandline.checkpoint.interval.ms", "20")];
    let running = folder.start(&eager).await;
    let small = ("internal.segment.bytes", "4000");
    create(&running, "t", &[("cleanup.policy", "compact"), ("min.cleanable.dirty.ratio", "0.01"), small])
        .await;
    let headers = [RecordHeader { key: CONTENT, value: Some(CONTENT) }];
    for _ in 0..60 {
        produce(&running, "t", &[record(&running, &headers)]).await.unwrap();
    }
    assert!(!read(&running, "t").await.is_empty());
    // What is refused, by each check that looks into it.
    let batch = |compression| {
        let mut builder = BatchBuilder::new().compression(compression, None);
        builder.append(&record(&running, &headers)).unwrap();
        builder.build().unwrap()
    };
    for compression in [Compression::None, Compression::Gzip] {
        let whole = batch(compression);
        for place in [8, 20, whole.len() - 5] {
            let mut damaged = whole.to_vec();
            damaged[place] ^= 0x55;
            let refused = produce_batch(&running, "t", damaged.into()).await;
            assert!(refused.is_err(), "{compression:?} at {place}");
        }
    }
    set(&running, "t", &[("max.message.bytes", "10")]).await;
    assert_eq!(produce(&running, "t", &[record(&running, &[])]).await, Err(ErrorCode::MESSAGE_TOO_LARGE));
    // Content where a request should be.
    let endpoint = running.node.addresses()[0];
    for length in [100_u32, u32::MAX] {
        let mut stream = TcpStream::connect(endpoint).unwrap();
        stream.write_all(&length.to_be_bytes()).unwrap();
        stream.write_all(&CONTENT.repeat(10)).unwrap();
    }
    // What is set for its log has the manifest brought up to date, and so what was appended into segments.
    set(&running, "t", &[("delete.retention.ms", "1000")]).await;
    until("a compaction that is told of", async || {
        let text = logged.text();
        text.contains("compacted") && text.contains("partition=t-0")
    })
    .await;
    running.stop().await;
    let running = folder.start(&eager).await;
    assert!(!read(&running, "t").await.is_empty());
    running.stop().await;
    let text = logged.text();
    assert!(text.contains("not a request") && text.contains("the data directory is open"), "{text}");
    for said in ["a topic is made topic=\"t\" partitions=1", "changed={\"max.message.bytes\"}"] {
        assert!(text.contains(said), "{said} is not in:\n{text}");
    }
    let content = String::from_utf8_lossy(CONTENT);
    let said = text.lines().find(|line| line.contains(&*content));
    assert_eq!(said, None);
}
