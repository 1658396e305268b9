//! What holds of frames: however the bytes of a connection arrive, the same frames come out, memory follows
//! the bytes that arrived, and the header of whatever is in a frame is found or refused.

use bytes::{Bytes, BytesMut};
use strandline_protocol::apis::fetch::FetchRequest;
use strandline_protocol::frame::{
    CONTENT_BYTES_MIN, FrameAssembler, FrameCodec, FrameError, LENGTH_BYTES, UNPROVEN_BYTES_MAX,
    read_response, response_correlation_id,
};
use strandline_protocol::headers::RequestHeader;
use strandline_protocol::wire::DecodeResult;
use strandline_protocol::{Message, Reader};
use tokio_util::codec::Decoder;

use super::super::allocation::measure;
use super::message::assert_bounded;

/// The limits that connections have, from absurd to none.
const LENGTHS_MAX: [usize; 4] = [8, 512 << 10, 100 << 20, usize::MAX];

/// The first byte chooses the limit of the connection, the second in how large steps the rest arrives.
pub fn stream(input: &[u8]) {
    let [limit, step, stream @ ..] = input else { return };
    let Some(&length_max) = LENGTHS_MAX.get(usize::from(*limit) % LENGTHS_MAX.len()) else { return };
    // From one byte at a time to more than there can be.
    let step = 1 << (step % 18);
    let (expected, expected_end) = frames_of(stream, length_max);
    let (assembled, end) = assemble(stream, step, length_max);
    assert_eq!((assembled.as_slice(), end), (expected.as_slice(), expected_end));
    let (decoded, end) = decode(stream, length_max);
    assert_eq!((decoded.as_slice(), end), (expected.as_slice(), expected_end));
    for content in assembled {
        content_is_read_or_refused(content);
    }
}

/// How reading a connection ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// The last frame has not come whole, or there is none.
    Incomplete,
    /// A length that is too short.
    TooShort,
    /// A length above the limit.
    TooLong,
}

impl From<FrameError> for End {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::TooShort(_) => Self::TooShort,
            FrameError::TooLong { .. } => Self::TooLong,
            other => panic!("no transport here: {other}"),
        }
    }
}

/// The frames of a stream, told without the crate's help.
fn frames_of(mut stream: &[u8], length_max: usize) -> (Vec<Bytes>, End) {
    let mut frames = Vec::new();
    while let Some((&prefix, rest)) = stream.split_first_chunk() {
        let length = i64::from(i32::from_be_bytes(prefix));
        if length < i64::try_from(CONTENT_BYTES_MIN).unwrap_or(i64::MAX) {
            return (frames, End::TooShort);
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > length_max {
            return (frames, End::TooLong);
        }
        let Some((content, rest)) = rest.split_at_checked(length) else { break };
        frames.push(Bytes::copy_from_slice(content));
        stream = rest;
    }
    (frames, End::Incomplete)
}

/// Feeds an assembler, which at no time holds more than a multiple of what has arrived.
pub fn assemble(stream: &[u8], step: usize, length_max: usize) -> (Vec<Bytes>, End) {
    let mut assembler = FrameAssembler::new(length_max);
    let mut frames = Vec::new();
    let mut rest = stream;
    let mut frame_bytes_max = 0;
    loop {
        loop {
            match assembler.next_frame() {
                Ok(Some(frame)) => {
                    frame_bytes_max = frame_bytes_max.max(LENGTH_BYTES + frame.len());
                    frames.push(frame);
                }
                Ok(None) => break,
                Err(error) => return (frames, error.into()),
            }
        }
        if rest.is_empty() {
            return (frames, End::Incomplete);
        }
        let (room, usage) = measure(|| assembler.room());
        let (received, spare) = (room.len(), room.capacity() - room.len());
        assert!(spare > 0, "a read without room would look like the end of the stream");
        let (now, later) = rest.split_at(step.min(spare).min(rest.len()));
        room.extend_from_slice(now);
        rest = later;
        let held_max = UNPROVEN_BYTES_MAX.max(5 * received).max(frame_bytes_max);
        let held = assembler.held_bytes();
        assert!(held <= held_max, "{held} bytes held for {received}, frames of {frame_bytes_max}");
        assert!(usage.peak_bytes <= held_max, "{usage:?} for {received}, frames of {frame_bytes_max}");
    }
}

fn decode(stream: &[u8], length_max: usize) -> (Vec<Bytes>, End) {
    let mut codec = FrameCodec::new(length_max);
    let mut buffer = BytesMut::from(stream);
    let mut frames = Vec::new();
    loop {
        match codec.decode(&mut buffer) {
            Ok(Some(frame)) => frames.push(frame),
            Ok(None) => return (frames, End::Incomplete),
            Err(error) => return (frames, error.into()),
        }
    }
}

/// As a broker and as a client would read it.
fn content_is_read_or_refused(content: Bytes) {
    let length = content.len();
    let (request, usage) = measure(|| read_request(content.clone()));
    assert_bounded(usage, length, "a request");
    if let Err(error) = request {
        assert!(error.offset <= length, "{error}: behind the end of {length} bytes");
    }
    let (response, usage) = measure(|| read_response::<FetchRequest>(content.clone(), 16));
    assert_bounded(usage, length, "a response");
    match response {
        Ok((correlation_id, _)) => assert_eq!(response_correlation_id(&content), Some(correlation_id)),
        Err(error) => assert!(error.offset <= length, "{error}: behind the end of {length} bytes"),
    }
}

fn read_request(content: Bytes) -> DecodeResult<()> {
    let mut reader = Reader::new(content);
    let (api, header) = RequestHeader::read_with_api(&mut reader)?;
    let version = header.request_api_version;
    let written = header.to_bytes(api.request_header_version(version));
    assert!(written.is_ok(), "what was read cannot be written: {header:?}");
    api.request.read(&mut reader, version)?;
    reader.finish()
}
