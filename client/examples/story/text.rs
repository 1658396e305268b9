//! Strings of the story: one character is one byte (Latin-1), so that every byte can be said.

use serde_json::Value;

/// A string that is there, as it stands.
pub(crate) fn of<'a>(request: &'a Value, name: &str) -> &'a str {
    request[name].as_str().unwrap_or_default()
}

/// The bytes that a string of the story says; null says none.
pub(crate) fn bytes(value: &Value) -> Option<Vec<u8>> {
    value.as_str().map(|text| text.chars().map(|character| u8::try_from(character).unwrap_or(b'?')).collect())
}

/// The other way round.
pub(crate) fn value(bytes: Option<&[u8]>) -> Value {
    bytes.map_or(Value::Null, |bytes| bytes.iter().copied().map(char::from).collect::<String>().into())
}
