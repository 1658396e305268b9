//! What a kernel does, and how its memory is, is told by what it writes of itself, or when it is asked.

use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd};

use crate::disk::BLOCK_BYTES;

/// Whether `syncfs` of a kernel tells of writes that were lost: it does from 5.8 on.
pub(super) fn reports_all_losses(release: &str) -> bool {
    let mut numbers =
        release.split(|letter: char| !letter.is_ascii_digit()).map_while(|part| part.parse().ok());
    let version: (u32, u32) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    version >= (5, 8)
}

/// Pieces of memory from 256 KiB on are large.
const LARGE_ORDER: u32 = 6;

/// How many bytes are free in large pieces, as `/proc/buddyinfo` tells it: for each zone how many pieces of one page there
/// are, of two, of four and so on.
pub(super) fn free_in_large_pieces(buddyinfo: &str, page_bytes: u64) -> u64 {
    let zone = |line: &str| -> u64 {
        let counts = line.split_ascii_whitespace().skip(4).map(|count| count.parse().unwrap_or(0));
        let pages = counts.zip(0_u32..).filter(|(_, order)| *order >= LARGE_ORDER);
        pages.fold(0, |sum, (count, order): (u64, u32)| {
            sum.saturating_add(count.saturating_mul(1_u64.checked_shl(order).unwrap_or(0)))
        })
    };
    buddyinfo.lines().map(zone).fold(0, u64::saturating_add).saturating_mul(page_bytes)
}

/// The number of `cachestat`, the same everywhere; kernels have it from 6.5 on.
const CACHESTAT: libc::c_long = 451;

/// What it is asked about: no length means all that follows.
#[repr(C)]
struct CachestatRange {
    offset: u64,
    length: u64,
}

/// How many pages it counts.
#[repr(C)]
#[derive(Default)]
struct Cachestat {
    cached: u64,
    dirty: u64,
    in_writeback: u64,
    evicted: u64,
    recently_evicted: u64,
}

/// How much of a range of a file is in the page cache; none where the kernel does not say. Pages may be larger than they are
/// taken for here: then it is more.
pub(super) fn cached_bytes(file: BorrowedFd<'_>, range: &Range<u64>) -> Option<u64> {
    let asked = CachestatRange { offset: range.start, length: range.end.saturating_sub(range.start) };
    let mut told = Cachestat::default();
    // SAFETY: both are as the system call wants them and outlive it, and the descriptor is open.
    #[expect(unsafe_code, reason = "neither rustix nor libc has cachestat")]
    let result = unsafe { libc::syscall(CACHESTAT, file.as_raw_fd(), &raw const asked, &raw mut told, 0) };
    (result == 0).then(|| told.cached.saturating_mul(BLOCK_BYTES as u64))
}

#[cfg(test)]
mod tests {
    use super::{free_in_large_pieces, reports_all_losses};

    #[test]
    fn kernels_are_told_apart_by_whether_they_tell_of_losses() {
        for release in ["5.8.0", "5.10.0-28-amd64", "6.1.0-rc3", "10.0"] {
            assert!(reports_all_losses(release), "{release}");
        }
        for release in ["5.7.19", "4.19.0", "3.10.0-1160.el7", "", "unknown"] {
            assert!(!reports_all_losses(release), "{release}");
        }
    }

    #[test]
    fn only_large_pieces_of_memory_count() {
        let buddyinfo = "Node 0, zone      DMA      0      0      0      0      0      0      0      0      1      1      3 \n\
            Node 0, zone   Normal  38134  22109  18939   1023    713    438    262    141     73     86     26 \n";
        let pages = (256 + 512 + 3 * 1_024) + (262 * 64 + 141 * 128 + 73 * 256 + 86 * 512 + 26 * 1_024);
        assert_eq!(free_in_large_pieces(buddyinfo, 4_096), pages * 4_096);
        for unknown in ["", "Node 0", "what is that about, then, and why and how and when?"] {
            assert_eq!(free_in_large_pieces(unknown, 4_096), 0);
        }
        let absurd = format!("Node 0, zone Normal{}", " 18446744073709551615".repeat(80));
        assert_eq!(free_in_large_pieces(&absurd, 4_096), u64::MAX);
    }
}
