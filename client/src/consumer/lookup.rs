//! What has to be asked before a partition can be read: where to begin, and whether a new leader still has what was
//! read of the old one.

use std::collections::BTreeMap;

use strandline_protocol::apis::offset_for_leader_epoch::{
    OffsetForLeaderEpochRequest, OffsetForLeaderPartition, OffsetForLeaderTopic,
};

use super::state::Key;
use crate::admin::{Isolation, ListOffsets, OffsetAt};
use crate::cluster::Client;
use crate::error::{Error, Result};

/// An answer for each partition, with the generation that it was asked in.
pub(super) type Answers = Vec<(Key, u64, Result<i64>)>;

/// Offsets that are wanted.
pub(super) struct Search {
    pub(super) wanted: Vec<(Key, OffsetAt, u64)>,
    pub(super) isolation: Isolation,
}

/// Looks for offsets. Where no record is as late as was asked for, it is the end.
pub(super) async fn search(client: &Client, search: Search) -> Answers {
    let Search { wanted, isolation } = search;
    let first = ask(client, &wanted, isolation).await;
    let (mut answers, mut late) = (Vec::new(), Vec::new());
    for ((key, _, generation), found) in wanted.into_iter().zip(first) {
        match found {
            Ok(Some(offset)) => answers.push((key, generation, Ok(offset))),
            Ok(None) => late.push((key, OffsetAt::Latest, generation)),
            Err(error) => answers.push((key, generation, Err(error))),
        }
    }
    if late.is_empty() {
        return answers;
    }
    let ends = ask(client, &late, isolation).await;
    for ((key, _, generation), found) in late.into_iter().zip(ends) {
        let missing = || Error::Missing(format!("the end of {}-{}", key.0, key.1));
        let found = found.and_then(|offset| offset.ok_or_else(missing));
        answers.push((key, generation, found));
    }
    answers
}

async fn ask(
    client: &Client,
    wanted: &[(Key, OffsetAt, u64)],
    isolation: Isolation,
) -> Vec<Result<Option<i64>>> {
    let mut question = ListOffsets::new().isolation(isolation);
    for ((topic, partition), at, _) in wanted {
        question = question.of(topic.as_str(), *partition, *at);
    }
    let found = client.admin().list_offsets(&question).await;
    found.into_iter().map(|(_, found)| found.map(|found| found.offset)).collect()
}

/// Positions that a leader is asked about: for each partition the epoch of the last record read, the leader's own,
/// and the generation.
pub(super) struct Doubt {
    pub(super) leader: i32,
    pub(super) doubts: Vec<(Key, i32, i32, u64)>,
}

/// Asks where the records of an epoch end, -1 where the leader does not know the epoch.
pub(super) async fn validate(client: &Client, doubt: Doubt) -> Answers {
    let Doubt { leader, doubts } = doubt;
    let result = ask_ends(client, leader, &doubts).await;
    let answer = |(key, _, _, generation): (Key, i32, i32, u64)| {
        let end = match &result {
            Ok(ends) => match ends.get(&key) {
                Some(end) => end.clone(),
                None => Err(Error::Missing(format!("the end of an epoch of {}-{}", key.0, key.1))),
            },
            Err(error) => Err(error.clone()),
        };
        (key, generation, end)
    };
    doubts.into_iter().map(answer).collect()
}

async fn ask_ends(
    client: &Client,
    leader: i32,
    doubts: &[(Key, i32, i32, u64)],
) -> Result<BTreeMap<Key, Result<i64>>> {
    let mut topics: BTreeMap<&str, Vec<OffsetForLeaderPartition>> = BTreeMap::new();
    for ((topic, partition), epoch, leader_epoch, _) in doubts {
        topics.entry(topic.as_str()).or_default().push(OffsetForLeaderPartition {
            partition: *partition,
            current_leader_epoch: *leader_epoch,
            leader_epoch: *epoch,
            ..Default::default()
        });
    }
    let topics = topics.into_iter().map(|(topic, partitions)| OffsetForLeaderTopic {
        topic: topic.into(),
        partitions,
        ..Default::default()
    });
    let request =
        OffsetForLeaderEpochRequest { replica_id: -1, topics: topics.collect(), ..Default::default() };
    let response = client.broker(leader).await?.request(&request).await?;
    let mut ends = BTreeMap::new();
    for topic in response.topics {
        for partition in topic.partitions {
            let key = (topic.topic.clone(), partition.partition);
            let subject = || format!("{}-{}", topic.topic, partition.partition);
            let end = Error::check(partition.error_code, subject, None).map(|()| partition.end_offset);
            ends.insert(key, end);
        }
    }
    Ok(ends)
}
