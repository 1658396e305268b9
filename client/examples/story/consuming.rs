//! Consuming from a place that was said.

use std::time::Duration;

use serde_json::{Value, json};
use strandline_client::{Consumer, ConsumerRecord, Isolation, OffsetReset, SeekTo};
use tokio::time::{Instant, timeout_at};

use crate::{Answer, Driver, producing, text};

const TIMEOUT: Duration = Duration::from_secs(60);

impl Driver {
    pub(crate) async fn consume(&mut self, request: &Value, topic: &str, partition: i32) -> Answer {
        let mut builder = self.client.consumer().offset_reset(OffsetReset::Fail);
        if text::of(request, "isolation") == "read_committed" {
            builder = builder.isolation(Isolation::ReadCommitted);
        }
        if request["narrow"] == true {
            builder = builder.partition_bytes(1);
        }
        let from = &request["from"];
        let start = match (from.as_str(), from["offset"].as_i64(), from["time"].as_i64()) {
            (_, Some(offset), _) => SeekTo::Offset(offset),
            (_, _, Some(time_ms)) => SeekTo::Timestamp(time_ms),
            (Some("latest"), ..) => SeekTo::Latest,
            _ => SeekTo::Earliest,
        };
        let mut consumer = builder.start()?;
        consumer.assign(&[(topic, partition)]).await?;
        consumer.seek(topic, partition, start)?;
        self.read(&mut consumer, request, topic, partition).await
    }

    async fn read(
        &mut self,
        consumer: &mut Consumer,
        request: &Value,
        topic: &str,
        partition: i32,
    ) -> Answer {
        let count = usize::try_from(request["count"].as_u64().unwrap_or(0)).unwrap_or(0);
        let deadline = Instant::now() + TIMEOUT;
        if let Some(then) = request.get("then") {
            // What comes once it knows where the end is, is new.
            while consumer.position(topic, partition).is_none() && Instant::now() < deadline {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            producing::produce(self.producer(then)?, then).await?;
        }
        let mut records = Vec::new();
        while records.len() < count {
            match timeout_at(deadline, consumer.next()).await {
                Ok(record) => records.push(written(&record?)),
                Err(_) => break,
            }
        }
        Ok(json!({"records": records}))
    }
}

fn written(record: &ConsumerRecord) -> Value {
    let headers: Vec<Value> = record
        .headers
        .iter()
        .map(|each| json!([each.name_lossy(), text::value(each.value.as_deref())]))
        .collect();
    json!({
        "offset": record.offset, "timestamp": record.timestamp, "headers": headers,
        "key": text::value(record.key.as_deref()), "value": text::value(record.value.as_deref()),
    })
}
