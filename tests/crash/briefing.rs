//! What a writing process is told before it begins: what is in the directory, and what it did not hear the end of.

use std::fmt::Write;

use crate::Outcome;
use crate::model::{Batch, Name, State};
use crate::report::{parse_batch, word};

/// A partition that is there.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) name: Name,
    pub(crate) start: i64,
    pub(crate) state: State,
    /// Numbers below this have been sent.
    pub(crate) next_number: u64,
    /// Batches that were sent and never acknowledged. They are sent again, in this order: those that are there
    /// are duplicates.
    pub(crate) again: Vec<Batch>,
}

/// Everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Briefing {
    /// Generations below this have been given.
    pub(crate) next_generation: u32,
    pub(crate) partitions: Vec<Known>,
}

impl Briefing {
    pub(crate) fn to_text(&self) -> Outcome<String> {
        let mut text = format!("generation {}\n", self.next_generation);
        for known in &self.partitions {
            let Known { name, start, state, next_number, again } = known;
            writeln!(text, "partition {name} {start} {} {next_number}", state.end)?;
            state.batches.iter().try_for_each(|batch| writeln!(text, "batch {batch}"))?;
            again.iter().try_for_each(|batch| writeln!(text, "again {batch}"))?;
        }
        Ok(text)
    }

    pub(crate) fn parse(text: &str) -> Outcome<Self> {
        let mut briefing = Self::default();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let words = &mut words;
            match word::<String>(words)?.as_str() {
                "generation" => briefing.next_generation = word(words)?,
                "partition" => {
                    let (name, start) = (word(words)?, word(words)?);
                    let state = State { end: word(words)?, ..State::default() };
                    let next_number = word(words)?;
                    briefing.partitions.push(Known { name, start, state, next_number, again: Vec::new() });
                }
                kind => {
                    let known = briefing.partitions.last_mut().ok_or("a batch of no partition")?;
                    let batches = if kind == "batch" { &mut known.state.batches } else { &mut known.again };
                    batches.push(parse_batch(words)?);
                }
            }
        }
        Ok(briefing)
    }
}
