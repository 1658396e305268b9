//! What every response has for those who answer: the place where a client is told how long it is held back, and each
//! place where a code may say that something was refused. Answers nothing itself.

use strandline_protocol::{ErrorCode, Response};

/// A response as it is charged and counted.
pub trait Answered: Response {
    /// Where its codes are.
    #[cfg(test)]
    const CODES: &'static [&'static str];

    /// Tells the client how long it is held back, where the response has a place for that.
    fn set_throttle_time_ms(&mut self, throttle_time_ms: i32);

    /// Shows each code in it, those that say that nothing is wrong too.
    fn show_codes(&self, show: &mut dyn FnMut(ErrorCode));
}

/// Responses, each with where its codes are: the fields on the way, of which all but the last are lists. A test holds
/// them against the schema. Where there is no place to tell a client that it is held back, it is held back all the same.
macro_rules! answered {
    ($($module:ident::$response:ident $($unthrottled:ident)? { $($($step:ident).+),+ }),+ $(,)?) => {
        $(impl Answered for strandline_protocol::apis::$module::$response {
            #[cfg(test)]
            const CODES: &'static [&'static str] = &[$(stringify!($($step).+)),+];

            answered!(@throttle $($unthrottled)?);

            fn show_codes(&self, show: &mut dyn FnMut(ErrorCode)) {
                $(answered!(@show self, show, $($step).+);)+
            }
        })+

        /// All of them, by name, with where their codes are.
        #[cfg(test)]
        pub(super) static ANSWERED: &[(&str, &[&str])] =
            &[$((stringify!($response), <strandline_protocol::apis::$module::$response as Answered>::CODES)),+];
    };
    (@throttle) => {
        fn set_throttle_time_ms(&mut self, throttle_time_ms: i32) {
            self.throttle_time_ms = throttle_time_ms;
        }
    };
    (@throttle unthrottled) => {
        fn set_throttle_time_ms(&mut self, _: i32) {}
    };
    (@show $holder:ident, $show:ident, $code:ident) => {
        $show($holder.$code);
    };
    (@show $holder:ident, $show:ident, $list:ident . $($rest:ident).+) => {
        for one in &$holder.$list {
            answered!(@show one, $show, $($rest).+);
        }
    };
}

