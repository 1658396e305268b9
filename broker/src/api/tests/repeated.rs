//! Requests that name something twice.

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::{alter_configs, incremental_alter_configs};
use strandline_state::metadata::image::{RESOURCE_LOGGER, RESOURCE_TOPIC};

use super::{NODE_ID, Rig};

#[tokio::test]
async fn a_resource_that_is_named_twice_is_refused_each_time_and_the_others_are_changed() {
    let rig = Rig::new();
    rig.found_cluster("t").await;
    let resource = |name: &str, value: &str| alter_configs::AlterConfigsResource {
        resource_type: RESOURCE_TOPIC,
        resource_name: name.into(),
        configs: vec![alter_configs::AlterableConfig {
            name: "retention.ms".into(),
            value: Some(value.into()),
            ..Default::default()
        }],
        ..Default::default()
    };
    let twice = vec![resource("nobody", "1"), resource("t", "5"), resource("nobody", "2")];
    let request = alter_configs::AlterConfigsRequest { resources: twice, ..Default::default() };
    let codes = |responses: Vec<alter_configs::AlterConfigsResourceResponse>| -> Vec<_> {
        responses.into_iter().map(|response| response.error_code).collect()
    };
    let found = codes(rig.call(2, &request).await.responses);
    assert_eq!(found, [ErrorCode::INVALID_REQUEST, ErrorCode::NONE, ErrorCode::INVALID_REQUEST]);
    let resources = vec![resource("t", "7"), resource("t", "7")];
    let request = alter_configs::AlterConfigsRequest { resources, ..Default::default() };
    assert_eq!(codes(rig.call(2, &request).await.responses), [ErrorCode::INVALID_REQUEST; 2]);
    let image = rig.broker.metadata.image();
    let set: Vec<_> = image.topic_config("t").unwrap().pairs().collect();
    assert_eq!(set, [("retention.ms", "5")]);
}

#[tokio::test]
async fn so_it_is_setting_by_setting_and_with_loggers() {
    let rig = Rig::new();
    rig.found_cluster("t").await;
    let resource = |resource_type, resource_name: &str| incremental_alter_configs::AlterConfigsResource {
        resource_type,
        resource_name: resource_name.into(),
        configs: Vec::new(),
        ..Default::default()
    };
    let broker = NODE_ID.to_string();
    let resources = vec![
        resource(RESOURCE_LOGGER, &broker),
        resource(RESOURCE_TOPIC, "t"),
        resource(RESOURCE_LOGGER, &broker),
        // Another type is another resource.
        resource(RESOURCE_TOPIC, &broker),
    ];
    let request =
        incremental_alter_configs::IncrementalAlterConfigsRequest { resources, ..Default::default() };
    let responses = rig.call(1, &request).await.responses;
    let messages = responses.iter().map(|response| response.error_message.as_deref().unwrap_or_default());
    let once = "Each resource must appear at most once.";
    assert_eq!(messages.map(|message| message == once).collect::<Vec<_>>(), [true, false, true, false]);
    let codes = responses.iter().map(|response| response.error_code);
    let (invalid, unknown) = (ErrorCode::INVALID_REQUEST, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert_eq!(codes.collect::<Vec<_>>(), [invalid, ErrorCode::NONE, invalid, unknown]);
}
