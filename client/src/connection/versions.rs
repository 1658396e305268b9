//! What a broker serves.

use strandline_protocol::apis::ApiKey;
use strandline_protocol::apis::api_versions::{ApiVersionsResponse, FinalizedFeatureKey};
use strandline_protocol::schema::VersionRange;
use strandline_protocol::{Request, Text};

/// The versions of each API that a broker said it serves.
///
/// ```
/// use strandline_client::BrokerVersions;
/// use strandline_protocol::apis::api_versions::{ApiVersion, ApiVersionsResponse};
/// use strandline_protocol::apis::metadata::MetadataRequest;
///
/// let metadata = ApiVersion { api_key: 3, min_version: 4, max_version: 99, ..Default::default() };
/// let answer = ApiVersionsResponse { api_keys: vec![metadata], ..Default::default() };
/// let versions = BrokerVersions::from(&answer);
/// assert_eq!(versions.highest::<MetadataRequest>(), Some(13), "the highest that this crate knows");
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BrokerVersions {
    // By key, rising. Keys that this crate does not know are of no use to it.
    ranges: Vec<(ApiKey, VersionRange)>,
    // Features of the whole cluster, and their levels.
    features: Vec<(Text, i16)>,
}

impl BrokerVersions {
    pub(super) const NONE: &'static Self = &Self { ranges: Vec::new(), features: Vec::new() };

    /// The versions of one API, none if the broker does not serve it.
    ///
    /// ```
    /// use strandline_protocol::apis::ApiKey;
    /// assert!(strandline_client::BrokerVersions::default().of(ApiKey::Fetch).is_empty());
    /// ```
    pub fn of(&self, key: ApiKey) -> VersionRange {
        let place = self.ranges.binary_search_by_key(&key, |(key, _)| *key);
        place.ok().and_then(|index| self.ranges.get(index)).map_or(VersionRange::NONE, |(_, range)| *range)
    }

    /// The level of a feature that all brokers of the cluster have agreed on, none if they have not.
    ///
    /// ```
    /// assert_eq!(strandline_client::BrokerVersions::default().feature("transaction.version"), None);
    /// ```
    pub fn feature(&self, name: &str) -> Option<i16> {
        self.features.iter().find(|(known, _)| *known == name).map(|(_, level)| *level)
    }

    /// The highest version of an API that both the broker and this crate know.
    ///
    /// ```
    /// use strandline_protocol::apis::fetch::FetchRequest;
    /// assert_eq!(strandline_client::BrokerVersions::default().highest::<FetchRequest>(), None);
    /// ```
    pub fn highest<R: Request>(&self) -> Option<i16> {
        let both = self.of(R::KEY).intersection(R::KEY.api().stable_versions());
        if both.is_empty() { None } else { Some(both.last) }
    }
}

impl From<&ApiVersionsResponse> for BrokerVersions {
    fn from(response: &ApiVersionsResponse) -> Self {
        let known = response.api_keys.iter().filter_map(|api| {
            let key = ApiKey::try_from(api.api_key).ok()?;
            Some((key, VersionRange::new(api.min_version, api.max_version)))
        });
        let mut ranges: Vec<_> = known.collect();
        // Each key once, as the protocol has it; a broker that says more than one is taken at its first word.
        ranges.sort_by_key(|(key, _)| *key);
        ranges.dedup_by_key(|(key, _)| *key);
        let feature =
            |feature: &FinalizedFeatureKey| (feature.name.clone().detached(), feature.max_version_level);
        Self { ranges, features: response.finalized_features.iter().map(feature).collect() }
    }
}
