//! What is in Rust alone is held against libzstd: each reads what the other wrote, and both refuse the same.

#![cfg(feature = "zstd-c")]

use super::super::output::Output;
use super::super::{CompressionError, Result};
use super::{c, rust};

const BYTES_MAX: usize = 4 << 20;

/// Bytes of every kind: none, of one value, that repeat at many distances, and of which nothing can be made; and so many.
fn inputs() -> Vec<Vec<u8>> {
    let mut state = 88_172_645_463_325_252u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut inputs = vec![Vec::new(), b"ebb".to_vec(), vec![7; 300_000]];
    for bytes in [1, 100, 1_024, 16 << 10, 128 << 10, (128 << 10) + 1, 1 << 20] {
        inputs.push((0..bytes).map(|_| random().to_le_bytes()[0]).collect());
        let words: Vec<String> = (0..200).map(|_| format!("anchor-{} ", random() % 5_000)).collect();
        let text = std::iter::repeat_with(|| words[usize::try_from(random() % 200).unwrap()].as_bytes());
        inputs.push(text.flatten().copied().take(bytes).collect());
    }
    inputs
}

fn in_c(input: &[u8], level: i32) -> Vec<u8> {
    let mut buffer = Vec::new();
    let length = c::compress(&mut c::compression_context(level).unwrap(), input, &mut buffer).unwrap();
    buffer.truncate(length);
    buffer
}

fn in_rust(input: &[u8]) -> Vec<u8> {
    let mut buffer = vec![0; 9];
    let length = rust::compress(&mut rust::compression_context(3).unwrap(), input, &mut buffer).unwrap();
    buffer.truncate(length);
    buffer
}

fn read_by_c(input: &[u8], bytes_max: usize) -> Result<Vec<u8>> {
    let mut output = Output::new(Vec::new(), bytes_max);
    c::decompress(&mut c::decompression_context().unwrap(), input, &mut output)?;
    Ok(output.filled_from(0).to_vec())
}

fn read_by_rust(input: &[u8], bytes_max: usize) -> Result<Vec<u8>> {
    let mut output = Output::new(Vec::new(), bytes_max);
    rust::decompress(&mut rust::decompression_context().unwrap(), input, &mut output)?;
    Ok(output.filled_from(0).to_vec())
}

#[test]
fn each_reads_what_the_other_wrote() {
    let mut again = rust::decompression_context().unwrap();
    for input in inputs() {
        let slowest = if input.len() > 20_000 { 9 } else { 22 };
        for level in [-5, 1, 3, slowest] {
            let frame = in_c(&input, level);
            assert_eq!(read_by_rust(&frame, BYTES_MAX).unwrap(), input, "{} at level {level}", input.len());
            let mut output = Output::new(Vec::new(), BYTES_MAX);
            rust::decompress(&mut again, &frame, &mut output).unwrap();
            assert_eq!(output.filled_from(0), input, "by a decoder that has read others");
        }
        let frame = in_rust(&input);
        assert_eq!(read_by_c(&frame, BYTES_MAX).unwrap(), input, "{} bytes", input.len());
        assert_eq!(read_by_rust(&[&*frame, &frame].concat(), BYTES_MAX).unwrap(), [&*input, &input].concat());
    }
}

#[test]
fn text_gets_much_shorter() {
    let text = inputs().pop().unwrap();
    let (ours, theirs) = (in_rust(&text).len(), in_c(&text, 1).len());
    assert!(ours < text.len() / 2 && ours < theirs * 2, "{ours} and {theirs} of {}", text.len());
}

#[test]
fn the_cap_holds_and_no_byte_more_is_put_out() {
    for input in inputs().into_iter().filter(|input| !input.is_empty()) {
        for frame in [in_c(&input, 3), in_rust(&input)] {
            let bytes_max = input.len() - 1;
            assert_eq!(read_by_rust(&frame, bytes_max), Err(CompressionError::TooLarge { bytes_max }));
            assert_eq!(read_by_rust(&frame, input.len()).unwrap(), input);
        }
    }
}

#[test]
fn what_is_cut_off_or_changed_is_refused_or_of_no_more_than_it_may_be() {
    for input in inputs().into_iter().filter(|input| (1..20_000).contains(&input.len())) {
        for frame in [in_c(&input, 3), in_rust(&input)] {
            for length in (1..frame.len()).step_by(1 + frame.len() / 500) {
                assert!(read_by_rust(&frame[..length], BYTES_MAX).is_err(), "{length} of {}", frame.len());
            }
            for place in (0..frame.len()).step_by(1 + frame.len() / 500) {
                let mut frame = frame.clone();
                frame[place] ^= 1 << (place % 8);
                // Both may take it for something; neither may end otherwise than by saying so.
                assert!(read_by_rust(&frame, BYTES_MAX).map_or(0, |bytes| bytes.len()) <= BYTES_MAX);
            }
        }
    }
}
