//! Requests on their way from the socket: bytes are put together to frames, each with its part of the memory that
//! requests may take.

use std::io;
use std::task::{Context, Poll};

use bytes::Bytes;
use strandline_protocol::frame::{FrameAssembler, FrameError, LENGTH_BYTES, UNPROVEN_BYTES_MAX};

use super::budget::{
    Change, Memory, Permit, PermitWait, Purpose, REQUEST_OVERHEAD_BYTES, RequestBudget, SMALL_BYTES_MAX,
};
use super::transport::Transport;

/// What a turn found.
#[derive(Debug)]
pub(super) enum Found {
    /// A request that is whole.
    Request(Bytes, Memory),
    /// More has to be read.
    Incomplete,
    /// There is no memory for it now.
    NoMemory,
}

/// What was read of one connection, and is no request yet.
pub(super) struct Inbound {
    assembler: FrameAssembler,
    /// Memory for the part of a frame that is here.
    arriving: Option<Permit>,
    /// Memory for all of the frame.
    whole: Option<Memory>,
    /// Memory for small requests, here and begun.
    change: Change,
    wait: Option<(Purpose, PermitWait)>,
}

impl Inbound {
    pub(super) fn new(request_bytes_max: usize) -> Self {
        let assembler = FrameAssembler::new(request_bytes_max);
        Self { assembler, arriving: None, whole: None, change: Change::default(), wait: None }
    }

    /// Whether there are bytes of a request that is not whole.
    pub(super) fn has_begun(&self) -> bool {
        self.assembler.received_bytes() > 0
    }

    /// Whether memory is kept for a frame that has not come whole.
    pub(super) fn is_holding(&self) -> bool {
        self.arriving.is_some() || self.whole.is_some()
    }

    /// How much memory that is.
    pub(super) fn held_bytes(&self) -> usize {
        let arriving = self.arriving.as_ref().map_or(0, Permit::num_permits);
        arriving + self.whole.as_ref().map_or(0, Memory::bytes)
    }

    /// Reads what is there.
    pub(super) fn poll_read<T: Transport>(
        &mut self,
        context: &mut Context<'_>,
        transport: &mut T,
    ) -> Poll<io::Result<usize>> {
        transport.poll_read(context, &mut self.assembler)
    }

    /// Reads what is there, and forgets it.
    pub(super) fn poll_discard<T: Transport>(
        &mut self,
        context: &mut Context<'_>,
        transport: &mut T,
    ) -> Poll<io::Result<usize>> {
        *self = Self::new(UNPROVEN_BYTES_MAX);
        transport.poll_read(context, &mut self.assembler)
    }

    /// A turn ends. Requests that had so much of the connection's change are answered.
    pub(super) fn settle(&mut self, given_back_bytes: usize) {
        self.change.settle(given_back_bytes);
    }

    /// The next request, if it is whole and there is memory for it. `is_brief` says of one whether it lets go of its
    /// memory soon.
    pub(super) fn poll_request(
        &mut self,
        context: &mut Context<'_>,
        budget: &RequestBudget,
        is_brief: impl Fn(&[u8]) -> bool,
    ) -> Result<Found, FrameError> {
        let Some(length) = self.assembler.announced_length()? else { return Ok(Found::Incomplete) };
        let is_whole = self.assembler.received_bytes() - LENGTH_BYTES >= length;
        if self.whole.is_none() && !self.poll_memory(context, budget, length, is_whole) {
            return Ok(Found::NoMemory);
        }
        if !is_whole {
            return Ok(Found::Incomplete);
        }
        let (Some(frame), Some(permit)) = (self.assembler.next_frame_where(is_brief)?, self.whole.take())
        else {
            return Ok(Found::Incomplete);
        };
        Ok(Found::Request(frame, permit))
    }

    /// Whether there is memory for the frame, or for as much of it as the next read may bring.
    fn poll_memory(
        &mut self,
        context: &mut Context<'_>,
        budget: &RequestBudget,
        length: usize,
        is_whole: bool,
    ) -> bool {
        let capacity = self.assembler.next_capacity();
        // The buffer that holds all of the frame is made when enough has arrived to believe in the rest. A length
        // alone is worth no memory that others could use.
        if is_whole || capacity >= LENGTH_BYTES + length {
            return self.poll_whole(context, budget, length, is_whole);
        }
        let held = self.arriving.as_ref().map_or(0, Permit::num_permits);
        if capacity <= held.max(UNPROVEN_BYTES_MAX) {
            return true;
        }
        if held == 0 && capacity <= SMALL_BYTES_MAX {
            self.arriving = self.poll_permit(context, budget, Purpose::Beginning, capacity);
            return self.arriving.is_some();
        }
        let Some(more) = budget.try_grow(capacity - held) else {
            return self.poll_whole(context, budget, length, is_whole);
        };
        self.wait = None;
        match &mut self.arriving {
            Some(held) => held.merge(more),
            None => self.arriving = Some(more),
        }
        true
    }

    /// Whether there is memory for all of the frame.
    fn poll_whole(
        &mut self,
        context: &mut Context<'_>,
        budget: &RequestBudget,
        length: usize,
        is_whole: bool,
    ) -> bool {
        let purpose = match length {
            ..=UNPROVEN_BYTES_MAX if is_whole => Purpose::Here,
            ..=SMALL_BYTES_MAX => Purpose::Small,
            _ => Purpose::Whole,
        };
        let bytes = length + REQUEST_OVERHEAD_BYTES;
        if purpose == Purpose::Here && self.wait.is_none() {
            // As if those that came with it were as long.
            let count = self.assembler.received_bytes() / (LENGTH_BYTES + length);
            self.whole = self.change.try_take(budget, bytes, (count * bytes).min(SMALL_BYTES_MAX));
        }
        if self.whole.is_none() {
            self.whole = self.poll_permit(context, budget, purpose, bytes).map(Memory::Own);
        }
        if self.whole.is_some() {
            self.arriving = None;
        }
        self.whole.is_some()
    }

    fn poll_permit(
        &mut self,
        context: &mut Context<'_>,
        budget: &RequestBudget,
        purpose: Purpose,
        bytes: usize,
    ) -> Option<Permit> {
        // Nothing arrives while it is waited, so that what is waited for stays the same.
        let mut wait = match self.wait.take() {
            Some((waited_for, wait)) if waited_for == purpose => wait,
            _ => match budget.try_take(purpose, bytes) {
                Some(permit) => return Some(permit),
                None => budget.take(purpose, bytes),
            },
        };
        match wait.poll(context) {
            Poll::Ready(permit) => permit,
            Poll::Pending => {
                self.wait = Some((purpose, wait));
                None
            }
        }
    }
}
