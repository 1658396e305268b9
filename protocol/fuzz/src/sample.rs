//! Valid messages made from their schemas alone, with the places of all lengths in them: something to damage.
//!
//! The bytes are laid out by this walker and not by the codec, so that both have to agree.

use strandline_protocol::schema::{FieldSchema, FieldType, MessageSchema, StructSchema};

use super::random::Random;

/// A valid message.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Where in them something says how much follows.
    pub lengths: Vec<Length>,
}

/// A length or a count.
#[derive(Clone, Copy, Debug)]
pub struct Length {
    /// Its first byte.
    pub position: usize,
    /// How many bytes it takes.
    pub width: usize,
    /// How it is written.
    pub form: Form,
}

/// How a length is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// Two or four bytes, signed.
    Signed,
    /// An unsigned varint.
    Varint,
}

/// The most elements that an array gets: enough for a second one to be misread because of the first.
const ELEMENTS_MAX: usize = 2;

/// A tag that no message knows.
const UNKNOWN_TAG_MIN: usize = 1000;

impl Sample {
    /// A random message as `schema` has it in `version`.
    pub fn new(schema: &MessageSchema, version: i16, random: &mut Random) -> Self {
        Maker::new(schema, version, Plan::Random(random)).make(schema)
    }

    /// A message with as little in it as it can have, but for one array.
    pub fn fat(schema: &MessageSchema, version: i16, fat: Fat) -> Self {
        Maker::new(schema, version, Plan::Fat(fat)).make(schema)
    }

    /// The message with other bytes in place of one of its lengths.
    pub fn with_length(&self, length: Length, replacement: &[u8]) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        bytes.splice(length.position..length.position + length.width, replacement.iter().copied());
        bytes
    }
}

/// An array that holds most of a message.
#[derive(Clone, Copy, Debug)]
pub struct Fat {
    /// The field that is the array.
    pub array: &'static FieldSchema,
    /// How many elements it has.
    pub elements: usize,
    /// How many elements the arrays inside of it have. None makes the elements small on the wire, one reaches arrays
    /// inside of arrays.
    pub elements_elsewhere: usize,
    /// How many unknown tagged fields each structure ends in.
    pub unknown_tags: usize,
}

/// The array fields of a message, at any depth.
pub fn arrays(schema: &'static StructSchema) -> Vec<&'static FieldSchema> {
    let mut found = Vec::new();
    for field in schema.fields {
        let mut field_type = &field.field_type;
        if let FieldType::Array(element) = field_type {
            found.push(field);
            field_type = element;
        }
        if let FieldType::Struct(inner) = field_type {
            found.extend(arrays(inner));
        }
    }
    found
}

enum Plan<'a> {
    Random(&'a mut Random),
    Fat(Fat),
}

struct Maker<'a> {
    version: i16,
    flexible: bool,
    plan: Plan<'a>,
    // Whether what is being made lies within the array that is to be fat.
    in_fat: bool,
    sample: Sample,
}

impl<'a> Maker<'a> {
    fn new(schema: &MessageSchema, version: i16, plan: Plan<'a>) -> Self {
        let flexible = schema.flexible_versions.contains(version);
        Self { version, flexible, plan, in_fat: false, sample: Sample::default() }
    }

    fn make(mut self, schema: &MessageSchema) -> Sample {
        self.structure(schema.body);
        self.sample
    }

    fn structure(&mut self, schema: &'static StructSchema) {
        let version = self.version;
        let fields = schema.fields.iter().filter(|field| field.versions.contains(version));
        let (tagged, in_place): (Vec<_>, Vec<_>) = fields.partition(|field| field.tag.is_some());
        for field in in_place {
            self.field(field);
        }
        if self.flexible {
            self.tagged_fields(tagged);
        }
    }

    fn field(&mut self, field: &FieldSchema) {
        let flexible = self.flexible && !field.never_flexible;
        let flexible = std::mem::replace(&mut self.flexible, flexible);
        let nullable = field.nullable_versions.contains(self.version);
        let null = nullable && self.is_null();
        match field.field_type {
            FieldType::Array(element) => self.array(field, element, null),
            FieldType::Struct(schema) => {
                if nullable {
                    self.put(&[if null { 0xFF } else { 1 }]);
                }
                if !null {
                    self.structure(schema);
                }
            }
            ref simple => self.simple(simple, null),
        }
        self.flexible = flexible;
    }

    fn array(&mut self, field: &FieldSchema, element: &FieldType, null: bool) {
        let count = self.elements(field);
        self.length((!null).then_some(count), 4);
        if null {
            return;
        }
        let in_fat = self.in_fat;
        self.in_fat |= self.is_fat(field);
        for made in 0..count {
            let start = self.sample.bytes.len();
            match *element {
                FieldType::Struct(schema) => self.structure(schema),
                ref simple => self.simple(simple, false),
            }
            if let Plan::Fat(_) = self.plan {
                // All the others are the same.
                let element = self.sample.bytes.split_off(start);
                self.put(&element.repeat(count - made));
                break;
            }
        }
        self.in_fat = in_fat;
    }

