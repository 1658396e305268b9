//! The broker's side of the simulated network.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use strandline_broker::net::{Acceptor, Transport};
use strandline_protocol::frame::FrameAssembler;

use super::{Endpoint, Network};

/// Where the broker gets its connections from.
#[derive(Debug)]
pub(crate) struct SimulatedAcceptor(pub(super) Arc<Network>);

impl Acceptor for SimulatedAcceptor {
    type Transport = Endpoint;

    async fn accept(&mut self) -> io::Result<(Endpoint, SocketAddr)> {
        let endpoint = poll_fn(|context| {
            let mut state = self.0.state();
            match state.waiting.pop_front() {
                Some(endpoint) => Poll::Ready(endpoint),
                None => {
                    state.acceptor = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        });
        let endpoint = endpoint.await;
        let host = u8::try_from(endpoint.client()).unwrap();
        let port = u16::try_from(1_024 + endpoint.number() % 60_000).unwrap();
        Ok((endpoint, SocketAddr::from(([10, 0, 0, host], port))))
    }
}

impl Transport for Endpoint {
    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        assembler: &mut FrameAssembler,
    ) -> Poll<io::Result<usize>> {
        let room = assembler.room();
        let bytes = Endpoint::poll_read(self, context, room.capacity() - room.len());
        if bytes.is_pending() {
            assembler.release_empty();
        }
        let bytes = ready!(bytes)?;
        assembler.room().extend_from_slice(&bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
        _: bool,
    ) -> Poll<io::Result<usize>> {
        Endpoint::poll_write(self, context, parts)
    }

    fn poll_send_file(
        &mut self,
        _: &mut Context<'_>,
        _: BorrowedFd<'_>,
        _: u64,
        _: usize,
    ) -> Option<Poll<io::Result<usize>>> {
        None
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.finish();
        Poll::Ready(Ok(()))
    }
}
