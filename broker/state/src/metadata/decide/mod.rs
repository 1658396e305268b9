//! What may be added to the metadata log: each command is looked at against the image, and becomes records and
//! a reply, or is refused with Kafka's code and words.
//!
//! Owns the rules; appends nothing. Whoever carries a decision out appends its records as one batch, evolves the
//! image by them, and sends the reply once they are committed. Time and random ids come with the command.
//!
//! A command about many things, such as [`CreateTopics`], has a result for each in its reply, and records for
//! those that succeed. [`Refusal`] of the whole is for what no part of it can get around.

mod alter_configs;
mod broker;
mod cluster;
mod create_partitions;
mod create_topics;
mod delete_topics;
mod features;
mod leader_epochs;
mod names;
mod placement;
mod producer_ids;

use strandline_protocol::ErrorCode;

use super::{MetadataImage, MetadataRecord};

pub use alter_configs::{AlterConfigs, ConfigChange, ConfigOperation, ResourceChange};
pub use broker::RegisterBroker;
pub use cluster::FormatCluster;
pub use create_partitions::{CreatePartitions, PartitionsToAdd};
pub use create_topics::{CreateTopics, CreatedTopic, NewTopic, TopicCreation};
pub use delete_topics::{DeleteTopics, DeletedTopic, TopicReference};
pub use features::{FeatureUpdate, SetFeatures, SupportedFeature, UpgradeType};
pub use leader_epochs::{BumpLeaderEpochs, BumpedEpoch};
pub use names::{is_internal_name, validate_topic_name};
pub use producer_ids::{AllocateProducerIds, PRODUCER_ID_BLOCK, ProducerIdBlock};

/// Something that is to change what the cluster knows of itself.
pub trait Command {
    /// What whoever asked is told once the records are committed.
    type Reply;

    /// What the command comes to, given the image.
    fn decide(&self, image: &MetadataImage, now_ms: i64) -> Result<Decision<Self::Reply>, Refusal>;
}

/// What `command` comes to, given the image: the same for the same inputs, always.
pub fn decide<C: Command>(
    image: &MetadataImage,
    now_ms: i64,
    command: &C,
) -> Result<Decision<C::Reply>, Refusal> {
    command.decide(image, now_ms)
}

/// What a command came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision<R> {
    /// To be appended in this order, all of them or none. Empty where nothing changes.
    pub records: Vec<MetadataRecord>,
    /// To be sent once they are committed.
    pub reply: R,
}

/// Why something was not done.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// Kafka's code for it.
    pub code: ErrorCode,
    /// Says more, for people, in Kafka's words where Kafka has any.
    pub message: String,
}

impl Refusal {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

#[cfg(test)]
mod tests;
