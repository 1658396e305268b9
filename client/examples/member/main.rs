//! A member of a group, as the story of groups in `tests/conformance/clients` asks for one: says what it is assigned, reads
//! and commits, and leaves when its standard input ends.
//!
//! usage: member BROKER GROUP TOPIC, with the rule that it offers in ASSIGNOR (`range` if there is none), or `consumer` for
//! the consumer protocol

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write, stdin, stdout};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use strandline_client::{
    Assignor, Client, ClientConfig, Consumer, ConsumerBuilder, Error, GroupProtocol, OffsetReset,
    RebalanceListener,
};

fn say(what: &Value) {
    let mut out = stdout().lock();
    // Nobody listens once the story has ended.
    let _ = writeln!(out, "{what}");
    let _ = out.flush();
}

/// The partitions that it has, which it says whenever they change, and where it has come to in them without having
/// committed it.
#[derive(Clone, Default)]
struct Held(Arc<Mutex<Places>>);

/// What it has, and the ends that are to be committed.
type Places = (BTreeSet<i32>, BTreeMap<i32, i64>);

impl Held {
    fn lock(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut BTreeSet<i32>)) {
        let mut held = self.lock();
        let (partitions, ends) = &mut *held;
        change(partitions);
        // What was not committed of others is read again by whoever has them next.
        ends.retain(|partition, _| partitions.contains(partition));
        say(&json!({"assigned": *partitions}));
    }
}

type Done<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

impl RebalanceListener for Held {
    fn assigned<'a>(&'a mut self, partitions: &'a [(String, i32)]) -> Done<'a> {
        Box::pin(async { self.change(|held| held.extend(partitions.iter().map(|(_, number)| number))) })
    }

    fn revoked<'a>(&'a mut self, partitions: &'a [(String, i32)]) -> Done<'a> {
        let is_gone = |number: &i32| partitions.iter().any(|(_, gone)| gone == number);
        Box::pin(async move { self.change(|held| held.retain(|number| !is_gone(number))) })
    }
}

fn by_rule(builder: ConsumerBuilder, rule: &str) -> Result<ConsumerBuilder, String> {
    Ok(match rule {
        "range" => builder.assignors(&[Assignor::Range]),
        "roundrobin" => builder.assignors(&[Assignor::RoundRobin]),
        "sticky" => builder.assignors(&[Assignor::Sticky]),
        "cooperative-sticky" => builder.assignors(&[Assignor::CooperativeSticky]),
        "consumer" => builder.group_protocol(GroupProtocol::Consumer),
        _ => return Err(format!("no rule is called {rule}")),
    })
}

async fn read(consumer: &mut Consumer, held: &Held) -> Result<(), Error> {
    // A commit that was refused, because the group was about to change, is tried again though nothing new has come.
    if let Ok(records) = tokio::time::timeout(Duration::from_millis(300), consumer.poll(100)).await {
        for record in records? {
            say(&json!({"record": [record.partition, record.offset]}));
            held.lock().1.insert(record.partition, record.offset + 1);
        }
    }
    if consumer.commit().await.is_ok() {
        let ends = std::mem::take(&mut held.lock().1);
        if !ends.is_empty() {
            say(&json!({"committed": ends.into_iter().collect::<Vec<_>>()}));
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [broker, group, topic] = words.as_slice() else { return Err("usage: BROKER GROUP TOPIC".into()) };
    let rule = std::env::var("ASSIGNOR").unwrap_or_else(|_| "range".to_owned());
    let client = Client::connect(ClientConfig::new(broker)?).await?;
    let builder = client.consumer().group(group).offset_reset(OffsetReset::Earliest).auto_commit(None);
    let builder = by_rule(builder.session_timeout(Duration::from_secs(10)), &rule)?;
    let mut consumer = builder.start()?;
    let held = Held::default();
    consumer.subscribe_with(&[topic], Some(Box::new(held.clone())))?;
    let (over, mut is_over) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = stdin().read_to_end(&mut Vec::new());
        let _ = over.send(());
    });
    loop {
        tokio::select! {
            _ = &mut is_over => break,
            read = read(&mut consumer, &held) => match read {
                Err(error) if !error.is_retriable() => return Err(error.into()),
                _ => {}
            },
        }
    }
    consumer.close().await?;
    Ok(())
}
