//! Everything that can go wrong, and whether it is worth another attempt.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use strandline_protocol::batch::{BatchError, BuildError};
use strandline_protocol::schema::VersionRange;
use strandline_protocol::{DecodeError, EncodeError, ErrorCode, Retry};

/// What the functions of this crate return.
///
/// ```
/// fn port(text: &str) -> strandline_client::Result<u16> {
///     Ok(text.parse::<strandline_client::BrokerAddress>()?.port())
/// }
/// assert_eq!(port("a:7").unwrap(), 7);
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something did not work. Cheap to clone: one lost connection fails many requests.
///
/// ```
/// use strandline_client::Error;
/// use strandline_protocol::ErrorCode;
///
/// let refused = Error::broker(ErrorCode::TOPIC_ALREADY_EXISTS, "topic orders", None);
/// assert!(!refused.is_retriable());
/// assert_eq!(refused.to_string(), "topic orders: TOPIC_ALREADY_EXISTS");
/// assert!(Error::broker(ErrorCode::NOT_CONTROLLER, "topic orders", None).is_retriable());
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Text that is no address.
    #[error("{0:?} is no broker's address: host:port is")]
    Address(String),
    /// The name could not be resolved, or nobody answered there.
    #[error("cannot connect to {broker}: {source}")]
    Connect {
        /// Who was called.
        broker: Arc<str>,
        /// What the operating system said.
        source: Arc<io::Error>,
    },
    /// None of the addresses led to a broker.
    #[error("no broker can be reached ({tried} tried): {last}")]
    NoBroker {
        /// How many addresses were tried.
        tried: usize,
        /// What happened at the last one.
        last: Box<Error>,
    },
    /// The connection ended before the answer came. The request may have been carried out or not.
    #[error("the connection to {broker} ended: {reason}")]
    Closed {
        /// Who was at the other end.
        broker: Arc<str>,
        /// How it ended.
        reason: CloseReason,
    },
    /// No answer in time. The request may have been carried out or not.
    #[error("{broker} did not answer within {after:?}")]
    Timeout {
        /// Who was asked.
        broker: Arc<str>,
        /// How long it was waited.
        after: Duration,
    },
    /// The broker serves no version of the API that this crate knows.
    #[error("{broker} does not serve {api} in any of the versions {ours} (it has {theirs})")]
    Unsupported {
        /// Who was asked.
        broker: Arc<str>,
        /// Kafka's name of the API.
        api: &'static str,
        /// The versions that would do.
        ours: VersionRange,
        /// The versions that the broker has.
        theirs: VersionRange,
    },
    /// The answer is not what the protocol says it is.
    #[error("{broker} answered nonsense: {source}")]
    Decode {
        /// Who answered.
        broker: Arc<str>,
        /// Where in the answer, and what.
        source: Box<DecodeError>,
    },
    /// The request does not fit the protocol, such as a string that is too long.
    #[error("the request cannot be written: {0}")]
    Encode(#[from] Box<EncodeError>),
    /// The broker refused.
    #[error("{subject}: {code}{}", .message.as_ref().map(|text| format!(": {text}")).unwrap_or_default())]
    Broker {
        /// What was refused, such as `topic orders`.
        subject: String,
        /// Kafka's code for the reason.
        code: ErrorCode,
        /// The reason in the broker's words, if it gave any.
        message: Option<String>,
    },
    /// The answer lacks what was asked for, or has it in a way that makes no sense.
    #[error("{0} is missing in the broker's answer")]
    Missing(String),
    /// A record is larger than the limit that was set, or than all the memory there is for it.
    #[error("a record of {bytes} bytes is too large: the limit is {bytes_max}")]
    RecordTooLarge {
        /// How large it would be.
        bytes: usize,
        /// How large it may be.
        bytes_max: usize,
    },
    /// The records do not fit into a batch, such as with timestamps that no batch can hold.
    #[error("no batch can be made: {0}")]
    Batch(Arc<BuildError>),
    /// The records were not acknowledged in time. Where there was an attempt, they may be there all the same.
    #[error("not delivered within {after:?} ({attempts} attempts){}", .last.as_ref().map(|last| format!(": {last}")).unwrap_or_default())]
    DeliveryTimeout {
        /// How long it was tried.
        after: Duration,
        /// How often they were sent.
        attempts: u32,
        /// What happened at the last attempt, or kept it from being made.
        last: Option<Box<Error>>,
    },
    /// There is no such partition.
    #[error("{topic} has no partition {partition}")]
    NoPartition {
        /// The topic.
        topic: String,
        /// What was asked for.
        partition: i32,
    },
    /// What was read is damaged, or cannot be decompressed.
    #[error("{subject}: {source}")]
    Corrupt {
        /// The partition and the offset from which on it was read.
        subject: String,
        /// What is wrong.
        source: Arc<BatchError>,
    },
    /// Nothing says where to read this partition from, and the settings say not to choose.
    #[error("{0}: nothing says where to begin")]
    NoOffset(String),
    /// A new leader does not have what was read of an old one: records that were read are gone.
    #[error("{subject} was cut off at {end_offset}, and has been read up to {position}")]
    Truncated {
        /// The partition.
        subject: String,
        /// How far it had been fetched.
        position: i64,
        /// Where what is left of it ends.
        end_offset: i64,
    },
    /// Settings that do not go together, or that no value of makes sense.
    #[error("{0}")]
    Settings(String),
    /// What was used has been closed, or its runtime has ended.
    #[error("it has been closed")]
    Ended,
    /// Another producer has begun with this transactional id: this one can never write again.
    #[error("another producer has begun with the transactional id {0}")]
    Fenced(Arc<str>),
    /// The transaction was aborted: by its user, or for what it had as a reason. The next one may be begun.
    #[error("the transaction was aborted{}", .0.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default())]
    Aborted(Option<Box<Error>>),
}

