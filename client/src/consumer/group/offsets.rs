//! How far a consumer has read, in the hands of whoever commits it along with something else.

use std::collections::BTreeMap;

use strandline_protocol::Text;

use super::commit::Offset;
use super::{Identity, Key};

/// How far a member of a group has read, for a transaction that writes what came of it:
/// [`Consumer::take_offsets`](crate::Consumer::take_offsets) and
/// [`Transaction::send_offsets`](crate::Transaction::send_offsets).
///
/// ```
/// use strandline_client::GroupOffsets;
/// assert!(GroupOffsets::of("billing").is_empty());
/// assert!(!GroupOffsets::of("billing").and("orders", 0, 4_711).is_empty());
/// ```
#[derive(Clone, Debug)]
pub struct GroupOffsets {
    pub(crate) group: Text,
    pub(crate) member: Text,
    pub(crate) generation: i32,
    pub(crate) instance: Option<Text>,
    pub(crate) offsets: BTreeMap<Key, Offset>,
}

impl GroupOffsets {
    /// Of a group whose members do not come into it: those of a consumer that is assigned by hand. Empty yet.
    ///
    /// ```
    /// let offsets = strandline_client::GroupOffsets::of("billing").and("orders", 0, 4_711);
    /// ```
    pub fn of(group: &str) -> Self {
        Self {
            group: group.into(),
            member: Text::new(),
            generation: -1,
            instance: None,
            offsets: BTreeMap::new(),
        }
    }

    /// And one more partition, with the offset of the next record that is to be read.
    ///
    /// ```
    /// let offsets = strandline_client::GroupOffsets::of("billing").and("orders", 0, 4_711).and("orders", 1, 12);
    /// ```
    #[must_use]
    pub fn and(mut self, topic: &str, partition: i32, offset: i64) -> Self {
        self.offsets.insert((topic.into(), partition), (offset, None));
        self
    }

    /// Whether there is nothing in it.
    ///
    /// ```
    /// assert!(strandline_client::GroupOffsets::of("billing").is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    pub(in crate::consumer) fn by(
        group: &str,
        instance: Option<&str>,
        identity: Identity,
        offsets: BTreeMap<Key, Offset>,
    ) -> Self {
        let Identity { member, generation } = identity;
        Self { group: group.into(), member, generation, instance: instance.map(Text::from), offsets }
    }
}
