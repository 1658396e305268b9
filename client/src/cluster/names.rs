//! The names of topics that are known by their ids.

use std::collections::{BTreeSet, HashMap};

use strandline_protocol::apis::metadata::MetadataRequestTopic;
use strandline_protocol::{Text, Uuid};

use super::{Client, ClusterMetadata};
use crate::error::Result;

impl Client {
    /// The names of these topics, of those that exist. What is not known yet is asked for.
    pub(crate) async fn names_of_topics(&self, ids: &BTreeSet<Uuid>) -> Result<HashMap<Uuid, Text>> {
        let known = names(&self.metadata(), ids);
        let unknown = ids.iter().filter(|id| !known.contains_key(id));
        let by_id = |id: &Uuid| MetadataRequestTopic { topic_id: *id, name: None, ..Default::default() };
        let unknown: Vec<_> = unknown.map(by_id).collect();
        if unknown.is_empty() {
            return Ok(known);
        }
        let (metadata, _) = self.ask_metadata(Some(unknown), false).await?;
        Ok(names(&metadata, ids))
    }
}

fn names(metadata: &ClusterMetadata, ids: &BTreeSet<Uuid>) -> HashMap<Uuid, Text> {
    let wanted = metadata.topics.values().filter(|topic| ids.contains(&topic.id));
    wanted.map(|topic| (topic.id, Text::from(topic.name.as_str()))).collect()
}
