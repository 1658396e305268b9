//! A whole node: a data directory, what the cluster is, and the network, in the order in which they need each other.

mod descriptors;
mod foundation;
mod options;
mod start;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use strandline_log::directory::{self, DirectoryError};
use strandline_log::engine::{Engine, EngineError};

pub use self::foundation::Foundation;
pub use self::options::{AddressError, NodeOptions};

pub(crate) use self::options::NodeParts;

use crate::broker::Broker;
use crate::context::Endpoint;
use crate::http::{Health, HttpServer};
use crate::metadata::MetadataError;
use crate::net::{self, BindError, Server};

/// Why a node does not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// What it was told makes no sense.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// It cannot listen.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// It cannot show its health and its metrics.
    #[error("cannot serve HTTP at {address}: {source}{}", net::remedy(source))]
    Http {
        /// Where.
        address: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The data directory cannot be made.
    #[error("cannot make the data directory {}: {source}{}", path.display(), directory::remedy(source))]
    DataDir {
        /// Where.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The data directory cannot be used.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The disk is full: nothing can be written of what there is to say at a start.
    #[error(
        "there is no room on the disk of {directory}: {free_bytes} bytes are free, and the journal needs a file of \
         {file_bytes}, beside {reserve_bytes} that are kept for emptying it (as many as strandline.journal.bytes)"
    )]
    NoRoom {
        /// The data directory.
        directory: String,
        /// What is left.
        free_bytes: u64,
        /// What the journal's next file takes.
        file_bytes: u64,
        /// What is kept, or has to be.
        reserve_bytes: u64,
    },
    /// What the cluster is cannot be told.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The directory belongs to another node.
    #[error("the data directory belongs to node {found}, and this is node {node_id} (node.id)")]
    OtherNode {
        /// Whose it is.
        found: i32,
        /// Who we are.
        node_id: i32,
    },
    /// The directory is not the one that the metadata knows.
    #[error("the metadata knows another data directory than this one: was it copied?")]
    OtherDirectory,
    /// Something that runs elsewhere did not end.
    #[error("a task of the broker failed: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl From<DirectoryError> for NodeError {
    fn from(error: DirectoryError) -> Self {
        Self::Engine(error.into())
    }
}

/// A node that serves.
#[derive(Debug)]
pub struct Node {
    data_dir: PathBuf,
    endpoints: Vec<Arc<Endpoint>>,
    addresses: Vec<SocketAddr>,
    broker: Arc<Broker>,
    server: Server,
    engine: Engine,
    health: Arc<Health>,
    http: Option<HttpServer>,
}

impl Node {
    /// Where its data is.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// What clients are told, in the order of the options.
    pub fn endpoints(&self) -> &[Arc<Endpoint>] {
        &self.endpoints
    }

    /// What is listened at, in the order of the options.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where its health and its metrics are served.
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.http.as_ref().map(HttpServer::address)
    }

    /// What its handlers share.
    pub fn broker(&self) -> &Arc<Broker> {
        &self.broker
    }

    /// Takes nothing new in, answers what is in flight, and writes everything where the next start finds it.
    pub async fn shutdown(self) -> Result<(), NodeError> {
        self.health.set_stopping();
        self.server.shutdown().await;
        let engine = self.engine;
        self.broker.offload.run(move || engine.close()).await??;
        // To the last it says what it does.
        drop(self.http);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
