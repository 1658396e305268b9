//! Producer ids are handed out in blocks, and no id twice.

use strandline_protocol::ErrorCode;

use super::{Command, Decision, Refusal};
use crate::metadata::record::{ProducerIdsKey, ProducerIdsValue};
use crate::metadata::{MetadataImage, MetadataRecord};

/// How many ids a block has.
pub const PRODUCER_ID_BLOCK: i32 = 1_000;

/// Asks for the next block.
#[derive(Clone, Copy, Debug)]
pub struct AllocateProducerIds {
    /// The broker that will give them to producers.
    pub broker_id: i32,
}

/// Ids that belong to one broker, which gives each to one producer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ProducerIdBlock {
    /// The first id.
    pub first_id: i64,
    /// How many there are.
    pub length: i32,
}

impl Command for AllocateProducerIds {
    type Reply = ProducerIdBlock;

    fn decide(&self, image: &MetadataImage, _: i64) -> Result<Decision<ProducerIdBlock>, Refusal> {
        if image.broker(self.broker_id).is_none() {
            let message = format!("Broker ID {} is not currently registered", self.broker_id);
            return Err(Refusal::new(ErrorCode::BROKER_ID_NOT_REGISTERED, message));
        }
        let first_id = image.next_producer_id();
        let Some(next_id) = first_id.checked_add(PRODUCER_ID_BLOCK.into()).filter(|_| first_id >= 0) else {
            let message = "Exhausted all producerIds as the next block's end producerId has exceeded the int64 \
                           type limit";
            return Err(Refusal::new(ErrorCode::UNKNOWN_SERVER_ERROR, message));
        };
        let value = ProducerIdsValue { next_id, ..Default::default() };
        let records = vec![MetadataRecord::ProducerIds(ProducerIdsKey {}, Some(value))];
        Ok(Decision { records, reply: ProducerIdBlock { first_id, length: PRODUCER_ID_BLOCK } })
    }
}
