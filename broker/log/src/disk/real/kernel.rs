//! What a kernel does, and how its memory is, is told by what it writes of itself.

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
