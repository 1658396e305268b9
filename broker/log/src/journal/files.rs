//! The files of a journal: their names, how they come to be, are written, and are used again.
//!
//! A file in use is named by its sequence number, and a spare one otherwise; one that is still being made has
//! a third kind of name. A file gets the name of one in use when its header is durable, and loses it durably before anything in it is overwritten: so a file with such
//! a name has a valid header, or has rotted.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::aligned::AlignedBuffer;
use super::error::Error;
use super::layout::FileHeader;
use crate::disk::{Access, BLOCK_BYTES, Disk, File, if_there, lacks_descriptors};

/// One block.
pub(super) const BLOCK: u64 = BLOCK_BYTES as u64;

/// Where a file's first frame begins: behind the header.
pub(super) const FRAMES_START: u64 = BLOCK;

/// What a file has beside its frames: its header, and a last block for the seal that recovery may have to
/// write when there is no room for another file.
pub(super) const OVERHEAD_BYTES: u64 = 2 * BLOCK;

/// A new file is filled in pieces of this size.
const FILL_BYTES: u64 = 1 << 20;

const LIVE_SUFFIX: &str = ".journal";
const SPARE_PREFIX: &str = "spare-";
const FILLING_PREFIX: &str = "filling-";

/// A file in use.
#[derive(Debug)]
pub(super) struct LiveFile {
    pub(super) sequence: u64,
    pub(super) salt: u64,
    pub(super) length: u64,
    pub(super) path: PathBuf,
    pub(super) file: Arc<dyn File>,
    /// The same file past the page cache, where that is known to go.
    pub(super) direct: Option<Arc<dyn File>>,
}

impl LiveFile {
    pub(super) fn failed(&self, doing: &'static str) -> impl Fn(io::Error) -> Error {
        failed(doing, &self.path)
    }
}

/// A file that waits to be used again.
#[derive(Debug)]
pub(super) struct Spare {
    path: PathBuf,
    pub(super) length: u64,
    /// Whether its blocks were written once: then they take what is written over them in half the time.
    pub(super) is_written: bool,
    /// What it was before. Whoever still reads that holds it too.
    before: Option<Arc<LiveFile>>,
}

impl Spare {
    pub(super) fn is_free(&self) -> bool {
        self.pinned().is_none()
    }

    /// Whether it was another file before.
    pub(super) fn was_used(&self) -> bool {
        self.before.is_some()
    }

    /// The number that it had, if somebody still reads what it was. Nobody begins to: it is out of use.
    pub(super) fn pinned(&self) -> Option<u64> {
        self.before.as_ref().filter(|file| Arc::strong_count(file) > 1).map(|file| file.sequence)
    }
}

/// A spare file that is open.
#[derive(Debug)]
pub(super) struct OpenSpare {
    pub(super) spare: Spare,
    pub(super) file: Arc<dyn File>,
    pub(super) output: Output,
}

pub(super) fn failed(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> Error {
    move |source| Error::Io { doing, path: path.to_owned(), source }
}

/// The way into a file. Past the page cache where the file system lets us: that was the faster one at every
/// size from 4 KiB to 4 MiB, and it takes less of the processor.
#[derive(Clone, Debug)]
pub(super) struct Output {
    cached: Arc<dyn File>,
    direct: Option<Arc<dyn File>>,
}

impl Output {
    pub(super) fn new(disk: &dyn Disk, path: &Path, cached: Arc<dyn File>) -> io::Result<Self> {
        let direct = match disk.open(path, Access::DirectSynced) {
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => None,
            direct => Some(direct?),
        };
        Ok(Self { cached, direct })
    }

    /// Writes whole blocks from aligned memory; they are durable when it returns without an error.
    ///
    /// After an error nobody knows what is on the disk, and it must not be tried again.
    pub(super) fn write_durably(&mut self, blocks: &[u8], offset: u64) -> io::Result<()> {
        let parts = [io::IoSlice::new(blocks)];
        if let Some(direct) = &self.direct {
            match direct.write_at(&parts, offset) {
                // Not a write that failed: a file system that knows no such writes, and wrote nothing.
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => self.direct = None,
                result => return result,
            }
        }
        self.cached.write_at(&parts, offset)?;
        self.cached.sync()
    }
}

/// The folder that the files are in.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) path: PathBuf,
    last_spare: u64,
}

/// What a folder holds: sequence numbers of files in use, rising, and spare files.
pub(super) struct Holding {
    pub(super) live: Vec<u64>,
    pub(super) spares: Vec<Spare>,
}

impl Folder {
    /// Opens the folder, or makes it.
    pub(super) fn open(disk: Arc<dyn Disk>, path: PathBuf) -> Result<Self, Error> {
        match disk.create_directory(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => result.map_err(failed("create", &path))?,
        }
        // It may have been made by a process that died before it could do this.
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        disk.sync_directory(parent).map_err(failed("sync", parent))?;
        Ok(Self { disk, path, last_spare: 0 })
    }

