//! Reading a journal from front to back, without changing anything: what is whole, and where it ends.

use std::path::PathBuf;
use std::sync::Arc;

use super::aligned::AlignedBuffer;
use super::entry::{Entry, Seal};
use super::error::Error;
use super::files::{BLOCK, FRAMES_START, Folder, LiveFile};
use super::layout::{FORMAT, FRAME_HEADER_BYTES, FileHeader, FileHeaderRead, FrameHeader};
use super::reader::Position;
use crate::disk::{Access, BLOCK_BYTES, read_exact_at};

/// The search for newer frames reads so many bytes at once.
const SEARCH_BYTES: u64 = 256 << 10;

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
    seal: Option<Seal>,
}

/// What was accepted of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Accepted {
    pub(super) last_sequence: u64,
    pub(super) entries: u64,
}

/// How far the journal goes.
#[derive(Debug)]
pub(super) struct End {
    /// The last frame that is whole, with all before it.
    last: Option<Frame>,
    pub(super) next_sequence: u64,
    pub(super) files: Vec<Accepted>,
}

impl End {
    /// What the last frame says, if it is a seal.
    pub(super) fn seal(&self) -> Option<Seal> {
        self.last.and_then(|last| last.seal)
    }

    /// Where the next frame belongs: the index of a file, and the offset in it.
    pub(super) fn place(&self) -> (usize, u64) {
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

/// The files of a journal, on the way from the first frame to the last.
#[derive(Debug)]
pub(super) struct Walk {
    /// The frames up to this one need not be visited.
    pub(super) checkpoint: u64,
    /// The frames up to this one were durable once, whatever is left of them.
    pub(super) durable: u64,
    path: PathBuf,
    /// Oldest first.
    pub(super) files: Vec<Arc<LiveFile>>,
}

impl Walk {
    /// Opens the files of a folder that have these numbers, and reads their headers.
    pub(super) fn open(
        folder: &Folder,
        live: Vec<u64>,
        access: Access,
        checkpoint: u64,
    ) -> Result<Self, Error> {
        let mut files = Vec::with_capacity(live.len());
        let first = live.first().copied().unwrap_or_default();
        for (expected, sequence) in (first..).zip(live) {
            let file = open_live(folder, sequence, access)?;
            if sequence != expected {
                return Err(corrupt(&file, 0, "the file before it is missing"));
            }
            files.push(Arc::new(file));
        }
        let path = folder.path.clone();
        if files.is_empty() && checkpoint > 0 {
            return Err(Error::Corrupt { path, offset: 0, what: "no file of the journal is left" });
        }
        Ok(Self { checkpoint, durable: checkpoint, path, files })
    }

    /// Takes what comes before the oldest frame for what need not be visited.
    pub(super) fn begin_with_first_frame(&mut self) -> Result<(), Error> {
        let first = self.read_header(0, FRAMES_START)?;
        self.checkpoint = first.map_or(0, |header| header.sequence.saturating_sub(1));
        Ok(())
    }

    /// The loop: one frame after the other, until there is none.
    pub(super) fn replay(&self, visit: &mut impl FnMut(Replayed<'_>)) -> Result<End, Error> {
        let files = vec![Accepted::default(); self.files.len()];
        let mut end = End { last: None, next_sequence: self.checkpoint + 1, files };
        let mut payload = AlignedBuffer::with_capacity(BLOCK_BYTES);
        while let Some(mut frame) = self.next_frame(&end, &mut payload)? {
            frame.seal = self.visit_entries(&frame, payload.bytes(), visit)?;
            end.accept(frame);
        }
        match end.last {
            Some(last) if last.header.sequence < self.checkpoint => {
                Err(self.corrupt_at(end.place(), "the journal ends before the checkpoint"))
            }
            _ if end.next_sequence <= self.durable => Err(self
                .corrupt_at(end.place(), "the journal ends before a frame that is known to have been whole")),
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
            let frame = Frame { file, offset, header, seal: None };
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

    /// Hands the entries on, and says which seal they are, if they are one.
    fn visit_entries(
        &self,
        frame: &Frame,
        payload: &[u8],
        visit: &mut impl FnMut(Replayed<'_>),
    ) -> Result<Option<Seal>, Error> {
        let mut rest = payload;
        let mut seal = None;
        for _ in 0..frame.header.entries {
            let entry = Entry::decode(&mut rest).ok_or_else(|| {
                self.corrupt_at((frame.file, frame.offset), "an entry that this version does not know")
            })?;
            seal = if let Entry::Seal(seal) = entry { Some(seal) } else { None };
            if seal.is_some() || frame.header.sequence <= self.checkpoint {
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
        Ok(seal)
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

    /// The last frame as it can be read, which need not be what the disk has, and where it lies.
    pub(super) fn read_last_frame(
        &self,
        end: &End,
    ) -> Result<Option<(&LiveFile, u64, AlignedBuffer)>, Error> {
        let Some((frame, live)) = end.last.and_then(|last| Some((last, self.files.get(last.file)?))) else {
            return Ok(None);
        };
        let mut bytes = AlignedBuffer::zeroed(usize::try_from(frame.header.frame_bytes()).unwrap_or(0));
        read_exact_at(&*live.file, bytes.bytes_mut(), frame.offset).map_err(live.failed("read"))?;
        Ok(Some((live, frame.offset, bytes)))
    }

    fn corrupt_at(&self, (file, offset): (usize, u64), what: &'static str) -> Error {
        let path = self.files.get(file).map_or(&self.path, |live| &live.path);
        Error::Corrupt { path: path.clone(), offset, what }
    }
}

/// What is wrong with a file, and where.
fn corrupt(live: &LiveFile, offset: u64, what: &'static str) -> Error {
    Error::Corrupt { path: live.path.clone(), offset, what }
}

/// Opens a file in use, and reads its header.
fn open_live(folder: &Folder, sequence: u64, access: Access) -> Result<LiveFile, Error> {
    let (path, file) = folder.open_live(sequence, access)?;
    let mut live = LiveFile { sequence, salt: 0, length: 0, path, file, direct: None };
    let length = live.file.length().map_err(live.failed("measure"))?;
    let mut bytes = [0; BLOCK_BYTES];
    live.file.read_at(&mut bytes, 0).map_err(live.failed("read"))?;
    match FileHeader::decode(&bytes) {
        FileHeaderRead::Valid(header) if header.sequence == sequence && header.length == length => {
            live.salt = header.salt;
            live.length = header.length;
            Ok(live)
        }
        FileHeaderRead::Newer(found) => Err(Error::NewerFormat { path: live.path, found, known: FORMAT }),
        FileHeaderRead::Valid(_) | FileHeaderRead::Bad => Err(corrupt(&live, 0, "the file's header is bad")),
    }
}

/// Looks for a frame's header from `start` to the end of a file, and says where one is.
fn search(
    live: &LiveFile,
    start: u64,
    is_wanted: impl Fn(u64, &FrameHeader) -> bool,
) -> Result<Option<u64>, Error> {
    let mut bytes = vec![0; usize::try_from(SEARCH_BYTES.min(live.length)).unwrap_or(0)];
    for chunk_offset in (start..live.length).step_by(bytes.len().max(BLOCK_BYTES)) {
        let read = live.file.read_at(&mut bytes, chunk_offset).map_err(live.failed("read"))?;
        let offsets = (chunk_offset..).step_by(BLOCK_BYTES);
        let mut blocks = offsets.zip(bytes.get(..read).unwrap_or_default().chunks(BLOCK_BYTES));
        let found = blocks.find(|(offset, block)| {
            FrameHeader::decode(block, live.salt).is_some_and(|header| is_wanted(*offset, &header))
        });
        if let Some((offset, _)) = found {
            return Ok(Some(offset));
        }
    }
    Ok(None)
}
