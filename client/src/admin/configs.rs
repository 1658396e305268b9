//! Settings of topics and brokers: what is in force and why, and changes of it.

use strandline_protocol::Text;
use strandline_protocol::apis::ApiKey;
use strandline_protocol::apis::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult,
};
use strandline_protocol::apis::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use strandline_protocol::apis::list_config_resources::ListConfigResourcesRequest;
use strandline_protocol::schema::VersionRange;

use super::Admin;
use crate::connection::Connection;
use crate::error::{Error, Result};

/// Kafka's numbers of what settings are of.
const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const LOGGERS: i8 = 8;
const GROUP: i8 = 32;
/// The first version of ListConfigResources that is told what to list.
const LIST_OF_TYPES_FIRST: i16 = 1;

/// What settings are of.
///
/// ```
/// use strandline_client::ConfigResource;
/// assert_eq!(ConfigResource::Topic("orders".into()).to_string(), "topic orders");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ConfigResource {
    /// A topic.
    Topic(String),
    /// One broker, which alone knows what it runs with.
    Broker(i32),
    /// All brokers that say nothing themselves.
    AllBrokers,
    /// The parts of a broker that log, each with how much.
    Loggers(i32),
    /// A group.
    Group(String),
}

impl ConfigResource {
    const fn code(&self) -> i8 {
        match self {
            Self::Topic(_) => TOPIC,
            Self::Broker(_) | Self::AllBrokers => BROKER,
            Self::Loggers(_) => LOGGERS,
            Self::Group(_) => GROUP,
        }
    }

    fn name(&self) -> Text {
        match self {
            Self::Topic(name) | Self::Group(name) => name.as_str().into(),
            Self::Broker(id) | Self::Loggers(id) => id.to_string().into(),
            Self::AllBrokers => Text::new(),
        }
    }
}

impl std::fmt::Display for ConfigResource {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Topic(name) => write!(formatter, "topic {name}"),
            Self::Broker(id) => write!(formatter, "broker {id}"),
            Self::AllBrokers => formatter.write_str("all brokers"),
            Self::Loggers(id) => write!(formatter, "loggers of broker {id}"),
            Self::Group(name) => write!(formatter, "group {name}"),
        }
    }
}

/// Where a value comes from.
///
/// ```
/// use strandline_client::ConfigSource;
/// assert_eq!(ConfigSource::Topic.word(), "topic");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ConfigSource {
    /// It was set on the topic.
    Topic,
    /// It was set on the broker while it ran.
    Broker,
    /// It was set for all brokers while they ran.
    AllBrokers,
    /// The broker was started with it.
    Start,
    /// How much a part of a broker logs.
    Logger,
    /// It was set on the group.
    Group,
    /// Nobody set it.
    Default,
    /// Something that this client does not know.
    Other,
}

impl ConfigSource {
    const fn from_code(code: i8) -> Self {
        match code {
            1 => Self::Topic,
            2 => Self::Broker,
            3 => Self::AllBrokers,
            4 => Self::Start,
            5 => Self::Default,
            6 => Self::Logger,
            8 => Self::Group,
            _ => Self::Other,
        }
    }

    /// One word for it.
    ///
    /// ```
    /// assert_eq!(strandline_client::ConfigSource::Default.word(), "default");
    /// ```
    pub const fn word(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Broker => "broker",
            Self::AllBrokers => "all-brokers",
            Self::Start => "start",
            Self::Logger => "logger",
            Self::Group => "group",
            Self::Default => "default",
            Self::Other => "other",
        }
    }
}

/// A setting, and what is in force.
///
/// ```
/// # fn example(entry: &strandline_client::ConfigEntry) {
/// println!("{} = {:?}", entry.name, entry.value);
/// # }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigEntry {
    /// Its name.
    pub name: String,
    /// Its value; none where there is none, or nobody may see it.
    pub value: Option<String>,
    /// Where the value comes from.
    pub source: ConfigSource,
    /// Whether it stays as it is while the broker runs.
    pub is_read_only: bool,
    /// Whether nobody may see the value.
    pub is_sensitive: bool,
}

/// What is to become of a setting.
///
/// ```
/// use strandline_client::ConfigChange;
/// let changes = [("retention.ms", ConfigChange::Set("1".into())), ("segment.ms", ConfigChange::Reset)];
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ConfigChange {
    /// It gets this value.
    Set(String),
    /// What is set on the resource is taken back.
    Reset,
    /// These members, with commas between them, are added to the list.
    Append(String),
    /// These are taken out of it.
    Subtract(String),
}

