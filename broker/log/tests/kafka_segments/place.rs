//! Where the segments are, and what both halves know.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use strandline_log::disk::Disk;
use strandline_log::disk::real::RealDisk;
use strandline_log::layout::Layout;
use strandline_log::segment::{Files, FilesOptions};

/// The time of everything.
pub(crate) const NOW: i64 = 1_700_000_000_000;

/// The folder that the script has made.
pub(crate) fn folder() -> PathBuf {
    std::env::var_os("STRANDLINE_SEGMENTS").expect("STRANDLINE_SEGMENTS names a folder").into()
}

/// The files in it.
pub(crate) fn files(folder: &Path) -> Files {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk::new(folder).unwrap());
    Files::new(disk, Layout::new(folder.join("data")), &FilesOptions::default())
}
