//! AlterReplicaLogDirs: moves partitions to another data directory of the broker. There is one: who names it gets what
//! is so already, any other is LOG_DIR_NOT_FOUND.

use std::sync::Arc;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::alter_replica_log_dirs::{
    AlterReplicaLogDirPartitionResult, AlterReplicaLogDirTopicResult, AlterReplicaLogDirsRequest,
    AlterReplicaLogDirsResponse,
};

use super::Dispatched;
use super::cluster::may_change_cluster;
use crate::broker::Broker;
use crate::context::Call;

pub(super) async fn handle(
    broker: &Arc<Broker>,
    call: Call,
    request: AlterReplicaLogDirsRequest,
) -> Dispatched {
    let may = may_change_cluster(broker, &call).map_err(|refusal| refusal.code);
    let results = request.dirs.iter().flat_map(|dir| {
        let is_ours = broker.storage.directory().is_some_and(|ours| ours.name() == dir.path.as_str());
        let may = may.and(if is_ours { Ok(()) } else { Err(ErrorCode::LOG_DIR_NOT_FOUND) });
        dir.topics.iter().map(move |topic| {
            let result = |index: &i32| {
                let is_there = || {
                    let topic = broker.topics.by_name(&topic.name);
                    let topic = topic.ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
                    topic.led(broker, *index).map(drop)
                };
                let error_code = may.and_then(|()| is_there()).err().unwrap_or(ErrorCode::NONE);
                AlterReplicaLogDirPartitionResult {
                    partition_index: *index,
                    error_code,
                    ..Default::default()
                }
            };
            AlterReplicaLogDirTopicResult {
                topic_name: topic.name.clone(),
                partitions: topic.partitions.iter().map(result).collect(),
                ..Default::default()
            }
        })
    });
    let results = results.collect();
    call.now(broker, AlterReplicaLogDirsResponse { results, ..Default::default() })
}
