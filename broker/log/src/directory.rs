//! What makes a folder a data directory: its format, its number, and that it has one user.
//!
//! It owns the files `lock` and `format`, and makes the folder for partitions. It never looks into anything
//! else.
//!
//! The format is the first thing that is durable in a new directory. So a folder with anything of ours in it and
//! without a format has lost it, and is not taken for a new one.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::codec::{take, take_u32};
use crate::disk::{Access, Disk, Lock, read_exact_at};
use crate::layout::Layout;
use crate::random::Random;

/// The newest format that this version reads, and the one it writes.
pub const FORMAT: u32 = 1;

const MAGIC: [u8; 8] = *b"SLfolder";

/// Magic, version, id.
const CHECKED_BYTES: usize = 28;

const FILE_BYTES: usize = CHECKED_BYTES + 4;

/// Why a folder cannot be used as a data directory.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The disk refused something.
    #[error("cannot {doing} {}: {source}{}", path.display(), remedy(source))]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// What the disk said.
        source: io::Error,
    },
    /// Another process has it.
    #[error("{} is in use by another process: each broker needs a data directory of its own", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// A later version of this program wrote it.
    #[error("{} has format {found}, and this version reads no format above {known}", path.display())]
    NewerFormat {
        /// The directory.
        path: PathBuf,
        /// The format it has.
        found: u32,
        /// The newest format that can be read.
        known: u32,
    },
    /// The file that says which format it has is not what was written.
    #[error("{} is no data directory that can be trusted: {what}", path.display())]
    Corrupt {
        /// The directory.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
}

/// What would help where a folder cannot be used, as it stands behind what the disk said.
pub fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => " (the user that it runs as has to be allowed to write there)",
        io::ErrorKind::NotADirectory => " (a part of that path is a file)",
        io::ErrorKind::ReadOnlyFilesystem => " (that file system is read-only)",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => " (there is no room on that disk)",
        _ => "",
    }
}

pub(crate) fn failed(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> DirectoryError {
    move |source| DirectoryError::Io { doing, path: path.to_owned(), source }
}

/// A folder that is a data directory, and that nobody else uses while this is held.
#[derive(Debug)]
pub struct Directory {
    layout: Layout,
    id: u128,
    _lock: Box<dyn Lock>,
}

impl Directory {
    /// Takes a folder that is there: as the data directory that it is, or, if nothing of one is in it, as a new
    /// one. What makes it one is durable then.
    pub fn open(disk: &Arc<dyn Disk>, layout: Layout, random: &mut Random) -> Result<Self, DirectoryError> {
        let root = layout.root();
        let lock = disk.lock(&layout.lock()).map_err(|source| match source.kind() {
            io::ErrorKind::WouldBlock => DirectoryError::InUse { path: root.to_owned() },
            _ => failed("lock", &layout.lock())(source),
        })?;
        let id = match read_format(&**disk, &layout)? {
            Some(id) => id,
            None => write_format(&**disk, &layout, random)?,
        };
        match disk.create_directory(&layout.logs()) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => result.map_err(failed("create", &layout.logs()))?,
        }
        // Also what a process made that died before it could do this.
        disk.sync_directory(root).map_err(failed("sync", root))?;
        Ok(Self { layout, id, _lock: lock })
    }

    /// Where what lies.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Its number, drawn when it was made: a directory that was wiped comes back with another one.
    pub fn id(&self) -> u128 {
        self.id
    }
}

/// The number of the directory, none if there is nothing in the folder.
pub fn read_format(disk: &dyn Disk, layout: &Layout) -> Result<Option<u128>, DirectoryError> {
    let path = layout.format();
    let file = match disk.open(&path, Access::Read) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return nothing_there(disk, layout).map(|()| None);
        }
        file => file.map_err(failed("open", &path))?,
    };
    let corrupt = |what| DirectoryError::Corrupt { path: layout.root().to_owned(), what };
    if file.length().map_err(failed("measure", &path))? != FILE_BYTES as u64 {
        return Err(corrupt("its format file has another length than it was given"));
    }
    let mut bytes = [0; FILE_BYTES];
    read_exact_at(&*file, &mut bytes, 0).map_err(failed("read", &path))?;
    match decode(&bytes) {
        Decoded::Valid(id) => Ok(Some(id)),
        Decoded::Newer(found) => {
            Err(DirectoryError::NewerFormat { path: layout.root().to_owned(), found, known: FORMAT })
        }
        Decoded::Bad => Err(corrupt("its format file has rotted")),
    }
}

fn nothing_there(disk: &dyn Disk, layout: &Layout) -> Result<(), DirectoryError> {
    let root = layout.root();
    let ours = [layout.journal(), layout.manifest(), layout.logs()];
    let entries = disk.list(root).map_err(failed("list", root))?;
    match entries.iter().any(|entry| ours.contains(&root.join(&entry.name))) {
        true => {
            let what = "it holds data, and its format file is missing";
            Err(DirectoryError::Corrupt { path: root.to_owned(), what })
        }
        false => Ok(()),
    }
}

fn write_format(disk: &dyn Disk, layout: &Layout, random: &mut Random) -> Result<u128, DirectoryError> {
    let id = u128::from(random.next_u64()) << 64 | u128::from(random.next_u64());
    let path = layout.new_format();
    match disk.remove(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        result => result.map_err(failed("remove", &path))?,
    }
    let file = disk.create(&path, Access::Write).map_err(failed("create", &path))?;
    file.write_at(&[io::IoSlice::new(&encode(id))], 0).map_err(failed("write", &path))?;
    file.sync().map_err(failed("sync", &path))?;
    disk.rename(&path, &layout.format()).map_err(failed("rename", &path))?;
    disk.sync_directory(layout.root()).map_err(failed("sync", layout.root()))?;
    Ok(id)
}

