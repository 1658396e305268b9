//! One record: its fields as slices of the batch, its headers read as they are asked for.

use super::cursor::Cursor;
use super::error::BatchErrorKind;
use std::str::Utf8Error;

/// A record, borrowed from the batch that holds it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record<'a> {
    /// Its place in the log.
    pub offset: i64,
    /// Milliseconds since 1970: the record's own time, or that of the append, by the batch's timestamp type.
    pub timestamp: i64,
    /// The key, if it has one.
    pub key: Option<&'a [u8]>,
    /// The value; null, in a compacted topic, deletes the key.
    pub value: Option<&'a [u8]>,
    /// The headers.
    pub headers: Headers<'a>,
}

/// One header of a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RecordHeader<'a> {
    /// The key's bytes. By custom it is a string, but nobody checks it: Kafka's broker stores any bytes, and
    /// its clients replace what is not UTF-8.
    pub key: &'a [u8],
    /// The value, if it has one.
    pub value: Option<&'a [u8]>,
}

impl<'a> RecordHeader<'a> {
    /// A header as a user means it.
    pub const fn new(key: &'a str, value: Option<&'a [u8]>) -> Self {
        Self { key: key.as_bytes(), value }
    }

    /// The key as a string, if it is one.
    pub const fn key_str(&self) -> Result<&'a str, Utf8Error> {
        str::from_utf8(self.key)
    }
}

/// The headers of a record in the order they were written: an iterator that reads them on the way. Keys may
/// repeat, and every header comes out.
///
/// In a batch that has been validated no header is an error.
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers<'a> {
    left: u32,
    rest: &'a [u8],
}

impl<'a> Headers<'a> {
    /// How many headers are left to be read, as the record says.
    pub const fn count(&self) -> usize {
        self.left as usize
    }

    /// Whether none is left.
    pub const fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// The value of the last header with this key, the one that counts where a key was set twice.
    ///
    /// `None` where no header has the key, `Some(None)` where the header's value is null.
    pub fn last(self, key: &str) -> Option<Option<&'a [u8]>> {
        let matching = self.map_while(Result::ok).filter(|header| header.key == key.as_bytes());
        matching.last().map(|header| header.value)
    }

    /// Reads the count at the cursor; what follows it must be the headers and nothing else.
    #[inline(always)]
    fn parse(cursor: Cursor<'a>, count: i32) -> Result<Self, BatchErrorKind> {
        let rest = cursor.rest();
        match u32::try_from(count) {
            Ok(0) if !rest.is_empty() => Err(BatchErrorKind::RecordLength(rest.len())),
            // A header takes two bytes at the least, so a count is never believed beyond what is there.
            Ok(left) if left as usize <= rest.len() / HEADER_BYTES_MIN => Ok(Self { left, rest }),
            _ => Err(cursor.field_error("header count", count)),
        }
    }

    /// Reads all headers, for nothing but the errors in them.
    pub(crate) fn check(mut self) -> Result<(), (BatchErrorKind, usize)> {
        let mut cursor = Cursor::new(self.rest);
        while self.left > 0 {
            self.left -= 1;
            Self::read(&mut cursor).map_err(|kind| (kind, cursor.remaining()))?;
        }
        match cursor.remaining() {
            0 => Ok(()),
            excess => Err((BatchErrorKind::RecordLength(excess), excess)),
        }
    }

    fn read(cursor: &mut Cursor<'a>) -> Result<RecordHeader<'a>, BatchErrorKind> {
        Ok(RecordHeader {
            key: cursor.bytes("header key length")?,
            value: cursor.nullable_bytes("header value length")?,
        })
    }
}

const HEADER_BYTES_MIN: usize = 2;

impl<'a> Iterator for Headers<'a> {
    type Item = Result<RecordHeader<'a>, BatchErrorKind>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let mut cursor = Cursor::new(self.rest);
        let header = Self::read(&mut cursor);
        self.rest = cursor.rest();
        if header.is_err() {
            self.left = 0;
        } else if self.left == 0 && !self.rest.is_empty() {
            return Some(Err(BatchErrorKind::RecordLength(self.rest.len())));
        }
        Some(header)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.count()))
    }
}

/// The same headers in the same order.
impl PartialEq for Headers<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.left == other.left && self.rest == other.rest
    }
}

/// A record's fields as the bytes have them, before the batch's header gives them a meaning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawRecord<'a> {
    pub(crate) attributes: u8,
    pub(crate) timestamp_delta: i64,
    pub(crate) offset_delta: i32,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) value: Option<&'a [u8]>,
    pub(crate) headers: Headers<'a>,
}

impl<'a> RawRecord<'a> {
    /// Takes the next record from the cursor. The record's length is held against its fields, except that the
    /// headers have only been counted.
    ///
    /// On an error the cursor stands no further than the record's end.
    #[inline(always)]
    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Result<Self, (BatchErrorKind, usize)> {
        if cursor.remaining() == 0 {
            return Err((BatchErrorKind::RecordsEnd, 0));
        }
        let body = match cursor.bytes("record length") {
            Ok(body) => body,
            Err(kind) => return Err((kind, cursor.remaining())),
        };
        let mut fields = Cursor::new(body);
        match Self::read_fields(&mut fields) {
            Ok(record) => Ok(record),
            // Counted from the end of everything, as the caller's cursor is.
            Err(kind) => Err((kind, fields.remaining() + cursor.remaining())),
        }
    }

    #[inline(always)]
    fn read_fields(fields: &mut Cursor<'a>) -> Result<Self, BatchErrorKind> {
        let attributes = fields.byte()?;
        let timestamp_delta = fields.varlong()?;
        let offset_delta = fields.varint()?;
        let key = fields.nullable_bytes("key length")?;
        let value = fields.nullable_bytes("value length")?;
        let header_count = fields.varint()?;
        let headers = Headers::parse(*fields, header_count)?;
        Ok(Self { attributes, timestamp_delta, offset_delta, key, value, headers })
    }
}
