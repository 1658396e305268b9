//! How each type of Kafka's wire is read and written.
//!
//! [`Wire`] is implemented here for the primitives and by the derive for structures; [`Nullable`] for those
//! that have a null of their own: -1 for a length, a marker in front of a structure.

use bytes::Bytes;

use crate::error::{DecodeError, DecodeErrorKind, EncodeError, EncodeErrorKind};
use crate::reader::Reader;
use crate::records::Records;
use crate::schema::FieldType;
use crate::text::Text;
use crate::uuid::Uuid;
use crate::writer::Writer;

/// What decoding returns. The error is boxed, so that the path without one stays small.
pub type DecodeResult<T> = Result<T, Box<DecodeError>>;

/// What encoding returns.
pub type EncodeResult = Result<(), Box<EncodeError>>;

/// What a value's bytes look like: the version of the message, and whether that version is flexible.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Layout {
    /// The version of the whole message.
    pub version: i16,
    /// Whether lengths are compact and structures end in tagged fields.
    pub flexible: bool,
}

impl Layout {
    /// The same version with the old encoding, for fields that never became flexible.
    #[must_use]
    pub const fn never_flexible(self) -> Self {
        Self { flexible: false, ..self }
    }
}

/// A type with a place on Kafka's wire.
pub trait Wire: Sized {
    /// How the schema calls it.
    const TYPE: FieldType;

    /// The fewest bytes that a value takes, at least one: no count in the input may promise more
    /// elements than that.
    const BYTES_MIN: usize = 1;

    /// Reads a value.
    fn decode(reader: &mut Reader, layout: Layout) -> DecodeResult<Self>;

    /// Writes the value.
    fn encode(&self, writer: &mut Writer, layout: Layout) -> EncodeResult;

    /// Reads the elements of an array, which is where their count is held against what remains.
    #[doc(hidden)]
    fn decode_elements(count: usize, reader: &mut Reader, layout: Layout) -> DecodeResult<Vec<Self>> {
        let mut elements = reader.allocate(count, Self::BYTES_MIN)?;
        for _ in 0..count {
            elements.push(Self::decode(reader, layout)?);
        }
        Ok(elements)
    }

    /// Writes the elements of an array.
    #[doc(hidden)]
    fn encode_elements(elements: &[Self], writer: &mut Writer, layout: Layout) -> EncodeResult {
        elements.iter().try_for_each(|element| element.encode(writer, layout))
    }
}

/// A type whose place on the wire may be null.
pub trait Nullable: Wire {
    /// Reads a value or null.
    fn decode_nullable(reader: &mut Reader, layout: Layout) -> DecodeResult<Option<Self>>;

    /// Writes the value or null.
    fn encode_nullable(value: Option<&Self>, writer: &mut Writer, layout: Layout) -> EncodeResult;

    /// Reads a value or null that a tagged field holds; only structures have another null there.
    #[inline]
    fn decode_nullable_tagged(reader: &mut Reader, layout: Layout) -> DecodeResult<Option<Self>> {
        Self::decode_nullable(reader, layout)
    }

    /// Writes the value or null into a tagged field.
    #[inline]
    fn encode_nullable_tagged(value: Option<&Self>, writer: &mut Writer, layout: Layout) -> EncodeResult {
        Self::encode_nullable(value, writer, layout)
    }
}

/// The value, or the error that null is here.
fn not_null<T>(reader: &Reader, value: Option<T>) -> DecodeResult<T> {
    value.ok_or_else(|| reader.error(DecodeErrorKind::NullNotAllowed))
}

/// For the derive: a field that the version does not let be null, in a struct where other versions do.
#[doc(hidden)]
pub fn encode_not_null<T: Wire>(value: Option<&T>, writer: &mut Writer, layout: Layout) -> EncodeResult {
    match value {
        Some(value) => value.encode(writer, layout),
        None => Err(writer.error(EncodeErrorKind::NullNotAllowed)),
    }
}

macro_rules! fixed_size {
    ($($type:ty => $schema:ident),+ $(,)?) => {$(
        impl Wire for $type {
            const TYPE: FieldType = FieldType::$schema;
            const BYTES_MIN: usize = size_of::<$type>();

            #[inline]
            fn decode(reader: &mut Reader, _: Layout) -> DecodeResult<Self> {
                reader.take().map(<$type>::from_be_bytes)
            }

            #[inline]
            fn encode(&self, writer: &mut Writer, _: Layout) -> EncodeResult {
                writer.put(&self.to_be_bytes());
                Ok(())
            }

            // One check for all of them: replica lists are most of what a Metadata holds.
            fn decode_elements(count: usize, reader: &mut Reader, _: Layout) -> DecodeResult<Vec<Self>> {
                let mut elements = reader.allocate(count, Self::BYTES_MIN)?;
                elements.extend(reader.take_many(count)?.iter().map(|&number| <$type>::from_be_bytes(number)));
                Ok(elements)
            }

            fn encode_elements(elements: &[Self], writer: &mut Writer, _: Layout) -> EncodeResult {
                writer.reserve(size_of_val(elements));
                for element in elements {
                    writer.put(&element.to_be_bytes());
                }
                Ok(())
            }
        }
    )+};
}

fixed_size! {
    i8 => Int8, i16 => Int16, u16 => Uint16, i32 => Int32, u32 => Uint32, i64 => Int64, f64 => Float64,
}

impl Wire for bool {
    const TYPE: FieldType = FieldType::Bool;

    #[inline]
    fn decode(reader: &mut Reader, _: Layout) -> DecodeResult<Self> {
        // As Kafka reads it: whatever is not zero is true.
        reader.take().map(|[byte]| byte != 0)
    }

