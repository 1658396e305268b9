//! The way of batches to one broker and back: built, sent in order, many requests at a time.

use std::collections::HashMap;
use std::sync::Arc;

use strandline_protocol::apis::ApiKey;
use strandline_protocol::apis::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, ProduceResponse, TopicProduceData,
};
use strandline_protocol::schema::VersionRange;
use strandline_protocol::{Compression, Compressor, Records, Text};
use tokio::sync::mpsc;

use super::accumulator::{Placed, Shipment};
use super::config::{Acks, Settings};
use super::delivery::Written;
use super::sender::{Event, Shared};
use crate::connection::{Answer, Connection};
use crate::error::{Error, Result};
use crate::telemetry;

/// The last version that names topics; later ones have their ids.
const BY_NAME_LAST: i16 = 12;
/// The first version that knows zstd.
const ZSTD_FIRST: i16 = 7;

/// A shipment whose batches have been built.
struct Built {
    request: ProduceRequest,
    batches: Vec<(Text, Placed)>,
    // What could not be built.
    failed: Vec<(Placed, Result<Written>)>,
}

/// Sends what comes, until the driver has ended.
pub(super) async fn ship_all(
    shared: Arc<Shared>,
    broker: i32,
    mut shipments: mpsc::UnboundedReceiver<Shipment>,
    events: mpsc::UnboundedSender<Event>,
) {
    let Settings { compression, compression_level, .. } = shared.settings;
    // The settings were tried when the producer was started. What is dropped here says so to its user.
    let Ok(mut compressor) = Compressor::new(compression, compression_level) else { return };
    while let Some(shipment) = shipments.recv().await {
        let built = build(&shared, shipment, &mut compressor);
        let Built { request, batches, failed } = built;
        let sent = if batches.is_empty() { Err(Error::Ended) } else { send(&shared, broker, &request).await };
        let events = events.clone();
        match sent {
            Ok(Some((connection, answer))) => {
                // What is in flight is bounded, and with it the number of these tasks.
                tokio::spawn(async move {
                    let answer = answer.await;
                    if let Ok(response) = &answer {
                        connection.throttled(response.throttle_time_ms);
                    }
                    let results = results(batches, failed, answer);
                    let _ = events.send(Event::Answered { broker, results });
                });
            }
            Ok(None) => {
                let nobody_says = Written { base_offset: None, append_time: None };
                let results = same_for_all(batches, failed, &Ok(nobody_says));
                let _ = events.send(Event::Answered { broker, results });
            }
            Err(error) => {
                let results = same_for_all(batches, failed, &Err(error));
                let _ = events.send(Event::Answered { broker, results });
            }
        }
    }
}

async fn send(
    shared: &Shared,
    broker: i32,
    request: &ProduceRequest,
) -> Result<Option<(Connection, Answer<ProduceRequest>)>> {
    let Settings { acks, compression, .. } = shared.settings;
    if let Some(coordination) = &shared.coordination {
        coordination.enlist(request).await?;
    }
    let connection = shared.client.broker(broker).await?;
    let versions = ApiKey::Produce.api().stable_versions();
    let first = if compression == Compression::Zstd { ZSTD_FIRST } else { versions.first };
    let last = shared.coordination.as_ref().map_or(BY_NAME_LAST, |it| it.produce_last(BY_NAME_LAST));
    let versions = VersionRange::new(first, last);
    if acks == Acks::None {
        connection.submit_unanswered_in(request, versions).await?;
        return Ok(None);
    }
    let answer = connection.submit(request, versions).await?;
    Ok(Some((connection, answer)))
}

fn build(shared: &Shared, shipment: Shipment, compressor: &mut Compressor) -> Built {
    let mut topics: Vec<TopicProduceData> = Vec::new();
    let mut places: HashMap<usize, usize> = HashMap::new();
    let (mut batches, mut failed) = (Vec::new(), Vec::new());
    for (place, mut batch) in shipment.batches {
        let bytes = match batch.build(compressor) {
            Ok(bytes) => bytes,
            Err(error) => {
                failed.push(((place, batch), Err(Error::Batch(Arc::new(error)))));
                continue;
            }
        };
        let next = topics.len();
        let index = *places.entry(place).or_insert(next);
        if index == next {
            let name = shared.accumulator().topic_name(place);
            topics.push(TopicProduceData { name, ..Default::default() });
        }
        if let Some(topic) = topics.get_mut(index) {
            let records = Some(Records::from(bytes));
            let data = PartitionProduceData { index: batch.partition, records, ..Default::default() };
            topic.partition_data.push(data);
            batches.push((topic.name.clone(), (place, batch)));
        }
    }
    tell(&batches);
    let timeout = shared.client.config().request_timeout;
    let request = ProduceRequest {
        transactional_id: shared.settings.transactional_id.clone(),
        acks: shared.settings.acks.code(),
        timeout_ms: i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX),
        topic_data: topics,
        ..Default::default()
    };
    Built { request, batches, failed }
}

fn tell(batches: &[(Text, Placed)]) {
    let records = batches.iter().map(|(_, (_, batch))| u64::try_from(batch.records).unwrap_or(0)).sum();
    let bytes = batches.iter().map(|(_, (_, batch))| u64::try_from(batch.bytes()).unwrap_or(0)).sum();
    telemetry::batches_sent(batches.len(), records, bytes);
}

fn same_for_all(
    batches: Vec<(Text, Placed)>,
    failed: Vec<(Placed, Result<Written>)>,
    result: &Result<Written>,
) -> Vec<(Placed, Result<Written>)> {
    let batches = batches.into_iter().map(|(_, placed)| (placed, result.clone()));
    batches.chain(failed).collect()
}

fn results(
    batches: Vec<(Text, Placed)>,
    failed: Vec<(Placed, Result<Written>)>,
    answer: Result<ProduceResponse>,
) -> Vec<(Placed, Result<Written>)> {
    let response = match answer {
        Ok(response) => response,
        Err(error) => return same_for_all(batches, failed, &Err(error)),
    };
    let mut answers: HashMap<(Text, i32), PartitionProduceResponse> = HashMap::new();
    for topic in response.responses {
        let named = topic.partition_responses.into_iter().map(|it| ((topic.name.clone(), it.index), it));
        answers.extend(named);
    }
    let mut results = failed;
    for (topic, (place, batch)) in batches {
        let subject = format!("{topic}-{}", batch.partition);
        let result = match answers.remove(&(topic, batch.partition)) {
            Some(answer) => written(answer, subject),
            None => Err(Error::Missing(subject)),
        };
        results.push(((place, batch), result));
    }
    results
}

fn written(answer: PartitionProduceResponse, subject: String) -> Result<Written> {
    let named = answer.error_message.map(String::from);
    let of_record = answer.record_errors.into_iter().find_map(|error| error.batch_index_error_message);
    Error::check(answer.error_code, || subject, of_record.map(String::from).or(named))?;
    Ok(Written {
        base_offset: Some(answer.base_offset).filter(|offset| *offset >= 0),
        append_time: Some(answer.log_append_time_ms).filter(|time| *time >= 0),
    })
}
