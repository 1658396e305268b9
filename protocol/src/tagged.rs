//! Tagged fields that this codec does not know: kept as they came, written back in their place.

use std::fmt;

use bytes::Bytes;

/// A field of a flexible message, known only by its number.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnknownTag {
    /// The number.
    pub tag: u32,
    /// The value as it stood on the wire.
    pub value: Bytes,
}

/// The unknown tagged fields at the end of a structure, in rising order of tag.
///
/// Nearly always there are none, and then they take one pointer and no allocation.
#[derive(Clone, Default, Eq, PartialEq)]
#[expect(clippy::box_collection, reason = "one pointer in each of a thousand structures, not three")]
pub struct TaggedFields(Option<Box<Vec<UnknownTag>>>);

impl TaggedFields {
    /// No unknown field.
    pub const NONE: Self = Self(None);

    /// The fields.
    pub fn as_slice(&self) -> &[UnknownTag] {
        self.0.as_ref().map_or(&[], |fields| fields.as_slice())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// An upper bound for the heap that one more `push` takes, spread over the pushes until the next one grows.
    pub(crate) fn push_bytes_max(&self) -> usize {
        // The first push allocates the list itself and room for four, later ones double; while a list moves to
        // twice the room, the old one is there as well.
        if self.is_empty() {
            size_of::<Vec<UnknownTag>>() + 4 * size_of::<UnknownTag>()
        } else {
            3 * size_of::<UnknownTag>()
        }
    }

    /// Appends a field; whoever calls keeps the tags rising, or encoding refuses them.
    pub fn push(&mut self, tag: u32, value: Bytes) {
        self.0.get_or_insert_default().push(UnknownTag { tag, value });
    }
}

impl fmt::Debug for TaggedFields {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_slice().fmt(formatter)
    }
}
