//! Which offset is the last one of each key, in memory that is bounded.
//!
//! Owns a table of fixed size, with hashes in place of keys, and says when it is full. Never grows, never
//! forgets, and never looks at a record.

use super::hash::{KeyHash, KeyHasher};
use crate::random::Random;

/// A key's hash, and the offset plus one: a slot of zeros is free.
type Slot = [u64; 3];

/// Bytes that the map takes for each key it has room for, the free slots between them included.
const SLOT_BYTES: u64 = size_of::<Slot>() as u64;

/// Of ten slots so many are used at the most: beyond that a search goes past too many others.
const USED_TENTHS_MAX: u64 = 8;

/// So many look-ups are prepared at a time: what they fetch stays in the first cache until then.
pub(super) const FETCHED_AT_ONCE: usize = 64;

/// The last offset of each key.
pub(super) struct OffsetMap {
    hasher: KeyHasher,
    slots: Vec<Slot>,
    used: usize,
    used_max: usize,
}

/// What became of a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Put {
    /// The map knows it now.
    Done,
    /// The key is new, and there is no room for it.
    Full,
}

impl OffsetMap {
    /// A map that takes at most `bytes_max` bytes, and no more than `keys_max` keys need. There is room for one
    /// key, however little that is: who fills a map and empties it again always gets on.
    pub(super) fn new(bytes_max: usize, keys_max: u64, random: &mut Random) -> Self {
        let wanted = keys_max.saturating_mul(10) / USED_TENTHS_MAX + 1;
        let allowed = (bytes_max as u64 / SLOT_BYTES).max(2);
        let slots = wanted.clamp(2, allowed);
        let used_max = (slots * USED_TENTHS_MAX / 10).max(1);
        let length = |slots| usize::try_from(slots).unwrap_or(usize::MAX);
        Self {
            hasher: KeyHasher::new(random),
            // Fresh pages of zeros, which cost nothing until a key comes to lie in them.
            slots: vec![[0; 3]; length(slots)],
            used: 0,
            used_max: length(used_max),
        }
    }

    /// What stands for a key in this map.
    #[inline]
    pub(super) fn hash(&self, key: &[u8]) -> KeyHash {
        self.hasher.hash(key)
    }

    /// Fetches what will be looked up next, up to [`FETCHED_AT_ONCE`] keys.
    ///
    /// Most slots lie in no cache. A look-up alone makes the processor wait for its slot, and as it cannot guess what
    /// is in there, it seldom gets to the next one meanwhile. These loads depend on nothing, and are under way all at
    /// once.
    #[inline]
    pub(super) fn fetch(&self, hashes: impl Iterator<Item = KeyHash>) {
        let mut seen = 0;
        for hash in hashes {
            if let Some([_, _, noted]) = self.slots.get(self.first_place(hash)) {
                seen ^= noted;
            }
        }
        std::hint::black_box(seen);
    }

    /// Notes that the key is at `offset`, which is higher than before. Offsets are never negative.
    #[inline]
    pub(super) fn put(&mut self, hash: KeyHash, offset: i64) -> Put {
        let place = self.find(hash);
        let is_full = self.used >= self.used_max;
        let Some(slot) = self.slots.get_mut(place) else { return Put::Full };
        let [high, low] = hash;
        let [_, _, noted] = *slot;
        if noted == 0 {
            if is_full {
                return Put::Full;
            }
            self.used += 1;
        }
        *slot = [high, low, offset.unsigned_abs() + 1];
        Put::Done
    }

    /// The last offset of the key, if the map knows it.
    #[inline]
    pub(super) fn get(&self, hash: KeyHash) -> Option<i64> {
        let [_, _, noted] = *self.slots.get(self.find(hash))?;
        i64::try_from(noted.checked_sub(1)?).ok()
    }

    /// The slot of the key, or the free one where it would go.
    #[inline]
    fn find(&self, hash: KeyHash) -> usize {
        let [high, low] = hash;
        let mut place = self.first_place(hash);
        // There are always free slots, and so an end.
        loop {
            match self.slots.get(place) {
                Some([_, _, 0]) => return place,
                Some([slot_high, slot_low, _]) if *slot_high == high && *slot_low == low => return place,
                Some(_) => place += 1,
                None => place = 0,
            }
        }
    }

    /// How many keys it knows.
    pub(super) fn len(&self) -> usize {
        self.used
    }

    /// Below the number of slots, and as likely anywhere.
    #[inline]
    fn first_place(&self, [high, _]: KeyHash) -> usize {
        let product = u128::from(high) * self.slots.len() as u128;
        usize::try_from(product >> 64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{OffsetMap, Put};
    use crate::random::Random;

    fn put(map: &mut OffsetMap, key: &[u8], offset: i64) -> Put {
        map.put(map.hash(key), offset)
    }

    fn get(map: &OffsetMap, key: &[u8]) -> Option<i64> {
        map.get(map.hash(key))
    }

    #[test]
    fn it_knows_what_a_plain_map_knows() {
        for seed in 0..50 {
            let mut random = Random::from_seed(seed);
            let mut map = OffsetMap::new(100 * 24, u64::MAX, &mut random);
            let mut model = BTreeMap::new();
            for offset in 0..1_000 {
                let key = random.below(120).to_le_bytes();
                let has_room = model.len() < 80 || model.contains_key(&key);
                assert_eq!(put(&mut map, &key, offset) == Put::Done, has_room);
                if has_room {
                    model.insert(key, offset);
                }
            }
            for key in (0..130u64).map(u64::to_le_bytes) {
                assert_eq!(get(&map, &key), model.get(&key).copied());
            }
            assert_eq!(map.len(), model.len());
        }
    }

    #[test]
    fn it_takes_no_more_memory_than_allowed_or_needed() {
        let random = &mut Random::from_seed(0);
        assert_eq!(OffsetMap::new(24_000, u64::MAX, random).slots.len(), 1_000);
        assert_eq!(OffsetMap::new(24_000, 8, random).slots.len(), 11);
    }

    #[test]
    fn there_is_room_for_a_key_however_little_memory_there_is() {
        let mut map = OffsetMap::new(0, u64::MAX, &mut Random::from_seed(0));
        assert_eq!(put(&mut map, b"a", 0), Put::Done);
        assert_eq!(put(&mut map, b"b", i64::MAX - 1), Put::Full);
        assert_eq!(put(&mut map, b"a", i64::MAX - 1), Put::Done, "a key that is known takes no room");
        assert_eq!((get(&map, b"a"), get(&map, b"b")), (Some(i64::MAX - 1), None));
    }

    #[test]
    fn as_many_keys_fit_as_were_announced() {
        for keys in 0..200 {
            let mut map = OffsetMap::new(1 << 20, keys, &mut Random::from_seed(keys));
            for key in 0..keys {
                assert_eq!(put(&mut map, &key.to_le_bytes(), 5), Put::Done, "{key} of {keys}");
            }
        }
    }
}
