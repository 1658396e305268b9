//! The way to the logs: which partition of which topic is which log, and requests to their one writer.
//!
//! Reading goes past it: a [`Partition`] is read where it is found. Whoever drives the writer, threads or a
//! simulation, is of no concern here.

mod answers;
mod config;
mod description;
mod directory;
mod file_slice;
mod gathering;
mod submission;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use strandline_log::engine::{Mailbox, Partition};
use strandline_protocol::Uuid;

pub use self::config::log_config;
pub use self::directory::DataDirectory;
pub use self::file_slice::{FileSlice, piece, read_ahead};
pub use self::gathering::{Gathered, Gathering};
pub use self::submission::{Submission, Submitted};

/// Which partition, by the topic's id.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TopicPartition {
    /// The topic.
    pub topic_id: Uuid,
    /// The partition within it.
    pub index: i32,
}

/// The logs of this broker.
#[derive(Debug)]
pub struct Storage {
    mailbox: Arc<Mailbox>,
    partitions: RwLock<HashMap<TopicPartition, Arc<Partition>>>,
    /// Those that this broker should have, and that the disk had no room for.
    missing: RwLock<HashSet<TopicPartition>>,
    directory: OnceLock<DataDirectory>,
}

impl Storage {
    /// Logs whose writer takes its requests from this queue.
    pub fn new(mailbox: Arc<Mailbox>, partitions: HashMap<TopicPartition, Arc<Partition>>) -> Self {
        let (partitions, missing) = (RwLock::new(partitions), RwLock::default());
        Self { mailbox, partitions, missing, directory: OnceLock::new() }
    }

    /// Says where they lie. What was said first counts.
    pub fn set_directory(&self, directory: DataDirectory) {
        self.directory.get_or_init(|| directory);
    }

    /// Where they lie, if that was said.
    pub fn directory(&self) -> Option<&DataDirectory> {
        self.directory.get()
    }

    /// The log of a partition, if this broker has it.
    pub fn partition(&self, place: TopicPartition) -> Option<Arc<Partition>> {
        self.partitions.read().unwrap_or_else(PoisonError::into_inner).get(&place).cloned()
    }

    /// All that are known, in their order.
    pub fn places(&self) -> Vec<TopicPartition> {
        let partitions = self.partitions.read().unwrap_or_else(PoisonError::into_inner);
        let mut places: Vec<_> = partitions.keys().copied().collect();
        places.sort_unstable();
        places
    }

    /// Whether there should be such a log, and the disk had no room for it.
    pub fn is_missing(&self, place: TopicPartition) -> bool {
        self.missing.read().unwrap_or_else(PoisonError::into_inner).contains(&place)
    }

    /// Notes logs that should be there, and that the disk has no room for.
    pub fn miss(&self, places: &[TopicPartition]) {
        if !places.is_empty() {
            self.missing.write().unwrap_or_else(PoisonError::into_inner).extend(places);
        }
    }

    /// Makes logs known that are there now.
    pub fn add(&self, partitions: impl IntoIterator<Item = (TopicPartition, Arc<Partition>)>) {
        let added: Vec<_> = partitions.into_iter().collect();
        self.forget_missing(added.iter().map(|(place, _)| *place));
        self.partitions.write().unwrap_or_else(PoisonError::into_inner).extend(added);
    }

    /// Forgets logs, and says which of them were known.
    pub fn remove(&self, places: impl IntoIterator<Item = TopicPartition>) -> Vec<Arc<Partition>> {
        let places: Vec<_> = places.into_iter().collect();
        self.forget_missing(places.iter().copied());
        let mut partitions = self.partitions.write().unwrap_or_else(PoisonError::into_inner);
        places.into_iter().filter_map(|place| partitions.remove(&place)).collect()
    }

    fn forget_missing(&self, places: impl Iterator<Item = TopicPartition>) {
        let mut missing = self.missing.write().unwrap_or_else(PoisonError::into_inner);
        if missing.is_empty() {
            return;
        }
        for place in places {
            missing.remove(&place);
        }
    }
}
