//! Topics: make, list, describe, enlarge, delete.

use std::collections::HashMap;

use strandline_protocol::apis::ApiKey;
use strandline_protocol::apis::create_partitions::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopic,
};
use strandline_protocol::apis::create_topics::{
    CreatableTopic, CreatableTopicConfig, CreatableTopicResult, CreateTopicsRequest, CreateTopicsResponse,
};
use strandline_protocol::apis::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use strandline_protocol::apis::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult,
};
use strandline_protocol::apis::metadata::{MetadataRequest, MetadataRequestTopic};
use strandline_protocol::{Text, Uuid};

use super::{Admin, Each};
use crate::cluster::{TopicInfo, topic_info};
use crate::error::{Error, Result};

/// DescribeConfigs' number for topics.
const RESOURCE_TOPIC: i8 = 2;

/// DescribeConfigs' number for a value that stands on the topic itself.
const SOURCE_TOPIC: i8 = 1;

/// A topic to be made.
///
/// ```
/// use strandline_client::NewTopic;
/// let topic = NewTopic::new("orders").partitions(12).setting("cleanup.policy", "compact");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewTopic {
    name: String,
    partitions: i32,
    replication_factor: i16,
    settings: Vec<(String, String)>,
}

impl NewTopic {
    /// A topic with the cluster's defaults.
    ///
    /// ```
    /// let topic = strandline_client::NewTopic::new("orders");
    /// ```
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), partitions: -1, replication_factor: -1, settings: Vec::new() }
    }

    /// With this many partitions.
    ///
    /// ```
    /// let topic = strandline_client::NewTopic::new("orders").partitions(12);
    /// ```
    #[must_use]
    pub const fn partitions(mut self, partitions: i32) -> Self {
        self.partitions = partitions;
        self
    }

    /// With this many copies of each partition.
    ///
    /// ```
    /// let topic = strandline_client::NewTopic::new("orders").replication_factor(3);
    /// ```
    #[must_use]
    pub const fn replication_factor(mut self, replication_factor: i16) -> Self {
        self.replication_factor = replication_factor;
        self
    }

    /// With a setting that differs from the default.
    ///
    /// ```
    /// let topic = strandline_client::NewTopic::new("orders").setting("retention.ms", "60000");
    /// ```
    #[must_use]
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }

    fn request(&self) -> CreatableTopic {
        let config = |(name, value): &(String, String)| CreatableTopicConfig {
            name: name.as_str().into(),
            value: Some(value.as_str().into()),
            ..Default::default()
        };
        CreatableTopic {
            name: self.name.as_str().into(),
            num_partitions: self.partitions,
            replication_factor: self.replication_factor,
            configs: self.settings.iter().map(config).collect(),
            ..Default::default()
        }
    }
}

/// A topic that was made.
///
/// ```
/// assert_eq!(strandline_client::CreatedTopic::default().partitions, None);
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CreatedTopic {
    /// Its id; zero from brokers that have none, or do not tell.
    pub id: Uuid,
    /// How many partitions it got, if the broker tells.
    pub partitions: Option<i32>,
    /// How many copies each partition got, if the broker tells.
    pub replication_factor: Option<i16>,
}

/// A setting of a topic, with the value that is in force.
///
/// ```
/// assert!(!strandline_client::TopicSetting::default().is_of_topic);
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TopicSetting {
    /// Its name, such as `retention.ms`.
    pub name: String,
    /// Its value; none where the broker keeps it secret or there is none.
    pub value: Option<String>,
    /// Whether it was set on the topic itself, as opposed to a default.
    pub is_of_topic: bool,
}

impl Admin {
    /// Makes topics. When it returns they are known to the cluster, though not to each broker yet.
    ///
    /// An error that [is in doubt](Error::is_in_doubt) leaves it open whether they were made.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// use strandline_client::NewTopic;
    /// for (name, result) in admin.create_topics(&[NewTopic::new("payments").partitions(12)]).await? {
    ///     println!("{name} has the id {}", result?.id);
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn create_topics(&self, topics: &[NewTopic]) -> Result<Each<CreatedTopic>> {
        self.create(topics, false).await
    }

