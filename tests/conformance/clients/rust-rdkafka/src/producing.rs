//! One producer, and the offsets that it is told.

use std::error::Error;
use std::sync::Mutex;

use rdkafka::ClientContext;
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};
use serde_json::{Value, json};

use crate::{Answer, TIMEOUT, config, text};

/// What has come of the records, in the order of the answers.
#[derive(Default)]
struct Deliveries(Mutex<Vec<Result<i64, KafkaError>>>);

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let outcome = result.as_ref().map(Message::offset).map_err(|(error, _)| error.clone());
        self.0.lock().unwrap().push(outcome);
    }
}

pub(crate) struct Producer(ThreadedProducer<Deliveries>);

impl Producer {
    pub(crate) fn new(broker: &str, request: &Value) -> Result<Producer, Box<dyn Error>> {
        let mut config = config(broker);
        config
            .set("compression.type", text::of(request, "compression"))
            .set("acks", text::of(request, "acks"))
            .set("enable.idempotence", request["idempotent"].to_string())
            .set("topic.metadata.propagation.max.ms", "3000")
            .set("linger.ms", "20");
        Ok(Producer(config.create_with_context(Deliveries::default())?))
    }

    pub(crate) fn produce(&self, request: &Value) -> Answer {
        for record in request["records"].as_array().into_iter().flatten() {
            let (key, value) = (text::bytes(&record["key"]), text::bytes(&record["value"]));
            let mut headers = OwnedHeaders::new();
            for header in record["headers"].as_array().into_iter().flatten() {
                let value = text::bytes(&header[1]);
                headers = headers
                    .insert(Header { key: header[0].as_str().unwrap_or_default(), value: value.as_ref() });
            }
            let mut sent = BaseRecord::to(text::of(request, "topic"))
                .partition(i32::try_from(request["partition"].as_i64().unwrap_or(0))?)
                .timestamp(record["timestamp"].as_i64().unwrap_or(0))
                .headers(headers);
            sent.key = key.as_ref();
            sent.payload = value.as_ref();
            self.0.send(sent).map_err(|(error, _)| error)?;
        }
        self.0.flush(TIMEOUT)?;
        let outcomes = std::mem::take(&mut *self.0.context().0.lock().unwrap());
        let offsets = outcomes.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(json!({"offsets": offsets}))
    }
}
