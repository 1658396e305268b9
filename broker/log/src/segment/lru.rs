//! A bounded map that forgets what was not used for longest.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

#[derive(Debug)]
struct Slot<V> {
    value: V,
    weight: u64,
    used: u64,
}

/// Values with weights. What has to go is handed out, so that it is dropped where its drop may take long.
#[derive(Debug)]
pub(super) struct Lru<K, V> {
    slots: HashMap<K, Slot<V>>,
    /// By the moment of their last use.
    order: BTreeMap<u64, K>,
    moment: u64,
    weight: u64,
    weight_max: u64,
    hits: u64,
    misses: u64,
}

/// How a cache is used.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CacheFigures {
    /// What it holds, in files or in bytes.
    pub weight: u64,
    /// What it may hold.
    pub weight_max: u64,
    /// How often something was there, since the start.
    pub hits: u64,
    /// How often it was not.
    pub misses: u64,
}

impl<K: Clone + Eq + Hash, V: Clone> Lru<K, V> {
    pub(super) fn new(weight_max: u64) -> Self {
        Self {
            slots: HashMap::new(),
            order: BTreeMap::new(),
            moment: 0,
            weight: 0,
            weight_max,
            hits: 0,
            misses: 0,
        }
    }

    pub(super) fn get(&mut self, key: &K) -> Option<V> {
        let Some(slot) = self.slots.get_mut(key) else {
            self.misses += 1;
            return None;
        };
        self.hits += 1;
        self.moment += 1;
        self.order.remove(&slot.used);
        slot.used = self.moment;
        self.order.insert(slot.used, key.clone());
        Some(slot.value.clone())
    }

    /// Takes a value in, in place of the one before. At least one value stays, however heavy.
    pub(super) fn insert(&mut self, key: K, value: V, weight: u64) -> Vec<V> {
        let mut gone: Vec<V> = self.remove(&key).into_iter().collect();
        self.moment += 1;
        self.weight += weight;
        self.order.insert(self.moment, key.clone());
        self.slots.insert(key, Slot { value, weight, used: self.moment });
        while self.weight > self.weight_max && self.slots.len() > 1 {
            let Some((_, oldest)) = self.order.pop_first() else { break };
            gone.extend(self.take(&oldest));
        }
        gone
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let used = self.slots.get(key)?.used;
        self.order.remove(&used);
        self.take(key)
    }

    fn take(&mut self, key: &K) -> Option<V> {
        let slot = self.slots.remove(key)?;
        self.weight = self.weight.saturating_sub(slot.weight);
        Some(slot.value)
    }

    pub(super) fn figures(&self) -> CacheFigures {
        let Self { weight, weight_max, hits, misses, .. } = *self;
        CacheFigures { weight, weight_max, hits, misses }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }
}

#[cfg(test)]
mod tests {
    use super::Lru;

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let mut lru = Lru::new(3);
        for key in 1..=3 {
            assert_eq!(lru.insert(key, key * 10, 1), Vec::<i32>::new());
        }
        assert_eq!(lru.get(&1), Some(10));
        assert_eq!(lru.insert(4, 40, 1), [20]);
        assert_eq!(lru.insert(5, 50, 2), [30, 10]);
        assert_eq!((lru.get(&4), lru.get(&5), lru.len()), (Some(40), Some(50), 2));
    }

    #[test]
    fn a_value_that_is_too_heavy_stays_alone() {
        let mut lru = Lru::new(3);
        lru.insert(1, 10, 1);
        assert_eq!(lru.insert(2, 20, 9), [10]);
        assert_eq!(lru.get(&2), Some(20));
        assert_eq!(lru.insert(3, 30, 1), [20]);
    }

    #[test]
    fn a_value_is_replaced_and_its_weight_with_it() {
        let mut lru = Lru::new(3);
        lru.insert(1, 10, 3);
        assert_eq!(lru.insert(1, 11, 1), [10]);
        assert_eq!(lru.insert(2, 20, 2), Vec::<i32>::new());
        assert_eq!((lru.remove(&1), lru.remove(&1)), (Some(11), None));
    }
}