    /// The folder as it is, to be read alone.
    pub(super) fn as_it_is(disk: Arc<dyn Disk>, path: PathBuf) -> Self {
        Self { disk, path, last_spare: 0 }
    }

    pub(super) fn failed(&self, doing: &'static str) -> impl Fn(io::Error) -> Error {
        failed(doing, &self.path)
    }

    fn live_path(&self, sequence: u64) -> PathBuf {
        file_path(&self.path, sequence)
    }

    fn next_spare_path(&mut self) -> PathBuf {
        self.last_spare += 1;
        self.path.join(format!("{SPARE_PREFIX}{:020}", self.last_spare))
    }

    /// The numbers of the files in use. A folder that is not there has none.
    pub(super) fn list_live(&self) -> Result<Vec<u64>, Error> {
        let entries = if_there(self.disk.list(&self.path)).map_err(self.failed("list"))?.unwrap_or_default();
        let mut live: Vec<u64> = entries.iter().filter_map(|entry| live_number(&entry.name)).collect();
        live.sort_unstable();
        Ok(live)
    }

    /// Looks what is there. Spare files that are not `file_bytes` long go, or become so.
    pub(super) fn list(&mut self, file_bytes: u64) -> Result<Holding, Error> {
        let mut holding = Holding { live: Vec::new(), spares: Vec::new() };
        for entry in self.disk.list(&self.path).map_err(self.failed("list"))? {
            if let Some(number) = live_number(&entry.name) {
                holding.live.push(number);
            } else if let Some(number) =
                entry.name.strip_prefix(SPARE_PREFIX).and_then(|name| name.parse().ok())
            {
                self.last_spare = self.last_spare.max(number);
                holding.spares.extend(self.adopt(self.path.join(&entry.name), file_bytes)?);
            } else if entry.name.starts_with(FILLING_PREFIX) {
                let path = self.path.join(&entry.name);
                self.disk.remove(&path).map_err(failed("remove", &path))?;
            }
        }
        holding.live.sort_unstable();
        Ok(holding)
    }

    fn adopt(&self, path: PathBuf, file_bytes: u64) -> Result<Option<Spare>, Error> {
        let file = self.disk.open(&path, Access::Write).map_err(failed("open", &path))?;
        let has_length = file.length().map_err(failed("measure", &path))? <= file_bytes;
        // A crash may have come between the file's creation and its allocation; most have all of it already.
        if has_length && allocate(&*file, &path, file_bytes)? {
            // After a sync that failed the length that is read need not be the durable one, and an allocation
            // that changes nothing does not make it so.
            file.set_length(file_bytes).map_err(failed("lengthen", &path))?;
            return Ok(Some(Spare { path, length: file_bytes, is_written: false, before: None }));
        }
        self.disk.remove(&path).map_err(failed("remove", &path))?;
        Ok(None)
    }

    /// Opens a file in use.
    pub(super) fn open_live(&self, sequence: u64, access: Access) -> Result<(PathBuf, Arc<dyn File>), Error> {
        let path = self.live_path(sequence);
        let file = self.disk.open(&path, access).map_err(failed("open", &path))?;
        Ok((path, file))
    }

    /// A spare file that is to be made. What makes it needs nothing else of the folder.
    pub(super) fn new_spare(&mut self, length: u64) -> NewSpare {
        let path = self.next_spare_path();
        let filling = self.path.join(format!("{FILLING_PREFIX}{:020}", self.last_spare));
        NewSpare { disk: Arc::clone(&self.disk), filling, path, length }
    }

    /// Opens a spare file. Where that fails, nothing has happened to it.
    pub(super) fn open_spare(&self, spare: &Spare) -> Result<(Arc<dyn File>, Output), Error> {
        let failed = failed("open", &spare.path);
        let file = self.disk.open(&spare.path, Access::Write).map_err(&failed)?;
        let output = Output::new(&*self.disk, &spare.path, Arc::clone(&file)).map_err(failed)?;
        Ok((file, output))
    }

    /// Takes a spare file into use: when this returns, its header and its name are durable.
    pub(super) fn activate(
        &self,
        open: OpenSpare,
        sequence: u64,
        salt: u64,
    ) -> Result<(Arc<LiveFile>, Output), Error> {
        let OpenSpare { spare, file, mut output } = open;
        let from = spare.path;
        let mut block = AlignedBuffer::with_capacity(BLOCK_BYTES);
        block.append(&FileHeader { sequence, salt, length: spare.length }.encode());
        block.pad(BLOCK_BYTES - block.length());
        output.write_durably(block.bytes(), 0).map_err(failed("write", &from))?;
        // The length and the allocation too, whichever way the header went.
        file.sync().map_err(failed("sync", &from))?;
        let path = self.live_path(sequence);
        self.disk.rename(&from, &path).map_err(failed("rename", &from))?;
        self.sync()?;
        let direct = output.direct.clone();
        Ok((Arc::new(LiveFile { sequence, salt, length: spare.length, path, file, direct }), output))
    }

