//! Answers on their way to the socket: pieces in order, of which the front one may be written in part.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use strandline_protocol::frame::OutboundFrame;
use strandline_protocol::records::{External, Piece};

use super::counters::Tally;
use super::timing::Departure;
use super::transport::Transport;
use crate::storage::FileSlice;

/// So many pieces go with one call.
const PARTS_MAX: usize = 64;

/// Short answers are put together up to this: each piece by itself costs the kernel more than copying it.
const TOGETHER_BYTES_MAX: usize = 16 << 10;

/// Room for the short answers that follow another one.
const FOLLOWING_BYTES: usize = 4 << 10;

/// So much of a file is read at once where it cannot be sent from.
const FILE_READ_BYTES: usize = 64 << 10;

/// What is to be written.
#[derive(Debug, Default)]
pub(super) struct Outbound {
    /// What was read of a file that cannot be sent from: it goes before the pieces.
    chunk: Bytes,
    pieces: VecDeque<Piece>,
    /// Short answers, put together: they go behind the pieces.
    together: Vec<u8>,
    /// How much of all that is in memory, but for what was read of a file.
    memory_bytes: usize,
    /// How much all that is, wherever it lies.
    bytes: usize,
    /// The answers that they are of.
    answers: VecDeque<Unsent>,
}

/// An answer that is not sent whole.
#[derive(Clone, Copy, Debug)]
struct Unsent {
    /// So much of it is left.
    bytes: usize,
    /// So much memory goes with it.
    own_bytes: usize,
    departure: Departure,
}

/// How far writing got.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Written {
    /// So many bytes went.
    pub(super) bytes: usize,
    /// So many of them were pieces in memory.
    pub(super) memory_bytes: usize,
    /// So many bytes are free, now that the answers that had made them are gone.
    pub(super) own_bytes: usize,
}

impl Outbound {
    pub(super) fn push(&mut self, frame: OutboundFrame, departure: Departure) {
        self.memory_bytes += frame.memory_bytes();
        let (bytes, own_bytes) = (frame.len(), frame.own_bytes());
        self.bytes += bytes;
        self.answers.push_back(Unsent { bytes, own_bytes, departure });
        if self.together.len() + bytes > TOGETHER_BYTES_MAX {
            self.seal();
        }
        match frame.into_own() {
            Ok(first) if self.together.is_empty() => self.together = first,
            Ok(next) => {
                if self.together.capacity() - self.together.len() < next.len() {
                    // Where there are two there are many: not by doubling what is little.
                    self.together.reserve(next.len().max(FOLLOWING_BYTES));
                }
                self.together.extend_from_slice(&next);
            }
            Err(frame) => {
                self.seal();
                self.pieces.extend(frame.into_pieces().into_iter().filter(|piece| !piece.is_empty()));
            }
        }
    }

