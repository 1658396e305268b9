//! What Kafka's sticky assignors tell the leader in bytes of their own, beside what every member tells: what a member
//! had, and of which generation that is. Pure.
//!
//! The eager one lets go of everything before it joins, so it has no other way to say what it had.

use std::collections::BTreeMap;

use strandline_protocol::{Bytes, Text};

use super::assign::Key;

/// As StickyAssignor writes it: topics with their partitions, then the generation.
pub(super) fn sticky(had: &[Key], generation: i32) -> Bytes {
    let mut topics: BTreeMap<&Text, Vec<i32>> = BTreeMap::new();
    for (topic, partition) in had {
        topics.entry(topic).or_default().push(*partition);
    }
    let mut bytes = Vec::new();
    put_length(&mut bytes, topics.len());
    for (topic, partitions) in topics {
        // Names of topics have 249 characters at the most.
        let length = i16::try_from(topic.len()).unwrap_or(0);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(
            topic.as_bytes().get(..usize::from(length.unsigned_abs())).unwrap_or_default(),
        );
        put_length(&mut bytes, partitions.len());
        for partition in partitions {
            bytes.extend_from_slice(&partition.to_be_bytes());
        }
    }
    bytes.extend_from_slice(&generation.to_be_bytes());
    bytes.into()
}

fn put_length(bytes: &mut Vec<u8>, length: usize) {
    bytes.extend_from_slice(&i32::try_from(length).unwrap_or(0).to_be_bytes());
}

/// What a member had, and of which generation; of an old one that does not say which, of the first.
pub(super) fn read_sticky(bytes: &[u8]) -> Option<(Vec<Key>, i32)> {
    let mut rest = bytes;
    let mut had = Vec::new();
    for _ in 0..take_i32(&mut rest)? {
        let length = usize::try_from(i16::from_be_bytes(take(&mut rest)?)).ok()?;
        let (name, after) = rest.split_at_checked(length)?;
        rest = after;
        let topic = Text::from(std::str::from_utf8(name).ok()?);
        for _ in 0..take_i32(&mut rest)? {
            had.push((topic.clone(), take_i32(&mut rest)?));
        }
    }
    Some((had, take_i32(&mut rest).unwrap_or(-1)))
}

/// As CooperativeStickyAssignor writes it, for leaders that do not look for the generation anywhere else.
pub(super) fn cooperative(generation: i32) -> Bytes {
    generation.to_be_bytes().to_vec().into()
}

pub(super) fn read_cooperative(bytes: &[u8]) -> Option<i32> {
    take_i32(&mut &*bytes)
}

fn take_i32(rest: &mut &[u8]) -> Option<i32> {
    Some(i32::from_be_bytes(take(rest)?))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by StickyAssignor of kafka-clients 4.3.1, which had t-1 and t-0 of generation 7.
    const OF_JAVA: &[u8] = &[0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7];

    #[test]
    fn it_is_what_kafka_writes() {
        let had = [(Text::from("t"), 1), (Text::from("t"), 0)];
        assert_eq!(sticky(&had, 7), OF_JAVA);
        assert_eq!(read_sticky(OF_JAVA), Some((had.to_vec(), 7)));
        let old = &OF_JAVA[..OF_JAVA.len() - 4];
        assert_eq!(read_sticky(old), Some((had.to_vec(), -1)), "it does not say which generation");
        assert_eq!(read_cooperative(&cooperative(9)), Some(9));
    }

    #[test]
    fn what_is_cut_off_is_nothing() {
        for length in 0..OF_JAVA.len() - 4 {
            assert_eq!(read_sticky(&OF_JAVA[..length]), None, "{length}");
        }
        assert_eq!(read_sticky(&[0x7F, 0xFF, 0xFF, 0xFF]), None, "no length is believed");
        assert_eq!(read_sticky(&[0xFF; 4]), Some((Vec::new(), -1)), "none is none");
    }
}
