//! A whole node, asked by hand: what it does with requests that are none, and what it tells of itself.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use strandline_broker::node::{Node, NodeOptions};
use strandline_state::settings::BrokerSettings;
use tokio::runtime::Runtime;

/// A node in a folder that is removed again.
struct Rig {
    runtime: Runtime,
    node: Option<Node>,
    folder: PathBuf,
}

impl Rig {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("strandline-node-{name}-{}", std::process::id()));
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let none: [(&str, &str); 0] = [];
        let options = NodeOptions {
            data_dir: folder.clone(),
            listen: vec!["127.0.0.1:0".to_owned()],
            http: Some("127.0.0.1:0".to_owned()),
            settings: BrokerSettings::from_pairs(none).unwrap(),
        };
        let node = runtime.block_on(Node::start(options)).unwrap();
        Self { runtime, node: Some(node), folder }
    }

    fn node(&self) -> &Node {
        self.node.as_ref().unwrap()
    }

    fn connect(&self) -> TcpStream {
        connect(self.node().addresses()[0])
    }

    fn http(&self, path: &str) -> String {
        let mut stream = connect(self.node().http_address().unwrap());
        write!(stream, "GET {path} HTTP/1.1\r\nHost: here\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        let node = self.node.take().unwrap();
        self.runtime.block_on(node.shutdown()).unwrap();
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

/// A request of a header without a client id, and what follows it.
fn request(api: i16, version: i16, rest: &[u8]) -> Vec<u8> {
    let length = u32::try_from(2 + 2 + 4 + 2 + rest.len()).unwrap();
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend(api.to_be_bytes());
    bytes.extend(version.to_be_bytes());
    bytes.extend(77_i32.to_be_bytes());
    bytes.extend((-1_i16).to_be_bytes());
    bytes.extend(rest);
    bytes
}

fn answer(stream: &mut TcpStream) -> Vec<u8> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut content = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut content).unwrap();
    content
}

/// Whether the node closes without another byte.
fn is_closed(stream: &mut TcpStream) -> bool {
    !matches!(stream.read(&mut [0]), Ok(1..))
}

const API_VERSIONS: i16 = 18;

#[test]
fn what_is_not_served_closes() {
    let rig = Rig::new("closes");
    let requests = [
        ("an API that there is not", request(9_999, 0, &[])),
        ("a negative API", request(-1, 0, &[])),
        ("a version that is too new", request(3, 99, &[0, 0])),
        ("a negative version", request(3, -1, &[])),
        ("a version that is too old", request(1, 3, &[0; 40])),
        ("a header that is cut", vec![0, 0, 0, 6, 0, 18, 0, 0, 0, 0]),
        ("a client id longer than the frame", {
            let mut bytes = request(API_VERSIONS, 0, &[]);
            bytes[12..14].copy_from_slice(&1_000_i16.to_be_bytes());
            bytes
        }),
        ("an array longer than the frame", request(3, 1, &i32::MAX.to_be_bytes())),
    ];
    for (what, bytes) in requests {
        let mut stream = rig.connect();
        stream.write_all(&request(API_VERSIONS, 0, &[])).unwrap();
        stream.write_all(&bytes).unwrap();
        assert_eq!(answer(&mut stream)[..4], 77_i32.to_be_bytes(), "what came before is answered");
        assert!(is_closed(&mut stream), "{what}");
    }
    // It is there for the next one.
    let mut stream = rig.connect();
    stream.write_all(&request(API_VERSIONS, 0, &[])).unwrap();
    assert_eq!(answer(&mut stream)[4..6], [0, 0]);
}

#[test]
fn who_asks_for_the_versions_in_one_that_is_too_new_is_told_in_the_oldest() {
    const UNSUPPORTED_VERSION: u8 = 35;
    let rig = Rig::new("versions");
    let mut stream = rig.connect();
    stream.write_all(&request(API_VERSIONS, 99, &[0])).unwrap();
    let content = answer(&mut stream);
    assert_eq!(content[..6], [0, 0, 0, 77, 0, UNSUPPORTED_VERSION]);
    let count = u32::from_be_bytes(content[6..10].try_into().unwrap()) as usize;
    assert_eq!(content.len(), 10 + count * 6, "version 0 has the list and nothing behind it");
    let has_itself = content[10..].chunks(6).any(|api| api[..2] == API_VERSIONS.to_be_bytes());
    assert!(has_itself);
    // The connection is good for another try.
    stream.write_all(&request(API_VERSIONS, 0, &[])).unwrap();
    assert_eq!(answer(&mut stream)[..6], [0, 0, 0, 77, 0, 0]);
}

#[test]
fn a_node_tells_how_it_is() {
    let rig = Rig::new("http");
    assert!(rig.http("/readyz").starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(rig.http("/healthz").starts_with("HTTP/1.1 200 OK\r\n"));
    let mut stream = rig.connect();
    stream.write_all(&request(API_VERSIONS, 0, &[])).unwrap();
    answer(&mut stream);
    let metrics = rig.http("/metrics");
    assert!(metrics.contains("\nstrandline_network_connections 1\n"), "{metrics}");
    assert!(metrics.contains("\nstrandline_ready 1\n"), "{metrics}");
}
