//! What a client tells of itself: each number that its documentation names, and no other.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

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

#[tokio::test]
async fn each_number_that_is_documented_is_told_and_no_other() {
    let names = Names::default();
    // Of this thread, which all tasks of this test run on.
    let _recorder = metrics::set_default_local_recorder(&names);
    work().await;
    fail(&names).await;
    assert_eq!(*names.0.lock().unwrap(), documented());
}
