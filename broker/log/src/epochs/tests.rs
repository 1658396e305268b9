use std::collections::BTreeMap;

use super::{EpochEnd, EpochEntry, EpochError, LeaderEpochs};
use crate::random::Random;

fn epochs(entries: &[(i32, i64)]) -> LeaderEpochs {
    let entry = |&(epoch, start_offset): &(i32, i64)| EpochEntry { epoch, start_offset };
    LeaderEpochs::from_entries(entries.iter().map(entry)).unwrap()
}

fn end(epoch: i32, end_offset: i64) -> Option<EpochEnd> {
    Some(EpochEnd { epoch, end_offset })
}

#[test]
fn an_empty_list_is_small() {
    assert!(size_of::<LeaderEpochs>() <= 24);
    assert_eq!(LeaderEpochs::new().0.capacity(), 0);
    let mut one = LeaderEpochs::new();
    one.assign(0, 0).unwrap();
    assert_eq!(one.0.capacity(), 1);
}

#[test]
fn an_epoch_begins_where_it_was_first_seen() {
    let mut list = LeaderEpochs::new();
    assert_eq!(list.assign(2, 10), Ok(true));
    assert_eq!(list.assign(2, 11), Ok(false));
    assert_eq!(list.assign(5, 20), Ok(true));
    assert_eq!(list, epochs(&[(2, 10), (5, 20)]));
    assert_eq!(list.latest(), Some(EpochEntry { epoch: 5, start_offset: 20 }));
}

#[test]
fn an_epoch_without_batches_gives_way_to_the_next() {
    let mut list = epochs(&[(2, 10), (5, 20)]);
    assert_eq!(list.assign(6, 20), Ok(true));
    assert_eq!(list, epochs(&[(2, 10), (6, 20)]));
    assert_eq!(list.assign(7, 9), Ok(true));
    assert_eq!(list, epochs(&[(7, 9)]));
}

#[test]
fn an_epoch_that_goes_back_is_refused_and_changes_nothing() {
    let mut list = epochs(&[(2, 10), (5, 20)]);
    let before = list.clone();
    assert_eq!(list.assign(4, 30), Err(EpochError::GoesBack { epoch: 4, latest: 5 }));
    assert_eq!(list.assign(-1, 30), Err(EpochError::Negative { epoch: -1, start_offset: 30 }));
    assert_eq!(list.assign(6, -1), Err(EpochError::Negative { epoch: 6, start_offset: -1 }));
    assert_eq!(list, before);
}

#[test]
fn the_end_of_an_epoch_is_the_start_of_the_next() {
    let list = epochs(&[(2, 10), (5, 20), (6, 35)]);
    assert_eq!(list.end_offset_for(2, 40), end(2, 20));
    assert_eq!(list.end_offset_for(5, 40), end(5, 35));
    assert_eq!(list.end_offset_for(6, 40), end(6, 40), "the latest ends with the log");
    assert_eq!(list.end_offset_for(3, 40), end(2, 20), "one without batches: the one before it");
    assert_eq!(list.end_offset_for(0, 40), end(0, 10), "one before all that is known: where that begins");
}

#[test]
fn the_end_of_an_epoch_may_be_unknown() {
    let list = epochs(&[(2, 10)]);
    assert_eq!(list.end_offset_for(-1, 40), None, "no epoch");
    assert_eq!(list.end_offset_for(3, 40), None, "one that this log has not seen yet");
    assert_eq!(LeaderEpochs::new().end_offset_for(0, 40), None, "a log without epochs");
}

#[test]
fn every_offset_has_the_epoch_of_the_last_start_at_or_before_it() {
    let list = epochs(&[(2, 10), (5, 20)]);
    assert_eq!(
        [9, 10, 19, 20, 90].map(|offset| list.epoch_for(offset)),
        [None, Some(2), Some(2), Some(5), Some(5)]
    );
}

#[test]
fn cutting_the_end_takes_what_begins_there() {
    let mut list = epochs(&[(2, 10), (5, 20), (6, 35)]);
    list.truncate_from_end(36);
    list.truncate_from_end(-1);
    assert_eq!(list.as_slice().len(), 3);
    list.truncate_from_end(20);
    assert_eq!(list, epochs(&[(2, 10)]));
    list.truncate_from_end(0);
    assert_eq!(list, LeaderEpochs::new());
}

