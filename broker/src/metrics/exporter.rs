//! Where the handles of the `metrics` facade come from, and what they have counted as Prometheus wants it.
//!
//! A recorder of our own, one to a node: what is recorded costs an atomic or two and no memory, whoever scrapes or
//! does not. The facade's usual exporter keeps each observation of a histogram until somebody comes for it, and
//! brings two dozen crates.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Label, Level, Metadata, Recorder, SharedString,
    Unit,
};

use super::text::{Kind, Text};

/// Where the buckets of durations end, in seconds.
const BOUNDS: [f64; 16] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    10.0,
];

const BUCKETS: usize = BOUNDS.len() + 1;

/// The same for every metric: nothing here goes by it.
const METADATA: Metadata<'static> = Metadata::new("strandline_broker", Level::INFO, None);

/// A histogram of durations. It takes the same memory however much it has seen. Its sum and the counts of short ones
/// lie side by side: whoever notes one needs one line of the processor's cache, which others may just have changed.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub(super) struct Buckets {
    /// The bits of a floating-point number.
    sum: AtomicU64,
    counts: [AtomicU64; BUCKETS],
}

/// The bucket of a duration.
pub(super) fn bucket_of(seconds: f64) -> usize {
    // All of them at once: that is fewer steps than to look where it turns, which nobody can foresee.
    BOUNDS.iter().filter(|bound| **bound < seconds).count()
}

impl HistogramFn for Buckets {
    fn record(&self, seconds: f64) {
        self.record_many(seconds, 1);
    }

    fn record_many(&self, seconds: f64, count: usize) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        if let Some(bucket) = self.counts.get(bucket_of(seconds)) {
            bucket.fetch_add(count.into(), Ordering::Relaxed);
        }
        let after = |sum| Some((f64::from_bits(sum) + seconds * f64::from(count)).to_bits());
        // It gives up for none.
        let _ = self.sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, after);
    }
}

impl Buckets {
    fn write(&self, text: &mut Text, name: &str, labels: &str) {
        let counts = self.counts.each_ref().map(|count| count.load(Ordering::Relaxed));
        let total: u64 = counts.iter().sum();
        if total > 0 {
            text.histogram(name, labels, &BOUNDS, &counts, f64::from_bits(self.sum.load(Ordering::Relaxed)));
        }
    }
}

#[derive(Debug)]
enum Series {
    Number(Arc<AtomicU64>),
    Buckets(Arc<Buckets>),
}

/// Metrics of one name. By their labels, as they are written.
#[derive(Debug)]
struct Family {
    kind: Kind,
    help: SharedString,
    series: BTreeMap<String, Series>,
}

/// The recorder of a node.
#[derive(Default)]
pub(super) struct Exporter {
    families: Mutex<BTreeMap<String, Family>>,
}

impl fmt::Debug for Exporter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Exporter of {} metrics", self.families().len())
    }
}

impl Exporter {
    fn families(&self) -> MutexGuard<'_, BTreeMap<String, Family>> {
        self.families.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn describe(&self, kind: Kind, key: &KeyName, help: SharedString) {
        let mut families = self.families();
        let family = families.entry(key.as_str().to_owned());
        family
            .or_insert_with(|| Family { kind, help: SharedString::const_str(""), series: BTreeMap::new() })
            .help = help;
    }

    /// The series with this key, made if it is not there; none where it is there as something else.
    fn series<T>(
        &self,
        kind: Kind,
        key: &Key,
        make: impl FnOnce() -> Series,
        take: impl FnOnce(&Series) -> Option<Arc<T>>,
    ) -> Option<Arc<T>> {
        let mut families = self.families();
        let help = SharedString::const_str("");
        let family = families.entry(key.name().to_owned());
        let family = family.or_insert_with(|| Family { kind, help, series: BTreeMap::new() });
        take(family.series.entry(labels(key)).or_insert_with(make))
    }

    fn number(&self, kind: Kind, key: &Key) -> Option<Arc<AtomicU64>> {
        let take = |series: &Series| match series {
            Series::Number(number) => Some(Arc::clone(number)),
            Series::Buckets(_) => None,
        };
        self.series(kind, key, || Series::Number(Arc::default()), take)
    }

