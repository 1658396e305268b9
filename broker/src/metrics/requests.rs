//! What is counted of requests: how long each stage took, and what was refused.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use metrics::{Counter, Histogram};
use strandline_protocol::ErrorCode;
use strandline_protocol::apis::ApiKey;

use super::exporter::{Exporter, bucket_of};
use crate::api::{Append, SERVED};
use crate::net::Times;

/// A part of the time between a request's first byte and its answer's last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// From the first byte that was read to the last.
    Read,
    /// Until the log's writer took it: decoding and checking, and waiting for the writer.
    Queue,
    /// Until it was durable.
    Sync,
    /// Waiting for others: for records that were not there yet.
    Wait,
    /// From when the answer was there until its last byte went.
    Write,
}

impl Stage {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Read, "read"),
        (Self::Queue, "queue"),
        (Self::Sync, "sync"),
        (Self::Wait, "wait"),
        (Self::Write, "write"),
    ];
}

/// So many codes, from -1 on, have a counter of their own; those beyond share the last one.
const CODES: usize = 160;

/// So many times are noted of an answer.
const TIMES: usize = 5;

/// The handles of one API.
#[derive(Debug)]
struct Api {
    name: &'static str,
    total: Histogram,
    stages: [Histogram; Stage::ALL.len()],
    /// Made when there is something to count.
    errors: Vec<OnceLock<Counter>>,
}

/// What is counted of requests, for each API that is served.
#[derive(Debug)]
pub(super) struct Requests {
    exporter: Arc<Exporter>,
    apis: Vec<Option<Api>>,
}

impl Requests {
    pub(super) fn new(exporter: &Arc<Exporter>) -> Self {
        let places = SERVED.iter().filter_map(|served| place(served.key)).max().map_or(0, |last| last + 1);
        let mut apis: Vec<_> = std::iter::repeat_with(|| None).take(places).collect();
        for served in SERVED {
            let api = place(served.key).and_then(|place| apis.get_mut(place));
            api.into_iter().for_each(|api| *api = Some(Api::new(exporter, served.key)));
        }
        Self { exporter: Arc::clone(exporter), apis }
    }

    fn api(&self, api: ApiKey) -> Option<&Api> {
        self.apis.get(place(api)?)?.as_ref()
    }

    pub(super) fn stage(&self, api: ApiKey, stage: Stage, took: Duration) {
        let place = Stage::ALL.iter().position(|(other, _)| *other == stage).unwrap_or(0);
        let histogram = self.api(api).and_then(|api| api.stages.get(place));
        histogram.into_iter().for_each(|histogram| histogram.record(took));
    }

    pub(super) fn appended(&self, api: ApiKey, append: Append) {
        self.stage(api, Stage::Queue, append.queue);
        self.stage(api, Stage::Sync, append.sync);
    }

    pub(super) fn answered(&self, together: &mut Together, api: ApiKey, times: &Times) {
        if together.api.is_some_and(|other| other != api) {
            self.answered_all(std::mem::take(together));
        }
        together.api = Some(api);
        let Some(histograms) = self.api(api).map(Api::histograms) else { return };
        let append = times.append;
        let took = [
            Some(times.read),
            append.map(|append| append.queue),
            append.map(|append| append.sync),
            Some(times.write),
            Some(times.total),
        ];
        for ((run, histogram), took) in together.runs.iter_mut().zip(histograms).zip(took) {
            took.into_iter().for_each(|took| run.add(took, histogram));
        }
    }

    pub(super) fn answered_all(&self, mut together: Together) {
        let Some(api) = together.api.and_then(|api| self.api(api)) else { return };
        together.runs.iter_mut().zip(api.histograms()).for_each(|(run, histogram)| run.end(histogram));
    }

    pub(super) fn refused(&self, api: ApiKey, code: ErrorCode) {
        let Some(api) = self.api(api) else { return };
        let place = usize::try_from(i32::from(code.0) + 1).unwrap_or(CODES).min(CODES - 1);
        let Some(counter) = api.errors.get(place) else { return };
        let make = || {
            let labels = [("api", api.name), ("error", code.name().unwrap_or("OTHER"))];
            let help = "Refusals in answers to requests, one for each partition or topic that was refused.";
            self.exporter.counter("strandline_request_errors_total", &labels, help)
        };
        counter.get_or_init(make).increment(1);
    }
}

/// What is counted of answers that are sent together. What all share is touched once for those of one API whose times are
/// much the same, and not for each.
#[derive(Debug, Default)]
pub struct Together {
    api: Option<ApiKey>,
    runs: [Run; TIMES],
}

/// Times that fall into one bucket, one after the other.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    count: u32,
    sum: Duration,
    /// The shortest and the longest of them: what is between these need not look for its bucket.
    shortest: Duration,
    longest: Duration,
}