    /// Nothing more is put together with what is.
    fn seal(&mut self) {
        if !self.together.is_empty() {
            self.pieces.push_back(Piece::Slice(std::mem::take(&mut self.together).into()));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty() && self.together.is_empty() && self.chunk.is_empty()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    /// How much is to be written, of files too.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The memory of answers that are not sent whole.
    pub(super) fn own_bytes(&self) -> usize {
        self.answers.iter().map(|answer| answer.own_bytes).sum()
    }

    /// Writes until nothing is left or the socket is full.
    pub(super) fn poll_write<T: Transport>(
        &mut self,
        context: &mut Context<'_>,
        transport: &mut T,
        tally: &mut Tally,
        written: &mut Written,
        mut sent: impl FnMut(Departure),
    ) -> Poll<io::Result<()>> {
        let result = self.poll_write_pieces(context, transport, tally, written);
        let mut rest = written.bytes;
        self.bytes = self.bytes.saturating_sub(rest);
        while let Some(answer) = self.answers.front_mut() {
            if answer.bytes > rest {
                answer.bytes -= rest;
                break;
            }
            rest -= answer.bytes;
            written.own_bytes += answer.own_bytes;
            sent(answer.departure);
            self.answers.pop_front();
        }
        result
    }

    fn poll_write_pieces<T: Transport>(
        &mut self,
        context: &mut Context<'_>,
        transport: &mut T,
        tally: &mut Tally,
        written: &mut Written,
    ) -> Poll<io::Result<()>> {
        self.seal();
        loop {
            if !self.chunk.is_empty() {
                let part = [IoSlice::new(&self.chunk)];
                let bytes = ready!(write(context, transport, tally, &part, !self.pieces.is_empty()))?;
                self.chunk.advance(bytes);
                written.bytes += bytes;
                continue;
            }
            match self.pieces.front_mut() {
                None => return Poll::Ready(Ok(())),
                Some(Piece::Slice(_)) => {
                    let bytes = ready!(self.poll_write_slices(context, transport, tally))?;
                    written.bytes += bytes;
                    written.memory_bytes += bytes;
                }
                Some(Piece::External(external)) => match send_file(context, transport, tally, external) {
                    Some(result) => written.bytes += ready!(result)?,
                    None => self.chunk = read_file(tally, external)?,
                },
            }
            if let Some(Piece::External(external)) = self.pieces.front()
                && external.length == 0
            {
                self.pieces.pop_front();
            }
        }
    }

    /// Writes the slices at the front, together.
    fn poll_write_slices<T: Transport>(
        &mut self,
        context: &mut Context<'_>,
        transport: &mut T,
        tally: &mut Tally,
    ) -> Poll<io::Result<usize>> {
        let mut parts = [IoSlice::new(&[]); PARTS_MAX];
        let mut count = 0;
        for (part, piece) in parts.iter_mut().zip(&self.pieces) {
            let Piece::Slice(slice) = piece else { break };
            *part = IoSlice::new(slice);
            count += 1;
        }
        let parts = parts.get(..count).unwrap_or_default();
        let bytes = ready!(write(context, transport, tally, parts, self.pieces.len() > count))?;
        self.advance(bytes);
        Poll::Ready(Ok(bytes))
    }

    /// Forgets bytes at the front, all of them in slices.
    fn advance(&mut self, bytes: usize) {
        self.memory_bytes = self.memory_bytes.saturating_sub(bytes);
        let mut rest = bytes;
        while let Some(Piece::Slice(slice)) = self.pieces.front_mut() {
            if slice.len() > rest {
                slice.advance(rest);
                return;
            }
            rest -= slice.len();
            self.pieces.pop_front();
        }
    }
}

fn write<T: Transport>(
    context: &mut Context<'_>,
    transport: &mut T,
    tally: &mut Tally,
    parts: &[IoSlice<'_>],
    more_follows: bool,
) -> Poll<io::Result<usize>> {
    let bytes = ready!(transport.poll_write(context, parts, more_follows))?;
    tally.writes += 1;
    if bytes == 0 {
        return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
    }
    Poll::Ready(Ok(bytes))
}

/// Sends from a file as far as there is room; none if that cannot be done here.
fn send_file<T: Transport>(
    context: &mut Context<'_>,
    transport: &mut T,
    tally: &mut Tally,
    external: &mut External,
) -> Option<Poll<io::Result<usize>>> {
    let descriptor = FileSlice::of(external)?.descriptor()?;
    let result = transport.poll_send_file(context, descriptor, external.position, external.length)?;
    Some(result.map(|result| match result? {
        // The file ends before what was promised in the answer's length: nothing can make up for it.
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        bytes => {
            tally.file_sends += 1;
            pass(external, bytes);
            Ok(bytes)
        }
    }))
}

fn read_file(tally: &mut Tally, external: &mut External) -> io::Result<Bytes> {
    let slice = FileSlice::of(external).ok_or(io::ErrorKind::Unsupported)?;
    let chunk = slice.read(external.position, external.length.min(FILE_READ_BYTES))?;
    tally.file_reads += 1;
    pass(external, chunk.len());
    Ok(chunk)
}

fn pass(external: &mut External, bytes: usize) {
    external.position += bytes as u64;
    external.length = external.length.saturating_sub(bytes);
}
