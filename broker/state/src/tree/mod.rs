//! An ordered map that is cheap to clone and cheap to change: a B-tree whose nodes are shared until one of the
//! clones changes them.
//!
//! Owns the map and nothing of what is in it. A clone is one reference count. A change copies the nodes between
//! the root and the one place that changes, and only those that another clone still holds: with 100,000 entries
//! three nodes of at most [`ENTRIES_MAX`] entries. Lookups and iteration from any place on take no more than
//! what they yield and the height of the tree.
//!
//! Removal leaves nodes as empty as they become, and drops those that are; nothing is ever merged. A tree is
//! never higher than it was when it was fullest, and never has an empty node.

mod iter;

use std::borrow::Borrow;
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

pub use iter::Iter;

/// The entries of a node.
pub const ENTRIES_MAX: usize = 32;

/// The map. See the module.
pub struct TreeMap<K, V> {
    root: Arc<Node<K, V>>,
    length: usize,
}

#[derive(Clone)]
enum Node<K, V> {
    Leaf(Vec<(K, V)>),
    Branch(Vec<Child<K, V>>),
}

/// A child, behind a key that is not above any of its own.
type Child<K, V> = (K, Arc<Node<K, V>>);

impl<K, V> Clone for TreeMap<K, V> {
    fn clone(&self) -> Self {
        Self { root: Arc::clone(&self.root), length: self.length }
    }
}

impl<K, V> Default for TreeMap<K, V> {
    fn default() -> Self {
        Self { root: Arc::new(Node::Leaf(Vec::new())), length: 0 }
    }
}

/// The place of the child that has `key`, if any has it: the last whose own key is not above it.
fn child_of<K: Borrow<Q>, Q: Ord + ?Sized, C>(children: &[(K, C)], key: &Q) -> usize {
    children.partition_point(|(first, _)| first.borrow() <= key).saturating_sub(1)
}

impl<K, V> TreeMap<K, V> {
    /// How many entries there are.
    pub const fn len(&self) -> usize {
        self.length
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Whether both are clones of one another that nothing has changed since.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.root, &other.root)
    }

    /// The value of `key`.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let mut node = &*self.root;
        loop {
            match node {
                Node::Branch(children) => node = &children.get(child_of(children, key))?.1,
                Node::Leaf(entries) => {
                    let place = entries.binary_search_by(|(other, _)| other.borrow().cmp(key)).ok()?;
                    return entries.get(place).map(|(_, value)| value);
                }
            }
        }
    }

    /// Whether `key` has a value.
    pub fn contains<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.get(key).is_some()
    }

    /// The entries by rising key.
    pub fn iter(&self) -> Iter<'_, K, V> {
        let mut iter = Iter { branches: Vec::new(), leaf: [].iter() };
        iter.descend(&self.root);
        iter
    }

    /// The entries by rising key, from `from` on; what lies before is not walked.
    pub fn iter_from<Q: Ord + ?Sized>(&self, from: Bound<&Q>) -> Iter<'_, K, V>
    where
        K: Borrow<Q>,
    {
        let is_before = |key: &Q| match from {
            Bound::Included(from) => key < from,
            Bound::Excluded(from) => key <= from,
            Bound::Unbounded => false,
        };
        let mut iter = Iter { branches: Vec::new(), leaf: [].iter() };
        let mut node = &*self.root;
        loop {
            match node {
                Node::Branch(children) => {
                    // A child may begin before `from` and still hold it.
                    let place = children.partition_point(|(first, _)| is_before(first.borrow()));
                    let mut rest = children.get(place.saturating_sub(1)..).unwrap_or_default().iter();
                    let Some((_, child)) = rest.next() else { return iter };
                    iter.branches.push(rest);
                    node = child;
                }
                Node::Leaf(entries) => {
                    let place = entries.partition_point(|(key, _)| is_before(key.borrow()));
                    iter.leaf = entries.get(place..).unwrap_or_default().iter();
                    return iter;
                }
            }
        }
    }
}

