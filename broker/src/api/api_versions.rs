//! ApiVersions: what this broker serves, and which features the cluster has.
//!
//! A version that is too new is answered in version 0, with the list, so that the client can ask again. From v3 on
//! the client says what it is; a name that is none is INVALID_REQUEST.

use std::sync::Arc;

use strandline_protocol::apis::api_versions::{
    ApiVersion, ApiVersionsRequest, ApiVersionsResponse, FinalizedFeatureKey, SupportedFeatureKey,
};
use strandline_protocol::{ErrorCode, Text};

use super::{Dispatched, SERVED};
use crate::broker::Broker;
use crate::context::Call;
use crate::features::{FEATURES, Feature};

/// The first version whose readers understand a feature that can be off.
const FIRST_VERSION_OF_LEVEL_0: i16 = 4;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: ApiVersionsRequest) -> Dispatched {
    let is_named =
        is_software_name(&request.client_software_name) && is_software_name(&request.client_software_version);
    if call.version >= 3 && !is_named {
        let error_code = ErrorCode::INVALID_REQUEST;
        return call.now(broker, ApiVersionsResponse { error_code, ..Default::default() });
    }
    let image = broker.metadata.image();
    let finalized = image.features().map(|(name, level)| FinalizedFeatureKey {
        name: name.clone(),
        max_version_level: level,
        min_version_level: level,
        ..Default::default()
    });
    // Older Java clients throw at a feature that can be off (KAFKA-17011).
    let is_told = |feature: &&Feature| feature.level_min > 0 || call.version >= FIRST_VERSION_OF_LEVEL_0;
    let supported = FEATURES.iter().filter(is_told).map(|feature| SupportedFeatureKey {
        name: Text::from_static(feature.name),
        min_version: feature.level_min,
        max_version: feature.level_max,
        ..Default::default()
    });
    let response = ApiVersionsResponse {
        api_keys: advertised(),
        supported_features: supported.collect(),
        finalized_features_epoch: image.finalized_features_epoch(),
        finalized_features: finalized.collect(),
        ..Default::default()
    };
    call.now(broker, response)
}

/// The answer to a version that is too new.
pub(super) fn unsupported(broker: &Arc<Broker>, call: Call) -> Dispatched {
    let error_code = ErrorCode::UNSUPPORTED_VERSION;
    let response = ApiVersionsResponse { error_code, api_keys: advertised(), ..Default::default() };
    Dispatched::Now(call.reply_in(broker, 0, response))
}

fn advertised() -> Vec<ApiVersion> {
    let api_versions = SERVED.iter().map(|served| ApiVersion {
        api_key: served.key.into(),
        min_version: served.advertised.first,
        max_version: served.advertised.last,
        ..Default::default()
    });
    api_versions.collect()
}

/// Letters, digits, dots and dashes, of which the first and the last is none of the latter.
fn is_software_name(name: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    let ends = [name.bytes().next(), name.bytes().last()];
    name.bytes().all(is_inner) && ends.iter().all(|end| end.is_some_and(|byte| byte.is_ascii_alphanumeric()))
}
