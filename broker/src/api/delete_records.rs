//! DeleteRecords: removes the oldest records of partitions by moving the beginning of their logs.
//!
//! -1 stands for the high watermark. An offset at or below the beginning changes nothing and is no error; one beyond
//! the high watermark, or below -1, is OFFSET_OUT_OF_RANGE. A topic that is compacted only is POLICY_VIOLATION, one of
//! the brokers' own INVALID_TOPIC_EXCEPTION. v1 changes nothing, v2 is flexible.

use std::sync::Arc;

use strandline_log::engine::{Command, Partition};
use strandline_protocol::ErrorCode;
use strandline_protocol::apis::delete_records::{
    DeleteRecordsPartition, DeleteRecordsPartitionResult, DeleteRecordsRequest, DeleteRecordsResponse,
    DeleteRecordsTopicResult,
};

use super::Dispatched;
use super::topics::Topic;
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;

/// Stands for the high watermark.
const HIGH_WATERMARK: i64 = -1;

/// A log whose beginning moves, and where the answer about it belongs.
struct Pending {
    place: (usize, usize),
    log: Arc<Partition>,
}

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: DeleteRecordsRequest) -> Dispatched {
    let (mut commands, mut pending) = (Vec::new(), Vec::new());
    let mut response = DeleteRecordsResponse::default();
    for asked in request.topics {
        let topic = topic(broker, &call, &asked.name);
        let mut partitions = Vec::with_capacity(asked.partitions.len());
        for partition in &asked.partitions {
            let planned = topic.clone().and_then(|topic| plan(broker, &topic, partition));
            let result = match planned {
                Ok((log, Some(start_offset))) => {
                    let place = (response.topics.len(), partitions.len());
                    commands.push(Command::SetLogStart { partition: log.id(), start_offset });
                    pending.push(Pending { place, log });
                    refused(ErrorCode::KAFKA_STORAGE_ERROR)
                }
                Ok((log, None)) => moved(&log),
                Err(code) => refused(code),
            };
            let partition_index = partition.partition_index;
            partitions.push(DeleteRecordsPartitionResult { partition_index, ..result });
        }
        let name = asked.name;
        response.topics.push(DeleteRecordsTopicResult { name, partitions, ..Default::default() });
    }
    if commands.is_empty() {
        return call.now(broker, response);
    }
    let submitted = broker.storage.submit(commands).await;
    call.later(broker, async move {
        for (Pending { place: (topic, partition), log }, outcome) in pending.into_iter().zip(submitted.await)
        {
            let topic = response.topics.get_mut(topic);
            let Some(place) = topic.and_then(|topic| topic.partitions.get_mut(partition)) else { continue };
            let result = match outcome {
                Ok(_) => moved(&log),
                Err(refusal) => refused(refusal.code()),
            };
            *place = DeleteRecordsPartitionResult { partition_index: place.partition_index, ..result };
        }
        response
    })
}

fn topic(broker: &Broker, call: &Call, name: &str) -> Result<Arc<Topic>, ErrorCode> {
    if !broker.authorizer.authorize(call, Operation::Delete, Resource::Topic(name)) {
        return Err(ErrorCode::TOPIC_AUTHORIZATION_FAILED);
    }
    broker.topics.by_name(name).ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
}

/// Where the log is to begin; none if it begins there or later already.
fn plan(
    broker: &Broker,
    topic: &Topic,
    asked: &DeleteRecordsPartition,
) -> Result<(Arc<Partition>, Option<i64>), ErrorCode> {
    topic.leadership(asked.partition_index)?;
    if topic.is_internal {
        return Err(ErrorCode::INVALID_TOPIC_EXCEPTION);
    }
    let log = topic.led(broker, asked.partition_index)?.log;
    if !topic.rules.deletes {
        return Err(ErrorCode::POLICY_VIOLATION);
    }
    let offsets = log.offsets();
    let offset = match asked.offset {
        HIGH_WATERMARK => offsets.high_watermark,
        offset => offset,
    };
    if offset < 0 || offset > offsets.high_watermark {
        return Err(ErrorCode::OFFSET_OUT_OF_RANGE);
    }
    Ok((log, (offset > offsets.start).then_some(offset)))
}

fn moved(log: &Partition) -> DeleteRecordsPartitionResult {
    DeleteRecordsPartitionResult { low_watermark: log.offsets().start, ..Default::default() }
}

fn refused(error_code: ErrorCode) -> DeleteRecordsPartitionResult {
    DeleteRecordsPartitionResult { error_code, low_watermark: -1, ..Default::default() }
}

#[cfg(test)]
mod tests;
