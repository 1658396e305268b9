//! New leader epochs without a new leader: a log that may have lost its end must not go on under the old one,
//! or a consumer would skip what it lost without learning of it.

use strandline_protocol::{ErrorCode, Uuid};

use super::{Command, Decision, Refusal};
use crate::metadata::record::PartitionKey;
use crate::metadata::{MetadataImage, MetadataRecord};

/// Gives partitions their next leader epoch; leader and replicas stay.
#[derive(Clone, Debug)]
pub struct BumpLeaderEpochs {
    /// Topic id and number of each partition.
    pub partitions: Vec<(Uuid, i32)>,
}

/// What became of one partition.
#[derive(Clone, Debug, PartialEq)]
pub struct BumpedEpoch {
    /// The topic's id.
    pub topic_id: Uuid,
    /// The partition's number.
    pub index: i32,
    /// The epoch that it has now.
    pub leader_epoch: Result<i32, Refusal>,
}

impl Command for BumpLeaderEpochs {
    /// One for each partition of the command, in its order.
    type Reply = Vec<BumpedEpoch>;

    fn decide(&self, image: &MetadataImage, _: i64) -> Result<Decision<Self::Reply>, Refusal> {
        let mut records = Vec::new();
        let mut done = std::collections::BTreeMap::new();
        let mut reply = Vec::with_capacity(self.partitions.len());
        for &(topic_id, index) in &self.partitions {
            let leader_epoch = done.entry((topic_id, index)).or_insert_with(|| {
                let (record, leader_epoch) = bumped(image, topic_id, index)?;
                records.push(record);
                Ok(leader_epoch)
            });
            reply.push(BumpedEpoch { topic_id, index, leader_epoch: leader_epoch.clone() });
        }
        Ok(Decision { records, reply })
    }
}

fn bumped(image: &MetadataImage, topic_id: Uuid, index: i32) -> Result<(MetadataRecord, i32), Refusal> {
    let topic = image.topic_by_id(topic_id).ok_or_else(|| {
        Refusal::new(ErrorCode::UNKNOWN_TOPIC_ID, format!("No such topic id as {topic_id}"))
    })?;
    let partition = topic.partition(index).ok_or_else(|| {
        let message = format!("No such partition as {}-{index}", topic.name());
        Refusal::new(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, message)
    })?;
    let mut value = partition.to_value();
    let next = |epoch: i32| {
        let message = format!("The epochs of partition {}-{index} are used up", topic.name());
        epoch.checked_add(1).ok_or_else(|| Refusal::new(ErrorCode::UNKNOWN_SERVER_ERROR, message))
    };
    value.leader_epoch = next(value.leader_epoch)?;
    value.partition_epoch = next(value.partition_epoch)?;
    let leader_epoch = value.leader_epoch;
    Ok((MetadataRecord::Partition(PartitionKey { topic_id, index }, Some(value)), leader_epoch))
}
