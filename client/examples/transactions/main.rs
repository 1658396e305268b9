//! The library does what the story of `tests/conformance/transactions` asks: one line of JSON in, one out.

use std::collections::HashMap;
use std::io::{BufRead, Write, stdin, stdout};
use std::time::Duration;

use serde_json::{Value, json};
use strandline_client::{
    Client, ClientConfig, Error, GroupOffsets, ProducerRecord, Transaction, TransactionalProducer,
};
use strandline_protocol::ErrorCode;
use tokio::sync::{mpsc, oneshot};

type Answer = oneshot::Sender<Result<(), Error>>;

/// Writes transactions as it is told: sends until an end is asked for.
async fn write(mut producer: TransactionalProducer, mut asked: mpsc::Receiver<(Value, Answer)>) {
    while let Some((mut request, mut answer)) = asked.recv().await {
        let transaction = match producer.begin().await {
            Ok(transaction) => transaction,
            Err(error) => {
                let _ = answer.send(Err(error));
                continue;
            }
        };
        while word(&request, "do") == "send" {
            let _ = answer.send(send(&transaction, &request).await);
            match asked.recv().await {
                Some(next) => (request, answer) = next,
                None => return,
            }
        }
        let ended = if request.get("commit") == Some(&Value::Bool(true)) {
            transaction.commit().await
        } else {
            transaction.abort().await
        };
        let _ = answer.send(ended);
    }
}

async fn send(transaction: &Transaction<'_>, request: &Value) -> Result<(), Error> {
    let topic = word(request, "topic");
    let mut deliveries = Vec::new();
    for record in list(request, "records") {
        let partition = number(record.get(0)).try_into().unwrap_or(-1);
        let value = record.get(1).and_then(Value::as_str).unwrap_or_default();
        deliveries
            .push(transaction.deliver(ProducerRecord::to(topic).partition(partition).value(value)).await?);
    }
    for delivery in deliveries {
        delivery.await?;
    }
    let Some(group) = request.get("group").and_then(Value::as_str) else { return Ok(()) };
    let mut offsets = GroupOffsets::of(group);
    for position in list(request, "positions") {
        let partition = number(position.get(0)).try_into().unwrap_or(-1);
        offsets = offsets.and(topic, partition, number(position.get(1)));
    }
    transaction.send_offsets(&offsets).await
}

fn word<'a>(request: &'a Value, name: &str) -> &'a str {
    request.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(request: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    request.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn number(value: Option<&Value>) -> i64 {
    value.and_then(Value::as_i64).unwrap_or(-1)
}

/// As the story has it: Kafka's number, and words.
fn told(result: Result<(), Error>) -> Value {
    let Err(error) = result else { return json!({}) };
    let number = match &error {
        Error::Fenced(_) => i32::from(ErrorCode::PRODUCER_FENCED.0),
        other => other.code().map_or(-1, |code| i32::from(code.0)),
    };
    json!({"error": number, "text": error.to_string()})
}

async fn start(client: &Client, request: &Value) -> Result<TransactionalProducer, Error> {
    let timeout = Duration::from_millis(u64::try_from(number(request.get("timeout_ms"))).unwrap_or(60_000));
    let builder = client.producer().transactional_id(word(request, "id"));
    builder.transaction_timeout(timeout).start_transactional().await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let broker = std::env::args().nth(1).ok_or("the broker's address is missing")?;
    let client = Client::connect(ClientConfig::new(&broker)?).await?;
    let mut writers = HashMap::new();
    writeln!(stdout(), "{{}}")?;
    for line in stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        let name = word(&request, "producer").to_owned();
        let result = if word(&request, "do") == "init" {
            match start(&client, &request).await {
                Ok(producer) => {
                    let (asks, asked) = mpsc::channel(1);
                    tokio::spawn(write(producer, asked));
                    writers.insert(name, asks);
                    Ok(())
                }
                Err(error) => Err(error),
            }
        } else {
            let (answer, answered) = oneshot::channel();
            writers.get(&name).ok_or("it has not been started")?.send((request, answer)).await?;
            answered.await?
        };
        writeln!(stdout(), "{}", told(result))?;
    }
    Ok(())
}
