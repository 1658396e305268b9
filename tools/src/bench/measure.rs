//! Measures pieces of work that take turns, so that what disturbs the machine disturbs all of them alike.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use super::Plan;
use super::allocations::{self, Allocations};

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
        let mut seen = Vec::new();
        let mut repetitions = Vec::new();
        for contender in &mut self.contenders {
            repetitions.push(calibrate(&mut contender.run, sample));
            let allocations = allocations::of(&mut contender.run);
            seen.push(Seen { nanoseconds: Vec::new(), allocations });
        }
        for _ in 0..plan.rounds.max(1) {
            for ((contender, seen), &repetitions) in
                self.contenders.iter_mut().zip(&mut seen).zip(&repetitions)
            {
                let time = time(&mut contender.run, repetitions);
                seen.nanoseconds.push(time.as_secs_f64() * 1e9 / f64::from(repetitions));
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

/// The least, the one in the middle, the greatest.
fn spread(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    (at(0), at(values.len() / 2), at(values.len().saturating_sub(1)))
}

/// How much faster ours is than theirs: by the least that each took, which is what a busy machine disturbs
/// the least, and by the rounds in which they stood beside each other.
fn ratio(ours: &[f64], theirs: &[f64]) -> String {
    let (ours_least, ..) = spread(ours.to_vec());
    let (theirs_least, ..) = spread(theirs.to_vec());
    let at_best = theirs_least / ours_least;
    let (least, median, greatest) =
        spread(ours.iter().zip(theirs).map(|(ours, theirs)| theirs / ours).collect());
    format!("ours is {at_best:.2} x as fast at best; by rounds {median:.2} ({least:.2}-{greatest:.2})")
}

fn print(name: &str, amount: Amount, seen: &Seen, ratio: &str, out: &mut impl Write) -> io::Result<()> {
    let (least, median, greatest) = spread(seen.nanoseconds.clone());
    let spread = format!("{} {} {}", duration(least), duration(median), duration(greatest));
    let allocations = seen
        .allocations
        .map_or_else(String::new, |Allocations { count, bytes }| format!("{count} allocations of {bytes} B"));
    let line = format!("  {name:<26} {spread:<32} {:<16} {allocations:<32} {ratio}", rate(amount, median));
    writeln!(out, "{}", line.trim_end())
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
    fn the_median_lies_between_the_others() {
        assert_eq!(spread(vec![3.0, 1.0, 2.0]), (1.0, 2.0, 3.0));
    }

    #[test]
    fn every_contender_gets_a_line_and_others_are_left_out() {
        let plan = Plan { rounds: 2, sample_ms: 0, only: "crc".to_owned() };
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
}
