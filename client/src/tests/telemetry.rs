//! What a client tells of itself: each number that its documentation names, and no other.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use strandline_protocol::apis::metadata::MetadataRequest;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};

use super::fake::{deserted, listen, metadata};
use super::troubled::{Cluster, TOPIC};
use crate::{Client, ClientConfig, Error, OffsetReset, ProducerRecord};

/// Keeps the names of what is told.
#[derive(Clone, Default)]
struct Names(Arc<Mutex<BTreeSet<String>>>);

impl Names {
    fn has(&self, name: &str) -> bool {
        self.0.lock().unwrap().contains(&format!("strandline_client_{name}"))
    }

    fn note(&self, key: &Key) {
        self.0.lock().unwrap().insert(key.name().to_owned());
    }
}

impl Recorder for Names {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.note(key);
        Counter::noop()
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.note(key);
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.note(key);
        Histogram::noop()
    }
}

/// What the table of the crate's documentation names.
fn documented() -> BTreeSet<String> {
    let rows = include_str!("../lib.rs").lines().filter_map(|line| line.strip_prefix("//! | `"));
    rows.filter_map(|row| row.split('`').next())
        .filter(|name| name.starts_with("strandline_client_"))
        .map(str::to_owned)
        .collect()
}

async fn client(address: &str) -> Result<Client, Error> {
    let config = ClientConfig::new(address).unwrap();
    Client::connect(config.backoff(Duration::from_millis(1), Duration::from_millis(20))).await
}

/// Writes, reads in a group and in a transaction, where nothing goes wrong.
async fn work() {
    let cluster = Cluster::start(1, 1, 0, 1).await;
    let client = client(&cluster.bootstrap()).await.unwrap();
    let producer = client.producer().start().unwrap();
    producer.send(ProducerRecord::to(TOPIC).value("first")).await.unwrap().await.unwrap();
    let mut member = client.consumer().group("readers").offset_reset(OffsetReset::Earliest).start().unwrap();
    member.subscribe(&[TOPIC]).unwrap();
    member.next().await.unwrap();
    let builder = client.producer().transactional_id("payments");
    let mut producer = builder.start_transactional().await.unwrap();
    let transaction = producer.begin().await.unwrap();
    transaction.send(ProducerRecord::to(TOPIC).value("second")).await.unwrap();
    transaction.commit().await.unwrap();
}

/// Fails in every way that is told of.
async fn fail(names: &Names) {
    client(&deserted().await.to_string()).await.unwrap_err();

    let cluster = Cluster::start(1, 1, 0, 1).await;
    let troubled = client(&cluster.bootstrap()).await.unwrap();
    let producer = troubled.producer().delivery_timeout(Duration::from_secs(5)).start().unwrap();
    producer.send(ProducerRecord::to(TOPIC).value("first")).await.unwrap().await.unwrap();
    // From now on it hangs up on everyone: it is tried again, and given up.
    cluster.inner().trouble = 1;
    producer.send(ProducerRecord::to(TOPIC).value("second")).await.unwrap().await.unwrap_err();
    assert!(names.has("batches_retried_total") && names.has("batches_failed_total"));

    let tired = listen(|_, mut peer, address| async move {
        peer.greet().await;
        while let Some(asked) = peer.next().await {
            let mut response = metadata(address);
            response.throttle_time_ms = 1;
            peer.answer(&asked, &response).await;
        }
    });
    client(&tired.await.to_string()).await.unwrap().refresh(&[]).await.unwrap();
}

/// A line that was written.
type Line = (Level, BTreeMap<&'static str, String>);

/// Keeps the lines of connections, each with its fields.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<Line>>>);

struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("strandline_client::connection")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(BTreeMap::new());
        event.record(&mut fields);
        self.0.lock().unwrap().push((*event.metadata().level(), fields.0));
    }
}

#[tokio::test]
async fn a_connection_that_is_lost_is_told_of() {
    let broker = listen(|_, mut peer, address| async move {
        peer.greet().await;
        let asked = peer.next().await.unwrap();
        peer.answer(&asked, &metadata(address)).await;
        // Hangs up at the next question.
        peer.next().await;
    })
    .await;
    let lose = async || {
        let client = client(&broker.to_string()).await.unwrap();
        let connection = client.any_broker().await.unwrap();
        connection.request(&MetadataRequest::default()).await.unwrap_err();
    };
    let lines = Lines::default();
    // Of this thread, which all tasks of this test run on.
    let _subscriber = tracing::subscriber::set_default(lines.clone());
    let mut written = Vec::new();
    for _ in 0..20 {
        // A place in the code that is found on another test's thread at this moment, where nobody listens, is taken for
        // one that nobody listens to. All of them are asked again; one that is being found now, at the next attempt.
        tracing::callsite::rebuild_interest_cache();
        lose().await;
        written = std::mem::take(&mut *lines.0.lock().unwrap());
        if written.len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let messages: Vec<_> = written.iter().map(|(_, fields)| fields["message"].as_str()).collect();
    assert_eq!(messages, ["connected", "a connection ends"]);
    let (level, fields) = &written[1];
    assert_eq!((*level, fields["broker"].as_str()), (Level::DEBUG, broker.to_string().as_str()));
    assert_eq!(fields["waiting"], "1", "it says for how many requests that is the end");
    assert!(fields["error"].contains("the broker closed it"), "{fields:?}");
}

#[tokio::test]
async fn each_number_that_is_documented_is_told_and_no_other() {
    let names = Names::default();
    // Of this thread, which all tasks of this test run on.
    let _recorder = metrics::set_default_local_recorder(&names);
    work().await;
    fail(&names).await;
    assert_eq!(*names.0.lock().unwrap(), documented());
}
