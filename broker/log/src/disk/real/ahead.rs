//! Who reads ahead, and goes on.
//!
//! How far a system reads ahead, and in how large pages, it notes with whoever has opened the file: both grow while that
//! one goes on. Small pages are dear to read and to send from; for pages that are too large memory is moved about, which
//! is dearer. So whoever goes on where he stood is known again, and opens the file once more after a while. Where memory is
//! short of large pieces nobody is known: then the first step beyond the smallest pages is dear already.

use std::ops::Range;
use std::os::fd::RawFd;
use std::sync::Mutex;

use super::lock;

/// So many are known at the most.
const KNOWN_MAX: usize = 16;

/// After so much a stranger opens the file again: for him the system begins with little, and more often asks for more.
const STRANGER_BYTES: u64 = 3 << 20;

/// After so much somebody who goes on does.
const KNOWN_BYTES: u64 = 24 << 20;

/// Somebody who has opened a file to read ahead in it.
#[derive(Debug)]
pub(super) struct Reader<D> {
    pub(super) descriptor: D,
    is_stranger: bool,
    /// How much he reads before he opens it again.
    left: u64,
}

impl<D> Reader<D> {
    pub(super) fn stranger(descriptor: D) -> Self {
        Self { descriptor, is_stranger: true, left: STRANGER_BYTES }
    }

    /// The same when he has read so much; none if he is not to go on. Whether memory is whole is asked of strangers, and
    /// when the file is to be opened again.
    pub(super) fn after(
        self,
        bytes: u64,
        is_memory_whole: impl FnOnce() -> bool,
        open: impl FnOnce() -> Option<D>,
    ) -> Option<Self> {
        let left = self.left.checked_sub(bytes).filter(|left| *left > 0);
        if (self.is_stranger || left.is_none()) && !is_memory_whole() {
            return None;
        }
        let (descriptor, left) = match left {
            Some(left) => (self.descriptor, left),
            None => (open()?, KNOWN_BYTES),
        };
        Some(Self { descriptor, is_stranger: false, left })
    }
}

/// Where a reader of a file stands.
#[derive(Debug)]
struct Known<D> {
    file: RawFd,
    position: u64,
    reader: Reader<D>,
}

/// Those who may go on. A file is told by a descriptor that is open as long as it is used.
#[derive(Debug)]
pub(super) struct Readers<D> {
    known: Mutex<Vec<Known<D>>>,
}

impl<D> Default for Readers<D> {
    fn default() -> Self {
        Self { known: Mutex::default() }
    }
}

impl<D> Readers<D> {
    /// Takes one who stands in what is to be read: whoever was given a part of a batch goes back to its beginning.
    pub(super) fn take(&self, file: RawFd, range: &Range<u64>) -> Option<Reader<D>> {
        let mut known = lock(&self.known);
        let place = known.iter().position(|known| known.file == file && range.contains(&known.position))?;
        Some(known.remove(place).reader)
    }

    /// Keeps one who stands there until he goes on.
    pub(super) fn keep(&self, file: RawFd, position: u64, reader: Reader<D>) {
        let mut known = lock(&self.known);
        if known.len() >= KNOWN_MAX {
            // Who has not gone on for the longest.
            known.remove(0);
        }
        known.push(Known { file, position, reader });
    }

    /// Forgets all readers of a file, before it is closed: they would keep its space, and another one may have its number.
    pub(super) fn forget(&self, file: RawFd) {
        lock(&self.known).retain(|known| known.file != file);
    }
}

#[cfg(test)]
mod tests {
    use super::{KNOWN_BYTES, KNOWN_MAX, Reader, Readers, STRANGER_BYTES};

    #[test]
    fn whoever_goes_on_where_he_stood_is_known() {
        let readers = Readers::default();
        readers.keep(3, 1_000, Reader::stranger("first"));
        for (file, range) in [(3, 0..1_000), (3, 1_001..9_000), (4, 900..1_100)] {
            assert!(readers.take(file, &range).is_none());
        }
        assert_eq!(readers.take(3, &(900..1_100)).unwrap().descriptor, "first");
        assert!(readers.take(3, &(900..1_100)).is_none(), "one goes on at a time");
    }

    #[test]
    fn a_file_is_opened_again_when_enough_was_read_of_it() {
        let mut opened = 0;
        let mut reader = Reader::stranger(0);
        for (bytes, expected) in [
            (STRANGER_BYTES - 1, 0),
            (1, 1),
            (KNOWN_BYTES / 2, 1),
            (KNOWN_BYTES, 2),
            (KNOWN_BYTES - 1, 2),
            (0, 2),
            (u64::MAX, 3),
        ] {
            let open = || {
                opened += 1;
                Some(opened)
            };
            reader = reader.after(bytes, || true, open).unwrap();
            assert_eq!(reader.descriptor, expected);
        }
        assert!(reader.after(KNOWN_BYTES, || true, || None).is_none());
    }

    #[test]
    fn where_memory_is_short_of_large_pieces_strangers_stay_strangers() {
        let none = || unreachable!("it is not opened again");
        assert!(Reader::stranger(0).after(1, || false, none).is_none());
        let known = Reader::stranger(0).after(1, || true, none).unwrap();
        // Not asked again until then.
        let known = known.after(1, || false, none).unwrap();
        assert!(known.after(STRANGER_BYTES, || false, none).is_none());
    }

    #[test]
    fn who_has_not_gone_on_for_the_longest_makes_room_and_those_of_a_closed_file_do() {
        let readers = Readers::default();
        for file in 0..=KNOWN_MAX {
            readers.keep(i32::try_from(file).unwrap(), 7, Reader::stranger(file));
        }
        assert!(readers.take(0, &(7..8)).is_none());
        readers.forget(2);
        assert!(readers.take(2, &(7..8)).is_none());
        assert_eq!(readers.take(1, &(7..8)).unwrap().descriptor, 1);
    }
}
