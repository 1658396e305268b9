//! Finding out what a journal holds, and making it true.
//!
//! What can be read is not what is durable: the process that wrote the last frame may have died before its
//! sync, or have had it fail. All frames before that one are durable, since each is written only after the
//! sync of the one before. So the last frame that is accepted is written once more and synced, and nothing of
//! what was replayed may leave the process before that: before [`Journal::recover`] returns.
//!
//! A recovery that is interrupted has changed nothing that another one would not change in the same way.

use std::path::PathBuf;
use std::sync::Arc;

use super::entry::Seal;
use super::error::Error;
use super::files::{Folder, LiveFile, OpenSpare, Output, Spare};
use super::group::Group;
use super::pool::BufferPool;
use super::walk::{Accepted, End, Replayed, Walk};
use super::{Active, Filled, Journal, Options, Reader};
use crate::disk::{Access, Disk};
use crate::random::Random;

/// A journal that is being recovered.
#[derive(Debug)]
pub(super) struct Recovery {
    options: Options,
    pub(super) walk: Walk,
    folder: Folder,
    spares: Vec<Spare>,
}

impl Journal {
    /// Opens the journal in a folder, or makes it, and calls `visit` with each entry of the frames above
    /// `checkpoint`, in order. The frames up to `checkpoint` are those that need not be replayed.
    ///
    /// What is visited is durable when this returns without an error, and not before. Whoever calls this holds
    /// a lock on the directory: the journal has none of its own.
    pub fn recover(
        disk: Arc<dyn Disk>,
        path: PathBuf,
        options: Options,
        random: Random,
        checkpoint: u64,
        visit: impl FnMut(Replayed<'_>),
    ) -> Result<Self, Error> {
        Self::recover_beyond(disk, path, options, random, (checkpoint, checkpoint), visit)
    }

    /// Like [`Journal::recover`], where it is known that the frames up to the second number were durable once: if the
    /// last of them is bad, it has rotted, and is not taken for torn.
    pub fn recover_beyond(
        disk: Arc<dyn Disk>,
        path: PathBuf,
        options: Options,
        random: Random,
        (checkpoint, durable): (u64, u64),
        visit: impl FnMut(Replayed<'_>),
    ) -> Result<Self, Error> {
        let mut recovery = Recovery::open(disk, path, options, checkpoint)?;
        recovery.walk.durable = durable;
        recovery.run(random, visit)
    }

    /// Like [`Journal::recover`] for a journal that holds what was durable elsewhere itself: calls `visit` with
    /// all that has not been recycled. Whether that begins where it should is the caller's to check.
    pub fn recover_all(
        disk: Arc<dyn Disk>,
        path: PathBuf,
        options: Options,
        random: Random,
        visit: impl FnMut(Replayed<'_>),
    ) -> Result<Self, Error> {
        let mut recovery = Recovery::open(disk, path, options, 0)?;
        recovery.walk.begin_with_first_frame()?;
        recovery.run(random, visit)
    }
}

impl Recovery {
    fn run(self, random: Random, mut visit: impl FnMut(Replayed<'_>)) -> Result<Journal, Error> {
        let mut recovery = self;
        let checkpoint = recovery.walk.checkpoint;
        let end = recovery.walk.replay(&mut visit)?;
        recovery.walk.refuse_newer_frames(&end)?;
        let is_torn = recovery.walk.is_torn(&end)?;
        recovery.release_files_behind(&end)?;
        recovery.rewrite_last_frame(&end)?;
        let mut journal = recovery.begin(end, random)?;
        journal.seal_found(is_torn)?;
        journal.recycle(checkpoint)?;
        Ok(journal)
    }

    pub(super) fn open(
        disk: Arc<dyn Disk>,
        path: PathBuf,
        options: Options,
        checkpoint: u64,
    ) -> Result<Self, Error> {
        options.check()?;
        let mut folder = Folder::open(disk, path)?;
        let holding = folder.list(options.file_bytes)?;
        let walk = Walk::open(&folder, holding.live, Access::Write, checkpoint)?;
        Ok(Self { options, walk, folder, spares: holding.spares })
    }

    /// Makes names durable, and takes files out of use that have no frames yet.
    pub(super) fn release_files_behind(&mut self, end: &End) -> Result<(), Error> {
        let (last, _) = end.place();
        for file in self.walk.files.drain(self.walk.files.len().min(last + 1)..).rev() {
            self.spares.extend(self.folder.retire(file, self.options.file_bytes)?);
        }
        self.folder.sync()
    }

    pub(super) fn rewrite_last_frame(&self, end: &End) -> Result<(), Error> {
        let Some((live, offset, frame)) = self.walk.read_last_frame(end)? else { return Ok(()) };
        let mut output = self.output(live)?;
        output.write_durably(frame.bytes(), offset).map_err(live.failed("write"))
    }

    fn output(&self, live: &LiveFile) -> Result<Output, Error> {
        Output::new(&*self.folder.disk, &live.path, Arc::clone(&live.file)).map_err(live.failed("open"))
    }

    /// The journal, ready for the next frame.
    pub(super) fn begin(mut self, end: End, mut random: Random) -> Result<Journal, Error> {
        let (_, position) = end.place();
        let active = match self.walk.files.pop() {
            Some(file) => {
                let output = self.output(&file)?;
                let Accepted { last_sequence, entries } =
                    end.files.get(self.walk.files.len()).cloned().unwrap_or_default();
                let seal = end.seal();
                Active { file, output, position, last_sequence, entries, seal }
            }
            None => self.begin_first_file(&mut random)?,
        };
        let (reader, buffers) = (Reader::default(), BufferPool::default());
        self.walk.files.iter().chain([&active.file]).for_each(|file| reader.add(file));
        let filled = self.walk.files.into_iter().zip(end.files);
        let filled = filled
            .map(|(file, Accepted { last_sequence, entries })| Filled { file, last_sequence, entries })
            .collect();
        Ok(Journal {
            options: self.options,
            folder: self.folder,
            random,
            filled,
            active,
            spares: self.spares,
            group: Group::new(&buffers, 0, self.options.group_bytes_max),
            buffers,
            expected_bytes: 0,
            is_making_spare: false,
            is_writing: false,
            next_sequence: end.next_sequence,
            recycled_to: self.walk.checkpoint,
            is_poisoned: false,
            was_closed: false,
            next_seal: Seal::Closed,
            reader,
        })
    }

    fn begin_first_file(&mut self, random: &mut Random) -> Result<Active, Error> {
        let spare = match self.spares.pop() {
            Some(spare) => spare,
            None => {
                let spare = self.folder.new_spare(self.options.first_file_bytes()).create_written()?;
                spare.ok_or(std::io::ErrorKind::StorageFull.into()).map_err(self.folder.failed("allocate"))?
            }
        };
        let (file, output) = self.folder.open_spare(&spare)?;
        let (file, output) = self.folder.activate(OpenSpare { spare, file, output }, 1, random.next_u64())?;
        Ok(Active::new(file, output))
    }
}
