//! What somebody has used up, and how long they have to wait for it: charged first, throttled after, as Kafka does.

use std::fmt;
use std::time::Duration;

use crate::context::Call;

/// What an answer costs.
#[derive(Clone, Copy, Debug)]
pub struct Charge {
    /// The bytes of the request.
    pub request_bytes: usize,
    /// The bytes of the answer.
    pub response_bytes: usize,
    /// How long the request was worked on.
    pub worked: Duration,
}

/// Keeps account of what clients use.
pub trait Quotas: Send + Sync + fmt::Debug {
    /// Takes note of what an answer costs, and says for how long its connection is to be silent.
    fn charge(&self, call: &Call, charge: Charge) -> Duration;

    /// How many bytes an answer to a fetch may have now.
    fn fetch_bytes_max(&self, call: &Call, wanted_bytes: u64) -> u64;
}

/// Nobody is limited.
#[derive(Debug)]
pub struct Unlimited;

impl Quotas for Unlimited {
    fn charge(&self, _: &Call, _: Charge) -> Duration {
        Duration::ZERO
    }

    fn fetch_bytes_max(&self, _: &Call, wanted_bytes: u64) -> u64 {
        wanted_bytes
    }
}
