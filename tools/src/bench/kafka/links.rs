//! Many sockets to brokers at once, watched by the kernel: an answer on one of them does not cost a look at all.

use std::os::fd::OwnedFd;
use std::time::Duration;

use bytes::Bytes;
use rustix::event::{Timespec, epoll};
use strandline_client::BrokerAddress;
use strandline_protocol::Request;
use strandline_protocol::frame::read_response;

use super::link::Link;
use crate::cluster::Failure;

/// What is read at once: answers here are small, and there may be ten thousand sockets.
const READ_BYTES: usize = 4 << 10;

/// How many sockets are looked after at once.
const READY_MAX: usize = 1_024;

/// How long one waits for a socket that has not taken all of what it was given.
const BEHIND_WAIT: Duration = Duration::from_millis(1);

/// Sockets by their places, in the order in which they were opened.
pub(super) struct Links {
    links: Vec<Link>,
    watch: OwnedFd,
    ready: Vec<epoll::Event>,
    // Those that have not taken all of what they were given.
    behind: Vec<usize>,
}

impl Links {
    pub(super) fn new() -> Result<Self, Failure> {
        let watch = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(|error| Failure::Io(error.into()))?;
        Ok(Self { links: Vec::new(), watch, ready: Vec::with_capacity(READY_MAX), behind: Vec::new() })
    }

    /// Opens one more. Returns its place.
    pub(super) fn open(&mut self, address: &BrokerAddress) -> Result<usize, Failure> {
        let place = self.links.len();
        let link = Link::connect_for(address, READ_BYTES)?;
        let data = epoll::EventData::new_u64(u64::try_from(place).unwrap_or(u64::MAX));
        epoll::add(&self.watch, &link, data, epoll::EventFlags::IN)
            .map_err(|error| Failure::Io(error.into()))?;
        self.links.push(link);
        Ok(place)
    }

    pub(super) const fn len(&self) -> usize {
        self.links.len()
    }

    /// Sends a request. Returns its correlation id.
    pub(super) fn submit<R: Request>(
        &mut self,
        place: usize,
        request: &R,
        version: i16,
    ) -> Result<i32, Failure> {
        let Some(link) = self.links.get_mut(place) else {
            return Err(Failure::Refused(format!("there is no connection {place}")));
        };
        let correlation_id = link.submit(request, version)?;
        link.flush()?;
        if link.has_unwritten() {
            self.behind.push(place);
        }
        Ok(correlation_id)
    }

    /// Waits until there is something to read, or the time is over. Returns the places where there was, each read from
    /// once.
    pub(super) fn wait(&mut self, timeout: Duration) -> Result<Vec<usize>, Failure> {
        for place in std::mem::take(&mut self.behind) {
            if let Some(link) = self.links.get_mut(place) {
                link.flush()?;
                if link.has_unwritten() {
                    self.behind.push(place);
                }
            }
        }
        let timeout = if self.behind.is_empty() { timeout } else { timeout.min(BEHIND_WAIT) };
        let timeout = Timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: timeout.subsec_nanos().into(),
        };
        self.ready.clear();
        let room = rustix::buffer::spare_capacity(&mut self.ready);
        match epoll::wait(&self.watch, room, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Failure::Io(error.into())),
        }
        let places = self.ready.iter().filter_map(|event| usize::try_from(event.data.u64()).ok()).collect();
        for place in &places {
            let place: &usize = place;
            if let Some(link) = self.links.get_mut(*place) {
                link.receive()?;
            }
        }
        Ok(places)
    }

    /// The next whole answer on a connection, if there is one.
    pub(super) fn next(&mut self, place: usize) -> Result<Option<Bytes>, Failure> {
        let Some(link) = self.links.get_mut(place) else { return Ok(None) };
        Ok(link.next_frame()?.map(Bytes::copy_from_slice))
    }
}

/// Reads an answer, which has to be to the request of this correlation id.
pub(super) fn answer<R: Request>(
    content: Bytes,
    version: i16,
    expected: i32,
) -> Result<R::Response, Failure> {
    let (correlation_id, response) = read_response::<R>(content, version)
        .map_err(|error| Failure::Refused(format!("the answer makes no sense: {error}")))?;
    if correlation_id == expected {
        Ok(response)
    } else {
        Err(Failure::Refused(format!("an answer to {correlation_id} where {expected} was asked")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use strandline_protocol::ErrorCode;
    use strandline_protocol::apis::heartbeat::{HeartbeatRequest, HeartbeatResponse};
    use strandline_protocol::frame::{LENGTH_BYTES, OutboundFrame};

    const VERSION: i16 = 4;

    /// Reads one request and answers it with this code.
    fn serve(peer: &mut TcpStream, error_code: ErrorCode) {
        let mut length = [0; LENGTH_BYTES];
        peer.read_exact(&mut length).unwrap();
        let mut content = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
        peer.read_exact(&mut content).unwrap();
        let correlation_id = i32::from_be_bytes(content[4..8].try_into().unwrap());
        let response = HeartbeatResponse { error_code, ..Default::default() };
        let frame = OutboundFrame::response(VERSION, correlation_id, &response).unwrap();
        for piece in frame.into_pieces() {
            let strandline_protocol::Piece::Slice(slice) = piece else { panic!("not in memory") };
            peer.write_all(&slice).unwrap();
        }
    }

    #[test]
    fn answers_are_found_on_the_connections_that_they_come_on() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = BrokerAddress::new("127.0.0.1", listener.local_addr().unwrap().port());
        let mut links = Links::new().unwrap();
        let mut peers: Vec<TcpStream> = (0..3)
            .map(|place| {
                assert_eq!(links.open(&address).unwrap(), place);
                listener.accept().unwrap().0
            })
            .collect();
        assert_eq!(links.len(), 3);
        assert!(links.wait(Duration::ZERO).unwrap().is_empty());
        for (place, code) in [(2, ErrorCode::NONE), (0, ErrorCode::REBALANCE_IN_PROGRESS)] {
            let asked = links.submit(place, &HeartbeatRequest::default(), VERSION).unwrap();
            serve(&mut peers[place], code);
            assert_eq!(links.wait(Duration::from_secs(10)).unwrap(), [place]);
            let content = links.next(place).unwrap().unwrap();
            assert!(answer::<HeartbeatRequest>(content.clone(), VERSION, asked + 1).is_err());
            assert_eq!(answer::<HeartbeatRequest>(content, VERSION, asked).unwrap().error_code, code);
            assert!(links.next(place).unwrap().is_none());
        }
    }
}