impl<K: Ord + Clone, V: Clone> TreeMap<K, V> {
    /// Gives `key` a value, and returns the one that it had.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let outcome = insert(Arc::make_mut(&mut self.root), key, value);
        match outcome {
            Inserted::Replaced(before) => return Some(before),
            Inserted::Added => {}
            Inserted::Split(first, sibling) => self.grow(first, sibling),
        }
        self.length += 1;
        None
    }

    fn grow(&mut self, first: K, sibling: Arc<Node<K, V>>) {
        let left = std::mem::replace(&mut self.root, Arc::new(Node::Leaf(Vec::new())));
        // The first key of a branch is never looked at for what it is, only that it exists: any will do.
        let Some(lowest) = first_key(&left).cloned() else { return };
        self.root = Arc::new(Node::Branch(vec![(lowest, left), (first, sibling)]));
    }

    /// The value of `key`, to change; its nodes are this clone's own from then on.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        if !self.contains(key) {
            return None;
        }
        let mut node = Arc::make_mut(&mut self.root);
        loop {
            match node {
                Node::Branch(children) => {
                    let place = child_of(children, key);
                    node = Arc::make_mut(&mut children.get_mut(place)?.1);
                }
                Node::Leaf(entries) => {
                    let place = entries.binary_search_by(|(other, _)| other.borrow().cmp(key)).ok()?;
                    return entries.get_mut(place).map(|(_, value)| value);
                }
            }
        }
    }

    /// Takes `key` out, and returns the value that it had.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        if !self.contains(key) {
            return None;
        }
        let removed = remove(Arc::make_mut(&mut self.root), key);
        self.length -= usize::from(removed.is_some());
        self.shrink();
        removed
    }

    /// A root with one child is one level too many.
    fn shrink(&mut self) {
        loop {
            let child = match &*self.root {
                Node::Branch(children) => match children.as_slice() {
                    [] => Arc::new(Node::Leaf(Vec::new())),
                    [(_, child)] => Arc::clone(child),
                    _ => return,
                },
                Node::Leaf(_) => return,
            };
            self.root = child;
        }
    }
}

fn first_key<K, V>(node: &Node<K, V>) -> Option<&K> {
    match node {
        Node::Leaf(entries) => entries.first().map(|(key, _)| key),
        Node::Branch(children) => children.first().map(|(key, _)| key),
    }
}

enum Inserted<K, V> {
    Replaced(V),
    Added,
    /// The node was full; this sibling has to stand behind it, under this key.
    Split(K, Arc<Node<K, V>>),
}

fn insert<K: Ord + Clone, V: Clone>(node: &mut Node<K, V>, key: K, value: V) -> Inserted<K, V> {
    match node {
        Node::Leaf(entries) => match entries.binary_search_by(|(other, _)| other.cmp(&key)) {
            Ok(place) => match entries.get_mut(place) {
                Some((_, before)) => Inserted::Replaced(std::mem::replace(before, value)),
                None => Inserted::Added,
            },
            Err(place) => add(entries, place, key, value, Node::Leaf),
        },
        Node::Branch(children) => {
            let place = child_of(children, &key);
            let Some((first, child)) = children.get_mut(place) else { return Inserted::Added };
            if key < *first {
                first.clone_from(&key);
            }
            match insert(Arc::make_mut(child), key, value) {
                Inserted::Split(first, sibling) => add(children, place + 1, first, sibling, Node::Branch),
                done => done,
            }
        }
    }
}

/// Puts an entry into its place, and splits off the end of what becomes too long. Keys that come in rising
/// order leave full nodes behind.
fn add<K: Clone, V, T>(
    entries: &mut Vec<(K, T)>,
    place: usize,
    key: K,
    value: T,
    node: impl Fn(Vec<(K, T)>) -> Node<K, V>,
) -> Inserted<K, V> {
    if entries.len() < ENTRIES_MAX {
        // Most topics have few partitions: the first entries take no more room than they need.
        if entries.len() < 4 {
            entries.reserve_exact(1);
        }
        entries.insert(place, (key, value));
        return Inserted::Added;
    }
    if place == entries.len() {
        return Inserted::Split(key.clone(), Arc::new(node(vec![(key, value)])));
    }
    let mut sibling = entries.split_off(ENTRIES_MAX / 2);
    match place.checked_sub(entries.len()) {
        Some(place) if place > 0 => sibling.insert(place, (key, value)),
        _ => entries.insert(place, (key, value)),
    }
    match sibling.first().map(|(first, _)| first.clone()) {
        Some(first) => Inserted::Split(first, Arc::new(node(sibling))),
        None => Inserted::Added,
    }
}

fn remove<K: Ord + Clone + Borrow<Q>, V: Clone, Q: Ord + ?Sized>(
    node: &mut Node<K, V>,
    key: &Q,
) -> Option<V> {
    match node {
        Node::Leaf(entries) => {
            let place = entries.binary_search_by(|(other, _)| other.borrow().cmp(key)).ok()?;
            Some(entries.remove(place).1)
        }
        Node::Branch(children) => {
            let place = child_of(children, key);
            let (_, child) = children.get_mut(place)?;
            let removed = remove(Arc::make_mut(child), key);
            if first_key(child).is_none() {
                children.remove(place);
            }
            removed
        }
    }
}

impl<K: PartialEq, V: PartialEq> PartialEq for TreeMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || (self.length == other.length && self.iter().eq(other.iter()))
    }
}

impl<K: Eq, V: Eq> Eq for TreeMap<K, V> {}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for TreeMap<K, V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests;
