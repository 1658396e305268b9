//! Every error code of Kafka's, by name, and what a client may do about it.

use std::fmt;

use crate::reader::Reader;
use crate::schema::FieldType;
use crate::wire::{DecodeResult, EncodeResult, Layout, Wire};
use crate::writer::Writer;

/// An error code as it stands in a response. Codes that this table does not know are kept as they came.
///
/// ```
/// use strandline_protocol::{ErrorCode, Retry};
///
/// assert_eq!(ErrorCode::NOT_LEADER_OR_FOLLOWER.0, 6);
/// assert_eq!(ErrorCode::NOT_LEADER_OR_FOLLOWER.retry(), Retry::AfterMetadata);
/// assert_eq!(ErrorCode(6).to_string(), "NOT_LEADER_OR_FOLLOWER");
/// assert_eq!(ErrorCode(9_999).to_string(), "UNKNOWN(9999)");
/// ```
#[derive(Clone, Copy, Default, Eq, Hash, PartialEq)]
pub struct ErrorCode(pub i16);

/// What a client may do after an error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Retry {
    /// Nothing failed.
    NotNeeded,
    /// The same request fails again.
    Never,
    /// The same request may succeed later.
    Later,
    /// The request may succeed once the client has asked for the metadata anew.
    AfterMetadata,
}

macro_rules! error_codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal, $retry:ident;)+) => {
        impl ErrorCode {
            $($(#[doc = $doc])+ pub const $name: Self = Self($code);)+

            /// Every code of the table, rising.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Kafka's name for the code, if the table knows it.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some(stringify!($name)),)+
                    _ => None,
                }
            }

            /// What a client may do about it. A code that the table does not know is not worth a retry.
            pub const fn retry(self) -> Retry {
                match self.0 {
                    $($code => Retry::$retry,)+
                    _ => Retry::Never,
                }
            }
        }
    };
}

