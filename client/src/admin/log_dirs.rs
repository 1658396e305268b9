//! Folders of logs: what each broker has in each, and moves from one to another.

use std::collections::BTreeMap;

use strandline_protocol::Text;
use strandline_protocol::apis::alter_replica_log_dirs::{
    AlterReplicaLogDir, AlterReplicaLogDirTopic, AlterReplicaLogDirsRequest,
};
use strandline_protocol::apis::describe_log_dirs::{
    DescribableLogDirTopic, DescribeLogDirsRequest, DescribeLogDirsResult,
};

use super::{Admin, EachPartition, by_topic};
use crate::error::{Error, Result};

/// A folder of logs on one broker.
///
/// ```
/// assert!(strandline_client::LogDir::default().replicas.is_empty());
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct LogDir {
    /// Where it is.
    pub path: String,
    /// What is the matter with it, if it cannot be used.
    pub error: Option<Error>,
    /// The size of the volume that it is on, from brokers since Kafka 3.3.
    pub total_bytes: Option<u64>,
    /// What is free of it.
    pub usable_bytes: Option<u64>,
    /// The partitions that have their log there.
    pub replicas: Vec<LogDirReplica>,
}

/// A partition's log in a folder.
///
/// ```
/// assert_eq!(strandline_client::LogDirReplica::default().bytes, 0);
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct LogDirReplica {
    /// Its topic.
    pub topic: String,
    /// Its number.
    pub partition: i32,
    /// How long its segments are together.
    pub bytes: u64,
    /// How many records it lacks of what the partition has.
    pub offset_lag: i64,
    /// Whether it is moving here, and not in use yet.
    pub is_moving_here: bool,
}

impl Admin {
    /// The folders of one broker: of all its partitions, or of those of one topic.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// for folder in admin.describe_log_dirs(1, None).await? {
    ///     let bytes: u64 = folder.replicas.iter().map(|replica| replica.bytes).sum();
    ///     println!("{}: {bytes} bytes", folder.path);
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn describe_log_dirs(&self, broker: i32, topic: Option<&str>) -> Result<Vec<LogDir>> {
        let topics = match topic {
            None => None,
            Some(name) => {
                let partitions = self.client.find_topic(name, false).await?.partitions;
                let partitions = partitions.iter().map(|info| info.partition).collect();
                Some(vec![DescribableLogDirTopic { topic: name.into(), partitions, ..Default::default() }])
            }
        };
        let request = DescribeLogDirsRequest { topics, ..Default::default() };
        let response = self.client.broker(broker).await?.request(&request).await?;
        Error::check(response.error_code, || format!("the folders of broker {broker}"), None)?;
        Ok(response.results.into_iter().map(folder).collect())
    }

    /// Has replicas of one broker move to another of its folders. Each is answered when the move has begun.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// admin.alter_log_dirs(1, "/disk-2", &[("orders", 0)]).await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn alter_log_dirs(
        &self,
        broker: i32,
        path: &str,
        partitions: &[(&str, i32)],
    ) -> Result<EachPartition<()>> {
        let topic = |(name, partitions): (&str, Vec<i32>)| AlterReplicaLogDirTopic {
            name: name.into(),
            partitions,
            ..Default::default()
        };
        let topics = by_topic(partitions).into_iter().map(topic).collect();
        let dir = AlterReplicaLogDir { path: path.into(), topics, ..Default::default() };
        let request = AlterReplicaLogDirsRequest { dirs: vec![dir], ..Default::default() };
        let response = self.client.broker(broker).await?.request(&request).await?;
        let mut results = Vec::new();
        for topic in response.results {
            for partition in topic.partitions {
                let subject = || format!("{}-{}", topic.topic_name, partition.partition_index);
                let key = (topic.topic_name.clone().into(), partition.partition_index);
                results.push((key, Error::check(partition.error_code, subject, None)));
            }
        }
        Ok(results)
    }
}

fn folder(result: DescribeLogDirsResult) -> LogDir {
    let path = String::from(result.log_dir);
    let error = Error::check(result.error_code, || path.clone(), None).err();
    let mut replicas: BTreeMap<(Text, i32, bool), LogDirReplica> = BTreeMap::new();
    for topic in result.topics {
        for it in topic.partitions {
            let replica = LogDirReplica {
                topic: topic.name.clone().into(),
                partition: it.partition_index,
                bytes: u64::try_from(it.partition_size).unwrap_or(0),
                offset_lag: it.offset_lag,
                is_moving_here: it.is_future_key,
            };
            replicas.insert((topic.name.clone(), it.partition_index, it.is_future_key), replica);
        }
    }
    LogDir {
        path,
        error,
        total_bytes: u64::try_from(result.total_bytes).ok(),
        usable_bytes: u64::try_from(result.usable_bytes).ok(),
        replicas: replicas.into_values().collect(),
    }
}
