//! As many producers as there may be.

use super::{PRODUCER, append, client, records, transactional};
use crate::producers::{PRODUCERS_MAX, Producers, Verdict};

#[test]
fn producers_are_bounded_and_the_idle_ones_that_are_oldest_go_first() {
    let mut producers = Producers::new();
    let max = i64::try_from(PRODUCERS_MAX).unwrap();
    let (open, staged, old) = (1, 2, 3);
    append(&mut producers, transactional(records(open, 0, 0, 1, 0)));
    append(&mut producers, records(staged, 0, 0, 1, 1));
    append(&mut producers, records(old, 0, 0, 1, 2));
    for offset in 3..max {
        append(&mut producers, records(PRODUCER + offset, 0, 0, 1, offset));
    }
    assert_eq!(producers.active().count(), PRODUCERS_MAX);
    let next = records(staged, 0, 1, 1, max);
    assert_eq!(client(&mut producers, next), Ok(Verdict::Fresh));
    // One that is known takes nobody's place, and a new one does.
    assert_eq!(producers.active().count(), PRODUCERS_MAX);
    assert_eq!(client(&mut producers, records(7, 0, 0, 1, max + 1)), Ok(Verdict::Fresh));
    let left: Vec<_> = producers.active().map(|producer| producer.producer_id).collect();
    assert_eq!(left.len(), PRODUCERS_MAX - PRODUCERS_MAX / 8);
    assert!(left.contains(&open) && left.contains(&staged) && !left.contains(&old));
    let youngest = PRODUCER + max - 1;
    let oldest_left = left.iter().copied().filter(|id| *id > PRODUCER).min().unwrap();
    assert_eq!(youngest - oldest_left, i64::try_from(left.len()).unwrap() - 3, "the youngest stay");
    producers.publish();
    producers.publish();
    // What is in a log is no reason to remember more of it.
    for offset in 0..max {
        producers.replay(&records(PRODUCER + 2 * max + offset, 0, 0, 1, 2 * max + offset), None);
    }
    assert!(producers.active().count() <= PRODUCERS_MAX);
}
