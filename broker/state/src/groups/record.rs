//! The records of `__consumer_offsets`, as the machine sees them.

use strandline_protocol::group_log::{GroupLogKey, GroupLogValue};
use strandline_protocol::wire::DecodeResult;
use strandline_protocol::{Bytes, DecodeErrorKind, EncodeError};

use crate::coordinator::Record;

/// Something that is so from now on about a group: about what, and what; none for what is no more.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupRecord {
    /// About what.
    pub key: GroupLogKey,
    /// What.
    pub value: Option<GroupLogValue>,
}

impl Record for GroupRecord {
    fn from_bytes(key: Bytes, value: Option<Bytes>) -> DecodeResult<Option<Self>> {
        let key = match GroupLogKey::from_bytes(key) {
            Ok(key) => key,
            Err(error) if matches!(error.kind, DecodeErrorKind::RecordTypeUnknown(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let value = value.map(|value| key.value_from_bytes(value)).transpose()?;
        Ok(Some(Self { key, value }))
    }

    fn to_bytes(&self) -> Result<(Bytes, Option<Bytes>), Box<EncodeError>> {
        let value = self.value.as_ref().map(|value| value.to_bytes(version(value))).transpose()?;
        Ok((self.key.to_bytes()?, value))
    }
}

/// The version that Kafka 4.3 writes a value in.
fn version(value: &GroupLogValue) -> i16 {
    match value {
        // One that says when it expires has no other version that can say so.
        GroupLogValue::OffsetCommit(value) if value.expire_timestamp != -1 => 1,
        GroupLogValue::OffsetCommit(_) => 4,
        GroupLogValue::GroupMetadata(_) => 3,
        _ => 0,
    }
}
