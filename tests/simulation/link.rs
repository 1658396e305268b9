//! A client's connection: requests go out, answers come in the order of the requests, and any of it may break.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::IoSlice;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use strandline_protocol::Request;
use strandline_protocol::frame::{OutboundFrame, read_response, response_correlation_id};
use tokio::time::{Instant, timeout};

use crate::network::{Endpoint, Network};
use crate::world::World;

/// So long an answer is waited for.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// So much is read at once.
const READ_BYTES: usize = 16 << 10;

/// The connection is gone, and nobody knows what became of what was asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Broken;

/// A request that was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    correlation_id: i32,
    version: i16,
    pub(crate) sent_at: Instant,
    /// The process that it was sent to.
    pub(crate) process: u64,
}

/// A client's connection, made anew when it is gone.
pub(crate) struct Link {
    world: Arc<World>,
    network: Arc<Network>,
    client: usize,
    open: Option<Open>,
    last_correlation_id: i32,
}

struct Open {
    endpoint: Endpoint,
    received: BytesMut,
    /// What is to be answered.
    awaited: VecDeque<i32>,
    process: u64,
}

impl Link {
    pub(crate) fn new(world: &Arc<World>, network: &Arc<Network>, client: usize) -> Self {
        let (world, network) = (Arc::clone(world), Arc::clone(network));
        Self { world, network, client, open: None, last_correlation_id: 0 }
    }

    /// The number of the connection, which is made if there is none.
    pub(crate) async fn connect(&mut self) -> Result<u64, Broken> {
        if let Some(open) = &self.open {
            return Ok(open.endpoint.number());
        }
        let Ok(endpoint) = self.network.connect(self.client).await else {
            self.world.pause_ms(20, 150).await;
            return Err(Broken);
        };
        let number = endpoint.number();
        let process = self.world.ledger().process();
        self.open = Some(Open { endpoint, received: BytesMut::new(), awaited: VecDeque::new(), process });
        Ok(number)
    }

    /// Breaks the connection.
    pub(crate) fn cut(&mut self) {
        if let Some(open) = self.open.take() {
            open.endpoint.reset();
        }
    }

    /// Leaves, without a hurry.
    pub(crate) fn leave(&mut self) {
        self.open = None;
    }

    /// Sends a request. One that wants no answer is not waited for.
    pub(crate) async fn send<R: Request>(
        &mut self,
        version: i16,
        request: &R,
        wants_answer: bool,
    ) -> Result<Ticket, Broken> {
        self.connect().await?;
        self.last_correlation_id += 1;
        let correlation_id = self.last_correlation_id;
        let frame =
            OutboundFrame::request(version, correlation_id, Some("simulated".into()), request).unwrap();
        let mut bytes = BytesMut::new();
        for piece in frame.into_pieces() {
            if let strandline_protocol::Piece::Slice(slice) = piece {
                bytes.extend_from_slice(&slice);
            }
        }
        let breaks = !self.world.is_calm() && self.world.one_in(80);
        if breaks {
            // Before, in the middle of, or right behind it.
            let sent = usize::try_from(self.world.below(bytes.len() as u64 + 1)).unwrap();
            bytes.truncate(if self.world.one_in(3) { bytes.len() } else { sent });
        }
        let Some(open) = &mut self.open else { return Err(Broken) };
        let ticket = Ticket { correlation_id, version, sent_at: Instant::now(), process: open.process };
        let written = timeout(ANSWER_MAX, open.write(&bytes)).await;
        if breaks || !matches!(written, Ok(Ok(()))) {
            self.world.note(format_args!("client {} breaks off at {:?}", self.client, R::KEY));
            self.world.reach("client broke off");
            self.cut();
            return Err(Broken);
        }
        if let Some(open) = self.open.as_mut().filter(|_| wants_answer) {
            open.awaited.push_back(correlation_id);
        }
        Ok(ticket)
    }

    /// Sends bytes that may be no request.
    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.connect().await?;
        let Some(open) = &mut self.open else { return Err(Broken) };
        timeout(ANSWER_MAX, open.write(bytes)).await.unwrap_or(Err(Broken))
    }

    /// The answer to the request that was sent first of those that wait.
    pub(crate) async fn receive<R: Request>(&mut self, ticket: Ticket) -> Result<R::Response, Broken> {
        let Some(open) = &mut self.open else { return Err(Broken) };
        let is_calm = self.world.has_been_calm();
        let read = timeout(ANSWER_MAX, open.read()).await;
        if is_calm && read.is_err() {
            self.world.blame(format_args!("nothing is wrong, and client {} is not answered", self.client));
        }
        let Ok(Some(frame)) = read else {
            self.world.note(format_args!("client {} is not answered {:?}", self.client, R::KEY));
            self.world.reach("not answered");
            self.cut();
            return Err(Broken);
        };
        let expected = open.awaited.pop_front();
        if response_correlation_id(&frame) != expected || expected != Some(ticket.correlation_id) {
            let found = response_correlation_id(&frame);
            self.world.blame(format_args!("an answer to {found:?} where {expected:?} is to be answered"));
            self.cut();
            return Err(Broken);
        }
        match read_response::<R>(frame, ticket.version) {
            Ok((_, response)) => Ok(response),
            Err(error) => {
                self.world.blame(format_args!("an answer that cannot be read: {error}"));
                self.cut();
                Err(Broken)
            }
        }
    }

    /// Sends a request and waits for its answer.
    pub(crate) async fn call<R: Request>(
        &mut self,
        version: i16,
        request: &R,
    ) -> Result<(Ticket, R::Response), Broken> {
        let ticket = self.send(version, request, true).await?;
        let response = self.receive::<R>(ticket).await?;
        Ok((ticket, response))
    }
}

impl Open {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let mut left = bytes;
        while !left.is_empty() {
            let written = poll_fn(|context| self.endpoint.poll_write(context, &[IoSlice::new(left)])).await;
            left = &left[written.map_err(|_| Broken)?..];
        }
        Ok(())
    }

    /// The next frame's content; none if the connection is at its end.
    async fn read(&mut self) -> Option<Bytes> {
        loop {
            if let Some(length) = self.received.first_chunk::<4>() {
                let length = usize::try_from(u32::from_be_bytes(*length)).unwrap();
                if self.received.len() >= 4 + length {
                    let mut frame = self.received.split_to(4 + length).freeze();
                    return Some(frame.split_off(4));
                }
            }
            let bytes = poll_fn(|context| self.endpoint.poll_read(context, READ_BYTES)).await.ok()?;
            if bytes.is_empty() {
                return None;
            }
            self.received.extend_from_slice(&bytes);
        }
    }
}
