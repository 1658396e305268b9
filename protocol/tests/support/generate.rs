//! Random trees of values for any message and version.

use strandline_protocol::schema::{FieldSchema, FieldType, MessageSchema, StructSchema};

use super::random::Random;
use super::value::{Structure, Value, default_of};

/// How a tree is filled. Percentages, where nothing else is said.
#[derive(Clone, Copy, Debug)]
struct Style {
    /// Fields left at their default.
    default: usize,
    /// Nullable fields that are null.
    null: usize,
    /// Strings, bytes and arrays that are empty.
    empty: usize,
    /// Strings, bytes and arrays whose length needs a varint of two or three bytes.
    long: usize,
    /// Structures with unknown tagged fields.
    unknown_tags: usize,
    /// The most elements of an array that is not a long one.
    elements_max: usize,
}

/// Everything at its default.
const LEAST: Style = Style { default: 100, null: 0, empty: 100, long: 0, unknown_tags: 0, elements_max: 0 };
/// Nothing at its default: what is swapped, skipped or read twice shows.
const FULL: Style = Style { default: 0, null: 0, empty: 0, long: 0, unknown_tags: 100, elements_max: 2 };
/// Null wherever null may be.
const NULLS: Style = Style { default: 0, null: 100, empty: 0, long: 0, unknown_tags: 0, elements_max: 1 };
/// Anything.
const MIXED: Style = Style { default: 20, null: 25, empty: 20, long: 3, unknown_tags: 30, elements_max: 3 };
/// Anything, with long ones among it.
const LARGE: Style = Style { default: 10, null: 10, empty: 10, long: 30, unknown_tags: 30, elements_max: 5 };

/// Seed 0 is everything at its default, 1 everything full, 2 null wherever possible; then it is random.
pub(crate) const SEED_FULL: u64 = 1;

/// Bytes that the long ones of one tree may take together: deep messages stay small enough to test often.
const LONG_BYTES_MAX: usize = 48 << 10;

/// A random tree for `version` of the message, always the same for the same seed.
pub(crate) fn message(schema: &MessageSchema, version: i16, seed: u64) -> Structure {
    let style = match seed {
        0 => LEAST,
        SEED_FULL => FULL,
        2 => NULLS,
        odd if odd % 2 == 1 => MIXED,
        _ => LARGE,
    };
    let mut generator = Generator {
        random: Random::new(seed, &format!("{} v{version}", schema.name)),
        style,
        version,
        flexible: schema.flexible_versions.contains(version),
        long_bytes_left: LONG_BYTES_MAX,
    };
    generator.structure(schema.body)
}

struct Generator {
    random: Random,
    style: Style,
    version: i16,
    flexible: bool,
    long_bytes_left: usize,
}

impl Generator {
    fn structure(&mut self, schema: &'static StructSchema) -> Structure {
        let fields = schema.fields.iter().map(|field| self.field(field)).collect();
        let unknown_tags = self.unknown_tags(schema);
        Structure { schema, fields, unknown_tags }
    }

    fn field(&mut self, field: &FieldSchema) -> Value {
        if !field.versions.contains(self.version) || self.random.chance(self.style.default) {
            return self.nearest_default(field);
        }
        if field.nullable_versions.contains(self.version) && self.random.chance(self.style.null) {
            return Value::Null;
        }
        let value = self.value(field.field_type);
        if self.style.default > 0 || value != default_of(field) {
            return value;
        }
        // The full style promises another value; only a truth value is likely to miss twice.
        match value {
            Value::Bool(value) => Value::Bool(!value),
            _ => self.value(field.field_type),
        }
    }

    /// The default, or something else in those versions in which a default of null may not be written.
    fn nearest_default(&mut self, field: &FieldSchema) -> Value {
        let default = default_of(field);
        let written = field.versions.contains(self.version) && field.tag.is_none();
        match default {
            // It has defaults of its own inside.
            Value::Struct(_) if written => self.value(field.field_type),
            Value::Null if written && !field.nullable_versions.contains(self.version) => {
                self.value(field.field_type)
            }
            default => default,
        }
    }

