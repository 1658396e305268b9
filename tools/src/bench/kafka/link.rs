//! A socket to a broker, driven by hand: nothing between the benchmark and the kernel but a queue to write from and a
//! buffer to read into. Never blocks but in [`wait`].

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use strandline_client::BrokerAddress;
use strandline_protocol::frame::{LENGTH_BYTES, OutboundFrame, content_length};
use strandline_protocol::{Piece, Request};

use crate::cluster::Failure;

/// How many pieces one write takes.
const WRITE_PIECES_MAX: usize = 64;

/// What is read at once, until frames turn out to be larger.
const READ_BYTES_MIN: usize = 256 << 10;

/// The longest answer that is taken.
const FRAME_BYTES_MAX: usize = 1 << 30;

/// Buffers of past answers that are kept for later ones.
const SPARE_MAX: usize = 4;

pub(super) const CLIENT_ID: &str = "strandline-bench";

pub(super) struct Link {
    stream: TcpStream,
    name: String,
    // What is to be written: whole pieces, then the one that small requests are still added to.
    queue: VecDeque<Bytes>,
    open: BytesMut,
    // All of it is initialised; what has come lies from `taken` to `filled`.
    inbound: BytesMut,
    taken: usize,
    filled: usize,
    spare: Vec<BytesMut>,
    read_bytes: usize,
    correlation_id: i32,
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl Link {
    pub(super) fn connect(address: &BrokerAddress) -> Result<Self, Failure> {
        Self::connect_for(address, READ_BYTES_MIN)
    }

    /// One that reads so much at once, until frames turn out to be larger.
    pub(super) fn connect_for(address: &BrokerAddress, read_bytes: usize) -> Result<Self, Failure> {
        let connect = || -> io::Result<TcpStream> {
            let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
            for socket in (address.host(), address.port()).to_socket_addrs()? {
                match TcpStream::connect_timeout(&socket, Duration::from_secs(10)) {
                    Ok(stream) => {
                        stream.set_nodelay(true)?;
                        stream.set_nonblocking(true)?;
                        return Ok(stream);
                    }
                    Err(error) => last = error,
                }
            }
            Err(last)
        };
        let stream = connect()
            .map_err(|error| Failure::Unreachable(format!("cannot connect to {address}: {error}")))?;
        Ok(Self {
            stream,
            name: address.to_string(),
            queue: VecDeque::new(),
            open: BytesMut::new(),
            inbound: BytesMut::new(),
            taken: 0,
            filled: 0,
            spare: Vec::new(),
            read_bytes,
            correlation_id: 0,
        })
    }

    pub(super) fn next_correlation_id(&mut self) -> i32 {
        self.correlation_id = self.correlation_id.wrapping_add(1) & i32::MAX;
        self.correlation_id
    }

    /// Adds a small request to what is to be written, by copying it; `patch` may change the copy.
    pub(super) fn copy(&mut self, bytes: &[u8], patch: impl FnOnce(&mut [u8])) {
        let start = self.open.len();
        self.open.extend_from_slice(bytes);
        if let Some(copy) = self.open.get_mut(start..) {
            patch(copy);
        }
    }

    /// Adds a request to what is to be written, with large records left where they lie. Returns its correlation id.
    pub(super) fn submit<R: Request>(&mut self, request: &R, version: i16) -> Result<i32, Failure> {
        let correlation_id = self.next_correlation_id();
        let frame = OutboundFrame::request(version, correlation_id, Some(CLIENT_ID.into()), request)
            .map_err(|error| Failure::Refused(error.to_string()))?;
        self.seal();
        self.queue.extend(frame.into_pieces().into_iter().filter_map(|piece| match piece {
            Piece::Slice(slice) => Some(slice),
            Piece::External(_) => None,
        }));
        Ok(correlation_id)
    }

    fn seal(&mut self) {
        if !self.open.is_empty() {
            self.queue.push_back(self.open.split().freeze());
        }
    }

    pub(super) fn has_unwritten(&self) -> bool {
        !self.queue.is_empty() || !self.open.is_empty()
    }

    /// Writes what the socket takes.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        self.seal();
        while !self.queue.is_empty() {
            let mut slices = [IoSlice::new(&[]); WRITE_PIECES_MAX];
            let mut count = 0;
            for (slot, piece) in slices.iter_mut().zip(&self.queue) {
                *slot = IoSlice::new(piece);
                count += 1;
            }
            match self.stream.write_vectored(slices.get(..count).unwrap_or_default()) {
                Ok(written) => self.written(written),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed(&error)),
            }
        }
        Ok(())
    }

    fn written(&mut self, mut bytes: usize) {
        while let Some(first) = self.queue.front_mut() {
            if first.len() > bytes {
                first.advance(bytes);
                return;
            }
            bytes -= first.len();
            self.queue.pop_front();
        }
    }

    /// Reads once, if there is anything to read.
    pub(super) fn receive(&mut self) -> Result<(), Failure> {
        self.make_room()?;
        let room = self.inbound.get_mut(self.filled..).unwrap_or_default();
        match self.stream.read(room) {
            Ok(0) => Err(Failure::Refused(format!("{} closed the connection", self.name))),
            Ok(read) => {
                self.filled += read;
                Ok(())
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(()),
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn make_room(&mut self) -> Result<(), Failure> {
        if self.taken == self.filled {
            (self.taken, self.filled) = (0, 0);
        }
        if self.inbound.is_empty() {
            self.inbound = self.spare.pop().unwrap_or_else(|| BytesMut::zeroed(self.read_bytes));
        }
        let wanted = self.announced()?.map_or(0, |length| LENGTH_BYTES + length);
        let is_full = self.filled == self.inbound.len() || self.taken + wanted > self.inbound.len();
        if is_full && self.taken > 0 {
            self.inbound.copy_within(self.taken..self.filled, 0);
            (self.taken, self.filled) = (0, self.filled - self.taken);
        }
        if wanted > self.inbound.len() {
            // A quarter more than it takes: the next one is of about the same size.
            self.inbound.resize(wanted + wanted / 4, 0);
        }
        Ok(())
    }

    fn announced(&self) -> Result<Option<usize>, Failure> {
        let start = self.inbound.get(self.taken..self.filled).and_then(|start| start.first_chunk());
        let length = start.map(|prefix| content_length(*prefix, FRAME_BYTES_MAX)).transpose();
        length.map_err(|error| Failure::Refused(format!("{}: {error}", self.name)))
    }

    fn whole(&self) -> Result<Option<usize>, Failure> {
        let there = self.filled - self.taken;
        Ok(self.announced()?.filter(|length| LENGTH_BYTES + length <= there))
    }

    /// The next answer's content, where it lies.
    pub(super) fn next_frame(&mut self) -> Result<Option<&[u8]>, Failure> {
        let Some(length) = self.whole()? else { return Ok(None) };
        let start = self.taken + LENGTH_BYTES;
        self.taken = start + length;
        Ok(self.inbound.get(start..start + length))
    }

    /// The next answer, to be shared: the buffer itself where nothing else is in it, to be given back by
    /// [`Link::recycle`]. The content begins behind the length.
    pub(super) fn next_shared_frame(&mut self) -> Result<Option<Bytes>, Failure> {
        let Some(length) = self.whole()? else { return Ok(None) };
        let end = self.taken + LENGTH_BYTES + length;
        if self.taken == 0 && self.filled == end {
            self.filled = 0;
            return Ok(Some(std::mem::take(&mut self.inbound).freeze()));
        }
        let frame = self.inbound.get(self.taken..end).map(Bytes::copy_from_slice);
        self.taken = end;
        Ok(frame)
    }

    pub(super) fn recycle(&mut self, whole: Bytes) {
        if let Ok(buffer) = whole.try_into_mut()
            && self.spare.len() < SPARE_MAX
            && buffer.len() >= self.read_bytes
        {
            self.spare.push(buffer);
        }
    }

    fn failed(&self, error: &io::Error) -> Failure {
        Failure::Refused(format!("the connection to {} failed: {error}", self.name))
    }
}

/// Waits until one of the links can be read, or written where it has something to write, or the time is over. Reads
/// once from each that can be.
pub(super) fn wait(links: &mut [&mut Link], timeout: Option<Duration>) -> Result<(), Failure> {
    let timeout = timeout.map(|timeout| Timespec {
        tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    });
    let interest =
        |link: &Link| if link.has_unwritten() { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
    let mut fds: Vec<PollFd<'_>> =
        links.iter().map(|link| PollFd::new(&link.stream, interest(link))).collect();
    match poll(&mut fds, timeout.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(Failure::Io(error.into())),
    }
    let ready: Vec<PollFlags> = fds.iter().map(PollFd::revents).collect();
    drop(fds);
    for (link, ready) in links.iter_mut().zip(ready) {
        if ready.intersects(PollFlags::OUT) {
            link.flush()?;
        }
        if ready.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
            link.receive()?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use strandline_protocol::apis::metadata::MetadataRequest;

    fn pair() -> (Link, TcpStream) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let link = Link::connect(&BrokerAddress::new("127.0.0.1", port)).unwrap();
        (link, listener.accept().unwrap().0)
    }

    fn frame(content: &[u8]) -> Vec<u8> {
        let mut bytes = u32::try_from(content.len()).unwrap().to_be_bytes().to_vec();
        bytes.extend_from_slice(content);
        bytes
    }

    #[test]
    fn answers_come_whole_however_large_they_are_and_however_they_come() {
        let (mut link, mut peer) = pair();
        let contents: Vec<Vec<u8>> =
            [4, 100, READ_BYTES_MIN, 3 * READ_BYTES_MIN, 5].map(|length| vec![7; length]).to_vec();
        let stream: Vec<u8> = contents.iter().flat_map(|content| frame(content)).collect();
        let writer = std::thread::spawn(move || {
            for piece in stream.chunks(10_007) {
                peer.write_all(piece).unwrap();
            }
            peer
        });
        let mut found: Vec<Vec<u8>> = Vec::new();
        while found.len() < contents.len() {
            wait(&mut [&mut link], None).unwrap();
            loop {
                let next = if found.len().is_multiple_of(2) {
                    link.next_frame().unwrap().map(<[u8]>::to_vec)
                } else {
                    link.next_shared_frame().unwrap().map(|whole| {
                        let length = u32::from_be_bytes(*whole.first_chunk().unwrap()) as usize;
                        let content = whole[LENGTH_BYTES..LENGTH_BYTES + length].to_vec();
                        link.recycle(whole);
                        content
                    })
                };
                let Some(content) = next else { break };
                found.push(content);
            }
        }
        assert_eq!(found, contents);
        drop(writer.join().unwrap());
        let ended = wait(&mut [&mut link], None).unwrap_err();
        assert!(ended.to_string().contains("closed the connection"), "{ended}");
    }

    #[test]
    fn small_requests_and_large_ones_go_out_in_their_order() {
        let (mut link, mut peer) = pair();
        link.copy(b"one", |copy| copy[0] = b'O');
        link.copy(b"two", |_| {});
        let id = link.submit(&MetadataRequest::default(), 4).unwrap();
        link.copy(b"three", |_| {});
        assert!(link.has_unwritten());
        while link.has_unwritten() {
            link.flush().unwrap();
        }
        drop(link);
        let mut came = Vec::new();
        peer.read_to_end(&mut came).unwrap();
        assert!(came.starts_with(b"Onetwo\0\0") && came.ends_with(b"three"), "{came:?}");
        assert_eq!(came[6 + 8..6 + 12], id.to_be_bytes());
    }

    #[test]
    fn a_length_that_no_answer_has_is_an_error() {
        let (mut link, mut peer) = pair();
        peer.write_all(&[0xFF; 4]).unwrap();
        wait(&mut [&mut link], None).unwrap();
        assert!(link.next_frame().is_err());
    }
}
