//! Ids for producers: taken from blocks that belong to this broker alone, so that no id is given twice.
//!
//! What is left of a block is lost when the process ends. Where blocks come from is another's concern.

use std::fmt;
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Mutex as StdMutex, PoisonError};

use strandline_protocol::ErrorCode;
use tokio::sync::Mutex;

/// A block on its way.
pub type NextBlock<'a> = Pin<Box<dyn Future<Output = Result<Range<i64>, ErrorCode>> + Send + 'a>>;

/// Gives out blocks of ids, none of them twice.
pub trait ProducerIdBlocks: Send + Sync + fmt::Debug {
    /// The next block, once it is certain that nobody else gets it.
    fn next_block(&self) -> NextBlock<'_>;
}

/// The ids that this broker has left.
#[derive(Debug)]
pub struct ProducerIds {
    blocks: Box<dyn ProducerIdBlocks>,
    left: StdMutex<Range<i64>>,
    /// Held by the one who fetches the next block: the others wait for that one.
    fetching: Mutex<()>,
}

impl ProducerIds {
    /// Ids from these blocks.
    pub fn new(blocks: Box<dyn ProducerIdBlocks>) -> Self {
        Self { blocks, left: StdMutex::new(0..0), fetching: Mutex::new(()) }
    }

    /// An id that nobody has.
    ///
    /// # Errors
    /// There is no other block to be had.
    pub async fn next(&self) -> Result<i64, ErrorCode> {
        loop {
            if let Some(id) = self.take() {
                return Ok(id);
            }
            let _fetching = self.fetching.lock().await;
            if self.is_empty() {
                let block = self.blocks.next_block().await?;
                *self.left.lock().unwrap_or_else(PoisonError::into_inner) = block;
            }
        }
    }

    fn take(&self) -> Option<i64> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).next()
    }

    fn is_empty(&self) -> bool {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    #[derive(Debug, Default)]
    struct Counted(AtomicI64);

    impl ProducerIdBlocks for Counted {
        fn next_block(&self) -> NextBlock<'_> {
            Box::pin(async {
                tokio::task::yield_now().await;
                let first = self.0.fetch_add(10, Ordering::Relaxed);
                if first < 100 { Ok(first..first + 10) } else { Err(ErrorCode::KAFKA_STORAGE_ERROR) }
            })
        }
    }

    #[tokio::test]
    async fn every_id_is_given_once_and_no_block_is_wasted() {
        let ids = Arc::new(ProducerIds::new(Box::<Counted>::default()));
        let asking: Vec<_> = (0..100)
            .map(|_| {
                let ids = Arc::clone(&ids);
                tokio::spawn(async move { ids.next().await.unwrap() })
            })
            .collect();
        let mut given = BTreeSet::new();
        for asking in asking {
            assert!(given.insert(asking.await.unwrap()));
        }
        assert_eq!((given.first(), given.last()), (Some(&0), Some(&99)));
        assert_eq!(ids.next().await, Err(ErrorCode::KAFKA_STORAGE_ERROR));
    }
}
