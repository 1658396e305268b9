//! The machine dies at every operation of a round: the log is what it was, or what it was to become, group by
//! group, and goes on.

use super::super::Unlimited;
use super::job::{Log, SEGMENT_BYTES, contents};
use super::model::{Batch, Model};
use crate::random::Random;

/// Whether the process alone died, or the power failed.
#[derive(Clone, Copy, Debug)]
enum Death {
    Kill,
    Crash,
}

/// A round that ends in the middle of the operation that is so far away. False if it came to its end before.
fn dies(log: &mut Log, operations: u64, death: Death) -> bool {
    let settings = log.settings();
    let result = log.begin(settings, SEGMENT_BYTES).and_then(|mut compaction| {
        log.disk.halt_in(operations);
        while let Some(replacement) = compaction.step(&mut Unlimited)? {
            log.commit(&replacement);
            replacement.swap(&log.files)?;
            log.publish(&replacement);
        }
        Ok(())
    });
    assert_eq!(result.is_err(), log.disk.is_halted());
    match death {
        Death::Kill => log.disk.kill(),
        Death::Crash => log.disk.crash(),
    }
    result.is_err()
}

/// The log before the round up to some segment, and after it from there on the other way round.
fn is_between(found: &[Batch], before: &[Batch], after: &[Batch], border: i64) -> bool {
    let left = after.iter().filter(|batch| batch.base_offset < border);
    let right = before.iter().filter(|batch| batch.base_offset >= border);
    contents(found) == contents(&left.chain(right).cloned().collect::<Vec<_>>())
}

fn crash_at(seed: u64, operations: u64, death: Death) -> bool {
    let mut log = Log::new(seed, 25);
    let settings = log.settings();
    let before = log.batches();
    let after = Model::default().clean(&before, &settings, &log.aborted, settings.end_offset);
    let died = dies(&mut log, operations, death);
    log.recover();
    let found = log.batches();
    let mut borders = log.segments.iter().map(|segment| segment.base_offset()).chain([i64::MAX]);
    let is_right = borders.any(|border| is_between(&found, &before, &after, border));
    assert!(is_right, "seed {seed}, {death:?} at operation {operations}");
    let waiting: Vec<_> = log.names().into_iter().filter(|name| name.ends_with("cleaned")).collect();
    assert_eq!(waiting, Vec::<String>::new(), "seed {seed}, {death:?} at operation {operations}");
    // Once more, as far as it did not come.
    log.compact(settings).unwrap();
    assert_eq!(contents(&log.batches()), contents(&after), "seed {seed}, {death:?} at {operations}");
    died
}

#[test]
fn a_crash_at_any_operation_is_harmless() {
    for seed in 0..3 {
        for death in [Death::Kill, Death::Crash] {
            let mut operations = 1;
            while crash_at(seed, operations, death) {
                operations += 1;
            }
            assert!(operations > 30, "{operations}");
        }
    }
}

#[test]
fn many_logs_crash_at_random() {
    let mut random = Random::from_seed(1);
    for seed in 0..150 {
        let operations = 1 + random.below(150);
        crash_at(seed, operations, if random.one_in(3) { Death::Kill } else { Death::Crash });
    }
}
