//! Going through a tree from some place on.

use super::{Child, Node};

/// The entries of a tree by rising key.
pub struct Iter<'a, K, V> {
    // For each level above the leaf, the children that are still to come.
    pub(super) branches: Vec<std::slice::Iter<'a, Child<K, V>>>,
    pub(super) leaf: std::slice::Iter<'a, (K, V)>,
}

impl<'a, K, V> Iter<'a, K, V> {
    pub(super) fn descend(&mut self, mut node: &'a Node<K, V>) {
        loop {
            match node {
                Node::Leaf(entries) => {
                    self.leaf = entries.iter();
                    return;
                }
                Node::Branch(children) => {
                    let mut children = children.iter();
                    let Some((_, first)) = children.next() else { return };
                    self.branches.push(children);
                    node = first;
                }
            }
        }
    }
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((key, value)) = self.leaf.next() {
                return Some((key, value));
            }
            let next = self.branches.last_mut()?.next();
            match next {
                Some((_, child)) => self.descend(child),
                None => drop(self.branches.pop()),
            }
        }
    }
}
