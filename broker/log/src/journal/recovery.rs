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

use super::aligned::AlignedBuffer;
use super::entry::Entry;
use super::error::Error;
use super::files::{BLOCK, FRAMES_START, Folder, LiveFile, Output, Spare};
use super::group::Group;
use super::layout::{FRAME_HEADER_BYTES, FrameHeader};
use super::pool::BufferPool;
use super::scan::{corrupt, open_live, search};
use super::{Active, Filled, Journal, Options, Position, Reader};
use crate::disk::{BLOCK_BYTES, Disk, read_exact_at};
use crate::random::Random;

/// An entry that was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Replayed<'a> {
    /// The number of its frame.
    pub sequence: u64,
    /// Where its frame begins in the file.
    pub frame_offset: u64,
    /// Where its bytes lie.
    pub position: Position,
    /// What it says.
    pub entry: Entry<'a>,
}

/// A frame as it lies in its file.
#[derive(Clone, Copy, Debug)]
struct Frame {
    file: usize,
    offset: u64,
    header: FrameHeader,
    is_seal: bool,
}

/// What was accepted of a file.
#[derive(Clone, Debug, Default)]
struct Accepted {
    last_sequence: u64,
    entries: u64,
}

/// How far the journal goes.
#[derive(Debug)]
pub(super) struct End {
    /// The last frame that is whole, with all before it.
    last: Option<Frame>,
    next_sequence: u64,
    files: Vec<Accepted>,
}

impl End {
    /// Where the next frame belongs: the index of a file, and the offset in it.
    fn place(&self) -> (usize, u64) {
        self.last.map_or((0, FRAMES_START), |last| (last.file, last.offset + last.header.frame_bytes()))
    }

    fn accept(&mut self, frame: Frame) {
        if let Some(file) = self.files.get_mut(frame.file) {
            file.last_sequence = frame.header.sequence;
            file.entries += u64::from(frame.header.entries);
        }
        self.next_sequence = frame.header.sequence + 1;
        self.last = Some(frame);
    }
}

/// A journal that is being recovered.
#[derive(Debug)]
pub(super) struct Recovery {
    options: Options,
    checkpoint: u64,
    folder: Folder,
    /// Oldest first.
    files: Vec<Arc<LiveFile>>,
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
        Recovery::open(disk, path, options, checkpoint)?.run(random, visit)
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
        let first = recovery.read_header(0, FRAMES_START)?;
        recovery.checkpoint = first.map_or(0, |header| header.sequence.saturating_sub(1));
        recovery.run(random, visit)
    }
}

