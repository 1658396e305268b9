//! On the machine's own disk, where indexes are mapped.

use std::sync::Arc;

use super::{PARTITION, append, assert_finds_all, batch};
use crate::disk::Disk;
use crate::disk::real::RealDisk;
use crate::layout::{FileKind, Layout};
use crate::segment::{Files, FilesOptions, Segment, Way};

/// A folder that goes when the test ends.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("strandline-segment-{name}-{}", std::process::id()));
        std::fs::create_dir_all(path.join("logs")).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn mapped_indexes_survive_their_replacement() {
    let folder = Folder::new("mapped");
    let disk: Arc<dyn Disk> = Arc::new(RealDisk::new(&folder.0).unwrap());
    let files = Files::new(disk, Layout::new(folder.0.clone()), &FilesOptions::default());
    let segment = Segment::begin(PARTITION, 0, 0, 5);
    // An entry for each batch, and enough of them that the index is mapped.
    let batches: Vec<_> = (0..9_000).map(|offset| batch(offset, &[offset], 20)).collect();
    let parts: Vec<_> = batches.iter().map(|batch| std::io::IoSlice::new(batch)).collect();
    segment.write(&files, 0, &parts, Way::ThroughCache).unwrap();
    segment.extend(&batches.iter().map(|batch| super::facts(batch)).collect::<Vec<_>>(), 0);
    segment.seal();
    for file in segment.write_indexes(&files).unwrap() {
        file.sync().unwrap();
    }
    segment.indexes_written(&files);
    let path = files.layout().segment(PARTITION, 0, FileKind::OffsetIndex);
    assert!(std::fs::metadata(&path).unwrap().len() > 64 << 10);
    let facts = segment.facts();
    let segment = Segment::recovered(PARTITION, 0, &facts);
    assert_eq!(segment.find(&files, 4_321).unwrap().unwrap().batch.base_offset, 4_321);
    // The same bytes under the same name, in another file.
    segment.write_indexes(&files).unwrap();
    assert_eq!(segment.find(&files, 1_234).unwrap().unwrap().batch.base_offset, 1_234);
    assert_eq!(segment.find_timestamp(&files, 777, 0, 1 << 20).unwrap().unwrap().offset, 777);
}

#[test]
fn the_real_disk_and_the_simulated_one_hold_the_same() {
    let folder = Folder::new("same");
    let disk: Arc<dyn Disk> = Arc::new(RealDisk::new(&folder.0).unwrap());
    let files = Files::new(disk, Layout::new(folder.0.clone()), &FilesOptions::default());
    let batches: Vec<_> = (0..30).map(|offset| batch(offset, &[offset], 2_000)).collect();
    let segment = Segment::begin(PARTITION, 0, 0, 5);
    append(&files, &segment, &batches);
    segment.write_indexes(&files).unwrap();
    assert_finds_all(&files, &segment, &batches);
    let place = super::Place::new();
    let other = Segment::begin(PARTITION, 0, 0, 5);
    append(&place.files, &other, &batches);
    other.write_indexes(&place.files).unwrap();
    for kind in [FileKind::Log, FileKind::OffsetIndex, FileKind::TimeIndex] {
        let real = std::fs::read(files.layout().segment(PARTITION, 0, kind)).unwrap();
        assert!(real == place.content(&other, kind), "{kind:?}");
    }
}
