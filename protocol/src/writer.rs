//! Writing primitives into a frame, with large record payloads left where they lie.

use bytes::Bytes;

use crate::error::{EncodeError, EncodeErrorKind};
use crate::records::{Piece, Records};
use crate::schema::VersionRange;
use crate::tagged::{TaggedFields, UnknownTag};
use crate::varint::EncodedVarint;
use crate::wire::Layout;

/// Slices shorter than this are copied between the fields around them: one more element of a vectored
/// write costs more than a small copy.
pub const OUT_OF_LINE_BYTES_MIN: usize = 1 << 10;

type Result<T> = std::result::Result<T, Box<EncodeError>>;

/// What has been written so far: bytes, and the places where payloads go between them.
#[derive(Debug, Default)]
pub struct Writer {
    buffer: Vec<u8>,
    payloads: Vec<Payload>,
    payload_bytes: usize,
    message: &'static str,
    version: i16,
    field: &'static str,
}

#[derive(Clone, Debug, PartialEq)]
struct Payload {
    // How many bytes of the buffer come before it.
    position: usize,
    piece: Piece,
}

impl Writer {
    /// An empty frame.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty frame with room for `bytes` of fields.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { buffer: Vec::with_capacity(bytes), ..Self::default() }
    }

    /// How many bytes have been written, payloads included.
    pub fn len(&self) -> usize {
        self.buffer.len() + self.payload_bytes
    }

    /// Whether nothing has been written.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
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
            Err(self.error(EncodeErrorKind::VersionUnsupported(versions)))
        }
    }

    /// Names the field, as `Structure.Field`, that errors speak of from here on.
    #[inline]
    pub fn enter_field(&mut self, field: &'static str) {
        self.field = field;
    }

    /// An error at the field being written.
    #[cold]
    #[inline(never)]
    pub fn error(&self, kind: EncodeErrorKind) -> Box<EncodeError> {
        Box::new(EncodeError { message: self.message, version: self.version, field: self.field, kind })
    }

    /// Bytes as they are.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Makes room once for what many small writes will put.
    #[inline]
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.buffer.reserve(bytes);
    }

    /// An unsigned varint.
    #[inline]
    pub fn put_unsigned_varint(&mut self, value: u32) {
        if value < 0x80 {
            self.buffer.push((value & 0x7F) as u8);
        } else {
            self.put(EncodedVarint::unsigned(u64::from(value)).as_slice());
        }
    }

    /// The length of a string; `None` for null.
    #[inline]
    pub(crate) fn put_string_length(&mut self, length: Option<usize>, flexible: bool) -> Result<()> {
        // Kafka bounds strings alike in both encodings.
        let signed = match length {
            None => -1,
            Some(length) => match i16::try_from(length) {
                Ok(length) => length,
                Err(_) => return Err(self.error(EncodeErrorKind::TooLong(length))),
            },
        };
        if flexible {
            return self.put_length(length, true);
        }
        self.put(&signed.to_be_bytes());
        Ok(())
    }

    /// The length of bytes, records or an array; `None` for null.
    #[inline]
    pub(crate) fn put_length(&mut self, length: Option<usize>, flexible: bool) -> Result<()> {
        let signed = match length {
            None => -1,
            Some(length) => match i32::try_from(length) {
                // One less than the type holds: the compact form adds one.
                Ok(short) if short < i32::MAX => short,
                _ => return Err(self.error(EncodeErrorKind::TooLong(length))),
            },
        };
        if flexible {
            self.put_unsigned_varint((signed + 1).unsigned_abs());
        } else {
            self.put(&signed.to_be_bytes());
        }
        Ok(())
    }

    /// How many elements an array has, of which each is written by itself.
    #[inline]
    pub fn put_count(&mut self, count: usize, layout: Layout) -> Result<()> {
        self.put_length(Some(count), layout.flexible)
    }

    /// Record batches: small slices are copied, large ones and external ranges stay out of line.
    pub(crate) fn put_records(&mut self, records: &Records) {
        for piece in records.pieces() {
            match piece {
                Piece::Slice(slice) if slice.len() < OUT_OF_LINE_BYTES_MIN => self.put(&slice),
                piece if piece.is_empty() => {}
                piece => {
                    self.payload_bytes += piece.len();
                    self.payloads.push(Payload { position: self.buffer.len(), piece });
                }
            }
        }
    }

    /// Starts the tagged fields at the end of a structure: `known` of them will be written by the caller.
    #[inline]
    pub fn tagged_fields<'a>(&mut self, known: usize, unknown: &'a TaggedFields) -> Result<TagSection<'a>> {
        let unknown = unknown.as_slice();
        let count = known.saturating_add(unknown.len());
        let Ok(count) = u32::try_from(count) else {
            return Err(self.error(EncodeErrorKind::TooLong(count)));
        };
        self.put_unsigned_varint(count);
        Ok(TagSection { unknown, tag_min: 0 })
    }

    /// Runs `value`, then puts the length of what it wrote in front of it.
    fn put_behind_its_length(&mut self, value: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let start = self.buffer.len();
        let length_before = self.len();
        value(self)?;
        let length = self.len() - length_before;
        let Ok(short) = u32::try_from(length) else {
            return Err(self.error(EncodeErrorKind::TooLong(length)));
        };
        let prefix = EncodedVarint::unsigned(u64::from(short));
        let shift = prefix.as_slice().len();
        let end = self.buffer.len();
        self.buffer.resize(end + shift, 0);
        self.buffer.copy_within(start..end, start + shift);
        if let Some(room) = self.buffer.get_mut(start..start + shift) {
            room.copy_from_slice(prefix.as_slice());
        }
        for payload in self.payloads.iter_mut().rev().take_while(|payload| payload.position >= start) {
            payload.position += shift;
        }
        Ok(())
    }

    /// Writes four bytes over those at `position`, as a frame's length is known only at its end.
    pub(crate) fn overwrite_i32(&mut self, position: usize, value: i32) {
        if let Some(room) = self.buffer.get_mut(position..position + 4) {
            room.copy_from_slice(&value.to_be_bytes());
        }
    }

    /// What was written, without the names that errors speak of.
    pub(crate) fn into_written(self) -> Written {
        Written { buffer: self.buffer, payloads: self.payloads }
    }

    /// What was written, as the pieces to send in order.
    pub fn into_pieces(self) -> Vec<Piece> {
        self.into_written().into_pieces()
    }

    /// What was written in one buffer, copying what lay out of line; an error where a piece is external.
    pub fn into_bytes(self) -> Result<Bytes> {
        if self.payloads.is_empty() {
            return Ok(Bytes::from(self.buffer));
        }
        let external = |payload: &Payload| matches!(payload.piece, Piece::External(_));
        if self.payloads.iter().any(external) {
            return Err(self.error(EncodeErrorKind::NotInMemory));
        }
        let mut whole = Vec::with_capacity(self.len());
        for piece in self.into_pieces() {
            if let Piece::Slice(slice) = piece {
                whole.extend_from_slice(&slice);
            }
        }
        Ok(Bytes::from(whole))
    }
}

