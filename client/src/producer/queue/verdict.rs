//! What a failure means for the batch that it is of. Pure.

use strandline_protocol::ErrorCode;

use super::Batch;
use crate::error::Error;

pub(super) enum Verdict {
    Written,
    Fail,
    Halve,
    Retry { restarts: bool },
}

pub(super) fn verdict(error: &Error, batch: &Batch) -> Verdict {
    let Some(code) = error.code() else {
        return if error.is_retriable() { Verdict::Retry { restarts: false } } else { Verdict::Fail };
    };
    if batch.number.is_some_and(|number| number.is_transactional)
        && let Some(verdict) = verdict_within(code, batch)
    {
        return verdict;
    }
    match code {
        // It is there since long ago, and where is forgotten.
        ErrorCode::DUPLICATE_SEQUENCE_NUMBER => Verdict::Written,
        ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER
        | ErrorCode::UNKNOWN_PRODUCER_ID
        | ErrorCode::INVALID_PRODUCER_EPOCH
            if batch.number.is_some() =>
        {
            // Behind another that failed it has only come too early.
            Verdict::Retry { restarts: batch.was_first }
        }
        ErrorCode::MESSAGE_TOO_LARGE if batch.records > 1 => Verdict::Halve,
        _ if error.is_retriable() => Verdict::Retry { restarts: false },
        _ => Verdict::Fail,
    }
}

/// Within a transaction the numbers cannot start again: what has a gap for good can only be aborted.
const fn verdict_within(code: ErrorCode, batch: &Batch) -> Option<Verdict> {
    match code {
        ErrorCode::INVALID_PRODUCER_EPOCH => Some(Verdict::Fail),
        ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER | ErrorCode::UNKNOWN_PRODUCER_ID => {
            Some(if batch.was_first { Verdict::Fail } else { Verdict::Retry { restarts: false } })
        }
        _ => None,
    }
}
