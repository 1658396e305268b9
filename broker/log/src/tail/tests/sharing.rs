//! Frames of several journals that share a budget: whose go first, and that all is counted.

use super::*;

#[test]
fn the_oldest_frame_goes_first_whosever_it_is() {
    let (pool, budget, length) = (BufferPool::default(), Budget::new((5 << 20) - 1), 1 << 20);
    let [one, other] = [(); 2].map(|()| Frames::new(budget.clone()));
    // Four fit. The numbers of different journals say nothing about which of them is older.
    for (frames, sequence) in [(&one, 900), (&other, 1), (&one, 901), (&other, 2)] {
        keep(frames, &pool, sequence, length);
    }
    let kept = || {
        let places =
            [(&one, 900), (&other, 1), (&one, 901), (&other, 2), (&other, 3), (&other, 4), (&one, 902)];
        places.map(|(frames, sequence)| all(frames, sequence, length).is_some())
    };
    assert_eq!(kept(), [true, true, true, true, false, false, false]);
    keep(&other, &pool, 3, length);
    assert_eq!(kept(), [false, true, true, true, true, false, false]);
    keep(&other, &pool, 4, length);
    assert_eq!(kept(), [false, false, true, true, true, true, false]);
    keep(&one, &pool, 902, length);
    assert_eq!(kept(), [false, false, false, true, true, true, true]);
    // Who is gone keeps nothing, and is not asked.
    drop(other);
    assert!(budget.used_bytes() < 2 << 20);
    keep(&one, &pool, 903, length);
    assert!(all(&one, 902, length).is_some() && all(&one, 903, length).is_some());
}

#[test]
fn a_chunk_that_another_has_open_is_given_up_when_all_in_it_is_evicted() {
    let (pool, budget) = (BufferPool::default(), Budget::new(600_000));
    let [quiet, busy] = [(); 2].map(|()| Frames::new(budget.clone()));
    keep_roomy(&quiet, &pool, 1, 1_000);
    keep_roomy(&quiet, &pool, 2, 1_000);
    quiet.forget_up_to(1);
    keep(&busy, &pool, 1, 400_000);
    assert!(all(&quiet, 2, 1_000).is_none() && all(&busy, 1, 400_000).is_some());
    // It begins another one, for which the other's memory goes in turn.
    keep_roomy(&quiet, &pool, 3, 1_000);
    assert!(all(&quiet, 3, 1_000).is_some() && all(&busy, 1, 400_000).is_none());
    // One in which nothing is kept any more is no reason to keep nothing.
    quiet.forget_up_to(3);
    keep(&busy, &pool, 2, 400_000);
    assert!(all(&busy, 2, 400_000).is_some());
}

#[test]
fn writers_that_share_a_budget_count_exactly_at_the_same_time() {
    let budget = Budget::new(1 << 20);
    let used_bytes_max = AtomicU64::new(0);
    thread::scope(|scope| {
        for seed in 0..2 {
            let (budget, used_bytes_max) = (&budget, &used_bytes_max);
            scope.spawn(move || {
                let (pool, frames) = (BufferPool::default(), Frames::new(budget.clone()));
                let (mut random, mut held) = (Random::from_seed(seed), VecDeque::new());
                for sequence in 1..=4_000 {
                    match random.below(3) {
                        0 => keep(&frames, &pool, sequence, 1 + random.index(90_000)),
                        _ => keep_roomy(&frames, &pool, sequence, 1 + random.index(5_000)),
                    }
                    held.extend(frames.slice(sequence, 0, 1).map(|slice| (slice, sequence)));
                    if held.len() > 3 {
                        assert!(held.pop_front().is_some_and(|(slice, sequence)| is_whole(&slice, sequence)));
                    }
                    if random.one_in(50) {
                        frames.forget_up_to(sequence - random.below(20).min(sequence));
                    }
                    used_bytes_max.fetch_max(budget.used_bytes(), Ordering::Relaxed);
                }
            });
        }
    });
    assert!(used_bytes_max.into_inner() <= budget.bytes_max());
    assert_eq!(budget.used_bytes(), 0);
}