    /// Checks whether topics could be made, and makes none.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// use strandline_client::NewTopic;
    /// for (name, result) in admin.validate_topics(&[NewTopic::new("no such/name")]).await? {
    ///     println!("{name}: {}", result.unwrap_err());
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn validate_topics(&self, topics: &[NewTopic]) -> Result<Each<CreatedTopic>> {
        self.create(topics, true).await
    }

    async fn create(&self, topics: &[NewTopic], validate_only: bool) -> Result<Each<CreatedTopic>> {
        let request = CreateTopicsRequest {
            topics: topics.iter().map(NewTopic::request).collect(),
            timeout_ms: self.timeout_ms(),
            validate_only,
            ..Default::default()
        };
        let moved = |response: &CreateTopicsResponse| response.topics.first().map(|topic| topic.error_code);
        let response = self.client.ask_controller(&request, moved).await?;
        let results = response.topics.into_iter().map(|topic| (topic.name.clone().into(), created(&topic)));
        Ok(in_order(topics.iter().map(|topic| topic.name.as_str()), results.collect()))
    }

    /// Deletes topics and all that is in them.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// for (name, result) in admin.delete_topics(&["orders"]).await? {
    ///     println!("{name}: {:?}", result);
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn delete_topics(&self, names: &[&str]) -> Result<Each<()>> {
        let state = |name: &&str| DeleteTopicState { name: Some(Text::from(*name)), ..Default::default() };
        // Which of the two lists is written is a matter of the version; the other one has to be empty or is ignored.
        let by_state = self.controller_serves(ApiKey::DeleteTopics, 6).await?;
        let request = DeleteTopicsRequest {
            topics: if by_state { names.iter().map(state).collect() } else { Vec::new() },
            topic_names: names.iter().map(|name| Text::from(*name)).collect(),
            timeout_ms: self.timeout_ms(),
            ..Default::default()
        };
        let response = self
            .client
            .ask_controller(&request, |it| it.responses.first().map(|topic| topic.error_code))
            .await?;
        let results = response.responses.into_iter().filter_map(|topic| {
            let name = String::from(topic.name?);
            let subject = || format!("topic {name}");
            let result = Error::check(topic.error_code, subject, topic.error_message.map(String::from));
            Some((name, result))
        });
        Ok(in_order(names.iter().copied(), results.collect()))
    }

    async fn controller_serves(&self, key: ApiKey, version: i16) -> Result<bool> {
        let controller = match self.client.controller().await {
            Ok(controller) => controller,
            Err(_) => self.client.any_broker().await?,
        };
        Ok(controller.versions().of(key).last >= version)
    }

