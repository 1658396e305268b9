//! Kafka's identifiers: sixteen bytes, shown as 22 characters of URL-safe base64.

use std::fmt;
use std::str::FromStr;

/// A topic id, directory id, member id or incarnation id.
///
/// ```
/// use strandline_protocol::Uuid;
/// let id: Uuid = "lWmp9ElnTJCtEYxtsqnDRQ".parse().unwrap();
/// assert_eq!(id.to_string(), "lWmp9ElnTJCtEYxtsqnDRQ");
/// assert!(Uuid::ZERO.is_zero());
/// ```
#[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Uuid(pub [u8; 16]);

/// The text is not 22 characters of URL-safe base64.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("an id is 22 characters of URL-safe base64")]
pub struct UuidParseError;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const TEXT_LENGTH: usize = 22;

impl Uuid {
    /// All zero: "no id" wherever Kafka has a place for one.
    pub const ZERO: Self = Self([0; 16]);

    /// Whether this is the id that means "none".
    pub const fn is_zero(self) -> bool {
        u128::from_be_bytes(self.0) == 0
    }
}

impl From<u128> for Uuid {
    fn from(bits: u128) -> Self {
        Self(bits.to_be_bytes())
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // 128 bits are 21 sextets and two bits over, which base64 puts on top of the last one.
        let bits = u128::from_be_bytes(self.0);
        for index in 0..TEXT_LENGTH {
            let sextet = if index < 21 { (bits >> (122 - 6 * index)) & 0x3F } else { (bits & 0x03) << 4 };
            let symbol = usize::try_from(sextet).ok().and_then(|sextet| ALPHABET.get(sextet));
            fmt::Write::write_char(formatter, char::from(*symbol.unwrap_or(&b'?')))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for Uuid {
    type Err = UuidParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != TEXT_LENGTH {
            return Err(UuidParseError);
        }
        let mut bits = 0u128;
        for (index, byte) in text.bytes().enumerate() {
            let sextet = ALPHABET.iter().position(|&symbol| symbol == byte).ok_or(UuidParseError)? as u128;
            bits = match index {
                0..=20 => bits << 6 | sextet,
                _ if sextet & 0x0F == 0 => bits << 2 | sextet >> 4,
                _ => return Err(UuidParseError),
            };
        }
        Ok(Self::from(bits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_returns(bits: u128) {
            let id = Uuid::from(bits);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "AAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAB", "AAAAAAAAAAAAAAAAAAAA+A"] {
            assert_eq!(text.parse::<Uuid>(), Err(UuidParseError), "{text:?}");
        }
    }
}
