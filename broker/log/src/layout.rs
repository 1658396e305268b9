//! Where what lies in a data directory.
//!
//! ```text
//! lock                                  held while a process uses the directory
//! format                                magic and version of all of it
//! reserve                               room for what must be written when there is no other
//! manifest/                             what recovery needs to know per partition, see `manifest`
//! journal/                              see `journal`
//! logs/00000/0000000000000007/          the partition with local id 7
//!     00000000000000000000.log          batches as Kafka lays them out; the name is the base offset
//!     00000000000000000000.index        offset to position
//!     00000000000000000000.timeindex    timestamp to offset
//!     00000000000000000000.txnindex     aborted transactions, where there are any
//!     00000000000000000000.log.3.cleaned   a third version of the segment, before it takes the name; so for all
//!                                       four files
//! ```

use std::path::{Path, PathBuf};

use crate::local_id::LocalId;

/// So many partitions share a folder, so that no folder has too many names in it.
const PARTITIONS_PER_FOLDER: u64 = 4_096;

/// The files that a segment consists of.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum FileKind {
    /// The batches.
    Log,
    /// Offset to position.
    OffsetIndex,
    /// Timestamp to offset.
    TimeIndex,
    /// Aborted transactions.
    TransactionIndex,
}

impl FileKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Log, Self::OffsetIndex, Self::TimeIndex, Self::TransactionIndex];

    /// What its files' names end in.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::OffsetIndex => "index",
            Self::TimeIndex => "timeindex",
            Self::TransactionIndex => "txnindex",
        }
    }
}

/// The paths of a data directory.
#[derive(Clone, Debug)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The paths of the directory at `root`.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The file that keeps other processes away.
    pub fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// The file that says which format the directory has.
    pub fn format(&self) -> PathBuf {
        self.root.join("format")
    }

    /// The file that is written before it takes the place of [`Layout::format`].
    pub fn new_format(&self) -> PathBuf {
        self.root.join("format.new")
    }

    /// The file that keeps room free.
    pub fn reserve(&self) -> PathBuf {
        self.root.join("reserve")
    }

    /// The manifest's folder.
    pub fn manifest(&self) -> PathBuf {
        self.root.join("manifest")
    }

    /// The journal's folder.
    pub fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }

    /// The folder of all partitions' folders.
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// The folder that a partition's folder is in, with others.
    pub fn shard(&self, partition: LocalId) -> PathBuf {
        self.logs().join(format!("{:05x}", partition.0 / PARTITIONS_PER_FOLDER))
    }

    /// A partition's folder.
    pub fn partition(&self, partition: LocalId) -> PathBuf {
        self.shard(partition).join(partition.to_string())
    }

    /// A file of a segment.
    pub fn segment(&self, partition: LocalId, base_offset: i64, kind: FileKind) -> PathBuf {
        self.partition(partition).join(format!("{base_offset:020}.{}", kind.suffix()))
    }

    /// A file of a later version of a segment, until it takes the place of the version before it.
    pub fn cleaned(&self, partition: LocalId, base_offset: i64, kind: FileKind, generation: u32) -> PathBuf {
        let suffix = kind.suffix();
        self.partition(partition).join(format!("{base_offset:020}.{suffix}.{generation}.cleaned"))
    }
}

/// Which segment's file a name is of, if any.
pub fn parse_segment_name(name: &str) -> Option<(i64, FileKind)> {
    let (digits, suffix) = name.split_once('.')?;
    let is_offset = digits.len() == 20 && digits.bytes().all(|digit| digit.is_ascii_digit());
    let base_offset = digits.parse().ok().filter(|_| is_offset)?;
    let kind = FileKind::ALL.into_iter().find(|kind| kind.suffix() == suffix)?;
    Some((base_offset, kind))
}

/// Which segment's file, and which version of it, a name is of that waits to take the segment's place.
pub fn parse_cleaned_name(name: &str) -> Option<(i64, FileKind, u32)> {
    let (segment, generation) = name.strip_suffix(".cleaned")?.rsplit_once('.')?;
    let (base_offset, kind) = parse_segment_name(segment)?;
    let is_number = !generation.is_empty() && generation.bytes().all(|digit| digit.is_ascii_digit());
    Some((base_offset, kind, generation.parse().ok().filter(|_| is_number)?))
}

/// Which partition a folder's name is of, if any.
pub fn parse_partition_name(name: &str) -> Option<LocalId> {
    let is_name = name.len() == 16 && name.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    u64::from_str_radix(name, 16).ok().filter(|_| is_name).map(LocalId)
}

#[cfg(test)]
mod tests {
    use super::{FileKind, Layout, parse_cleaned_name, parse_partition_name, parse_segment_name};
    use crate::local_id::LocalId;

    fn name(path: std::path::PathBuf) -> String {
        path.file_name().unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn segments_are_named_as_kafka_names_them() {
        let layout = Layout::new("data".into());
        let path = layout.segment(LocalId(0x1_0007), 1_234, FileKind::TimeIndex);
        assert_eq!(path.to_str(), Some("data/logs/00010/0000000000010007/00000000000000001234.timeindex"));
    }

    #[test]
    fn names_are_read_as_written() {
        let layout = Layout::new("data".into());
        for kind in FileKind::ALL {
            assert_eq!(parse_segment_name(&name(layout.segment(LocalId(1), 77, kind))), Some((77, kind)));
            let cleaned = name(layout.cleaned(LocalId(1), 77, kind, 3));
            assert_eq!(parse_cleaned_name(&cleaned), Some((77, kind, 3)));
        }
        assert_eq!(parse_partition_name(&name(layout.partition(LocalId(0xabc)))), Some(LocalId(0xabc)));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for bad in
            ["", "77.log", "0000000000000000007x.log", "+0000000000000000077.log", "99999999999999999999.log"]
        {
            assert_eq!(parse_segment_name(bad), None, "{bad}");
        }
        for bad in ["00000000000000000077.log", "00000000000000000077.log.+3.cleaned", "x.log.3.cleaned"] {
            assert_eq!(parse_cleaned_name(bad), None, "{bad}");
        }
        for bad in ["7", "000000000000000G", "+000000000000001", "00000000000000001"] {
            assert_eq!(parse_partition_name(bad), None, "{bad}");
        }
    }
}
