//! Files that nobody writes to any more and somebody still reads: a consumer that is slow, or has stopped reading.
//!
//! Owns the bound on them, and what is told of them. They are no room that the journal has: others are made in their
//! place. So that this does not go on for as long as consumers stand still, the oldest is given up beyond the bound:
//! it is emptied, and its readers come to its end too early, which they have to be ready for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Journal;
use super::error::Error;
use super::room::SPARES_WANTED;

/// What readers keep from being used again. Clones are the same numbers.
#[derive(Clone, Debug, Default)]
pub struct Pins {
    numbers: Arc<Numbers>,
}

#[derive(Debug, Default)]
struct Numbers {
    held_bytes: AtomicU64,
    given_up: AtomicU64,
}

impl Pins {
    /// How many bytes of files are held by readers alone, when it was last looked: whenever files are recycled.
    pub fn held_bytes(&self) -> u64 {
        self.numbers.held_bytes.load(Ordering::Relaxed)
    }

    /// How many files were taken from readers that held too much.
    pub fn given_up(&self) -> u64 {
        self.numbers.given_up.load(Ordering::Relaxed)
    }
}

impl Journal {
    /// Sees to it that readers hold no more of files that are out of use than the journal itself may have, and that
    /// no more spare files stay than it has a use for. Not before it is durable that they are out of use.
    pub(super) fn bound_pinned(&mut self) -> Result<(), Error> {
        let mut held_bytes = self.pinned_bytes();
        while held_bytes > self.options.bytes_max {
            let oldest = self.spares.iter().enumerate().filter_map(|(at, spare)| Some((spare.pinned()?, at)));
            let Some((_, at)) = oldest.min() else { break };
            let spare = self.spares.swap_remove(at);
            held_bytes -= spare.length;
            self.folder.give_up(spare)?;
            self.reader.pins().numbers.given_up.fetch_add(1, Ordering::Relaxed);
        }
        self.reader.pins().numbers.held_bytes.store(held_bytes, Ordering::Relaxed);
        self.remove_surplus()
    }

    fn pinned_bytes(&self) -> u64 {
        let pinned = self.spares.iter().filter(|spare| spare.pinned().is_some());
        pinned.map(|spare| spare.length).sum()
    }

    /// What was made in the place of files that have come back since. What is staged may count on the spare files that
    /// are there: as many as it ever wants stay.
    fn remove_surplus(&mut self) -> Result<(), Error> {
        let file_bytes = self.options.file_bytes;
        let bytes_max = self.options.bytes_max.saturating_sub(self.filled_bytes() + self.active.file.length);
        let wanted = SPARES_WANTED.max(usize::try_from(bytes_max / file_bytes).unwrap_or(usize::MAX));
        let (mut kept, mut surplus) = (Vec::new(), Vec::new());
        let mut free = 0;
        for spare in std::mem::take(&mut self.spares) {
            let is_regular = spare.length == file_bytes;
            free += usize::from(is_regular && spare.is_free());
            let is_surplus = match is_regular {
                true => free > wanted,
                false => spare.was_used() && self.group.is_empty(),
            };
            let is_kept = !(is_surplus && spare.is_free());
            if is_kept { &mut kept } else { &mut surplus }.push(spare);
        }
        self.spares = kept;
        surplus.into_iter().try_for_each(|spare| self.folder.remove(spare))
    }
}
