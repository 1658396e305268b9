//! What the APIs share that change and describe settings: who may, and how a change is carried out.

use std::collections::HashSet;

use strandline_protocol::{ErrorCode, Text};
use strandline_state::metadata::decide::{AlterConfigs, ConfigChange, Refusal, ResourceChange};
use strandline_state::metadata::image::{RESOURCE_GROUP, RESOURCE_LOGGER, RESOURCE_TOPIC};

use super::configs_of_loggers;
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;

/// A resource that somebody wants changed, if what is wanted makes sense.
pub(super) struct Wanted {
    pub(super) resource_type: i8,
    pub(super) resource_name: Text,
    pub(super) change: Result<ConfigChange, Refusal>,
}

/// A resource, and why it was not changed if it was not.
pub(super) struct Altered {
    pub(super) resource_type: i8,
    pub(super) resource_name: Text,
    pub(super) refusal: Option<Refusal>,
}

impl Altered {
    /// What the answer says of it.
    pub(super) fn into_parts(self) -> (ErrorCode, Option<Text>, i8, Text) {
        let (code, message) = match self.refusal {
            Some(Refusal { code, message }) => (code, Some(Text::from(message))),
            None => (ErrorCode::NONE, None),
        };
        (code, message, self.resource_type, self.resource_name)
    }
}

/// Whether the asker may do this with a resource.
pub(super) fn allowed(
    broker: &Broker,
    call: &Call,
    operation: Operation,
    resource_type: i8,
    name: &str,
) -> Result<(), Refusal> {
    let (resource, code, what) = match resource_type {
        RESOURCE_TOPIC => (Resource::Topic(name), ErrorCode::TOPIC_AUTHORIZATION_FAILED, "Topic"),
        RESOURCE_GROUP => (Resource::Group(name), ErrorCode::GROUP_AUTHORIZATION_FAILED, "Group"),
        _ => (Resource::Cluster, ErrorCode::CLUSTER_AUTHORIZATION_FAILED, "Cluster"),
    };
    if broker.authorizer.authorize(call, operation, resource) {
        return Ok(());
    }
    Err(Refusal { code, message: format!("{what} authorization failed.") })
}

/// What is named more than once, of whatever type: which of the changes is meant, nobody can tell.
fn repeated(wanted: &[Wanted]) -> HashSet<(i8, Text)> {
    let mut seen = HashSet::with_capacity(wanted.len());
    let names = wanted.iter().map(|wanted| (wanted.resource_type, &wanted.resource_name));
    let repeated = names.filter(|name| !seen.insert(*name));
    repeated.map(|(resource_type, name)| (resource_type, name.clone())).collect()
}

/// Changes what can be changed, each resource on its own, and says what became of each in their order.
pub(super) async fn alter(
    broker: &Broker,
    call: &Call,
    wanted: Vec<Wanted>,
    validate_only: bool,
) -> Vec<Altered> {
    let (mut altered, mut places, mut resources) = (Vec::with_capacity(wanted.len()), Vec::new(), Vec::new());
    let repeated = repeated(&wanted);
    for Wanted { resource_type, resource_name, change } in wanted {
        let may = if repeated.contains(&(resource_type, resource_name.clone())) {
            let message = "Each resource must appear at most once.".to_owned();
            Err(Refusal { code: ErrorCode::INVALID_REQUEST, message })
        } else {
            allowed(broker, call, Operation::AlterConfigs, resource_type, &resource_name)
        };
        let refusal = match may.and(change) {
            Ok(change) if resource_type == RESOURCE_LOGGER => {
                configs_of_loggers::alter(broker, &resource_name, &change, validate_only).err()
            }
            Ok(change) => {
                places.push(altered.len());
                resources.push(ResourceChange {
                    resource_type,
                    resource_name: resource_name.clone(),
                    change,
                });
                None
            }
            Err(refusal) => Some(refusal),
        };
        altered.push(Altered { resource_type, resource_name, refusal });
    }
    let metadata = &broker.metadata;
    let (settings, node_id) = (metadata.started_with().clone(), metadata.node_id());
    let results = metadata.run(AlterConfigs { resources, validate_only, settings, node_id }).await;
    let results = results.unwrap_or_else(|refusal| vec![Err(refusal); places.len()]);
    for (place, result) in places.into_iter().zip(results) {
        if let Some(altered) = altered.get_mut(place) {
            altered.refusal = result.err();
        }
    }
    altered
}
