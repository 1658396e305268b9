//! What holds of bytes that open with their own version: records of the internal topics, and what members of
//! a group tell each other.

use std::fmt::Debug;

use bytes::Bytes;
use strandline_protocol::EncodeError;
use strandline_protocol::embedded::consumer::{ConsumerProtocolAssignment, ConsumerProtocolSubscription};
use strandline_protocol::group_log::GroupLogKey;
use strandline_protocol::transaction_log::TransactionLogRecordKey;
use strandline_protocol::wire::DecodeResult;

use super::super::allocation::measure;
use super::message::assert_bounded;

/// The first byte says how long the key is; the rest is key and value.
pub fn record(input: &[u8]) {
    let Some((&key_bytes, rest)) = input.split_first() else { return };
    let (key, value) = rest.split_at_checked(usize::from(key_bytes)).unwrap_or((rest, &[]));
    let (key, value) = (Bytes::copy_from_slice(key), Bytes::copy_from_slice(value));
    if let Some(key) = round_trip(&key, GroupLogKey::from_bytes, GroupLogKey::to_bytes) {
        let version = version_of(&value);
        round_trip(&value, |bytes| key.value_from_bytes(bytes), |value| value.to_bytes(version));
    }
    if let Some(key) = round_trip(&key, TransactionLogRecordKey::from_bytes, |key| key.to_bytes()) {
        let version = version_of(&value);
        round_trip(&value, |bytes| key.value_from_bytes(bytes), |value| value.to_bytes(version));
    }
    // Members of any age are understood, as far as this one goes.
    let version = version_of(&value).min(3);
    round_trip(&value, ConsumerProtocolSubscription::from_member_bytes, |read| read.to_member_bytes(version));
    round_trip(&value, ConsumerProtocolAssignment::from_member_bytes, |read| read.to_member_bytes(version));
}

fn version_of(value: &[u8]) -> i16 {
    value.first_chunk().map_or(0, |&bytes| i16::from_be_bytes(bytes))
}

/// What is read can be written, and is then read as the same.
fn round_trip<T: Debug + PartialEq>(
    bytes: &Bytes,
    read: impl Fn(Bytes) -> DecodeResult<T>,
    write: impl Fn(&T) -> Result<Bytes, Box<EncodeError>>,
) -> Option<T> {
    let (value, usage) = measure(|| read(bytes.clone()));
    assert_bounded(usage, bytes.len(), std::any::type_name::<T>());
    let value = value.ok()?;
    let written = match write(&value) {
        Ok(written) => written,
        Err(error) => panic!("what was read cannot be written: {error}"),
    };
    assert_eq!(read(written).as_ref(), Ok(&value));
    Some(value)
}
