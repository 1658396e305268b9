//! Which partition a record goes to: by its key as Java's producer chooses it, so that both write a key to the same
//! place; without a key by whole batches; or as a user's own code says.

use std::fmt;
use std::hash::{BuildHasher, RandomState};

/// The choice of a partition that is a user's own.
///
/// ```
/// use strandline_client::Partitioner;
///
/// /// Everything of customer 7 to the last partition.
/// struct Special;
///
/// impl Partitioner for Special {
///     fn partition(&self, _topic: &str, key: Option<&[u8]>, _value: Option<&[u8]>, partitions: i32) -> Option<i32> {
///         (key == Some(b"customer-7")).then_some(partitions - 1)
///     }
/// }
/// assert_eq!(Special.partition("orders", None, None, 12), None, "the usual choice is good enough");
/// ```
pub trait Partitioner: Send + Sync {
    /// The partition for a record, one of `0..partitions`; none leaves the choice to the usual rules. A number that
    /// is no partition fails the send.
    ///
    /// ```
    /// use strandline_client::Partitioner;
    ///
    /// /// By what a key begins with, up to the slash, so that `eu/7` and `eu/8` stay together.
    /// struct ByRegion;
    ///
    /// impl Partitioner for ByRegion {
    ///     fn partition(&self, _topic: &str, key: Option<&[u8]>, _value: Option<&[u8]>, partitions: i32) -> Option<i32> {
    ///         let region = key?.split(|byte| *byte == b'/').next()?;
    ///         Some(strandline_client::partition_of_key(region, partitions))
    ///     }
    /// }
    ///
    /// let of = |key: &[u8]| ByRegion.partition("orders", Some(key), None, 12);
    /// assert_eq!(of(b"eu/7"), of(b"eu/8"));
    /// assert_eq!(ByRegion.partition("orders", None, None, 12), None);
    /// ```
    fn partition(
        &self,
        topic: &str,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        partitions: i32,
    ) -> Option<i32>;
}

/// The partition that Java's producer, and everyone who does as it does, chooses for a key.
///
/// ```
/// assert_eq!(strandline_client::partition_of_key(b"foobar", 12), 6);
/// ```
pub fn partition_of_key(key: &[u8], partitions: i32) -> i32 {
    let positive = murmur2(key) & 0x7FFF_FFFF;
    // Below 2^31 and below `partitions`; a topic without partitions has no good answer.
    i32::try_from(positive % partitions.max(1).unsigned_abs()).unwrap_or(0)
}

/// Murmur2 in the variant of Kafka: 32 bits, with a seed of its own.
fn murmur2(bytes: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_B28C;
    const MIX: u32 = 0x5BD1_E995;
    // The length wraps in Java as well.
    let length = u32::try_from(bytes.len() & 0xFFFF_FFFF).unwrap_or(0);
    let mut hash = SEED ^ length;
    let (words, rest) = bytes.as_chunks::<4>();
    for word in words {
        let mut mixed = u32::from_le_bytes(*word).wrapping_mul(MIX);
        mixed ^= mixed >> 24;
        hash = hash.wrapping_mul(MIX) ^ mixed.wrapping_mul(MIX);
    }
    if !rest.is_empty() {
        for (place, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * place);
        }
        hash = hash.wrapping_mul(MIX);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(MIX);
    hash ^ (hash >> 15)
}

/// Where the records of a topic go that have no key: to one partition until a batch's worth of bytes has gone there,
/// so that batches get full, and then to another one by chance, so that all partitions get the same over time.
#[derive(Clone)]
pub(super) struct Sticky {
    current: Option<i32>,
    bytes: usize,
    // A xorshift: the choice has to be even, not secret.
    state: u64,
}

impl fmt::Debug for Sticky {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sticky").field("current", &self.current).finish_non_exhaustive()
    }
}

impl Sticky {
    pub(super) fn new() -> Self {
        Self { current: None, bytes: 0, state: RandomState::new().hash_one(0u8) | 1 }
    }

    /// The partition for the next record: one of `available`, those that have a leader, or any if none has.
    pub(super) fn choose(&mut self, available: &[i32], partitions: i32) -> i32 {
        match self.current {
            Some(current) if available.is_empty() || available.binary_search(&current).is_ok() => current,
            _ => self.turn(available, partitions),
        }
    }

    /// Counts what has gone to the current partition, and turns to another one after `batch_bytes`.
    pub(super) const fn count(&mut self, bytes: usize, batch_bytes: usize) {
        self.bytes += bytes;
        if self.bytes >= batch_bytes {
            self.current = None;
        }
    }

    fn turn(&mut self, available: &[i32], partitions: i32) -> i32 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        // The high half is enough, and the modulo's bias is nothing beside it.
        let random = usize::try_from(self.state >> 33).unwrap_or(0);
        let any = || i32::try_from(random % partitions.max(1).unsigned_abs() as usize).unwrap_or(0);
        let chosen = available.get(random % available.len().max(1)).copied().unwrap_or_else(any);
        self.current = Some(chosen);
        self.bytes = 0;
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors that Kafka tests its own with.
    #[test]
    fn murmur2_is_that_of_kafka() {
        let vectors: [(&str, i32); 6] = [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ];
        for (key, hash) in vectors {
            assert_eq!(murmur2(key.as_bytes()).cast_signed(), hash, "{key}");
        }
    }

    #[test]
    fn a_key_has_one_partition_and_there_is_always_one() {
        for partitions in [0, 1, 2, 7, i32::MAX] {
            for key in 0u32..500 {
                let partition = partition_of_key(&key.to_be_bytes(), partitions);
                assert!((0..partitions.max(1)).contains(&partition));
            }
        }
    }

    #[test]
    fn without_a_key_batches_get_full_and_partitions_even() {
        let mut sticky = Sticky::new();
        let available = [0, 1, 2, 5];
        let mut counts = [0u32; 6];
        let mut turns = 0;
        let mut last = -1;
        for _ in 0..40_000 {
            let chosen = sticky.choose(&available, 6);
            turns += u32::from(chosen != last);
            last = chosen;
            counts[usize::try_from(chosen).unwrap()] += 1;
            sticky.count(100, 1_000);
        }
        assert!(turns <= 4_000, "{turns}: not more than one for ten records");
        assert_eq!((counts[3], counts[4]), (0, 0), "{counts:?}: these have no leader");
        assert!(available.iter().all(|place| counts[usize::try_from(*place).unwrap()] > 7_000), "{counts:?}");
    }

    #[test]
    fn a_partition_that_lost_its_leader_is_left() {
        let mut sticky = Sticky::new();
        let chosen = sticky.choose(&[0, 1], 2);
        assert_eq!(sticky.choose(&[1 - chosen], 2), 1 - chosen);
        assert_eq!(sticky.choose(&[], 2), 1 - chosen, "no leader anywhere: waiting here is as good as there");
    }
}
