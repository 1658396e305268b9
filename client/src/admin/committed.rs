//! How far groups have read.

use strandline_protocol::apis::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
    OffsetFetchResponse,
};
use strandline_protocol::schema::VersionRange;
use strandline_protocol::{ErrorCode, Text};

use super::{Admin, EachPartition};
use crate::cluster::{Client, Coordinated};
use crate::error::{Error, Result};

/// The first version that asks for several groups, and the last that names topics.
const MANY: VersionRange = VersionRange::new(8, 9);
/// Those before, from the first that can ask for every partition.
const ONE: VersionRange = VersionRange::new(2, 7);
/// The one of them that can ask for what is sure.
const ONE_SURE: VersionRange = VersionRange::new(7, 7);

/// How far a group has read a partition.
///
/// ```
/// let committed = strandline_client::CommittedOffset { offset: 42, ..Default::default() };
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CommittedOffset {
    /// The offset of the record that comes next.
    pub offset: i64,
    /// The epoch of the leader that wrote the last one, if that was said.
    pub leader_epoch: Option<i32>,
    /// What was said beside it.
    pub metadata: String,
}

impl Admin {
    /// How far a group has read each partition of which that is known. What an open transaction says of that does not
    /// count before it has been committed, and that takes a moment longer than its producer's answer.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// for ((topic, partition), committed) in admin.group_offsets("billing").await? {
    ///     println!("{topic}-{partition}: {}", committed?.offset);
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn group_offsets(&self, group: &str) -> Result<EachPartition<CommittedOffset>> {
        let found = committed(&self.client, group, None, false).await?;
        let known = |(key, committed): (_, Result<Option<_>>)| match committed {
            Ok(committed) => committed.map(|committed| (key, Ok(committed))),
            Err(error) => Some((key, Err(error))),
        };
        Ok(found.into_iter().filter_map(known).collect())
    }
}

/// Asks for these partitions, by topic, or for all of which something is known. What has to be sure is an error that
/// passes as long as a transaction may yet replace it; brokers that do not know version 7 tell it as it is.
pub(crate) async fn committed(
    client: &Client,
    group: &str,
    topics: Option<&[(Text, Vec<i32>)]>,
    must_be_sure: bool,
) -> Result<EachPartition<Option<CommittedOffset>>> {
    let connection = client.reach_coordinator(Coordinated::Group, group).await?;
    let highest = connection.versions().highest::<OffsetFetchRequest>();
    let (request, versions) = question(group, topics, must_be_sure, highest);
    let code = |response: &OffsetFetchResponse| -> Option<ErrorCode> {
        Some(response.groups.first().map_or(response.error_code, |group| group.error_code))
    };
    let response = client.ask_coordinator(Coordinated::Group, group, (&request, versions), code).await?;
    let of_group = code(&response).unwrap_or(ErrorCode::NONE);
    Error::check(of_group, || format!("group {group}"), None)?;
    Ok(read(group, response))
}

/// What to ask a broker that knows versions up to this one.
fn question(
    group: &str,
    topics: Option<&[(Text, Vec<i32>)]>,
    must_be_sure: bool,
    highest: Option<i16>,
) -> (OffsetFetchRequest, VersionRange) {
    if highest >= Some(MANY.first) {
        let topic = |(name, partitions): &(Text, Vec<i32>)| OffsetFetchRequestTopics {
            name: name.clone(),
            partition_indexes: partitions.clone(),
            ..Default::default()
        };
        let topics = topics.map(|topics| topics.iter().map(topic).collect());
        let asked = OffsetFetchRequestGroup { group_id: group.into(), topics, ..Default::default() };
        let groups = vec![asked];
        let request = OffsetFetchRequest { groups, require_stable: must_be_sure, ..Default::default() };
        return (request, MANY);
    }
    let topic = |(name, partitions): &(Text, Vec<i32>)| OffsetFetchRequestTopic {
        name: name.clone(),
        partition_indexes: partitions.clone(),
        ..Default::default()
    };
    let topics = topics.map(|topics| topics.iter().map(topic).collect());
    let require_stable = must_be_sure && highest >= Some(ONE_SURE.first);
    let request = OffsetFetchRequest { group_id: group.into(), topics, require_stable, ..Default::default() };
    (request, if require_stable { ONE_SURE } else { ONE })
}

fn read(group: &str, response: OffsetFetchResponse) -> EachPartition<Option<CommittedOffset>> {
    let mut results = Vec::new();
    let mut add =
        |topic: &Text, partition: i32, code: ErrorCode, offset: i64, epoch: i32, said: Option<Text>| {
            let checked = Error::check(code, || format!("{group}: {topic}-{partition}"), None);
            let committed = CommittedOffset {
                offset,
                leader_epoch: Some(epoch).filter(|epoch| *epoch >= 0),
                metadata: said.map(String::from).unwrap_or_default(),
            };
            let committed = Some(committed).filter(|committed| committed.offset >= 0);
            results.push(((topic.clone().into(), partition), checked.map(|()| committed)));
        };
    for topic in response.topics {
        for it in topic.partitions {
            let (partition, epoch) = (it.partition_index, it.committed_leader_epoch);
            add(&topic.name, partition, it.error_code, it.committed_offset, epoch, it.metadata);
        }
    }
    for topic in response.groups.into_iter().flat_map(|group| group.topics) {
        for it in topic.partitions {
            let (partition, epoch) = (it.partition_index, it.committed_leader_epoch);
            add(&topic.name, partition, it.error_code, it.committed_offset, epoch, it.metadata);
        }
    }
    results
}

#[cfg(test)]
mod tests {
    use strandline_protocol::Message;

    use super::*;

    /// The question as a broker reads it that knows versions up to this one.
    fn asked(
        highest: i16,
        topics: Option<&[(Text, Vec<i32>)]>,
        must_be_sure: bool,
    ) -> (i16, OffsetFetchRequest) {
        let (request, versions) = question("billing", topics, must_be_sure, Some(highest));
        let version = versions.intersection(VersionRange::new(1, highest)).last;
        let bytes = request.to_bytes(version).unwrap();
        (version, OffsetFetchRequest::from_bytes(bytes, version).unwrap())
    }

    #[test]
    fn what_has_to_be_sure_is_asked_for_so_in_every_version_that_can() {
        let topics = [(Text::from("orders"), vec![0, 3])];
        for highest in 2..=10 {
            for (topics, must_be_sure) in [(None, true), (Some(&topics[..]), true), (None, false)] {
                let (version, read) = asked(highest, topics, must_be_sure);
                assert_eq!(version, highest.min(9), "the newest that names topics");
                assert_eq!(read.require_stable, must_be_sure && version >= 7, "version {version}");
                let of_one =
                    read.topics.iter().flatten().map(|topic| (&topic.name, &topic.partition_indexes));
                let of_many = read.groups.iter().flat_map(|group| group.topics.iter().flatten());
                let of_many = of_many.map(|topic| (&topic.name, &topic.partition_indexes));
                let named: Vec<_> = of_one.chain(of_many).collect();
                let wanted: Vec<_> =
                    topics.iter().flat_map(|topics| topics.iter().map(|(name, all)| (name, all))).collect();
                assert_eq!(named, wanted, "version {version}");
                let group = read.groups.first().map_or(&read.group_id, |group| &group.group_id);
                assert_eq!(*group, "billing", "version {version}");
            }
        }
    }
}
