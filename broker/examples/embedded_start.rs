//! How long an embedded broker takes from being asked for until it serves, and from being told to stop until nothing of it is
//! left. Prints a table, and fails if the median is more than was promised.
//!
//! usage: cargo run --release -p strandline-broker --example embedded_start [ROUNDS] [AT-ONCE]

use std::env;
use std::io::{Write, stdout};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use strandline_broker::embedded;
use strandline_broker::embedded::{EmbeddedBroker, EmbeddedError};

/// Half of them have a client within this time.
const STARTED_MAX: Duration = Duration::from_millis(50);

/// What one broker took: until a client was connected, and until it was gone.
struct Took {
    started: Duration,
    stopped: Duration,
}

fn start() -> Result<(EmbeddedBroker, Duration), Box<dyn std::error::Error>> {
    let begin = Instant::now();
    let broker = embedded().topic("orders", 3).start()?;
    TcpStream::connect(broker.address())?;
    Ok((broker, begin.elapsed()))
}

fn stop(broker: EmbeddedBroker) -> Result<Duration, EmbeddedError> {
    let begin = Instant::now();
    broker.stop()?;
    Ok(begin.elapsed())
}

/// Starts so many, one after the other, and only then stops them.
fn round(at_once: usize) -> Result<Vec<Took>, Box<dyn std::error::Error>> {
    let started: Vec<_> = std::iter::repeat_with(start).take(at_once).collect::<Result<_, _>>()?;
    let stopped = started.into_iter().map(|(broker, started)| Ok(Took { started, stopped: stop(broker)? }));
    stopped.collect()
}

/// The least, the median and the most.
fn spread(mut times: Vec<Duration>) -> [Duration; 3] {
    times.sort_unstable();
    let last = times.len().saturating_sub(1);
    [0, last / 2, last].map(|place| times.get(place).copied().unwrap_or_default())
}

fn line(what: &str, times: [Duration; 3]) -> String {
    let [least, median, most] = times.map(|time| time.as_secs_f64() * 1_000.0);
    format!("{what:<24} {least:>8.1} {median:>8.1} {most:>8.1}\n")
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = env::args().skip(1);
    let mut number = |default: usize| words.next().map_or(Ok(default), |word| word.parse());
    let (rounds, at_once) = (number(20)?, number(4)?);
    let took: Vec<_> = std::iter::repeat_with(|| round(at_once)).take(rounds).collect::<Result<_, _>>()?;
    let took: Vec<_> = took.into_iter().flatten().collect();
    let mut out = stdout().lock();
    writeln!(
        out,
        "{} brokers, {at_once} at once; ms{:>9} {:>8} {:>8}",
        took.len(),
        "least",
        "median",
        "most"
    )?;
    let started = spread(took.iter().map(|took| took.started).collect());
    write!(out, "{}", line("until a client is in", started))?;
    write!(out, "{}", line("until nothing is left", spread(took.iter().map(|took| took.stopped).collect())))?;
    if started[1] > STARTED_MAX {
        return Err(format!("half of them took more than {STARTED_MAX:?}").into());
    }
    Ok(())
}
