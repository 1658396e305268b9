//! The process that is killed: it writes as fast as it can, and says what it does.
//!
//! Several threads share the partitions among them. What a thread asks of one of its partitions the engine does in
//! that order; so whatever a crash leaves of a partition is what some beginning of that sequence made.

mod partition;
mod worker;

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::thread;

use strandline_log::engine::{Engine, Partition};
use strandline_log::random::Random;

use self::partition::Live;
use self::worker::Worker;
use crate::briefing::Briefing;
use crate::disk::Way;
use crate::model::Name;
use crate::report::{Line, say};
use crate::{Failure, Outcome, directory};

const THREADS: u32 = 3;

/// So many partitions are there at a time.
pub(crate) const SLOTS: u32 = 15;

/// How it lives, and when it stops if nobody kills it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Until {
    /// Never, and nothing goes wrong.
    Killed,
    /// Never, and the disk may go away.
    Cut,
    /// Never, and the disk may be full: no batch is sent before the one in front of it is answered.
    Filled,
    /// When the directory is offline, and has refused a few more of everything.
    Offline,
    /// When so many operations were asked for.
    Operations(u64),
}

impl fmt::Display for Until {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Killed => write!(formatter, "killed"),
            Self::Cut => write!(formatter, "cut"),
            Self::Filled => write!(formatter, "filled"),
            Self::Offline => write!(formatter, "offline"),
            Self::Operations(operations) => write!(formatter, "{operations}"),
        }
    }
}

impl FromStr for Until {
    type Err = Failure;

    fn from_str(text: &str) -> Outcome<Self> {
        Ok(match text {
            "killed" => Self::Killed,
            "cut" => Self::Cut,
            "filled" => Self::Filled,
            "offline" => Self::Offline,
            operations => Self::Operations(operations.parse()?),
        })
    }
}

/// Writes into a directory; what is in it comes in on the standard input.
pub(crate) fn run(root: &Path, seed: u64, until: Until, way: Way) -> Outcome<()> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let briefing = Briefing::parse(&text)?;
    let engine = Arc::new(Engine::start(directory::open(root, way)?)?);
    say(&Line::Opened);
    let generations = Arc::new(AtomicU32::new(briefing.next_generation));
    let mut live = recognise(briefing, &engine)?;
    let mut random = Random::from_seed(seed);
    let mut threads = Vec::new();
    for number in 0..THREADS {
        let slots = (0..SLOTS).filter(|slot| slot % THREADS == number);
        let slots = slots.map(|slot| (slot, live.extract_if(.., |live| live.name.slot == slot).next()));
        let generations = Arc::clone(&generations);
        let worker =
            Worker::new(number, Arc::clone(&engine), slots.collect(), generations, random.split(), until);
        threads.push(thread::spawn(move || {
            if let Err(error) = worker.run() {
                say(&Line::Bad(error.to_string()));
            }
        }));
    }
    for thread in threads {
        thread.join().map_err(|_| "a thread panicked")?;
    }
    let engine = Arc::into_inner(engine).ok_or("somebody still writes")?;
    if until != Until::Offline {
        engine.close()?;
    }
    say(&Line::Closed);
    Ok(())
}

/// Finds what the briefing tells of in the directory, where it has to be just so.
fn recognise(briefing: Briefing, engine: &Engine) -> Outcome<Vec<Live>> {
    let mut live = Vec::new();
    let find = |name: Name| -> Option<Arc<Partition>> {
        let is_it = |description: &[u8]| *description == *name.to_string().as_bytes();
        let found = engine.partitions().iter().find(|(_, description)| is_it(description));
        found.map(|(partition, _)| Arc::clone(partition))
    };
    let (expected, found) = (briefing.partitions.len(), engine.partitions().len());
    if expected != found {
        say(&Line::Bad(format!("{found} partitions were found, and {expected} are known")));
    }
    for known in briefing.partitions {
        let partition = find(known.name).ok_or_else(|| format!("partition {} is gone", known.name))?;
        let offsets = partition.offsets();
        if (offsets.start, offsets.end) != (known.start, known.state.end) {
            let (start, end) = (known.start, known.state.end);
            say(&Line::Bad(format!("{}: {offsets:?}, not {start} to {end}", known.name)));
        }
        live.push(Live::known(known, partition));
    }
    Ok(live)
}
