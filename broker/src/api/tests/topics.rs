//! Topics without metadata.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use strandline_protocol::{Text, Uuid};

use crate::api::topics::{Topic, Topics};

/// Topics that are written down.
#[derive(Debug)]
pub(in crate::api) struct FixedTopics {
    node_id: i32,
    topics: RwLock<HashMap<Text, Arc<Topic>>>,
    changes: AtomicU64,
}

impl FixedTopics {
    /// No topics, on a broker of this number.
    pub(in crate::api) fn new(node_id: i32) -> Self {
        Self { node_id, topics: RwLock::default(), changes: AtomicU64::new(0) }
    }

    /// Adds a topic, or replaces the one of the same name.
    pub(in crate::api) fn put(&self, topic: Topic) {
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        topics.insert(topic.name.clone(), Arc::new(topic));
        self.changes.fetch_add(1, Ordering::Release);
    }
}

impl Topics for FixedTopics {
    fn by_name(&self, name: &str) -> Option<Arc<Topic>> {
        self.topics.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn by_id(&self, id: Uuid) -> Option<Arc<Topic>> {
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        topics.values().find(|topic| topic.id == id).cloned()
    }

    fn node_id(&self) -> i32 {
        self.node_id
    }

    fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }
}
