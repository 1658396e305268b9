//! As much of HTTP/1.1 as it takes to show a few pages to whoever asks, one to a connection. Bounded in how many
//! ask at once, in what they send, and in how long they take.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, spawn_blocking, yield_now};
use tokio::time::{sleep, timeout};

/// So many may ask at once; others wait in the queue of the listener.
const CONNECTIONS_MAX: usize = 16;

/// Of a request, up to the empty line behind its headers.
const REQUEST_BYTES_MAX: usize = 8 << 10;

/// Of a page, written at a time. The kernel copies it in one go, while those who are served by the same worker wait.
const PIECE_BYTES: usize = 128 << 10;

/// For a request and its answer.
const TIME_MAX: Duration = Duration::from_secs(5);

/// After a failure to accept.
const PAUSE: Duration = Duration::from_millis(200);

/// What is shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Page {
    /// Such as `200 OK`.
    pub status: &'static str,
    /// Of which type the body is.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

impl Page {
    /// Text, and everything is well.
    pub fn text(body: String) -> Self {
        Self { status: "200 OK", content_type: "text/plain; charset=utf-8", body }
    }
}

/// Pages by their paths.
pub trait Pages: Send + Sync + fmt::Debug + 'static {
    /// The page of this path, if there is one.
    fn page(&self, path: &str) -> Option<Page>;
}

/// Shows pages until it is dropped.
#[derive(Debug)]
pub struct HttpServer {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl HttpServer {
    /// Shows these pages at a host and port; port 0 is any that is free.
    pub async fn start(host: &str, port: u16, pages: Arc<dyn Pages>) -> io::Result<Self> {
        let listener = TcpListener::bind((host, port)).await?;
        let address = listener.local_addr()?;
        Ok(Self { address, task: tokio::spawn(serve(listener, pages)) })
    }

    /// Where.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn serve(listener: TcpListener, pages: Arc<dyn Pages>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let pages = Arc::clone(&pages);
                tokio::spawn(async move {
                    // Whoever is too slow or goes away is not told.
                    let _ = timeout(TIME_MAX, answer(&stream, pages)).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection for HTTP: waiting");
                sleep(PAUSE).await;
            }
        }
    }
}

async fn answer(stream: &TcpStream, pages: Arc<dyn Pages>) -> io::Result<()> {
    let request = read_head(stream).await?;
    let (page, has_body) = match parse(&request) {
        Some(("GET", path)) => (make(pages, path).await?, true),
        Some(("HEAD", path)) => (make(pages, path).await?, false),
        Some(_) => (Some(failed("405 Method Not Allowed")), true),
        None => (Some(failed("400 Bad Request")), true),
    };
    let page = page.unwrap_or_else(|| failed("404 Not Found"));
    let Page { status, content_type, body } = page;
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    write_all(stream, head.as_bytes()).await?;
    if has_body {
        for piece in body.as_bytes().chunks(PIECE_BYTES) {
            write_all(stream, piece).await?;
            yield_now().await;
        }
    }
    Ok(())
}

/// Makes a page on a thread that may wait: one may be long, and those who serve clients are not to be held up.
async fn make(pages: Arc<dyn Pages>, path: &str) -> io::Result<Option<Page>> {
    let path = path.to_owned();
    spawn_blocking(move || pages.page(&path)).await.map_err(io::Error::other)
}

fn failed(status: &'static str) -> Page {
    Page { status, ..Page::text(format!("{status}\n")) }
}

/// Reads up to the end of the headers.
async fn read_head(stream: &TcpStream) -> io::Result<Vec<u8>> {
    let mut request = Vec::with_capacity(1 << 10);
    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
        if request.len() >= REQUEST_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        stream.readable().await?;
        let mut buffer = [0; 1 << 10];
        match stream.try_read(&mut buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(bytes) => request.extend_from_slice(buffer.get(..bytes).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(request)
}

/// The method and the path of a request, without what follows a question mark.
fn parse(request: &[u8]) -> Option<(&str, &str)> {
    let line = request.split(|byte| *byte == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let path = target.split('?').next()?;
    (version.starts_with("HTTP/1.") && words.next().is_none() && path.starts_with('/'))
        .then_some((method, path))
}

async fn write_all(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        stream.writable().await?;
        match stream.try_write(bytes) {
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
