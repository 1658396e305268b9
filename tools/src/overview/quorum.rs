//! `strandline cluster quorum`: who keeps the log of the cluster's metadata.

use std::io::Write;

use serde_json::json;
use strandline_client::{Client, Error};
use strandline_protocol::ErrorCode;
use strandline_protocol::apis::describe_quorum::{
    DescribeQuorumRequest, ReplicaState, RequestPartitionData, RequestTopicData, ResponsePartitionData,
};

use crate::cluster::{Connecting, Failure, Output};
use crate::results;
use crate::table::Table;
use crate::time::moment;

/// Kafka's name of the log.
const METADATA: &str = "__cluster_metadata";

pub(super) fn run(connecting: &Connecting, out: &mut impl Write) -> Result<(), Failure> {
    let quorum = connecting.run(async |client| Ok(asked(&client).await?))?;
    let voters = quorum.current_voters.iter().map(|state| ("voter", state));
    let everybody: Vec<_> = voters.chain(quorum.observers.iter().map(|state| ("observer", state))).collect();
    if connecting.output == Output::Json {
        let value = |(role, state): &(&str, &ReplicaState)| {
            json!({
                "id": state.replica_id, "role": role, "end": state.log_end_offset,
                "lag": lag(&quorum, state), "lastCaughtUp": known(state.last_caught_up_timestamp),
            })
        };
        let replicas: Vec<_> = everybody.iter().map(value).collect();
        let value = json!({
            "leader": quorum.leader_id, "epoch": quorum.leader_epoch, "highWatermark": quorum.high_watermark,
            "replicas": replicas,
        });
        return Ok(results::json(&value, out)?);
    }
    writeln!(out, "leader          {}", quorum.leader_id)?;
    writeln!(out, "epoch           {}", quorum.leader_epoch)?;
    writeln!(out, "high watermark  {}", quorum.high_watermark)?;
    let mut table = Table::new(&["ID", "ROLE", "END", "LAG", "CAUGHT UP"]);
    for (role, state) in everybody {
        table.row([
            state.replica_id.to_string(),
            role.to_owned(),
            state.log_end_offset.to_string(),
            lag(&quorum, state).to_string(),
            known(state.last_caught_up_timestamp).map(moment).unwrap_or_default(),
        ]);
    }
    Ok(table.print(out)?)
}

fn known(time_ms: i64) -> Option<i64> {
    Some(time_ms).filter(|time| *time > 0)
}

/// How far a replica is behind the leader.
fn lag(quorum: &ResponsePartitionData, state: &ReplicaState) -> i64 {
    let leader = quorum.current_voters.iter().find(|voter| voter.replica_id == quorum.leader_id);
    let end = leader.map_or(quorum.high_watermark, |leader| leader.log_end_offset);
    end.saturating_sub(state.log_end_offset).max(0)
}

async fn asked(client: &Client) -> Result<ResponsePartitionData, Error> {
    let partition = RequestPartitionData { partition_index: 0, ..Default::default() };
    let topic =
        RequestTopicData { topic_name: METADATA.into(), partitions: vec![partition], ..Default::default() };
    let request = DescribeQuorumRequest { topics: vec![topic], ..Default::default() };
    let response = client.any_broker().await?.request(&request).await?;
    let refused = |code, message: Option<strandline_protocol::Text>| {
        Error::broker(code, "the quorum", message.map(String::from))
    };
    if response.error_code != ErrorCode::NONE {
        return Err(refused(response.error_code, response.error_message));
    }
    let partition = response.topics.into_iter().flat_map(|topic| topic.partitions).next();
    let partition = partition.ok_or_else(|| Error::Missing("the quorum".to_owned()))?;
    match partition.error_code {
        ErrorCode::NONE => Ok(partition),
        code => Err(refused(code, partition.error_message)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_is_behind_its_leader() {
        let state =
            |replica_id, log_end_offset| ReplicaState { replica_id, log_end_offset, ..Default::default() };
        let quorum = ResponsePartitionData {
            leader_id: 1,
            current_voters: vec![state(1, 10), state(2, 7)],
            ..Default::default()
        };
        assert_eq!((lag(&quorum, &state(2, 7)), lag(&quorum, &state(1, 10))), (3, 0));
    }
}
