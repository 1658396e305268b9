//! `strandline cluster quorum`: who keeps the log of the cluster's metadata.

use std::io::Write;

use serde_json::json;
use strandline_client::{QuorumDescription, QuorumReplica};

use crate::cluster::{Connecting, Failure, Output};
use crate::results;
use crate::table::Table;
use crate::time::moment;

pub(super) fn run(connecting: &Connecting, out: &mut impl Write) -> Result<(), Failure> {
    let quorum = connecting.run(async |client| Ok(client.admin().describe_quorum().await?))?;
    let voters = quorum.voters.iter().map(|state| ("voter", state));
    let everybody: Vec<_> = voters.chain(quorum.observers.iter().map(|state| ("observer", state))).collect();
    if connecting.output == Output::Json {
        let value = |(role, state): &(&str, &QuorumReplica)| {
            json!({
                "id": state.id, "role": role, "end": state.end_offset,
                "lag": lag(&quorum, state), "lastCaughtUp": known(state.last_caught_up),
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
            state.id.to_string(),
            role.to_owned(),
            state.end_offset.to_string(),
            lag(&quorum, state).to_string(),
            known(state.last_caught_up).map(moment).unwrap_or_default(),
        ]);
    }
    Ok(table.print(out)?)
}

// A leader that has only just begun says 0.
fn known(time_ms: Option<i64>) -> Option<i64> {
    time_ms.filter(|time| *time > 0)
}

/// How far a replica is behind the leader.
fn lag(quorum: &QuorumDescription, state: &QuorumReplica) -> i64 {
    let leader = quorum.voters.iter().find(|voter| voter.id == quorum.leader_id);
    let end = leader.map_or(quorum.high_watermark, |leader| leader.end_offset);
    end.saturating_sub(state.end_offset).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_is_behind_its_leader() {
        let state = |id, end_offset| {
            let mut replica = QuorumReplica::default();
            (replica.id, replica.end_offset) = (id, end_offset);
            replica
        };
        let mut quorum = QuorumDescription::default();
        (quorum.leader_id, quorum.voters) = (1, vec![state(1, 10), state(2, 7)]);
        assert_eq!((lag(&quorum, &state(2, 7)), lag(&quorum, &state(1, 10))), (3, 0));
    }
}
