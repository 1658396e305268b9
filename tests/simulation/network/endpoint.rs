//! One connection: two pipes, and an end for each side.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use tokio::time::{Instant, Sleep, sleep_until};

use super::Network;

/// So much is under way in one direction, or waits to be read.
const PIPE_BYTES_MAX: usize = 48 << 10;

/// One direction.
#[derive(Debug, Default)]
struct Pipe {
    /// What is under way, and when it arrives; nothing is the end.
    chunks: VecDeque<(Instant, Bytes)>,
    bytes: usize,
    last_arrival: Option<Instant>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Pipe {
    fn wake(&mut self) {
        self.reader.take().into_iter().chain(self.writer.take()).for_each(Waker::wake);
    }

    fn push(&mut self, arrival: Instant, chunk: Bytes) {
        let arrival = self.last_arrival.map_or(arrival, |last| last.max(arrival));
        self.last_arrival = Some(arrival);
        self.bytes += chunk.len();
        self.chunks.push_back((arrival, chunk));
        self.reader.take().into_iter().for_each(Waker::wake);
    }

    /// Lets so many bytes arrive now, and the others never.
    fn cut(&mut self, bytes: usize) {
        let mut left = bytes;
        let now = Instant::now();
        for (arrival, chunk) in &mut self.chunks {
            *arrival = now;
            chunk.truncate(left);
            left -= chunk.len();
        }
        self.chunks.retain(|(_, chunk)| !chunk.is_empty());
        self.bytes = bytes - left;
    }
}

#[derive(Debug, Default)]
struct Pipes {
    /// From the client, and to it.
    pipes: [Pipe; 2],
    is_reset: bool,
    /// Whose end is gone.
    is_gone: [bool; 2],
}

/// A connection.
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) client: usize,
    network: Arc<Network>,
    pipes: Mutex<Pipes>,
}

impl fmt::Debug for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "connection {} of client {}", self.number, self.client)
    }
}

impl Line {
    pub(super) fn new(number: u64, client: usize, network: Arc<Network>) -> Self {
        Self { number, client, network, pipes: Mutex::default() }
    }

    fn pipes(&self) -> MutexGuard<'_, Pipes> {
        self.pipes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wake(&self) {
        self.pipes().pipes.iter_mut().for_each(Pipe::wake);
    }

    /// Breaks the connection for both.
    pub(super) fn reset(&self) {
        let is_held = self.network.is_held(self.client);
        let mut pipes = self.pipes();
        if std::mem::replace(&mut pipes.is_reset, true) {
            return;
        }
        for pipe in &mut pipes.pipes {
            let arrives = match self.network.world.below(3) {
                _ if is_held => 0,
                0 => 0,
                1 => pipe.bytes,
                _ => usize::try_from(self.network.world.below(pipe.bytes as u64 + 1)).unwrap(),
            };
            pipe.cut(arrives);
            pipe.wake();
        }
    }
}

/// One end of a connection.
pub(crate) struct Endpoint {
    line: Arc<Line>,
    /// The pipe that it writes to; it reads from the other.
    side: usize,
    timer: Option<Pin<Box<Sleep>>>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}, side {}", self.line, self.side)
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        let has_unread = {
            let mut pipes = self.line.pipes();
            pipes.is_gone[self.side] = true;
            pipes.pipes[1 - self.side].bytes > 0
        };
        if has_unread {
            self.line.reset();
        } else {
            self.finish();
            self.line.wake();
        }
    }
}

impl Endpoint {
    /// The client's end and the broker's.
    pub(super) fn both(line: Arc<Line>) -> (Self, Self) {
        let end = |side| Self { line: Arc::clone(&line), side, timer: None };
        (end(0), end(1))
    }

    pub(crate) fn number(&self) -> u64 {
        self.line.number
    }

    pub(crate) fn client(&self) -> usize {
        self.line.client
    }

    /// Breaks the connection for both.
    pub(crate) fn reset(&self) {
        self.line.reset();
    }

    /// Says that nothing more will be written.
    pub(crate) fn finish(&self) {
        let delay = self.line.network.delay();
        let mut pipes = self.line.pipes();
        if !pipes.is_reset {
            pipes.pipes[self.side].push(Instant::now() + delay, Bytes::new());
        }
    }

    /// What has arrived, up to so many bytes; nothing at the end.
    pub(crate) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        bytes_max: usize,
    ) -> Poll<io::Result<Bytes>> {
        loop {
            let is_held = self.line.network.is_held(self.line.client);
            let mut pipes = self.line.pipes();
            let is_reset = pipes.is_reset;
            let pipe = &mut pipes.pipes[1 - self.side];
            let arrival = match pipe.chunks.front_mut() {
                Some((arrival, chunk)) if !is_held && *arrival <= Instant::now() => {
                    let part = chunk.split_to(bytes_max.min(chunk.len()));
                    if chunk.is_empty() && !part.is_empty() {
                        pipe.chunks.pop_front();
                    }
                    pipe.bytes -= part.len();
                    pipe.writer.take().into_iter().for_each(Waker::wake);
                    return Poll::Ready(Ok(part));
                }
                Some((arrival, _)) if !is_held => Some(*arrival),
                Some(_) => None,
                None if is_reset => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
                None => None,
            };
            pipe.reader = Some(context.waker().clone());
            drop(pipes);
            let Some(arrival) = arrival else { return Poll::Pending };
            let timer = self.timer.insert(Box::pin(sleep_until(arrival)));
            if timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Writes as much as there is room for, and sometimes less.
    pub(crate) fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let network = &self.line.network;
        let world = &network.world;
        let mut pipes = self.line.pipes();
        if pipes.is_reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if pipes.is_gone[1 - self.side] {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let pipe = &mut pipes.pipes[self.side];
        let room = PIPE_BYTES_MAX - pipe.bytes;
        if room == 0 {
            pipe.writer = Some(context.waker().clone());
            return Poll::Pending;
        }
        let mut bytes = BytesMut::new();
        parts.iter().for_each(|part| bytes.extend_from_slice(part));
        bytes.truncate(room);
        if world.one_in(16) {
            bytes.truncate(1 + usize::try_from(world.below(bytes.len() as u64)).unwrap());
        }
        let length = bytes.len();
        let mut arrival = Instant::now() + network.delay();
        if world.one_in(8) {
            let first = bytes.split_to(usize::try_from(world.below(length as u64)).unwrap());
            if !first.is_empty() {
                pipe.push(arrival, first.freeze());
                arrival += network.delay();
            }
        }
        pipe.push(arrival, bytes.freeze());
        Poll::Ready(Ok(length))
    }
}
