//! Measures pieces of work that take turns, so that what disturbs the machine disturbs all of them alike.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Plan;
use super::allocations::{self, Allocations};
use crate::cluster::Output;
use crate::progress::{Far, Progress};

/// What one run gets done, for a rate beside the time.
#[derive(Clone, Copy)]
pub(crate) enum Amount {
    /// One thing; its time says it all.
    One,
    /// Bytes, of the uncompressed kind where there are two.
    Bytes(usize),
    /// Records.
    Records(usize),
}

/// The same work done by several contenders; the first one is ours.
pub(crate) struct Comparison<'a> {
    name: String,
    amount: Amount,
    contenders: Vec<Contender<'a>>,
}

struct Contender<'a> {
    name: &'a str,
    run: Box<dyn FnMut() + 'a>,
}

/// What was seen of one contender.
struct Seen {
    repetitions: u32,
    nanoseconds: Vec<f64>,
    allocations: Option<Allocations>,
}

impl<'a> Comparison<'a> {
    pub(crate) fn new(name: impl Into<String>, amount: Amount) -> Self {
        Self { name: name.into(), amount, contenders: Vec::new() }
    }

    /// Adds a contender, whose results have to go through [`std::hint::black_box`].
    #[must_use]
    pub(crate) fn contender(mut self, name: &'a str, run: impl FnMut() + 'a) -> Self {
        self.contenders.push(Contender { name, run: Box::new(run) });
        self
    }

    /// Measures, unless the plan leaves it out, and prints a line for each contender.
    pub(crate) fn run(mut self, plan: &Plan, out: &mut impl Write) -> io::Result<()> {
        if !self.name.contains(&plan.only) {
            return Ok(());
        }
        let seen = self.measure(plan);
        if plan.output == Output::Json {
            for (contender, seen) in self.contenders.iter().zip(&seen) {
                writeln!(out, "{}", json_of(&self.name, contender.name, self.amount, seen))?;
            }
            return out.flush();
        }
        writeln!(out, "{}", self.name)?;
        let Some(ours) = seen.first() else { return Ok(()) };
        for (contender, seen) in self.contenders.iter().zip(&seen) {
            let ratio = ratio(&ours.nanoseconds, &seen.nanoseconds);
            let ratio = if std::ptr::eq(ours, seen) { String::new() } else { ratio };
            print(contender.name, self.amount, seen, &ratio, out)?;
        }
        out.flush()
    }

    fn measure(&mut self, plan: &Plan) -> Vec<Seen> {
        let sample = Duration::from_millis(plan.sample_ms);
        let mut seen: Vec<Seen> = self
            .contenders
            .iter_mut()
            .map(|contender| Seen {
                repetitions: calibrate(&mut contender.run, sample),
                nanoseconds: Vec::new(),
                allocations: allocations::of(&mut contender.run),
            })
            .collect();
        let mut progress = Progress::new(true);
        let rounds = plan.rounds.max(1);
        for round in 0..rounds {
            progress.tell(|| {
                Far::rounds(round, rounds, format!("{}: round {} of {rounds}", self.name, round + 1))
            });
            // There and back, so that nobody always follows the same one.
            let mut turns: Vec<_> = self.contenders.iter_mut().zip(&mut seen).collect();
            if round % 2 == 1 {
                turns.reverse();
            }
            for (contender, seen) in turns {
                let time = time(&mut contender.run, seen.repetitions);
                seen.nanoseconds.push(time.as_secs_f64() * 1e9 / f64::from(seen.repetitions));
            }
        }
        seen
    }
}

/// How often the work has to be done to take as long as a sample; doing it warms it up, too.
fn calibrate(work: &mut dyn FnMut(), sample: Duration) -> u32 {
    let mut repetitions = 1;
    loop {
        let taken = time(work, repetitions);
        if taken >= sample || repetitions > u32::MAX / 2 {
            return repetitions;
        }
        repetitions *= 2;
    }
}

fn time(work: &mut dyn FnMut(), repetitions: u32) -> Duration {
    let start = Instant::now();
    for _ in 0..repetitions {
        work();
    }
    start.elapsed()
}

