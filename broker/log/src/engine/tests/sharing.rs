//! Several directories in one process, whose tails share a budget.

use super::rules::fill;
use super::*;

/// What small frames are copied into together.
const CHUNK_BYTES: u64 = 256 << 10;

/// A directory that takes the memory of its tails from this budget, and keeps all in them.
fn directory(seed: u64, budget: &Budget) -> (Rig, LocalId) {
    let mut rig = Rig::new(seed);
    let journal = journal::Options { bytes_max: 32 << 20, entries_max: 100_000, ..small_options().journal };
    let tail_budget = budget.clone();
    rig.options =
        Options { journal, tail_budget, flush_bytes: 1 << 30, flush_job_bytes: 1 << 30, ..small_options() };
    rig.recover().unwrap();
    let id = rig.create(LogConfig::default()).id();
    (rig, id)
}

/// How many batches of a partition are in memory, of those that are in no segment.
fn in_memory(rig: &mut Rig, id: LocalId) -> usize {
    let frames = rig.writer().sources.frames.clone();
    let partition = rig.partition(id);
    let view = partition.view();
    let entries = view.tail.iter();
    entries.filter(|entry| frames.slice(entry.frame, entry.offset_in_frame, entry.length).is_some()).count()
}

#[test]
fn what_one_directory_appends_evicts_what_another_has_and_nothing_is_lost() {
    let budget = Budget::new(2 << 20);
    let (mut quiet, quiet_id) = directory(200, &budget);
    let (mut busy, busy_id) = directory(201, &budget);
    let before = fill(&mut quiet, quiet_id, 0..200);
    let mut expected = Vec::new();
    let mut next = 0;
    let mut go_on = |busy: &mut Rig| {
        expected.extend(fill(busy, busy_id, next..next + 20));
        next += 20;
        assert!(budget.used_bytes() <= budget.bytes_max() && next < 20_000);
        usize::try_from(next).unwrap()
    };
    assert_eq!(in_memory(&mut quiet, quiet_id), 200, "there is room for all of it");
    while in_memory(&mut quiet, quiet_id) > 0 {
        let appended = go_on(&mut busy);
        assert_eq!(in_memory(&mut busy, busy_id), appended, "the oldest go first, and these are all younger");
    }
    // Now it has all of the budget, and what it appends takes the place of its own.
    let had = in_memory(&mut busy, busy_id);
    while go_on(&mut busy) < 2 * had {}
    assert!((had - had / 4..=had + had / 4).contains(&in_memory(&mut busy, busy_id)));
    let newer = fill(&mut quiet, quiet_id, 200..400);
    assert_eq!(in_memory(&mut quiet, quiet_id), 200, "what is newer is kept, whoever appends it");
    let all = [before, newer].concat();
    assert_records(&read_all(&quiet.partition(quiet_id), 0), &all, "of the quiet one");
    assert_records(&read_all(&busy.partition(busy_id), 0), &expected, "of the busy one");
    for rig in [&mut quiet, &mut busy] {
        rig.disk.crash();
        rig.recover().unwrap();
    }
    assert_records(&read_all(&quiet.partition(quiet_id), 0), &all, "after a power cut");
    assert_records(&read_all(&busy.partition(busy_id), 0), &expected, "after a power cut");
    drop((quiet, busy));
    assert_eq!(budget.used_bytes(), 0);
}

#[test]
fn memory_that_nobody_uses_has_one_bound_and_goes_back_when_nothing_is_asked_for_a_while() {
    let budget = Budget::new(2 << 20);
    let mut rigs = [202, 203].map(|seed| directory(seed, &budget));
    for (rig, id) in &mut rigs {
        fill(rig, *id, 0..400);
    }
    let idle_bytes = budget.buffers().idle_bytes();
    assert!((1..=(2 << 20) + (8 << 20)).contains(&idle_bytes), "{idle_bytes}");
    let [(one, id), _] = &mut rigs;
    one.clock.advance(4_900);
    one.settle();
    assert_eq!(budget.buffers().idle_bytes(), idle_bytes, "it is used again if something comes soon");
    one.clock.advance(200);
    one.settle();
    assert_eq!(budget.buffers().idle_bytes(), 0);
    fill(one, *id, 400..500);
    assert!(budget.buffers().idle_bytes() > 0);
    one.clock.advance(5_100);
    one.settle();
    assert_eq!(budget.buffers().idle_bytes(), 0, "and again after each rest");
}

#[test]
fn what_is_in_segments_takes_no_memory_of_tails_before_the_journal_forgets_it() {
    let budget = Budget::new(2 << 20);
    let (mut rig, id) = directory(204, &budget);
    let expected = fill(&mut rig, id, 0..400);
    assert_eq!(in_memory(&mut rig, id), 400);
    assert!(budget.used_bytes() > CHUNK_BYTES);
    let frame = rig.partition(id).view().tail.first_frame().unwrap();
    rig.writer().options.flush_bytes = 1;
    rig.settle();
    assert!(rig.partition(id).view().tail.is_empty());
    assert!(rig.writer().sources.frames.place(frame, 0, 1).is_some(), "there was no checkpoint");
    // What the next small frames are copied into is there still.
    assert!(budget.used_bytes() <= CHUNK_BYTES, "{}", budget.used_bytes());
    assert_records(&read_all(&rig.partition(id), 0), &expected, "from the segment");
}