    /// What counts events, by a name that ends in `_total`, and what it says for people.
    pub(super) fn counter(
        &self,
        name: &'static str,
        labels: &[(&'static str, &'static str)],
        help: &'static str,
    ) -> Counter {
        self.describe_counter(KeyName::from_const_str(name), None, SharedString::const_str(help));
        self.register_counter(&key(name, labels), &METADATA)
    }

    /// What counts how long things take, by a name that ends in `_seconds`.
    pub(super) fn histogram(
        &self,
        name: &'static str,
        labels: &[(&'static str, &'static str)],
        help: &'static str,
    ) -> Histogram {
        self.describe_histogram(
            KeyName::from_const_str(name),
            Some(Unit::Seconds),
            SharedString::const_str(help),
        );
        self.register_histogram(&key(name, labels), &METADATA)
    }

    /// Everything that was recorded, in the order of the names.
    pub(super) fn write(&self, text: &mut Text) {
        for (name, family) in &*self.families() {
            let is_empty = |series: &Series| match series {
                Series::Number(_) => false,
                Series::Buckets(buckets) => {
                    buckets.counts.iter().all(|count| count.load(Ordering::Relaxed) == 0)
                }
            };
            if family.series.values().all(is_empty) {
                continue;
            }
            text.family(name, family.kind, &family.help);
            for (labels, series) in &family.series {
                match series {
                    Series::Number(number) => text.sample(name, labels, number.load(Ordering::Relaxed)),
                    Series::Buckets(buckets) => buckets.write(text, name, labels),
                }
            }
        }
    }
}

fn key(name: &'static str, labels: &[(&'static str, &'static str)]) -> Key {
    let labels: Vec<_> = labels.iter().map(|(name, value)| Label::from_static_parts(name, value)).collect();
    Key::from_parts(name, labels)
}

/// The labels between braces; nothing if there are none.
fn labels(key: &Key) -> String {
    let mut text = String::new();
    for label in key.labels() {
        super::text::push_label(&mut text, label.key(), label.value());
    }
    super::text::close_labels(&mut text);
    text
}

impl Recorder for Exporter {
    fn describe_counter(&self, key: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe(Kind::Counter, &key, help);
    }

    fn describe_gauge(&self, key: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe(Kind::Gauge, &key, help);
    }

    fn describe_histogram(&self, key: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe(Kind::Histogram, &key, help);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.number(Kind::Counter, key).map_or_else(Counter::noop, Counter::from_arc)
    }

    /// What goes up and down is read when somebody asks, from where it is: nothing here is set by the way.
    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        let take = |series: &Series| match series {
            Series::Buckets(buckets) => Some(Arc::clone(buckets)),
            Series::Number(_) => None,
        };
        let buckets = self.series(Kind::Histogram, key, || Series::Buckets(Arc::default()), take);
        buckets.map_or_else(Histogram::noop, Histogram::from_arc)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_was_recorded_is_written_once_with_its_text() {
        let exporter = Exporter::default();
        let (one, same) = (
            exporter.counter("a_total", &[("kind", "b")], "Things."),
            exporter.counter("a_total", &[("kind", "b")], "Things."),
        );
        one.increment(2);
        same.increment(3);
        let silent = exporter.histogram("never_seconds", &[], "Nothing.");
        let waits = exporter.histogram("wait_seconds", &[], "Waits.");
        for seconds in [0.000_05, 0.000_06, 60.0] {
            waits.record(Duration::from_secs_f64(seconds));
        }
        drop(silent);
        let mut text = Text::default();
        exporter.write(&mut text);
        let text = text.into_string();
        assert!(
            text.starts_with("# HELP a_total Things.\n# TYPE a_total counter\na_total{kind=\"b\"} 5\n"),
            "{text}"
        );
        for line in [
            "# TYPE wait_seconds histogram",
            "wait_seconds_bucket{le=\"0.00005\"} 1",
            "wait_seconds_bucket{le=\"0.0001\"} 2",
            "wait_seconds_bucket{le=\"10\"} 2",
            "wait_seconds_bucket{le=\"+Inf\"} 3",
            "wait_seconds_count 3",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in:\n{text}");
        }
        assert!(!text.contains("never"), "{text}");
    }
}
