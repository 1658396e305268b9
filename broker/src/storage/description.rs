//! What a log of the engine is told to be, so that it is found again: the partition of a topic.

use bytes::Bytes;
use strandline_protocol::Uuid;

use super::TopicPartition;

/// The version of these bytes.
const VERSION: u8 = 1;

const BYTES: usize = 1 + 16 + 4;

impl TopicPartition {
    /// As the engine keeps it: a version, the topic's id and the partition's index, big-endian.
    pub fn to_description(self) -> Bytes {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.push(VERSION);
        bytes.extend(self.topic_id.0);
        bytes.extend(self.index.to_be_bytes());
        bytes.into()
    }

    /// What the engine kept; none if it is nothing of ours, or of a later version.
    pub fn from_description(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; BYTES] = bytes.try_into().ok()?;
        let (&version, rest) = bytes.split_first()?;
        let (&topic_id, index) = rest.split_first_chunk::<16>()?;
        let index = i32::from_be_bytes(index.try_into().ok()?);
        (version == VERSION).then_some(Self { topic_id: Uuid(topic_id), index })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_read_as_written_and_nothing_else_is() {
        let place = TopicPartition { topic_id: Uuid([7; 16]), index: 300 };
        let bytes = place.to_description();
        assert_eq!(bytes.as_ref(), [&[1][..], &[7; 16], &[0, 0, 1, 44]].concat());
        assert_eq!(TopicPartition::from_description(&bytes), Some(place));
        assert_eq!(TopicPartition::from_description(&bytes[1..]), None);
        assert_eq!(TopicPartition::from_description(&[&[2][..], &bytes[1..]].concat()), None);
    }
}
