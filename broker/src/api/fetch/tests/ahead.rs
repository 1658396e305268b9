//! What lies in files is brought into memory before it is sent, where nobody's connection waits for that.

use std::io::{self, IoSlice};
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

use strandline_log::disk::simulated::SimulatedDisk;
use strandline_log::disk::{self, Access, Disk, Entry, File, LoadJob, Lock};
use strandline_log::engine::Options;
use strandline_protocol::{Bytes, Piece};

use super::limits::wait_until_flushed;
use crate::api::Reply;
use crate::api::tests::{Rig, batch, fetch_request, produce_request, records};
use crate::api::topics::TopicRules;

/// What was asked to be read ahead: from where, how much, and by whom.
type Asked = Arc<Mutex<Vec<(u64, u64, ThreadId)>>>;

/// What is loaded, if anything is, and what was read to be loaded next: from where, how much, and up to where it is good.
#[derive(Debug, Default)]
struct Loads {
    is_on: AtomicBool,
    ahead: Mutex<Vec<(u64, u64, u64)>>,
}

/// A disk that notes that.
#[derive(Debug)]
struct Noting(SimulatedDisk, Asked, Arc<Loads>);

impl Noting {
    fn noted(&self, file: Arc<dyn File>) -> Arc<dyn File> {
        Arc::new(NotingFile(file, Arc::clone(&self.1), Arc::clone(&self.2)))
    }
}

impl Disk for Noting {
    fn create(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>> {
        self.0.create(path, access).map(|file| self.noted(file))
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>> {
        self.0.open(path, access).map(|file| self.noted(file))
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.0.create_directory(path)
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        self.0.remove_directory(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        self.0.list(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.remove(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.0.sync_directory(path)
    }

    fn sync_file_system(&self) -> io::Result<()> {
        self.0.sync_file_system()
    }

    fn free_bytes(&self) -> io::Result<u64> {
        self.0.free_bytes()
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        self.0.lock(path)
    }
}

#[derive(Debug)]
struct NotingFile(Arc<dyn File>, Asked, Arc<Loads>);

impl File for NotingFile {
    fn length(&self) -> io::Result<u64> {
        self.0.length()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }

    fn write_at(&self, parts: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
        self.0.write_at(parts, offset)
    }

    fn allocate(&self, offset: u64, length: u64) -> io::Result<()> {
        self.0.allocate(offset, length)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.0.set_length(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync()
    }

    fn start_writeback(&self, offset: u64, length: u64) -> io::Result<()> {
        self.0.start_writeback(offset, length)
    }

    fn start_read(&self, offset: u64, length: u64) -> io::Result<()> {
        self.1.lock().unwrap().push((offset, length, thread::current().id()));
        self.0.start_read(offset, length)
    }

    fn load(&self, offset: u64, length: u64) -> Option<Bytes> {
        if !self.2.is_on.load(Ordering::Relaxed) {
            return None;
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap()];
        disk::read_exact_at(&*self.0, &mut bytes, offset).unwrap();
        Some(bytes.into())
    }

    fn load_ahead(&self, offset: u64, length: u64, end: u64) -> Option<LoadJob> {
        let loads = Arc::clone(&self.2);
        Some(Box::new(move || loads.ahead.lock().unwrap().push((offset, length, end))))
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.0.descriptor()
    }
}

// All that is done for connections is done on this thread.
#[tokio::test]
async fn what_is_sent_from_files_is_asked_for_elsewhere() {
    let asked = Asked::default();
    let options = Options { flush_bytes: 1, ..Options::default() };
    let noting = Arc::clone(&asked);
    let rig = Rig::with_disk(options, |disk| Arc::new(Noting(disk, noting, Arc::default())));
    rig.create("t", 2, TopicRules::default());
    let batches = [(0, batch(&[&[1; 1_000]])), (1, batch(&[&[2; 2_000]]))];
    rig.call(9, &produce_request("t", -1, batches)).await;
    for partition in 0..2 {
        wait_until_flushed(&rig.log("t", partition)).await;
    }
    asked.lock().unwrap().clear();
    let reply = rig.reply(12, &fetch_request("t", &[(0, 0), (1, 0)])).await;
    let Reply::Send { frame, .. } = reply else { panic!("{reply:?}") };
    let pieces = frame.into_pieces();
    let sent = pieces.iter().filter_map(|piece| match piece {
        Piece::External(external) => Some((external.position, external.length as u64)),
        Piece::Slice(_) => None,
    });
    let sent: Vec<_> = sent.collect();
    let asked = asked.lock().unwrap();
    assert_eq!(sent.len(), 2);
    assert_eq!(asked.iter().map(|(offset, length, _)| (*offset, *length)).collect::<Vec<_>>(), sent);
    let here = thread::current().id();
    assert!(asked.iter().all(|(.., thread)| *thread != here), "who serves connections waits for the disk");
}

#[tokio::test]
async fn what_is_loaded_is_sent_from_memory_and_what_comes_behind_it_is_read_meanwhile() {
    let loads = Arc::new(Loads::default());
    let options = Options { flush_bytes: 1, ..Options::default() };
    let noting = Arc::clone(&loads);
    let rig = Rig::with_disk(options, |disk| Arc::new(Noting(disk, Asked::default(), noting)));
    rig.create("t", 1, TopicRules::default());
    // Each has an entry of its own in the index.
    let value = vec![3; 5_000];
    let length = batch(&[&value]).len() as u64;
    for _ in 0..4 {
        rig.call(9, &produce_request("t", -1, [(0, batch(&[&value]))])).await;
    }
    wait_until_flushed(&rig.log("t", 0)).await;
    loads.is_on.store(true, Ordering::Relaxed);
    let mut request = fetch_request("t", &[(0, 1)]);
    request.topics[0].partitions[0].partition_max_bytes = i32::try_from(length + 100).unwrap();
    let response = rig.call(12, &request).await;
    assert_eq!(records(&response), [(0, 1, value)]);
    // The answer does not wait for it.
    while loads.ahead.lock().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // As much as was asked for now, of what there is.
    assert_eq!(*loads.ahead.lock().unwrap(), [(2 * length, length, 4 * length)]);
}
