//! Where decompressed bytes go: a buffer that grows as they come, and never past a cap.

use super::{CompressionError, Result};

/// What a promised size may always have, so that ordinary batches need one allocation.
const PROMISE_FREE_BYTES: usize = 1 << 20;

/// Beyond that, how many bytes of output per byte of input a promise is believed for.
const PROMISE_RATIO_MAX: usize = 16;

/// A buffer being filled.
///
/// It is always initialised to its full length, and only `filled` moves: decoders write into plain slices,
/// and a buffer that is used again costs no clearing.
pub(super) struct Output {
    buffer: Vec<u8>,
    filled: usize,
    bytes_max: usize,
}

impl Output {
    /// Takes over a buffer, whose content no longer matters.
    pub(super) fn new(buffer: Vec<u8>, bytes_max: usize) -> Self {
        Self { buffer, filled: 0, bytes_max }
    }

    /// The error that the cap is exceeded.
    pub(super) fn too_large(&self) -> CompressionError {
        CompressionError::TooLarge { bytes_max: self.bytes_max }
    }

    /// How many bytes more the cap allows.
    pub(super) fn allowance(&self) -> usize {
        self.bytes_max - self.filled
    }

    /// Makes room in one step where the input has announced what it holds, as far as that is plausible.
    pub(super) fn prepare(&mut self, promised_bytes: usize, input_bytes: usize) {
        let plausible = input_bytes.saturating_mul(PROMISE_RATIO_MAX).max(PROMISE_FREE_BYTES);
        self.grow_to(promised_bytes.min(plausible).min(self.allowance()).saturating_add(self.filled));
    }

    /// Room for at least `wanted` bytes, or for as many as the cap allows; more where the buffer has more.
    pub(super) fn room(&mut self, wanted: usize) -> &mut [u8] {
        let needed = self.filled.saturating_add(wanted).min(self.bytes_max);
        if needed > self.buffer.len() {
            // At least doubled, so that the copying stays linear in what was produced.
            self.grow_to(needed.max(self.filled.saturating_mul(2)).min(self.bytes_max));
        }
        let end = self.buffer.len().min(self.bytes_max);
        self.buffer.get_mut(self.filled..end).unwrap_or_default()
    }

    /// Says that the first `bytes` of the room now count.
    pub(super) fn advance(&mut self, bytes: usize) {
        debug_assert!(bytes <= self.allowance());
        self.filled += bytes;
    }

    /// Copies bytes that the codec left as they were.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        match self.room(bytes.len()).get_mut(..bytes.len()) {
            Some(room) => room.copy_from_slice(bytes),
            None => return Err(self.too_large()),
        }
        self.advance(bytes.len());
        Ok(())
    }

    /// The bytes from `start` on.
    pub(super) fn filled_from(&self, start: usize) -> &[u8] {
        self.buffer.get(start..self.filled).unwrap_or_default()
    }

    /// How many bytes there are.
    pub(super) fn len(&self) -> usize {
        self.filled
    }

    /// The buffer, and how much of it counts.
    pub(super) fn into_parts(self) -> (Vec<u8>, usize) {
        (self.buffer, self.filled)
    }

    fn grow_to(&mut self, bytes: usize) {
        if bytes <= self.buffer.len() {
            return;
        }
        if self.filled == 0 {
            // Nothing to keep: the old buffer goes first, and fresh zeroes cost nothing before their use.
            self.buffer = Vec::new();
            self.buffer = vec![0; bytes];
        } else {
            // Exactly: `resize` alone might reserve twice the cap.
            self.buffer.reserve_exact(bytes - self.buffer.len());
            self.buffer.resize(bytes, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_never_reaches_past_the_cap() {
        let mut output = Output::new(vec![0; 100], 10);
        assert_eq!(output.room(1).len(), 10, "a longer buffer is no larger allowance");
        output.append(b"12345678").unwrap();
        assert_eq!(output.room(5).len(), 2);
        assert_eq!(output.append(b"xyz"), Err(CompressionError::TooLarge { bytes_max: 10 }));
        output.append(b"90").unwrap();
        assert_eq!(output.filled_from(7), b"890");
    }

    #[test]
    fn promises_are_believed_as_far_as_they_are_plausible() {
        let mut output = Output::new(Vec::new(), usize::MAX);
        output.prepare(usize::MAX, 10);
        assert_eq!(output.buffer.len(), PROMISE_FREE_BYTES);
        output.prepare(usize::MAX, PROMISE_FREE_BYTES);
        assert_eq!(output.buffer.len(), PROMISE_FREE_BYTES * PROMISE_RATIO_MAX);
    }
}
