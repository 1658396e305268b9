//! How long an embedded broker takes from being asked for until it serves, and from being told to stop until nothing of it is
//! left. Prints a table.
//!
//! usage: cargo run --release -p strandline-broker --example embedded_start [ROUNDS] [AT-ONCE]

use std::env;
use std::io::{Write, stdout};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use strandline_broker::embedded;
use strandline_broker::embedded::{EmbeddedBroker, EmbeddedError};

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

fn line(what: &str, mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |place: usize| times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1_000.0);
    let last = times.len().saturating_sub(1);
    format!("{what:<24} {:>8.1} {:>8.1} {:>8.1}\n", at(0), at(last / 2), at(last))
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
    write!(out, "{}", line("until a client is in", took.iter().map(|took| took.started).collect()))?;
    write!(out, "{}", line("until nothing is left", took.iter().map(|took| took.stopped).collect()))?;
    Ok(())
}