/// How a connection ended.
///
/// ```
/// use strandline_client::CloseReason;
/// assert_eq!(CloseReason::ByBroker.to_string(), "the broker closed it");
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CloseReason {
    /// The broker closed it.
    #[error("the broker closed it")]
    ByBroker,
    /// Reading or writing failed.
    #[error("{0}")]
    Io(Arc<io::Error>),
    /// The broker sent a frame of a length that no frame may have.
    #[error("{0}")]
    Frame(Arc<str>),
    /// The broker answered what nobody had asked.
    #[error("an answer to request {0}, which nobody waits for")]
    Correlation(i32),
    /// A request before this one was not answered in time.
    #[error("a request before this one was not answered in time")]
    Overdue,
    /// The runtime that the connection lived on has ended.
    #[error("its runtime has ended")]
    Runtime,
}

impl Error {
    /// A broker's refusal.
    ///
    /// ```
    /// use strandline_protocol::ErrorCode;
    /// let error = strandline_client::Error::broker(ErrorCode::INVALID_CONFIG, "topic a", Some("no".to_owned()));
    /// assert_eq!(error.to_string(), "topic a: INVALID_CONFIG: no");
    /// ```
    pub fn broker(code: ErrorCode, subject: impl Into<String>, message: Option<String>) -> Self {
        Self::Broker { subject: subject.into(), code, message }
    }

    /// `Ok` for no error, otherwise the refusal.
    pub(crate) fn check(
        code: ErrorCode,
        subject: impl FnOnce() -> String,
        message: Option<String>,
    ) -> Result<()> {
        if code == ErrorCode::NONE { Ok(()) } else { Err(Self::broker(code, subject(), message)) }
    }

