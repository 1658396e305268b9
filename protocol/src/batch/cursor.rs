//! A position in the records of a batch, and how the fields of a record are taken from it.
//!
//! This is the one loop that every record that enters or leaves a broker goes through, so its short varints
//! are read without a call and its errors carry nothing: where they happened is worked out from what is left,
//! by who started the cursor.

use super::error::BatchErrorKind;
use crate::varint::{self, VarintError};

type Result<T> = std::result::Result<T, BatchErrorKind>;

/// What is left to read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    #[inline]
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[inline]
    pub(crate) const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// One byte.
    #[inline(always)]
    pub(crate) fn byte(&mut self) -> Result<u8> {
        match self.rest {
            [byte, rest @ ..] => {
                self.rest = rest;
                Ok(*byte)
            }
            [] => Err(BatchErrorKind::RecordEnd),
        }
    }

    /// A signed varint of 32 bits.
    #[inline(always)]
    pub(crate) fn varint(&mut self) -> Result<i32> {
        match *self.rest {
            [a, ref rest @ ..] if a < 0x80 => {
                self.rest = rest;
                Ok(zigzag(u32::from(a)))
            }
            [a, b, ref rest @ ..] if b < 0x80 => {
                self.rest = rest;
                Ok(zigzag(u32::from(a & 0x7F) | u32::from(b) << 7))
            }
            _ => self.long_varint(),
        }
    }

    #[inline(never)]
    fn long_varint(&mut self) -> Result<i32> {
        let (value, length) = varint::read_i32(self.rest).map_err(varint_error)?;
        self.skip(length)?;
        Ok(value)
    }

    /// A signed varint of 64 bits.
    #[inline(always)]
    pub(crate) fn varlong(&mut self) -> Result<i64> {
        match *self.rest {
            [a, ref rest @ ..] if a < 0x80 => {
                self.rest = rest;
                Ok(i64::from(zigzag(u32::from(a))))
            }
            [a, b, ref rest @ ..] if b < 0x80 => {
                self.rest = rest;
                Ok(i64::from(zigzag(u32::from(a & 0x7F) | u32::from(b) << 7)))
            }
            _ => self.long_varlong(),
        }
    }

    #[inline(never)]
    fn long_varlong(&mut self) -> Result<i64> {
        let (value, length) = varint::read_i64(self.rest).map_err(varint_error)?;
        self.skip(length)?;
        Ok(value)
    }

    fn skip(&mut self, bytes: usize) -> Result<()> {
        self.rest = self.rest.get(bytes..).ok_or(BatchErrorKind::RecordEnd)?;
        Ok(())
    }

    /// As many bytes as the varint in front of them says.
    #[inline(always)]
    pub(crate) fn bytes(&mut self, what: &'static str) -> Result<&'a [u8]> {
        let length = self.varint()?;
        self.take(length, what)
    }

    /// The same, where a length of -1 means null.
    #[inline(always)]
    pub(crate) fn nullable_bytes(&mut self, what: &'static str) -> Result<Option<&'a [u8]>> {
        match self.varint()? {
            -1 => Ok(None),
            length => self.take(length, what).map(Some),
        }
    }

    #[inline(always)]
    fn take(&mut self, length: i32, what: &'static str) -> Result<&'a [u8]> {
        let split = usize::try_from(length).ok().and_then(|length| self.rest.split_at_checked(length));
        match split {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(bytes)
            }
            None => Err(self.field_error(what, length)),
        }
    }

    #[cold]
    pub(crate) fn field_error(&self, what: &'static str, value: i32) -> BatchErrorKind {
        BatchErrorKind::RecordField { what, value, remaining: self.remaining() }
    }
}

#[inline(always)]
#[expect(clippy::cast_possible_wrap, reason = "zigzag is defined on the bits")]
const fn zigzag(raw: u32) -> i32 {
    ((raw >> 1) as i32) ^ -((raw & 1) as i32)
}

#[cold]
fn varint_error(error: VarintError) -> BatchErrorKind {
    match error {
        VarintError::Truncated => BatchErrorKind::RecordEnd,
        VarintError::TooLong => BatchErrorKind::VarintTooLong,
    }
}
