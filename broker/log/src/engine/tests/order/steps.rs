//! What a disk sees, in words.

use std::path::Path;

use crate::disk::simulated::Operation;
use crate::disk::watched::Step;

/// A step that counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Seen {
    /// A group is in the journal, durably.
    Frame,
    /// A file of the journal is not in use any more.
    FileRecycled,
    /// That is durable.
    JournalNamesSynced,
    /// The manifest says something new, durably.
    ManifestCommitted,
    SegmentMade,
    SegmentWritten,
    SegmentSynced,
    SegmentCut,
    SegmentRemoved,
    FolderRemoved,
    /// What is in a partition's folder, or in one above it.
    NamesSynced,
    AllSynced,
    /// What compaction made.
    CleanedMade,
    CleanedSynced,
    IndexNamed,
    CleanedNamed,
}

pub(super) fn seen(step: &Step) -> Option<Seen> {
    if step.has_failed {
        return None;
    }
    let is_in = |folder: &str| step.path.starts_with(Path::new("/data").join(folder));
    let name = step.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    match step.operation {
        Operation::SyncFileSystem => Some(Seen::AllSynced),
        operation if is_in("journal") => match operation {
            Operation::Write if is_frame(step, name) => Some(Seen::Frame),
            Operation::Rename if name.ends_with(".journal") => Some(Seen::FileRecycled),
            Operation::SyncDirectory => Some(Seen::JournalNamesSynced),
            _ => None,
        },
        Operation::Write if is_in("manifest") => is_frame(step, name).then_some(Seen::ManifestCommitted),
        operation if is_in("logs") => in_logs(operation, name),
        _ => None,
    }
}

/// The first block is the header's, and a file that is being made has no frames. Others are written by the name that
/// they had when they were opened.
fn is_frame(step: &Step, name: &str) -> bool {
    step.offset > 0 && !name.starts_with("filling")
}

fn in_logs(operation: Operation, name: &str) -> Option<Seen> {
    let is_cleaned = name.ends_with(".cleaned");
    let is_log = name.ends_with(".log") || (is_cleaned && name.contains(".log."));
    match operation {
        Operation::SyncDirectory => Some(Seen::NamesSynced),
        Operation::RemoveDirectory => Some(Seen::FolderRemoved),
        Operation::Rename if is_log => Some(Seen::CleanedNamed),
        Operation::Rename => Some(Seen::IndexNamed),
        _ if !is_log => None,
        Operation::Create if is_cleaned => Some(Seen::CleanedMade),
        Operation::Sync if is_cleaned => Some(Seen::CleanedSynced),
        _ if is_cleaned => None,
        Operation::Create => Some(Seen::SegmentMade),
        Operation::Write => Some(Seen::SegmentWritten),
        Operation::Sync => Some(Seen::SegmentSynced),
        Operation::SetLength => Some(Seen::SegmentCut),
        Operation::Remove => Some(Seen::SegmentRemoved),
        _ => None,
    }
}
