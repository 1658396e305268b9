//! What is simulated: the broker as it is, or with a mistake that was made on purpose.

use std::sync::Arc;

use strandline_broker::broker::Broker;
use strandline_broker::net::Service;
use strandline_log::disk::Disk;
use strandline_log::disk::simulated::SimulatedDisk;

use crate::world::World;

/// What is simulated.
#[derive(Clone, Copy)]
pub(crate) struct Subject {
    /// The disk as the broker sees it.
    pub(crate) disk: fn(&SimulatedDisk) -> Arc<dyn Disk>,
    /// The broker as its clients see it.
    pub(crate) service: fn(&Arc<Broker>, &Arc<World>) -> Arc<dyn Service>,
}

/// The broker as it is.
pub(crate) const HONEST: Subject =
    Subject { disk: |disk| Arc::new(disk.clone()), service: |broker, _| Arc::new(Arc::clone(broker)) };
