//! A fetch session with one broker (KIP-227): what the broker remembers need not be said again, and what has nothing
//! new need not be answered. Pure.

use std::collections::BTreeMap;

use strandline_protocol::apis::fetch::{FetchPartition, FetchRequest, FetchTopic, ForgottenTopic};
use strandline_protocol::{ErrorCode, Text};

/// What is asked of one partition.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Ask {
    pub(super) offset: i64,
    pub(super) leader_epoch: i32,
    pub(super) bytes_max: i32,
}

type Key = (Text, i32);

/// What one broker remembers of us.
#[derive(Debug, Default)]
pub(super) struct Session {
    id: i32,
    // 0 opens a new one; afterwards each request has the next one.
    epoch: i32,
    known: BTreeMap<Key, Ask>,
}

impl Session {
    /// Puts into `request` what has to be said so that the broker answers for `wanted`, and for nothing else.
    pub(super) fn fill(&mut self, wanted: &BTreeMap<Key, Ask>, request: &mut FetchRequest) {
        request.session_id = self.id;
        request.session_epoch = self.epoch;
        if self.epoch == 0 {
            request.topics = by_topic(wanted.iter());
        } else {
            let changed = wanted.iter().filter(|(key, ask)| self.known.get(*key) != Some(ask));
            request.topics = by_topic(changed);
            request.forgotten_topics_data =
                forgotten(self.known.keys().filter(|key| !wanted.contains_key(*key)));
        }
        self.known.clone_from(wanted);
    }

    /// Takes what the answer says of the session. Whether the rest of the answer is to be read.
    pub(super) fn answered(&mut self, code: ErrorCode, id: i32) -> bool {
        if code != ErrorCode::NONE {
            self.lost();
            if code == ErrorCode::FETCH_SESSION_ID_NOT_FOUND {
                self.id = 0;
            }
            return false;
        }
        if id == 0 {
            // The broker has no room for one, or the answer ends it: the next request says everything again.
            *self = Self::default();
        } else if self.epoch == 0 || id == self.id {
            self.id = id;
            self.epoch = if self.epoch == i32::MAX { 1 } else { self.epoch + 1 };
        } else {
            self.lost();
        }
        true
    }

    /// What the broker remembers is not known any more: the next request ends this session and opens another.
    pub(super) fn lost(&mut self) {
        self.epoch = 0;
        self.known.clear();
    }
}

fn by_topic<'a>(asks: impl Iterator<Item = (&'a Key, &'a Ask)>) -> Vec<FetchTopic> {
    let mut topics: Vec<FetchTopic> = Vec::new();
    for ((name, partition), ask) in asks {
        let asked = FetchPartition {
            partition: *partition,
            current_leader_epoch: ask.leader_epoch,
            fetch_offset: ask.offset,
            partition_max_bytes: ask.bytes_max,
            ..Default::default()
        };
        match topics.last_mut().filter(|topic| topic.topic == *name) {
            Some(topic) => topic.partitions.push(asked),
            None => {
                topics.push(FetchTopic {
                    topic: name.clone(),
                    partitions: vec![asked],
                    ..Default::default()
                });
            }
        }
    }
    topics
}

fn forgotten<'a>(keys: impl Iterator<Item = &'a Key>) -> Vec<ForgottenTopic> {
    let mut topics: Vec<ForgottenTopic> = Vec::new();
    for (name, partition) in keys {
        match topics.last_mut().filter(|topic| topic.topic == *name) {
            Some(topic) => topic.partitions.push(*partition),
            None => topics.push(ForgottenTopic {
                topic: name.clone(),
                partitions: vec![*partition],
                ..Default::default()
            }),
        }
    }
    topics
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(partitions: &[(i32, i64)]) -> BTreeMap<Key, Ask> {
        let ask = |offset| Ask { offset, leader_epoch: 1, bytes_max: 9 };
        partitions.iter().map(|(number, offset)| ((Text::from("a"), *number), ask(*offset))).collect()
    }

    /// Session id and epoch, then the partitions that are said and those that are forgotten.
    fn said(session: &mut Session, partitions: &[(i32, i64)]) -> (i32, i32, Vec<i32>, Vec<i32>) {
        let mut request = FetchRequest::default();
        session.fill(&wanted(partitions), &mut request);
        let said = request.topics.iter().flat_map(|topic| &topic.partitions).map(|it| it.partition).collect();
        let forgotten =
            request.forgotten_topics_data.iter().flat_map(|topic| &topic.partitions).copied().collect();
        (request.session_id, request.session_epoch, said, forgotten)
    }

    #[test]
    fn only_what_changes_is_said() {
        let mut session = Session::default();
        assert_eq!(said(&mut session, &[(0, 5), (1, 5)]), (0, 0, vec![0, 1], vec![]));
        assert!(session.answered(ErrorCode::NONE, 77));
        assert_eq!(said(&mut session, &[(0, 5), (1, 6)]), (77, 1, vec![1], vec![]));
        assert!(session.answered(ErrorCode::NONE, 77));
        assert_eq!(said(&mut session, &[(1, 6), (2, 0)]), (77, 2, vec![2], vec![0]));
        assert!(session.answered(ErrorCode::NONE, 77));
        assert_eq!(said(&mut session, &[(1, 6), (2, 0)]), (77, 3, vec![], vec![]));
    }

    #[test]
    fn what_is_lost_is_said_again_from_the_start() {
        let mut session = Session::default();
        said(&mut session, &[(0, 5)]);
        assert!(session.answered(ErrorCode::NONE, 77));
        said(&mut session, &[(0, 6)]);
        session.lost();
        assert_eq!(said(&mut session, &[(0, 6)]), (77, 0, vec![0], vec![]), "it ends the old one");
        assert!(session.answered(ErrorCode::NONE, 78));
        assert_eq!(said(&mut session, &[(0, 6)]), (78, 1, vec![], vec![]));
        assert!(!session.answered(ErrorCode::FETCH_SESSION_ID_NOT_FOUND, 0));
        assert_eq!(said(&mut session, &[(0, 6)]), (0, 0, vec![0], vec![]));
        assert!(session.answered(ErrorCode::NONE, 79));
        assert!(!session.answered(ErrorCode::INVALID_FETCH_SESSION_EPOCH, 0));
        assert_eq!(said(&mut session, &[(0, 6)]), (79, 0, vec![0], vec![]));
    }

    #[test]
    fn a_broker_without_sessions_is_told_everything_each_time() {
        let mut session = Session::default();
        for _ in 0..3 {
            assert_eq!(said(&mut session, &[(0, 5)]), (0, 0, vec![0], vec![]));
            assert!(session.answered(ErrorCode::NONE, 0));
        }
    }
}
