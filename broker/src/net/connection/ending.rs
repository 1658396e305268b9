//! How a connection ends: what is in flight is answered, and what the other end has not read stays there to be read.

use std::task::{Context, Poll};

use super::{ConnectionTask, Phase, Stop};
use crate::net::closed::Closed;
use crate::net::transport::Transport;

/// So many bytes are read from a client that does not listen while its last answers are on their way.
const DISCARDED_BYTES_MAX: usize = 1 << 20;

/// So long it is waited for those.
const LINGER_TICKS: u64 = 2;

impl<T: Transport> ConnectionTask<T> {
    /// Reads no more from now on, for this reason.
    pub(super) fn end(&mut self, closed: Closed) {
        self.phase = Phase::Ending(closed);
        self.admitted.entry.ask_at(self.shared.registry.tick() + self.shared.ticks.half_closed);
    }

    /// Whether everything is answered that will be.
    pub(super) fn is_finished(&self, stop: Stop) -> bool {
        let Phase::Ending(closed) = &self.phase else { return false };
        // A client that is only waiting for its turn is not kept: it finds another broker or comes back.
        let has_no_more = match closed {
            Closed::Left => stop == Stop::Incomplete,
            Closed::ShutDown => stop == Stop::Incomplete || self.throttle.is_some(),
            _ => true,
        };
        has_no_more && self.pipeline.is_empty() && self.outbound.is_empty()
    }

    /// Closes at once if nothing lies unread, and lingers otherwise.
    pub(super) fn finish(&mut self, context: &mut Context<'_>) -> Result<(), Closed> {
        let Phase::Ending(closed) = std::mem::replace(&mut self.phase, Phase::Open) else { return Ok(()) };
        if matches!(closed, Closed::Left) {
            return Err(closed);
        }
        match self.inbound.poll_discard(context, &mut self.transport) {
            Poll::Ready(Ok(bytes)) if bytes > 0 => {}
            _ => return Err(closed),
        }
        if !matches!(self.transport.poll_shutdown(context), Poll::Ready(Ok(()))) {
            return Err(closed);
        }
        self.admitted.entry.ask_at(self.shared.registry.tick() + LINGER_TICKS);
        self.phase = Phase::Lingering(closed, 0);
        Ok(())
    }

    /// Discards what comes until the other end has closed, or has had enough time and bytes.
    pub(super) fn linger(&mut self, context: &mut Context<'_>) -> Result<(), Closed> {
        let Phase::Lingering(closed, discarded_bytes) = &mut self.phase else { return Ok(()) };
        loop {
            match self.inbound.poll_discard(context, &mut self.transport) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(bytes)) if bytes > 0 && *discarded_bytes < DISCARDED_BYTES_MAX => {
                    *discarded_bytes += bytes;
                }
                Poll::Ready(_) => return Err(std::mem::replace(closed, Closed::Left)),
            }
        }
    }
}
