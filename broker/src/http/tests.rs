use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use tokio::runtime::Runtime;

use super::{Health, HttpServer, Insight};

/// A node with a metric, and with an obstacle if it was given one.
#[derive(Debug, Default)]
struct Seen(Mutex<Option<String>>);

impl Insight for Seen {
    fn obstacle(&self) -> Option<String> {
        self.0.lock().unwrap().clone()
    }

    fn metrics(&self) -> String {
        "some_metric 5\n".to_owned()
    }
}

/// A node with so much to tell that no buffer of a socket takes it.
#[derive(Debug)]
struct Talkative;

impl Insight for Talkative {
    fn obstacle(&self) -> Option<String> {
        None
    }

    fn metrics(&self) -> String {
        (0..1_000_000).map(|number| format!("metric {number}\n")).collect()
    }
}

struct Rig {
    health: Arc<Health>,
    address: SocketAddr,
    _server: HttpServer,
    _runtime: Runtime,
}

impl Rig {
    fn new() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let health = Arc::new(Health::default());
        let pages = Arc::<Health>::clone(&health);
        let server = runtime.block_on(HttpServer::start("127.0.0.1", 0, pages)).unwrap();
        Self { health, address: server.address(), _server: server, _runtime: runtime }
    }

    fn send(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(request).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    }

    fn get(&self, path: &str) -> (String, String) {
        let answer = self.send(format!("GET {path} HTTP/1.1\r\nHost: here\r\n\r\n").as_bytes());
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
        (head.lines().next().unwrap().to_owned(), body.to_owned())
    }
}

#[test]
fn a_node_says_whether_it_serves_and_why_not() {
    const NOT_READY: &str = "HTTP/1.1 503 Service Unavailable";
    let rig = Rig::new();
    assert_eq!(rig.get("/readyz"), (NOT_READY.to_owned(), "starting\n".to_owned()));
    assert_eq!(rig.get("/healthz").0, "HTTP/1.1 200 OK");
    assert!(rig.get("/metrics").1.ends_with("\nstrandline_ready 0\n"));
    let seen = Arc::<Seen>::default();
    rig.health.set_serving(Arc::<Seen>::clone(&seen));
    assert_eq!(rig.get("/readyz?verbose"), ("HTTP/1.1 200 OK".to_owned(), "ready\n".to_owned()));
    let metrics = rig.get("/metrics").1;
    assert!(
        metrics.starts_with("some_metric 5\n") && metrics.ends_with("\nstrandline_ready 1\n"),
        "{metrics}"
    );
    *seen.0.lock().unwrap() = Some("a sync failed".to_owned());
    let offline = "a sync failed\n".to_owned();
    assert_eq!(rig.get("/readyz"), (NOT_READY.to_owned(), offline));
    rig.health.set_stopping();
    assert_eq!(rig.get("/readyz"), (NOT_READY.to_owned(), "shutting down\n".to_owned()));
}

#[test]
fn a_long_page_comes_whole() {
    let rig = Rig::new();
    rig.health.set_serving(Arc::new(Talkative));
    let page = rig.get("/metrics").1;
    assert!(
        page.starts_with(&Talkative.metrics()) && page.ends_with("\nstrandline_ready 1\n"),
        "{}",
        page.len()
    );
}

#[test]
fn what_is_no_request_for_a_page_is_refused() {
    let rig = Rig::new();
    let status = |request: &[u8]| rig.send(request).lines().next().unwrap_or_default().to_owned();
    assert_eq!(status(b"GET /nothing HTTP/1.1\r\n\r\n"), "HTTP/1.1 404 Not Found");
    assert_eq!(status(b"POST /healthz HTTP/1.1\r\n\r\n"), "HTTP/1.1 405 Method Not Allowed");
    assert_eq!(status(b"GET /healthz\r\n\r\n"), "HTTP/1.1 400 Bad Request");
    assert_eq!(status(b"\xFF\xFE / HTTP/1.1\r\n\r\n"), "HTTP/1.1 400 Bad Request");
    assert_eq!(status(&[b'a'; 9_000]), "", "closed");
    let head = rig.send(b"HEAD /healthz HTTP/1.1\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200 OK") && head.ends_with("\r\n\r\n"), "{head}");
}

#[test]
fn those_who_send_nothing_do_not_keep_others_out_for_long() {
    let rig = Rig::new();
    let silent: Vec<_> = (0..40).map(|_| TcpStream::connect(rig.address).unwrap()).collect();
    // They go after their time, and sooner by themselves.
    drop(silent);
    assert_eq!(rig.get("/healthz").1, "ok\n");
}
