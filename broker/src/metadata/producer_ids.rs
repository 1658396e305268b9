//! Ids for producers, out of the metadata: so that no broker ever gives one that another one gave.

use std::sync::Arc;

use strandline_state::metadata::decide::{AllocateProducerIds, ProducerIdBlock};

use super::Metadata;
use crate::producer_ids::{NextBlock, ProducerIdBlocks};

/// Blocks of ids that belong to this broker.
#[derive(Debug)]
pub struct MetadataBlocks(Arc<Metadata>);

impl MetadataBlocks {
    /// Blocks out of this metadata.
    pub fn new(metadata: Arc<Metadata>) -> Self {
        Self(metadata)
    }
}

impl ProducerIdBlocks for MetadataBlocks {
    fn next_block(&self) -> NextBlock<'_> {
        Box::pin(async {
            let block = self.0.run(AllocateProducerIds { broker_id: self.0.node_id() }).await;
            let ProducerIdBlock { first_id, length } = block.map_err(|refusal| refusal.code)?;
            Ok(first_id..first_id.saturating_add(length.into()))
        })
    }
}
