//! DescribeConfigs: what is in force for topics, for groups and for this broker, where each value comes from, and what else was
//! said of it.
//!
//! A topic that may not be described is TOPIC_AUTHORIZATION_FAILED whether or not it exists; a broker's settings are
//! told by that broker alone, and with an empty name what is set for all brokers. Keys that are asked for and unknown
//! are left out.

use std::collections::HashSet;
use std::sync::Arc;

use strandline_protocol::apis::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult, DescribeConfigsResponse,
    DescribeConfigsResult, DescribeConfigsSynonym,
};
use strandline_protocol::{ErrorCode, Text};
use strandline_state::metadata::decide::{Refusal, validate_topic_name};
use strandline_state::metadata::image::{RESOURCE_BROKER, RESOURCE_GROUP, RESOURCE_LOGGER, RESOURCE_TOPIC};
use strandline_state::settings::{
    ConfigSynonym, EffectiveConfig, cluster_default_configs, effective_broker_configs,
    effective_group_configs, effective_topic_configs,
};

use super::Dispatched;
use super::configs::allowed;
use super::configs_of_loggers;
use crate::authorize::Operation;
use crate::broker::Broker;
use crate::context::Call;
use crate::loggers::word;

/// Kafka's number for the source of a level at which something logs.
const SOURCE_LOGGER: i8 = 6;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: DescribeConfigsRequest) -> Dispatched {
    let mut seen = HashSet::new();
    let results = request.resources.iter().map(|resource| {
        // A few bytes of a request must not ask for the same many bytes of answer again and again.
        let described = if seen.insert((resource.resource_type, &resource.resource_name)) {
            Describe { broker, call: &call, request: &request, resource }.describe()
        } else {
            Err(invalid("Each resource must appear at most once.".to_owned()))
        };
        let (error_code, error_message, configs) = match described {
            Ok(configs) => (ErrorCode::NONE, None, configs),
            Err(Refusal { code, message }) => (code, Some(Text::from(message)), Vec::new()),
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
    fn describe(&self) -> Result<Vec<DescribeConfigsResourceResult>, Refusal> {
        let DescribeConfigsResource { resource_type, resource_name: name, .. } = self.resource;
        allowed(self.broker, self.call, Operation::DescribeConfigs, *resource_type, name)?;
        if *resource_type == RESOURCE_LOGGER {
            let levels = configs_of_loggers::of(self.broker, name)?.levels();
            let named = levels.into_iter().map(|(name, level)| (configs_of_loggers::named(name), level));
            let asked = named.filter(|(name, _)| self.is_asked(name));
            return Ok(asked.map(|(name, level)| logger(name, word(level))).collect());
        }
        let configs = match *resource_type {
            RESOURCE_TOPIC => self.topic(name)?,
            RESOURCE_GROUP => self.group(name)?,
            RESOURCE_BROKER => self.broker(name)?,
            other => return Err(invalid(format!("Unsupported resource type: {other}"))),
        };
        let asked = configs.into_iter().filter(|config| self.is_asked(config.name));
        Ok(asked.map(|config| self.result(config)).collect())
    }

    fn topic(&self, name: &str) -> Result<Vec<EffectiveConfig>, Refusal> {
        validate_topic_name(name)?;
        let image = self.broker.metadata.image();
        if image.topic(name).is_none() {
            let message = "This server does not host this topic-partition.".to_owned();
            return Err(Refusal { code: ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, message });
        }
        let overrides = image.topic_config(name).into_iter().flat_map(|config| config.pairs());
        let overrides: Vec<_> = overrides.collect();
        let configs = effective_topic_configs(&self.broker.metadata.settings(), overrides.iter().copied());
        configs.map_err(|error| Refusal { code: ErrorCode::INVALID_CONFIG, message: error.to_string() })
    }

    fn group(&self, name: &str) -> Result<Vec<EffectiveConfig>, Refusal> {
        if name.is_empty() {
            return Err(invalid("Group name must not be empty".to_owned()));
        }
        let image = self.broker.metadata.image();
        let overrides = image.config(RESOURCE_GROUP, name).into_iter().flat_map(|config| config.pairs());
        let overrides: Vec<_> = overrides.collect();
        let configs = effective_group_configs(&self.broker.metadata.settings(), overrides.iter().copied());
        configs.map_err(|error| Refusal { code: ErrorCode::INVALID_CONFIG, message: error.to_string() })
    }

    fn broker(&self, name: &str) -> Result<Vec<EffectiveConfig>, Refusal> {
        let node_id = self.broker.metadata.node_id();
        let settings = self.broker.metadata.settings();
        if name.is_empty() {
            Ok(cluster_default_configs(&settings))
        } else if name.parse() == Ok(node_id) {
            Ok(effective_broker_configs(&settings))
        } else {
            let expected = format!("expected {node_id} or empty string, but received {name}");
            Err(invalid(format!("Unexpected broker id, {expected}")))
        }
    }

    fn is_asked(&self, name: &str) -> bool {
        let keys = self.resource.configuration_keys.as_ref();
        keys.is_none_or(|keys| keys.is_empty() || keys.iter().any(|key| key == name))
    }

    fn result(&self, config: EffectiveConfig) -> DescribeConfigsResourceResult {
        let synonyms = if self.request.include_synonyms { config.synonyms } else { Vec::new() };
        let documentation = self.request.include_documentation.then(|| Text::from(&*config.documentation));
        DescribeConfigsResourceResult {
            name: Text::from_static(config.name),
            value: config.value.map(Text::from),
            read_only: config.is_read_only,
            config_source: config.source.code(),
            synonyms: synonyms.into_iter().map(synonym).collect(),
            config_type: config.kind.code(),
            documentation,
            ..Default::default()
        }
    }
}

fn logger(name: String, level: &'static str) -> DescribeConfigsResourceResult {
    DescribeConfigsResourceResult {
        name: Text::from(name),
        value: Some(Text::from_static(level)),
        config_source: SOURCE_LOGGER,
        ..Default::default()
    }
}

fn synonym(synonym: ConfigSynonym) -> DescribeConfigsSynonym {
    DescribeConfigsSynonym {
        name: Text::from_static(synonym.name),
        value: synonym.value.map(Text::from),
        source: synonym.source.code(),
        ..Default::default()
    }
}

fn invalid(message: String) -> Refusal {
    Refusal { code: ErrorCode::INVALID_REQUEST, message }
}
