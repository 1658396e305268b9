//! Lengths that lie, headers that name nothing, and connections that promise much and send little.

use strandline_protocol::apis::{API_KEYS, ApiKey};
use strandline_protocol::frame::{FrameAssembler, UNPROVEN_BYTES_MAX};
use strandline_protocol::headers::RequestHeader;
use strandline_protocol::wire::DecodeResult;
use strandline_protocol::{Bytes, DecodeErrorKind, Reader};

use crate::properties::allocation::measure;
use crate::properties::check::frame::{End, assemble, stream};
use crate::properties::random::Random;

const LENGTH_MAX: usize = 100 << 20;

/// What a connection with such a length may have cost by the time it is closed.
const REFUSAL_BYTES_MAX: usize = 64 << 10;

#[test]
fn a_length_that_no_frame_has_costs_next_to_nothing() {
    let above = i32::try_from(LENGTH_MAX).unwrap() + 1;
    for (length, expected) in [
        (-1, End::TooShort),
        (i32::MIN, End::TooShort),
        (0, End::TooShort),
        (3, End::TooShort),
        (above, End::TooLong),
        (i32::MAX, End::TooLong),
    ] {
        let mut input = length.to_be_bytes().to_vec();
        input.extend([0; 1 << 10]);
        for step in [1, 4, 1 << 16] {
            let ((frames, end), usage) = measure(|| assemble(&input, step, LENGTH_MAX));
            assert_eq!((frames.len(), end), (0, expected), "{length}");
            assert!(usage.peak_bytes <= REFUSAL_BYTES_MAX, "{length}: {usage:?}");
        }
    }
}

#[test]
fn a_thousand_connections_that_promise_much_cost_what_they_send() {
    let mut connections: Vec<_> = (0..1_000).map(|_| FrameAssembler::new(LENGTH_MAX)).collect();
    let promise = u32::try_from(LENGTH_MAX).unwrap().to_be_bytes();
    let ((), usage) = measure(|| {
        for byte in promise.into_iter().chain([0; 100]) {
            for connection in &mut connections {
                connection.room().extend_from_slice(&[byte]);
                assert!(connection.next_frame().unwrap().is_none());
            }
        }
    });
    // Beside each buffer stands the count of references to it.
    assert!(usage.peak_bytes <= 1_000 * (UNPROVEN_BYTES_MAX + 100), "{usage:?}");
}

#[test]
fn single_bytes_are_no_more_work_than_large_reads() {
    let mut input = (1u32 << 20).to_be_bytes().to_vec();
    input.extend(vec![7; 1 << 20]);
    let ((frames, _), usage) = measure(|| assemble(&input, 1, LENGTH_MAX));
    assert_eq!(frames.len(), 1);
    assert!(usage.allocations <= 32 && usage.total_bytes <= 3 * input.len(), "{usage:?}");
}

#[test]
fn frames_of_noise_do_no_harm() {
    let mut random = Random::new(3);
    for limit in 0..4 {
        for step in [0, 3, 17] {
            let mut input = vec![limit, step];
            for _ in 0..20 {
                let length = random.below(60);
                input.extend(u32::try_from(length).unwrap().to_be_bytes());
                input.extend(random.bytes(length));
            }
            stream(&input);
        }
    }
}

/// The start of a request: key, version, correlation id, no client id.
fn header(key: i16, version: i16) -> Vec<u8> {
    let numbers = [key.to_be_bytes(), version.to_be_bytes(), [0; 2], [7; 2], [0xFF; 2]];
    numbers.concat()
}

fn read(content: Vec<u8>) -> DecodeResult<()> {
    let mut reader = Reader::new(Bytes::from(content));
    let (api, header) = RequestHeader::read_with_api(&mut reader)?;
    api.request.read(&mut reader, header.request_api_version)?;
    reader.finish()
}

#[test]
fn a_key_that_no_api_has_is_named() {
    for key in (i16::MIN..=i16::MAX).filter(|&key| ApiKey::try_from(key).is_err()) {
        assert_eq!(read(header(key, 0)).unwrap_err().kind, DecodeErrorKind::ApiUnknown(key));
    }
}

#[test]
fn a_version_that_an_api_has_not_is_named() {
    for &key in API_KEYS {
        let versions = key.api().versions();
        for version in [i16::MIN, -1, versions.first - 1, versions.last + 1, i16::MAX] {
            let mut content = header(key.into(), version);
            // The tags that a newer header ends in.
            content.push(0);
            let kind = read(content).unwrap_err().kind;
            assert_eq!(kind, DecodeErrorKind::VersionUnsupported(versions), "{key} v{version}");
        }
    }
}

#[test]
fn a_header_cut_anywhere_is_refused() {
    for &key in API_KEYS {
        let whole = header(key.into(), key.api().versions().last);
        for length in 0..whole.len() {
            let kind = read(whole[..length].to_vec()).unwrap_err().kind;
            assert!(matches!(kind, DecodeErrorKind::Truncated { .. }), "{key}: {kind:?}");
        }
    }
}
