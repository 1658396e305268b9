//! What every response has for those who answer: the place where a client is told how long it is held back, and each
//! place where a code may say that something was refused, with the words for it where there are any. Answers nothing
//! itself.

use strandline_protocol::{ErrorCode, Response, Text};

/// Is told of a code, and of what the client is told with it.
pub(super) type Show<'a> = dyn FnMut(ErrorCode, Option<&Text>) + 'a;

/// A response as it is charged and counted.
pub trait Answered: Response {
    /// Where its codes are, and their words.
    #[cfg(test)]
    const CODES: &'static [&'static str];

    /// Tells the client how long it is held back, where the response has a place for that.
    fn set_throttle_time_ms(&mut self, throttle_time_ms: i32);

    /// Shows each code in it, those that say that nothing is wrong too.
    fn show_codes(&self, show: &mut Show<'_>);
}

/// Responses, each with where its codes are: the fields on the way, of which all but the last are lists; and after a
/// colon the field with the words for it. A test holds them against the schema. Where there is no place to tell a client
/// that it is held back, it is held back all the same.
macro_rules! answered {
    ($($module:ident::$response:ident $($unthrottled:ident)? { $($($step:ident).+ $(: $message:ident)?),+ }),+ $(,)?) => {
        $(impl Answered for strandline_protocol::apis::$module::$response {
            #[cfg(test)]
            const CODES: &'static [&'static str] =
                &[$(concat!(stringify!($($step).+) $(, ": ", stringify!($message))?)),+];

            answered!(@throttle $($unthrottled)?);

            fn show_codes(&self, show: &mut Show<'_>) {
                $(answered!(@show self, show, [$($message)?] $($step).+);)+
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
    (@show $holder:ident, $show:ident, [] $code:ident) => {
        $show($holder.$code, None);
    };
    (@show $holder:ident, $show:ident, [$message:ident] $code:ident) => {
        $show($holder.$code, $holder.$message.as_ref());
    };
    (@show $holder:ident, $show:ident, $message:tt $list:ident . $($rest:ident).+) => {
        for one in &$holder.$list {
            answered!(@show one, $show, $message $($rest).+);
        }
    };
}

answered! {
    add_offsets_to_txn::AddOffsetsToTxnResponse { error_code },
    add_partitions_to_txn::AddPartitionsToTxnResponse { error_code, results_by_transaction.topic_results.results_by_partition.partition_error_code, results_by_topic_v3_and_below.results_by_partition.partition_error_code },
    alter_configs::AlterConfigsResponse { responses.error_code: error_message },
    alter_partition_reassignments::AlterPartitionReassignmentsResponse { error_code: error_message, responses.partitions.error_code: error_message },
    alter_replica_log_dirs::AlterReplicaLogDirsResponse { results.partitions.error_code },
    api_versions::ApiVersionsResponse { error_code },
    consumer_group_describe::ConsumerGroupDescribeResponse { groups.error_code: error_message },
    consumer_group_heartbeat::ConsumerGroupHeartbeatResponse { error_code: error_message },
    create_partitions::CreatePartitionsResponse { results.error_code: error_message },
    create_topics::CreateTopicsResponse { topics.error_code: error_message, topics.topic_config_error_code },
    delete_groups::DeleteGroupsResponse { results.error_code },
    delete_records::DeleteRecordsResponse { topics.partitions.error_code },
    delete_topics::DeleteTopicsResponse { responses.error_code: error_message },
    describe_cluster::DescribeClusterResponse { error_code: error_message },
    describe_configs::DescribeConfigsResponse { results.error_code: error_message },
    describe_groups::DescribeGroupsResponse { groups.error_code: error_message },
    describe_log_dirs::DescribeLogDirsResponse { error_code, results.error_code },
    describe_producers::DescribeProducersResponse { topics.partitions.error_code: error_message },
    describe_quorum::DescribeQuorumResponse unthrottled { error_code: error_message, topics.partitions.error_code: error_message },
    describe_topic_partitions::DescribeTopicPartitionsResponse { topics.error_code, topics.partitions.error_code },
    describe_transactions::DescribeTransactionsResponse { transaction_states.error_code },
    elect_leaders::ElectLeadersResponse { error_code, replica_election_results.partition_result.error_code: error_message },
    end_txn::EndTxnResponse { error_code },
    fetch::FetchResponse { error_code, responses.partitions.error_code },
    find_coordinator::FindCoordinatorResponse { error_code: error_message, coordinators.error_code: error_message },
    heartbeat::HeartbeatResponse { error_code },
    incremental_alter_configs::IncrementalAlterConfigsResponse { responses.error_code: error_message },
    init_producer_id::InitProducerIdResponse { error_code },
    join_group::JoinGroupResponse { error_code },
    leave_group::LeaveGroupResponse { error_code, members.error_code },
    list_config_resources::ListConfigResourcesResponse { error_code },
    list_groups::ListGroupsResponse { error_code },
    list_offsets::ListOffsetsResponse { topics.partitions.error_code },
    list_partition_reassignments::ListPartitionReassignmentsResponse { error_code: error_message },
    list_transactions::ListTransactionsResponse { error_code },
    metadata::MetadataResponse { error_code, topics.error_code, topics.partitions.error_code },
    offset_commit::OffsetCommitResponse { topics.partitions.error_code },
    offset_delete::OffsetDeleteResponse { error_code, topics.partitions.error_code },
    offset_fetch::OffsetFetchResponse { error_code, topics.partitions.error_code, groups.error_code, groups.topics.partitions.error_code },
    offset_for_leader_epoch::OffsetForLeaderEpochResponse { topics.partitions.error_code },
    produce::ProduceResponse { responses.partition_responses.error_code: error_message },
    sync_group::SyncGroupResponse { error_code },
    txn_offset_commit::TxnOffsetCommitResponse { topics.partitions.error_code },
    update_features::UpdateFeaturesResponse { error_code: error_message, results.error_code: error_message },
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

    /// The same of a step of a path, with what ends it.
    fn plain_step(step: &str) -> String {
        let end = step.chars().last().filter(|last| ".:".contains(*last));
        plain(step).chars().chain(end).collect()
    }

    /// The paths of all codes below, each with the words beside it.
    fn codes(schema: &StructSchema, prefix: &str, found: &mut BTreeSet<String>) {
        for field in schema.fields {
            let path = format!("{prefix}{}", plain(field.name));
            match field.field_type {
                FieldType::Int16 if path.ends_with("errorcode") => {
                    let words = plain(&field.name.replace("Code", "Message"));
                    let has_words = schema.fields.iter().any(|beside| plain(beside.name) == words);
                    found.insert(if has_words { format!("{path}:{words}") } else { path });
                }
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
            let paths = paths.iter().map(|path| path.split_inclusive(['.', ':']).map(plain_step).collect());
            let mut expected = BTreeSet::new();
            codes(schema.body, "", &mut expected);
            assert_eq!(paths.collect::<BTreeSet<_>>(), expected, "{}", schema.name);
            answered.remove(schema.name);
        }
        assert_eq!(answered, BTreeSet::new(), "nobody asks for these");
    }

    #[test]
    fn codes_are_shown_wherever_they_are() {
        let partition = |code| PartitionResult {
            error_code: ErrorCode(code),
            error_message: (code == 2).then(|| "why".into()),
            ..Default::default()
        };
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
        response.show_codes(&mut |code, words| shown.push((code.0, words.map(Text::to_string))));
        assert_eq!(shown, [(1, None), (2, Some("why".to_owned())), (0, None), (3, None)]);
    }
}
