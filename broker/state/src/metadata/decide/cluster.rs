//! The first record of a cluster.

use strandline_protocol::{ErrorCode, Text};

use super::{Command, Decision, Refusal};
use crate::metadata::record::{ClusterKey, ClusterValue, FeatureKey, FeatureValue};
use crate::metadata::{MetadataImage, MetadataRecord};

/// Gives an empty log a cluster. A log that has one keeps it, and says which.
#[derive(Clone, Debug)]
pub struct FormatCluster {
    /// The id for the cluster, random.
    pub cluster_id: Text,
    /// The features that are on from the start, with their levels.
    pub features: Vec<(Text, i16)>,
}

impl Command for FormatCluster {
    /// The id that the cluster has now.
    type Reply = Text;

    fn decide(&self, image: &MetadataImage, _: i64) -> Result<Decision<Text>, Refusal> {
        if let Some(cluster_id) = image.cluster_id() {
            return Ok(Decision { records: Vec::new(), reply: cluster_id.clone() });
        }
        if self.cluster_id.is_empty() {
            return Err(Refusal::new(ErrorCode::INVALID_REQUEST, "The cluster id must not be empty."));
        }
        let cluster = ClusterValue { cluster_id: self.cluster_id.clone(), ..Default::default() };
        let mut records = vec![MetadataRecord::Cluster(ClusterKey {}, Some(cluster))];
        for (name, level) in self.features.iter().filter(|(_, level)| *level > 0) {
            let value = FeatureValue { level: *level, ..Default::default() };
            records.push(MetadataRecord::Feature(FeatureKey { name: name.clone() }, Some(value)));
        }
        Ok(Decision { records, reply: self.cluster_id.clone() })
    }
}
