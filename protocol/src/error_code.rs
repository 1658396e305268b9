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
    /// .
    UNKNOWN_SERVER_ERROR = -1, Never;
    /// .
    NONE = 0, NotNeeded;
    /// .
    OFFSET_OUT_OF_RANGE = 1, Never;
    /// .
    CORRUPT_MESSAGE = 2, Later;
    /// .
    UNKNOWN_TOPIC_OR_PARTITION = 3, AfterMetadata;
    /// .
    INVALID_FETCH_SIZE = 4, Never;
    /// .
    LEADER_NOT_AVAILABLE = 5, AfterMetadata;
    /// .
    NOT_LEADER_OR_FOLLOWER = 6, AfterMetadata;
    /// .
    REQUEST_TIMED_OUT = 7, Later;
    /// .
    BROKER_NOT_AVAILABLE = 8, Never;
    /// .
    REPLICA_NOT_AVAILABLE = 9, AfterMetadata;
    /// .
    MESSAGE_TOO_LARGE = 10, Never;
    /// .
    STALE_CONTROLLER_EPOCH = 11, Never;
    /// .
    OFFSET_METADATA_TOO_LARGE = 12, Never;
    /// .
    NETWORK_EXCEPTION = 13, AfterMetadata;
    /// .
    COORDINATOR_LOAD_IN_PROGRESS = 14, Later;
    /// .
    COORDINATOR_NOT_AVAILABLE = 15, Later;
    /// .
    NOT_COORDINATOR = 16, Later;
    /// .
    INVALID_TOPIC_EXCEPTION = 17, Never;
    /// .
    RECORD_LIST_TOO_LARGE = 18, Never;
    /// .
    NOT_ENOUGH_REPLICAS = 19, Later;
    /// .
    NOT_ENOUGH_REPLICAS_AFTER_APPEND = 20, Later;
    /// .
    INVALID_REQUIRED_ACKS = 21, Never;
    /// .
    ILLEGAL_GENERATION = 22, Never;
    /// .
    INCONSISTENT_GROUP_PROTOCOL = 23, Never;
    /// .
    INVALID_GROUP_ID = 24, Never;
    /// .
    UNKNOWN_MEMBER_ID = 25, Never;
    /// .
    INVALID_SESSION_TIMEOUT = 26, Never;
    /// .
    REBALANCE_IN_PROGRESS = 27, Never;
    /// .
    INVALID_COMMIT_OFFSET_SIZE = 28, Never;
    /// .
    TOPIC_AUTHORIZATION_FAILED = 29, Never;
    /// .
    GROUP_AUTHORIZATION_FAILED = 30, Never;
    /// .
    CLUSTER_AUTHORIZATION_FAILED = 31, Never;
    /// .
    INVALID_TIMESTAMP = 32, Never;
    /// .
    UNSUPPORTED_SASL_MECHANISM = 33, Never;
    /// .
    ILLEGAL_SASL_STATE = 34, Never;
    /// .
    UNSUPPORTED_VERSION = 35, Never;
    /// .
    TOPIC_ALREADY_EXISTS = 36, Never;
    /// .
    INVALID_PARTITIONS = 37, Never;
    /// .
    INVALID_REPLICATION_FACTOR = 38, Never;
    /// .
    INVALID_REPLICA_ASSIGNMENT = 39, Never;
    /// .
    INVALID_CONFIG = 40, Never;
    /// .
    NOT_CONTROLLER = 41, Later;
    /// .
    INVALID_REQUEST = 42, Never;
    /// .
    UNSUPPORTED_FOR_MESSAGE_FORMAT = 43, Never;
    /// .
    POLICY_VIOLATION = 44, Never;
    /// .
    OUT_OF_ORDER_SEQUENCE_NUMBER = 45, Never;
    /// .
    DUPLICATE_SEQUENCE_NUMBER = 46, Never;
    /// .
    INVALID_PRODUCER_EPOCH = 47, Never;
    /// .
    INVALID_TXN_STATE = 48, Never;
    /// .
    INVALID_PRODUCER_ID_MAPPING = 49, Never;
    /// .
    INVALID_TRANSACTION_TIMEOUT = 50, Never;
    /// .
    CONCURRENT_TRANSACTIONS = 51, Later;
    /// .
    TRANSACTION_COORDINATOR_FENCED = 52, Never;
    /// .
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53, Never;
    /// .
    SECURITY_DISABLED = 54, Never;
    /// .
    OPERATION_NOT_ATTEMPTED = 55, Never;
    /// .
    KAFKA_STORAGE_ERROR = 56, AfterMetadata;
    /// .
    LOG_DIR_NOT_FOUND = 57, Never;
    /// .
    SASL_AUTHENTICATION_FAILED = 58, Never;
    /// .
    UNKNOWN_PRODUCER_ID = 59, Never;
    /// .
    REASSIGNMENT_IN_PROGRESS = 60, Never;
    /// .
    DELEGATION_TOKEN_AUTH_DISABLED = 61, Never;
    /// .
    DELEGATION_TOKEN_NOT_FOUND = 62, Never;
    /// .
    DELEGATION_TOKEN_OWNER_MISMATCH = 63, Never;
    /// .
    DELEGATION_TOKEN_REQUEST_NOT_ALLOWED = 64, Never;
    /// .
    DELEGATION_TOKEN_AUTHORIZATION_FAILED = 65, Never;
    /// .
    DELEGATION_TOKEN_EXPIRED = 66, Never;
    /// .
    INVALID_PRINCIPAL_TYPE = 67, Never;
    /// .
    NON_EMPTY_GROUP = 68, Never;
    /// .
    GROUP_ID_NOT_FOUND = 69, Never;
    /// .
    FETCH_SESSION_ID_NOT_FOUND = 70, Later;
    /// .
    INVALID_FETCH_SESSION_EPOCH = 71, Later;
    /// .
    LISTENER_NOT_FOUND = 72, AfterMetadata;
    /// .
    TOPIC_DELETION_DISABLED = 73, Never;
    /// .
    FENCED_LEADER_EPOCH = 74, AfterMetadata;
    /// .
    UNKNOWN_LEADER_EPOCH = 75, Later;
    /// .
    UNSUPPORTED_COMPRESSION_TYPE = 76, Never;
    /// .
    STALE_BROKER_EPOCH = 77, Never;
    /// .
    OFFSET_NOT_AVAILABLE = 78, Later;
    /// .
    MEMBER_ID_REQUIRED = 79, Never;
    /// .
    PREFERRED_LEADER_NOT_AVAILABLE = 80, AfterMetadata;
    /// .
    GROUP_MAX_SIZE_REACHED = 81, Never;
    /// .
    FENCED_INSTANCE_ID = 82, Never;
    /// .
    ELIGIBLE_LEADERS_NOT_AVAILABLE = 83, AfterMetadata;
    /// .
    ELECTION_NOT_NEEDED = 84, AfterMetadata;
    /// .
    NO_REASSIGNMENT_IN_PROGRESS = 85, Never;
    /// .
    GROUP_SUBSCRIBED_TO_TOPIC = 86, Never;
    /// .
    INVALID_RECORD = 87, Never;
    /// .
    UNSTABLE_OFFSET_COMMIT = 88, Later;
    /// .
    THROTTLING_QUOTA_EXCEEDED = 89, Later;
    /// .
    PRODUCER_FENCED = 90, Never;
    /// .
    RESOURCE_NOT_FOUND = 91, Never;
    /// .
    DUPLICATE_RESOURCE = 92, Never;
    /// .
    UNACCEPTABLE_CREDENTIAL = 93, Never;
    /// .
    INCONSISTENT_VOTER_SET = 94, Never;
    /// .
    INVALID_UPDATE_VERSION = 95, Never;
    /// .
    FEATURE_UPDATE_FAILED = 96, Never;
    /// .
    PRINCIPAL_DESERIALIZATION_FAILURE = 97, Never;
    /// .
    SNAPSHOT_NOT_FOUND = 98, Never;
    /// .
    POSITION_OUT_OF_RANGE = 99, Never;
    /// .
    UNKNOWN_TOPIC_ID = 100, AfterMetadata;
    /// .
    DUPLICATE_BROKER_REGISTRATION = 101, Never;
    /// .
    BROKER_ID_NOT_REGISTERED = 102, Never;
    /// .
    INCONSISTENT_TOPIC_ID = 103, AfterMetadata;
    /// .
    INCONSISTENT_CLUSTER_ID = 104, Never;
    /// .
    TRANSACTIONAL_ID_NOT_FOUND = 105, Never;
    /// .
    FETCH_SESSION_TOPIC_ID_ERROR = 106, Later;
    /// .
    INELIGIBLE_REPLICA = 107, Never;
    /// .
    NEW_LEADER_ELECTED = 108, Never;
    /// .
    OFFSET_MOVED_TO_TIERED_STORAGE = 109, Never;
    /// .
    FENCED_MEMBER_EPOCH = 110, Never;
    /// .
    UNRELEASED_INSTANCE_ID = 111, Never;
    /// .
    UNSUPPORTED_ASSIGNOR = 112, Never;
    /// .
    STALE_MEMBER_EPOCH = 113, Never;
    /// .
    MISMATCHED_ENDPOINT_TYPE = 114, Never;
    /// .
    UNSUPPORTED_ENDPOINT_TYPE = 115, Never;
    /// .
    UNKNOWN_CONTROLLER_ID = 116, Never;
    /// .
    UNKNOWN_SUBSCRIPTION_ID = 117, Never;
    /// .
    TELEMETRY_TOO_LARGE = 118, Never;
    /// .
    INVALID_REGISTRATION = 119, Never;
    /// .
    TRANSACTION_ABORTABLE = 120, Never;
    /// .
    INVALID_RECORD_STATE = 121, Never;
    /// .
    SHARE_SESSION_NOT_FOUND = 122, Later;
    /// .
    INVALID_SHARE_SESSION_EPOCH = 123, Later;
    /// .
    FENCED_STATE_EPOCH = 124, Never;
    /// .
    INVALID_VOTER_KEY = 125, Never;
    /// .
    DUPLICATE_VOTER = 126, Never;
    /// .
    VOTER_NOT_FOUND = 127, Never;
    /// .
    INVALID_REGULAR_EXPRESSION = 128, Never;
    /// .
    REBOOTSTRAP_REQUIRED = 129, Never;
    /// .
    STREAMS_INVALID_TOPOLOGY = 130, Never;
    /// .
    STREAMS_INVALID_TOPOLOGY_EPOCH = 131, Never;
    /// .
    STREAMS_TOPOLOGY_FENCED = 132, Never;
    /// .
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
