//! Strings that are slices of the frame they came in.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use bytes::Bytes;

/// An immutable UTF-8 string, cheap to clone; when decoded, a slice of the frame's own buffer.
///
/// Whoever keeps one beyond the request keeps the whole frame alive with it: state that outlives a
/// request takes a copy ([`Text::detached`], or a `String`).
///
/// ```
/// use strandline_protocol::Text;
/// let text = Text::from("orders");
/// assert_eq!(text, "orders");
/// assert_eq!(text.len(), 6);
/// ```
#[derive(Clone, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Text {
    // Invariant: UTF-8. Every constructor starts from a string or checks.
    bytes: Bytes,
}

impl Text {
    /// The empty string.
    pub const fn new() -> Self {
        Self { bytes: Bytes::new() }
    }

    /// A string that lives as long as the program, without allocating.
    pub const fn from_static(text: &'static str) -> Self {
        Self { bytes: Bytes::from_static(text.as_bytes()) }
    }

    /// Takes bytes for a string, without copying, if they are UTF-8.
    pub fn from_utf8(bytes: Bytes) -> Result<Self, std::str::Utf8Error> {
        std::str::from_utf8(&bytes)?;
        Ok(Self { bytes })
    }

    /// The string.
    #[inline]
    pub fn as_str(&self) -> &str {
        // SAFETY: the bytes are UTF-8 by the type's invariant, and cannot change.
        #[expect(unsafe_code, reason = "checked once, when the text was made")]
        unsafe {
            std::str::from_utf8_unchecked(&self.bytes)
        }
    }

    /// The bytes behind the string, sharing its buffer.
    pub const fn as_bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The same string in a buffer of its own, so that it no longer keeps a frame alive.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self { bytes: Bytes::copy_from_slice(&self.bytes) }
    }
}

impl Deref for Text {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

// Hashed as the string it is (bytes hash differently), so that a map keyed by `Text` can be asked with a `&str`.
impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self { bytes: Bytes::copy_from_slice(text.as_bytes()) }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self { bytes: Bytes::from(text) }
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.as_str().to_owned()
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), formatter)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn a_map_keyed_by_text_answers_to_str() {
        let map = HashMap::from([(Text::from("a"), 1)]);
        assert_eq!(map.get("a"), Some(&1));
    }

    #[test]
    fn what_is_not_utf8_is_refused() {
        assert!(Text::from_utf8(Bytes::from_static(&[0xC3, 0x28])).is_err());
    }

    #[test]
    fn detached_text_has_its_own_buffer() {
        let frame = Bytes::from(vec![b'x'; 1 << 10]);
        let text = Text::from_utf8(frame.slice(..3)).unwrap();
        assert_eq!(text.as_bytes().as_ptr(), frame.as_ptr());
        assert_ne!(text.detached().as_bytes().as_ptr(), frame.as_ptr());
        assert_eq!(text.detached(), text);
    }
}
