//! Administration: what can be asked of a cluster by name, typed.
//!
//! What is asked for several things at once is answered for each of them. A call fails as a whole only where nobody
//! could be asked.

use std::collections::BTreeMap;

use crate::cluster::Client;
use crate::error::Result;

mod cluster;
mod committed;
mod configs;
mod features;
mod filters;
mod groups;
mod leaders;
mod log_dirs;
mod members;
mod offsets;
mod quorum;
mod reassignments;
mod topics;
mod transactions;

pub use cluster::ClusterDescription;
pub use committed::CommittedOffset;
pub(crate) use committed::committed;
pub use configs::{ConfigChange, ConfigEntry, ConfigResource, ConfigSource};
pub use features::{Feature, FeatureChange};
pub use filters::{GroupFilter, TransactionFilter};
pub use groups::{GroupDescription, GroupListing, GroupMember};
pub use log_dirs::{LogDir, LogDirReplica};
pub use members::{ConsumerGroupDescription, ConsumerGroupMember};
pub use offsets::{DeleteRecords, Isolation, ListOffsets, OffsetAt, PartitionOffset};
pub use quorum::{QuorumDescription, QuorumReplica};
pub use reassignments::{Election, Reassignment};
pub use topics::{CreatedTopic, NewTopic, TopicSetting};
pub use transactions::{ActiveProducer, TransactionDescription, TransactionListing};

/// A result for each name that was asked for.
///
/// ```
/// let results: strandline_client::Each<u8> = vec![("orders".to_owned(), Ok(1))];
/// ```
pub type Each<T> = Vec<(String, Result<T>)>;

/// A result for each topic and partition that was asked for.
///
/// ```
/// let results: strandline_client::EachPartition<u8> = vec![(("orders".to_owned(), 0), Ok(1))];
/// ```
pub type EachPartition<T> = Vec<((String, i32), Result<T>)>;

/// The administration of one cluster. Cheap to clone.
///
/// ```
/// # async fn example(client: &strandline_client::Client) -> Result<(), strandline_client::Error> {
/// let admin = client.admin();
/// for topic in admin.list_topics().await? {
///     println!("{}: {} partitions", topic.name, topic.partitions.len());
/// }
/// # Ok(())
/// # }
/// # strandline_client_stage::play(async |stage| example(&stage.client).await);
/// ```
#[derive(Clone, Debug)]
pub struct Admin {
    client: Client,
}

impl Admin {
    pub(crate) const fn new(client: Client) -> Self {
        Self { client }
    }

    /// How long the cluster may take for a request, as the protocol wants it.
    fn timeout_ms(&self) -> i32 {
        i32::try_from(self.client.config().request_timeout.as_millis()).unwrap_or(i32::MAX)
    }
}

fn by_topic<'a>(partitions: &[(&'a str, i32)]) -> BTreeMap<&'a str, Vec<i32>> {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for (topic, partition) in partitions {
        topics.entry(topic).or_default().push(*partition);
    }
    topics
}
