//! Mistakes that are made on purpose, each around the broker as it is: its disk, or what its clients see of it.

mod asking;
mod deciding;
mod disk;
mod order;
mod rewrite;

use std::sync::Arc;

use strandline_broker::broker::Broker;
use strandline_broker::net::Service;

pub(crate) use self::asking::{
    not_recompressed, partitions_not_made, time_looked_up_late, truncation_not_told,
};
pub(crate) use self::deciding::{
    deduplication_off, duplicate_answered_early, forgotten_shortening, offline_acknowledges,
    producer_id_twice, read_before_durable, recreated_as_it_was,
};
pub(crate) use self::disk::{Lie, LyingDisk};
pub(crate) use self::order::{answers_as_they_come, requests_as_they_come};

fn honest(broker: &Arc<Broker>) -> Arc<dyn Service> {
    Arc::new(Arc::clone(broker))
}
