//! A broker that decides or answers what it should not.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use strandline_broker::broker::Broker;
use strandline_broker::net::Service;
use strandline_protocol::apis::create_topics::CreateTopicsRequest;
use strandline_protocol::apis::delete_records::DeleteRecordsRequest;
use strandline_protocol::apis::delete_topics::{
    DeletableTopicResult, DeleteTopicsRequest, DeleteTopicsResponse,
};
use strandline_protocol::apis::fetch::FetchRequest;
use strandline_protocol::apis::init_producer_id::InitProducerIdRequest;
use strandline_protocol::apis::produce::{
    PartitionProduceResponse, ProduceRequest, ProduceResponse, TopicProduceResponse,
};
use strandline_protocol::batch::{BatchBuilder, BatchHeader, BatchView, NewRecord};
use strandline_protocol::{ErrorCode, Uuid};

use super::honest;
use super::rewrite::Rewrite;
use crate::world::World;

/// All batches of a request, with where they go.
fn batches(request: &ProduceRequest) -> Vec<((Uuid, i32), Bytes)> {
    let partitions = request.topic_data.iter().flat_map(|topic| {
        topic.partition_data.iter().map(|partition| ((topic.topic_id, partition.index), partition))
    });
    let batches = partitions
        .filter_map(|(place, partition)| Some((place, partition.records.as_ref()?.as_slice()?.clone())));
    batches.collect()
}

/// The same batch, without who sent it.
fn without_sender(bytes: &Bytes) -> Bytes {
    let mut builder = BatchBuilder::new();
    let view = BatchView::parse_only(bytes).unwrap();
    for record in &view.records(1 << 20).unwrap() {
        let record = record.unwrap();
        let headers: Vec<_> = record.headers.map(Result::unwrap).collect();
        let (key, value, timestamp) = (record.key, record.value, record.timestamp);
        builder.append(&NewRecord { timestamp, key, value, headers: &headers }).unwrap();
    }
    builder.build().unwrap()
}

/// Nobody notices that a batch was sent before.
pub(crate) fn deduplication_off(broker: &Arc<Broker>, _: &Arc<World>) -> Arc<dyn Service> {
    let ask = |mut request: ProduceRequest| {
        for partition in request.topic_data.iter_mut().flat_map(|topic| &mut topic.partition_data) {
            let bytes = partition.records.as_ref().and_then(|records| records.as_slice());
            let changed = bytes.map(without_sender);
            partition.records = changed.map(Into::into);
        }
        request
    };
    Arc::new(Rewrite { ask: Arc::new(ask), ..Rewrite::around(honest(broker)) })
}

/// A batch that was sent before is acknowledged, whether or not it is there yet.
pub(crate) fn duplicate_answered_early(broker: &Arc<Broker>, _: &Arc<World>) -> Arc<dyn Service> {
    let seen: Mutex<BTreeSet<_>> = Mutex::default();
    let skip = move |request: &ProduceRequest| {
        let keys = batches(request).into_iter().filter_map(|(place, bytes)| {
            let header = BatchHeader::parse(&bytes).ok()?;
            header.has_producer_id().then_some((place, header.producer_id, header.base_sequence))
        });
        let keys: Vec<_> = keys.collect();
        let mut seen = seen.lock().unwrap();
        let is_known = !keys.is_empty() && keys.iter().all(|key| seen.contains(key));
        seen.extend(keys);
        is_known.then(|| duplicates(request))
    };
    Arc::new(Rewrite { skip: Arc::new(skip), ..Rewrite::around(honest(broker)) })
}

/// Each batch of a request was sent before.
fn duplicates(request: &ProduceRequest) -> ProduceResponse {
    let topics = request.topic_data.iter().map(|topic| {
        let partitions = topic.partition_data.iter().map(|partition| PartitionProduceResponse {
            index: partition.index,
            error_code: ErrorCode::DUPLICATE_SEQUENCE_NUMBER,
            base_offset: -1,
            ..Default::default()
        });
        TopicProduceResponse {
            name: topic.name.clone(),
            topic_id: topic.topic_id,
            partition_responses: partitions.collect(),
            ..Default::default()
        }
    });
    ProduceResponse { responses: topics.collect(), ..Default::default() }
}

/// What cannot be written is acknowledged all the same.
pub(crate) fn offline_acknowledges(broker: &Arc<Broker>, _: &Arc<World>) -> Arc<dyn Service> {
    let say = |_: &ProduceRequest, mut response: ProduceResponse| {
        for partition in response.responses.iter_mut().flat_map(|topic| &mut topic.partition_responses) {
            if partition.error_code == ErrorCode::KAFKA_STORAGE_ERROR {
                (partition.error_code, partition.base_offset) = (ErrorCode::NONE, -1);
            }
        }
        response
    };
    Arc::new(Rewrite { say: Arc::new(say), ..Rewrite::around(honest(broker)) })
}

