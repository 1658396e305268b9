//! Single files of segments, ours or Kafka's.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use strandline_log::disk::real::RealDisk;
use strandline_log::disk::{Access, Disk, File, read_exact_at};
use strandline_log::layout::{FileKind, parse_segment_name};
use strandline_log::segment::{OffsetIndex, PIECE_BYTES, Scanner, TimeIndex};

use super::batches::Placed;
use super::{How, print, refused, wrong};
use crate::cluster::{Failure, Output};
use crate::time::moment;

/// Kafka keeps an index no longer than this, and so do we.
const INDEX_BYTES_MAX: u64 = 1 << 30;

/// Bytes of an entry of a transaction index.
const ABORTED_BYTES: usize = 34;

/// Kafka preallocates indexes: what lies behind the last entry is zeros.
const ZEROS: [u8; 12] = [0; 12];

pub(super) fn dump(path: &Path, how: &How, out: &mut impl Write) -> Result<(), Failure> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let (base_offset, kind) = parse_segment_name(name).ok_or_else(|| {
        let known = FileKind::ALL.map(|kind| format!("00000000000000000000.{}", kind.suffix())).join(", ");
        wrong(format_args!(
            "{} is neither a data directory nor a file of a segment, as {known} would be",
            path.display()
        ))
    })?;
    let failed = |error: std::io::Error| wrong(format_args!("cannot open {}: {error}", path.display()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let disk = RealDisk::new(folder).map_err(failed)?;
    let file = disk.open(path, Access::Read).map_err(failed)?;
    match kind {
        FileKind::Log => log(path, file, how, out),
        _ => index(path, &*file, (base_offset, kind), how, out),
    }
}

fn log(path: &Path, file: Arc<dyn File>, how: &How, out: &mut impl Write) -> Result<(), Failure> {
    let length = file.length()?;
    let mut scanner = Scanner::new(file, path.to_owned(), length, PIECE_BYTES);
    let topic = topic_of(path);
    let of = print::Of { topic: &topic, partition: None };
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut position = 0;
    while position < length {
        let header = scanner.header(position).map_err(refused)?;
        if how.shows(header.base_offset, header.last_offset()) {
            scanner.check(position, &header).map_err(refused)?;
            let batch = scanner.batch(position, &header).map_err(refused)?;
            print::batch(&of, &Placed { batch, file: &name, position }, how, out)?;
        }
        position += header.total_bytes() as u64;
    }
    Ok(())
}

/// The topic that a folder of Kafka's is of, so that its own topics are told in words.
fn topic_of(path: &Path) -> String {
    let folder = path.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let folder = folder.unwrap_or_default();
    folder.rsplit_once('-').map_or(folder.clone(), |(topic, _)| topic.to_owned())
}

/// The entries of an index.
pub(super) fn index(
    path: &Path,
    file: &dyn File,
    (base_offset, kind): (i64, FileKind),
    how: &How,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let length = file.length()?;
    let length = usize::try_from(length).ok().filter(|_| length <= INDEX_BYTES_MAX);
    let length =
        length.ok_or_else(|| refused(format_args!("{} is too long for an index", path.display())))?;
    let mut bytes = vec![0; length];
    read_exact_at(file, &mut bytes, 0)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut print = |text: String, value: serde_json::Value| match how.output {
        Output::Table => writeln!(out, "  {name}  {text}"),
        Output::Json => writeln!(out, "{}", json!({ "index": name, "entry": value })),
    };
    match kind {
        FileKind::OffsetIndex => {
            let is_entry = |bytes: &[u8]| !ZEROS.starts_with(bytes);
            let count = bytes.chunks(8).take_while(|entry| is_entry(entry)).count();
            for entry in OffsetIndex::new(base_offset, &bytes).entries().take(count) {
                if how.shows(entry.offset, entry.offset) {
                    let value = json!({ "offset": entry.offset, "position": entry.position });
                    print(format!("offset {} at {}", entry.offset, entry.position), value)?;
                }
            }
        }
        FileKind::TimeIndex => {
            let count = bytes.chunks(12).take_while(|entry| *entry != ZEROS).count();
            for entry in TimeIndex::new(base_offset, &bytes).entries().take(count) {
                if how.shows(entry.offset, entry.offset) {
                    let value = json!({ "timestamp": entry.timestamp, "offset": entry.offset });
                    print(format!("{}  offset {}", moment(entry.timestamp), entry.offset), value)?;
                }
            }
        }
        FileKind::TransactionIndex => {
            for entry in bytes.chunks(ABORTED_BYTES) {
                let [producer, first, last, stable] = aborted(entry).ok_or_else(|| {
                    refused(format_args!("{} has something that is no entry", path.display()))
                })?;
                let value = json!({
                    "producerId": producer, "firstOffset": first, "lastOffset": last, "lastStableOffset": stable,
                });
                let text = format!("aborted {first} to {last} of producer {producer}, stable up to {stable}");
                if how.shows(first, last) {
                    print(text, value)?;
                }
            }
        }
        FileKind::Log => {}
    }
    Ok(())
}

/// Producer, first and last offset, and last stable offset of an aborted transaction.
fn aborted(entry: &[u8]) -> Option<[i64; 4]> {
    let (_version, rest) = entry.split_first_chunk::<2>()?;
    let (numbers, rest) = rest.as_chunks::<8>();
    let numbers: &[[u8; 8]; 4] = numbers.try_into().ok()?;
    rest.is_empty().then(|| numbers.map(i64::from_be_bytes))
}
