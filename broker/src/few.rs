//! A list of what there is mostly one of: the first of it takes no memory of its own.

use std::iter::Chain;
use std::{option, slice, vec};

/// A list of what there is mostly one of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Few<T> {
    /// None where there is nothing.
    first: Option<T>,
    rest: Vec<T>,
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self { first: None, rest: Vec::new() }
    }
}

impl<T> Few<T> {
    /// How many there are.
    pub fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Puts one behind the others.
    pub fn push(&mut self, item: T) {
        match self.first {
            None => self.first = Some(item),
            Some(_) => self.rest.push(item),
        }
    }

    /// Takes the last one.
    pub fn pop(&mut self) -> Option<T> {
        self.rest.pop().or_else(|| self.first.take())
    }

    /// The last one.
    pub fn last(&self) -> Option<&T> {
        self.rest.last().or(self.first.as_ref())
    }

    /// The one at this place.
    pub fn get_mut(&mut self, place: usize) -> Option<&mut T> {
        match place.checked_sub(1) {
            None => self.first.as_mut(),
            Some(place) => self.rest.get_mut(place),
        }
    }

    /// All of them, in their order.
    pub fn iter(&self) -> Chain<option::Iter<'_, T>, slice::Iter<'_, T>> {
        self.first.iter().chain(&self.rest)
    }
}

impl<T> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut items = items.into_iter();
        let first = items.next();
        // What has ended need not go on to say so.
        let rest = if first.is_some() { items.collect() } else { Vec::new() };
        Self { first, rest }
    }
}

impl<'a, T> IntoIterator for &'a Few<T> {
    type Item = &'a T;
    type IntoIter = Chain<option::Iter<'a, T>, slice::Iter<'a, T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T> IntoIterator for Few<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter(self.first.into_iter().chain(self.rest))
    }
}

/// All of a list, in its order.
#[derive(Clone, Debug)]
pub struct IntoIter<T>(Chain<option::IntoIter<T>, vec::IntoIter<T>>);

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<T> ExactSizeIterator for IntoIter<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_list_like_any_other() {
        let mut few = Few::default();
        for count in 0..4 {
            let list: Vec<i32> = (0..count).collect();
            assert_eq!((few.len(), few.is_empty()), (list.len(), list.is_empty()));
            assert_eq!(few.iter().copied().collect::<Vec<_>>(), list);
            assert_eq!(few.clone().into_iter().len(), list.len());
            assert_eq!(few.clone().into_iter().collect::<Vec<_>>(), list);
            assert_eq!(list.iter().copied().collect::<Few<_>>(), few);
            assert_eq!((few.last(), few.clone().pop()), (list.last(), list.last().copied()));
            let places = (0..5).map(|place| few.get_mut(place).copied());
            assert!(places.eq((0..5).map(|place| list.get(place).copied())));
            few.push(count);
        }
    }
}
