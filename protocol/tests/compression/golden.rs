//! What the classes of Kafka 4.3.1 wrote: `Compression.of(…).wrapForOutput` around the sample.

use strandline_protocol::Compression;

use crate::sample;

/// The file, and what wrote it.
const GOLDEN: [(&str, Compression); 6] = [
    ("gzip", Compression::Gzip),
    ("snappy", Compression::Snappy),
    ("lz4", Compression::Lz4),
    ("lz4-level-17", Compression::Lz4),
    ("zstd", Compression::Zstd),
    // Its header asks for a window of 128 MiB.
    ("zstd-level-22", Compression::Zstd),
];

#[test]
fn what_kafka_wrote_is_read() {
    let sample = sample();
    for (name, codec) in GOLDEN {
        let path = format!("{}/tests/golden/compression/{name}", env!("CARGO_MANIFEST_DIR"));
        let compressed = std::fs::read(&path).expect(&path);
        assert!(codec.decompress(&compressed, sample.len()).unwrap() == sample, "{name}");
        assert!(codec.decompress(&compressed, sample.len() - 1).is_err(), "{name}: the cap");
    }
}
