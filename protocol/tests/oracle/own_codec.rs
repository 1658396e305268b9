//! Our codec against the interpreter of its schemas: the same bytes, the same values.

use crate::support::sample;
use crate::support::shown::{OURS, Shown};

/// Bytes made without our codec are read as the values they were made from, and written as the same bytes.
#[test]
fn every_message_in_every_version_returns() {
    for sample in sample::all(sample::seeds(6)) {
        let (name, decoded) = (sample.name(), sample.decoded());
        let shown = Shown::parse(&format!("{decoded:?}"));
        assert_eq!(OURS.agree(&sample.tree, &shown), Ok(()), "{name}");
        let encoded = sample::encode(&*decoded, sample.version);
        assert_eq!(encoded.expect(&name), sample.canonical.bytes, "{name}");
    }
}
