//! What was measured, for people and for programs. The names in JSON are kept.

use std::io::{self, Write};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::histogram::Histogram;
use crate::cluster::Output;
use crate::table::Table;

/// A megabyte, as in every figure here.
pub(super) const MEGABYTE: f64 = 1e6;
pub(super) const GIGABYTE: f64 = 1e9;

/// Lines of a table, each with its name in JSON.
pub(super) struct Report {
    lines: Vec<(String, String)>,
    json: Map<String, Value>,
}

impl Report {
    pub(super) fn new(bench: &str) -> Self {
        let mut json = Map::new();
        json.insert("bench".to_owned(), json!(bench));
        Self { lines: Vec::new(), json }
    }

    /// A number with as many digits behind the point as the eye wants; programs get all of them.
    pub(super) fn number(&mut self, name: &str, label: &str, value: f64, digits: usize) {
        self.lines.push((label.to_owned(), format!("{value:.digits$}")));
        self.json.insert(name.to_owned(), json!(value));
    }

    pub(super) fn count(&mut self, name: &str, label: &str, value: u64) {
        self.lines.push((label.to_owned(), value.to_string()));
        self.json.insert(name.to_owned(), json!(value));
    }

    pub(super) fn text(&mut self, name: &str, label: &str, value: &str) {
        self.lines.push((label.to_owned(), value.to_owned()));
        self.json.insert(name.to_owned(), json!(value));
    }

    /// The quantiles, if there is anything to have any of.
    pub(super) fn histogram(&mut self, name: &str, label: &str, histogram: &Histogram) {
        if histogram.count() == 0 {
            return;
        }
        let all = [
            ("mean", "mean", histogram.mean()),
            ("p50", "p50", histogram.quantile(500)),
            ("p90", "p90", histogram.quantile(900)),
            ("p99", "p99", histogram.quantile(990)),
            ("p999", "p99.9", histogram.quantile(999)),
            ("max", "max", histogram.max()),
        ];
        let mut json = Map::new();
        json.insert("count".to_owned(), json!(histogram.count()));
        for (name, short, duration) in all {
            self.lines.push((format!("{label} {short} ms"), format!("{:.3}", milliseconds(duration))));
            json.insert(name.to_owned(), json!(milliseconds(duration)));
        }
        self.json.insert(name.to_owned(), Value::Object(json));
    }

    pub(super) fn print(&self, output: Output, out: &mut impl Write) -> io::Result<()> {
        if output == Output::Json {
            return writeln!(out, "{:#}", Value::Object(self.json.clone()));
        }
        let bench = self.json.get("bench").and_then(Value::as_str).unwrap_or_default();
        let mut table = Table::new(&[bench, ""]);
        for (label, value) in &self.lines {
            table.row([label.clone(), value.clone()]);
        }
        table.print(out)
    }
}

pub(super) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// A count as a number to reckon with; figures of this size are not exact to the last one.
pub(super) const fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_printing_say_the_same() {
        let mut report = Report::new("produce");
        report.count("records", "records", 7);
        report.number("megabytesPerSecond", "MB/s", 1.0 / 3.0, 1);
        let mut histogram = Histogram::new();
        report.histogram("nothingMs", "nothing", &histogram);
        histogram.add(Duration::from_millis(2), 1);
        report.histogram("ackLatencyMs", "ack", &histogram);
        let printed = |output| {
            let mut out = Vec::new();
            report.print(output, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let text = printed(Output::Table);
        assert!(text.starts_with("produce"), "{text}");
        assert!(text.contains("MB/s") && text.contains("0.3\n") && text.contains("ack p99.9 ms"), "{text}");
        let json: Value = serde_json::from_str(&printed(Output::Json)).unwrap();
        assert_eq!((&json["bench"], &json["records"]), (&json!("produce"), &json!(7)));
        assert_eq!(json["ackLatencyMs"]["p999"], json!(2.0));
        assert!(json.get("nothingMs").is_none());
    }
}