    /// Whether the same may succeed later. What may already have been carried out counts as such: see
    /// [`Error::is_in_doubt`].
    ///
    /// ```
    /// assert!(!strandline_client::Error::Address("?".to_owned()).is_retriable());
    /// ```
    pub const fn is_retriable(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::NoBroker { .. } | Self::Closed { .. } | Self::Timeout { .. } => true,
            Self::Broker { code, .. } => matches!(code.retry(), Retry::Later | Retry::AfterMetadata),
            Self::Address(_)
            | Self::Unsupported { .. }
            | Self::Decode { .. }
            | Self::Encode(_)
            | Self::Missing(_)
            | Self::RecordTooLarge { .. }
            | Self::Batch(_)
            | Self::DeliveryTimeout { .. }
            | Self::NoPartition { .. }
            | Self::Settings(_)
            | Self::Corrupt { .. }
            | Self::NoOffset(_)
            | Self::Truncated { .. }
            | Self::Fenced(_)
            | Self::Aborted(_)
            | Self::Ended => false,
        }
    }

    /// Whether what was asked for may have been carried out, so that asking again may do it twice.
    ///
    /// ```
    /// use strandline_client::Error;
    /// use strandline_protocol::ErrorCode;
    /// assert!(Error::broker(ErrorCode::REQUEST_TIMED_OUT, "topic a", None).is_in_doubt());
    /// assert!(!Error::broker(ErrorCode::NOT_CONTROLLER, "topic a", None).is_in_doubt());
    /// ```
    pub const fn is_in_doubt(&self) -> bool {
        match self {
            Self::Closed { .. }
            | Self::Timeout { .. }
            | Self::Decode { .. }
            | Self::Missing(_)
            | Self::Ended => true,
            Self::DeliveryTimeout { attempts, .. } => *attempts > 0,
            Self::Broker { code, .. } => matches!(
                *code,
                ErrorCode::REQUEST_TIMED_OUT
                    | ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND
                    | ErrorCode::UNKNOWN_SERVER_ERROR
            ),
            _ => false,
        }
    }

    /// Whether what it came from, a producer, a consumer, a membership, can never work again as it is: it has been
    /// closed, fenced off, refused the right, or asks what the broker does not know.
    ///
    /// ```
    /// use strandline_client::Error;
    /// assert!(Error::Fenced("payments-7".into()).is_fatal());
    /// assert!(!Error::Aborted(None).is_fatal(), "the next transaction may be begun");
    /// ```
    pub const fn is_fatal(&self) -> bool {
        match self {
            Self::Fenced(_) | Self::Ended | Self::Unsupported { .. } | Self::Settings(_) => true,
            Self::Broker { code, .. } => matches!(
                *code,
                ErrorCode::PRODUCER_FENCED
                    | ErrorCode::FENCED_INSTANCE_ID
                    | ErrorCode::UNRELEASED_INSTANCE_ID
                    | ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED
                    | ErrorCode::GROUP_AUTHORIZATION_FAILED
                    | ErrorCode::CLUSTER_AUTHORIZATION_FAILED
                    | ErrorCode::UNSUPPORTED_VERSION
            ),
            _ => false,
        }
    }

    /// Whether what is known of the cluster may be out of date, so that it has to be asked for again first.
    ///
    /// ```
    /// use strandline_client::Error;
    /// use strandline_protocol::ErrorCode;
    /// assert!(Error::broker(ErrorCode::NOT_LEADER_OR_FOLLOWER, "orders-0", None).needs_metadata());
    /// assert!(!Error::broker(ErrorCode::NOT_ENOUGH_REPLICAS, "orders-0", None).needs_metadata());
    /// ```
    pub fn needs_metadata(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::NoBroker { .. } | Self::Closed { .. } | Self::Timeout { .. } => true,
            Self::Broker { code, .. } => {
                matches!(code.retry(), Retry::AfterMetadata) || *code == ErrorCode::NOT_CONTROLLER
            }
            _ => false,
        }
    }

    /// Kafka's code, where a broker refused.
    ///
    /// ```
    /// use strandline_protocol::ErrorCode;
    /// let error = strandline_client::Error::broker(ErrorCode::INVALID_CONFIG, "topic a", None);
    /// assert_eq!(error.code(), Some(ErrorCode::INVALID_CONFIG));
    /// ```
    pub const fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Broker { code, .. } => Some(*code),
            _ => None,
        }
    }
}
