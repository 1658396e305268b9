//! UpdateFeatures: the levels of features that the cluster has agreed on. All of those that are named, or none.
//!
//! A level that this program does not have is INVALID_UPDATE_VERSION, and so is one that falls without saying that it
//! may. What is refused of one is the error of the whole, in every version, as Kafka has it since 4.0. Until v1 a success
//! has a result for each feature; v0 says with a flag what `upgrade_type` says later.

use std::sync::Arc;

use strandline_protocol::apis::update_features::{
    FeatureUpdateKey, UpdatableFeatureResult, UpdateFeaturesRequest, UpdateFeaturesResponse,
};
use strandline_protocol::{ErrorCode, Text};
use strandline_state::metadata::decide::{
    FeatureUpdate, Refusal, SetFeatures, SupportedFeature, UpgradeType,
};

use super::Dispatched;
use super::cluster::may_change_cluster;
use crate::broker::Broker;
use crate::context::Call;
use crate::features::FEATURES;

/// What Kafka puts before the fault that was found first.
const OF_ALL: &str = "The update failed for all features since the following feature had an error: ";

/// The last version in which each feature has a result.
const RESULTS_LAST_VERSION: i16 = 1;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: UpdateFeaturesRequest) -> Dispatched {
    let (owner, caller) = (Arc::clone(broker), call.clone());
    call.later(broker, async move {
        let names: Vec<_> = request.feature_updates.iter().map(|update| update.feature.clone()).collect();
        let result = |feature| UpdatableFeatureResult { feature, ..Default::default() };
        match update(&owner, &caller, request).await {
            Ok(()) => {
                let has_results = caller.version <= RESULTS_LAST_VERSION;
                let results = if has_results { names.into_iter().map(result).collect() } else { Vec::new() };
                UpdateFeaturesResponse { results, ..Default::default() }
            }
            Err(Refusal { code, message }) => UpdateFeaturesResponse {
                error_code: code,
                error_message: Some(Text::from(message)),
                ..Default::default()
            },
        }
    })
}

async fn update(broker: &Broker, call: &Call, request: UpdateFeaturesRequest) -> Result<(), Refusal> {
    may_change_cluster(broker, call)?;
    let updates: Result<Vec<_>, _> =
        request.feature_updates.into_iter().map(|update| wanted(update, call.version)).collect();
    let supported = FEATURES.iter().map(|feature| SupportedFeature {
        name: feature.name,
        min: feature.level_min,
        max: feature.level_max,
    });
    let (updates, supported) = (updates?, supported.collect());
    let (node_id, validate_only) = (broker.metadata.node_id(), request.validate_only);
    let set = broker.metadata.run(SetFeatures { updates, supported, node_id, validate_only }).await;
    set.map_err(|Refusal { code, message }| Refusal { code, message: format!("{OF_ALL}{message}") })
}

fn wanted(update: FeatureUpdateKey, version: i16) -> Result<FeatureUpdate, Refusal> {
    let upgrade_type = match version {
        0 if update.allow_downgrade => Some(UpgradeType::SafeDowngrade),
        0 => Some(UpgradeType::Upgrade),
        _ => UpgradeType::from_code(update.upgrade_type),
    };
    let Some(upgrade_type) = upgrade_type else {
        let message = format!("{} is no type of an upgrade.", update.upgrade_type);
        return Err(Refusal { code: ErrorCode::INVALID_REQUEST, message });
    };
    Ok(FeatureUpdate { name: update.feature, level: update.max_version_level, upgrade_type })
}
