//! DescribeConfigs: what is in force for topics and for this broker, and where each value comes from.
//!
//! A topic that may not be described is TOPIC_AUTHORIZATION_FAILED whether or not it exists; a broker's settings are
//! told by that broker alone. Keys that are asked for and unknown are left out.

use std::sync::Arc;

use strandline_protocol::apis::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult, DescribeConfigsResponse,
    DescribeConfigsResult, DescribeConfigsSynonym,
};
use strandline_protocol::{ErrorCode, Text};
use strandline_state::metadata::decide::validate_topic_name;
use strandline_state::metadata::image::{RESOURCE_BROKER, RESOURCE_TOPIC};
use strandline_state::settings::{
    BROKER_SETTINGS, BrokerSettings, ConfigSource, EffectiveConfig, Setting, effective_topic_configs,
};

use super::Dispatched;
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;

/// What is said about a resource: what is set, or an error.
type Described = Result<Vec<DescribeConfigsResourceResult>, (ErrorCode, String)>;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: DescribeConfigsRequest) -> Dispatched {
    let results = request.resources.iter().map(|resource| {
        let described = Describe { broker, call: &call, request: &request, resource }.describe();
        let (error_code, error_message, configs) = match described {
            Ok(configs) => (ErrorCode::NONE, None, configs),
            Err((error_code, message)) => (error_code, Some(Text::from(message)), Vec::new()),
        };
        DescribeConfigsResult {
            error_code,
            error_message,
            resource_type: resource.resource_type,
            resource_name: resource.resource_name.clone(),
            configs,
            ..Default::default()
        }
    });
    let response = DescribeConfigsResponse { results: results.collect(), ..Default::default() };
    call.now(broker, response)
}

struct Describe<'a> {
    broker: &'a Broker,
    call: &'a Call,
    request: &'a DescribeConfigsRequest,
    resource: &'a DescribeConfigsResource,
}

impl Describe<'_> {
    fn describe(&self) -> Described {
        let name = &self.resource.resource_name;
        match self.resource.resource_type {
            RESOURCE_TOPIC => self.topic(name),
            RESOURCE_BROKER => self.broker(name),
            other => Err((ErrorCode::INVALID_REQUEST, format!("Unsupported resource type: {other}"))),
        }
    }

    fn may(&self, resource: Resource<'_>) -> bool {
        self.broker.authorizer.authorize(self.call, Operation::DescribeConfigs, resource)
    }

    fn topic(&self, name: &str) -> Described {
        if !self.may(Resource::Topic(name)) {
            let message = "Topic authorization failed.".to_owned();
            return Err((ErrorCode::TOPIC_AUTHORIZATION_FAILED, message));
        }
        validate_topic_name(name).map_err(|refusal| (refusal.code, refusal.message))?;
        let image = self.broker.metadata.image();
        if image.topic(name).is_none() {
            let message = "This server does not host this topic-partition.".to_owned();
            return Err((ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, message));
        }
        let overrides = image.topic_config(name).into_iter().flat_map(|config| config.pairs());
        let overrides: Vec<_> = overrides.collect();
        let settings = self.broker.metadata.settings();
        let configs = effective_topic_configs(settings, overrides.iter().copied());
        let configs = configs.map_err(|error| (ErrorCode::INVALID_CONFIG, error.to_string()))?;
        let configs = configs.into_iter().filter(|config| self.is_asked(config.setting.name));
        Ok(configs.map(|config| self.of_topic(config)).collect())
    }

    fn broker(&self, name: &str) -> Described {
        if !self.may(Resource::Cluster) {
            let message = "Cluster authorization failed.".to_owned();
            return Err((ErrorCode::CLUSTER_AUTHORIZATION_FAILED, message));
        }
        let node_id = self.broker.metadata.node_id();
        // Without a name the dynamic defaults of all brokers are meant, of which there are none.
        if name.is_empty() {
            return Ok(Vec::new());
        }
        if name.parse() != Ok(node_id) {
            let message =
                format!("Unexpected broker id, expected {node_id} or empty string, but received {name}");
            return Err((ErrorCode::INVALID_REQUEST, message));
        }
        let settings = self.broker.metadata.settings();
        let asked = BROKER_SETTINGS.iter().filter(|setting| self.is_asked(setting.name));
        Ok(asked.map(|setting| self.of_broker(settings, setting)).collect())
    }

    fn is_asked(&self, name: &str) -> bool {
        let keys = self.resource.configuration_keys.as_ref();
        keys.is_none_or(|keys| keys.is_empty() || keys.iter().any(|key| key == name))
    }

    fn of_topic(&self, config: EffectiveConfig) -> DescribeConfigsResourceResult {
        let EffectiveConfig { setting, value, source } = config;
        let synonym = DescribeConfigsSynonym {
            name: Text::from(setting.name),
            value: value.as_deref().map(Text::from),
            source: source.code(),
            ..Default::default()
        };
        DescribeConfigsResourceResult { read_only: false, ..self.result(setting, value, source, synonym) }
    }

    fn of_broker(&self, settings: &BrokerSettings, setting: &Setting) -> DescribeConfigsResourceResult {
        let value = settings.text_of(setting.name);
        let is_default = value == setting.default_text();
        let source = if is_default { ConfigSource::Default } else { ConfigSource::Broker };
        let synonym = DescribeConfigsSynonym {
            name: Text::from(setting.name),
            value: value.as_deref().map(Text::from),
            source: source.code(),
            ..Default::default()
        };
        DescribeConfigsResourceResult { read_only: true, ..self.result(setting, value, source, synonym) }
    }

    fn result(
        &self,
        setting: &Setting,
        value: Option<String>,
        source: ConfigSource,
        synonym: DescribeConfigsSynonym,
    ) -> DescribeConfigsResourceResult {
        DescribeConfigsResourceResult {
            name: Text::from(setting.name),
            value: value.map(Text::from),
            config_source: source.code(),
            synonyms: if self.request.include_synonyms { vec![synonym] } else { Vec::new() },
            config_type: setting.kind.code(),
            documentation: self.request.include_documentation.then(|| Text::from(setting.documentation)),
            ..Default::default()
        }
    }
}
