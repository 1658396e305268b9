//! The one way to write a tree of values in a version: Kafka's wire as an interpreter of the schema.
//!
//! Slow and plain on purpose, and without a line in common with the codec under test. Along with the bytes
//! it notes where each length and count lies, for the tests that lie about them.

use strandline_protocol::schema::{FieldSchema, FieldType, MessageSchema};

use super::value::{Structure, Value, default_of};

/// Kafka keeps a string's length in two bytes, and bounds it alike where the length is compact.
pub(crate) const STRING_BYTES_MAX: usize = 32_767;

/// The bytes of a message.
#[derive(Debug, Default)]
pub(crate) struct Canonical {
    pub(crate) bytes: Vec<u8>,
    /// Every length and count among them, in order.
    pub(crate) prefixes: Vec<Prefix>,
}

/// A length or a count.
#[derive(Clone, Debug)]
pub(crate) struct Prefix {
    /// Its first byte.
    pub(crate) position: usize,
    /// How many bytes it takes.
    pub(crate) width: usize,
    pub(crate) form: Form,
    pub(crate) counts: Counts,
    /// Whether null may stand in its place.
    pub(crate) nullable: bool,
    /// The field it belongs to, as `Structure.Field`.
    pub(crate) field: String,
}

/// How a length is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Form {
    /// Two bytes, -1 for null.
    Int16,
    /// Four bytes, -1 for null.
    Int32,
    /// A varint of one more than the length, 0 for null.
    Compact,
    /// A varint of the number itself.
    Varint,
}

/// What a length or count counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Counts {
    StringBytes,
    Bytes,
    Elements,
    Tags,
    TagBytes,
}

/// Why a version cannot hold a tree.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) why: Why,
    /// The field that stands in the way, as `Structure.Field`.
    pub(crate) field: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Why {
    FieldNotInVersion,
    NullNotAllowed,
    TagsNotInVersion,
    TagConflict(u32),
    TooLong(usize),
}

/// Writes `message` as `version`, or says what comes first of that which cannot be written.
pub(crate) fn write(schema: &MessageSchema, version: i16, message: &Structure) -> Result<Canonical, Refusal> {
    let mut writer =
        Writer { version, flexible: schema.flexible_versions.contains(version), out: Canonical::default() };
    writer.structure(message)?;
    Ok(writer.out)
}

/// An unsigned varint: seven bits a byte, the lowest first, the top bit set on all but the last.
pub(crate) fn varint(mut value: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7F {
        bytes.push(u8::try_from(value & 0x7F).expect("seven bits") | 0x80);
        value >>= 7;
    }
    bytes.push(u8::try_from(value).expect("seven bits"));
    bytes
}

struct Writer {
    version: i16,
    flexible: bool,
    out: Canonical,
}

type Written = Result<(), Refusal>;

impl Writer {
    fn structure(&mut self, structure: &Structure) -> Written {
        let fields = || structure.schema.fields.iter().zip(&structure.fields);
        for (field, value) in fields().filter(|(field, _)| field.tag.is_none()) {
            if field.versions.contains(self.version) {
                self.field(structure, field, value)?;
            } else {
                check_droppable(structure, field, value)?;
            }
        }
        let mut tagged: Vec<_> = fields().filter(|(field, _)| field.tag.is_some()).collect();
        tagged.sort_by_key(|(field, _)| field.tag);
        for (field, value) in &tagged {
            if !field.versions.contains(self.version) {
                check_droppable(structure, field, value)?;
            }
        }
        tagged.retain(|(field, _)| field.versions.contains(self.version));
        self.tags(structure, &tagged)
    }

    fn tags(&mut self, structure: &Structure, tagged: &[(&FieldSchema, &Value)]) -> Written {
        let path = format!("{}.tags", structure.schema.name);
        if !self.flexible {
            let none = structure.unknown_tags.is_empty();
            return if none { Ok(()) } else { Err(Refusal { why: Why::TagsNotInVersion, field: path }) };
        }
        let mut section = Vec::new();
        for &(field, value) in tagged {
            let tag = field.tag.expect("a tagged field");
            if structure.unknown_tags.iter().any(|&(unknown, _)| unknown == tag) {
                return Err(Refusal { why: Why::TagConflict(tag), field: path });
            }
            if *value != default_of(field) {
                let mut inner = Self { version: self.version, flexible: true, out: Canonical::default() };
                inner.field(structure, field, value)?;
                section.push((tag, inner.out));
            }
        }
        for (tag, bytes) in &structure.unknown_tags {
            section.push((*tag, Canonical { bytes: bytes.clone(), prefixes: Vec::new() }));
        }
        section.sort_by_key(|&(tag, _)| tag);
        self.prefix(Form::Varint, Counts::Tags, Some(section.len()), false, &path);
        for (tag, value) in section {
            self.out.bytes.extend(varint(tag));
            self.prefix(Form::Varint, Counts::TagBytes, Some(value.bytes.len()), false, &path);
            self.append(value);
        }
        Ok(())
    }

