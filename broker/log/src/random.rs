//! Randomness as a value that is handed in, so that a run is a function of its seed.
//!
//! Not for secrets that an attacker may watch: who sees enough of its numbers can tell the next ones.

/// Pseudo-random numbers: xoshiro256** with its state filled by SplitMix64.
#[derive(Clone, Debug)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// The numbers that follow from `seed`, the same ones each time.
    pub fn from_seed(seed: u64) -> Self {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            mix(state)
        };
        Self { state: [next(), next(), next(), next()] }
    }

    /// Numbers that nobody can tell beforehand: the seed is the operating system's.
    pub fn from_system() -> std::io::Result<Self> {
        let mut seed = [0; 8];
        // So few bytes come whole, or not at all.
        let filled = rustix::rand::getrandom(&mut seed, rustix::rand::GetRandomFlags::empty())?;
        if filled == seed.len() {
            Ok(Self::from_seed(u64::from_le_bytes(seed)))
        } else {
            Err(std::io::ErrorKind::UnexpectedEof.into())
        }
    }

    /// Others, that follow from these and have nothing to do with them.
    pub fn split(&mut self) -> Self {
        Self::from_seed(self.next_u64())
    }

    /// Zero each time, as from a generator that has failed.
    #[cfg(test)]
    pub(crate) fn stuck() -> Self {
        Self { state: [0; 4] }
    }

    /// Any number.
    pub fn next_u64(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        result
    }

    /// A number below `bound`, which is not zero (zero gives zero).
    ///
    /// Some numbers come up more often than others, by less than one part in 2^32 for the bounds of tests.
    pub fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.next_u64()) * u128::from(bound);
        u64::try_from(product >> 64).unwrap_or(0)
    }

    /// True once in `count` times; never for zero.
    pub fn one_in(&mut self, count: u64) -> bool {
        count > 0 && self.below(count) == 0
    }

    /// A place in something that is `length` long.
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    /// Fills `bytes`.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = self.next_u64().to_le_bytes();
            chunk.iter_mut().zip(number).for_each(|(byte, random)| *byte = random);
        }
    }
}

/// Spreads the bits of a number over all of it; no two numbers become one.
pub(crate) fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn the_numbers_are_the_published_ones() {
        // From the reference implementation of xoshiro256** with the state 1, 2, 3, 4.
        let mut random = Random { state: [1, 2, 3, 4] };
        let numbers = [(); 4].map(|()| random.next_u64());
        assert_eq!(numbers, [11_520, 0, 1_509_978_240, 1_215_971_899_390_074_240]);
    }

    #[test]
    fn a_seed_gives_the_same_numbers_and_another_gives_others() {
        let numbers = |seed| {
            let mut random = Random::from_seed(seed);
            [(); 8].map(|()| random.next_u64())
        };
        assert_eq!(numbers(7), numbers(7));
        assert_ne!(numbers(7), numbers(8));
    }

    #[test]
    fn below_reaches_everything_below_and_nothing_else() {
        let mut random = Random::from_seed(1);
        let mut seen = [false; 7];
        for _ in 0..1_000 {
            seen[random.index(7)] = true;
        }
        assert_eq!(seen, [true; 7]);
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn the_system_gives_a_seed_of_its_own_each_time() {
        let mut one = Random::from_system().unwrap();
        let mut other = Random::from_system().unwrap();
        assert_ne!(one.next_u64(), other.next_u64());
    }
}
