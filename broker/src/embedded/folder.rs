//! A folder that goes with its broker.

use std::env;
use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use strandline_log::random::Random;

use super::EmbeddedError;

/// Nobody else has a folder of a name that was drawn, unless chance has nothing random about it.
const TRIES: usize = 16;

/// A new folder where temporary things lie, for its maker alone. It goes when this does.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Result<Self, EmbeddedError> {
        let parent = env::temp_dir();
        let failed = |source| EmbeddedError::Folder { path: parent.clone(), source };
        let mut random = Random::from_system().map_err(failed)?;
        for _ in 0..TRIES {
            let path = parent.join(format!("strandline-{:016x}", random.next_u64()));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(source) => return Err(EmbeddedError::Folder { path, source }),
            }
        }
        Err(failed(io::ErrorKind::AlreadyExists.into()))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Removes it, and says if it cannot.
    pub(super) fn remove(mut self) -> Result<(), EmbeddedError> {
        let path = std::mem::take(&mut self.0);
        fs::remove_dir_all(&path).map_err(|source| EmbeddedError::Folder { path, source })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            // Who wants to know how it went calls `remove`.
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}