/// What a writer has written: bytes, and the payloads that go between them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Written {
    buffer: Vec<u8>,
    payloads: Vec<Payload>,
}

impl Written {
    /// How many bytes lie nowhere else.
    pub(crate) fn own_bytes(&self) -> usize {
        self.buffer.len()
    }

    /// How many bytes lie outside of memory.
    pub(crate) fn external_bytes(&self) -> usize {
        let external = self.payloads.iter().map(|payload| match &payload.piece {
            Piece::Slice(_) => 0,
            Piece::External(external) => external.length,
        });
        external.sum()
    }

    /// All of it, where nothing of it lies anywhere else.
    pub(crate) fn into_own(self) -> std::result::Result<Vec<u8>, Self> {
        if self.payloads.is_empty() { Ok(self.buffer) } else { Err(self) }
    }

    /// The pieces to send in order.
    pub(crate) fn into_pieces(self) -> Vec<Piece> {
        let mut pieces = Vec::with_capacity(2 * self.payloads.len() + 1);
        let mut buffer = Bytes::from(self.buffer);
        let mut taken = 0;
        for Payload { position, piece } in self.payloads {
            let fields = buffer.split_to(position - taken);
            taken = position;
            if !fields.is_empty() {
                pieces.push(Piece::Slice(fields));
            }
            pieces.push(piece);
        }
        if !buffer.is_empty() {
            pieces.push(Piece::Slice(buffer));
        }
        pieces
    }
}

