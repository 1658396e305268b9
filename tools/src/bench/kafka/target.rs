//! The topic that is measured on: found or made by the client library, ready to be written to.

use std::collections::BTreeMap;

use strandline_client::{
    BrokerAddress, BrokerVersions, Client, ListOffsets, NewTopic, OffsetAt, PartitionInfo, TopicInfo,
};
use strandline_protocol::apis::init_producer_id::InitProducerIdRequest;
use strandline_protocol::schema::VersionRange;
use strandline_protocol::{ErrorCode, Request};

use super::options::Target;
use super::usage;
use crate::cluster::Failure;
use crate::results::counted;

/// What benchmarks of a topic need to know of it.
pub(super) struct Prepared {
    pub(super) topic: TopicInfo,
    pub(super) leaders: Vec<Leader>,
    /// Where each partition begins and ends.
    pub(super) ends: BTreeMap<i32, (i64, i64)>,
    /// An identity for idempotent production, if one was asked for.
    pub(super) producer: Option<(i64, i16)>,
}

/// A broker, and the partitions that it leads.
#[derive(Clone)]
pub(super) struct Leader {
    pub(super) address: BrokerAddress,
    pub(super) versions: BrokerVersions,
    pub(super) partitions: Vec<PartitionInfo>,
}

impl Leader {
    /// The highest version of an API that both sides know, not above `last`.
    pub(super) fn version<R: Request>(&self, last: i16) -> Result<i16, Failure> {
        let api = R::KEY.api();
        let ours = api.stable_versions().intersection(VersionRange::new(0, last));
        let both = ours.intersection(self.versions.of(R::KEY));
        if both.is_empty() {
            let text = format!("{} does not serve {} in any of the versions {ours}", self.address, api.name);
            return Err(Failure::Refused(text));
        }
        Ok(both.last)
    }
}

impl Target {
    /// Finds or makes the topic, and waits until each of its partitions has a leader that answers.
    pub(super) fn prepare(&self, idempotent: bool) -> Result<Prepared, Failure> {
        usage::check(self.broker_pid)?;
        self.connecting.run(async |client| {
            self.find_or_make(&client).await?;
            let ends = ends(&client, &self.topic).await?;
            let producer = if idempotent { Some(producer(&client).await?) } else { None };
            let (topic, leaders) = leaders(&client, &self.topic).await?;
            Ok(Prepared { topic, leaders, ends, producer })
        })
    }

    async fn find_or_make(&self, client: &Client) -> Result<(), Failure> {
        let metadata = client.refresh(&[&self.topic]).await?;
        if let Some(topic) = metadata.topics.get(&self.topic) {
            let there = topic.partitions.len();
            return match self.partitions {
                Some(wanted) if usize::try_from(wanted) != Ok(there) => {
                    let there = counted(there, "partition", "partitions");
                    let text = format!("topic {} has {there}, not {wanted}: name another", self.topic);
                    Err(Failure::Usage(text))
                }
                _ => Ok(()),
            };
        }
        let (_, result) = client
            .admin()
            .create_topics(&[self.new_topic(self.partitions.unwrap_or(1))])
            .await?
            .pop()
            .ok_or_else(|| Failure::Refused(format!("topic {} was not made", self.topic)))?;
        match result {
            // Somebody else made it at the same moment.
            Err(error) if error.code() == Some(ErrorCode::TOPIC_ALREADY_EXISTS) => Ok(()),
            result => Ok(result.map(|_| ())?),
        }
    }

    /// The topic as it is asked for.
    pub(super) fn new_topic(&self, partitions: i32) -> NewTopic {
        let topic = NewTopic::new(&self.topic)
            .partitions(partitions)
            .replication_factor(self.replication_factor.unwrap_or(-1));
        self.config.iter().fold(topic, |topic, (name, value)| topic.setting(name, value))
    }
}

/// Where each partition begins and ends; asking waits until there are leaders.
async fn ends(client: &Client, topic: &str) -> Result<BTreeMap<i32, (i64, i64)>, Failure> {
    let partitions = known(client, topic).await?;
    let of = |at| partitions.iter().fold(ListOffsets::new(), |all, partition| all.of(topic, *partition, at));
    let mut ends = BTreeMap::new();
    for ((_, partition), found) in client.admin().list_offsets(&of(OffsetAt::Earliest)).await {
        ends.insert(partition, (found?.offset.unwrap_or(0), 0));
    }
    for ((_, partition), found) in client.admin().list_offsets(&of(OffsetAt::Latest)).await {
        let end = found?.offset.unwrap_or(0);
        ends.entry(partition).and_modify(|both| both.1 = end);
    }
    Ok(ends)
}

/// The partitions of a topic that may just have been made, so that brokers may not know it yet.
async fn known(client: &Client, topic: &str) -> Result<Vec<i32>, Failure> {
    let deadline = std::time::Instant::now() + client.config().request_timeout_value();
    loop {
        let metadata = client.refresh(&[topic]).await?;
        let found = metadata.topics.get(topic).filter(|topic| !topic.partitions.is_empty());
        if let Some(topic) = found {
            return Ok(topic.partitions.iter().map(|partition| partition.partition).collect());
        }
        if std::time::Instant::now() >= deadline {
            return Err(Failure::Refused(format!("topic {topic} does not appear")));
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

/// The brokers that lead the topic's partitions.
pub(super) async fn leaders(client: &Client, name: &str) -> Result<(TopicInfo, Vec<Leader>), Failure> {
    let metadata = client.refresh(&[name]).await?;
    let topic = metadata.topics.get(name).ok_or_else(|| Failure::Refused(format!("topic {name} is gone")))?;
    let mut by_broker: BTreeMap<i32, Vec<PartitionInfo>> = BTreeMap::new();
    for partition in &topic.partitions {
        let leader = partition.leader.ok_or_else(|| {
            Failure::Refused(format!("partition {} of topic {name} has no leader", partition.partition))
        })?;
        by_broker.entry(leader).or_default().push(partition.clone());
    }
    let mut leaders = Vec::new();
    for (id, partitions) in by_broker {
        let versions = client.broker(id).await?.versions().clone();
        let broker = metadata.broker(id).ok_or_else(|| Failure::Refused(format!("broker {id} is gone")))?;
        leaders.push(Leader { address: broker.address.clone(), versions, partitions });
    }
    Ok((topic.clone(), leaders))
}

async fn producer(client: &Client) -> Result<(i64, i16), Failure> {
    let request = InitProducerIdRequest {
        transactional_id: None,
        transaction_timeout_ms: 60_000,
        ..Default::default()
    };
    let deadline = std::time::Instant::now() + client.config().request_timeout_value();
    loop {
        let response = client.any_broker().await?.request(&request).await?;
        match response.error_code {
            ErrorCode::NONE => return Ok((response.producer_id, response.producer_epoch)),
            code => {
                let error = strandline_client::Error::broker(code, "a producer id", None);
                if !error.is_retriable() || std::time::Instant::now() >= deadline {
                    return Err(error.into());
                }
            }
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
