//! What has to be asked of each partition's leader: grouped by leader, and asked again where leadership moved.

use std::collections::{BTreeMap, HashMap};

use strandline_protocol::schema::VersionRange;
use strandline_protocol::{ErrorCode, Request};

use super::{Admin, EachPartition};
use crate::error::{Error, Result};

/// One thing that is wanted of one partition.
#[derive(Clone, Debug)]
pub(super) struct Wanted<W> {
    pub(super) topic: String,
    pub(super) partition: i32,
    pub(super) what: W,
}

impl<W> Wanted<W> {
    fn key(&self) -> (String, i32) {
        (self.topic.clone(), self.partition)
    }
}

/// What is wanted of one leader, by topic.
pub(super) type ByTopic<'a, W> = BTreeMap<&'a str, Vec<&'a Wanted<W>>>;

impl Admin {
    /// Asks the leader of each partition, until each has answered or the time of one request is over. The results
    /// stand in the order of `wanted`.
    ///
    /// `question` says what to ask a leader and in which versions, `read` what it answered.
    pub(super) async fn ask_leaders<W, R: Request, T>(
        &self,
        wanted: &[Wanted<W>],
        question: impl Fn(&ByTopic<'_, W>) -> (R, VersionRange),
        read: impl Fn(R::Response) -> EachPartition<T>,
    ) -> EachPartition<T> {
        let mut results: HashMap<(String, i32), Result<T>> = HashMap::new();
        let mut attempts = self.client.attempts();
        let mut left: Vec<&Wanted<W>> = wanted.iter().collect();
        let mut topics: Vec<&str> = wanted.iter().map(|wanted| wanted.topic.as_str()).collect();
        topics.sort_unstable();
        topics.dedup();
        let metadata = self.client.metadata();
        if topics.iter().any(|topic| !metadata.topics.contains_key(*topic)) {
            // Where this fails, each partition says so below.
            let _ = self.client.refresh(&topics).await;
        }
        while !left.is_empty() {
            for (leader, group) in self.by_leader(&left) {
                let (request, versions) = question(&group);
                match self.ask_leader(leader, &request, versions).await {
                    Ok(response) => results.extend(read(response)),
                    Err(error) => {
                        let asked = group.values().flatten();
                        results.extend(asked.map(|wanted| (wanted.key(), Err(error.clone()))));
                    }
                }
            }
            left.retain(|wanted| is_worth_another(results.get(&wanted.key())));
            let error =
                left.first().and_then(|wanted| results.get(&wanted.key())).and_then(|it| it.as_ref().err());
            let Some(error) = error.cloned() else { break };
            if attempts.after(error, &topics).await.is_err() {
                break;
            }
        }
        let missing =
            |wanted: &Wanted<W>| Err(Error::Missing(format!("{}-{}", wanted.topic, wanted.partition)));
        let result = |wanted: &Wanted<W>| {
            let key = wanted.key();
            let result = results.remove(&key).unwrap_or_else(|| missing(wanted));
            (key, result)
        };
        wanted.iter().map(result).collect()
    }

    async fn ask_leader<R: Request>(
        &self,
        leader: Option<i32>,
        request: &R,
        versions: VersionRange,
    ) -> Result<R::Response> {
        let missing = || Error::broker(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, "the leader", None);
        let connection = self.client.broker(leader.ok_or_else(missing)?).await?;
        connection.submit(request, versions).await?.await
    }

    fn by_leader<'a, W>(&self, wanted: &[&'a Wanted<W>]) -> BTreeMap<Option<i32>, ByTopic<'a, W>> {
        let metadata = self.client.metadata();
        let mut groups: BTreeMap<Option<i32>, ByTopic<'a, W>> = BTreeMap::new();
        for wanted in wanted {
            let leader = metadata.leader(&wanted.topic, wanted.partition).map(|broker| broker.id);
            groups.entry(leader).or_default().entry(&wanted.topic).or_default().push(wanted);
        }
        groups
    }
}

fn is_worth_another<T>(result: Option<&Result<T>>) -> bool {
    matches!(result, Some(Err(error)) if error.is_retriable())
}
