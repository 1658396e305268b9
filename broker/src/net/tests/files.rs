//! Bytes that lie in files arrive as they lie there, whichever way they go.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use strandline_log::disk::real::RealDisk;
use strandline_log::disk::simulated::{self, SimulatedDisk};
use strandline_log::disk::{Access, Disk};
use strandline_log::engine::Slice;
use strandline_log::segment::FileRange;
use strandline_protocol::records::Piece;

use super::support::{Ask, Rig, answer, frame, options, wait_until};
use crate::storage::piece;

const FILE_BYTES: usize = 5 << 20;

fn content() -> Vec<u8> {
    (0..FILE_BYTES).map(|index| u8::try_from(index * 31 % 251).unwrap()).collect()
}

/// A folder of the machine that is removed again.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("strandline-net-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Pieces of a file and of memory by turns, and what they are together.
fn pieces(disk: &dyn Disk, path: &Path) -> (Vec<Piece>, Vec<u8>) {
    let file = disk.create(path, Access::Write).unwrap();
    let content = content();
    file.write_at(&[std::io::IoSlice::new(&content)], 0).unwrap();
    let (mut pieces, mut expected) = (Vec::new(), Vec::new());
    for (start, end) in [(17, 1_000_017), (3 << 20, FILE_BYTES), (0, 1)] {
        let range = FileRange { file: Arc::clone(&file), offset: start as u64, length: (end - start) as u64 };
        pieces.push(piece(Slice::Segment(range)));
        expected.extend(&content[start..end]);
        let between = Bytes::from(vec![9; start % 1_000 + 3]);
        expected.extend(&between);
        pieces.push(Piece::Slice(between));
    }
    (pieces, expected)
}

fn check(rig: &Rig, pieces: Vec<Piece>, records: Vec<u8>) {
    // The same answer, with all of it in memory.
    let mut expected = Vec::new();
    for piece in answer(5, vec![Piece::Slice(records.into())]).into_pieces() {
        let Piece::Slice(slice) = piece else { panic!("not in memory") };
        expected.extend(slice);
    }
    *rig.script.pieces.lock().unwrap() = pieces;
    let mut client = rig.connect();
    for _ in 0..3 {
        let mut bytes = frame(Ask::Pieces, 5, 0);
        bytes.extend(frame(Ask::Now, 6, 0));
        client.send(&bytes);
        assert!(client.answer().unwrap() == expected[4..], "other bytes");
        assert_eq!(client.answered(), Some(6));
    }
    drop(client);
    rig.wait_for_baseline();
}

#[test]
fn ranges_of_files_are_sent_from_where_they_are() {
    let folder = Folder::new("send");
    let rig = Rig::new(options());
    let disk = RealDisk::new(&folder.0).unwrap();
    let (pieces, expected) = pieces(&disk, &folder.0.join("file"));
    check(&rig, pieces, expected);
    assert!(rig.counters().file_sends.load(Ordering::Relaxed) > 0);
    assert_eq!(rig.counters().file_reads.load(Ordering::Relaxed), 0);
}

#[test]
fn ranges_of_files_without_a_descriptor_are_read() {
    let rig = Rig::new(options());
    let disk = SimulatedDisk::new(simulated::Options::default());
    let (pieces, expected) = pieces(&disk, Path::new("/file"));
    check(&rig, pieces, expected);
    assert!(rig.counters().file_reads.load(Ordering::Relaxed) > 0);
    assert_eq!(rig.counters().file_sends.load(Ordering::Relaxed), 0);
}

#[test]
fn nothing_of_files_is_looked_for_while_a_reader_leaves_what_was_found() {
    let folder = Folder::new("deaf");
    let rig = Rig::new(options());
    let disk = RealDisk::new(&folder.0).unwrap();
    let file = disk.create(&folder.0.join("file"), Access::Write).unwrap();
    file.set_length(32 << 20).unwrap();
    let range = FileRange { file, offset: 0, length: 32 << 20 };
    *rig.script.pieces.lock().unwrap() = vec![piece(Slice::Segment(range))];
    let mut client = rig.connect();
    for number in 0..100 {
        client.send(&frame(Ask::PiecesLater, number, 0));
    }
    wait_until("all are begun", || rig.begun().len() == 100);
    // No socket holds so much.
    let looked_for = || rig.script.looked_for.load(Ordering::SeqCst);
    wait_until("one is found", || looked_for() == 1);
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(looked_for(), 1);
    // As soon as it is as good as sent, the next one is.
    assert_eq!(client.answered(), Some(0));
    wait_until("the next is found", || looked_for() >= 2);
    drop(client);
    rig.wait_for_baseline();
}

#[test]
fn a_file_that_ends_too_early_closes_the_connection() {
    let folder = Folder::new("short");
    let rig = Rig::new(options());
    let disk = RealDisk::new(&folder.0).unwrap();
    let file = disk.create(&folder.0.join("file"), Access::Write).unwrap();
    file.write_at(&[std::io::IoSlice::new(&[1; 100])], 0).unwrap();
    let range = FileRange { file, offset: 0, length: 101 };
    *rig.script.pieces.lock().unwrap() = vec![piece(Slice::Segment(range))];
    let mut client = rig.connect();
    client.send(&frame(Ask::Pieces, 5, 0));
    let mut received = Vec::new();
    let _ = std::io::Read::read_to_end(&mut client.0, &mut received);
    let promised = u32::from_be_bytes(received[..4].try_into().unwrap());
    assert_eq!(received.len(), 4 + promised as usize - 1, "what was there, and no byte that was not");
    wait_until("it is closed", || rig.counters().open() == 0);
}
