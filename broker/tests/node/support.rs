//! Starts nodes in folders of their own, and asks them.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use strandline_broker::node::{Node, NodeError, NodeOptions};
use strandline_client::{BrokerAddress, ClientConfig, Connection};
use strandline_protocol::Request;
use strandline_protocol::schema::VersionRange;
use strandline_state::settings::BrokerSettings;

/// A folder that goes with this.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("strandline-node-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn options(&self, settings: &[(&str, &str)]) -> NodeOptions {
        // A small journal: each test makes its own.
        let small = [("strandline.journal.bytes", "134217728")];
        let pairs = small.iter().chain(settings).copied();
        NodeOptions {
            data_dir: self.0.clone(),
            listen: vec!["127.0.0.1:0".to_owned()],
            http: Some("127.0.0.1:0".to_owned()),
            settings: BrokerSettings::from_pairs(pairs).unwrap(),
        }
    }

    /// Starts a node here.
    pub(crate) async fn start(&self, settings: &[(&str, &str)]) -> Running {
        let node = self.try_start(settings).await.unwrap();
        let endpoint = &node.endpoints()[0];
        let address = BrokerAddress::new(endpoint.host.as_str(), endpoint.port);
        let bootstrap = format!("{}:{}", endpoint.host, endpoint.port);
        let config = ClientConfig::new(&bootstrap).unwrap();
        let connection = Connection::open(&address, &config).await.unwrap();
        Running { node, connection }
    }

    pub(crate) async fn try_start(&self, settings: &[(&str, &str)]) -> Result<Node, NodeError> {
        Node::start(self.options(settings)).await
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A node, and a connection to it.
pub(crate) struct Running {
    pub(crate) node: Node,
    pub(crate) connection: Connection,
}

impl Running {
    /// Asks in the newest version.
    pub(crate) async fn ask<R: Request>(&self, request: &R) -> R::Response {
        self.connection.request(request).await.unwrap()
    }

    /// Asks in one version.
    pub(crate) async fn ask_in<R: Request>(&self, version: i16, request: &R) -> R::Response {
        let answer = self.connection.submit(request, VersionRange::new(version, version)).await.unwrap();
        answer.await.unwrap()
    }

    pub(crate) async fn stop(self) {
        drop(self.connection);
        self.node.shutdown().await.unwrap();
    }
}