/// Nothing is removed from a log's beginning, and it is said to be.
pub(crate) fn forgotten_shortening(broker: &Arc<Broker>, _: &Arc<World>) -> Arc<dyn Service> {
    let ask = |mut request: DeleteRecordsRequest| {
        let partitions = request.topics.iter_mut().flat_map(|topic| &mut topic.partitions);
        partitions.for_each(|partition| partition.offset = 0);
        request
    };
    let say = |request: &DeleteRecordsRequest,
               mut response: <DeleteRecordsRequest as strandline_protocol::Request>::Response| {
        let asked = request.topics.iter().flat_map(|topic| &topic.partitions);
        let told = response.topics.iter_mut().flat_map(|topic| &mut topic.partitions);
        asked.zip(told).for_each(|(asked, told)| told.low_watermark = asked.offset);
        response
    };
    Arc::new(Rewrite { ask: Arc::new(ask), say: Arc::new(say), ..Rewrite::around(honest(broker)) })
}

/// Every producer gets the same id.
pub(crate) fn producer_id_twice(broker: &Arc<Broker>, _: &Arc<World>) -> Arc<dyn Service> {
    let say =
        |_: &InitProducerIdRequest,
         mut response: <InitProducerIdRequest as strandline_protocol::Request>::Response| {
            response.producer_id = 7;
            response
        };
    Arc::new(Rewrite { say: Arc::new(say), ..Rewrite::around(honest(broker)) })
}

/// A topic that is deleted stays where it is, and comes back as the next one of that name.
pub(crate) fn recreated_as_it_was(broker: &Arc<Broker>, _: &Arc<World>) -> Arc<dyn Service> {
    let skip = |request: &DeleteTopicsRequest| {
        let responses = request.topics.iter().map(|topic| DeletableTopicResult {
            name: topic.name.clone(),
            topic_id: topic.topic_id,
            ..Default::default()
        });
        Some(DeleteTopicsResponse { responses: responses.collect(), ..Default::default() })
    };
    let metadata = Arc::clone(&broker.metadata);
    let say =
        move |_: &CreateTopicsRequest,
              mut response: <CreateTopicsRequest as strandline_protocol::Request>::Response| {
            for topic in &mut response.topics {
                let image = metadata.image();
                if let (ErrorCode::TOPIC_ALREADY_EXISTS, Some(known)) =
                    (topic.error_code, image.topic(&topic.name))
                {
                    topic.error_code = ErrorCode::NONE;
                    topic.topic_id = known.id();
                    topic.num_partitions = i32::try_from(known.partitions().count()).unwrap();
                }
            }
            response
        };
    let deleting = Rewrite { skip: Arc::new(skip), ..Rewrite::around(honest(broker)) };
    Arc::new(Rewrite { say: Arc::new(say), ..Rewrite::around(Arc::new(deleting)) })
}

/// Batches that the writer has and that are not durable yet, by where they go.
type UnderWay = Arc<Mutex<BTreeMap<(Uuid, i32), VecDeque<Bytes>>>>;

/// Who has read everything is given what is not durable yet.
pub(crate) fn read_before_durable(broker: &Arc<Broker>, _: &Arc<World>) -> Arc<dyn Service> {
    let under_way = UnderWay::default();
    let (begun, done, read) = (Arc::clone(&under_way), Arc::clone(&under_way), under_way);
    let ask = move |request: ProduceRequest| {
        for (place, bytes) in batches(&request) {
            begun.lock().unwrap().entry(place).or_default().push_back(bytes);
        }
        request
    };
    let say = move |request: &ProduceRequest, response: ProduceResponse| {
        for (place, bytes) in batches(request) {
            done.lock().unwrap().entry(place).or_default().retain(|under_way| *under_way != bytes);
        }
        response
    };
    let producing = Rewrite { ask: Arc::new(ask), say: Arc::new(say), ..Rewrite::around(honest(broker)) };
    let say = move |_: &FetchRequest,
                    mut response: <FetchRequest as strandline_protocol::Request>::Response| {
        for topic in &mut response.responses {
            for partition in &mut topic.partitions {
                let is_empty = partition.records.as_ref().is_none_or(|records| records.is_empty());
                let place = (topic.topic_id, partition.partition_index);
                let next = read.lock().unwrap().get(&place).and_then(|under_way| under_way.front().cloned());
                let Some(next) = next.filter(|_| is_empty && partition.error_code == ErrorCode::NONE) else {
                    continue;
                };
                let mut header = BatchHeader::parse(&next).unwrap();
                header.assign(partition.high_watermark, 0);
                partition.high_watermark = header.last_offset() + 1;
                let mut bytes = BytesMut::from(&*next);
                header.write_over(&mut bytes).unwrap();
                partition.records = Some(bytes.freeze().into());
            }
        }
        response
    };
    Arc::new(Rewrite { say: Arc::new(say), ..Rewrite::around(Arc::new(producing)) })
}
