//! One producer, and the offsets that it is told.

use std::time::Duration;

use serde_json::{Value, json};
use strandline_client::{Acks, Client, Producer, ProducerRecord};

use crate::{Answer, Wrong, text, wrong};

pub(crate) fn new(client: &Client, request: &Value) -> Result<Producer, Wrong> {
    let acks = match text::of(request, "acks") {
        "0" => Acks::None,
        "1" => Acks::Leader,
        _ => Acks::All,
    };
    let compression = text::of(request, "compression").parse().map_err(|_| wrong("no such codec"))?;
    let builder = client.producer().acks(acks).compression(compression).linger(Duration::from_millis(20));
    let builder = builder.topic_timeout(Duration::from_secs(3));
    Ok(builder.idempotent(request["idempotent"] == true).start()?)
}

pub(crate) async fn produce(producer: &Producer, request: &Value) -> Answer {
    let mut deliveries = Vec::new();
    for record in request["records"].as_array().into_iter().flatten() {
        let (key, value) = (text::bytes(&record["key"]), text::bytes(&record["value"]));
        let partition = i32::try_from(request["partition"].as_i64().unwrap_or(0)).unwrap_or(-1);
        let mut sent = ProducerRecord::to(text::of(request, "topic")).partition(partition);
        if let Some(timestamp) = record["timestamp"].as_i64() {
            sent = sent.timestamp(timestamp);
        }
        if let Some(key) = &key {
            sent = sent.key(key);
        }
        if let Some(value) = &value {
            sent = sent.value(value);
        }
        let headers: Vec<(&str, Option<Vec<u8>>)> = record["headers"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|header| (header[0].as_str().unwrap_or_default(), text::bytes(&header[1])))
            .collect();
        for (name, value) in &headers {
            sent = sent.header_or_null(name, value.as_deref());
        }
        deliveries.push(producer.send(sent).await?);
    }
    let mut offsets = Vec::new();
    for delivery in deliveries {
        offsets.push(delivery.await?.offset);
    }
    Ok(json!({"offsets": offsets}))
}
