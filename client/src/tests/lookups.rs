//! What a troubled cluster says of offsets and epochs.

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::list_offsets::{
    ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse, ListOffsetsTopicResponse,
};
use strandline_protocol::apis::offset_for_leader_epoch::{
    EpochEndOffset, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, OffsetForLeaderTopicResult,
};

use super::troubled::Inner;

impl Inner {
    pub(super) fn list_offsets(
        &mut self,
        broker: usize,
        request: &ListOffsetsRequest,
    ) -> ListOffsetsResponse {
        let mut topics = Vec::new();
        for topic in &request.topics {
            let mut partitions = Vec::new();
            for wanted in &topic.partitions {
                let partition = usize::try_from(wanted.partition_index).unwrap();
                let refusal = self.refusal(broker, partition);
                partitions.push(ListOffsetsPartitionResponse {
                    partition_index: wanted.partition_index,
                    error_code: refusal.unwrap_or(ErrorCode::NONE),
                    offset: if wanted.timestamp == -1 { self.logs[partition].end } else { 0 },
                    ..Default::default()
                });
            }
            topics.push(ListOffsetsTopicResponse {
                name: topic.name.clone(),
                partitions,
                ..Default::default()
            });
        }
        ListOffsetsResponse { topics, ..Default::default() }
    }

    pub(super) fn epoch_ends(
        &mut self,
        broker: usize,
        request: &OffsetForLeaderEpochRequest,
    ) -> OffsetForLeaderEpochResponse {
        let mut topics = Vec::new();
        for topic in &request.topics {
            let mut partitions = Vec::new();
            for wanted in &topic.partitions {
                let partition = usize::try_from(wanted.partition).unwrap();
                partitions.push(EpochEndOffset {
                    partition: wanted.partition,
                    error_code: self.refusal(broker, partition).unwrap_or(ErrorCode::NONE),
                    leader_epoch: wanted.leader_epoch,
                    end_offset: self.logs[partition].end,
                    ..Default::default()
                });
            }
            topics.push(OffsetForLeaderTopicResult {
                topic: topic.topic.clone(),
                partitions,
                ..Default::default()
            });
        }
        OffsetForLeaderEpochResponse { topics, ..Default::default() }
    }
}
