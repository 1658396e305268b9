//! The data directory, as operators see it: its name, and the room on its disk.

use std::path::Path;
use std::sync::Arc;

use strandline_log::disk::Disk;

/// A data directory.
#[derive(Debug)]
pub struct DataDirectory {
    name: String,
    disk: Arc<dyn Disk>,
}

impl DataDirectory {
    /// The directory at `path` on this disk. It is called by its absolute path, as Kafka does.
    pub fn new(path: &Path, disk: Arc<dyn Disk>) -> Self {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Self { name: path.display().to_string(), disk }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How large its disk is, if that can be told.
    pub fn total_bytes(&self) -> Option<u64> {
        self.disk
            .total_bytes()
            .inspect_err(|error| tracing::warn!(%error, "the disk has no size"))
            .ok()
            .flatten()
    }

    /// How much of it is left, if that can be told.
    pub fn usable_bytes(&self) -> Option<u64> {
        self.disk
            .free_bytes()
            .inspect_err(|error| tracing::warn!(%error, "the disk does not tell what is left"))
            .ok()
    }
}
