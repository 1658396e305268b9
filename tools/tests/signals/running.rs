//! A broker in a process of its own, and what it is told.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// A folder that goes with this.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("strandline-signals-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A broker of `strandline dev`, killed when this is dropped.
pub(crate) struct Broker {
    process: Child,
    banner: Vec<String>,
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Broker {
    pub(crate) fn start(folder: &Folder) -> Self {
        let process = Command::new(env!("CARGO_BIN_EXE_strandline"))
            .args(["dev", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"])
            // A small journal: each test makes its own.
            .args(["--set", "strandline.journal.bytes=134217728", "--data-dir"])
            .arg(folder.path())
            .stdout(Stdio::piped())
            .spawn();
        Self { process: process.unwrap(), banner: Vec::new() }
    }

    /// Waits until it says that it is ready.
    pub(crate) fn wait_until_ready(&mut self) {
        let mut lines = BufReader::new(self.process.stdout.take().unwrap()).lines();
        while self.banner.last().is_none_or(|line| !line.starts_with("Ctrl-C")) {
            self.banner.push(lines.next().expect("it ends before it is ready").unwrap());
        }
    }

    fn said(&self, word: &str) -> &str {
        let line = self.banner.iter().find_map(|line| line.trim().strip_prefix(word));
        line.unwrap().trim()
    }

    /// Where clients connect.
    pub(crate) fn address(&self) -> &str {
        self.said("clients")
    }

    /// How many requests were begun.
    pub(crate) fn requests(&self) -> u64 {
        let address = self.said("http").strip_prefix("http://").unwrap().strip_suffix("/metrics").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        let mut lines = page.lines();
        lines
            .find_map(|line| line.strip_prefix("strandline_network_requests_total "))
            .unwrap()
            .parse()
            .unwrap()
    }

    /// Sends it a signal, such as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// How it ended; none if it goes on.
    pub(crate) fn status(&mut self) -> Option<i32> {
        self.process.try_wait().unwrap().map(|status| status.code().expect("no signal kills it"))
    }

    /// Waits for its end, and says with what.
    pub(crate) fn wait(&mut self) -> i32 {
        let start = Instant::now();
        loop {
            if let Some(status) = self.status() {
                return status;
            }
            assert!(start.elapsed() < DEADLINE, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