#[test]
fn cutting_the_start_moves_the_epoch_that_lies_across_it() {
    let mut list = epochs(&[(2, 10), (5, 20), (6, 35)]);
    list.truncate_from_start(9);
    assert_eq!(list, epochs(&[(2, 10), (5, 20), (6, 35)]));
    list.truncate_from_start(20);
    assert_eq!(list, epochs(&[(5, 20), (6, 35)]));
    list.truncate_from_start(34);
    assert_eq!(list, epochs(&[(5, 34), (6, 35)]));
    list.truncate_from_start(90);
    assert_eq!(list, epochs(&[(6, 90)]), "the leader may write on");
}

#[test]
fn a_stored_list_is_not_believed() {
    let list = |entries: &[(i32, i64)]| {
        let entry = |&(epoch, start_offset): &(i32, i64)| EpochEntry { epoch, start_offset };
        LeaderEpochs::from_entries(entries.iter().map(entry))
    };
    for bad in [[(1, 0), (1, 5)], [(2, 0), (1, 5)], [(1, 5), (2, 5)], [(1, 5), (2, 4)]] {
        assert!(matches!(list(&bad), Err(EpochError::NotRising { .. })), "{bad:?}");
    }
    assert!(matches!(list(&[(-1, 0)]), Err(EpochError::Negative { .. })));
    assert!(matches!(list(&[(0, -1)]), Err(EpochError::Negative { .. })));
}

/// What the list says, told from the epoch of every single offset.
#[derive(Default)]
struct Model {
    start: i64,
    offsets: BTreeMap<i64, i32>,
    /// The last epoch is remembered where the log begins, when the start passed all of its batches.
    passed: Option<i32>,
}

impl Model {
    fn end(&self) -> i64 {
        self.offsets.last_key_value().map_or(self.start, |(offset, _)| offset + 1)
    }

    fn entries(&self) -> Vec<EpochEntry> {
        let mut entries: Vec<EpochEntry> = Vec::new();
        let passed = self.passed.map(|epoch| (self.start, epoch));
        let all = self.offsets.iter().map(|(&offset, &epoch)| (offset, epoch));
        for (start_offset, epoch) in passed.into_iter().chain(all) {
            if entries.last().is_none_or(|last| last.epoch != epoch) {
                let _ = entries.pop_if(|last| last.start_offset == start_offset);
                entries.push(EpochEntry { epoch, start_offset });
            }
        }
        entries
    }

    fn step(&mut self, list: &mut LeaderEpochs, epoch: &mut i32, random: &mut Random) {
        let (start, end) = (self.start, self.end());
        let span = u64::try_from(end - start).unwrap();
        let inside = start + i64::try_from(random.below(span + 1)).unwrap();
        match random.below(10) {
            0..=5 => {
                *epoch += i32::from(random.one_in(3)) + i32::from(random.one_in(9));
                list.assign(*epoch, end).unwrap();
                self.offsets.insert(end, *epoch);
            }
            6..=7 => {
                list.truncate_from_end(inside);
                self.offsets.split_off(&inside);
                self.passed.take_if(|_| inside <= start);
            }
            _ => {
                self.passed = self
                    .entries()
                    .iter()
                    .rfind(|entry| entry.start_offset <= inside)
                    .map(|entry| entry.epoch);
                list.truncate_from_start(inside);
                self.offsets = self.offsets.split_off(&inside);
                self.start = inside;
            }
        }
    }
}

#[test]
fn the_list_agrees_with_the_epoch_of_every_offset() {
    for seed in 0..500 {
        let mut random = Random::from_seed(seed);
        let (mut model, mut list, mut epoch) = (Model::default(), LeaderEpochs::new(), 0);
        for step in 0..60 {
            model.step(&mut list, &mut epoch, &mut random);
            assert_eq!(list.as_slice(), model.entries(), "seed {seed}, step {step}");
            assert_eq!(LeaderEpochs::from_entries(list.as_slice().iter().copied()).as_ref(), Ok(&list));
            for (&offset, &epoch) in &model.offsets {
                assert_eq!(list.epoch_for(offset), Some(epoch), "seed {seed}, step {step}, offset {offset}");
            }
        }
    }
}
