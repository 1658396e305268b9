//! A broker makes itself known.

use std::collections::BTreeSet;

use strandline_protocol::{ErrorCode, Text, Uuid};

use super::{Command, Decision, Refusal};
use crate::metadata::record::{BrokerEndpoint, BrokerKey, BrokerValue};
use crate::metadata::{MetadataImage, MetadataRecord};

/// Registers a broker, or what changed about it since it registered last.
#[derive(Clone, Debug)]
pub struct RegisterBroker {
    /// The cluster that it believes to belong to.
    pub cluster_id: Text,
    /// Its number.
    pub node_id: i32,
    /// Which start of it this is, random.
    pub incarnation_id: Uuid,
    /// The ids of its data directories.
    pub directory_ids: Vec<Uuid>,
    /// Where it can be reached.
    pub endpoints: Vec<BrokerEndpoint>,
    /// The rack, or zone, that it stands in.
    pub rack: Option<Text>,
    /// Whether it must not lead anything yet.
    pub fenced: bool,
    /// Whether it is known that no other start of this broker is alive, as where the broker is the cluster.
    pub is_alone: bool,
}

impl Command for RegisterBroker {
    type Reply = ();

    fn decide(&self, image: &MetadataImage, _: i64) -> Result<Decision<()>, Refusal> {
        self.check(image)?;
        let before = image.broker(self.node_id);
        let value = BrokerValue {
            incarnation_id: self.incarnation_id,
            directory_ids: self.directory_ids.clone(),
            endpoints: self.endpoints.clone(),
            rack: self.rack.clone(),
            fenced: self.fenced,
            unknown_tagged_fields: before
                .map(|broker| broker.unknown_tagged_fields.clone())
                .unwrap_or_default(),
        };
        if before == Some(&value) {
            return Ok(Decision { records: Vec::new(), reply: () });
        }
        let record = MetadataRecord::Broker(BrokerKey { node_id: self.node_id }, Some(value));
        Ok(Decision { records: vec![record], reply: () })
    }
}

impl RegisterBroker {
    fn check(&self, image: &MetadataImage) -> Result<(), Refusal> {
        let invalid = |message: &str| Err(Refusal::new(ErrorCode::INVALID_REGISTRATION, message));
        match image.cluster_id() {
            Some(cluster_id) if *cluster_id == self.cluster_id => {}
            known => {
                let known = known.map_or("none", |known| known.as_str());
                let message = format!("Expected cluster ID {known}, but got cluster ID {}", self.cluster_id);
                return Err(Refusal::new(ErrorCode::INCONSISTENT_CLUSTER_ID, message));
            }
        }
        if self.node_id < 0 {
            return invalid("The broker id must not be negative.");
        }
        if self.endpoints.is_empty() {
            return invalid("A broker must have at least one listener.");
        }
        if self.directory_ids.is_empty() || self.directory_ids.iter().any(|id| id.is_zero()) {
            return invalid("Each data directory must have an id.");
        }
        let directories: BTreeSet<_> = self.directory_ids.iter().collect();
        if directories.len() != self.directory_ids.len() {
            return invalid("A data directory is named twice.");
        }
        let others = image.brokers().filter(|(node_id, _)| *node_id != self.node_id);
        for (node_id, other) in others {
            if other.directory_ids.iter().any(|id| directories.contains(id)) {
                return invalid(&format!("Broker {node_id} has registered one of the data directories."));
            }
        }
        match image.broker(self.node_id) {
            Some(before)
                if !before.fenced && before.incarnation_id != self.incarnation_id && !self.is_alone =>
            {
                let message = format!(
                    "Another broker is registered with that broker id. If the broker was recently restarted \
                     this should self-resolve once the heartbeat manager expires the broker's session. ({})",
                    self.node_id
                );
                Err(Refusal::new(ErrorCode::DUPLICATE_BROKER_REGISTRATION, message))
            }
            _ => Ok(()),
        }
    }
}
