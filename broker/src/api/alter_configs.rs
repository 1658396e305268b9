//! AlterConfigs: all that is set on a resource, anew. Old clients use it; what they do not name goes back to its
//! default.
//!
//! Resources are independent of one another. One that is named twice is INVALID_REQUEST each time, and the others are
//! changed; Kafka drops the connection without an answer. A setting that is named twice or has no value is
//! INVALID_REQUEST as well. Loggers are not changed this way.

use std::sync::Arc;

use strandline_protocol::apis::alter_configs::{
    AlterConfigsRequest, AlterConfigsResource, AlterConfigsResourceResponse, AlterConfigsResponse,
};
use strandline_state::metadata::decide::ConfigChange;

use super::Dispatched;
use super::configs::{Altered, Wanted, alter};
use crate::broker::Broker;
use crate::context::Call;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: AlterConfigsRequest) -> Dispatched {
    let (owner, caller) = (Arc::clone(broker), call.clone());
    call.later(broker, async move {
        let wanted = request.resources.into_iter().map(wanted).collect();
        let altered = alter(&owner, &caller, wanted, request.validate_only).await;
        let responses = altered.into_iter().map(response).collect();
        AlterConfigsResponse { responses, ..Default::default() }
    })
}

fn wanted(resource: AlterConfigsResource) -> Wanted {
    let configs = resource.configs.into_iter().map(|config| (config.name, config.value));
    Wanted {
        resource_type: resource.resource_type,
        resource_name: resource.resource_name,
        change: Ok(ConfigChange::Replace(configs.collect())),
    }
}

fn response(altered: Altered) -> AlterConfigsResourceResponse {
    let (error_code, error_message, resource_type, resource_name) = altered.into_parts();
    AlterConfigsResourceResponse {
        error_code,
        error_message,
        resource_type,
        resource_name,
        ..Default::default()
    }
}
