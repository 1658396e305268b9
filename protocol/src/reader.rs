//! Reading primitives off a frame, with every length held against the bytes that are really there.

use bytes::Bytes;

use crate::error::{DecodeError, DecodeErrorKind};
use crate::schema::VersionRange;
use crate::tagged::TaggedFields;
use crate::varint::{self, VarintError};

/// Heap that decoding may take per byte of input. Every allocation is charged before it is made, so
/// this bound holds whatever the counts in the input say.
pub const MEMORY_PER_INPUT_BYTE_MAX: usize = 16;

/// Heap that decoding may always take, so that small messages never meet the bound above.
pub const MEMORY_FREE_BYTES: usize = 64 << 10;

/// The longest string in bytes, in both encodings: what the old one can say.
pub const STRING_BYTES_MAX: usize = i16::MAX as usize;

type Result<T> = std::result::Result<T, Box<DecodeError>>;

/// The heap that decoding an input of this length may take.
fn memory_budget_bytes(input_bytes: usize) -> usize {
    input_bytes.saturating_mul(MEMORY_PER_INPUT_BYTE_MAX).saturating_add(MEMORY_FREE_BYTES)
}

/// A position in a frame, and who is being read there.
///
/// Strings, byte fields and records are slices of the frame's own buffer; nothing is copied.
#[derive(Debug)]
pub struct Reader {
    frame: Bytes,
    position: usize,
    // Reading stops here: the end of the frame, or of the tagged field within it.
    end: usize,
    memory_left_bytes: usize,
    message: &'static str,
    version: i16,
    field: &'static str,
}

impl Reader {
    /// Reads `frame` from its start.
    pub fn new(frame: Bytes) -> Self {
        let end = frame.len();
        let memory_left_bytes = memory_budget_bytes(end);
        Self { frame, position: 0, end, memory_left_bytes, message: "frame", version: 0, field: "start" }
    }

    /// How many bytes have been read.
    pub const fn position(&self) -> usize {
        self.position
    }

    /// How many bytes are left.
    pub const fn remaining(&self) -> usize {
        self.end - self.position
    }

    /// Names the message that errors speak of from here on.
    pub fn enter_message(
        &mut self,
        message: &'static str,
        version: i16,
        versions: VersionRange,
    ) -> Result<()> {
        self.message = message;
        self.version = version;
        self.field = "start";
        if versions.contains(version) {
            Ok(())
        } else {
            Err(self.error(DecodeErrorKind::VersionUnsupported(versions)))
        }
    }

    /// The two bytes in front of a message, or of a record's key, that say how to read the rest.
    pub(crate) fn version_prefix(&mut self, message: &'static str) -> Result<i16> {
        self.message = message;
        self.field = "version";
        self.take().map(i16::from_be_bytes)
    }

    /// Names the field, as `Structure.Field`, that errors speak of from here on.
    #[inline]
    pub fn enter_field(&mut self, field: &'static str) {
        self.field = field;
    }

    /// An error at this position.
    #[cold]
    #[inline(never)]
    pub fn error(&self, kind: DecodeErrorKind) -> Box<DecodeError> {
        Box::new(DecodeError {
            message: self.message,
            version: self.version,
            field: self.field,
            offset: self.position,
            kind,
        })
    }

    /// Refuses bytes behind the end of the message.
    pub fn finish(&self) -> Result<()> {
        match self.remaining() {
            0 => Ok(()),
            excess => Err(self.error(DecodeErrorKind::TrailingBytes(excess))),
        }
    }

    #[inline]
    fn rest(&self) -> &[u8] {
        self.frame.get(self.position..self.end).unwrap_or_default()
    }

    /// The next `N` bytes by value, without moving on.
    #[inline]
    pub(crate) fn peek<const N: usize>(&self) -> Result<[u8; N]> {
        match self.rest().first_chunk::<N>() {
            Some(&bytes) => Ok(bytes),
            None => Err(self.error(DecodeErrorKind::Truncated { wanted: N, remaining: self.remaining() })),
        }
    }

