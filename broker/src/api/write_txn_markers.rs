//! WriteTxnMarkers: markers are appended to partitions that this broker leads. Brokers send it, and operators who abort
//! a transaction by hand.
//!
//! It takes the right to alter the cluster, or to act for it. From v2 on it says by which version of transactions each
//! one ends. A partition that nobody knows is UNKNOWN_TOPIC_OR_PARTITION.

use std::sync::Arc;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::write_txn_markers::{
    WritableTxnMarker, WritableTxnMarkerPartitionResult, WritableTxnMarkerResult,
    WritableTxnMarkerTopicResult, WriteTxnMarkersRequest, WriteTxnMarkersResponse,
};

use super::Dispatched;
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;
use crate::transactions::{Marked, Wanted};

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: WriteTxnMarkersRequest) -> Dispatched {
    let may = |operation| broker.authorizer.authorize(&call, operation, Resource::Cluster);
    if !may(Operation::Alter) && !may(Operation::ClusterAction) {
        let markers =
            request.markers.iter().map(|marker| refused(marker, ErrorCode::CLUSTER_AUTHORIZATION_FAILED));
        let response = WriteTxnMarkersResponse { markers: markers.collect(), ..Default::default() };
        return call.now(broker, response);
    }
    let shared = Arc::clone(broker);
    call.later(broker, async move {
        let wanted = request.markers.iter().map(wanted).collect();
        let marked = shared.transactions.markers().write(wanted).await;
        let markers = request.markers.iter().zip(marked).map(|(marker, marked)| result(marker, &marked));
        WriteTxnMarkersResponse { markers: markers.collect(), ..Default::default() }
    })
}

fn wanted(marker: &WritableTxnMarker) -> Wanted {
    let topics = marker.topics.iter();
    let partitions =
        topics.flat_map(|topic| topic.partition_indexes.iter().map(|index| (topic.name.clone(), *index)));
    Wanted {
        producer_id: marker.producer_id,
        producer_epoch: marker.producer_epoch,
        is_commit: marker.transaction_result,
        version: marker.transaction_version.into(),
        coordinator_epoch: marker.coordinator_epoch,
        partitions: partitions.collect(),
    }
}

fn result(marker: &WritableTxnMarker, marked: &Marked) -> WritableTxnMarkerResult {
    let mut topics: Vec<WritableTxnMarkerTopicResult> = Vec::new();
    for (topic, partition_index, error_code) in marked.codes() {
        let partition =
            WritableTxnMarkerPartitionResult { partition_index, error_code, ..Default::default() };
        match topics.last_mut().filter(|last| last.name == *topic) {
            Some(last) => last.partitions.push(partition),
            None => topics.push(WritableTxnMarkerTopicResult {
                name: topic.clone(),
                partitions: vec![partition],
                ..Default::default()
            }),
        }
    }
    WritableTxnMarkerResult { producer_id: marker.producer_id, topics, ..Default::default() }
}

fn refused(marker: &WritableTxnMarker, error_code: ErrorCode) -> WritableTxnMarkerResult {
    let topics = marker.topics.iter().map(|topic| {
        let partitions = topic.partition_indexes.iter().map(|index| WritableTxnMarkerPartitionResult {
            partition_index: *index,
            error_code,
            ..Default::default()
        });
        let partitions = partitions.collect();
        WritableTxnMarkerTopicResult { name: topic.name.clone(), partitions, ..Default::default() }
    });
    WritableTxnMarkerResult {
        producer_id: marker.producer_id,
        topics: topics.collect(),
        ..Default::default()
    }
}
