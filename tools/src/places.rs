//! Offsets of places: where `beginning`, `end` or a time is in each partition at this moment.

use std::collections::BTreeMap;

use strandline_client::{Client, EachPartition, Error, ListOffsets, OffsetAt};

use crate::arguments::Place;

type Key = (String, i32);

/// The offset of a place in each partition, within what is there: what lies before the beginning or behind the end is
/// that.
pub(crate) async fn find(client: &Client, wanted: &[(String, i32, Place)]) -> EachPartition<i64> {
    let all = || wanted.iter().map(|(topic, partition, _)| (topic.as_str(), *partition));
    let begins = ask(client, all().map(|(topic, partition)| (topic, partition, OffsetAt::Earliest))).await;
    let ends = ask(client, all().map(|(topic, partition)| (topic, partition, OffsetAt::Latest))).await;
    let timed = wanted.iter().filter_map(|(topic, partition, place)| match place {
        Place::Time(time) => Some((topic.as_str(), *partition, OffsetAt::Timestamp(*time))),
        _ => None,
    });
    let times = ask(client, timed).await;
    let offset = |(topic, partition, place): &(String, i32, Place)| {
        let key = (topic.clone(), *partition);
        let bound = |found: &BTreeMap<Key, Result<Option<i64>, Error>>| {
            let missing = || Error::Missing(format!("where {topic}-{partition} is"));
            found.get(&key).cloned().unwrap_or_else(|| Err(missing())).map(|offset| offset.unwrap_or(0))
        };
        let result = bound(&begins).and_then(|begin| {
            let end = bound(&ends)?;
            let offset = match place {
                Place::Beginning => begin,
                Place::End => end,
                Place::Offset(offset) => *offset,
                Place::Last(count) => end.saturating_sub(*count),
                // Where nothing is as late, there is only the end.
                Place::Time(_) => times.get(&key).cloned().transpose()?.flatten().unwrap_or(end),
            };
            Ok(offset.clamp(begin, end.max(begin)))
        });
        (key, result)
    };
    wanted.iter().map(offset).collect()
}

async fn ask<'a>(
    client: &Client,
    wanted: impl Iterator<Item = (&'a str, i32, OffsetAt)>,
) -> BTreeMap<Key, Result<Option<i64>, Error>> {
    let mut question = ListOffsets::new();
    let mut is_empty = true;
    for (topic, partition, at) in wanted {
        question = question.of(topic, partition, at);
        is_empty = false;
    }
    if is_empty {
        return BTreeMap::new();
    }
    let found = client.admin().list_offsets(&question).await;
    found.into_iter().map(|(key, found)| (key, found.map(|found| found.offset))).collect()
}
