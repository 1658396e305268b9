//! A request that is written once and copied from then on, and where in its answer the error stands.

use bytes::Bytes;
use strandline_protocol::frame::{LENGTH_BYTES, OutboundFrame};
use strandline_protocol::{ErrorCode, Piece, Request};

use super::link::{CLIENT_ID, Link};
use crate::cluster::Failure;

/// Where a request's correlation id stands: behind the length, the key and the version.
const CORRELATION_AT: usize = 8;

/// An error code that no broker has.
const MARK: ErrorCode = ErrorCode(0x5A4B);

pub(super) struct Template {
    bytes: Bytes,
    error_at: Option<usize>,
}

impl Template {
    /// `marked` is an answer of the kind that is expected, with an error code of [`Template::mark`] in the place where
    /// an error would be; none where an answer has no such place.
    pub(super) fn new<R: Request>(
        request: &R,
        version: i16,
        marked: Option<&R::Response>,
    ) -> Result<Self, Failure> {
        let refused = |error: Box<strandline_protocol::EncodeError>| Failure::Refused(error.to_string());
        let frame = OutboundFrame::request(version, 0, Some(CLIENT_ID.into()), request).map_err(refused)?;
        let error_at = match marked {
            None => None,
            Some(response) => {
                let frame = OutboundFrame::response(version, 0, response).map_err(refused)?;
                let bytes = flat(frame);
                let mark = MARK.0.to_be_bytes();
                let place = bytes.windows(mark.len()).position(|window| window == mark);
                place.and_then(|place| place.checked_sub(LENGTH_BYTES))
            }
        };
        Ok(Self { bytes: flat(frame), error_at })
    }

    /// What to put where the error would be.
    pub(super) const fn mark() -> ErrorCode {
        MARK
    }

    /// Adds a copy to what is to be written, and returns its correlation id.
    pub(super) fn submit(&self, link: &mut Link) -> i32 {
        let correlation_id = link.next_correlation_id();
        link.copy(&self.bytes, |copy| {
            if let Some(room) = copy.get_mut(CORRELATION_AT..CORRELATION_AT + 4) {
                room.copy_from_slice(&correlation_id.to_be_bytes());
            }
        });
        correlation_id
    }

    /// Refuses an answer to another request, or one with an error.
    pub(super) fn check(&self, content: &[u8], expected: i32) -> Result<(), Failure> {
        let found = content.first_chunk().map(|bytes| i32::from_be_bytes(*bytes));
        if found != Some(expected) {
            return Err(Failure::Refused(format!("an answer to {found:?} where {expected} was asked")));
        }
        let Some(at) = self.error_at else { return Ok(()) };
        match content.get(at..).and_then(|rest| rest.first_chunk()) {
            Some(&[0, 0]) => Ok(()),
            Some(code) => Err(Failure::Refused(ErrorCode(i16::from_be_bytes(*code)).to_string())),
            None => Err(Failure::Refused("the answer is too short".to_owned())),
        }
    }
}

fn flat(frame: OutboundFrame) -> Bytes {
    let mut bytes = Vec::with_capacity(frame.len());
    for piece in frame.into_pieces() {
        if let Piece::Slice(slice) = piece {
            bytes.extend_from_slice(&slice);
        }
    }
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use strandline_protocol::apis::list_offsets::{
        ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse, ListOffsetsTopicResponse,
    };

    fn answer(error_code: ErrorCode, correlation_id: i32) -> Bytes {
        let partition = ListOffsetsPartitionResponse { error_code, offset: 7, ..Default::default() };
        let topic =
            ListOffsetsTopicResponse { name: "t".into(), partitions: vec![partition], ..Default::default() };
        let response = ListOffsetsResponse { topics: vec![topic], ..Default::default() };
        flat(OutboundFrame::response(7, correlation_id, &response).unwrap()).slice(LENGTH_BYTES..)
    }

    #[test]
    fn errors_are_seen_where_they_stand() {
        let topic = |error_code| ListOffsetsTopicResponse {
            name: "t".into(),
            partitions: vec![ListOffsetsPartitionResponse { error_code, ..Default::default() }],
            ..Default::default()
        };
        let marked = ListOffsetsResponse { topics: vec![topic(Template::mark())], ..Default::default() };
        let template = Template::new(&ListOffsetsRequest::default(), 7, Some(&marked)).unwrap();
        template.check(&answer(ErrorCode::NONE, 3), 3).unwrap();
        let refused = |content: &[u8]| template.check(content, 3).unwrap_err().to_string();
        assert_eq!(refused(&answer(ErrorCode::NOT_LEADER_OR_FOLLOWER, 3)), "NOT_LEADER_OR_FOLLOWER");
        assert!(refused(&answer(ErrorCode::NONE, 4)).contains("an answer to Some(4)"));
        assert!(refused(&answer(ErrorCode::NONE, 3)[..6]).contains("too short"));
    }
}
