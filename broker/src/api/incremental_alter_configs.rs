//! IncrementalAlterConfigs: what is set on topics, groups and brokers, setting by setting; what is not named
//! stays.
//!
//! Resources are independent of one another. An answer without an error says that the change is durable and in force
//! on every partition. An unknown operation is INVALID_REQUEST, adding to what is no list INVALID_CONFIG.
//! A resource that is named twice is INVALID_REQUEST each time, loggers too.

use std::sync::Arc;

use strandline_protocol::ErrorCode;
use strandline_protocol::Text;
use strandline_protocol::apis::incremental_alter_configs::{
    AlterConfigsResource, AlterConfigsResourceResponse, AlterableConfig, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
};
use strandline_state::metadata::decide::{ConfigChange, ConfigOperation, Refusal};

use super::Dispatched;
use super::configs::{Altered, Wanted, alter};
use crate::broker::Broker;
use crate::context::Call;

pub(super) async fn handle(
    broker: &Arc<Broker>,
    call: Call,
    request: IncrementalAlterConfigsRequest,
) -> Dispatched {
    let (owner, caller) = (Arc::clone(broker), call.clone());
    call.later(broker, async move {
        let wanted = request.resources.into_iter().map(wanted).collect();
        let altered = alter(&owner, &caller, wanted, request.validate_only).await;
        let responses = altered.into_iter().map(response).collect();
        IncrementalAlterConfigsResponse { responses, ..Default::default() }
    })
}

fn wanted(resource: AlterConfigsResource) -> Wanted {
    let operations: Result<Vec<_>, _> = resource.configs.into_iter().map(operation).collect();
    Wanted {
        resource_type: resource.resource_type,
        resource_name: resource.resource_name,
        change: operations.map(ConfigChange::Incremental),
    }
}

fn operation(config: AlterableConfig) -> Result<(Text, ConfigOperation, Option<Text>), Refusal> {
    let AlterableConfig { name, config_operation, value, .. } = config;
    match ConfigOperation::from_code(config_operation) {
        Some(operation) => Ok((name, operation, value)),
        None => {
            let message = format!("Unknown operations type {config_operation}");
            Err(Refusal { code: ErrorCode::INVALID_REQUEST, message })
        }
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
