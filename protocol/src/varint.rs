//! Variable-length integers: seven bits a byte, least significant first, the high bit says "more".
//!
//! Kafka uses them twice: unsigned for the lengths and tags of flexible messages, and signed (zigzag: the
//! sign in the lowest bit, so that small negatives stay short) inside records. A 32-bit value takes at
//! most five bytes and a 64-bit one ten; anything longer, or with bits beyond the type's width, is refused.

/// The most bytes that a 32-bit varint takes.
pub const VARINT_BYTES_MAX: usize = 5;

/// The most bytes that a 64-bit varint takes.
pub const VARLONG_BYTES_MAX: usize = 10;

/// Why the bytes at hand are no varint.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum VarintError {
    /// The input ends before the varint does.
    Truncated,
    /// More bytes, or more bits, than the type can hold.
    TooLong,
}

/// Reads an unsigned 32-bit varint from the front of `input`: the value, and how many bytes it took.
///
/// ```
/// use strandline_protocol::varint;
/// assert_eq!(varint::read_u32(&[0xAC, 0x02, 0xFF]), Ok((300, 2)));
/// assert!(varint::read_u32(&[0x80]).is_err());
/// ```
#[inline]
pub fn read_u32(input: &[u8]) -> Result<(u32, usize), VarintError> {
    match input.first() {
        Some(&byte) if byte < 0x80 => Ok((u32::from(byte), 1)),
        _ => read_u32_long(input),
    }
}

fn read_u32_long(input: &[u8]) -> Result<(u32, usize), VarintError> {
    let mut value = 0u32;
    for (index, &byte) in input.iter().take(VARINT_BYTES_MAX).enumerate() {
        if index == VARINT_BYTES_MAX - 1 && byte > 0x0F {
            return Err(VarintError::TooLong);
        }
        value |= u32::from(byte & 0x7F) << (7 * index);
        if byte < 0x80 {
            return Ok((value, index + 1));
        }
    }
    Err(VarintError::Truncated)
}

/// Reads an unsigned 64-bit varint from the front of `input`: the value, and how many bytes it took.
#[inline]
pub fn read_u64(input: &[u8]) -> Result<(u64, usize), VarintError> {
    match input.first() {
        Some(&byte) if byte < 0x80 => Ok((u64::from(byte), 1)),
        _ => read_u64_long(input),
    }
}

fn read_u64_long(input: &[u8]) -> Result<(u64, usize), VarintError> {
    let mut value = 0u64;
    for (index, &byte) in input.iter().take(VARLONG_BYTES_MAX).enumerate() {
        if index == VARLONG_BYTES_MAX - 1 && byte > 0x01 {
            return Err(VarintError::TooLong);
        }
        value |= u64::from(byte & 0x7F) << (7 * index);
        if byte < 0x80 {
            return Ok((value, index + 1));
        }
    }
    Err(VarintError::Truncated)
}

/// Reads a signed (zigzag) 32-bit varint, as record lengths and offset deltas are written.
#[inline]
pub fn read_i32(input: &[u8]) -> Result<(i32, usize), VarintError> {
    let (raw, length) = read_u32(input)?;
    Ok((zigzag_decode_32(raw), length))
}

/// Reads a signed (zigzag) 64-bit varint, as record timestamps are written.
#[inline]
pub fn read_i64(input: &[u8]) -> Result<(i64, usize), VarintError> {
    let (raw, length) = read_u64(input)?;
    Ok((zigzag_decode_64(raw), length))
}

/// A varint in its written form: a few bytes on the stack.
#[derive(Clone, Copy, Debug)]
pub struct EncodedVarint {
    bytes: [u8; VARLONG_BYTES_MAX],
    length: u8,
}

impl EncodedVarint {
    /// The unsigned form of `value`.
    #[inline]
    pub fn unsigned(mut value: u64) -> Self {
        let mut encoded = Self { bytes: [0; VARLONG_BYTES_MAX], length: 0 };
        for slot in &mut encoded.bytes {
            encoded.length += 1;
            // The mask leaves seven bits: the cast is exact.
            *slot = (value & 0x7F) as u8;
            value >>= 7;
            if value == 0 {
                break;
            }
            *slot |= 0x80;
        }
        encoded
    }

    /// The signed (zigzag) form of `value`; for 32-bit values it is the same as Kafka's 32-bit one.
    #[inline]
    pub fn signed(value: i64) -> Self {
        Self::unsigned(zigzag_encode_64(value))
    }

    /// The bytes to write.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

/// How many bytes the unsigned varint of `value` takes.
#[inline]
pub const fn unsigned_length(value: u64) -> usize {
    let bits = 64 - (value | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

/// How many bytes the signed (zigzag) varint of `value` takes.
#[inline]
pub const fn signed_length(value: i64) -> usize {
    unsigned_length(zigzag_encode_64(value))
}

#[inline]
#[expect(clippy::cast_sign_loss, reason = "zigzag is defined on the bits")]
const fn zigzag_encode_64(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

#[inline]
#[expect(clippy::cast_possible_wrap, reason = "zigzag is defined on the bits")]
const fn zigzag_decode_64(raw: u64) -> i64 {
    ((raw >> 1) as i64) ^ -((raw & 1) as i64)
}

#[inline]
#[expect(clippy::cast_possible_wrap, reason = "zigzag is defined on the bits")]
const fn zigzag_decode_32(raw: u32) -> i32 {
    ((raw >> 1) as i32) ^ -((raw & 1) as i32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn unsigned_values_return(value: u64) {
            let encoded = EncodedVarint::unsigned(value);
            prop_assert_eq!(encoded.as_slice().len(), unsigned_length(value));
            prop_assert_eq!(read_u64(encoded.as_slice()), Ok((value, unsigned_length(value))));
        }

        #[test]
        fn signed_values_return(value: i64, small: i32) {
            let encoded = EncodedVarint::signed(value);
            prop_assert_eq!(read_i64(encoded.as_slice()), Ok((value, signed_length(value))));
            let encoded = EncodedVarint::signed(i64::from(small));
            prop_assert_eq!(read_i32(encoded.as_slice()).map(|(value, _)| value), Ok(small));
        }
    }

    #[test]
    fn bits_beyond_the_width_are_refused() {
        assert_eq!(read_u32(&[0xFF, 0xFF, 0xFF, 0xFF, 0x0F]), Ok((u32::MAX, 5)));
        assert_eq!(read_u32(&[0xFF, 0xFF, 0xFF, 0xFF, 0x1F]), Err(VarintError::TooLong));
        assert_eq!(read_u32(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]), Err(VarintError::TooLong));
        assert_eq!(read_u32(&[0xFF, 0xFF, 0xFF, 0xFF]), Err(VarintError::Truncated));
        let longest = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01];
        assert_eq!(read_u64(&longest), Ok((u64::MAX, 10)));
        let beyond = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02];
        assert_eq!(read_u64(&beyond), Err(VarintError::TooLong));
    }
}
