//! The tests: many seeds, and one seed twice.

use crate::run::run;
use crate::subject::HONEST;
use crate::world::Reached;

/// How many seeds each test run takes.
const SEEDS: u64 = 120;

/// A long run says so often how far it is.
const SEEDS_BETWEEN_LINES: u64 = 100;

/// What all of them together must have come by.
const PLACES: &[&str] = &[
    "acknowledged",
    "client broke off",
    "client cut off",
    "clock set",
    "compacted away",
    "connection reset",
    "data directory offline",
    "died while coming up",
    "failing disk",
    "full disk",
    "halting machine",
    "kill",
    "listened late",
    "log shortened",
    "looked up by time",
    "nonsense sent",
    "not answered",
    "partition made",
    "power cut",
    "records read",
    "sent again",
    "sent again by another connection",
    "shut down",
    "storage error",
    "told of a truncation",
    "topic deleted",
    "topic gone",
    "topic made",
    "went on in another process",
];

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}

#[test]
fn what_was_promised_is_kept() {
    let (start, given) = (number("SIMULATION_START").unwrap_or(0), number("SIMULATION_SEEDS"));
    let (mut events, mut reached, mut failed) = (0, Reached::new(), Vec::new());
    for seed in start..start + given.unwrap_or(SEEDS) {
        // A long run goes on: what else there is to be found is worth as much.
        match run(seed, HONEST) {
            Ok(report) => {
                events += report.events;
                for (place, times) in report.reached {
                    *reached.entry(place).or_default() += times;
                }
            }
            Err(violation) => {
                println!("seed {seed}: {violation}");
                failed.push(seed);
            }
        }
        let done = seed + 1 - start;
        if given.is_some() && done.is_multiple_of(SEEDS_BETWEEN_LINES) {
            println!("{done} seeds, {events} events, failed: {failed:?}");
        }
    }
    println!("{events} events, {reached:#?}");
    assert!(failed.is_empty(), "seeds {failed:?}: see above");
    let missing: Vec<_> = PLACES.iter().filter(|place| !reached.contains_key(*place)).collect();
    assert!(given.is_some() || missing.is_empty(), "no run came by {missing:?}");
}

#[test]
fn a_seed_is_the_same_run_each_time() {
    for seed in 0..10 {
        assert_eq!(run(seed, HONEST), run(seed, HONEST), "seed {seed}");
    }
    assert_ne!(run(1, HONEST), run(2, HONEST));
}