/// The tagged fields of one structure while they are written: known ones where their number belongs
/// among the unknown ones.
#[derive(Debug)]
pub struct TagSection<'a> {
    unknown: &'a [UnknownTag],
    tag_min: u64,
}

impl TagSection<'_> {
    /// Writes a known field.
    pub fn known(
        &mut self,
        writer: &mut Writer,
        tag: u32,
        value: impl FnOnce(&mut Writer) -> Result<()>,
    ) -> Result<()> {
        self.unknown_below(writer, u64::from(tag))?;
        self.put_tag(writer, tag)?;
        let field = writer.field;
        writer.put_behind_its_length(value)?;
        // What follows is the section's again, not the value's.
        writer.field = field;
        Ok(())
    }

    /// Passes over a known field that is at its default and thus not written. Its tag is taken all the same:
    /// whoever reads the message would take an unknown value of that tag for this field's.
    #[inline]
    pub fn absent(&mut self, writer: &mut Writer, tag: u32) -> Result<()> {
        if self.unknown.is_empty() {
            return Ok(());
        }
        self.unknown_below(writer, u64::from(tag))?;
        match self.unknown.first() {
            Some(field) if field.tag == tag => Err(writer.error(EncodeErrorKind::TagConflict(tag))),
            _ => Ok(()),
        }
    }

    /// Writes the unknown fields that are left.
    #[inline]
    pub fn finish(mut self, writer: &mut Writer) -> Result<()> {
        // Nearly always there is none, and a structure is written in a few instructions.
        if self.unknown.is_empty() { Ok(()) } else { self.unknown_below(writer, u64::MAX) }
    }

    fn unknown_below(&mut self, writer: &mut Writer, limit: u64) -> Result<()> {
        while let Some((field, rest)) = self.unknown.split_first()
            && u64::from(field.tag) < limit
        {
            self.unknown = rest;
            self.put_tag(writer, field.tag)?;
            writer.put_behind_its_length(|writer| {
                writer.put(&field.value);
                Ok(())
            })?;
        }
        Ok(())
    }

    fn put_tag(&mut self, writer: &mut Writer, tag: u32) -> Result<()> {
        if u64::from(tag) < self.tag_min {
            return Err(writer.error(EncodeErrorKind::TagConflict(tag)));
        }
        self.tag_min = u64::from(tag) + 1;
        writer.put_unsigned_varint(tag);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;
    use crate::apis::produce::{NodeEndpoint, ProduceResponse};

    // Tag 0 holds the endpoints from version 10 on.
    #[test]
    fn an_unknown_tag_never_takes_the_place_of_a_known_field() {
        let mut response = ProduceResponse::default();
        response.unknown_tagged_fields.push(0, Bytes::from_static(b"not endpoints"));
        let conflict = |response: &ProduceResponse, version| {
            response.to_bytes(version).err().map(|error| (error.kind, error.field))
        };
        let expected = Some((EncodeErrorKind::TagConflict(0), "ProduceResponse.tags"));
        assert_eq!(conflict(&response, 10), expected, "the known field is at its default");
        assert_eq!(conflict(&response, 9), None, "not known here");
        response.node_endpoints.push(NodeEndpoint::default());
        assert_eq!(conflict(&response, 10), expected, "both would be written");
    }
}