    /// Raises a topic's number of partitions to `total`. Records stay where they are.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// admin.create_partitions("orders", 24).await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn create_partitions(&self, topic: &str, total: i32) -> Result<()> {
        self.grow(topic, total, false).await
    }

    /// Checks whether a topic could have so many partitions, and adds none.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// admin.validate_partitions("orders", 24).await
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn validate_partitions(&self, topic: &str, total: i32) -> Result<()> {
        self.grow(topic, total, true).await
    }

    async fn grow(&self, topic: &str, total: i32, validate_only: bool) -> Result<()> {
        // Null lets the controller place them, an empty list would be a wrong assignment.
        let (name, count) = (topic.into(), total);
        let wanted = CreatePartitionsTopic { name, count, assignments: None, ..Default::default() };
        let request = CreatePartitionsRequest {
            topics: vec![wanted],
            timeout_ms: self.timeout_ms(),
            validate_only,
            ..Default::default()
        };
        let moved = |it: &CreatePartitionsResponse| it.results.first().map(|topic| topic.error_code);
        let response = self.client.ask_controller(&request, moved).await?;
        let subject = format!("topic {topic}");
        let result = response.results.into_iter().find(|it| it.name == topic);
        let result = result.ok_or_else(|| Error::Missing(subject.clone()))?;
        Error::check(result.error_code, || subject, result.error_message.map(String::from))
    }

    /// Every topic that one may see, by name.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// println!("{} topics", admin.list_topics().await?.len());
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn list_topics(&self) -> Result<Vec<TopicInfo>> {
        let metadata = self.client.refresh_all().await?;
        let mut topics: Vec<_> = metadata.topics.values().cloned().collect();
        topics.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(topics)
    }

    /// The partitions of these topics.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// for (name, topic) in admin.describe_topics(&["orders"]).await? {
    ///     println!("{name} has {} partitions", topic?.partitions.len());
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn describe_topics(&self, names: &[&str]) -> Result<Each<TopicInfo>> {
        let named =
            |name: &&str| MetadataRequestTopic { name: Some(Text::from(*name)), ..Default::default() };
        let request = MetadataRequest {
            topics: Some(names.iter().map(named).collect()),
            allow_auto_topic_creation: false,
            ..Default::default()
        };
        let response = self.client.ask_any(&request).await?;
        let results = response.topics.iter().filter_map(|topic| {
            let info = topic_info(topic)?;
            let subject = || format!("topic {}", info.name);
            let result = Error::check(topic.error_code, subject, None);
            Some((info.name.clone(), result.map(|()| info)))
        });
        Ok(in_order(names.iter().copied(), results.collect()))
    }

    /// The settings of these topics.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// for (name, settings) in admin.topic_settings(&["orders"]).await? {
    ///     for setting in settings?.iter().filter(|setting| setting.is_of_topic) {
    ///         println!("{name}: {} = {:?}", setting.name, setting.value);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn topic_settings(&self, names: &[&str]) -> Result<Each<Vec<TopicSetting>>> {
        let resource = |name: &&str| DescribeConfigsResource {
            resource_type: RESOURCE_TOPIC,
            resource_name: Text::from(*name),
            // Null asks for every key, an empty list for none.
            configuration_keys: None,
            ..Default::default()
        };
        let request =
            DescribeConfigsRequest { resources: names.iter().map(resource).collect(), ..Default::default() };
        let response = self.client.ask_any(&request).await?;
        let results = response.results.into_iter().map(|result| {
            let name = String::from(result.resource_name);
            let subject = || format!("topic {name}");
            let checked = Error::check(result.error_code, subject, result.error_message.map(String::from));
            (name, checked.map(|()| result.configs.into_iter().map(setting).collect()))
        });
        Ok(in_order(names.iter().copied(), results.collect()))
    }
}

fn setting(config: DescribeConfigsResourceResult) -> TopicSetting {
    TopicSetting {
        name: config.name.into(),
        value: config.value.map(String::from),
        is_of_topic: config.config_source == SOURCE_TOPIC,
    }
}

fn created(topic: &CreatableTopicResult) -> Result<CreatedTopic> {
    let message = topic.error_message.clone().map(String::from);
    Error::check(topic.error_code, || format!("topic {}", topic.name), message)?;
    Ok(CreatedTopic {
        id: topic.topic_id,
        partitions: Some(topic.num_partitions).filter(|count| *count >= 0),
        replication_factor: Some(topic.replication_factor).filter(|count| *count >= 0),
    })
}

/// The results in the order of the names, with an error for each name that is missing.
fn in_order<'a, T>(names: impl Iterator<Item = &'a str>, mut results: HashMap<String, Result<T>>) -> Each<T> {
    names
        .map(|name| {
            let missing = || Err(Error::Missing(format!("topic {name}")));
            (name.to_owned(), results.remove(name).unwrap_or_else(missing))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use strandline_protocol::ErrorCode;

    #[test]
    fn results_stand_in_the_order_of_the_question() {
        let results = HashMap::from([("b".to_owned(), Ok(2)), ("a".to_owned(), Ok(1))]);
        let ordered = in_order(["a", "lost", "b"].into_iter(), results);
        let names: Vec<_> = ordered.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a", "lost", "b"]);
        assert!(matches!(ordered[1].1, Err(Error::Missing(_))));
        assert_eq!(ordered[2].1.as_ref().unwrap(), &2);
    }

    #[test]
    fn a_refusal_keeps_code_and_words() {
        let refused = CreatableTopicResult {
            name: "a".into(),
            error_code: ErrorCode::INVALID_CONFIG,
            error_message: Some("no".into()),
            ..Default::default()
        };
        assert_eq!(created(&refused).unwrap_err().to_string(), "topic a: INVALID_CONFIG: no");
    }
}
