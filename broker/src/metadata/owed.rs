//! What follows from the metadata and cannot be carried out, since the disk is full: logs that are to be made, kept
//! otherwise, or removed. It is tried again until it can be; everything else goes on meanwhile.
//!
//! What stands in the metadata's log is so, and cannot be taken back. A partition whose log is owed takes and gives
//! nothing: whoever asks for it is told of the storage's error.

use std::collections::BTreeSet;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use strandline_log::engine::Partition;
use strandline_protocol::Uuid;
use strandline_state::metadata::MetadataImage;
use strandline_state::metadata::image::Topic;
use tokio::time::sleep;

use super::{Metadata, MetadataChange, MetadataError, Standing};

/// So long from one try to the next: the engine looks as often whether there is room.
const PAUSE: Duration = Duration::from_secs(1);

/// What is to be tried again.
#[derive(Debug, Default)]
pub(super) struct Owed {
    /// Topics some of whose logs are not there, or are kept otherwise than they should be.
    topics: BTreeSet<Uuid>,
    /// Logs that are to go, and that nobody finds any more.
    gone: Vec<Arc<Partition>>,
    /// Whether somebody tries.
    is_tried: bool,
}

impl Owed {
    fn is_empty(&self) -> bool {
        self.topics.is_empty() && self.gone.is_empty()
    }
}

impl Metadata {
    fn owed(&self) -> MutexGuard<'_, Owed> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes topics some of whose logs are owed; says whether any was not noted yet.
    pub(super) fn owe_topics(&self, topics: impl IntoIterator<Item = Uuid>) -> bool {
        let mut owed = self.owed();
        let before = owed.topics.len();
        owed.topics.extend(topics);
        owed.topics.len() > before
    }

    /// Notes logs that could not be removed.
    pub(super) fn owe_removals(&self, logs: impl IntoIterator<Item = Arc<Partition>>) {
        self.owed().gone.extend(logs);
    }

    /// Has somebody try until nothing is owed any more, if something is.
    pub(super) fn settle(self: &Arc<Self>) {
        {
            let mut owed = self.owed();
            if owed.is_tried || owed.is_empty() {
                return;
            }
            owed.is_tried = true;
        }
        tracing::error!(
            "the disk is full: not all is carried out that the metadata says, and it is tried again"
        );
        let metadata = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                sleep(PAUSE).await;
                let Some(metadata) = metadata.upgrade() else { return };
                if metadata.is_settled().await {
                    return;
                }
            }
        });
    }

    /// Tries once; says whether it need not be tried again.
    async fn is_settled(&self) -> bool {
        let mut standing = self.changing.lock().await;
        if let Standing::Unknown(_) = &*standing {
            return true;
        }
        if let Err(error) = self.pay().await {
            tracing::error!(%error, "the metadata takes no changes any more");
            *standing = Standing::Unknown(error.to_string());
            return true;
        }
        let mut owed = self.owed();
        owed.is_tried = !owed.is_empty();
        !owed.is_tried
    }

    /// Carries out what can be; what cannot is noted again.
    async fn pay(&self) -> Result<(), MetadataError> {
        let (ids, gone) = {
            let mut owed = self.owed();
            (std::mem::take(&mut owed.topics), std::mem::take(&mut owed.gone))
        };
        let (image, settings) = (self.image(), self.settings());
        let topics: Vec<Arc<Topic>> = ids.iter().filter_map(|id| image.topic_by_id(*id)).cloned().collect();
        self.create_logs(&image, &settings, topics.iter()).await?;
        self.configure_logs(&image, &settings, topics.iter()).await?;
        self.remove_logs(gone).await?;
        let settled: Vec<Uuid> = {
            let owed = self.owed();
            topics.iter().map(|topic| topic.id()).filter(|id| !owed.topics.contains(id)).collect()
        };
        if !settled.is_empty() {
            tracing::warn!(
                topics = settled.len(),
                "there is room again: topics have their logs as they should be"
            );
            self.tell_of(image, settled).await;
        }
        Ok(())
    }

    /// Has those look again who know these topics without their logs.
    async fn tell_of(&self, image: Arc<MetadataImage>, topics: Vec<Uuid>) {
        self.topics.refresh(&image, &self.settings(), topics.iter().copied());
        let change = MetadataChange {
            image,
            changed: topics,
            deleted: Vec::new(),
            settings_changed: false,
            groups_configured: false,
        };
        self.listeners.tell(change).await;
    }
}