impl Recovery {
    fn run(self, random: Random, mut visit: impl FnMut(Replayed<'_>)) -> Result<Journal, Error> {
        let mut recovery = self;
        let checkpoint = recovery.checkpoint;
        let end = recovery.replay(&mut visit)?;
        recovery.refuse_newer_frames(&end)?;
        let is_torn = recovery.is_torn(&end)?;
        recovery.release_files_behind(&end)?;
        recovery.rewrite_last_frame(&end)?;
        let mut journal = recovery.begin(end, random)?;
        journal.active.is_sealed &= !is_torn;
        journal.seal()?;
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
        let mut files = Vec::with_capacity(holding.live.len());
        let first = holding.live.first().copied().unwrap_or_default();
        for (expected, sequence) in (first..).zip(holding.live) {
            let file = open_live(&folder, sequence)?;
            if sequence != expected {
                return Err(corrupt(&file, 0, "the file before it is missing"));
            }
            files.push(Arc::new(file));
        }
        if files.is_empty() && checkpoint > 0 {
            let what = "no file of the journal is left";
            return Err(Error::Corrupt { path: folder.path, offset: 0, what });
        }
        Ok(Self { options, checkpoint, folder, files, spares: holding.spares })
    }

    /// The loop: one frame after the other, until there is none.
    pub(super) fn replay(&self, visit: &mut impl FnMut(Replayed<'_>)) -> Result<End, Error> {
        let files = vec![Accepted::default(); self.files.len()];
        let mut end = End { last: None, next_sequence: self.checkpoint + 1, files };
        let mut payload = AlignedBuffer::with_capacity(BLOCK_BYTES);
        while let Some(mut frame) = self.next_frame(&end, &mut payload)? {
            frame.is_seal = self.visit_entries(&frame, payload.bytes(), visit)?;
            end.accept(frame);
        }
        match end.last {
            Some(last) if last.header.sequence < self.checkpoint => {
                Err(self.corrupt_at(end.place(), "the journal ends before the checkpoint"))
            }
            _ => Ok(end),
        }
    }

    /// The frame behind those that were accepted, with what it says in `payload`.
    fn next_frame(&self, end: &End, payload: &mut AlignedBuffer) -> Result<Option<Frame>, Error> {
        let (file, offset) = end.place();
        // A frame that did not fit into the rest of a file stands at the beginning of the next.
        for (file, offset) in [(file, offset), (file + 1, FRAMES_START)] {
            let Some(header) = self.read_header(file, offset)?.filter(|header| self.follows(header, end))
            else {
                continue;
            };
            let frame = Frame { file, offset, header, is_seal: false };
            if self.read_payload(&frame, payload)? {
                return Ok(Some(frame));
            }
        }
        Ok(None)
    }

    fn follows(&self, header: &FrameHeader, end: &End) -> bool {
        match end.last {
            Some(_) => header.sequence == end.next_sequence,
            // The files before this one are recycled; what was in them must be covered.
            None => header.sequence <= self.checkpoint + 1,
        }
    }

    fn read_header(&self, file: usize, offset: u64) -> Result<Option<FrameHeader>, Error> {
        let Some(live) = self.files.get(file).filter(|live| offset + BLOCK <= live.length) else {
            return Ok(None);
        };
        let mut bytes = [0; FRAME_HEADER_BYTES];
        read_exact_at(&*live.file, &mut bytes, offset).map_err(live.failed("read"))?;
        let header = FrameHeader::decode(&bytes, live.salt);
        Ok(header.filter(|header| header.frame_bytes() <= live.length - offset))
    }

    /// Reads what a frame says, and whether it is what was written.
    fn read_payload(&self, frame: &Frame, payload: &mut AlignedBuffer) -> Result<bool, Error> {
        let Some(live) = self.files.get(frame.file) else { return Ok(false) };
        payload.clear();
        payload.pad(usize::try_from(frame.header.payload_bytes).unwrap_or(0));
        let offset = frame.offset + FRAME_HEADER_BYTES as u64;
        read_exact_at(&*live.file, payload.bytes_mut(), offset).map_err(live.failed("read"))?;
        Ok(crc32c::crc32c(payload.bytes()) == frame.header.payload_checksum)
    }

    /// Hands the entries on, and says whether they are a seal.
    fn visit_entries(
        &self,
        frame: &Frame,
        payload: &[u8],
        visit: &mut impl FnMut(Replayed<'_>),
    ) -> Result<bool, Error> {
        let mut rest = payload;
        let mut is_seal = false;
        for _ in 0..frame.header.entries {
            let entry = Entry::decode(&mut rest).ok_or_else(|| {
                self.corrupt_at((frame.file, frame.offset), "an entry that this version does not know")
            })?;
            is_seal = entry == Entry::Seal;
            if is_seal || frame.header.sequence <= self.checkpoint {
                continue;
            }
            let length = entry.body().len();
            let offset = FRAME_HEADER_BYTES + payload.len() - rest.len() - length;
            let position = Position {
                file: self.files.get(frame.file).map_or(0, |live| live.sequence),
                offset: frame.offset + offset as u64,
                // No longer than the payload, whose length has as many bits.
                length: u32::try_from(length).unwrap_or(u32::MAX),
            };
            visit(Replayed { sequence: frame.header.sequence, frame_offset: frame.offset, position, entry });
        }
        Ok(is_seal)
    }

    /// A frame behind the end was written after what should be at the end had been durable.
    pub(super) fn refuse_newer_frames(&self, end: &End) -> Result<(), Error> {
        let torn = self.place_of_torn(end)?;
        let (index, offset) = end.place();
        for (number, live) in self.files.iter().enumerate().skip(index) {
            let start = if number == index { offset } else { FRAMES_START };
            let is_newer = |offset: u64, header: &FrameHeader| {
                header.sequence >= end.next_sequence && torn != Some((number, offset))
            };
            if let Some(found) = search(live, start, is_newer)? {
                // Either it was the last of its file, or it is the first of the next.
                let is_in_next = (number, found) > (index + 1, FRAMES_START);
                let place = if is_in_next { (index + 1, FRAMES_START) } else { (index, offset) };
                let what = "the frame is bad, and newer ones are behind it";
                return Err(self.corrupt_at(torn.unwrap_or(place), what));
            }
        }
        Ok(())
    }

    /// Where the frame behind the end begins, if its header is whole. What it says is not.
    fn place_of_torn(&self, end: &End) -> Result<Option<(usize, u64)>, Error> {
        let (file, offset) = end.place();
        for (file, offset) in [(file, offset), (file + 1, FRAMES_START)] {
            let header = self.read_header(file, offset)?;
            if header.is_some_and(|header| header.sequence == end.next_sequence) {
                return Ok(Some((file, offset)));
            }
        }
        Ok(None)
    }

    /// Whether something is left of a frame where the next one belongs. One that is left in another file goes
    /// with that file.
    pub(super) fn is_torn(&self, end: &End) -> Result<bool, Error> {
        Ok(self.place_of_torn(end)? == Some(end.place()))
    }

    /// Makes names durable, and takes files out of use that have no frames yet.
    pub(super) fn release_files_behind(&mut self, end: &End) -> Result<(), Error> {
        let (last, _) = end.place();
        for file in self.files.drain(self.files.len().min(last + 1)..).rev() {
            self.spares.extend(self.folder.retire(file, self.options.file_bytes)?);
        }
        self.folder.sync()
    }

    pub(super) fn rewrite_last_frame(&self, end: &End) -> Result<(), Error> {
        let Some((frame, live)) = end.last.and_then(|last| Some((last, self.files.get(last.file)?))) else {
            return Ok(());
        };
        let mut bytes = AlignedBuffer::zeroed(usize::try_from(frame.header.frame_bytes()).unwrap_or(0));
        read_exact_at(&*live.file, bytes.bytes_mut(), frame.offset).map_err(live.failed("read"))?;
        let mut output = self.output(live)?;
        output.write_durably(bytes.bytes(), frame.offset).map_err(live.failed("write"))
    }

    fn output(&self, live: &LiveFile) -> Result<Output, Error> {
        Output::new(&*self.folder.disk, &live.path, Arc::clone(&live.file)).map_err(live.failed("open"))
    }

    /// The journal, ready for the next frame.
    pub(super) fn begin(mut self, end: End, mut random: Random) -> Result<Journal, Error> {
        let (_, position) = end.place();
        let active = match self.files.pop() {
            Some(file) => {
                let output = self.output(&file)?;
                let Accepted { last_sequence, entries } =
                    end.files.get(self.files.len()).cloned().unwrap_or_default();
                let is_sealed = end.last.is_some_and(|last| last.is_seal);
                Active { file, output, position, last_sequence, entries, is_sealed }
            }
            None => self.begin_first_file(&mut random)?,
        };
        let (reader, buffers) = (Reader::default(), BufferPool::default());
        self.files.iter().chain([&active.file]).for_each(|file| reader.add(file));
        let filled = self.files.into_iter().zip(end.files);
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
            recycled_to: self.checkpoint,
            is_poisoned: false,
            reader,
        })
    }

    fn begin_first_file(&mut self, random: &mut Random) -> Result<Active, Error> {
        let spare = match self.spares.pop() {
            Some(spare) => spare,
            None => {
                let spare = self.folder.new_spare(self.options.file_bytes).create()?;
                spare.ok_or(std::io::ErrorKind::StorageFull.into()).map_err(self.folder.failed("allocate"))?
            }
        };
        let (file, output) = self.folder.activate(spare, 1, random.next_u64())?;
        Ok(Active::new(file, output))
    }

    fn corrupt_at(&self, (file, offset): (usize, u64), what: &'static str) -> Error {
        let path = self.files.get(file).map_or(&self.folder.path, |live| &live.path);
        Error::Corrupt { path: path.clone(), offset, what }
    }
}
