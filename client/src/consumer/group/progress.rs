//! How far a group has got in its partitions.

use std::collections::HashMap;
use std::sync::Arc;

use strandline_protocol::Text;
use tokio::task::JoinSet;

use super::{GroupShared, Key};
use crate::admin;
use crate::cluster::Client;
use crate::error::{Error, Result};

/// By partition, the offset that comes next; none where nothing was committed.
pub(crate) type Progress = Vec<(Key, Option<i64>)>;

/// Where the group has got to in these, in their order. What is not sure yet, because a transaction has it, is waited for.
pub(crate) async fn progress(client: &Client, group: &GroupShared, keys: &[Key]) -> Result<Progress> {
    let mut attempts = client.attempts();
    loop {
        match progress_now(client, group, keys).await {
            Err(error) => attempts.after(error, &[]).await?,
            found => return found,
        }
    }
}

async fn progress_now(client: &Client, group: &GroupShared, keys: &[Key]) -> Result<Progress> {
    let mut topics: Vec<(Text, Vec<i32>)> = Vec::new();
    for (topic, partition) in keys {
        match topics.last_mut().filter(|(last, _)| last == topic) {
            Some((_, partitions)) => partitions.push(*partition),
            None => topics.push((topic.clone(), vec![*partition])),
        }
    }
    let mut offsets = HashMap::new();
    for (key, found) in admin::committed(client, &group.settings.name, Some(&topics), true).await? {
        offsets.insert(key, found?.map(|committed| committed.offset));
    }
    let offset =
        |(topic, partition): &Key| offsets.get(&(topic.as_str().to_owned(), *partition)).copied().flatten();
    Ok(keys.iter().map(|key| (key.clone(), offset(key))).collect())
}

/// Asks for the progress in what was assigned, once, and goes on while nobody waits for it: a user who has less patience
/// than the answer takes would otherwise ask anew each time, and never begin. It ends when this is dropped.
///
/// The answer is as good later as it was when it came: nobody commits in these before they have been begun with, or are
/// somebody else's.
#[derive(Default)]
pub(crate) struct Lookup(JoinSet<Result<Progress>>);

impl Lookup {
    /// What comes of the question that is under way, which was for the same; without one, of this one.
    pub(crate) async fn of(
        &mut self,
        client: &Client,
        group: &Arc<GroupShared>,
        keys: &[Key],
    ) -> Result<Progress> {
        if self.0.is_empty() {
            let (client, group, keys) = (client.clone(), Arc::clone(group), keys.to_vec());
            self.0.spawn(async move { progress(&client, &group, &keys).await });
        }
        match self.0.join_next().await {
            Some(Ok(found)) => found,
            // Its runtime is going down, and with it whoever waits.
            _ => Err(Error::Settings("the runtime of this consumer has ended".to_owned())),
        }
    }
}
