//! Every message in every version, damaged in every place that could mislead a decoder.

use strandline_protocol::any::Entry;
use strandline_protocol::catalog;

use crate::properties::check::message as check;
use crate::properties::random::Random;
use crate::properties::sample::{Form, Sample};
use crate::properties::subject::{OTHERS, REQUESTS, RESPONSES};

const SAMPLES_PER_VERSION: u64 = 3;

fn for_each_version(entries: impl IntoIterator<Item = Entry>, mut run: impl FnMut(Entry, i16)) {
    for entry in entries {
        for version in entry.schema.versions.iter() {
            run(entry, version);
        }
    }
}

fn for_each_sample(entries: impl IntoIterator<Item = Entry>, mut run: impl FnMut(Entry, i16, Sample)) {
    for_each_version(entries, |entry, version| {
        for seed in 0..SAMPLES_PER_VERSION {
            run(entry, version, Sample::new(entry.schema, version, &mut Random::new(seed)));
        }
    });
}

#[test]
fn what_is_valid_is_understood_and_written_back() {
    for_each_sample(catalog::all(), |entry, version, sample| {
        if let Err(error) = check::message(entry, version, &sample.bytes) {
            panic!("valid, and refused: {error}");
        }
    });
}

/// What may stand in place of a length that lies: more than there is, less than nothing, and varints that
/// are longer than their type.
fn lies(form: Form, width: usize) -> Vec<Vec<u8>> {
    match (form, width) {
        (Form::Signed, 2) => [i16::MAX, i16::MIN, -2].map(|lie| lie.to_be_bytes().to_vec()).to_vec(),
        (Form::Signed, _) => [i32::MAX, 1 << 24, i32::MIN, -2].map(|lie| lie.to_be_bytes().to_vec()).to_vec(),
        (Form::Varint, _) => vec![
            vec![0xFF, 0xFF, 0xFF, 0xFF, 0x0F],
            vec![0xFF, 0xFF, 0xFF, 0xFF, 0x07],
            vec![0xFF, 0xFF, 0xFF, 0xFF, 0x1F],
            vec![0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
            vec![0xFF; 12],
        ],
    }
}

fn lengths_that_lie_are_refused(entries: &[Entry]) {
    for_each_sample(entries.iter().copied(), |entry, version, sample| {
        for &length in &sample.lengths {
            for lie in lies(length.form, length.width) {
                let result = check::message(entry, version, &sample.with_length(length, &lie));
                let name = entry.schema.name;
                assert!(result.is_err(), "{name} v{version}: believed {lie:?} at {}", length.position);
            }
        }
    });
}

#[test]
fn lengths_that_lie_are_refused_in_requests() {
    lengths_that_lie_are_refused(&REQUESTS);
}

#[test]
fn lengths_that_lie_are_refused_in_responses() {
    lengths_that_lie_are_refused(&RESPONSES);
}

#[test]
fn lengths_that_lie_are_refused_elsewhere() {
    lengths_that_lie_are_refused(&OTHERS);
}

#[test]
fn flipped_bits_do_no_harm() {
    let mut random = Random::new(1);
    for_each_sample(catalog::all(), |entry, version, sample| {
        for _ in 0..8 {
            let mut bytes = sample.bytes.clone();
            let place = random.below(bytes.len().max(1));
            if let Some(byte) = bytes.get_mut(place) {
                *byte ^= 1 << random.below(8);
            }
            let _ = check::message(entry, version, &bytes);
        }
    });
}

#[test]
fn noise_does_no_harm() {
    let mut random = Random::new(2);
    for_each_version(catalog::all(), |entry, version| {
        for length in [1, 5, 40, 300] {
            // Small numbers go further into a message than large ones do.
            let loud = random.bytes(length);
            let quiet: Vec<u8> = loud.iter().map(|byte| byte & 0x83).collect();
            let _ = check::message(entry, version, &loud);
            let _ = check::message(entry, version, &quiet);
        }
    });
}
