//! Requests on their way from the socket: bytes are put together to frames, each with its part of the memory that
//! requests may take.

use std::io;
use std::task::{Context, Poll};

use bytes::Bytes;
use strandline_protocol::frame::{FrameAssembler, FrameError, LENGTH_BYTES, UNPROVEN_BYTES_MAX};

use super::budget::{Permit, PermitWait, RequestBudget};
use super::transport::Transport;

/// Frames up to this are copied out of the buffer that they came in: one that is long in the answering must not
/// hold a whole buffer.
const COPIED_BYTES_MAX: usize = 4 << 10;

/// What a turn found.
#[derive(Debug)]
pub(super) enum Found {
    /// A request that is whole.
    Request(Bytes, Permit),
    /// More has to be read.
    Incomplete,
    /// There is no memory for it now.
    NoMemory,
}

/// What was read of one connection, and is no request yet.
pub(super) struct Inbound {
    assembler: FrameAssembler,
    /// For the frame that is arriving.
    permit: Option<Permit>,
    wait: Option<PermitWait>,
    /// How long the last frame was that came whole.
    proven_bytes: usize,
}

impl Inbound {
    pub(super) fn new(request_bytes_max: usize) -> Self {
        let assembler = FrameAssembler::new(request_bytes_max);
        Self { assembler, permit: None, wait: None, proven_bytes: 0 }
    }

    /// Whether a part of a frame is here.
    pub(super) fn is_partial(&self) -> bool {
        self.assembler.received_bytes() > 0
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
        self.permit = None;
        self.wait = None;
        self.assembler = FrameAssembler::new(UNPROVEN_BYTES_MAX);
        transport.poll_read(context, &mut self.assembler)
    }

    /// The next request, if it is whole and there is memory for it.
    pub(super) fn poll_request(
        &mut self,
        context: &mut Context<'_>,
        budget: &RequestBudget,
    ) -> Result<Found, FrameError> {
        let Some(length) = self.assembler.announced_length()? else { return Ok(Found::Incomplete) };
        let received = self.assembler.received_bytes();
        let is_whole = received - LENGTH_BYTES >= length;
        // A length alone is worth no memory that others could use: it takes a sender who has sent something.
        let is_worth = is_whole || received >= UNPROVEN_BYTES_MAX || length <= self.proven_bytes;
        if !is_worth {
            return Ok(Found::Incomplete);
        }
        if self.permit.is_none() && !self.poll_permit(context, budget, length) {
            return Ok(Found::NoMemory);
        }
        let Some(frame) = self.assembler.next_frame()? else { return Ok(Found::Incomplete) };
        let Some(permit) = self.permit.take() else { return Ok(Found::NoMemory) };
        self.proven_bytes = length;
        let frame = if length <= COPIED_BYTES_MAX { Bytes::copy_from_slice(&frame) } else { frame };
        Ok(Found::Request(frame, permit))
    }

    /// Whether there is memory for the frame that is arriving.
    fn poll_permit(&mut self, context: &mut Context<'_>, budget: &RequestBudget, length: usize) -> bool {
        if self.wait.is_none() {
            self.permit = budget.try_take(length);
            if self.permit.is_some() {
                return true;
            }
        }
        let wait = self.wait.get_or_insert_with(|| budget.take(length));
        if let Poll::Ready(permit) = wait.poll(context) {
            self.permit = permit;
            self.wait = None;
        }
        self.permit.is_some()
    }
}