error_codes! {
    /// The broker failed in a way that it has no code for; a producer that meets it gives up.
    UNKNOWN_SERVER_ERROR = -1, Never;
    /// Nothing failed.
    NONE = 0, NotNeeded;
    /// The log does not have the offset, or no longer; a consumer falls back on its reset rule.
    OFFSET_OUT_OF_RANGE = 1, Never;
    /// A batch fails its CRC or cannot be read; it may have been damaged on its way, so send it again.
    CORRUPT_MESSAGE = 2, Later;
    /// The topic or partition does not exist, or the caller may not know of it; ask for the metadata.
    UNKNOWN_TOPIC_OR_PARTITION = 3, AfterMetadata;
    /// A fetch asks for a size that cannot be; from the protocol's first versions, hardly met today.
    INVALID_FETCH_SIZE = 4, Never;
    /// The partition has no leader at the moment; ask for the metadata until it has one.
    LEADER_NOT_AVAILABLE = 5, AfterMetadata;
    /// The broker does not lead the partition, or for some requests holds no copy; ask for the metadata.
    NOT_LEADER_OR_FOLLOWER = 6, AfterMetadata;
    /// Not done within the request's timeout; it may still take effect, a produced batch mostly does.
    REQUEST_TIMED_OUT = 7, Later;
    /// The node cannot take the request, such as a controller that is shutting down.
    BROKER_NOT_AVAILABLE = 8, Never;
    /// The broker holds no copy that could serve the request; ask for the metadata.
    REPLICA_NOT_AVAILABLE = 9, AfterMetadata;
    /// A batch or record exceeds the topic's or broker's limit; split it or raise the limit.
    MESSAGE_TOO_LARGE = 10, Never;
    /// The request comes from a controller that has been replaced; from the days of ZooKeeper.
    STALE_CONTROLLER_EPOCH = 11, Never;
    /// The text beside a committed offset exceeds the limit; commit with less.
    OFFSET_METADATA_TOO_LARGE = 12, Never;
    /// The connection broke before the answer; a code of clients' own, hardly ever on the wire.
    NETWORK_EXCEPTION = 13, AfterMetadata;
    /// The coordinator is still reading its partition of the internal topic; ask the same broker again.
    COORDINATOR_LOAD_IN_PROGRESS = 14, Later;
    /// There is no coordinator at present, as while its internal topic is created; look for it again.
    COORDINATOR_NOT_AVAILABLE = 15, Later;
    /// The broker is not, or no longer, the coordinator; look for it by FindCoordinator.
    NOT_COORDINATOR = 16, Later;
    /// The topic's name is not allowed, or the operation is not allowed on an internal topic.
    INVALID_TOPIC_EXCEPTION = 17, Never;
    /// A batch exceeds the size of a whole log segment; send smaller ones.
    RECORD_LIST_TOO_LARGE = 18, Never;
    /// Too few replicas are in sync for `acks` -1; nothing was appended.
    NOT_ENOUGH_REPLICAS = 19, Later;
    /// Too few replicas stayed in sync for `acks` -1; the records are in the log, a retry may double them.
    NOT_ENOUGH_REPLICAS_AFTER_APPEND = 20, Later;
    /// `acks` is none of -1, 0 and 1.
    INVALID_REQUIRED_ACKS = 21, Never;
    /// The member speaks of a generation that is over; it has to join again.
    ILLEGAL_GENERATION = 22, Never;
    /// The member's protocols have nothing in common with the group's, or it named none.
    INCONSISTENT_GROUP_PROTOCOL = 23, Never;
    /// The group id is empty or otherwise not allowed for this API.
    INVALID_GROUP_ID = 24, Never;
    /// The coordinator does not know the member, or dropped it; it has to join anew.
    UNKNOWN_MEMBER_ID = 25, Never;
    /// The session timeout is beyond what the broker allows.
    INVALID_SESSION_TIMEOUT = 26, Never;
    /// The group is rebalancing; the member has to join again before it goes on.
    REBALANCE_IN_PROGRESS = 27, Never;
    /// The offsets do not fit into one batch of the internal topic; commit fewer at a time.
    INVALID_COMMIT_OFFSET_SIZE = 28, Never;
    /// The caller may not do this to the topic.
    TOPIC_AUTHORIZATION_FAILED = 29, Never;
    /// The caller may not do this to the group.
    GROUP_AUTHORIZATION_FAILED = 30, Never;
    /// The caller may not do this to the cluster.
    CLUSTER_AUTHORIZATION_FAILED = 31, Never;
    /// A record's timestamp is further from the broker's clock than the topic allows.
    INVALID_TIMESTAMP = 32, Never;
    /// The SASL mechanism is not enabled on this listener; the answer lists those that are.
    UNSUPPORTED_SASL_MECHANISM = 33, Never;
    /// A SASL request at a point of the exchange, or on a listener, where it is not expected.
    ILLEGAL_SASL_STATE = 34, Never;
    /// The broker does not serve the API in this version, or a feature is off that it needs.
    UNSUPPORTED_VERSION = 35, Never;
    /// CreateTopics: there is a topic of that name already.
    TOPIC_ALREADY_EXISTS = 36, Never;
    /// The number of partitions is not allowed: below 1, or not above the present one.
    INVALID_PARTITIONS = 37, Never;
    /// The replication factor is below 1 or above the number of brokers that can take replicas.
    INVALID_REPLICATION_FACTOR = 38, Never;
    /// The replicas given by hand do not fit: unknown or repeated brokers, gaps, differing counts.
    INVALID_REPLICA_ASSIGNMENT = 39, Never;
    /// A setting is unknown or its value is not allowed.
    INVALID_CONFIG = 40, Never;
    /// The controller is another node, or just changed; find it and ask again.
    NOT_CONTROLLER = 41, Later;
    /// The request contradicts itself or lacks something; mostly a fault of the client's code.
    INVALID_REQUEST = 42, Never;
    /// The log is of a record format too old for what is asked.
    UNSUPPORTED_FOR_MESSAGE_FORMAT = 43, Never;
    /// A policy that the operator plugged in forbids it.
    POLICY_VIOLATION = 44, Never;
    /// A batch leaves a gap behind the producer's last one; a producer cannot go on without losing order.
    OUT_OF_ORDER_SEQUENCE_NUMBER = 45, Never;
    /// The batch was appended long ago and its offset is forgotten; the producer counts it as sent.
    DUPLICATE_SEQUENCE_NUMBER = 46, Never;
    /// The producer's epoch is past its time: a newer one took over, or its transaction timed out.
    INVALID_PRODUCER_EPOCH = 47, Never;
    /// The transaction is in a state that does not allow this, such as ending one that never began.
    INVALID_TXN_STATE = 48, Never;
    /// The producer id is not the one that stands behind the transactional id.
    INVALID_PRODUCER_ID_MAPPING = 49, Never;
    /// The transaction timeout is above what the broker allows, or not above zero.
    INVALID_TRANSACTION_TIMEOUT = 50, Never;
    /// The last change to the same transaction is not done yet; ask again shortly.
    CONCURRENT_TRANSACTIONS = 51, Later;
    /// WriteTxnMarkers: the sender no longer coordinates the producer's transactions.
    TRANSACTION_COORDINATOR_FENCED = 52, Never;
    /// The caller may not use the transactional id.
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53, Never;
    /// ACLs are asked for where no authorizer is configured.
    SECURITY_DISABLED = 54, Never;
    /// Not tried, since another part of the same request failed; mend that and send both again.
    OPERATION_NOT_ATTEMPTED = 55, Never;
    /// The partition's disk failed; its leadership moves to another broker, ask for the metadata.
    KAFKA_STORAGE_ERROR = 56, AfterMetadata;
    /// AlterReplicaLogDirs: the broker has no such directory.
    LOG_DIR_NOT_FOUND = 57, Never;
    /// The credentials are wrong; the broker closes the connection.
    SASL_AUTHENTICATION_FAILED = 58, Never;
    /// The partition has forgotten the producer, as when its records expired; it takes a new epoch.
    UNKNOWN_PRODUCER_ID = 59, Never;
    /// Not possible while the topic's replicas are being moved.
    REASSIGNMENT_IN_PROGRESS = 60, Never;
    /// The cluster has no secret for delegation tokens, so there are none.
    DELEGATION_TOKEN_AUTH_DISABLED = 61, Never;
    /// No delegation token has this HMAC.
    DELEGATION_TOKEN_NOT_FOUND = 62, Never;
    /// The caller is neither the token's owner nor one of its renewers.
    DELEGATION_TOKEN_OWNER_MISMATCH = 63, Never;
    /// Tokens are not handed out here: the connection proves nobody's identity, or was opened by a token.
    DELEGATION_TOKEN_REQUEST_NOT_ALLOWED = 64, Never;
    /// The caller may not see or make delegation tokens of that owner.
    DELEGATION_TOKEN_AUTHORIZATION_FAILED = 65, Never;
    /// The delegation token's time is over; a new one has to be made.
    DELEGATION_TOKEN_EXPIRED = 66, Never;
    /// The principal is of a kind that cannot be used here, other than `User`.
    INVALID_PRINCIPAL_TYPE = 67, Never;
    /// The group still has members; what is asked is for empty ones.
    NON_EMPTY_GROUP = 68, Never;
    /// There is no group of that id, or it is of another kind.
    GROUP_ID_NOT_FOUND = 69, Never;
    /// The broker has dropped the fetch session; begin a new one with a full fetch.
    FETCH_SESSION_ID_NOT_FOUND = 70, Later;
    /// A fetch came out of turn in its session; begin a new session with a full fetch.
    INVALID_FETCH_SESSION_EPOCH = 71, Later;
    /// The partition's leader does not have the listener on which the client came; ask for the metadata.
    LISTENER_NOT_FOUND = 72, AfterMetadata;
    /// The brokers are configured to let no topic be deleted.
    TOPIC_DELETION_DISABLED = 73, Never;
    /// The client's leader epoch is older than the broker's; ask for the metadata.
    FENCED_LEADER_EPOCH = 74, AfterMetadata;
    /// The client's leader epoch is newer than the broker's, which has yet to learn of it; ask again.
    UNKNOWN_LEADER_EPOCH = 75, Later;
    /// The client's version of the API is too old for the compression of the records.
    UNSUPPORTED_COMPRESSION_TYPE = 76, Never;
    /// Another start of the same broker has registered since; this one's word no longer counts.
    STALE_BROKER_EPOCH = 77, Never;
    /// ListOffsets: a new leader does not know the high watermark for certain yet; ask again.
    OFFSET_NOT_AVAILABLE = 78, Later;
    /// JoinGroup: the answer brings a member id, with which the client joins again.
    MEMBER_ID_REQUIRED = 79, Never;
    /// ElectLeaders: the preferred replica cannot lead, as it is down or not in sync.
    PREFERRED_LEADER_NOT_AVAILABLE = 80, AfterMetadata;
    /// The group has as many members as it may.
    GROUP_MAX_SIZE_REACHED = 81, Never;
    /// A newer member has registered under the same instance id; this one has to stop.
    FENCED_INSTANCE_ID = 82, Never;
    /// ElectLeaders: no replica is there that may lead.
    ELIGIBLE_LEADERS_NOT_AVAILABLE = 83, AfterMetadata;
    /// ElectLeaders: the partition already has the leader that the election would give it.
    ELECTION_NOT_NEEDED = 84, AfterMetadata;
    /// There is no reassignment that could be cancelled.
    NO_REASSIGNMENT_IN_PROGRESS = 85, Never;
    /// OffsetDelete: a member still subscribes to the topic.
    GROUP_SUBSCRIBED_TO_TOPIC = 86, Never;
    /// A record breaks a rule of the topic, such as one without key where the log is compacted.
    INVALID_RECORD = 87, Never;
    /// The offset belongs to an open transaction and may yet be replaced; ask again.
    UNSTABLE_OFFSET_COMMIT = 88, Later;
    /// Too many changes of topics or too much telemetry for the quota; wait as told and ask again.
    THROTTLING_QUOTA_EXCEEDED = 89, Later;
    /// Transactions: a newer producer with the same transactional id took over; this one has to stop.
    PRODUCER_FENCED = 90, Never;
    /// What the request refers to, such as a user's credential, does not exist.
    RESOURCE_NOT_FOUND = 91, Never;
    /// The request names the same thing twice.
    DUPLICATE_RESOURCE = 92, Never;
    /// The credential is not good enough, as by its number of iterations.
    UNACCEPTABLE_CREDENTIAL = 93, Never;
    /// Sender or receiver is not among the voters that the other knows.
    INCONSISTENT_VOTER_SET = 94, Never;
    /// The feature's level cannot be set: not supported by all, or the wrong direction.
    INVALID_UPDATE_VERSION = 95, Never;
    /// The controller could not store the new feature levels.
    FEATURE_UPDATE_FAILED = 96, Never;
    /// The principal in a forwarded request cannot be read; the brokers' security settings differ.
    PRINCIPAL_DESERIALIZATION_FAILURE = 97, Never;
    /// FetchSnapshot: the leader does not have that snapshot, or no longer.
    SNAPSHOT_NOT_FOUND = 98, Never;
    /// FetchSnapshot: the position lies outside the snapshot.
    POSITION_OUT_OF_RANGE = 99, Never;
    /// The topic id does not exist, as after the topic was deleted and made again; ask for the metadata.
    UNKNOWN_TOPIC_ID = 100, AfterMetadata;
    /// A live broker is registered under the same id.
    DUPLICATE_BROKER_REGISTRATION = 101, Never;
    /// No broker is registered under that id.
    BROKER_ID_NOT_REGISTERED = 102, Never;
    /// The topic id is not that of the log under the same name; ask for the metadata.
    INCONSISTENT_TOPIC_ID = 103, AfterMetadata;
    /// The request is meant for another cluster.
    INCONSISTENT_CLUSTER_ID = 104, Never;
    /// The coordinator does not know the transactional id, or it has expired.
    TRANSACTIONAL_ID_NOT_FOUND = 105, Never;
    /// A fetch session changed between topic names and ids; begin a new session.
    FETCH_SESSION_TOPIC_ID_ERROR = 106, Later;
    /// AlterPartition: a replica to join the in-sync set is fenced, shutting down or of an older start.
    INELIGIBLE_REPLICA = 107, Never;
    /// AlterPartition: the change is made, and another broker now leads.
    NEW_LEADER_ELECTED = 108, Never;
    /// A follower asks for records that are only in tiered storage; it has to build its state from there.
    OFFSET_MOVED_TO_TIERED_STORAGE = 109, Never;
    /// The member's epoch is past its time; it has to give up all partitions and join anew.
    FENCED_MEMBER_EPOCH = 110, Never;
    /// The instance id belongs to a member that has not left yet.
    UNRELEASED_INSTANCE_ID = 111, Never;
    /// The broker has no assignor of that name.
    UNSUPPORTED_ASSIGNOR = 112, Never;
    /// The member's epoch is behind; it learns the present one by its next heartbeat and asks again.
    STALE_MEMBER_EPOCH = 113, Never;
    /// The node is of the wrong kind, a broker asked for what a controller answers or the other way round.
    MISMATCHED_ENDPOINT_TYPE = 114, Never;
    /// DescribeCluster: the kind of endpoint that is asked for is not known.
    UNSUPPORTED_ENDPOINT_TYPE = 115, Never;
    /// The controller's id is not one that the cluster knows.
    UNKNOWN_CONTROLLER_ID = 116, Never;
    /// PushTelemetry: the subscription has changed; ask for it anew.
    UNKNOWN_SUBSCRIPTION_ID = 117, Never;
    /// PushTelemetry: the metrics are larger than the broker takes.
    TELEMETRY_TOO_LARGE = 118, Never;
    /// The controller does not accept the broker's registration as it stands.
    INVALID_REGISTRATION = 119, Never;
    /// The transaction cannot be finished; the producer aborts it and may go on with the next.
    TRANSACTION_ABORTABLE = 120, Never;
    /// The member does not hold the record, or not any more, so it cannot acknowledge it.
    INVALID_RECORD_STATE = 121, Never;
    /// The broker has dropped the share session; begin a new one with epoch 0.
    SHARE_SESSION_NOT_FOUND = 122, Later;
    /// A request came out of turn in its share session; begin a new one with epoch 0.
    INVALID_SHARE_SESSION_EPOCH = 123, Later;
    /// The share-partition's state has been set anew since; the sender works from an old one.
    FENCED_STATE_EPOCH = 124, Never;
    /// The request is meant for a voter with another id or directory.
    INVALID_VOTER_KEY = 125, Never;
    /// AddRaftVoter: the node is a voter already.
    DUPLICATE_VOTER = 126, Never;
    /// No voter has that id and directory.
    VOTER_NOT_FOUND = 127, Never;
    /// The regular expression cannot be compiled.
    INVALID_REGULAR_EXPRESSION = 128, Never;
    /// The client's picture of the cluster is useless; it has to begin again from its bootstrap list.
    REBOOTSTRAP_REQUIRED = 129, Never;
    /// StreamsGroupHeartbeat: the topology contradicts itself.
    STREAMS_INVALID_TOPOLOGY = 130, Never;
    /// StreamsGroupHeartbeat: the topology's epoch is not one that the group may move to.
    STREAMS_INVALID_TOPOLOGY_EPOCH = 131, Never;
    /// StreamsGroupHeartbeat: the member's topology is older than the group's; it has to be upgraded.
    STREAMS_TOPOLOGY_FENCED = 132, Never;
    /// The broker has as many share sessions as it may; try again later.
    SHARE_SESSION_LIMIT_REACHED = 133, Later;
}

impl ErrorCode {
    /// Whether nothing failed.
    pub const fn is_none(self) -> bool {
        self.0 == Self::NONE.0
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => formatter.write_str(name),
            None => write!(formatter, "UNKNOWN({})", self.0),
        }
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Wire for ErrorCode {
    const TYPE: FieldType = FieldType::Int16;
    const BYTES_MIN: usize = 2;

    #[inline]
    fn decode(reader: &mut Reader, layout: Layout) -> DecodeResult<Self> {
        i16::decode(reader, layout).map(Self)
    }

    #[inline]
    fn encode(&self, writer: &mut Writer, layout: Layout) -> EncodeResult {
        self.0.encode(writer, layout)
    }
}
