//! Messages described as data: what the derive says about each struct, for tools and tests to read.
//!
//! The description is made from the same annotations as the codec, so it cannot drift from it. The
//! conformance script holds it against the definitions that Kafka publishes.
//!
//! ```
//! use strandline_protocol::apis::heartbeat::HeartbeatRequest;
//! use strandline_protocol::schema::FieldType;
//! use strandline_protocol::Message;
//!
//! let schema = HeartbeatRequest::SCHEMA;
//! assert_eq!(schema.versions.to_string(), "0-4");
//! assert_eq!(schema.body.fields[1].name, "GenerationId");
//! assert_eq!(schema.body.fields[1].field_type, FieldType::Int32);
//! ```

use std::fmt;

/// A range of versions, both ends included. `0+` has no upper end; `none` holds no version.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct VersionRange {
    /// The first version.
    pub first: i16,
    /// The last version; [`i16::MAX`] where there is no upper end.
    pub last: i16,
}

impl VersionRange {
    /// The range without a version.
    pub const NONE: Self = Self { first: 0, last: -1 };

    /// From `first` to `last`, both included.
    pub const fn new(first: i16, last: i16) -> Self {
        Self { first, last }
    }

    /// Whether `version` lies in the range.
    pub const fn contains(self, version: i16) -> bool {
        self.first <= version && version <= self.last
    }

    /// Whether the range holds no version at all.
    pub const fn is_empty(self) -> bool {
        self.first > self.last
    }

    /// The versions that lie in both ranges.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        let first = if self.first > other.first { self.first } else { other.first };
        let last = if self.last < other.last { self.last } else { other.last };
        if first > last { Self::NONE } else { Self { first, last } }
    }

    /// Every version of the range, in rising order.
    pub fn iter(self) -> impl Iterator<Item = i16> {
        self.first..=self.last
    }
}

impl fmt::Display for VersionRange {
    /// Written as Kafka's definitions write it: `none`, `3`, `3-13` or `3+`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            range if range.is_empty() => formatter.write_str("none"),
            Self { first, last: i16::MAX } => write!(formatter, "{first}+"),
            Self { first, last } if first == last => write!(formatter, "{first}"),
            Self { first, last } => write!(formatter, "{first}-{last}"),
        }
    }
}

/// A whole message: a request, a response, a header, or the data inside a record.
#[derive(Debug, PartialEq)]
pub struct MessageSchema {
    /// Kafka's name for it.
    pub name: &'static str,
    /// The versions that the codec knows.
    pub versions: VersionRange,
    /// The versions in which lengths are compact and structures end in tagged fields.
    pub flexible_versions: VersionRange,
    /// Whether Kafka still changes the last version: the codec knows it, nobody offers it.
    pub latest_version_unstable: bool,
    /// The fields.
    pub body: &'static StructSchema,
}

impl MessageSchema {
    /// The versions that Kafka promises not to change.
    pub const fn stable_versions(&self) -> VersionRange {
        let last = self.versions.last - self.latest_version_unstable as i16;
        VersionRange { first: self.versions.first, last }
    }
}

/// A structure, at any depth of a message.
#[derive(Debug, PartialEq)]
pub struct StructSchema {
    /// Kafka's name for it.
    pub name: &'static str,
    /// The fields, in the order of the wire; tagged ones among them.
    pub fields: &'static [FieldSchema],
}

/// One field of a structure.
#[derive(Debug, PartialEq)]
pub struct FieldSchema {
    /// Kafka's name for it.
    pub name: &'static str,
    /// What it holds.
    pub field_type: FieldType,
    /// The versions that have it.
    pub versions: VersionRange,
    /// The versions in which it may be null.
    pub nullable_versions: VersionRange,
    /// The tag, where the field is a tagged one.
    pub tag: Option<u32>,
    /// What it holds where nothing was said.
    pub default: DefaultValue,
    /// Whether a value may be dropped in silence where the version has no place for it.
    pub ignorable: bool,
    /// Whether it keeps the old encoding even in flexible versions (the client id of the request header).
    pub never_flexible: bool,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FieldType {
    /// One byte, zero for false.
    Bool,
    /// A signed byte.
    Int8,
    /// Two bytes, signed, big-endian, as are all that follow.
    Int16,
    /// Two bytes, unsigned.
    Uint16,
    /// Four bytes, signed.
    Int32,
    /// Four bytes, unsigned.
    Uint32,
    /// Eight bytes, signed.
    Int64,
    /// An IEEE 754 double.
    Float64,
    /// Sixteen bytes.
    Uuid,
    /// UTF-8 behind its length.
    String,
    /// Bytes behind their length.
    Bytes,
    /// Record batches behind their length in bytes.
    Records,
    /// A count, then as many elements.
    Array(&'static FieldType),
    /// A structure in place.
    Struct(&'static StructSchema),
}

/// What a field holds where nothing was said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DefaultValue {
    /// Zero, false, or empty.
    Zero,
    /// Null.
    Null,
    /// A number.
    Int(i64),
    /// A truth value.
    Bool(bool),
}
