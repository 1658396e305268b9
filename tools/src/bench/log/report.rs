//! The table: what was measured, what the limit is, what was seen, and whether that is within it.

use std::fmt;
use std::io::{self, Write};

use serde_json::{Value, json};

use crate::bench::measure::quartiles;
use crate::cluster::Output;

/// The least, the middle and the greatest of what was measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    least: f64,
    pub(super) median: f64,
    greatest: f64,
}

impl Spread {
    pub(super) fn of(values: &[f64]) -> Self {
        let [least, median, greatest] = quartiles(values.to_vec(), [0, 2, 4]);
        Self { least, median, greatest }
    }

    /// Of the pairs that stood beside each other, the first as a part of the second, in percent.
    pub(super) fn of_ratios(values: &[f64], others: &[f64]) -> Self {
        let ratios: Vec<f64> =
            values.iter().zip(others).map(|(value, other)| 100.0 * value / other).collect();
        Self::of(&ratios)
    }

    fn json(self) -> Value {
        json!({ "least": self.least, "median": self.median, "greatest": self.greatest })
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { least, median, greatest } = *self;
        let decimals = match median.abs() {
            small if small < 1.0 => 3,
            small if small < 10.0 => 2,
            middle if middle < 100.0 => 1,
            _ => 0,
        };
        if least.total_cmp(&greatest).is_eq() {
            write!(formatter, "{median:.decimals$}")
        } else {
            write!(formatter, "{least:.decimals$} / {median:.decimals$} / {greatest:.decimals$}")
        }
    }
}

/// What the middle of what was seen is held against.
#[derive(Clone, Copy, Debug)]
pub(super) enum Limit {
    /// There is none: it is what others are held against.
    Floor,
    AtLeast(f64),
    AtMost(f64),
}

impl Limit {
    fn is_met(self, seen: f64) -> Option<bool> {
        match self {
            Self::Floor => None,
            Self::AtLeast(limit) => Some(seen >= limit),
            Self::AtMost(limit) => Some(seen <= limit),
        }
    }

    fn json(self) -> Value {
        match self {
            Self::Floor => Value::Null,
            Self::AtLeast(limit) => json!({ "atLeast": limit }),
            Self::AtMost(limit) => json!({ "atMost": limit }),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Floor => Ok(()),
            Self::AtLeast(limit) => write!(formatter, "≥ {}", Spread::of(&[*limit])),
            Self::AtMost(limit) => write!(formatter, "≤ {}", Spread::of(&[*limit])),
        }
    }
}

/// Where the table goes; for programs each of its rows is a line of JSON.
pub(super) struct Report<'a> {
    out: &'a mut dyn Write,
    output: Output,
    section: String,
}

impl<'a> Report<'a> {
    pub(super) fn new(out: &'a mut dyn Write, output: Output) -> Self {
        Self { out, output, section: String::new() }
    }

    /// Something about the whole of it.
    pub(super) fn head(&mut self, name: &str, text: &str) -> io::Result<()> {
        match self.output {
            Output::Table => writeln!(self.out, "{text}"),
            Output::Json => writeln!(self.out, "{}", json!({ name: text })),
        }
    }

    pub(super) fn begin_section(&mut self, name: &str) -> io::Result<()> {
        name.clone_into(&mut self.section);
        if self.output == Output::Json {
            return Ok(());
        }
        writeln!(self.out, "\n### {name}\n")?;
        writeln!(self.out, "| what | unit | limit | seen | beside it in the same run | met |")?;
        writeln!(self.out, "| --- | --- | --- | --- | --- | --- |")?;
        self.out.flush()
    }

    /// A line of the table; `beside` is what the limit follows from, or what helps to read the figure.
    pub(super) fn row(
        &mut self,
        what: &str,
        unit: &str,
        limit: Limit,
        seen: Spread,
        beside: &str,
    ) -> io::Result<()> {
        let met = limit.is_met(seen.median);
        if self.output == Output::Json {
            let row = json!({
                "section": self.section, "what": what, "unit": unit, "limit": limit.json(), "seen": seen.json(),
                "beside": beside, "met": met,
            });
            writeln!(self.out, "{row}")?;
            return self.out.flush();
        }
        let met = match met {
            None => "",
            Some(true) => "yes",
            Some(false) => "**no**",
        };
        writeln!(self.out, "| {what} | {unit} | {limit} | {seen} | {beside} | {met} |")?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::{Limit, Output, Report, Spread};

    fn row(limit: Limit, seen: &[f64]) -> String {
        let mut out = Vec::new();
        Report::new(&mut out, Output::Table).row("speed", "MB/s", limit, Spread::of(seen), "wall 9").unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_median_is_held_against_the_limit() {
        let seen = [70.0, 10.0, 300.0];
        assert_eq!(
            row(Limit::AtLeast(70.0), &seen),
            "| speed | MB/s | ≥ 70.0 | 10.0 / 70.0 / 300.0 | wall 9 | yes |\n"
        );
        assert!(row(Limit::AtLeast(70.5), &seen).contains("**no**"));
        assert!(row(Limit::AtMost(69.0), &seen).contains("**no**"));
        assert!(row(Limit::AtMost(70.0), &seen).contains("yes"));
        assert_eq!(row(Limit::Floor, &[0.25]), "| speed | MB/s |  | 0.250 | wall 9 |  |\n");
    }

    #[test]
    fn programs_get_a_line_for_each_row() {
        let mut out = Vec::new();
        let mut report = Report::new(&mut out, Output::Json);
        report.head("machine", "2 x something").unwrap();
        report.begin_section("floors").unwrap();
        report.row("speed", "MB/s", Limit::AtLeast(2.0), Spread::of(&[3.0]), "wall 9").unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let [head, row] = lines.as_slice() else { panic!("{text}") };
        assert_eq!(head["machine"], "2 x something");
        assert_eq!((&row["section"], &row["limit"]["atLeast"]), (&"floors".into(), &2.0.into()));
        assert_eq!((&row["seen"]["median"], &row["met"]), (&3.0.into(), &true.into()));
    }

    #[test]
    fn ratios_are_of_those_that_stood_beside_each_other() {
        let ratios = Spread::of_ratios(&[1.0, 30.0, 6.0], &[2.0, 40.0, 6.0]);
        assert_eq!(ratios.to_string(), "50.0 / 75.0 / 100.0");
    }
}