/// The values at these parts of the way from the least to the greatest, in quarters.
pub(super) fn quartiles<const N: usize>(mut values: Vec<f64>, quarters: [usize; N]) -> [f64; N] {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    quarters.map(|quarter| values.get(last * quarter / 4).copied().unwrap_or(f64::NAN))
}

/// How much faster ours is than theirs: by the least that each took, and by the rounds in which they stood
/// beside each other, the middle half of them in brackets.
fn ratio(ours: &[f64], theirs: &[f64]) -> String {
    let [ours_least] = quartiles(ours.to_vec(), [0]);
    let [theirs_least] = quartiles(theirs.to_vec(), [0]);
    let at_best = theirs_least / ours_least;
    let ratios = ours.iter().zip(theirs).map(|(ours, theirs)| theirs / ours).collect();
    let [low, median, high] = quartiles(ratios, [1, 2, 3]);
    format!("ours is {median:.2} x as fast ({low:.2}-{high:.2}), at best {at_best:.2}")
}

fn print(name: &str, amount: Amount, seen: &Seen, ratio: &str, out: &mut impl Write) -> io::Result<()> {
    let [least, median, greatest] = quartiles(seen.nanoseconds.clone(), [0, 2, 4]);
    let spread = format!("{} {} {}", duration(least), duration(median), duration(greatest));
    let allocations = seen
        .allocations
        .map_or_else(String::new, |Allocations { count, bytes }| format!("{count} allocations of {bytes} B"));
    let line = format!("  {name:<26} {spread:<32} {:<16} {allocations:<32} {ratio}", rate(amount, median));
    writeln!(out, "{}", line.trim_end())
}

fn json_of(work: &str, contender: &str, amount: Amount, seen: &Seen) -> Value {
    let [least, median, greatest] = quartiles(seen.nanoseconds.clone(), [0, 2, 4]);
    let (bytes, records) = match amount {
        Amount::One => (None, None),
        Amount::Bytes(bytes) => (Some(bytes), None),
        Amount::Records(records) => (None, Some(records)),
    };
    json!({
        "work": work, "contender": contender, "bytes": bytes, "records": records,
        "nanoseconds": { "least": least, "median": median, "greatest": greatest },
        "allocations": seen.allocations.as_ref().map(|allocations| allocations.count),
    })
}

fn duration(nanoseconds: f64) -> String {
    match nanoseconds {
        short if short < 1e3 => format!("{short:7.1} ns"),
        middle if middle < 1e6 => format!("{:7.2} us", middle / 1e3),
        long => format!("{:7.2} ms", long / 1e6),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate for the eye")]
fn rate(amount: Amount, nanoseconds: f64) -> String {
    match amount {
        Amount::One => String::new(),
        Amount::Bytes(bytes) => format!("{:.0} MB/s", bytes as f64 * 1e3 / nanoseconds),
        Amount::Records(records) => format!("{:.1} M records/s", records as f64 * 1e3 / nanoseconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarters_lie_between_the_least_and_the_greatest() {
        assert_eq!(quartiles(vec![5.0, 1.0, 3.0, 2.0, 4.0], [0, 1, 2, 4]), [1.0, 2.0, 3.0, 5.0]);
    }

    #[test]
    fn every_contender_gets_a_line_and_others_are_left_out() {
        let plan = Plan { rounds: 2, sample_ms: 0, only: "crc".to_owned(), output: Output::Table };
        let mut out = Vec::new();
        for name in ["crc", "lz4"] {
            let comparison =
                Comparison::new(name, Amount::Bytes(1)).contender("ours", || ()).contender("theirs", || ());
            comparison.run(&plan, &mut out).unwrap();
        }
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.lines().last().unwrap().contains("ours is"), "{text}");
    }

    #[test]
    fn programs_get_a_line_for_each_contender() {
        let plan = Plan { rounds: 2, sample_ms: 0, only: String::new(), output: Output::Json };
        let mut out = Vec::new();
        Comparison::new("crc", Amount::Bytes(7)).contender("ours", || ()).run(&plan, &mut out).unwrap();
        let line: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(
            (&line["work"], &line["contender"], &line["bytes"]),
            (&json!("crc"), &json!("ours"), &json!(7))
        );
        assert!(line["nanoseconds"]["median"].is_number(), "{line}");
    }
}
