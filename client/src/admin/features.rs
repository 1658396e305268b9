//! Features of the cluster: the levels that its brokers know, and the one that is in force.

use std::collections::BTreeMap;

use strandline_protocol::apis::api_versions::ApiVersionsRequest;
use strandline_protocol::apis::update_features::{FeatureUpdateKey, UpdateFeaturesRequest};

use super::Admin;
use crate::error::{Error, Result};

/// A feature of the cluster.
///
/// ```
/// assert_eq!(strandline_client::Feature::default().level, None);
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Feature {
    /// What it is called.
    pub name: String,
    /// The lowest level that the broker knows.
    pub level_min: i16,
    /// The highest.
    pub level_max: i16,
    /// The level that is in force, if any is.
    pub level: Option<i16>,
}

/// What is to become of a feature.
///
/// ```
/// use strandline_client::FeatureChange;
/// let change = FeatureChange { name: "transaction.version".to_owned(), level: 2, may_lose_data: None };
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FeatureChange {
    /// Which.
    pub name: String,
    /// Its new level; 0 takes it out of force.
    pub level: i16,
    /// Whether the level may be lower than the one in force, and if it may, whether data may be lost by it.
    pub may_lose_data: Option<bool>,
}

impl Admin {
    /// The features that a broker knows, and their levels.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// for feature in admin.describe_features().await? {
    ///     println!("{}: {:?} of {}", feature.name, feature.level, feature.level_max);
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn describe_features(&self) -> Result<Vec<Feature>> {
        let request = ApiVersionsRequest {
            client_software_name: "strandline".into(),
            client_software_version: env!("CARGO_PKG_VERSION").into(),
            ..Default::default()
        };
        let response = self.client.ask_any(&request).await?;
        Error::check(response.error_code, || "the features".to_owned(), None)?;
        let mut features: BTreeMap<String, Feature> = BTreeMap::new();
        for known in response.supported_features {
            let name = String::from(known.name);
            let (level_min, level_max) = (known.min_version, known.max_version);
            features.insert(name.clone(), Feature { name, level_min, level_max, level: None });
        }
        for agreed in response.finalized_features {
            let name = String::from(agreed.name);
            let feature =
                features.entry(name.clone()).or_insert_with(|| Feature { name, ..Feature::default() });
            feature.level = Some(agreed.max_version_level);
        }
        Ok(features.into_values().collect())
    }

    /// Changes the levels of features, all of these or none, or only says whether that could be done.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// use strandline_client::FeatureChange;
    /// let change = FeatureChange { name: "transaction.version".to_owned(), level: 2, may_lose_data: None };
    /// admin.update_features(&[change], true).await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn update_features(&self, changes: &[FeatureChange], validate_only: bool) -> Result<()> {
        let update = |change: &FeatureChange| FeatureUpdateKey {
            feature: change.name.as_str().into(),
            max_version_level: change.level,
            upgrade_type: match change.may_lose_data {
                None => 1,
                Some(false) => 2,
                Some(true) => 3,
            },
            ..Default::default()
        };
        let request = UpdateFeaturesRequest {
            timeout_ms: self.timeout_ms(),
            feature_updates: changes.iter().map(update).collect(),
            validate_only,
            ..Default::default()
        };
        let response = self.client.ask_controller(&request, |response| Some(response.error_code)).await?;
        let message = response.error_message.map(String::from);
        Error::check(response.error_code, || "the features".to_owned(), message)?;
        for result in response.results {
            let subject = || format!("feature {}", result.feature);
            Error::check(result.error_code, subject, result.error_message.clone().map(String::from))?;
        }
        Ok(())
    }
}
