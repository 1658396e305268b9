//! What the APIs of transactions share.

use strandline_protocol::ErrorCode;

/// The code as a client of this version knows it: those before `first` have one for fenced producers that they take for
/// an old epoch.
pub(super) fn known_to_client(code: ErrorCode, version: i16, first: i16) -> ErrorCode {
    if code == ErrorCode::PRODUCER_FENCED && version < first {
        ErrorCode::INVALID_PRODUCER_EPOCH
    } else {
        code
    }
}
