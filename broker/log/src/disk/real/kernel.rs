//! What a kernel does is told by its release.

/// Whether `syncfs` of a kernel tells of writes that were lost: it does from 5.8 on.
pub(super) fn reports_all_losses(release: &str) -> bool {
    let mut numbers =
        release.split(|letter: char| !letter.is_ascii_digit()).map_while(|part| part.parse().ok());
    let version: (u32, u32) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    version >= (5, 8)
}

#[cfg(test)]
mod tests {
    use super::reports_all_losses;

    #[test]
    fn kernels_are_told_apart_by_whether_they_tell_of_losses() {
        for release in ["5.8.0", "5.10.0-28-amd64", "6.1.0-rc3", "10.0"] {
            assert!(reports_all_losses(release), "{release}");
        }
        for release in ["5.7.19", "4.19.0", "3.10.0-1160.el7", "", "unknown"] {
            assert!(!reports_all_losses(release), "{release}");
        }
    }
}
