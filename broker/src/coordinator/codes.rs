//! What a client is told whose request came to nothing because its records could not be kept. Kafka's table.

use strandline_log::engine::Refusal;
use strandline_protocol::ErrorCode;

/// Why a shard cannot go on from where it is.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    /// What those are told who wait.
    pub(super) code: ErrorCode,
    /// Whether it makes sense to read the log again.
    pub(super) is_final: bool,
    pub(super) what: String,
}

/// The code for an append that was refused.
pub(super) fn code_of(refusal: &Refusal) -> ErrorCode {
    match refusal {
        Refusal::Producer(error) => error.code(),
        Refusal::UnknownPartition => ErrorCode::COORDINATOR_NOT_AVAILABLE,
        Refusal::TooLarge { .. } | Refusal::NoBatch { .. } => ErrorCode::UNKNOWN_SERVER_ERROR,
        Refusal::OffsetOutOfRange { .. }
        | Refusal::OffsetGoesBack { .. }
        | Refusal::OffsetsUsedUp
        | Refusal::EpochGoesBack { .. }
        | Refusal::Unreadable(_)
        | Refusal::DiskFull
        | Refusal::Unchained
        | Refusal::Offline(_)
        | Refusal::Closed => ErrorCode::NOT_COORDINATOR,
    }
}

/// Whether nothing will ever be appended here again.
pub(super) fn is_final(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Offline(_) | Refusal::Closed | Refusal::UnknownPartition)
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self { code: code_of(&refusal), is_final: is_final(&refusal), what: refusal.to_string() }
    }
}
