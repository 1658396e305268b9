//! The task that owns a connection's socket: writes what was handed over, reads what comes, keeps the deadlines.
//!
//! One task and no locks: it goes round until the socket, the inbox and the clock all have nothing for it. What it
//! holds is bounded: requests by the number that may be in flight, answers by the longest frame.

use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use strandline_protocol::Piece;
use strandline_protocol::frame::{FrameAssembler, FrameError, response_correlation_id};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, Sleep};

use super::{Outbound, io_closed};
use crate::config::ClientConfig;
use crate::error::{CloseReason, Error, Result};

/// How many pieces one vectored write takes. More of them would not make fewer system calls: the socket's buffer
/// is full before.
const WRITE_PIECES_MAX: usize = 64;

pub(super) struct Driver<T> {
    transport: T,
    broker: Arc<str>,
    inbox: mpsc::Receiver<Outbound>,
    inbox_ended: bool,
    in_flight_max: usize,
    // What is to be written, in order; the first may be half written.
    unwritten: VecDeque<Bytes>,
    unflushed: bool,
    assembler: FrameAssembler,
    // In the order of writing, which is the order in which brokers answer.
    waiting: VecDeque<Waiting>,
    timer: Option<Pin<Box<Sleep>>>,
    closed: Arc<OnceLock<Error>>,
}

struct Waiting {
    correlation_id: i32,
    deadline: Instant,
    patience: Duration,
    answer: oneshot::Sender<Result<Bytes>>,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Driver<T> {
    pub(super) fn new(
        transport: T,
        inbox: mpsc::Receiver<Outbound>,
        broker: Arc<str>,
        closed: Arc<OnceLock<Error>>,
        config: &ClientConfig,
    ) -> Self {
        Self {
            transport,
            broker,
            inbox,
            inbox_ended: false,
            in_flight_max: config.in_flight_max,
            unwritten: VecDeque::new(),
            unflushed: false,
            assembler: FrameAssembler::new(config.frame_bytes_max).with_buffers(config.buffers.clone()),
            waiting: VecDeque::new(),
            timer: None,
            closed,
        }
    }

    /// Until nobody needs the connection any more, or it fails.
    pub(super) async fn run(mut self) {
        if let Err(error) = std::future::poll_fn(|context| self.poll_turns(context)).await {
            self.fail(&error);
        }
    }

    fn fail(&mut self, error: &Error) {
        tracing::debug!(broker = %self.broker, %error, waiting = self.waiting.len(), "a connection ends");
        // First the reason, then the end: whoever finds the inbox closed finds the reason there.
        let _ = self.closed.set(error.clone());
        self.inbox.close();
        for waiting in self.waiting.drain(..) {
            let _ = waiting.answer.send(Err(error.clone()));
        }
        while let Ok(outbound) = self.inbox.try_recv() {
            if let Some(answer) = outbound.answer {
                let _ = answer.send(Err(error.clone()));
            }
        }
    }

    fn poll_turns(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        loop {
            self.poll_inbox(context);
            let wrote = self.poll_write(context)?;
            let read = self.poll_read(context)?;
            let is_done = self.inbox_ended && self.unwritten.is_empty() && !self.unflushed;
            if is_done && self.waiting.is_empty() {
                return Poll::Ready(Ok(()));
            }
            if !(wrote || read) {
                break;
            }
        }
        self.poll_deadlines(context).map(Err)
    }

    /// Takes requests as long as there is room for them.
    fn poll_inbox(&mut self, context: &mut Context<'_>) {
        while !self.inbox_ended && self.has_room() {
            match self.inbox.poll_recv(context) {
                Poll::Ready(Some(outbound)) => self.take(outbound),
                Poll::Ready(None) => self.inbox_ended = true,
                Poll::Pending => break,
            }
        }
    }

    fn has_room(&self) -> bool {
        self.waiting.len() < self.in_flight_max && self.unwritten.len() < WRITE_PIECES_MAX
    }

    fn take(&mut self, outbound: Outbound) {
        let Outbound { pieces, correlation_id, deadline, patience, answer } = outbound;
        self.unwritten.extend(pieces.into_iter().filter_map(|piece| match piece {
            Piece::Slice(slice) => Some(slice),
            // Only a broker has records outside of memory.
            Piece::External(_) => None,
        }));
        if let Some(answer) = answer {
            self.waiting.push_back(Waiting { correlation_id, deadline, patience, answer });
            match &mut self.timer {
                Some(timer) if timer.deadline() <= deadline => {}
                Some(timer) => timer.as_mut().reset(deadline),
                None => self.timer = Some(Box::pin(tokio::time::sleep_until(deadline))),
            }
        }
    }

    /// Writes until the socket takes no more. Says whether there is room again that there was not.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Result<bool> {
        let was_full = !self.has_room();
        while !self.unwritten.is_empty() {
            let mut slices = [IoSlice::new(&[]); WRITE_PIECES_MAX];
            let mut count = 0;
            for (slot, piece) in slices.iter_mut().zip(&self.unwritten) {
                *slot = IoSlice::new(piece);
                count += 1;
            }
            let slices = slices.get(..count).unwrap_or_default();
            match Pin::new(&mut self.transport).poll_write_vectored(context, slices) {
                Poll::Ready(Ok(0)) => return Err(self.io_closed(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => self.written(written),
                Poll::Ready(Err(error)) => return Err(self.io_closed(error)),
                Poll::Pending => break,
            }
        }
        if self.unflushed && self.unwritten.is_empty() {
            match Pin::new(&mut self.transport).poll_flush(context) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(error)) => return Err(self.io_closed(error)),
                Poll::Pending => {}
            }
        }
        Ok(was_full && self.has_room())
    }

