//! Who is told of changes: those who keep something that follows from the metadata.

use std::sync::{Arc, Mutex, PoisonError};

use strandline_protocol::{Text, Uuid};
use strandline_state::metadata::MetadataImage;
use tokio::sync::mpsc;

use super::Metadata;

/// So many changes wait for one who is told. Who falls behind holds up the next change.
const WAITING_MAX: usize = 64;

/// What changed, once it is in force here.
#[derive(Clone, Debug)]
pub struct MetadataChange {
    /// How everything is now.
    pub image: Arc<MetadataImage>,
    /// Topics that there are, and that something was said about.
    pub changed: Vec<Uuid>,
    /// Topics that are gone, with the names that they had.
    pub deleted: Vec<(Uuid, Text)>,
    /// Whether something else is set on groups.
    pub groups_configured: bool,
    /// Whether other settings are in force for this broker.
    pub settings_changed: bool,
}

/// Those who are told.
#[derive(Debug, Default)]
pub(super) struct Listeners(Mutex<Vec<mpsc::Sender<Arc<MetadataChange>>>>);

impl Listeners {
    fn add(&self) -> mpsc::Receiver<Arc<MetadataChange>> {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        receiver
    }

    /// Tells all who still listen.
    pub(super) async fn tell(&self, change: MetadataChange) {
        let listeners = {
            let mut listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            listeners.retain(|listener| !listener.is_closed());
            listeners.clone()
        };
        let change = Arc::new(change);
        for listener in listeners {
            let _ = listener.send(Arc::clone(&change)).await;
        }
    }
}

impl Metadata {
    /// Every change from now on, in their order.
    pub fn changes(&self) -> mpsc::Receiver<Arc<MetadataChange>> {
        self.listeners.add()
    }
}
