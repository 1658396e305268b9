//! A broker whose requests or answers of one kind are not what they were.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use strandline_broker::api::{Dispatched, Reply};
use strandline_broker::context::Connection;
use strandline_broker::net::{Dispatching, Service};
use strandline_broker::storage::FileSlice;
use strandline_protocol::frame::{LENGTH_BYTES, OutboundFrame, read_response};
use strandline_protocol::headers::RequestHeader;
use strandline_protocol::{Message, Piece, Reader, Request};

type Ask<R> = Arc<dyn Fn(R) -> R + Send + Sync>;
type Say<R> = Arc<dyn Fn(&R, <R as Request>::Response) -> <R as Request>::Response + Send + Sync>;
type Skip<R> = Arc<dyn Fn(&R) -> Option<<R as Request>::Response> + Send + Sync>;

/// Changes one kind of request on its way to the broker, and its answers on their way back.
pub(super) struct Rewrite<R: Request> {
    pub(super) inner: Arc<dyn Service>,
    /// What the broker is asked instead.
    pub(super) ask: Ask<R>,
    /// What it says instead, to what was asked at first.
    pub(super) say: Say<R>,
    /// What is said without asking the broker.
    pub(super) skip: Skip<R>,
}

impl<R: Request> Rewrite<R> {
    /// Changes nothing.
    pub(super) fn around(inner: Arc<dyn Service>) -> Self {
        Self {
            inner,
            ask: Arc::new(|request| request),
            say: Arc::new(|_, response| response),
            skip: Arc::new(|_| None),
        }
    }
}

/// All of these, in one; none if a file of them cannot be read.
fn whole(pieces: Vec<Piece>) -> Option<Bytes> {
    let mut bytes = BytesMut::new();
    for piece in pieces {
        match piece {
            Piece::Slice(slice) => bytes.extend_from_slice(&slice),
            Piece::External(external) => {
                let slice = FileSlice::of(&external).unwrap();
                bytes.extend_from_slice(&slice.read(external.position, external.length).ok()?);
            }
        }
    }
    Some(bytes.freeze())
}

/// What a reply becomes.
fn reply<R: Request>(version: i16, reply: Reply, change: impl FnOnce(R::Response) -> R::Response) -> Reply {
    let Reply::Send { frame, throttle, answering } = reply else { return reply };
    let Some(bytes) = whole(frame.into_pieces()) else { return Reply::Close("it cannot be read") };
    let bytes = bytes.slice(LENGTH_BYTES..);
    let (correlation_id, response) = read_response::<R>(bytes, version).unwrap();
    let frame = OutboundFrame::response(version, correlation_id, &change(response)).unwrap();
    Reply::Send { frame, throttle, answering }
}

impl<R: Request + Clone + Send + Sync + 'static> Service for Rewrite<R>
where
    R::Response: Send,
{
    fn dispatch(&self, connection: &Arc<Connection>, frame: Bytes, received_at: Duration) -> Dispatching {
        let mut reader = Reader::new(frame.clone());
        let Ok((api, header)) = RequestHeader::read_with_api(&mut reader) else {
            return self.inner.dispatch(connection, frame, received_at);
        };
        if api.key != R::KEY {
            return self.inner.dispatch(connection, frame, received_at);
        }
        let version = header.request_api_version;
        // What is no request is told so.
        let Ok(request) = <R as Message>::read(&mut reader, version) else {
            return self.inner.dispatch(connection, frame, received_at);
        };
        if let Some(response) = (self.skip)(&request) {
            let frame = OutboundFrame::response(version, header.correlation_id, &response).unwrap();
            let reply = Reply::plain(frame, Duration::ZERO);
            return Dispatching::done(Dispatched::Now(reply));
        }
        let asked = (self.ask)(request.clone());
        let frame = OutboundFrame::request(version, header.correlation_id, header.client_id, &asked).unwrap();
        let frame = whole(frame.into_pieces()).unwrap().slice(LENGTH_BYTES..);
        let dispatching = self.inner.dispatch(connection, frame, received_at);
        let say = Arc::clone(&self.say);
        Dispatching::going(async move {
            let change = move |response| say(&request, response);
            match dispatching.await {
                Dispatched::Now(now) => Dispatched::Now(reply::<R>(version, now, change)),
                Dispatched::Later(later) => {
                    Dispatched::later(async move { reply::<R>(version, later.await, change) })
                }
            }
        })
    }
}
