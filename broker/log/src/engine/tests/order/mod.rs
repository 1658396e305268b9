//! The order of a checkpoint, and of everything else that makes one thing durable before another: the power is cut
//! exactly between each two.
//!
//! A story is something that happens to a log, and the steps that the disk is to see of it, in their order. It is
//! played once to see that they come, and then again for each two of them: the machine stops right behind the first,
//! and right before the second, and loses any of what was pending.

mod ledger;
mod steps;
mod stories;

use std::collections::BTreeSet;
use std::path::Path;

use self::ledger::Ledger;
use self::steps::{Seen, seen};
use self::stories::Tale;
use super::Rig;
use crate::disk::watched::{Step, Watched};

/// So many ways in which what is pending is lost.
const SEEDS: u64 = 3;

/// A log, and what is known of it.
struct Story {
    rig: Rig,
    watched: Watched,
    ledger: Ledger,
    halts_before: Option<usize>,
}

impl Story {
    fn new(seed: u64, halts_before: Option<usize>) -> Self {
        let mut rig = Rig::new(seed);
        let watched = Watched::new(&rig.disk);
        rig.watched = Some(watched.clone());
        rig.recover().unwrap();
        Self { rig, watched, ledger: Ledger::default(), halts_before }
    }

    /// From here on, what the disk sees is the story.
    fn begin(&mut self) {
        self.watched.take_steps();
        self.watched.halt_before(self.halts_before);
    }

    /// The power is cut, and it is looked what is left, more than once.
    fn survive(mut self, what: &str) {
        self.watched.halt_before(None);
        for round in ["", ", and again", ", after the manifest was told", ", and went on"] {
            self.rig.disk.crash();
            self.rig.expect_no_damage();
            self.rig.recover().unwrap_or_else(|error| panic!("{what}{round}: {error}"));
            self.check(&format!("{what}{round}"));
            if round == ", and again" {
                self.save();
            }
            if round == ", after the manifest was told" {
                self.append(3);
                self.save();
            }
        }
    }
}

fn play(tale: &Tale, seed: u64, halts_before: Option<usize>) -> (Story, Vec<Step>) {
    let mut story = Story::new(seed, halts_before);
    (tale.happens)(&mut story);
    let steps = story.watched.take_steps();
    (story, steps)
}

/// Where each of the steps that are to come is: behind the one before it, as soon as it can be.
fn places(steps: &[Step], expected: &[Seen], name: &str) -> Vec<usize> {
    let mut from = 0;
    let place = |expected: &Seen| {
        let found = steps.iter().skip(from).position(|step| seen(step) == Some(*expected));
        let Some(found) = found else {
            let all: Vec<_> = steps.iter().filter_map(seen).collect();
            panic!("{name}: {expected:?} does not come behind step {from}; there are {all:?}");
        };
        from += found + 1;
        from - 1
    };
    expected.iter().map(place).collect()
}

fn tell(tale: &Tale) {
    let Tale { name, steps: expected, .. } = tale;
    for seed in 0..SEEDS {
        let (_, all) = play(tale, seed, None);
        assert_all_synced(&all, name);
        let places = places(&all, expected, name);
        for (events, places) in expected.windows(2).zip(places.windows(2)) {
            let (before, after) = (events[0], events[1]);
            // The last of its kind before the other.
            let first = (places[0]..places[1]).rev().find(|step| seen(&all[*step]) == Some(before));
            for halts_before in [first.unwrap() + 1, places[1]] {
                let (story, steps) = play(tale, seed, Some(halts_before));
                assert!(steps == all[..halts_before], "{name}: it is not the same story");
                story.survive(&format!("{name}, cut between {before:?} and {after:?}, seed {seed}"));
            }
        }
    }
}

/// Whenever the manifest is told something, all that was written to segments is synced, and so are their names. One
/// thread does everything here, so nothing is written meanwhile.
fn assert_all_synced(steps: &[Step], name: &str) {
    let (mut written, mut made) = (BTreeSet::new(), BTreeSet::new());
    let (mut has_new_index, mut named) = (false, BTreeSet::new());
    for step in steps {
        let folder = step.path.parent();
        match seen(step) {
            Some(Seen::SegmentMade) => drop(made.insert(folder)),
            Some(Seen::SegmentWritten) => drop(written.insert(&step.path)),
            Some(Seen::SegmentSynced | Seen::SegmentRemoved) => drop(written.remove(&step.path)),
            Some(Seen::NamesSynced) => {
                made.remove(&Some(step.path.as_path()));
                has_new_index = false;
            }
            Some(Seen::IndexNamed) => {
                assert!(!named.contains(&cleaned_segment(step)), "{name}: the batches come last");
                has_new_index = true;
            }
            Some(Seen::CleanedNamed) => {
                assert!(!has_new_index, "{name}: what comes before them is synced");
                named.insert(cleaned_segment(step));
            }
            Some(Seen::AllSynced) => (written, made) = Default::default(),
            Some(Seen::ManifestCommitted) => {
                assert!(written.is_empty() && made.is_empty(), "{name}: {written:?} {made:?}");
            }
            _ => {}
        }
    }
}

/// Of which segment a file is that compaction made: its folder, its base offset, and how often it was made.
fn cleaned_segment(step: &Step) -> (Option<&Path>, &str, &str) {
    let name = step.path.file_name().and_then(|name| name.to_str()).unwrap();
    let parts: Vec<&str> = name.split('.').collect();
    (step.path.parent(), parts[0], parts[2])
}