    /// Takes a file out of use. It may be used again once [`Folder::sync`] has returned.
    pub(super) fn retire(&mut self, file: Arc<LiveFile>, file_bytes: u64) -> Result<Option<Spare>, Error> {
        if file.length != file_bytes && Arc::strong_count(&file) == 1 {
            self.disk.remove(&file.path).map_err(file.failed("remove"))?;
            return Ok(None);
        }
        let path = self.next_spare_path();
        self.disk.rename(&file.path, &path).map_err(file.failed("rename"))?;
        Ok(Some(Spare { path, length: file.length, is_written: true, before: Some(file) }))
    }

    /// Removes a spare file.
    pub(super) fn remove(&self, spare: Spare) -> Result<(), Error> {
        self.disk.remove(&spare.path).map_err(failed("remove", &spare.path))
    }

    /// Removes a file that somebody reads, and gives its room back at once. Whoever reads it finds that it ends.
    ///
    /// That it is out of use has to be durable: with its old name it would be a file without a header.
    pub(super) fn give_up(&self, spare: Spare) -> Result<(), Error> {
        if let Some(before) = &spare.before {
            before.file.set_length(0).map_err(failed("empty", &spare.path))?;
        }
        self.remove(spare)
    }

    /// Makes the names durable.
    pub(super) fn sync(&self) -> Result<(), Error> {
        self.disk.sync_directory(&self.path).map_err(self.failed("sync"))
    }
}

/// A spare file that is not there yet.
#[derive(Debug)]
pub(super) struct NewSpare {
    disk: Arc<dyn Disk>,
    /// Its name until it is whole. A file with such a name is nobody's: recovery removes it, and if somebody
    /// still writes to it then, that hits no file with another name.
    filling: PathBuf,
    path: PathBuf,
    length: u64,
}

impl NewSpare {
    /// Makes the file, with room of its own; none if the disk is full, or there are no descriptors.
    ///
    /// Its blocks are allocated and never written, for those who cannot wait. It is durable when it is taken into use.
    pub(super) fn create(self) -> Result<Option<Spare>, Error> {
        self.make(|_, _| Ok(()))
    }

    /// Makes the file and writes it once from end to end, which takes as long as that takes: to write over blocks takes
    /// about half as long as to write to ones that were only allocated, for small writes.
    pub(super) fn create_written(self) -> Result<Option<Spare>, Error> {
        let spare = self.make(|output, length| {
            let zeros = AlignedBuffer::zeroed(usize::try_from(length.min(FILL_BYTES)).unwrap_or(0));
            let mut offset = 0;
            while offset < length {
                let bytes = usize::try_from(length - offset).unwrap_or(usize::MAX).min(zeros.length());
                output.write_durably(zeros.bytes().get(..bytes).unwrap_or_default(), offset)?;
                offset += bytes as u64;
            }
            Ok(())
        })?;
        Ok(spare.map(|spare| Spare { is_written: true, ..spare }))
    }

    fn make(self, fill: impl FnOnce(&mut Output, u64) -> io::Result<()>) -> Result<Option<Spare>, Error> {
        let Self { disk, filling, path, length } = self;
        let file = match disk.create(&filling, Access::Write) {
            Err(error) if error.kind() == io::ErrorKind::StorageFull || lacks_descriptors(&error) => {
                return Ok(None);
            }
            result => result.map_err(failed("create", &filling))?,
        };
        if !allocate(&*file, &filling, length)? {
            disk.remove(&filling).map_err(failed("remove", &filling))?;
            return Ok(None);
        }
        let mut output = match Output::new(&*disk, &filling, file) {
            Err(error) if lacks_descriptors(&error) => {
                disk.remove(&filling).map_err(failed("remove", &filling))?;
                return Ok(None);
            }
            output => output.map_err(failed("open", &filling))?,
        };
        fill(&mut output, length).map_err(failed("fill", &filling))?;
        disk.rename(&filling, &path).map_err(failed("rename", &filling))?;
        Ok(Some(Spare { path, length, is_written: false, before: None }))
    }
}

/// Where the file with a number lies while it is in use.
pub(crate) fn file_path(folder: &Path, sequence: u64) -> PathBuf {
    folder.join(format!("{sequence:020}{LIVE_SUFFIX}"))
}

fn live_number(name: &str) -> Option<u64> {
    name.strip_suffix(LIVE_SUFFIX)?.parse().ok()
}

/// Gives a file room; says whether the disk had it.
fn allocate(file: &dyn File, path: &Path, length: u64) -> Result<bool, Error> {
    match file.allocate(0, length) {
        Err(error) if error.kind() == io::ErrorKind::StorageFull => Ok(false),
        result => result.map(|()| true).map_err(failed("allocate", path)),
    }
}
