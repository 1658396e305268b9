//! How a node comes up: listeners first, so that what they are called is known; then the broker; and clients last.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use strandline_log::clock::RealClock;
use strandline_log::disk::real::RealDisk;
use strandline_log::engine::Engine;
use strandline_log::random::Random;

use super::descriptors::descriptors_max;
use super::options::{NodeParts, connection_limits_within, parse_address};
use super::{Foundation, Node, NodeError, NodeOptions};
use crate::http::{Health, HttpServer};
use crate::metrics::Scraped;
use crate::net::Bound;
use crate::offload::Offload;

impl Node {
    /// Starts a node. When this returns, it serves.
    pub async fn start(options: NodeOptions) -> Result<Self, NodeError> {
        let parts = NodeParts::of(&options)?;
        Self::start_with(options, parts).await
    }

    /// The same out of parts that may be other than what follows from the options.
    pub(crate) async fn start_with(options: NodeOptions, parts: NodeParts) -> Result<Self, NodeError> {
        let NodeParts { net, engine } = parts;
        let bound = Bound::new(net)?;
        let health = Arc::new(Health::default());
        let http = start_http(&options, &health).await?;
        let NodeOptions { data_dir, settings, .. } = options;
        let offload = Offload::Threads;
        let folder = data_dir.clone();
        let (disk, random) = offload.run(|| open(folder)).await??;
        let endpoints = bound.endpoints();
        let foundation = Foundation {
            disk: Arc::new(disk),
            data_dir: data_dir.clone(),
            clock: Arc::new(RealClock::new()),
            random,
            offload,
            engine,
            settings,
            endpoints: endpoints.clone(),
        };
        let (broker, engine) = foundation.start(Engine::start).await?;
        let addresses = bound.addresses();
        let server = bound.serve(Arc::new(Arc::clone(&broker)));
        let limits = server.limits();
        broker.metadata.add_settings_listener(Box::new(move |settings| {
            limits.set(connection_limits_within(descriptors_max(), settings));
        }));
        let scraped = Scraped::new(Arc::clone(&broker), server.counters(), engine.watch().clone());
        health.set_serving(Arc::new(scraped));
        Ok(Self { data_dir, endpoints, addresses, broker, server, engine, health, http })
    }
}

/// Health comes first: who asks learns that the rest is still to come.
async fn start_http(options: &NodeOptions, health: &Arc<Health>) -> Result<Option<HttpServer>, NodeError> {
    let Some(address) = &options.http else { return Ok(None) };
    let (host, port) = parse_address(address)?;
    let started = HttpServer::start(&host, port, Arc::<Health>::clone(health)).await;
    started.map(Some).map_err(|source| NodeError::Http { address: address.clone(), source })
}

/// The disk with the folder, which is made if it is not there, and randomness.
fn open(data_dir: PathBuf) -> Result<(RealDisk, Random), NodeError> {
    let failed = |source| NodeError::DataDir { path: data_dir.clone(), source };
    match fs::create_dir_all(&data_dir) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        result => result.map_err(failed)?,
    }
    let disk = RealDisk::new(&data_dir).map_err(failed)?;
    let random = Random::from_system().map_err(failed)?;
    Ok((disk, random))
}
