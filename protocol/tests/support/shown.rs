//! A decoded struct's values, read back from its `Debug` text: the one view that every message of every
//! codec has, and that says each field's name.

use strandline_protocol::{ErrorCode, Uuid};

use super::value::{Structure, Value};

/// What `{:?}` printed.
#[derive(Debug, PartialEq)]
pub(crate) enum Shown {
    /// A number, a name, or anything else without quotes and brackets.
    Word(String),
    /// `"…"`
    Text(String),
    /// `b"…"`
    Bytes(Vec<u8>),
    /// `[…]`
    List(Vec<Shown>),
    /// `Name(…)`
    Tuple(String, Vec<Shown>),
    /// `Name { field: … }`
    Record(String, Vec<(String, Shown)>),
}

impl Shown {
    /// Reads the text of `{:?}` (not of `{:#?}`).
    pub(crate) fn parse(text: &str) -> Self {
        let mut parser = Parser { text: text.as_bytes(), position: 0 };
        let shown = parser.node();
        assert_eq!(parser.position, text.len(), "unread: {:?}", &text[parser.position..]);
        shown
    }
}

/// How a codec's structs differ in their fields from the schema.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// Fields under another name: structure, name that is printed, name in the schema.
    pub(crate) renamed: &'static [(&'static str, &'static str, &'static str)],
    /// Fields that only the structs have: structure and name that is printed.
    pub(crate) beyond: &'static [(&'static str, &'static str)],
    /// Fields that only the schema has: structure and name in the schema.
    pub(crate) without: &'static [(&'static str, &'static str)],
}

/// Our own structs: where a field's name is a keyword of Rust.
pub(crate) const OURS: Dialect = Dialect {
    renamed: &[
        ("ControlRecordTypeSchema", "kind", "Type"),
        ("DefaultPrincipalData", "kind", "Type"),
        ("ComponentData", "match_value", "Match"),
    ],
    beyond: &[],
    without: &[],
};

impl Dialect {
    /// Whether the printed field is the schema's.
    fn is_same(&self, structure: &str, printed: &str, field: &str) -> bool {
        match self.renamed.iter().find(|&&(within, name, _)| within == structure && name == printed) {
            Some((_, _, name)) => *name == field,
            None => plain(printed) == plain(field),
        }
    }

    /// Holds a printed struct against the values it should have.
    pub(crate) fn agree(&self, expected: &Structure, shown: &Shown) -> Result<(), String> {
        let structure = expected.schema.name;
        let fields = match shown {
            Shown::Record(_, fields) => fields.as_slice(),
            Shown::Word(_) => &[],
            other => return Err(format!("{structure}: {other:?} is no struct")),
        };
        let mut left: Vec<&(String, Shown)> = fields.iter().collect();
        for (field, value) in expected.schema.fields.iter().zip(&expected.fields) {
            let path = format!("{structure}.{}", field.name);
            match left.iter().position(|(printed, _)| self.is_same(structure, printed, field.name)) {
                Some(at) => self.agree_value(value, &left.remove(at).1, &path)?,
                None if self.without.contains(&(structure, field.name)) => {}
                None => return Err(format!("{path} is missing")),
            }
        }
        let tags = left.iter().position(|(printed, _)| printed == "unknown_tagged_fields");
        let tags = tags.map_or(Ok(Vec::new()), |at| shown_tags(&left.remove(at).1))?;
        if tags != expected.unknown_tags {
            return Err(format!("{structure}: unknown tags {tags:?} for {:?}", expected.unknown_tags));
        }
        left.retain(|(printed, _)| !self.beyond.contains(&(structure, printed.as_str())));
        if left.is_empty() { Ok(()) } else { Err(format!("{structure}: fields beyond the schema: {left:?}")) }
    }

    fn agree_value(&self, expected: &Value, shown: &Shown, path: &str) -> Result<(), String> {
        let shown = match shown {
            Shown::Tuple(name, inner) if name == "Some" => &inner[0],
            shown => shown,
        };
        let same = match (expected, shown) {
            (Value::Struct(structure), shown) => return self.agree(structure, shown),
            (Value::Array(elements), Shown::List(list)) => {
                for (element, shown) in elements.iter().zip(list) {
                    self.agree_value(element, shown, path)?;
                }
                elements.len() == list.len()
            }
            (expected, shown) => plain_value_agrees(expected, shown),
        };
        if same { Ok(()) } else { Err(format!("{path}: {shown:?} instead of {expected:?}")) }
    }
}

/// `group_instance_id`, `GroupInstanceId` and `groupInstanceId` are one name.
fn plain(name: &str) -> String {
    name.chars().filter(|&letter| letter != '_').flat_map(char::to_lowercase).collect()
}

fn shown_tags(shown: &Shown) -> Result<Vec<(u32, Vec<u8>)>, String> {
    let list = match shown {
        Shown::Record(_, fields) => &fields[0].1,
        list => list,
    };
    let tags = if let Shown::List(tags) = list { tags.iter().map(shown_tag).collect() } else { None };
    tags.ok_or_else(|| format!("{shown:?} are no tags"))
}

/// A tag and its bytes, whatever a codec calls them.
fn shown_tag(shown: &Shown) -> Option<(u32, Vec<u8>)> {
    let Shown::Record(_, fields) = shown else { return None };
    match fields.as_slice() {
        [(_, Shown::Word(tag)), (_, Shown::Bytes(value))] => Some((tag.parse().ok()?, value.clone())),
        _ => None,
    }
}