    /// The next `N` bytes by value: every fixed-size number comes through here.
    #[inline]
    pub(crate) fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let bytes = self.peek()?;
        self.position += N;
        Ok(bytes)
    }

    /// The next `count` numbers of `N` bytes, all checked at once.
    pub(crate) fn take_many<const N: usize>(&mut self, count: usize) -> Result<&[[u8; N]]> {
        let length = count.saturating_mul(N);
        self.check_length(length)?;
        let start = self.position;
        self.position += length;
        Ok(self.frame.get(start..self.position).unwrap_or_default().as_chunks().0)
    }

    /// The next `length` bytes, as a slice of the frame.
    #[inline]
    pub(crate) fn slice(&mut self, length: usize) -> Result<Bytes> {
        self.check_length(length)?;
        let start = self.position;
        self.position += length;
        // An empty slice need not keep the frame alive, nor touch its reference count.
        Ok(if length == 0 { Bytes::new() } else { self.frame.slice(start..self.position) })
    }

    #[inline]
    fn check_length(&self, length: usize) -> Result<()> {
        if length > self.remaining() {
            return Err(
                self.error(DecodeErrorKind::LengthBeyondInput { length, remaining: self.remaining() })
            );
        }
        Ok(())
    }

    /// An unsigned varint.
    #[inline]
    pub fn unsigned_varint(&mut self) -> Result<u32> {
        match varint::read_u32(self.rest()) {
            Ok((value, length)) => {
                self.position += length;
                Ok(value)
            }
            Err(VarintError::Truncated) => {
                let remaining = self.remaining();
                Err(self.error(DecodeErrorKind::Truncated { wanted: remaining + 1, remaining }))
            }
            Err(VarintError::TooLong) => Err(self.error(DecodeErrorKind::VarintTooLong)),
        }
    }

    /// The length of a string, as two bytes or compact; `None` for null.
    #[inline]
    pub(crate) fn string_length(&mut self, flexible: bool) -> Result<Option<usize>> {
        if flexible {
            let length = self.compact_length()?;
            // The compact form could say more, but Kafka refuses it, and no version could write it again.
            return match length {
                Some(length) if length > STRING_BYTES_MAX => {
                    Err(self.error(DecodeErrorKind::StringTooLong(length)))
                }
                length => Ok(length),
            };
        }
        let length = i32::from(i16::from_be_bytes(self.take()?));
        self.signed_length(length)
    }

    /// The length of bytes, records or an array, as four bytes or compact; `None` for null.
    #[inline]
    pub(crate) fn length(&mut self, flexible: bool) -> Result<Option<usize>> {
        if flexible {
            return self.compact_length();
        }
        let length = i32::from_be_bytes(self.take()?);
        self.signed_length(length)
    }

    #[inline]
    fn compact_length(&mut self) -> Result<Option<usize>> {
        // One more than the length, so that null is zero. It must fit an i32, as Kafka's own lengths do:
        // but nothing longer than the input gets past the checks of the caller anyway.
        Ok((self.unsigned_varint()? as usize).checked_sub(1))
    }

    #[inline]
    fn signed_length(&mut self, length: i32) -> Result<Option<usize>> {
        match usize::try_from(length) {
            Ok(length) => Ok(Some(length)),
            Err(_) if length == -1 => Ok(None),
            Err(_) => Err(self.error(DecodeErrorKind::LengthNegative(length))),
        }
    }

    /// Room for `count` elements of at least `element_bytes_min` bytes each on the wire: checked against
    /// what is left of the input, and charged to the memory budget, before it is allocated.
    #[inline]
    pub(crate) fn allocate<T>(&mut self, count: usize, element_bytes_min: usize) -> Result<Vec<T>> {
        self.charge_elements(count, element_bytes_min, size_of::<T>())?;
        Ok(Vec::with_capacity(count))
    }

    // There once, and not once per type of element.
    #[inline(never)]
    fn charge_elements(&mut self, count: usize, bytes_min: usize, size_bytes: usize) -> Result<()> {
        self.check_length(count.saturating_mul(bytes_min))?;
        self.charge(count.saturating_mul(size_bytes))
    }

    fn charge(&mut self, bytes: usize) -> Result<()> {
        match self.memory_left_bytes.checked_sub(bytes) {
            Some(left) => {
                self.memory_left_bytes = left;
                Ok(())
            }
            None => {
                let budget = memory_budget_bytes(self.frame.len());
                Err(self.error(DecodeErrorKind::MemoryBeyondBudget(budget)))
            }
        }
    }

    /// Reads the tagged fields at the end of a structure. `known` gets each tag and reads its value, or
    /// says `false` where it does not know the tag, and then the value is kept as it is.
    #[inline]
    pub fn tagged_fields(
        &mut self,
        mut known: impl FnMut(&mut Self, u32) -> Result<bool>,
    ) -> Result<TaggedFields> {
        match self.unsigned_varint()? {
            0 => Ok(TaggedFields::NONE),
            count => self.some_tagged_fields(count, &mut known),
        }
    }

    // Tags are rare: there is this code once, and not once per structure.
    #[inline(never)]
    fn some_tagged_fields(
        &mut self,
        count: u32,
        known: &mut dyn FnMut(&mut Self, u32) -> Result<bool>,
    ) -> Result<TaggedFields> {
        let field = self.field;
        let mut unknown = TaggedFields::NONE;
        let mut tag_min = 0u64;
        for _ in 0..count {
            let tag = self.unsigned_varint()?;
            if u64::from(tag) < tag_min {
                return Err(self.error(DecodeErrorKind::TagOutOfOrder(tag)));
            }
            tag_min = u64::from(tag) + 1;
            let length = self.unsigned_varint()? as usize;
            self.check_length(length)?;
            let start = self.position;
            // The value sees its own bytes only, and has to use them all.
            let outer_end = std::mem::replace(&mut self.end, start + length);
            if known(self, tag)? {
                if self.position != self.end {
                    let taken = self.position - start;
                    return Err(self.error(DecodeErrorKind::TagLength { tag, announced: length, taken }));
                }
            } else {
                self.charge(unknown.push_bytes_max())?;
                let value = self.slice(length)?;
                unknown.push(tag, value);
            }
            self.end = outer_end;
            // What follows is the section's again, not the value's.
            self.field = field;
        }
        Ok(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;
    use crate::apis::api_versions::ApiVersionsResponse;
    use crate::apis::heartbeat::HeartbeatRequest;

    // A compact length could say more than Kafka allows a string: what comes in must be able to go out.
    #[test]
    fn strings_too_long_for_kafka_are_not_read() {
        let request = |length: usize| {
            let prefix = varint::EncodedVarint::unsigned(length as u64 + 1);
            let group = vec![b'g'; length];
            // Behind the group: generation, no member, a null instance, no tags.
            let bytes = [prefix.as_slice(), &group, &[0, 0, 0, 0, 1, 0, 0]].concat();
            HeartbeatRequest::from_bytes(Bytes::from(bytes), 4)
        };
        assert!(request(STRING_BYTES_MAX).unwrap().to_bytes(4).is_ok());
        let error = request(STRING_BYTES_MAX + 1).unwrap_err();
        assert_eq!(error.kind, DecodeErrorKind::StringTooLong(STRING_BYTES_MAX + 1));
        assert_eq!((error.field, error.offset), ("HeartbeatRequest.GroupId", 3));
    }

    #[test]
    fn an_error_behind_a_known_tag_does_not_blame_its_field() {
        // No error, no APIs, no throttling; of two tags the first, `zk_migration_ready`, is whole.
        let bytes = Bytes::from_static(&[0, 0, 1, 0, 0, 0, 0, 2, 3, 1, 1, 9, 5]);
        let error = ApiVersionsResponse::from_bytes(bytes, 3).unwrap_err();
        assert_eq!(error.kind, DecodeErrorKind::LengthBeyondInput { length: 5, remaining: 0 });
        assert_eq!((error.field, error.offset), ("ApiVersionsResponse.tags", 13));
    }
}