answered! {
    add_offsets_to_txn::AddOffsetsToTxnResponse { error_code },
    add_partitions_to_txn::AddPartitionsToTxnResponse { error_code, results_by_transaction.topic_results.results_by_partition.partition_error_code, results_by_topic_v3_and_below.results_by_partition.partition_error_code },
    alter_configs::AlterConfigsResponse { responses.error_code },
    alter_partition_reassignments::AlterPartitionReassignmentsResponse { error_code, responses.partitions.error_code },
    alter_replica_log_dirs::AlterReplicaLogDirsResponse { results.partitions.error_code },
    api_versions::ApiVersionsResponse { error_code },
    consumer_group_describe::ConsumerGroupDescribeResponse { groups.error_code },
    consumer_group_heartbeat::ConsumerGroupHeartbeatResponse { error_code },
    create_partitions::CreatePartitionsResponse { results.error_code },
    create_topics::CreateTopicsResponse { topics.error_code, topics.topic_config_error_code },
    delete_groups::DeleteGroupsResponse { results.error_code },
    delete_records::DeleteRecordsResponse { topics.partitions.error_code },
    delete_topics::DeleteTopicsResponse { responses.error_code },
    describe_cluster::DescribeClusterResponse { error_code },
    describe_configs::DescribeConfigsResponse { results.error_code },
    describe_groups::DescribeGroupsResponse { groups.error_code },
    describe_log_dirs::DescribeLogDirsResponse { error_code, results.error_code },
    describe_producers::DescribeProducersResponse { topics.partitions.error_code },
    describe_quorum::DescribeQuorumResponse unthrottled { error_code, topics.partitions.error_code },
    describe_topic_partitions::DescribeTopicPartitionsResponse { topics.error_code, topics.partitions.error_code },
    describe_transactions::DescribeTransactionsResponse { transaction_states.error_code },
    elect_leaders::ElectLeadersResponse { error_code, replica_election_results.partition_result.error_code },
    end_txn::EndTxnResponse { error_code },
    fetch::FetchResponse { error_code, responses.partitions.error_code },
    find_coordinator::FindCoordinatorResponse { error_code, coordinators.error_code },
    heartbeat::HeartbeatResponse { error_code },
    incremental_alter_configs::IncrementalAlterConfigsResponse { responses.error_code },
    init_producer_id::InitProducerIdResponse { error_code },
    join_group::JoinGroupResponse { error_code },
    leave_group::LeaveGroupResponse { error_code, members.error_code },
    list_config_resources::ListConfigResourcesResponse { error_code },
    list_groups::ListGroupsResponse { error_code },
    list_offsets::ListOffsetsResponse { topics.partitions.error_code },
    list_partition_reassignments::ListPartitionReassignmentsResponse { error_code },
    list_transactions::ListTransactionsResponse { error_code },
    metadata::MetadataResponse { error_code, topics.error_code, topics.partitions.error_code },
    offset_commit::OffsetCommitResponse { topics.partitions.error_code },
    offset_delete::OffsetDeleteResponse { error_code, topics.partitions.error_code },
    offset_fetch::OffsetFetchResponse { error_code, topics.partitions.error_code, groups.error_code, groups.topics.partitions.error_code },
    offset_for_leader_epoch::OffsetForLeaderEpochResponse { topics.partitions.error_code },
    produce::ProduceResponse { responses.partition_responses.error_code },
    sync_group::SyncGroupResponse { error_code },
    txn_offset_commit::TxnOffsetCommitResponse { topics.partitions.error_code },
    update_features::UpdateFeaturesResponse { error_code, results.error_code },
    write_txn_markers::WriteTxnMarkersResponse unthrottled { markers.topics.partitions.error_code },
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use strandline_protocol::apis::elect_leaders::{
        ElectLeadersResponse, PartitionResult, ReplicaElectionResult,
    };
    use strandline_protocol::schema::{FieldType, StructSchema};

    use super::*;
    use crate::api::SERVED;

    /// Names as both sides would write them.
    fn plain(name: &str) -> String {
        name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
    }

    /// The paths of all codes below.
    fn codes(schema: &StructSchema, prefix: &str, found: &mut BTreeSet<String>) {
        for field in schema.fields {
            let path = format!("{prefix}{}", plain(field.name));
            match field.field_type {
                FieldType::Int16 if path.ends_with("errorcode") => drop(found.insert(path)),
                FieldType::Struct(inner) | FieldType::Array(&FieldType::Struct(inner)) => {
                    codes(inner, &format!("{path}."), found);
                }
                _ => {}
            }
        }
    }

    #[test]
    fn every_code_of_every_response_is_counted() {
        let mut answered: BTreeSet<_> = ANSWERED.iter().map(|(name, _)| *name).collect();
        for served in SERVED {
            let schema = served.key.api().response.schema;
            let (_, paths) = ANSWERED.iter().find(|(name, _)| *name == schema.name).unwrap();
            let paths = paths.iter().map(|path| path.split('.').map(plain).collect::<Vec<_>>().join("."));
            let mut expected = BTreeSet::new();
            codes(schema.body, "", &mut expected);
            assert_eq!(paths.collect::<BTreeSet<_>>(), expected, "{}", schema.name);
            answered.remove(schema.name);
        }
        assert_eq!(answered, BTreeSet::new(), "nobody asks for these");
    }

    #[test]
    fn codes_are_shown_wherever_they_are() {
        let partition = |code| PartitionResult { error_code: ErrorCode(code), ..Default::default() };
        let topic = |codes: &[i16]| ReplicaElectionResult {
            partition_result: codes.iter().copied().map(partition).collect(),
            ..Default::default()
        };
        let response = ElectLeadersResponse {
            error_code: ErrorCode(1),
            replica_election_results: vec![topic(&[2, 0]), topic(&[]), topic(&[3])],
            ..Default::default()
        };
        let mut shown = Vec::new();
        response.show_codes(&mut |code| shown.push(code.0));
        assert_eq!(shown, [1, 2, 0, 3]);
    }
}