impl Run {
    fn add(&mut self, took: Duration, histogram: &Histogram) {
        if self.count == 0 {
            (self.shortest, self.longest) = (took, took);
        } else if took < self.shortest || took > self.longest {
            if bucket_of(took.as_secs_f64()) != bucket_of(self.shortest.as_secs_f64()) {
                self.end(histogram);
                return self.add(took, histogram);
            }
            (self.shortest, self.longest) = (self.shortest.min(took), self.longest.max(took));
        }
        self.count += 1;
        self.sum = self.sum.saturating_add(took);
    }

    fn end(&mut self, histogram: &Histogram) {
        let Self { count, sum, .. } = std::mem::take(self);
        if count > 0 {
            // The mean is in their bucket.
            let mean = sum.as_secs_f64() / f64::from(count);
            histogram.record_many(mean, usize::try_from(count).unwrap_or(usize::MAX));
        }
    }
}

fn place(api: ApiKey) -> Option<usize> {
    usize::try_from(i16::from(api)).ok()
}

impl Api {
    fn new(exporter: &Exporter, key: ApiKey) -> Self {
        let name = key.api().name;
        let help = "From a request's first byte to its answer's last.";
        let total = exporter.histogram("strandline_request_duration_seconds", &[("api", name)], help);
        let stage = |(_, stage)| {
            let help = "How long requests were in each stage: read, queue (until the log's writer took it), sync \
                        (until it was durable), wait (for records that were not there yet), write.";
            let labels = [("api", name), ("stage", stage)];
            exporter.histogram("strandline_request_stage_duration_seconds", &labels, help)
        };
        let errors = std::iter::repeat_with(OnceLock::new).take(CODES).collect();
        Self { name, total, stages: Stage::ALL.map(stage), errors }
    }

    /// Those of the times of an answer: read, queue, sync, write, total.
    const fn histograms(&self) -> [&Histogram; TIMES] {
        let [read, queue, sync, _, write] = &self.stages;
        [read, queue, sync, write, &self.total]
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::Text;
    use super::*;

    #[test]
    fn what_is_sent_together_counts_each_by_itself() {
        let exporter = Arc::<Exporter>::default();
        let requests = Requests::new(&exporter);
        let mut together = Together::default();
        let append = Append { queue: Duration::from_micros(70), sync: Duration::from_micros(700) };
        for (api, total_ms, append) in [
            (ApiKey::Produce, 1, Some(append)),
            (ApiKey::Produce, 1, Some(append)),
            (ApiKey::Produce, 30, None),
            (ApiKey::Produce, 40, None),
            (ApiKey::Fetch, 2, None),
            (ApiKey::Produce, 1, Some(append)),
        ] {
            let times = Times { append, total: Duration::from_millis(total_ms), ..Times::default() };
            requests.answered(&mut together, api, &times);
        }
        requests.answered_all(together);
        let mut text = Text::default();
        exporter.write(&mut text);
        let text = text.into_string();
        for line in [
            "duration_seconds_bucket{api=\"Produce\",le=\"0.0005\"} 0",
            "duration_seconds_bucket{api=\"Produce\",le=\"0.001\"} 3",
            "duration_seconds_bucket{api=\"Produce\",le=\"0.025\"} 3",
            "duration_seconds_bucket{api=\"Produce\",le=\"0.05\"} 5",
            "duration_seconds_count{api=\"Produce\"} 5",
            "duration_seconds_count{api=\"Fetch\"} 1",
            "stage_duration_seconds_count{api=\"Produce\",stage=\"read\"} 5",
            "stage_duration_seconds_count{api=\"Produce\",stage=\"write\"} 5",
            "stage_duration_seconds_bucket{api=\"Produce\",stage=\"queue\",le=\"0.0001\"} 3",
            "stage_duration_seconds_bucket{api=\"Produce\",stage=\"sync\",le=\"0.0005\"} 0",
            "stage_duration_seconds_count{api=\"Produce\",stage=\"sync\"} 3",
            "stage_duration_seconds_count{api=\"Fetch\",stage=\"read\"} 1",
        ] {
            let line = format!("strandline_request_{line}");
            assert!(text.lines().any(|found| found == line), "{line} is not in:\n{text}");
        }
        let sum = "strandline_request_duration_seconds_sum{api=\"Produce\"} ";
        let sum: f64 = text.lines().find_map(|line| line.strip_prefix(sum)).unwrap().parse().unwrap();
        assert!((sum - 0.073).abs() < 1e-9, "{sum}");
        assert!(!text.contains("api=\"Fetch\",stage=\"sync\""), "what is not appended is not synced");
    }
}