impl Admin {
    /// The settings of a topic or a broker, as they are in force.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// use strandline_client::ConfigResource;
    /// for entry in admin.describe_configs(&ConfigResource::Broker(1)).await? {
    ///     println!("{} = {:?}", entry.name, entry.value);
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn describe_configs(&self, resource: &ConfigResource) -> Result<Vec<ConfigEntry>> {
        let asked = DescribeConfigsResource {
            resource_type: resource.code(),
            resource_name: resource.name(),
            configuration_keys: None,
            ..Default::default()
        };
        let request = DescribeConfigsRequest { resources: vec![asked], ..Default::default() };
        let response = match resource {
            ConfigResource::Broker(id) | ConfigResource::Loggers(id) => {
                self.client.broker(*id).await?.request(&request).await?
            }
            _ => self.client.ask_any(&request).await?,
        };
        let result = response.results.into_iter().next();
        let result = result.ok_or_else(|| Error::Missing(resource.to_string()))?;
        let message = result.error_message.map(String::from);
        Error::check(result.error_code, || resource.to_string(), message)?;
        Ok(result.configs.into_iter().map(entry).collect())
    }

    /// Changes settings of a topic or a broker: all of what is named, or nothing. With `validate_only` nothing is
    /// changed.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// use strandline_client::{ConfigChange, ConfigResource};
    /// let changes = [("retention.ms".to_owned(), ConfigChange::Set("60000".to_owned()))];
    /// admin.alter_configs(&ConfigResource::Topic("orders".into()), &changes, false).await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn alter_configs(
        &self,
        resource: &ConfigResource,
        changes: &[(String, ConfigChange)],
        validate_only: bool,
    ) -> Result<()> {
        let wanted = AlterConfigsResource {
            resource_type: resource.code(),
            resource_name: resource.name(),
            configs: changes.iter().map(alterable).collect(),
            ..Default::default()
        };
        let request =
            IncrementalAlterConfigsRequest { resources: vec![wanted], validate_only, ..Default::default() };
        let response = self.broker_of(resource).await?.request(&request).await?;
        let result = response.responses.into_iter().next();
        let result = result.ok_or_else(|| Error::Missing(resource.to_string()))?;
        Error::check(result.error_code, || resource.to_string(), result.error_message.map(String::from))
    }

    /// What can be described and changed: topics and brokers, with those that nothing is set on, and groups that
    /// something is set on. Only brokers of Kafka 4.1 and newer tell, which is version 1 of ListConfigResources; what is
    /// version 0 to older ones lists nothing but subscriptions of client metrics, and is not asked: the answer is
    /// [`Error::Unsupported`].
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// for resource in admin.list_config_resources().await? {
    ///     println!("{resource}");
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn list_config_resources(&self) -> Result<Vec<ConfigResource>> {
        let resource_types = vec![TOPIC, BROKER, LOGGERS, GROUP];
        let request = &ListConfigResourcesRequest { resource_types, ..Default::default() };
        let last = ApiKey::ListConfigResources.api().stable_versions().last;
        let ask = |connection: Connection| async move {
            connection.submit(request, VersionRange::new(LIST_OF_TYPES_FIRST, last)).await?.await
        };
        let response = self.client.ask_each(ask).await?;
        Error::check(response.error_code, || "the resources".to_owned(), None)?;
        let resources = response.config_resources.into_iter().filter_map(|resource| {
            let (name, id) =
                (String::from(resource.resource_name.clone()), resource.resource_name.parse().ok());
            match resource.resource_type {
                TOPIC => Some(ConfigResource::Topic(name)),
                BROKER if name.is_empty() => Some(ConfigResource::AllBrokers),
                BROKER => id.map(ConfigResource::Broker),
                LOGGERS => id.map(ConfigResource::Loggers),
                GROUP => Some(ConfigResource::Group(name)),
                _ => None,
            }
        });
        Ok(resources.collect())
    }

    /// Who changes the settings of a resource.
    async fn broker_of(&self, resource: &ConfigResource) -> Result<Connection> {
        match resource {
            ConfigResource::Broker(id) | ConfigResource::Loggers(id) => self.client.broker(*id).await,
            ConfigResource::Topic(_) | ConfigResource::AllBrokers | ConfigResource::Group(_) => {
                self.client.any_broker().await
            }
        }
    }
}

fn entry(config: DescribeConfigsResourceResult) -> ConfigEntry {
    ConfigEntry {
        name: config.name.into(),
        value: config.value.map(String::from),
        source: ConfigSource::from_code(config.config_source),
        is_read_only: config.read_only,
        is_sensitive: config.is_sensitive,
    }
}

fn alterable((name, change): &(String, ConfigChange)) -> AlterableConfig {
    let (config_operation, value) = match change {
        ConfigChange::Set(value) => (0, Some(value)),
        ConfigChange::Reset => (1, None),
        ConfigChange::Append(members) => (2, Some(members)),
        ConfigChange::Subtract(members) => (3, Some(members)),
    };
    let value = value.map(|text| Text::from(text.as_str()));
    AlterableConfig { name: name.as_str().into(), config_operation, value, ..Default::default() }
}
