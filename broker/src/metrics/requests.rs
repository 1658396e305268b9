//! What is counted of requests: how long each stage took, and what was refused.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use metrics::{Counter, Histogram};
use strandline_protocol::ErrorCode;
use strandline_protocol::apis::ApiKey;

use super::exporter::Exporter;
use crate::api::SERVED;

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

    pub(super) fn total(&self, api: ApiKey, took: Duration) {
        self.api(api).into_iter().for_each(|api| api.total.record(took));
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
}
