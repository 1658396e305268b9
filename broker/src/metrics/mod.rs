//! Every metric: its name and its text stand here and nowhere else, one function or one line of a table each, so that
//! call sites know nothing of the format.
//!
//! What happens is counted where it happens, through handles of the `metrics` facade that are made once; what goes up
//! and down is read from its owner when somebody asks. Whoever scrapes holds nobody up: no lock is held for longer
//! than it takes to read a few numbers. The engine knows nothing of this: it is watched.

mod coordinators;
mod engine;
mod exporter;
mod groups;
mod handles;
mod network;
mod process;
mod requests;
mod scrape;
mod text;
mod topics;

use std::sync::Arc;
use std::time::Duration;

use strandline_log::engine::Event;
use strandline_protocol::ErrorCode;
use strandline_protocol::apis::ApiKey;

pub use self::coordinators::{Fate, Verification};
pub use self::requests::{Stage, Together};
pub use self::scrape::Scraped;
pub use self::topics::{TopicTallies, TopicTally};

use self::coordinators::Coordinators;
use self::engine::Engine;
use self::exporter::Exporter;
use self::requests::Requests;
use self::text::Text;
use crate::api::Append;
use crate::net::Times;

/// Whether what is done for requests is timed and counted, which it always is but where the cost of that is measured.
pub(crate) const IS_MEASURED: bool = !cfg!(feature = "unmeasured");

/// What a node counts.
#[derive(Debug)]
pub struct Metrics {
    exporter: Arc<Exporter>,
    requests: Requests,
    engine: Engine,
    coordinators: Coordinators,
    topics: Arc<TopicTallies>,
}

impl Default for Metrics {
    fn default() -> Self {
        let exporter = Arc::<Exporter>::default();
        Self {
            requests: Requests::new(&exporter),
            engine: Engine::new(&exporter),
            coordinators: Coordinators::new(&exporter),
            topics: Arc::default(),
            exporter,
        }
    }
}

impl Metrics {
    /// A request was in a stage for so long.
    pub fn stage(&self, api: ApiKey, stage: Stage, took: Duration) {
        if IS_MEASURED {
            self.requests.stage(api, stage, took);
        }
    }

    /// What nobody is answered for was appended.
    pub fn appended(&self, api: ApiKey, append: Append) {
        self.requests.appended(api, append);
    }

    /// A request was answered, one of several of which the answers went together.
    pub fn answered(&self, together: &mut Together, api: ApiKey, times: &Times) {
        self.requests.answered(together, api, times);
    }

    /// Those were all of them.
    pub fn answered_all(&self, together: Together) {
        self.requests.answered_all(together);
    }

    /// Something in a request was refused.
    pub fn refused(&self, api: ApiKey, code: ErrorCode) {
        self.requests.refused(api, code);
    }

    /// The engine did something.
    pub fn count_event(&self, event: &Event<'_>) {
        if IS_MEASURED {
            self.engine.count(event);
        }
    }

    /// Something happened to groups.
    pub fn group_event(&self, event: &strandline_state::groups::Event) {
        self.coordinators.count_group(event);
    }

    /// Something happened to transactions.
    pub fn transaction_event(&self, event: &strandline_state::transactions::Event) {
        self.coordinators.count_transaction(event);
    }

    /// A marker was sent to a log.
    pub fn marker(&self, fate: Fate) {
        self.coordinators.count_marker(fate);
    }

    /// The markers that there were took so long.
    pub fn marked(&self, took: Duration) {
        self.coordinators.marked(took);
    }

    /// A coordinator was asked about a batch.
    pub fn verification(&self, verification: Verification) {
        self.coordinators.count_verification(verification);
    }

    /// Where topics are counted.
    pub fn topics(&self) -> &Arc<TopicTallies> {
        &self.topics
    }

    /// What was counted so far, without what is read from its owners.
    #[cfg(test)]
    pub(crate) fn text(&self) -> String {
        let mut text = Text::default();
        self.write(&mut text);
        text.into_string()
    }

    fn write(&self, text: &mut Text) {
        self.exporter.write(text);
        self.topics.write(text);
    }
}
