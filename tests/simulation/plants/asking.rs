//! A broker that does not heed a part of what it is asked.

use std::sync::Arc;

use strandline_broker::broker::Broker;
use strandline_broker::net::Service;
use strandline_protocol::Request;
use strandline_protocol::apis::create_partitions::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopicResult,
};
use strandline_protocol::apis::create_topics::CreateTopicsRequest;
use strandline_protocol::apis::fetch::FetchRequest;
use strandline_protocol::apis::list_offsets::ListOffsetsRequest;

use super::honest;
use super::rewrite::Rewrite;
use crate::world::World;

/// Whoever has read what is gone by now is not told.
pub(crate) fn truncation_not_told(broker: &Arc<Broker>, _: &Arc<World>) -> Arc<dyn Service> {
    let ask = |mut request: FetchRequest| {
        let partitions = request.topics.iter_mut().flat_map(|topic| &mut topic.partitions);
        partitions.for_each(|partition| partition.last_fetched_epoch = -1);
        request
    };
    Arc::new(Rewrite { ask: Arc::new(ask), ..Rewrite::around(honest(broker)) })
}

/// Of the records of a time the first is left out.
pub(crate) fn time_looked_up_late(broker: &Arc<Broker>, _: &Arc<World>) -> Arc<dyn Service> {
    let say = |request: &ListOffsetsRequest, mut response: <ListOffsetsRequest as Request>::Response| {
        let asked = request.topics.iter().flat_map(|topic| &topic.partitions);
        let told = response.topics.iter_mut().flat_map(|topic| &mut topic.partitions);
        let by_time = asked.zip(told).filter(|(asked, told)| asked.timestamp >= 0 && told.offset >= 0);
        by_time.for_each(|(_, told)| told.offset += 1);
        response
    };
    Arc::new(Rewrite { say: Arc::new(say), ..Rewrite::around(honest(broker)) })
}

/// Partitions are said to be made.
pub(crate) fn partitions_not_made(broker: &Arc<Broker>, _: &Arc<World>) -> Arc<dyn Service> {
    let skip = |request: &CreatePartitionsRequest| {
        let result = |name| CreatePartitionsTopicResult { name, ..Default::default() };
        let results = request.topics.iter().map(|topic| result(topic.name.clone())).collect();
        Some(CreatePartitionsResponse { results, ..Default::default() })
    };
    Arc::new(Rewrite { skip: Arc::new(skip), ..Rewrite::around(honest(broker)) })
}

/// A setting of new topics is forgotten.
fn without_setting(broker: &Arc<Broker>, name: &'static str) -> Arc<dyn Service> {
    let ask = move |mut request: CreateTopicsRequest| {
        request
            .topics
            .iter_mut()
            .for_each(|topic| topic.configs.retain(|config| config.name.as_str() != name));
        request
    };
    Arc::new(Rewrite { ask: Arc::new(ask), ..Rewrite::around(honest(broker)) })
}

/// Records stay as their producers compressed them.
pub(crate) fn not_recompressed(broker: &Arc<Broker>, _: &Arc<World>) -> Arc<dyn Service> {
    without_setting(broker, "compression.type")
}
