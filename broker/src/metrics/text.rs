//! The text format of Prometheus, made for ten thousands of lines at a time.

use std::fmt::Write;
use std::thread;
use std::time::{Duration, Instant};

/// After so many steps others are let through: that is well below 100 microseconds.
const TURN_STEPS: u32 = 512;

/// So much time is given to others, and no more: where all processors are busy each turn takes long, and whoever asked
/// is waiting.
const GIVEN_MAX: Duration = Duration::from_millis(100);

/// Gives the processor up now and then in the course of something long.
///
/// The kernel lets a thread that has begun run on for more than a millisecond before somebody who wakes up on its
/// processor comes to his turn, and that may be the writer of the log with a producer's batch.
#[derive(Debug, Default)]
pub(super) struct Turns {
    steps: u32,
    given: Duration,
}

impl Turns {
    /// One of many short steps was done.
    pub(super) fn step(&mut self) {
        if self.is_over() {
            let begin = Instant::now();
            // Nobody waiting, it goes on at once.
            thread::yield_now();
            self.given += begin.elapsed();
        }
    }

    fn is_over(&mut self) -> bool {
        self.steps = (self.steps + 1) % TURN_STEPS;
        self.steps == 0 && self.given < GIVEN_MAX
    }
}

/// What a metric is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// It counts by size.
    Histogram,
}

/// Metrics as text, at the cost of nobody else's time.
#[derive(Debug, Default)]
pub(super) struct Text {
    text: String,
    turns: Turns,
}

impl Text {
    /// Room for so many bytes.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), turns: Turns::default() }
    }

    pub(super) fn into_string(self) -> String {
        self.text
    }

    /// What the lines that follow are.
    pub(super) fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        for part in ["# HELP ", name, " ", help, "\n# TYPE ", name, " ", kind, "\n"] {
            self.text.push_str(part);
        }
    }

    /// A number. The labels stand between braces, if there are any.
    pub(super) fn sample(&mut self, name: &str, labels: &str, value: impl Into<i128>) {
        self.text.push_str(name);
        self.text.push_str(labels);
        self.text.push(' ');
        push_number(&mut self.text, value.into());
        self.text.push('\n');
        self.turns.step();
    }

    /// A number with a fraction.
    pub(super) fn fraction(&mut self, name: &str, labels: &str, value: f64) {
        // Writing to memory does not fail.
        let _ = writeln!(self.text, "{name}{labels} {value}");
    }

    /// One metric with one number.
    pub(super) fn level(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, Kind::Gauge, help);
        self.sample(name, "", value);
    }

    /// The same for what only grows.
    pub(super) fn count(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, Kind::Counter, help);
        self.sample(name, "", value);
    }

    /// Several of those, told apart by a label.
    pub(super) fn counts(&mut self, name: &str, help: &str, label: &str, values: &[(&str, u64)]) {
        self.several(Kind::Counter, name, help, label, values);
    }

    /// The same for what goes up and down.
    pub(super) fn levels(&mut self, name: &str, help: &str, label: &str, values: &[(&str, u64)]) {
        self.several(Kind::Gauge, name, help, label, values);
    }

    fn several(&mut self, kind: Kind, name: &str, help: &str, label: &str, values: &[(&str, u64)]) {
        self.family(name, kind, help);
        for (value, number) in values {
            let mut labels = String::new();
            push_label(&mut labels, label, value);
            close_labels(&mut labels);
            self.sample(name, &labels, *number);
        }
    }

    /// Counts by size: `counts` has one more than there are bounds.
    pub(super) fn histogram(&mut self, name: &str, labels: &str, bounds: &[f64], counts: &[u64], sum: f64) {
        let inside = labels.trim_start_matches('{').trim_end_matches('}');
        let comma = if inside.is_empty() { "" } else { "," };
        let mut total = 0;
        for (place, count) in counts.iter().enumerate() {
            total += count;
            // Writing to memory does not fail.
            let _ = match bounds.get(place) {
                Some(bound) => writeln!(self.text, "{name}_bucket{{{inside}{comma}le=\"{bound}\"}} {total}"),
                None => writeln!(self.text, "{name}_bucket{{{inside}{comma}le=\"+Inf\"}} {total}"),
            };
        }
        let _ = writeln!(self.text, "{name}_sum{labels} {sum}\n{name}_count{labels} {total}");
    }
}

/// Adds a label to those that are there.
pub(super) fn push_label(labels: &mut String, name: &str, value: &str) {
    labels.push(if labels.is_empty() { '{' } else { ',' });
    labels.push_str(name);
    labels.push_str("=\"");
    for character in value.chars() {
        match character {
            '\\' => labels.push_str("\\\\"),
            '"' => labels.push_str("\\\""),
            '\n' => labels.push_str("\\n"),
            other => labels.push(other),
        }
    }
    labels.push('"');
}

/// No more labels follow.
pub(super) fn close_labels(labels: &mut String) {
    if !labels.is_empty() {
        labels.push('}');
    }
}

/// The number's digits, without the machinery of formatting: most of a large scrape is numbers.
pub(super) fn push_number(text: &mut String, number: i128) {
    let Ok(mut rest) = u64::try_from(number.unsigned_abs()) else {
        let _ = write!(text, "{number}");
        return;
    };
    if number < 0 {
        text.push('-');
    }
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    for (place, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        first = place;
        if rest == 0 {
            break;
        }
    }
    // Digits are text.
    text.push_str(digits.get(first..).and_then(|digits| str::from_utf8(digits).ok()).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_they_are() {
        for number in [0, 7, -1, 10, 123_456, u64::MAX.into(), i64::MIN.into(), i128::MAX] {
            let mut text = String::new();
            push_number(&mut text, number);
            assert_eq!(text, number.to_string());
        }
    }

    #[test]
    fn others_are_let_through_now_and_then() {
        let mut turns = Turns::default();
        let over: Vec<_> = (1..=3 * TURN_STEPS).filter(|_| turns.is_over()).collect();
        assert_eq!(over, [TURN_STEPS, 2 * TURN_STEPS, 3 * TURN_STEPS]);
        // But not for ever.
        turns.given = GIVEN_MAX;
        assert!((0..TURN_STEPS).all(|_| !turns.is_over()));
    }

    #[test]
    fn values_of_labels_cannot_break_out() {
        let mut labels = String::new();
        push_label(&mut labels, "a", "x\"} 1\n\\");
        push_label(&mut labels, "b", "");
        close_labels(&mut labels);
        assert_eq!(labels, r#"{a="x\"} 1\n\\",b=""}"#);
    }
}
