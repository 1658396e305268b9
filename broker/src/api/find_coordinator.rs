//! FindCoordinator: which broker has a group, or a transactional id.
//!
//! It takes DESCRIBE on what is asked for. The first question makes the internal topic, and its answer waits for that;
//! where it cannot be made, the answer is COORDINATOR_NOT_AVAILABLE. Up to v3 there is one key, from v4 on several of one
//! kind. Share-partitions (v6) are for brokers, of which none asks.

use std::sync::Arc;

use strandline_protocol::apis::find_coordinator::{
    Coordinator as Found, FindCoordinatorRequest, FindCoordinatorResponse,
};
use strandline_protocol::{ErrorCode, Text};
use strandline_state::coordinator::Machine;

use super::Dispatched;
use super::cluster::nodes;
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;
use crate::coordinator::Coordinator;

/// The first version with several keys.
const FIRST_VERSION_OF_MANY: i16 = 4;

const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: FindCoordinatorRequest) -> Dispatched {
    let (owner, caller) = (Arc::clone(broker), call.clone());
    let version = call.version;
    call.later(broker, async move {
        if version >= FIRST_VERSION_OF_MANY {
            let mut coordinators = Vec::with_capacity(request.coordinator_keys.len());
            for key in request.coordinator_keys {
                coordinators.push(find(&owner, &caller, request.key_type, key).await);
            }
            return FindCoordinatorResponse { coordinators, ..Default::default() };
        }
        let found = find(&owner, &caller, request.key_type, request.key).await;
        let Found { node_id, host, port, error_code, error_message, .. } = found;
        FindCoordinatorResponse { node_id, host, port, error_code, error_message, ..Default::default() }
    })
}

async fn find(broker: &Arc<Broker>, call: &Call, key_type: i8, key: Text) -> Found {
    let may = |resource| broker.authorizer.authorize(call, Operation::Describe, resource);
    let found = match key_type {
        GROUP if !may(Resource::Group(&key)) => Err(ErrorCode::GROUP_AUTHORIZATION_FAILED),
        GROUP => find_in(broker, &broker.groups, &key).await,
        TRANSACTION if !may(Resource::TransactionalId(&key)) => {
            Err(ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
        }
        TRANSACTION => find_in(broker, broker.transactions.coordinator(), &key).await,
        _ => Err(ErrorCode::INVALID_REQUEST),
    };
    let image = broker.metadata.image();
    let node = found.and_then(|leader| {
        let node = nodes(broker, call, &image).into_iter().find(|node| node.id == leader);
        node.ok_or(ErrorCode::COORDINATOR_NOT_AVAILABLE)
    });
    match node {
        Ok(node) => Found {
            key,
            node_id: node.id,
            host: node.endpoint.host,
            port: node.endpoint.port.into(),
            ..Default::default()
        },
        Err(error_code) => {
            let error_message = Some(Text::from(error_code.to_string()));
            Found { key, node_id: -1, port: -1, error_code, error_message, ..Default::default() }
        }
    }
}

/// The broker that leads the partition that a key belongs to.
async fn find_in<M: Machine>(
    broker: &Arc<Broker>,
    coordinator: &Coordinator<M>,
    key: &str,
) -> Result<i32, ErrorCode> {
    coordinator.ensure_topic().await?;
    let unavailable = ErrorCode::COORDINATOR_NOT_AVAILABLE;
    let partition = coordinator.partition_of(key).map_err(|_| unavailable)?;
    let topic = broker.topics.by_id(coordinator.topic_id()).ok_or(unavailable)?;
    topic.leadership(partition).ok().map(|led| led.leader).filter(|id| *id >= 0).ok_or(unavailable)
}
