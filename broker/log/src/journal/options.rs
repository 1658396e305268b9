//! How large a journal gets, with the defaults that everything uses.

use super::error::Error;
use super::files::{BLOCK, OVERHEAD_BYTES};

/// The default of [`Options::bytes_max`], and what every benchmark uses.
pub const BYTES_MAX: u64 = 256 << 20;

/// The default of [`Options::entries_max`], and what every benchmark uses.
pub const ENTRIES_MAX: u64 = 1 << 20;

/// The default of [`Options::group_bytes_max`].
pub const GROUP_BYTES_MAX: usize = 4 << 20;

/// The default of [`Options::placed_bytes_min`].
const PLACED_BYTES_MIN: usize = 64 << 10;

/// The first file of all has this part of a file's length.
const FIRST_FILE_PART: u64 = 32;

/// But no less than this.
const FIRST_FILE_BLOCKS_MIN: u64 = 16;

/// How large a journal gets.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The length of its files.
    pub file_bytes: u64,
    /// How many bytes of files hold something that is not recycled.
    pub bytes_max: u64,
    /// How many entries are not recycled.
    pub entries_max: u64,
    /// The largest frame of several entries; a single entry may be larger.
    pub group_bytes_max: usize,
    /// From this size on a batch is worth up to a block of padding, with which it lies as it will in its segment.
    pub placed_bytes_min: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            file_bytes: 32 << 20,
            bytes_max: BYTES_MAX,
            entries_max: ENTRIES_MAX,
            group_bytes_max: GROUP_BYTES_MAX,
            placed_bytes_min: PLACED_BYTES_MIN,
        }
    }
}

impl Options {
    /// The length of the very first file. It is a short one: whoever begins a journal waits until it is written, and the
    /// next one is made meanwhile.
    pub(super) fn first_file_bytes(&self) -> u64 {
        let blocks = (self.file_bytes / BLOCK / FIRST_FILE_PART).max(FIRST_FILE_BLOCKS_MIN);
        (blocks * BLOCK).min(self.file_bytes)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        if !self.file_bytes.is_multiple_of(BLOCK) {
            Err(Error::Options("a file is a number of whole blocks"))
        } else if self.group_bytes_max as u64 + OVERHEAD_BYTES + BLOCK > self.file_bytes {
            Err(Error::Options("a file has room for the largest group"))
        } else if self.bytes_max < 4 * self.file_bytes {
            Err(Error::Options("the bound has room for four files"))
        } else if self.entries_max < 8 {
            Err(Error::Options("the bound has room for eight entries"))
        } else {
            Ok(())
        }
    }
}
