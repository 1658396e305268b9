//! The journal: what makes an append durable, for all partitions of a data directory at once.
//!
//! It owns the files of one folder, and what goes into them and comes out of them. It never looks into a
//! batch, knows nothing of partitions but their numbers, and decides nothing about what an entry means.
//!
//! # What is on the disk
//!
//! Files of a fixed length, written from end to end once when they are made and used again and again; the first one is
//! shorter, so that a new journal is there at once, and one that is needed before it could be written is only allocated. A group
//! of entries is one *frame*: one write, one sync. A frame begins at the border of a block and lies in one
//! file; one that is too large for any gets a file of its own size. Frames have numbers that rise by one, over
//! all files.
//!
//! Only one frame is ever between its write and its sync. So when a machine dies, the last frame alone can be
//! torn, and everything before it is durable. Blocks that were synced are written again by two alone: the
//! next use of a file, and [`Journal::recover`].
//!
//! # What recovery can tell, and what it cannot
//!
//! A bad frame with newer ones behind it was durable once: it has rotted, and that is an error. A bad frame
//! at the end was torn by a crash, and is cut. To tell the two apart at the end too, a *seal* is written
//! behind the last frame when the journal is closed, and by each recovery that cut something or found no
//! seal. One that recovery writes says that the process before it died; so do those of later closings, until somebody
//! has answered for that death. What stays ambiguous:
//!
//! - After a crash and before the recovery, the last frame, if it is bad, may be one that was acknowledged and
//!   rotted, with nothing behind it to show that. It is taken for torn, unless somebody knows that it was durable
//!   ([`Journal::recover_beyond`]).
//! - The last frame, if it is whole, may be one that was never acknowledged. It is kept: whoever sent it has to
//!   be ready for either.
//! - A seal that rots says nothing any more; nothing else is lost with it.
//! - If all files with frames above the checkpoint were removed by hand, the rest looks like a shorter journal.
//!
//! # Room
//!
//! The bound is in bytes and in entries, since the time that recovery takes follows from both. An entry is
//! admitted or refused before anything of it is staged, and when it is admitted, its room on the disk is
//! there: the files are allocated. Appends are refused while there is still a whole spare file, and a part of
//! the bound, for control operations ([`Class::Control`]): deleting and checkpointing make the room that the
//! appends wait for.

mod aligned;
mod entry;
mod error;
mod files;
mod group;
mod inspect;
mod layout;
mod options;
mod pins;
mod pool;
mod reader;
mod recovery;
mod regions;
mod room;
mod staging;
mod walk;
mod write;

use std::collections::VecDeque;
use std::sync::Arc;

use self::files::{BLOCK, FRAMES_START, Folder, LiveFile, OVERHEAD_BYTES, OpenSpare, Output, Spare};
use self::group::Group;
use crate::random::Random;

pub use self::entry::{Entry, Seal};
pub use self::error::{Error, StageError};
pub(crate) use self::files::file_path;
pub use self::group::Staged;
pub use self::inspect::Inspection;
pub use self::options::{BYTES_MAX, ENTRIES_MAX, GROUP_BYTES_MAX, Options};
pub use self::pins::Pins;
pub use self::pool::{BufferPool, FrameBuffer, POOL_BYTES_MAX};
pub use self::reader::{Pinned, Position, ReadBuffer, Reader};
pub use self::room::{SpareDone, SpareJob};
pub use self::walk::Replayed;
pub use self::write::{Committed, Write, Written};

/// What an entry is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Class {
    /// Something new to keep: refused first when room gets short.
    Append,
    /// Something that the system needs to go on, and to make room.
    Control,
}

/// A file that takes no more frames.
#[derive(Debug)]
struct Filled {
    file: Arc<LiveFile>,
    last_sequence: u64,
    entries: u64,
}

/// The file that takes the next frame.
#[derive(Debug)]
struct Active {
    file: Arc<LiveFile>,
    output: Output,
    position: u64,
    /// Of its last frame; zero if it has none.
    last_sequence: u64,
    entries: u64,
    /// What the last frame of the journal says, if it is a seal.
    seal: Option<Seal>,
}

impl Active {
    fn new(file: Arc<LiveFile>, output: Output) -> Self {
        Self { file, output, position: FRAMES_START, last_sequence: 0, entries: 0, seal: None }
    }

    /// Whether a frame fits, with the block behind it that is kept for a seal.
    fn fits(&self, frame_bytes: u64) -> bool {
        self.position + frame_bytes + BLOCK <= self.file.length
    }
}

