//! Which messages, versions and seeds a test goes through, and the shortest way to our codec.

use strandline_protocol::any::{AnyMessage, Entry};
use strandline_protocol::catalog;
use strandline_protocol::{Bytes, DecodeError, EncodeError, Reader, Writer};

use super::canonical::{self, Canonical};
use super::generate;
use super::random::Random;
use super::synthetic::Synthetic;
use super::value::Structure;

/// One random message, in every form that needs no codec.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) entry: Entry,
    pub(crate) version: i16,
    pub(crate) seed: u64,
    pub(crate) tree: Structure,
    pub(crate) canonical: Canonical,
}

impl Sample {
    pub(crate) fn new(entry: Entry, version: i16, seed: u64) -> Self {
        let tree = generate::message(entry.schema, version, seed);
        let canonical = canonical::write(entry.schema, version, &tree)
            .unwrap_or_else(|refusal| panic!("{entry:?} v{version}, seed {seed}: {refusal:?}"));
        Self { entry, version, seed, tree, canonical }
    }

    /// What a failure is found again by.
    pub(crate) fn name(&self) -> String {
        format!("{:?} v{}, seed {}", self.entry, self.version, self.seed)
    }

    pub(crate) fn bytes(&self) -> Bytes {
        Bytes::copy_from_slice(&self.canonical.bytes)
    }

    /// The bytes with one to three of them changed, mostly to what lengths, markers and varints take notice of.
    /// There must be some.
    pub(crate) fn damaged(&self, random: &mut Random) -> Bytes {
        let mut bytes = self.canonical.bytes.clone();
        for _ in 0..1 + random.below(3) {
            let at = random.below(bytes.len());
            let near = [bytes[at] ^ 1, bytes[at].wrapping_add(1)];
            bytes[at] = random.pick(&[0, 1, 2, 0x7F, 0x80, 0xFF, near[0], near[1]]);
        }
        Bytes::from(bytes)
    }

    /// Our struct with the values of the tree.
    pub(crate) fn decoded(&self) -> Box<dyn AnyMessage> {
        decode(self.entry, self.version, self.bytes())
            .unwrap_or_else(|error| panic!("{}: {error}", self.name()))
    }
}

/// Every message in every version, with seeds 0 to `seeds`.
pub(crate) fn all(seeds: u64) -> impl Iterator<Item = Sample> {
    versions().flat_map(move |(entry, version)| (0..seeds).map(move |seed| Sample::new(entry, version, seed)))
}

/// Every message in every version, and one that Kafka has not.
pub(crate) fn versions() -> impl Iterator<Item = (Entry, i16)> {
    let entries = catalog::all().chain([Entry::of::<Synthetic>()]);
    entries.flat_map(|entry| entry.schema.versions.iter().map(move |version| (entry, version)))
}

/// How many seeds a test goes through: `STRANDLINE_TEST_SEEDS` for a long run, else `few`.
pub(crate) fn seeds(few: u64) -> u64 {
    match std::env::var("STRANDLINE_TEST_SEEDS") {
        Ok(number) => number.parse().expect("STRANDLINE_TEST_SEEDS is a number"),
        Err(_) => few,
    }
}

/// The message that `bytes` are, all of them, read by our codec.
pub(crate) fn decode(
    entry: Entry,
    version: i16,
    bytes: Bytes,
) -> Result<Box<dyn AnyMessage>, Box<DecodeError>> {
    let mut reader = Reader::new(bytes);
    let message = entry.read(&mut reader, version)?;
    reader.finish()?;
    Ok(message)
}

/// The message's bytes by our codec.
pub(crate) fn encode(message: &dyn AnyMessage, version: i16) -> Result<Bytes, Box<EncodeError>> {
    let mut writer = Writer::new();
    message.write_any(&mut writer, version)?;
    writer.into_bytes()
}
