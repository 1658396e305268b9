//! Keys as 128 bits that stand for them: SipHash-2-4 under a key that is drawn for each map.
//!
//! Two keys with the same hash would be one key to compaction, and the older one's value would go in silence.
//! By chance that does not happen: of 2^30 keys any two agree with a probability of 2^-69. Nor on purpose: who
//! chooses the records' keys knows neither the hash's key nor any hash, and without them SipHash is a random
//! function to him. A hash without a key, however strong, would have to be much longer for the same promise.

use crate::random::Random;

/// What stands for a key.
pub(super) type KeyHash = [u64; 2];

/// SipHash-2-4-128 under one key.
#[derive(Clone, Copy)]
pub(super) struct KeyHasher {
    key: [u64; 2],
}

struct State([u64; 4]);

impl State {
    #[inline(always)]
    fn round(&mut self) {
        let [mut a, mut b, mut c, mut d] = self.0;
        a = a.wrapping_add(b);
        c = c.wrapping_add(d);
        b = b.rotate_left(13) ^ a;
        d = d.rotate_left(16) ^ c;
        a = a.rotate_left(32).wrapping_add(d);
        c = c.wrapping_add(b);
        b = b.rotate_left(17) ^ c;
        d = d.rotate_left(21) ^ a;
        c = c.rotate_left(32);
        self.0 = [a, b, c, d];
    }

    #[inline(always)]
    fn take(&mut self, word: u64) {
        let [_, _, _, d] = &mut self.0;
        *d ^= word;
        self.round();
        self.round();
        let [a, ..] = &mut self.0;
        *a ^= word;
    }

    #[inline(always)]
    fn finish(&mut self) -> u64 {
        for _ in 0..4 {
            self.round();
        }
        let [a, b, c, d] = self.0;
        a ^ b ^ c ^ d
    }
}

impl KeyHasher {
    /// A hash that nobody can tell who has not seen `random`.
    pub(super) fn new(random: &mut Random) -> Self {
        Self { key: [random.next_u64(), random.next_u64()] }
    }

    /// The hash of `bytes`.
    #[inline]
    pub(super) fn hash(self, bytes: &[u8]) -> KeyHash {
        let [first, second] = self.key;
        let mut state = State([
            first ^ 0x736f_6d65_7073_6575,
            second ^ 0x646f_7261_6e64_6f6d ^ 0xee,
            first ^ 0x6c79_6765_6e65_7261,
            second ^ 0x7465_6462_7974_6573,
        ]);
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            state.take(u64::from_le_bytes(*word));
        }
        // The rest, with the length's lowest byte on top.
        let mut last = (bytes.len() as u64) << 56;
        for (place, byte) in rest.iter().enumerate() {
            last |= u64::from(*byte) << (8 * place);
        }
        state.take(last);
        let [_, _, c, _] = &mut state.0;
        *c ^= 0xee;
        let low = state.finish();
        let [_, b, ..] = &mut state.0;
        *b ^= 0xdd;
        [low, state.finish()]
    }
}

#[cfg(test)]
mod tests {
    use super::KeyHasher;

    /// The first of the reference implementation's vectors, and the ones at the borders of a word.
    #[test]
    fn the_hashes_are_the_published_ones() {
        let key = [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908];
        let hash = |length: u8| {
            let input: Vec<u8> = (0..length).collect();
            KeyHasher { key }.hash(&input).map(u64::to_le_bytes).concat()
        };
        let expected = |hex: &str| u128::from_str_radix(hex, 16).unwrap().to_be_bytes().to_vec();
        assert_eq!(hash(0), expected("a3817f04ba25a8e66df67214c7550293"));
        assert_eq!(hash(1), expected("da87c1d86b99af44347659119b22fc45"));
        assert_eq!(hash(2), expected("8177228da4a45dc7fca38bdef60affe4"));
    }

    #[test]
    fn every_byte_and_the_length_count() {
        let hasher = KeyHasher { key: [1, 2] };
        for length in 0..40 {
            let bytes = vec![0; length];
            assert_ne!(hasher.hash(&bytes), hasher.hash(&vec![0; length + 1]));
            for place in 0..length {
                let mut changed = bytes.clone();
                changed[place] = 1;
                assert_ne!(hasher.hash(&bytes), hasher.hash(&changed));
            }
        }
    }
}
