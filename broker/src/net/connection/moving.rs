//! What moves on a connection: whether it is idle, and whether it uses the memory that it keeps from others.

use super::{ConnectionTask, Phase, Stop};
use crate::net::transport::Transport;

/// So many bytes are a movement. Less than that within the time that an idle connection has is none, unless a
/// request was completed or an answer sent.
const MOVEMENT_BYTES: usize = 4 << 10;

/// Of memory that others wait for a part of this size has to be used each time that somebody may stall: by default all of
/// it within half a minute, which is how long clients of Kafka wait for an answer.
const HELD_PARTS: usize = 6;

/// What has moved.
#[derive(Debug, Default)]
pub(super) struct Movement {
    /// Bytes since it was last not idle.
    moved_bytes: usize,
    /// Bytes since the last of them that were enough for the memory that is held.
    used_bytes: usize,
    /// Whether memory is held for a request that is being read, and has not come whole.
    pub(super) is_awaited: bool,
}

impl<T: Transport> ConnectionTask<T> {
    /// Reading stopped at this. What is not read because of something else is not overdue.
    pub(super) fn set_awaited(&mut self, stop: Stop) {
        let is_open = matches!(self.phase, Phase::Open);
        let is_awaited = is_open && stop == Stop::Incomplete && self.inbound.is_holding();
        if is_awaited && !self.movement.is_awaited {
            self.use_memory();
        }
        self.movement.is_awaited = is_awaited;
    }

    /// Bytes came.
    pub(super) fn has_received(&mut self, bytes: usize) {
        self.moved(bytes, true);
    }

    /// Bytes went. They do not count for a request that is awaited.
    pub(super) fn has_sent(&mut self, bytes: usize) {
        self.moved(bytes, !self.movement.is_awaited);
    }

    /// All answers that were there have gone.
    pub(super) fn has_sent_all(&mut self) {
        self.be_busy();
        if !self.movement.is_awaited {
            self.use_memory();
        }
    }

    /// A request is whole, or something else moved that counts.
    pub(super) fn move_on(&mut self) {
        self.be_busy();
        self.use_memory();
    }

    fn moved(&mut self, bytes: usize, is_use: bool) {
        self.movement.moved_bytes += bytes;
        if self.movement.moved_bytes >= MOVEMENT_BYTES {
            self.be_busy();
        }
        if is_use {
            self.movement.used_bytes += bytes;
            let used_bytes = self.movement.used_bytes;
            let held_bytes = || self.inbound.held_bytes() + self.outbound.own_bytes();
            if used_bytes >= MOVEMENT_BYTES && used_bytes >= held_bytes() / HELD_PARTS {
                self.use_memory();
            }
        }
    }

    /// It is not idle.
    fn be_busy(&mut self) {
        self.movement.moved_bytes = 0;
        if matches!(self.phase, Phase::Open) {
            self.admitted.entry.ask_at(self.shared.registry.tick() + self.shared.ticks.idle);
        }
    }

    /// It has used enough of the memory that it holds.
    fn use_memory(&mut self) {
        self.movement.used_bytes = 0;
        self.admitted.entry.set_active(self.shared.registry.tick());
    }
}
