//! The known name that a mistyped one is nearest to.

/// A name further off than this helps nobody.
const DISTANCE_MAX: usize = 4;

/// Names longer than this are not compared: nobody mistypes so much, and the comparison is quadratic.
const NAME_BYTES_MAX: usize = 128;

/// The candidate that the fewest edits make of `name`, if it takes few.
pub fn nearest<T: AsRef<str> + Ord>(name: &str, candidates: impl Iterator<Item = T>) -> Option<T> {
    if name.len() > NAME_BYTES_MAX {
        return None;
    }
    candidates
        .map(|candidate| (distance(name.as_bytes(), candidate.as_ref().as_bytes()), candidate))
        .filter(|(distance, candidate)| *distance <= DISTANCE_MAX.min(candidate.as_ref().len() / 3))
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many bytes have to be inserted, removed or replaced to make `right` of `left`.
fn distance(left: &[u8], right: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, left) in left.iter().enumerate() {
        let mut diagonal = index;
        let mut before = index + 1;
        let mut next = Vec::with_capacity(row.len());
        next.push(before);
        for (above, right) in row.iter().skip(1).zip(right) {
            let replaced = diagonal + usize::from(left != right);
            before = replaced.min(above + 1).min(before + 1);
            diagonal = *above;
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (left, right, expected) in [("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("ab", "ba", 2)]
        {
            assert_eq!(distance(left.as_bytes(), right.as_bytes()), expected, "{left} {right}");
            assert_eq!(distance(right.as_bytes(), left.as_bytes()), expected, "{right} {left}");
        }
    }

    #[test]
    fn what_is_far_off_is_not_suggested() {
        let names = ["retention.ms", "retention.bytes"];
        assert_eq!(nearest("retention.mss", names.into_iter()), Some("retention.ms"));
        assert_eq!(nearest("hello", names.into_iter()), None);
        assert_eq!(nearest(&"retention.ms".repeat(100), names.into_iter()), None);
    }
}