/// The journal of a data directory.
///
/// After an error from anything that writes, it is of no use: what is on the disk is unknown, nothing of the
/// group counts as written, and nothing is tried again. [`Journal::recover`] finds out.
#[derive(Debug)]
pub struct Journal {
    options: Options,
    folder: Folder,
    random: Random,
    /// Oldest first.
    filled: VecDeque<Filled>,
    active: Active,
    spares: Vec<Spare>,
    /// Whether a spare file is being made elsewhere.
    is_making_spare: bool,
    /// The group that is forming.
    group: Group,
    /// Memory for the groups.
    buffers: BufferPool,
    /// What the next frame will probably take, from what those before it took.
    expected_bytes: usize,
    /// Whether a group has been handed out.
    is_writing: bool,
    next_sequence: u64,
    recycled_to: u64,
    is_poisoned: bool,
    /// Whether it ended with the seal of a process that was closed when it was opened.
    was_closed: bool,
    /// What the next seal says.
    next_seal: Seal,
    reader: Reader,
}

impl Journal {
    /// Makes the staged entries durable, as one frame; none if nothing is staged.
    pub fn commit(&mut self) -> Result<Option<(Committed, FrameBuffer)>, Error> {
        match self.begin_commit()? {
            Some(write) => self.end_commit(write.run()).map(Some),
            None => Ok(None),
        }
    }

    /// Hands the staged group out, to be written by whoever calls [`Write::run`]; none if nothing is staged.
    ///
    /// After an error for want of descriptors it may be called again, and everything is as it was.
    ///
    /// Until [`Journal::end_commit`] the next group can be staged, and nothing else be written.
    pub fn begin_commit(&mut self) -> Result<Option<Write>, Error> {
        self.check_idle()?;
        if self.group.is_empty() {
            return Ok(None);
        }
        let frame_bytes = self.group.frame_bytes_with(0);
        if !self.active.fits(frame_bytes) {
            let spare = self.open_spare(frame_bytes)?;
            let result = self.begin_file(spare);
            self.is_poisoned = result.is_err();
            result?;
        }
        Ok(Some(self.begin_write()))
    }

    fn begin_write(&mut self) -> Write {
        let frame_bytes = self.group.bytes();
        // Slowly down, since memory that is too large for a frame is used again at once.
        self.expected_bytes = frame_bytes.max(self.expected_bytes - self.expected_bytes / 8);
        let next = Group::new(&self.buffers, self.expected_bytes, self.options.group_bytes_max);
        let group = std::mem::replace(&mut self.group, next);
        let Active { file, output, position, last_sequence, entries, seal } = &mut self.active;
        *entries += group.entries();
        let frame = group.finish(self.next_sequence, file.salt);
        let committed = Committed { sequence: self.next_sequence, file: file.sequence, offset: *position };
        *position += frame.bytes().len() as u64;
        *last_sequence = self.next_sequence;
        *seal = None;
        self.next_sequence += 1;
        self.is_writing = true;
        Write { frame, frame_bytes, output: output.clone(), committed, result: Ok(()) }
    }

    /// Takes a group back that was handed out. If this gives no error, the group is durable, and its frame can
    /// be read in memory for as long as somebody wants it there.
    pub fn end_commit(&mut self, written: Written) -> Result<(Committed, FrameBuffer), Error> {
        let Written(Write { mut frame, frame_bytes, output, committed, result }) = written;
        self.is_writing = false;
        self.is_poisoned |= result.is_err();
        self.active.output = output;
        result.map_err(self.active.file.failed("write"))?;
        frame.memory_mut().truncate(frame_bytes);
        Ok((committed, frame))
    }

    fn check_idle(&self) -> Result<(), Error> {
        if self.is_poisoned {
            Err(Error::Poisoned)
        } else if self.is_writing {
            Err(Error::Busy)
        } else {
            Ok(())
        }
    }

    /// Opens the file that takes the frames that follow. Where there are no descriptors, all is as it was.
    fn open_spare(&mut self, frame_bytes: u64) -> Result<OpenSpare, Error> {
        let needed = frame_bytes + OVERHEAD_BYTES;
        let fitting = self.spares.iter().enumerate();
        let fitting = fitting.filter(|(_, spare)| spare.length >= needed && spare.is_free());
        // Of one length, those that are ready to be written over: the others are for when there is no time.
        let Some((index, _)) = fitting.min_by_key(|(_, spare)| (spare.length, !spare.is_written)) else {
            // Staging made room, and nothing took it since.
            self.is_poisoned = true;
            return Err(self.folder.failed("find a spare file in")(std::io::ErrorKind::StorageFull.into()));
        };
        let spare = self.spares.swap_remove(index);
        match self.folder.open_spare(&spare) {
            Ok((file, output)) => Ok(OpenSpare { spare, file, output }),
            Err(error) => {
                self.is_poisoned = !error.lacks_descriptors();
                self.spares.push(spare);
                Err(error)
            }
        }
    }

