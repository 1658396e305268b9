//! What has been read and not been committed.

use std::collections::BTreeMap;

use strandline_protocol::apis::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use strandline_protocol::schema::VersionRange;
use strandline_protocol::{ErrorCode, Text};

use super::{GroupShared, Identity, Key};
use crate::cluster::{Client, Coordinated};
use crate::consumer::record::ConsumerRecord;
use crate::error::{Error, Result};

/// From the first that knows members with names of their own, to the last that names topics.
const VERSIONS: VersionRange = VersionRange::new(7, 9);

/// An offset to be committed, and the epoch of the leader that wrote what is before it.
pub(crate) type Offset = (i64, Option<i32>);

/// By partition, the offset of the record that comes next.
#[derive(Default)]
pub(crate) struct Dirty {
    offsets: BTreeMap<Key, Offset>,
    // Of the partition that was read last: records come many from one.
    last: Option<(Key, Offset)>,
}

impl Dirty {
    pub(crate) fn count(&mut self, record: &ConsumerRecord) {
        let offset = (record.offset.saturating_add(1), record.leader_epoch);
        match &mut self.last {
            Some((key, last)) if key.1 == record.partition && key.0 == record.topic => *last = offset,
            _ => {
                let key = (record.topic.clone().detached(), record.partition);
                self.put_down();
                self.last = Some((key, offset));
            }
        }
    }

    fn put_down(&mut self) {
        self.offsets.extend(self.last.take());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.offsets.is_empty() && self.last.is_none()
    }

    /// All of it, to be committed.
    pub(crate) fn all(&mut self) -> BTreeMap<Key, Offset> {
        self.put_down();
        self.offsets.clone()
    }

    /// This has been committed: what has been read since stays.
    pub(crate) fn committed(&mut self, offsets: &BTreeMap<Key, Offset>) {
        self.put_down();
        self.offsets.retain(|key, offset| offsets.get(key) != Some(offset));
    }

    /// Nothing of these is to be committed any more.
    pub(crate) fn forget(&mut self, keys: &[Key]) {
        self.put_down();
        self.offsets.retain(|key, _| !keys.contains(key));
    }
}

/// Commits, as the member that one is.
pub(crate) async fn commit(
    client: &Client,
    shared: &GroupShared,
    offsets: &BTreeMap<Key, Offset>,
) -> Result<()> {
    let attempts = client.attempts();
    loop {
        let identity = shared.current_identity()?;
        match commit_as(client, shared, identity.clone(), offsets).await {
            // A heartbeat has brought another epoch meanwhile.
            Err(error) if error.code() == Some(ErrorCode::STALE_MEMBER_EPOCH) => {
                let is_outdated = shared.identity().generation != identity.generation;
                if !is_outdated || !attempts.has_time() {
                    return Err(error);
                }
            }
            result => return result,
        }
    }
}

async fn commit_as(
    client: &Client,
    shared: &GroupShared,
    identity: Identity,
    offsets: &BTreeMap<Key, Offset>,
) -> Result<()> {
    let mut topics: BTreeMap<&Text, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
    for ((topic, partition), (offset, epoch)) in offsets {
        topics.entry(topic).or_default().push(OffsetCommitRequestPartition {
            partition_index: *partition,
            committed_offset: *offset,
            committed_leader_epoch: epoch.unwrap_or(-1),
            committed_metadata: Some(Text::new()),
            ..Default::default()
        });
    }
    let topics = topics.into_iter().map(|(name, partitions)| OffsetCommitRequestTopic {
        name: name.clone(),
        partitions,
        ..Default::default()
    });
    let group = shared.settings.name.as_str();
    let request = OffsetCommitRequest {
        group_id: group.into(),
        generation_id_or_member_epoch: identity.generation,
        member_id: identity.member,
        group_instance_id: shared.settings.instance.as_deref().map(Text::from),
        topics: topics.collect(),
        ..Default::default()
    };
    let question = (&request, VERSIONS);
    let code =
        |response: &strandline_protocol::apis::offset_commit::OffsetCommitResponse| -> Option<ErrorCode> {
            response.topics.first()?.partitions.first().map(|partition| partition.error_code)
        };
    let response = client.ask_coordinator(Coordinated::Group, group, question, code).await?;
    for topic in response.topics {
        for partition in topic.partitions {
            let subject = || format!("{group}: {}-{}", topic.name, partition.partition_index);
            Error::check(partition.error_code, subject, None)?;
        }
    }
    Ok(())
}
