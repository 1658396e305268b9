//! `strandline cluster features`: levels of what a cluster may do.

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::json;
use strandline_client::Error;
use strandline_protocol::ErrorCode;
use strandline_protocol::apis::api_versions::{ApiVersionsRequest, ApiVersionsResponse};

use crate::cluster::{Connecting, Failure, Output};
use crate::results::{self, or_dash};
use crate::table::Table;

#[derive(Debug, Default, Eq, PartialEq)]
struct Levels {
    known: Option<(i16, i16)>,
    in_use: Option<i16>,
}

pub(super) fn run(connecting: &Connecting, out: &mut impl Write) -> Result<(), Failure> {
    let response = connecting.run(async |client| {
        let request = ApiVersionsRequest {
            client_software_name: "strandline-cli".into(),
            client_software_version: env!("CARGO_PKG_VERSION").into(),
            ..Default::default()
        };
        let response = client.any_broker().await?.request(&request).await?;
        match response.error_code {
            ErrorCode::NONE => Ok(response),
            code => Err(Error::broker(code, "the features", None).into()),
        }
    })?;
    let levels = levels(&response);
    if connecting.output == Output::Json {
        let value = |(name, levels): (&String, &Levels)| {
            json!({
                "name": name, "min": levels.known.map(|(min, _)| min), "max": levels.known.map(|(_, max)| max),
                "level": levels.in_use,
            })
        };
        return Ok(results::json(&levels.iter().map(value).collect(), out)?);
    }
    let mut table = Table::new(&["NAME", "MIN", "MAX", "IN USE"]);
    for (name, levels) in &levels {
        let (min, max) = (levels.known.map(|(min, _)| min), levels.known.map(|(_, max)| max));
        table.row([name.clone(), or_dash(min), or_dash(max), or_dash(levels.in_use)]);
    }
    Ok(table.print(out)?)
}

fn levels(response: &ApiVersionsResponse) -> BTreeMap<String, Levels> {
    let mut levels: BTreeMap<String, Levels> = BTreeMap::new();
    for feature in &response.supported_features {
        let found = levels.entry(feature.name.to_string()).or_default();
        found.known = Some((feature.min_version, feature.max_version));
    }
    for feature in &response.finalized_features {
        levels.entry(feature.name.to_string()).or_default().in_use = Some(feature.max_version_level);
    }
    levels
}

#[cfg(test)]
mod tests {
    use strandline_protocol::apis::api_versions::{FinalizedFeatureKey, SupportedFeatureKey};

    use super::*;

    #[test]
    fn what_is_known_and_what_is_in_use_stand_together() {
        let known =
            SupportedFeatureKey { name: "a".into(), min_version: 1, max_version: 3, ..Default::default() };
        let used = FinalizedFeatureKey { name: "a".into(), max_version_level: 2, ..Default::default() };
        let response = ApiVersionsResponse {
            supported_features: vec![known],
            finalized_features: vec![used],
            ..Default::default()
        };
        let expected = Levels { known: Some((1, 3)), in_use: Some(2) };
        assert_eq!(levels(&response), BTreeMap::from([("a".to_owned(), expected)]));
    }
}