    /// Lets another file take the frames that follow.
    fn begin_file(&mut self, spare: OpenSpare) -> Result<(), Error> {
        let sequence = self.active.file.sequence + 1;
        let (file, output) = self.folder.activate(spare, sequence, self.random.next_u64())?;
        self.reader.add(&file);
        let before = std::mem::replace(&mut self.active, Active::new(file, output));
        let Active { file, last_sequence, entries, .. } = before;
        self.filled.push_back(Filled { file, last_sequence, entries });
        self.retire_filled()
    }

    /// Gives files back whose frames all have numbers up to `sequence`: nobody will ask for them again.
    ///
    /// What these frames said must be durable elsewhere, and that they are not to be replayed as well.
    pub fn recycle(&mut self, sequence: u64) -> Result<(), Error> {
        if self.is_poisoned {
            return Err(Error::Poisoned);
        }
        self.recycled_to = self.recycled_to.max(sequence);
        let result = self.retire_filled();
        self.is_poisoned = result.is_err();
        result
    }

    fn retire_filled(&mut self) -> Result<(), Error> {
        let recycled_to = self.recycled_to;
        let mut is_changed = false;
        // From the oldest on: what a crash leaves of it is still a journal without gaps.
        while let Some(filled) = self.filled.pop_front_if(|filled| filled.last_sequence <= recycled_to) {
            self.reader.remove(&filled.file);
            self.spares.extend(self.folder.retire(filled.file, self.options.file_bytes)?);
            is_changed = true;
        }
        if is_changed {
            self.folder.sync()?;
        }
        self.bound_pinned()
    }

    /// Closes the journal. What is staged and not committed is gone.
    pub fn close(mut self) -> Result<(), Error> {
        self.check_idle()?;
        self.seal()
    }

    /// Writes a seal behind the last frame, if there is none that says the same. Its block is there: frames leave room
    /// for one. Where that is taken by one that says something worse, that one stays.
    fn seal(&mut self) -> Result<(), Error> {
        let Active { seal, position, file, .. } = &self.active;
        let has_room = seal.is_none() || position + BLOCK <= file.length;
        if *seal == Some(self.next_seal) || !has_room {
            return Ok(());
        }
        self.group.clear();
        self.group.add_seal(self.next_seal);
        let write = self.begin_write();
        self.end_commit(write.run())?;
        self.active.seal = Some(self.next_seal);
        Ok(())
    }

    /// Seals what was found, where it ends with no seal, or with one that something was begun behind. Of a process that
    /// died this says so, until [`Journal::seal_as`] is told otherwise.
    fn seal_found(&mut self, is_torn: bool) -> Result<(), Error> {
        self.active.seal = self.active.seal.filter(|_| !is_torn);
        self.was_closed = self.active.seal == Some(Seal::Closed);
        // Where there is no frame, nobody has died.
        let is_new = self.next_sequence == 1;
        self.next_seal = if self.was_closed || is_new { Seal::Closed } else { Seal::Died };
        self.seal()
    }

    /// What the seal says that is written when it is closed. After a process that died that is [`Seal::Died`], until
    /// somebody has answered for it.
    pub fn seal_as(&mut self, seal: Seal) {
        self.next_seal = seal;
    }

    /// Whether it had been closed when it was opened, and nothing was written since; and whoever closed it had nothing to
    /// answer for.
    pub fn was_closed(&self) -> bool {
        self.was_closed
    }

    /// What is in use of it, not counting the rest of the file that takes the next frame.
    pub fn used_bytes(&self) -> u64 {
        self.filled_bytes() + self.active.position
    }

    /// The number that the next frame will have.
    pub fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// Takes the memory of the groups that follow from this pool, and gives it back there.
    pub fn use_buffers(&mut self, buffers: BufferPool) {
        if self.group.is_empty() {
            self.group = Group::new(&buffers, self.expected_bytes, self.options.group_bytes_max);
        }
        self.buffers = buffers;
    }

    /// Lets this reader, and its clones, read the journal from now on.
    pub fn use_reader(&mut self, reader: Reader) {
        self.filled
            .iter()
            .map(|filled| &filled.file)
            .chain([&self.active.file])
            .for_each(|file| reader.add(file));
        self.reader = reader;
    }

    /// A way to read what was committed, for other threads too.
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }
}

#[cfg(test)]
mod tests;