    fn simple(&mut self, field_type: &FieldType, null: bool) {
        match field_type {
            FieldType::Bool | FieldType::Int8 => self.fixed(1),
            FieldType::Int16 | FieldType::Uint16 => self.fixed(2),
            FieldType::Int32 | FieldType::Uint32 => self.fixed(4),
            FieldType::Int64 | FieldType::Float64 => self.fixed(8),
            FieldType::Uuid => self.fixed(16),
            FieldType::String => self.text(null, 2),
            FieldType::Bytes | FieldType::Records => self.text(null, 4),
            FieldType::Array(_) | FieldType::Struct(_) => unreachable!("arrays hold no arrays in Kafka"),
        }
    }

    fn fixed(&mut self, width: usize) {
        let bytes = match &mut self.plan {
            Plan::Random(random) => random.bytes(width),
            Plan::Fat(_) => vec![0; width],
        };
        self.put(&bytes);
    }

    /// Letters, fit for strings and bytes alike.
    fn text(&mut self, null: bool, width: usize) {
        let letters: Vec<u8> = match &mut self.plan {
            _ if null => Vec::new(),
            Plan::Random(random) => {
                let length = random.below(6);
                random.bytes(length).iter().map(|byte| b'a' + byte % 26).collect()
            }
            Plan::Fat(_) => Vec::new(),
        };
        self.length((!null).then_some(letters.len()), width);
        self.put(&letters);
    }

    fn tagged_fields(&mut self, mut known: Vec<&FieldSchema>) {
        known.retain(|_| self.has_tagged());
        known.sort_by_key(|field| field.tag);
        let unknown = self.unknown_tags();
        self.varint(known.len() + unknown);
        for field in known {
            self.put(&varint(field.tag.unwrap_or_default() as usize));
            let outer = std::mem::take(&mut self.sample);
            self.field(field);
            let value = std::mem::replace(&mut self.sample, outer);
            self.varint(value.bytes.len());
            let start = self.sample.bytes.len();
            let moved = value.lengths.iter();
            let moved = moved.map(|length| Length { position: start + length.position, ..*length });
            self.sample.lengths.extend(moved);
            self.put(&value.bytes);
        }
        for tag in (UNKNOWN_TAG_MIN..).take(unknown) {
            self.put(&varint(tag));
            self.varint(1);
            self.fixed(1);
        }
    }

    fn length(&mut self, length: Option<usize>, width: usize) {
        if self.flexible {
            return self.varint(length.map_or(0, |length| length + 1));
        }
        let signed = length.map_or(-1i32, |length| i32::try_from(length).unwrap_or_default());
        let bytes = signed.to_be_bytes();
        self.mark(width, Form::Signed);
        self.put(bytes.split_at(bytes.len() - width).1);
    }

    fn varint(&mut self, value: usize) {
        let bytes = varint(value);
        self.mark(bytes.len(), Form::Varint);
        self.put(&bytes);
    }

    fn mark(&mut self, width: usize, form: Form) {
        self.sample.lengths.push(Length { position: self.sample.bytes.len(), width, form });
    }

    fn put(&mut self, bytes: &[u8]) {
        self.sample.bytes.extend_from_slice(bytes);
    }

    fn is_null(&mut self) -> bool {
        match &mut self.plan {
            Plan::Random(random) => random.one_in(4),
            Plan::Fat(_) => self.in_fat,
        }
    }

    fn is_fat(&self, field: &FieldSchema) -> bool {
        matches!(self.plan, Plan::Fat(fat) if std::ptr::eq(fat.array, field))
    }

    fn elements(&mut self, field: &FieldSchema) -> usize {
        match &mut self.plan {
            Plan::Random(random) => random.below(ELEMENTS_MAX + 1),
            Plan::Fat(fat) if std::ptr::eq(fat.array, field) => fat.elements,
            Plan::Fat(fat) if self.in_fat => fat.elements_elsewhere,
            // Or nothing within it would be reached.
            Plan::Fat(_) => 1,
        }
    }

    fn has_tagged(&mut self) -> bool {
        match &mut self.plan {
            Plan::Random(random) => random.one_in(2),
            Plan::Fat(_) => !self.in_fat,
        }
    }

    fn unknown_tags(&mut self) -> usize {
        match &mut self.plan {
            Plan::Random(random) => random.below(ELEMENTS_MAX + 1),
            Plan::Fat(fat) => fat.unknown_tags,
        }
    }
}

/// An unsigned varint, written without the codec's help.
pub fn varint(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(u8::try_from(value % 0x80).unwrap_or_default() | 0x80);
        value /= 0x80;
    }
    bytes.push(u8::try_from(value).unwrap_or_default());
    bytes
}