fn encode(id: u128) -> Vec<u8> {
    let mut bytes = [&MAGIC[..], &FORMAT.to_le_bytes(), &id.to_le_bytes()].concat();
    bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
    bytes
}

#[derive(Debug, Eq, PartialEq)]
enum Decoded {
    Valid(u128),
    Newer(u32),
    Bad,
}

fn decode(bytes: &[u8]) -> Decoded {
    decode_fields(bytes).unwrap_or(Decoded::Bad)
}

fn decode_fields(bytes: &[u8]) -> Option<Decoded> {
    let checked = bytes.get(..CHECKED_BYTES)?;
    let rest = &mut &*bytes;
    let (magic, format) = (take(rest)?, take_u32(rest)?);
    let (id, checksum) = (u128::from_le_bytes(take(rest)?), take_u32(rest)?);
    let is_whole = magic == MAGIC && checksum == crc32c::crc32c(checked);
    // A later format keeps magic, version and checksum where they are: what has rotted is never called newer.
    is_whole.then_some(if format > FORMAT { Decoded::Newer(format) } else { Decoded::Valid(id) })
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::{Decoded, Directory, DirectoryError, FILE_BYTES, FORMAT, decode, encode};
    use crate::disk::simulated::{Operation, Options, SimulatedDisk};
    use crate::disk::{Access, Disk};
    use crate::layout::Layout;
    use crate::random::Random;

    fn new_disk(seed: u64) -> SimulatedDisk {
        SimulatedDisk::new(Options { seed, ..Options::default() })
    }

    fn open(disk: &SimulatedDisk) -> Result<Directory, DirectoryError> {
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        Directory::open(&shared, Layout::new("/".into()), &mut Random::from_seed(disk.operations()))
    }

    #[test]
    fn a_directory_keeps_its_number_and_another_has_another() {
        for seed in 0..50 {
            let disk = new_disk(seed);
            let id = open(&disk).unwrap().id();
            disk.crash();
            let directory = open(&disk).unwrap();
            assert_eq!(directory.id(), id);
            assert!(disk.list(&directory.layout().logs()).unwrap().is_empty());
        }
        let other = new_disk(1);
        other.free_bytes().unwrap();
        assert_ne!(open(&new_disk(1)).unwrap().id(), open(&other).unwrap().id());
    }

    #[test]
    fn a_directory_has_one_user() {
        let disk = new_disk(1);
        let directory = open(&disk).unwrap();
        assert!(matches!(open(&disk), Err(DirectoryError::InUse { .. })));
        drop(directory);
        open(&disk).unwrap();
    }

    #[test]
    fn making_it_can_be_interrupted_anywhere() {
        for seed in 0..20 {
            for operation in 1.. {
                let disk = new_disk(seed);
                disk.halt_in(operation);
                let made = open(&disk).map(|directory| directory.id());
                if !disk.is_halted() {
                    assert!(operation > 8 && made.is_ok());
                    break;
                }
                disk.crash();
                let id = open(&disk).unwrap().id();
                disk.crash();
                assert_eq!(open(&disk).unwrap().id(), id, "halted at {operation}");
            }
        }
    }

    #[test]
    fn a_disk_that_fails_is_an_error_with_the_place() {
        for operation in [Operation::Lock, Operation::Write, Operation::Sync, Operation::SyncDirectory] {
            let disk = new_disk(1);
            disk.fail(operation, 1);
            assert!(matches!(open(&disk), Err(DirectoryError::Io { .. })), "{operation:?}");
        }
    }

    #[test]
    fn rot_is_told_from_a_newer_format() {
        let bytes = encode(7);
        assert_eq!(decode(&bytes), Decoded::Valid(7));
        for bit in 0..bytes.len() * 8 {
            let mut rotten = bytes.clone();
            rotten[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(&rotten), Decoded::Bad, "bit {bit}");
        }
        let mut newer = bytes;
        newer[8..12].copy_from_slice(&(FORMAT + 1).to_le_bytes());
        let checksum = crc32c::crc32c(&newer[..28]);
        newer[28..].copy_from_slice(&checksum.to_le_bytes());
        assert_eq!(decode(&newer), Decoded::Newer(FORMAT + 1));
    }

    #[test]
    fn a_file_that_is_not_what_was_written_is_refused() {
        let refused = |harm: &dyn Fn(&SimulatedDisk)| {
            let disk = new_disk(1);
            drop(open(&disk).unwrap());
            harm(&disk);
            open(&disk).unwrap_err().to_string()
        };
        let format = Path::new("/format");
        let rotten = refused(&|disk| disk.flip_bit(format, 20, 1).unwrap());
        assert!(rotten.contains("rotted"), "{rotten}");
        let cut = refused(&|disk| {
            disk.open(format, Access::Write).unwrap().set_length(FILE_BYTES as u64 - 1).unwrap();
        });
        assert!(cut.contains("length"), "{cut}");
        let missing = refused(&|disk| disk.remove(format).unwrap());
        assert!(missing.contains("missing"), "{missing}");
        let mut newer = encode(7);
        newer[8] = 9;
        let checksum = crc32c::crc32c(&newer[..28]);
        newer[28..].copy_from_slice(&checksum.to_le_bytes());
        let newer = refused(&|disk| {
            let file = disk.open(format, Access::Write).unwrap();
            file.write_at(&[std::io::IoSlice::new(&newer)], 0).unwrap();
        });
        assert_eq!(newer, format!("/ has format 9, and this version reads no format above {FORMAT}"));
    }
}
