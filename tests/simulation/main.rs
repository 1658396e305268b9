//! A whole broker, from its listener to its journal, on a simulated network, disk and clock.
//!
//! One seed is one run: clients produce, consume and administrate over connections that are slow, broken and cut off,
//! while the broker is killed, loses its power, its disk fails, fills up and halts; and a checker that stands outside
//! ([`ledger`]) holds what they are told and read against what can be so. Nothing in a run is a thread, a file, a
//! socket or a clock of the machine, so the same seed is the same run.
//!
//! `SIMULATION_SEEDS` and `SIMULATION_START` say which seeds are run, `SIMULATION_VERBOSE` shows what they do.

// Marked as test code in so many words, for the lints that let only test code unwrap.
#[cfg(test)]
mod administration;
#[cfg(test)]
mod chaos;
#[cfg(test)]
mod consuming;
#[cfg(test)]
mod driver;
#[cfg(test)]
mod kinds;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod link;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod network;
#[cfg(test)]
mod panics;
#[cfg(test)]
mod planted;
#[cfg(test)]
mod plants;
#[cfg(test)]
mod producing;
#[cfg(test)]
mod run;
#[cfg(test)]
mod seeds;
#[cfg(test)]
mod strangers;
#[cfg(test)]
mod subject;
#[cfg(test)]
mod world;
