//! Offsets of a group as part of a transaction, on the wire.

use std::collections::BTreeMap;

use strandline_protocol::apis::txn_offset_commit::{
    TxnOffsetCommitRequest, TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
    TxnOffsetCommitResponse,
};
use strandline_protocol::{ErrorCode, Text};

use crate::consumer::GroupOffsets;
use crate::producer::queue::Identity;

pub(super) fn request(id: &Text, identity: Identity, offsets: &GroupOffsets) -> TxnOffsetCommitRequest {
    let mut topics: BTreeMap<&Text, Vec<TxnOffsetCommitRequestPartition>> = BTreeMap::new();
    for ((topic, partition), (offset, epoch)) in &offsets.offsets {
        topics.entry(topic).or_default().push(TxnOffsetCommitRequestPartition {
            partition_index: *partition,
            committed_offset: *offset,
            committed_leader_epoch: epoch.unwrap_or(-1),
            committed_metadata: Some(Text::new()),
            ..Default::default()
        });
    }
    let topic = |(name, partitions): (&Text, _)| TxnOffsetCommitRequestTopic {
        name: name.clone(),
        partitions,
        ..Default::default()
    };
    TxnOffsetCommitRequest {
        transactional_id: id.clone(),
        group_id: offsets.group.clone(),
        producer_id: identity.producer_id,
        producer_epoch: identity.epoch,
        generation_id: offsets.generation,
        member_id: offsets.member.clone(),
        group_instance_id: offsets.instance.clone(),
        topics: topics.into_iter().map(topic).collect(),
        ..Default::default()
    }
}

pub(super) fn first_refusal(response: &TxnOffsetCommitResponse) -> ErrorCode {
    let partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
    let mut codes = partitions.map(|partition| partition.error_code);
    codes.find(|code| *code != ErrorCode::NONE).unwrap_or(ErrorCode::NONE)
}