fn plain_value_agrees(expected: &Value, shown: &Shown) -> bool {
    match (expected, shown) {
        (Value::Null, Shown::Word(word)) => word == "None",
        (Value::Bool(value), Shown::Word(word)) => *word == value.to_string(),
        (Value::Int(value), shown) => integer_agrees(*value, shown),
        (Value::Float(bits), Shown::Word(word)) => float_agrees(f64::from_bits(*bits), word),
        (Value::Uuid(bytes), shown) => uuid_agrees(*bytes, shown),
        (Value::Text(text), Shown::Text(shown)) => text == shown,
        (Value::Text(text), Shown::Tuple(_, inner)) => inner == &[Shown::Bytes(text.clone().into_bytes())],
        (Value::Bytes(bytes) | Value::Records(bytes), Shown::Bytes(shown)) => bytes == shown,
        // Ours keep users' data out of logs and show its length; the bytes are compared as bytes elsewhere.
        (Value::Records(bytes), Shown::Tuple(_, inner)) => inner == &[Shown::Word(bytes.len().to_string())],
        _ => false,
    }
}

fn integer_agrees(value: i64, shown: &Shown) -> bool {
    let code = || i16::try_from(value).ok().map(|code| ErrorCode(code).to_string());
    match shown {
        Shown::Word(word) => *word == value.to_string() || code().is_some_and(|code| *word == code),
        // An error code without a name.
        Shown::Tuple(_, inner) => inner == &[Shown::Word(value.to_string())],
        _ => false,
    }
}

fn float_agrees(value: f64, word: &str) -> bool {
    let shown: Option<f64> = word.parse().ok();
    shown.is_some_and(|shown| shown.to_bits() == value.to_bits() || (shown.is_nan() && value.is_nan()))
}

fn uuid_agrees(bytes: [u8; 16], shown: &Shown) -> bool {
    match shown {
        Shown::Word(word) => *word == Uuid(bytes).to_string(),
        Shown::Tuple(_, inner) => {
            let words = bytes.iter().map(|byte| Shown::Word(byte.to_string())).collect();
            inner == &[Shown::List(words)]
        }
        _ => false,
    }
}

struct Parser<'a> {
    text: &'a [u8],
    position: usize,
}

impl Parser<'_> {
    fn node(&mut self) -> Shown {
        match self.peek() {
            b'"' => Shown::Text(String::from_utf8(self.quoted()).expect("a string's Debug is UTF-8")),
            b'b' if self.text.get(self.position + 1) == Some(&b'"') => {
                self.position += 1;
                Shown::Bytes(self.quoted())
            }
            b'[' => Shown::List(self.nodes(b']')),
            _ => self.named(),
        }
    }

    fn named(&mut self) -> Shown {
        let name = self.word();
        if self.peek() == b'(' {
            return Shown::Tuple(name, self.nodes(b')'));
        }
        if self.text[self.position..].starts_with(b" { ") {
            self.position += 1;
            return Shown::Record(name, self.fields());
        }
        Shown::Word(name)
    }

    fn fields(&mut self) -> Vec<(String, Shown)> {
        let mut fields = Vec::new();
        self.position += 1;
        while !self.skip(b" }") {
            self.skip(b",");
            self.skip(b" ");
            let name = self.word();
            assert!(self.skip(b": "), "a field's value follows its name");
            fields.push((name, self.node()));
        }
        fields
    }

    fn nodes(&mut self, close: u8) -> Vec<Shown> {
        let mut nodes = Vec::new();
        self.position += 1;
        while !self.skip(&[close]) {
            self.skip(b", ");
            nodes.push(self.node());
            self.skip(b" bytes");
        }
        nodes
    }

    fn word(&mut self) -> String {
        let start = self.position;
        while matches!(self.peek(), b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'+' | b'.') {
            self.position += 1;
        }
        assert!(start < self.position, "a word at {:?}", String::from_utf8_lossy(&self.text[start..]));
        String::from_utf8_lossy(&self.text[start..self.position]).into_owned()
    }

    /// The bytes between two quotes, with Rust's escapes undone.
    fn quoted(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.position += 1;
        loop {
            match self.next() {
                b'"' => return bytes,
                b'\\' => self.escape(&mut bytes),
                byte => bytes.push(byte),
            }
        }
    }

    fn escape(&mut self, bytes: &mut Vec<u8>) {
        match self.next() {
            b'n' => bytes.push(b'\n'),
            b'r' => bytes.push(b'\r'),
            b't' => bytes.push(b'\t'),
            b'0' => bytes.push(0),
            b'x' => bytes.push(u8::try_from(self.hexadecimal(2)).expect("two digits")),
            b'u' => {
                self.position += 1;
                let end = self.text[self.position..].iter().position(|&byte| byte == b'}').expect("a brace");
                let character = char::from_u32(self.hexadecimal(end)).expect("a character");
                self.position += 1;
                bytes.extend(character.encode_utf8(&mut [0; 4]).bytes());
            }
            quoted => bytes.push(quoted),
        }
    }

    fn hexadecimal(&mut self, digits: usize) -> u32 {
        let text = &self.text[self.position..self.position + digits];
        self.position += digits;
        u32::from_str_radix(&String::from_utf8_lossy(text), 16).expect("hexadecimal digits")
    }

    fn skip(&mut self, token: &[u8]) -> bool {
        let found = self.text[self.position..].starts_with(token);
        self.position += if found { token.len() } else { 0 };
        found
    }

    fn peek(&self) -> u8 {
        self.text.get(self.position).copied().unwrap_or_default()
    }

    fn next(&mut self) -> u8 {
        let byte = self.peek();
        self.position += 1;
        assert!(self.position <= self.text.len(), "the text ends within quotes");
        byte
    }
}