    /// Puts what was written elsewhere behind what is here.
    fn append(&mut self, inner: Canonical) {
        let start = self.out.bytes.len();
        self.out.bytes.extend(inner.bytes);
        let moved = |prefix: Prefix| Prefix { position: prefix.position + start, ..prefix };
        self.out.prefixes.extend(inner.prefixes.into_iter().map(moved));
    }

    fn field(&mut self, structure: &Structure, field: &FieldSchema, value: &Value) -> Written {
        let path = format!("{}.{}", structure.schema.name, field.name);
        let nullable = field.nullable_versions.contains(self.version);
        if *value == Value::Null && !nullable {
            return Err(Refusal { why: Why::NullNotAllowed, field: path });
        }
        if let (FieldType::Struct(_), Value::Null, Some(_)) = (field.field_type, value, field.tag) {
            // In a tagged field, what is in front of a structure is a varint: zero for null.
            self.out.bytes.push(0);
            return Ok(());
        }
        let flexible = self.flexible && !field.never_flexible;
        self.value(field.field_type, value, flexible, nullable, &path)
    }

    fn value(
        &mut self,
        field_type: FieldType,
        value: &Value,
        flexible: bool,
        nullable: bool,
        path: &str,
    ) -> Written {
        let wide = if flexible { Form::Compact } else { Form::Int32 };
        let narrow = if flexible { Form::Compact } else { Form::Int16 };
        match (field_type, value) {
            (FieldType::String, Value::Text(text)) if text.len() > STRING_BYTES_MAX => {
                return Err(Refusal { why: Why::TooLong(text.len()), field: path.to_owned() });
            }
            (FieldType::String, value) => {
                let text = if let Value::Text(text) = value { Some(text.as_bytes()) } else { None };
                self.prefix(narrow, Counts::StringBytes, text.map(<[u8]>::len), nullable, path);
                self.out.bytes.extend(text.unwrap_or_default());
            }
            (FieldType::Bytes | FieldType::Records, value) => {
                let bytes =
                    if let Value::Bytes(bytes) | Value::Records(bytes) = value { Some(bytes) } else { None };
                self.prefix(wide, Counts::Bytes, bytes.map(Vec::len), nullable, path);
                self.out.bytes.extend(bytes.into_iter().flatten());
            }
            (FieldType::Array(element), value) => {
                let elements = if let Value::Array(elements) = value { Some(elements) } else { None };
                self.prefix(wide, Counts::Elements, elements.map(Vec::len), nullable, path);
                for value in elements.into_iter().flatten() {
                    self.value(*element, value, flexible, false, path)?;
                }
            }
            (FieldType::Struct(_), Value::Null) => self.out.bytes.push(0xFF),
            (FieldType::Struct(_), Value::Struct(structure)) => {
                if nullable {
                    self.out.bytes.push(1);
                }
                self.structure(structure)?;
            }
            (field_type, value) => self.out.bytes.extend(fixed_size(field_type, value)),
        }
        Ok(())
    }

    fn prefix(&mut self, form: Form, counts: Counts, length: Option<usize>, nullable: bool, field: &str) {
        let position = self.out.bytes.len();
        let number = length.map(|length| i32::try_from(length).expect("tests stay small"));
        let bytes = match form {
            Form::Int16 => {
                let short = i16::try_from(number.unwrap_or(-1)).expect("checked by the caller");
                short.to_be_bytes().to_vec()
            }
            Form::Int32 => number.unwrap_or(-1).to_be_bytes().to_vec(),
            Form::Compact => varint(number.map_or(0, |number| number.unsigned_abs() + 1)),
            Form::Varint => varint(number.unwrap_or(0).unsigned_abs()),
        };
        let width = bytes.len();
        self.out.bytes.extend(bytes);
        let field = field.to_owned();
        self.out.prefixes.push(Prefix { position, width, form, counts, nullable, field });
    }
}

/// What the version has no place for may only be dropped if nobody misses it.
fn check_droppable(structure: &Structure, field: &FieldSchema, value: &Value) -> Written {
    if field.ignorable || *value == default_of(field) {
        return Ok(());
    }
    let path = format!("{}.{}", structure.schema.name, field.name);
    Err(Refusal { why: Why::FieldNotInVersion, field: path })
}

fn fixed_size(field_type: FieldType, value: &Value) -> Vec<u8> {
    let width = match field_type {
        FieldType::Bool | FieldType::Int8 => 1,
        FieldType::Int16 | FieldType::Uint16 => 2,
        FieldType::Int32 | FieldType::Uint32 => 4,
        _ => 8,
    };
    match value {
        Value::Bool(value) => vec![u8::from(*value)],
        // Two's complement: the low bytes are those of the narrower type.
        Value::Int(value) => value.to_be_bytes()[8 - width..].to_vec(),
        Value::Float(bits) => bits.to_be_bytes().to_vec(),
        Value::Uuid(bytes) => bytes.to_vec(),
        other => panic!("{other:?} where {field_type:?} belongs"),
    }
}