    #[inline]
    fn encode(&self, writer: &mut Writer, _: Layout) -> EncodeResult {
        writer.put(&[u8::from(*self)]);
        Ok(())
    }
}

impl Wire for Uuid {
    const TYPE: FieldType = FieldType::Uuid;
    const BYTES_MIN: usize = 16;

    #[inline]
    fn decode(reader: &mut Reader, _: Layout) -> DecodeResult<Self> {
        reader.take().map(Self)
    }

    #[inline]
    fn encode(&self, writer: &mut Writer, _: Layout) -> EncodeResult {
        writer.put(&self.0);
        Ok(())
    }
}

/// For types with a null of their own, reading what is not null is reading what may be, and refusing null.
macro_rules! wire_by_nullable {
    () => {
        #[inline]
        fn decode(reader: &mut Reader, layout: Layout) -> DecodeResult<Self> {
            let value = Self::decode_nullable(reader, layout)?;
            not_null(reader, value)
        }

        #[inline]
        fn encode(&self, writer: &mut Writer, layout: Layout) -> EncodeResult {
            Self::encode_nullable(Some(self), writer, layout)
        }
    };
}

impl Wire for Text {
    const TYPE: FieldType = FieldType::String;
    wire_by_nullable!();
}

impl Nullable for Text {
    #[inline]
    fn decode_nullable(reader: &mut Reader, layout: Layout) -> DecodeResult<Option<Self>> {
        let Some(length) = reader.string_length(layout.flexible)? else { return Ok(None) };
        let bytes = reader.slice(length)?;
        Self::from_utf8(bytes).map(Some).map_err(|_| reader.error(DecodeErrorKind::Utf8))
    }

    #[inline]
    fn encode_nullable(value: Option<&Self>, writer: &mut Writer, layout: Layout) -> EncodeResult {
        writer.put_string_length(value.map(|text| text.len()), layout.flexible)?;
        writer.put(value.map_or(&[], |text| text.as_bytes()));
        Ok(())
    }
}

impl Wire for Bytes {
    const TYPE: FieldType = FieldType::Bytes;
    wire_by_nullable!();
}

impl Nullable for Bytes {
    #[inline]
    fn decode_nullable(reader: &mut Reader, layout: Layout) -> DecodeResult<Option<Self>> {
        let Some(length) = reader.length(layout.flexible)? else { return Ok(None) };
        reader.slice(length).map(Some)
    }

    #[inline]
    fn encode_nullable(value: Option<&Self>, writer: &mut Writer, layout: Layout) -> EncodeResult {
        writer.put_length(value.map(Bytes::len), layout.flexible)?;
        writer.put(value.map_or(&[], |bytes| bytes));
        Ok(())
    }
}

impl Wire for Records {
    const TYPE: FieldType = FieldType::Records;
    wire_by_nullable!();
}

impl Nullable for Records {
    #[inline]
    fn decode_nullable(reader: &mut Reader, layout: Layout) -> DecodeResult<Option<Self>> {
        Ok(Bytes::decode_nullable(reader, layout)?.map(Self::from))
    }

    #[inline]
    fn encode_nullable(value: Option<&Self>, writer: &mut Writer, layout: Layout) -> EncodeResult {
        writer.put_length(value.map(Self::len), layout.flexible)?;
        if let Some(records) = value {
            writer.put_records(records);
        }
        Ok(())
    }
}

impl<T: Wire> Wire for Vec<T> {
    const TYPE: FieldType = FieldType::Array(&T::TYPE);
    wire_by_nullable!();
}

impl<T: Wire> Nullable for Vec<T> {
    fn decode_nullable(reader: &mut Reader, layout: Layout) -> DecodeResult<Option<Self>> {
        let Some(count) = reader.length(layout.flexible)? else { return Ok(None) };
        T::decode_elements(count, reader, layout).map(Some)
    }

    fn encode_nullable(value: Option<&Self>, writer: &mut Writer, layout: Layout) -> EncodeResult {
        writer.put_length(value.map(Self::len), layout.flexible)?;
        T::encode_elements(value.map_or(&[], Self::as_slice), writer, layout)
    }
}

/// For the derive: a structure that may be null has a signed byte in front, negative for null.
#[doc(hidden)]
pub fn decode_nullable_struct<T: Wire>(reader: &mut Reader, layout: Layout) -> DecodeResult<Option<T>> {
    if i8::decode(reader, layout)? < 0 { Ok(None) } else { T::decode(reader, layout).map(Some) }
}

/// For the derive: see [`decode_nullable_struct`].
#[doc(hidden)]
pub fn encode_nullable_struct<T: Wire>(
    value: Option<&T>,
    writer: &mut Writer,
    layout: Layout,
) -> EncodeResult {
    let marker: i8 = if value.is_some() { 1 } else { -1 };
    marker.encode(writer, layout)?;
    value.map_or(Ok(()), |value| value.encode(writer, layout))
}

/// For the derive: in a tagged field, what is in front of a structure is a varint, zero for null. Kafka's
/// definitions do not say so; its generated classes do.
#[doc(hidden)]
pub fn decode_nullable_tagged_struct<T: Wire>(
    reader: &mut Reader,
    layout: Layout,
) -> DecodeResult<Option<T>> {
    if reader.unsigned_varint()? == 0 { Ok(None) } else { T::decode(reader, layout).map(Some) }
}

/// For the derive: see [`decode_nullable_tagged_struct`].
#[doc(hidden)]
pub fn encode_nullable_tagged_struct<T: Wire>(
    value: Option<&T>,
    writer: &mut Writer,
    layout: Layout,
) -> EncodeResult {
    writer.put_unsigned_varint(u32::from(value.is_some()));
    value.map_or(Ok(()), |value| value.encode(writer, layout))
}
