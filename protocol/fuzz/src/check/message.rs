//! What holds of messages: bounded memory, work in proportion to the input, errors that point into it,
//! and that whatever was understood can be written and is understood the same again.

use bytes::Bytes;

use strandline_protocol::any::{AnyMessage, Entry};
use strandline_protocol::reader::{MEMORY_FREE_BYTES, MEMORY_PER_INPUT_BYTE_MAX};
use strandline_protocol::wire::DecodeResult;
use strandline_protocol::{Reader, Writer};

use super::super::allocation::{Usage, measure};
use super::super::subject::{OTHERS, REQUESTS, RESPONSES};

/// What decoding may take beyond its declared budget: the message's own box, an error, the count of
/// references to the frame.
const MEMORY_SLACK_BYTES: usize = 4 << 10;

/// The first two bytes say which request in which version, the rest is its body.
pub fn request(input: &[u8]) {
    chosen_message(&REQUESTS, input);
}

/// As [`request`], for responses.
pub fn response(input: &[u8]) {
    chosen_message(&RESPONSES, input);
}

/// As [`request`], for messages that belong to no API.
pub fn other(input: &[u8]) {
    chosen_message(&OTHERS, input);
}

/// What to put in front of a body so that the `index`th message of its group is read in `version`: how a
/// target chooses, the other way round.
pub fn choice(index: usize, entry: Entry, version: i16) -> [u8; 2] {
    let version = version - entry.schema.versions.first;
    [u8::try_from(index).unwrap_or_default(), u8::try_from(version).unwrap_or_default()]
}

fn chosen_message(entries: &[Entry], input: &[u8]) {
    let [index, version, body @ ..] = input else { return };
    let Some(&entry) = entries.get(usize::from(*index) % entries.len()) else { return };
    let versions = entry.schema.versions;
    let version = versions.first + i16::from(*version) % (versions.last - versions.first + 1);
    let _ = message(entry, version, body);
}

/// Decodes `body`; whatever decodes can be encoded, and is then understood as the same.
pub fn message(entry: Entry, version: i16, body: &[u8]) -> DecodeResult<Box<dyn AnyMessage>> {
    let message = decode(entry, version, body)?;
    let encoded = encode(&*message, version);
    let again = match decode(entry, version, &encoded) {
        Ok(again) => encode(&*again, version),
        Err(error) => panic!("what was encoded does not decode: {error}"),
    };
    assert_eq!(encoded, again, "{} v{version} changed on its way", entry.schema.name);
    Ok(message)
}

/// Decodes the whole of `body` within the bounds that decoding has.
pub fn decode(entry: Entry, version: i16, body: &[u8]) -> DecodeResult<Box<dyn AnyMessage>> {
    let frame = Bytes::copy_from_slice(body);
    let (result, usage) = measure(|| -> DecodeResult<_> {
        let mut reader = Reader::new(frame);
        let message = entry.read(&mut reader, version)?;
        reader.finish()?;
        Ok(message)
    });
    let name = entry.schema.name;
    assert_bounded(usage, body.len(), name);
    if let Err(error) = &result {
        assert_eq!((error.message, error.version), (name, version));
        assert!(error.offset <= body.len(), "{error}: behind the end of {} bytes", body.len());
    }
    result
}

/// Decoding takes memory in proportion to its input at any moment, and all in all: each byte of the input
/// leads to at most one allocation, and what is allocated is not thrown away and allocated anew.
pub fn assert_bounded(usage: Usage, input_bytes: usize, what: &str) {
    let budget = input_bytes * MEMORY_PER_INPUT_BYTE_MAX + MEMORY_FREE_BYTES + MEMORY_SLACK_BYTES;
    let bounded =
        usage.peak_bytes <= budget && usage.total_bytes <= 2 * budget && usage.allocations <= input_bytes + 8;
    assert!(bounded, "{what} of {input_bytes} bytes took {usage:?}");
}

fn encode(message: &dyn AnyMessage, version: i16) -> Bytes {
    let mut writer = Writer::new();
    let written = message.write_any(&mut writer, version);
    match written.and_then(|()| writer.into_bytes()) {
        Ok(bytes) => bytes,
        Err(error) => panic!("what was decoded does not encode: {error}"),
    }
}
