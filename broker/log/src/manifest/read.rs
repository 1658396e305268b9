//! Reading rows where they lie, beside the writer.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::chunk::{Key, Table};
use super::error::{ManifestError, bad_row};
use super::rows::PartitionRow;
use crate::disk::read_exact_at;
use crate::journal::{Error, Pinned, Position, Reader};
use crate::local_id::LocalId;
use crate::segment::SegmentFacts;

/// So much is read at once where rows lie close together.
const WINDOW_BYTES: usize = 256 << 10;

/// Rows that will be read, and what keeps their files from being used again until then.
#[derive(Debug)]
pub(super) struct Rows {
    rows: Vec<(Key, Position)>,
    files: BTreeMap<u64, Pinned>,
}

impl Rows {
    /// Keeps `rows` readable. Whoever calls this sees to it that no file of them has been recycled yet.
    pub(super) fn pin(mut rows: Vec<(Key, Position)>, reader: &Reader) -> Self {
        rows.sort_unstable_by_key(|(_, position)| *position);
        let mut files = BTreeMap::new();
        for (_, position) in &rows {
            if !files.contains_key(&position.file) {
                files.extend(reader.pin(position.file).map(|pinned| (position.file, pinned)));
            }
        }
        Self { rows, files }
    }

    /// Calls `visit` with each row's value, in the order in which they lie.
    pub(super) fn read(
        &self,
        path: &Path,
        mut visit: impl FnMut(Key, &[u8]) -> Result<(), ManifestError>,
    ) -> Result<(), ManifestError> {
        self.read_with_checksums(path, |key, value, _| visit(key, value))
    }

    /// The same, and each row as it lies, with its checksum.
    pub(super) fn read_with_checksums(
        &self,
        path: &Path,
        mut visit: impl FnMut(Key, &[u8], &[u8]) -> Result<(), ManifestError>,
    ) -> Result<(), ManifestError> {
        let mut window = Window::default();
        for (index, (key, position)) in self.rows.iter().enumerate() {
            let row = self.row(index, position, &mut window);
            let row =
                row.map_err(|source| Error::Io { doing: "read a row of", path: path.to_owned(), source })?;
            let value = key.value_in(row);
            visit(*key, value.ok_or_else(|| bad_row(path, key.partition, "a row has rotted"))?, row)?;
        }
        Ok(())
    }

    /// Calls `visit` with each partition and its segments, of which these are the rows, by rising id and base
    /// offset.
    pub(super) fn read_partitions(
        &self,
        path: &Path,
        visit: &mut impl FnMut(LocalId, PartitionRow, Vec<(i64, SegmentFacts)>),
    ) -> Result<(), ManifestError> {
        // Read in the order in which they lie, and sorted then: the other way would jump to and fro.
        let (mut bytes, mut values) = (Vec::new(), Vec::new());
        self.read(path, |key, value| {
            let start = bytes.len();
            bytes.extend_from_slice(value);
            values.push((key, start..bytes.len()));
            Ok(())
        })?;
        values.sort_unstable_by_key(|(key, _)| *key);
        let mut open: Option<(LocalId, PartitionRow, Vec<_>)> = None;
        for (key, range) in values {
            let value = bytes.get(range).unwrap_or_default();
            let bad = |what: &dyn ToString| bad_row(path, key.partition, what.to_string());
            if key.table == Table::Partition {
                let row = PartitionRow::decode(value).map_err(|error| bad(&error))?;
                if let Some((partition, row, segments)) = open.replace((key.partition, row, Vec::new())) {
                    visit(partition, row, segments);
                }
                continue;
            }
            let segment = SegmentFacts::decode(value).map_err(|error| bad(&error))?;
            match &mut open {
                Some((partition, _, segments)) if *partition == key.partition => {
                    segments.push((key.offset, segment));
                }
                _ => return Err(bad(&"there are segments, and no row of the partition itself")),
            }
        }
        if let Some((partition, row, segments)) = open {
            visit(partition, row, segments);
        }
        Ok(())
    }

    /// Calls `visit` with each producer snapshot, of which these are the rows, and its offset.
    pub(super) fn read_snapshots(
        &self,
        path: &Path,
        visit: &mut impl FnMut(LocalId, i64, &[u8]),
    ) -> Result<(), ManifestError> {
        self.read(path, |key, value| {
            visit(key.partition, key.offset, value);
            Ok(())
        })
    }

    fn row<'a>(&self, index: usize, position: &Position, window: &'a mut Window) -> io::Result<&'a [u8]> {
        if window.row(position).is_none() {
            let pinned = self.files.get(&position.file).ok_or(io::ErrorKind::NotFound)?;
            window.bytes.resize(self.bytes_together(index, position), 0);
            (window.file, window.start) = (position.file, position.offset);
            let result = read_exact_at(pinned.file(), &mut window.bytes, position.offset);
            if let Err(error) = result {
                window.bytes.clear();
                return Err(error);
            }
        }
        window.row(position).ok_or(io::ErrorKind::UnexpectedEof.into())
    }

    /// How much to read at once: up to the end of the last row that lies near enough.
    fn bytes_together(&self, index: usize, first: &Position) -> usize {
        let bytes_to_end = |position: &Position| {
            let end = position.offset + u64::from(position.length);
            usize::try_from(end - first.offset).unwrap_or(usize::MAX)
        };
        let rows = self.rows.iter().skip(index + 1).map(|(_, position)| position);
        let near = rows.take_while(|row| row.file == first.file && bytes_to_end(row) <= WINDOW_BYTES);
        near.last().map_or(bytes_to_end(first), bytes_to_end)
    }
}

/// A piece of a file in memory.
#[derive(Debug, Default)]
struct Window {
    file: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl Window {
    fn row(&self, position: &Position) -> Option<&[u8]> {
        let start = usize::try_from(position.offset.checked_sub(self.start)?).ok()?;
        let length = usize::try_from(position.length).ok()?;
        self.bytes.get(start..)?.get(..length).filter(|_| self.file == position.file)
    }
}