    fn value(&mut self, field_type: FieldType) -> Value {
        match field_type {
            FieldType::Bool => Value::Bool(self.random.chance(50)),
            FieldType::Int8 => self.integer(i8::MIN.into(), i8::MAX.into()),
            FieldType::Int16 => self.integer(i16::MIN.into(), i16::MAX.into()),
            FieldType::Uint16 => self.integer(0, u16::MAX.into()),
            FieldType::Int32 => self.integer(i32::MIN.into(), i32::MAX.into()),
            FieldType::Uint32 => self.integer(0, u32::MAX.into()),
            FieldType::Int64 => self.integer(i64::MIN, i64::MAX),
            FieldType::Float64 => self.float(),
            FieldType::Uuid => Value::Uuid(self.uuid()),
            FieldType::String => Value::Text(self.text()),
            FieldType::Bytes => Value::Bytes(self.bytes()),
            FieldType::Records => Value::Records(self.bytes()),
            FieldType::Array(element) => self.array(*element),
            FieldType::Struct(schema) => Value::Struct(self.structure(schema)),
        }
    }

    fn integer(&mut self, least: i64, greatest: i64) -> Value {
        if self.random.chance(40) {
            let edges = [least, least + 1, -1, 0, 1, 127, 128, greatest - 1, greatest];
            return Value::Int(self.random.pick(&edges).clamp(least, greatest));
        }
        let span = i128::from(greatest) - i128::from(least) + 1;
        let offset = i128::from(self.random.bits()) % span;
        Value::Int(i64::try_from(i128::from(least) + offset).expect("between two of its type"))
    }

    fn float(&mut self) -> Value {
        let edges = [f64::NAN, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE / 4.0, f64::MAX];
        let edge = self.random.pick(&edges).to_bits();
        Value::Float(if self.random.chance(50) { edge } else { self.random.bits() })
    }

    fn uuid(&mut self) -> [u8; 16] {
        let (high, low) = (self.random.bits(), self.random.bits());
        (u128::from(high) << 64 | u128::from(low)).to_be_bytes()
    }

    /// A length around those where its varint grows by a byte, as far as the tree has room for it.
    fn length(&mut self) -> usize {
        if self.random.chance(self.style.empty) {
            return 0;
        }
        if self.random.chance(self.style.long) {
            let length = self.random.pick(&[126, 127, 128, 300, 16_382, 16_383, 16_384, 32_767]);
            if length <= self.long_bytes_left {
                self.long_bytes_left -= length;
                return length;
            }
        }
        1 + self.random.below(12)
    }

    /// Text of an exact length in bytes, with characters of one to four bytes.
    fn text(&mut self) -> String {
        let length = self.length();
        let mut text = String::with_capacity(length);
        while text.len() < length {
            let character =
                self.random.pick(&['a', 'Z', '-', '"', '\\', '\'', '\0', '\n', 'é', '水', '\u{301}', '🌊']);
            let fits = text.len() + character.len_utf8() <= length;
            text.push(if fits { character } else { 'x' });
            // What is long is long for its length: the rest of it may be dull.
            if text.len() > 64 {
                text.extend(std::iter::repeat_n('y', length - text.len()));
            }
        }
        text
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = self.length();
        let mut bytes: Vec<u8> = (0..length.min(64)).flat_map(|_| self.random.bits().to_be_bytes()).collect();
        bytes.resize(length, 0xA5);
        bytes
    }

    fn array(&mut self, element: FieldType) -> Value {
        let count = if self.random.chance(self.style.empty) {
            0
        } else if self.long_bytes_left > 0 && self.random.chance(self.style.long / 4) {
            self.long_elements(element)
        } else {
            1 + self.random.below(self.style.elements_max.max(1))
        };
        Value::Array((0..count).map(|_| self.value(element)).collect())
    }

    /// A count that needs a varint of two bytes (of three, where elements are only numbers).
    fn long_elements(&mut self, element: FieldType) -> usize {
        let plain = !matches!(element, FieldType::Struct(_) | FieldType::String | FieldType::Bytes);
        // Many structures are enough: what is in them stays small, and holds no second such array.
        self.long_bytes_left = 0;
        self.random.pick(if plain { &[127, 128, 16_383, 16_384] } else { &[126, 127, 128, 129] })
    }

    fn unknown_tags(&mut self, schema: &StructSchema) -> Vec<(u32, Vec<u8>)> {
        if !self.flexible || !self.random.chance(self.style.unknown_tags) {
            return Vec::new();
        }
        let known: Vec<u32> = schema
            .fields
            .iter()
            .filter(|field| field.versions.contains(self.version))
            .filter_map(|field| field.tag)
            .collect();
        let mut tags: Vec<u32> = (0..6)
            .chain([127, 128, 16_383, 16_384, u32::MAX - 1, u32::MAX])
            .filter(|tag| !known.contains(tag) && self.random.chance(30))
            .collect();
        tags.dedup();
        tags.into_iter().map(|tag| (tag, self.bytes())).collect()
    }
}
