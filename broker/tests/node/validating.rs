//! What is only to be checked changes nothing, and the same request without that flag does.

use std::collections::BTreeMap;

use strandline_protocol::apis::alter_configs::{
    AlterConfigsRequest, AlterConfigsResource as OldResource, AlterableConfig as OldConfig,
};
use strandline_protocol::apis::create_partitions::{CreatePartitionsRequest, CreatePartitionsTopic};
use strandline_protocol::apis::incremental_alter_configs::IncrementalAlterConfigsRequest;
use strandline_protocol::apis::metadata::MetadataRequest;
use strandline_protocol::apis::update_features::{FeatureUpdateKey, UpdateFeaturesRequest};
use strandline_protocol::{ErrorCode, Text};

use crate::support::{Folder, Running};
use crate::wire::{BROKER, Change, GROUP, TOPIC, alteration, create, described};

/// A setting of each kind of resource, and a value that is not its default. The broker without a number is all of them.
const SETTINGS: [(i8, &str, &str, &str); 4] = [
    (TOPIC, "t", "retention.ms", "7000"),
    (BROKER, "1", "message.max.bytes", "7000"),
    (BROKER, "", "log.retention.ms", "7000"),
    (GROUP, "g", "consumer.session.timeout.ms", "50000"),
];

/// The values of all resources, with where each is from.
async fn values(running: &Running) -> BTreeMap<(i8, &'static str, String), (Option<Text>, i8)> {
    let mut values = BTreeMap::new();
    for (resource_type, resource, _, _) in SETTINGS {
        for (name, config) in described(running, resource_type, resource).await {
            values.insert((resource_type, resource, name), (config.value, config.config_source));
        }
    }
    values
}

/// Changes all of them in one version of the request that says all of a resource's settings anew.
async fn replace(running: &Running, version: i16, validate_only: bool) -> Vec<ErrorCode> {
    let resource = |(resource_type, resource, name, value): (i8, &str, &str, &str)| OldResource {
        resource_type,
        resource_name: resource.into(),
        configs: vec![OldConfig { name: name.into(), value: Some(value.into()), ..Default::default() }],
        ..Default::default()
    };
    let resources = SETTINGS.map(resource).to_vec();
    let request = AlterConfigsRequest { resources, validate_only, ..Default::default() };
    running.ask_in(version, &request).await.responses.iter().map(|said| said.error_code).collect()
}

/// The same with the request that names what changes.
async fn alter(running: &Running, version: i16, sets: bool, validate_only: bool) -> Vec<ErrorCode> {
    let resource = |(resource_type, resource, name, value)| {
        let change = if sets { Change::Set(value) } else { Change::Delete };
        alteration(resource_type, resource, &[(name, change)])
    };
    let resources = SETTINGS.map(resource).to_vec();
    let request = IncrementalAlterConfigsRequest { resources, validate_only, ..Default::default() };
    running.ask_in(version, &request).await.responses.iter().map(|said| said.error_code).collect()
}

#[tokio::test]
async fn settings_of_every_kind_of_resource_stay_as_they_are() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    create(&running, "t", &[]).await;
    let none = vec![ErrorCode::NONE; SETTINGS.len()];
    let before = values(&running).await;
    let (set, reset) = (true, false);
    for version in 0..=2 {
        assert_eq!(replace(&running, version, true).await, none);
        assert_eq!(values(&running).await, before, "AlterConfigs v{version}");
        assert_eq!(replace(&running, version, false).await, none);
        let changed = values(&running).await;
        for (resource_type, resource, name, value) in SETTINGS {
            let found = &changed[&(resource_type, resource, name.to_owned())];
            assert_eq!(found.0.as_deref(), Some(value), "AlterConfigs v{version}: {resource}");
        }
        assert_eq!(alter(&running, 1, reset, true).await, none);
        assert_eq!(values(&running).await, changed, "a value is not taken back either");
        assert_eq!(alter(&running, 1, reset, false).await, none);
        assert_eq!(values(&running).await, before);
    }
    for version in 0..=1 {
        assert_eq!(alter(&running, version, set, true).await, none);
        assert_eq!(values(&running).await, before, "IncrementalAlterConfigs v{version}");
        assert_eq!(alter(&running, version, set, false).await, none);
        assert_ne!(values(&running).await, before);
        assert_eq!(alter(&running, version, reset, false).await, none);
    }
    running.stop().await;
}

#[tokio::test]
async fn partitions_that_could_be_added_are_not() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    create(&running, "t", &[]).await;
    let partitions = async || {
        let metadata = running.ask(&MetadataRequest { topics: None, ..Default::default() }).await;
        metadata.topics[0].partitions.len()
    };
    for (version, count, validate_only, code, expected) in [
        (0, 3, true, ErrorCode::NONE, 1),
        (3, 3, true, ErrorCode::NONE, 1),
        (3, 1, true, ErrorCode::INVALID_PARTITIONS, 1),
        (3, 3, false, ErrorCode::NONE, 3),
    ] {
        let topic =
            CreatePartitionsTopic { name: "t".into(), count, assignments: None, ..Default::default() };
        let request = CreatePartitionsRequest { topics: vec![topic], validate_only, ..Default::default() };
        let said = running.ask_in(version, &request).await.results.remove(0);
        assert_eq!(said.error_code, code, "{version} {count}: {:?}", said.error_message);
        assert_eq!(partitions().await, expected, "{version} {count}");
    }
    running.stop().await;
}

#[tokio::test]
async fn features_that_could_move_do_not() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    let level = |name| running.node.broker().metadata.image().feature(name);
    for (name, high, low) in [("group.version", 1, 0), ("transaction.version", 2, 1)] {
        for (wanted, upgrade_type) in [(low, 2), (high, 1)] {
            let before = level(name);
            assert_ne!(before, wanted);
            for (validate_only, version, expected) in
                [(true, 1, before), (true, 2, before), (false, 2, wanted)]
            {
                let update = FeatureUpdateKey {
                    feature: name.into(),
                    max_version_level: wanted,
                    upgrade_type,
                    ..Default::default()
                };
                let feature_updates = vec![update];
                let request = UpdateFeaturesRequest { feature_updates, validate_only, ..Default::default() };
                let answer = running.ask_in(version, &request).await;
                assert_eq!(answer.error_code, ErrorCode::NONE, "{answer:?}");
                assert!(answer.results.iter().all(|result| result.error_code == ErrorCode::NONE));
                assert_eq!(level(name), expected, "{name} to {wanted} in v{version}");
            }
        }
    }
    running.stop().await;
}
