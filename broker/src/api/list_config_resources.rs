//! ListConfigResources: what can be described and changed: topics and brokers, with those that nothing is set on,
//! and groups that something is set on.
//!
//! Version 0 asks for subscriptions of client metrics, of which there are none. A type that there is not is
//! UNSUPPORTED_VERSION.

use std::sync::Arc;

use strandline_protocol::apis::list_config_resources::{
    ConfigResource, ListConfigResourcesRequest, ListConfigResourcesResponse,
};
use strandline_protocol::{ErrorCode, Text};
use strandline_state::metadata::MetadataImage;
use strandline_state::metadata::image::{
    RESOURCE_BROKER, RESOURCE_CLIENT_METRICS, RESOURCE_GROUP, RESOURCE_LOGGER, RESOURCE_TOPIC,
};

use super::Dispatched;
use super::configs::allowed;
use crate::authorize::Operation;
use crate::broker::Broker;
use crate::context::Call;

/// Every type, for who names none.
const TYPES: [i8; 5] =
    [RESOURCE_TOPIC, RESOURCE_BROKER, RESOURCE_LOGGER, RESOURCE_CLIENT_METRICS, RESOURCE_GROUP];

pub(super) async fn handle(
    broker: &Arc<Broker>,
    call: Call,
    request: ListConfigResourcesRequest,
) -> Dispatched {
    let response = match list(broker, &call, &request) {
        Ok(config_resources) => ListConfigResourcesResponse { config_resources, ..Default::default() },
        Err(error_code) => ListConfigResourcesResponse { error_code, ..Default::default() },
    };
    call.now(broker, response)
}

fn list(
    broker: &Broker,
    call: &Call,
    request: &ListConfigResourcesRequest,
) -> Result<Vec<ConfigResource>, ErrorCode> {
    let may = allowed(broker, call, Operation::DescribeConfigs, RESOURCE_BROKER, "");
    may.map_err(|refusal| refusal.code)?;
    let types: &[i8] = match request.resource_types.as_slice() {
        _ if call.version == 0 => &[RESOURCE_CLIENT_METRICS],
        [] => &TYPES,
        types => types,
    };
    if types.iter().any(|asked| !TYPES.contains(asked)) {
        return Err(ErrorCode::UNSUPPORTED_VERSION);
    }
    let image = broker.metadata.image();
    let asked = TYPES.into_iter().filter(|known| types.contains(known));
    let resources = asked.flat_map(|resource_type| {
        let names = names(&image, resource_type).into_iter();
        names.map(move |resource_name| ConfigResource { resource_name, resource_type, ..Default::default() })
    });
    Ok(resources.collect())
}

fn names(image: &MetadataImage, resource_type: i8) -> Vec<Text> {
    match resource_type {
        RESOURCE_TOPIC => image.topics().map(|topic| topic.name().clone()).collect(),
        RESOURCE_BROKER | RESOURCE_LOGGER => image.brokers().map(|(id, _)| id.to_string().into()).collect(),
        other => image.configured(other).cloned().collect(),
    }
}
