//! The tree is a `BTreeMap` whose clones keep what they hold, and copies little.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Nothing is empty but an empty tree, and keys rise, within the bounds that the branches name.
fn check<K: Ord + fmt::Debug, V>(node: &Node<K, V>, is_root: bool) -> Option<(&K, &K)> {
    match node {
        Node::Leaf(entries) => {
            assert!(entries.len() <= ENTRIES_MAX && (is_root || !entries.is_empty()));
            assert!(entries.is_sorted_by(|(left, _), (right, _)| left < right));
            Some((&entries.first()?.0, &entries.last()?.0))
        }
        Node::Branch(children) => {
            assert!(children.len() <= ENTRIES_MAX && !children.is_empty());
            let ranges: Vec<_> = children.iter().map(|(_, child)| check(child, false).unwrap()).collect();
            for ((first, _), (lowest, _)) in children.iter().zip(&ranges) {
                assert!(first <= lowest);
            }
            for ((first, _), (_, highest)) in children.iter().skip(1).zip(&ranges) {
                assert!(*highest < first);
            }
            Some((ranges[0].0, ranges[ranges.len() - 1].1))
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u16, u8),
    Remove(u16),
    Change(u16),
    Keep,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = || prop_oneof![0u16..2_000, 0u16..40];
    let step = prop_oneof![
        6 => (key(), any::<u8>()).prop_map(|(key, value)| Step::Insert(key, value)),
        4 => key().prop_map(Step::Remove),
        1 => key().prop_map(Step::Change),
        1 => Just(Step::Keep),
    ];
    prop::collection::vec(step, 0..3_000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn it_is_a_btreemap_and_its_clones_stay_as_they_were(steps in steps(), from in 0u16..2_000) {
        let (mut tree, mut model) = (TreeMap::default(), BTreeMap::new());
        let mut kept = Vec::new();
        for step in steps {
            match step {
                Step::Insert(key, value) => prop_assert_eq!(tree.insert(key, value), model.insert(key, value)),
                Step::Remove(key) => prop_assert_eq!(tree.remove(&key), model.remove(&key)),
                Step::Change(key) => {
                    let (left, right) = (tree.get_mut(&key), model.get_mut(&key));
                    prop_assert_eq!(&left, &right);
                    for value in [left, right].into_iter().flatten() {
                        *value = value.wrapping_add(1);
                    }
                }
                Step::Keep => kept.push((tree.clone(), model.clone())),
            }
        }
        kept.push((tree, model));
        for (tree, model) in kept {
            check(&tree.root, true);
            prop_assert_eq!(tree.len(), model.len());
            prop_assert!(tree.iter().eq(model.iter()));
            let bounds = (Bound::Excluded(from), Bound::Unbounded);
            prop_assert!(tree.iter_from(Bound::Included(&from)).eq(model.range(from..)));
            prop_assert!(tree.iter_from(Bound::Excluded(&from)).eq(model.range(bounds)));
        }
    }
}

/// A key that counts how often it is cloned on this thread.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Counted(u32);

thread_local! {
    static CLONES: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        CLONES.set(CLONES.get() + 1);
        Self(self.0)
    }
}

#[test]
fn a_change_copies_a_few_nodes_however_many_entries_there_are() {
    const COUNT: u32 = 100_000;
    let mut tree = TreeMap::default();
    for number in 0..COUNT {
        tree.insert(Counted(number), ());
    }
    // 32 to the fourth is more than there are.
    let most = 4 * ENTRIES_MAX;
    for key in (0..COUNT).step_by(997) {
        let kept = tree.clone();
        CLONES.set(0);
        tree.remove(&Counted(key));
        assert!((1..=most).contains(&CLONES.get()), "{}", CLONES.get());
        assert!(kept.contains(&Counted(key)) && !tree.contains(&Counted(key)));
    }
    let alone = tree.len();
    CLONES.set(0);
    tree.insert(Counted(COUNT), ());
    assert!(CLONES.get() <= 2, "what nobody shares is not copied: {}", CLONES.get());
    assert_eq!(tree.len(), alone + 1);
}

impl<K, V> TreeMap<K, V> {
    /// How many of the nodes are not shared with `before`: what the changes since have copied or made.
    pub(crate) fn nodes_apart(&self, before: &Self) -> usize {
        fn collect<K, V>(node: &Arc<Node<K, V>>, nodes: &mut std::collections::HashSet<*const Node<K, V>>) {
            nodes.insert(Arc::as_ptr(node));
            if let Node::Branch(children) = &**node {
                children.iter().for_each(|(_, child)| collect(child, nodes));
            }
        }
        let (mut now, mut then) = Default::default();
        collect(&self.root, &mut now);
        collect(&before.root, &mut then);
        now.difference(&then).count()
    }
}
