//! DescribeProducers: which producers a partition remembers, and which of them have a transaction open.
//!
//! Who may read a topic may ask. A partition that is led elsewhere is NOT_LEADER_OR_FOLLOWER.

use std::sync::Arc;

use strandline_log::engine::{Command, Done};
use strandline_log::local_id::LocalId;
use strandline_log::producers::ActiveProducer;
use strandline_protocol::apis::describe_producers::{
    DescribeProducersRequest, DescribeProducersResponse, PartitionResponse, ProducerState, TopicResponse,
};
use strandline_protocol::{ErrorCode, Text};

use super::Dispatched;
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;

/// Nothing of the kind.
const NONE: i64 = -1;

pub(super) async fn handle(
    broker: &Arc<Broker>,
    call: Call,
    request: DescribeProducersRequest,
) -> Dispatched {
    let (mut commands, mut places) = (Vec::new(), Vec::new());
    let mut response = DescribeProducersResponse::default();
    for asked in request.topics {
        let mut partitions = Vec::with_capacity(asked.partition_indexes.len());
        for index in asked.partition_indexes {
            // Until the log's writer has said otherwise.
            let mut error_code = ErrorCode::KAFKA_STORAGE_ERROR;
            match log(broker, &call, &asked.name, index) {
                Ok(partition) => {
                    places.push((response.topics.len(), partitions.len()));
                    commands.push(Command::ListProducers { partition });
                }
                Err(code) => error_code = code,
            }
            partitions.push(PartitionResponse { partition_index: index, error_code, ..Default::default() });
        }
        response.topics.push(TopicResponse { name: asked.name, partitions, ..Default::default() });
    }
    if commands.is_empty() {
        return call.now(broker, response);
    }
    let submitted = broker.storage.submit(commands).await;
    call.later(broker, async move {
        for ((topic, partition), outcome) in places.into_iter().zip(submitted.await) {
            let topic = response.topics.get_mut(topic);
            let Some(place) = topic.and_then(|topic| topic.partitions.get_mut(partition)) else { continue };
            match outcome {
                Ok(Done::Producers(producers)) => {
                    place.error_code = ErrorCode::NONE;
                    place.active_producers = producers.iter().map(state).collect();
                }
                Ok(_) => {}
                Err(refusal) => {
                    place.error_code = refusal.code();
                    place.error_message = Some(Text::from(refusal.to_string()));
                }
            }
        }
        response
    })
}

fn log(broker: &Broker, call: &Call, name: &str, index: i32) -> Result<LocalId, ErrorCode> {
    if !broker.authorizer.authorize(call, Operation::Read, Resource::Topic(name)) {
        return Err(ErrorCode::TOPIC_AUTHORIZATION_FAILED);
    }
    let topic = broker.topics.by_name(name).ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
    Ok(topic.led(broker, index)?.log.id())
}

fn state(producer: &ActiveProducer) -> ProducerState {
    ProducerState {
        producer_id: producer.producer_id,
        producer_epoch: producer.epoch.into(),
        last_sequence: producer.last_sequence,
        last_timestamp: producer.last_timestamp,
        coordinator_epoch: producer.coordinator_epoch,
        current_txn_start_offset: producer.transaction_start.unwrap_or(NONE),
        ..Default::default()
    }
}