    fn written(&mut self, mut bytes: usize) {
        self.unflushed = true;
        while let Some(first) = self.unwritten.front_mut() {
            if first.len() > bytes {
                first.advance(bytes);
                break;
            }
            bytes -= first.len();
            self.unwritten.pop_front();
        }
    }

    /// Reads until the socket has no more. Says whether there is room again that there was not.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Result<bool> {
        let was_full = !self.has_room();
        loop {
            let read = pin!(self.transport.read_buf(self.assembler.room())).poll(context);
            match read {
                Poll::Ready(Ok(0)) => return Err(self.closed_by(CloseReason::ByBroker)),
                Poll::Ready(Ok(_)) => self.take_frames()?,
                Poll::Ready(Err(error)) => return Err(self.io_closed(error)),
                Poll::Pending => return Ok(was_full && self.has_room()),
            }
        }
    }

    fn take_frames(&mut self) -> Result<()> {
        while let Some(content) = self.assembler.next_frame().map_err(|error| self.frame_closed(&error))? {
            let correlation_id = response_correlation_id(&content).unwrap_or(-1);
            // Brokers answer in order, so it is the first; should one not, it is found all the same.
            let place = self.waiting.iter().position(|waiting| waiting.correlation_id == correlation_id);
            let waiting = place.and_then(|place| self.waiting.remove(place));
            let Some(waiting) = waiting else {
                return Err(self.closed_by(CloseReason::Correlation(correlation_id)));
            };
            // Whoever asked may have gone.
            let _ = waiting.answer.send(Ok(content));
        }
        Ok(())
    }

    /// Ready with an error once an answer is overdue.
    fn poll_deadlines(&mut self, context: &mut Context<'_>) -> Poll<Error> {
        loop {
            let Some(timer) = &mut self.timer else { return Poll::Pending };
            ready!(timer.as_mut().poll(context));
            // It was set for a request that may long be answered: only the requests themselves know.
            let Some(next) = self.waiting.iter().map(|waiting| waiting.deadline).min() else {
                self.timer = None;
                return Poll::Pending;
            };
            if next > Instant::now() {
                timer.as_mut().reset(next);
            } else {
                return Poll::Ready(self.overdue());
            }
        }
    }

    /// Tells those whose time is over, and closes the connection for all others: what is behind an answer that does
    /// not come cannot come either.
    fn overdue(&mut self) -> Error {
        let now = Instant::now();
        let (late, others) = self.waiting.drain(..).partition(|waiting| waiting.deadline <= now);
        let late: VecDeque<Waiting> = late;
        self.waiting = others;
        for waiting in late {
            let error = Error::Timeout { broker: self.broker.clone(), after: waiting.patience };
            let _ = waiting.answer.send(Err(error));
        }
        self.closed_by(CloseReason::Overdue)
    }

    fn closed_by(&self, reason: CloseReason) -> Error {
        Error::Closed { broker: self.broker.clone(), reason }
    }

    fn io_closed(&self, error: io::Error) -> Error {
        io_closed(&self.broker, error)
    }

    fn frame_closed(&self, error: &FrameError) -> Error {
        self.closed_by(CloseReason::Frame(error.to_string().into()))
    }
}
