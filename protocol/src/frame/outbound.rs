//! Frames to send. What a message has made itself lies in one buffer; large payloads stay where they are.

use super::LENGTH_BYTES;
use crate::error::{EncodeError, EncodeErrorKind};
use crate::headers::{RequestHeader, ResponseHeader};
use crate::message::{Message, Request, Response};
use crate::records::Piece;
use crate::text::Text;
use crate::wire::{EncodeResult, Layout};
use crate::writer::{Writer, Written};

/// Room for the frame of a small answer, which would otherwise be made by doubling it time and again.
const SMALL_FRAME_BYTES: usize = 128;

/// A frame to send: its length, header and message, in pieces.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboundFrame {
    content: Written,
    length: usize,
}

impl OutboundFrame {
    /// A request's frame.
    ///
    /// ```
    /// use strandline_protocol::apis::api_versions::ApiVersionsRequest;
    /// use strandline_protocol::frame::OutboundFrame;
    ///
    /// let frame = OutboundFrame::request(0, 7, Some("me".into()), &ApiVersionsRequest::default()).unwrap();
    /// assert_eq!(frame.len(), 4 + 2 + 2 + 4 + 2 + 2);
    /// ```
    pub fn request<R: Request>(
        version: i16,
        correlation_id: i32,
        client_id: Option<Text>,
        body: &R,
    ) -> Result<Self, Box<EncodeError>> {
        let header = RequestHeader {
            request_api_key: R::KEY.into(),
            request_api_version: version,
            correlation_id,
            client_id,
            ..Default::default()
        };
        let header_version = R::KEY.api().request_header_version(version);
        Self::new(&header, header_version, |writer| body.write(writer, version))
    }

    /// A response's frame.
    pub fn response<R: Response>(
        version: i16,
        correlation_id: i32,
        body: &R,
    ) -> Result<Self, Box<EncodeError>> {
        let header = ResponseHeader { correlation_id, ..Default::default() };
        let header_version = R::KEY.api().response_header_version(version);
        Self::new(&header, header_version, |writer| body.write(writer, version))
    }

    /// A response's frame whose body `write` writes, field by field: what is in it need not be put together in a message
    /// first.
    pub fn response_by_fields<R: Response>(
        version: i16,
        correlation_id: i32,
        write: impl FnOnce(&mut Writer, Layout) -> EncodeResult,
    ) -> Result<Self, Box<EncodeError>> {
        let header = ResponseHeader { correlation_id, ..Default::default() };
        let header_version = R::KEY.api().response_header_version(version);
        Self::new(&header, header_version, |writer| {
            writer.enter_message(R::SCHEMA.name, version, R::SCHEMA.versions)?;
            write(writer, R::layout(version))
        })
    }

    fn new<H: Message>(
        header: &H,
        header_version: i16,
        write_body: impl FnOnce(&mut Writer) -> EncodeResult,
    ) -> Result<Self, Box<EncodeError>> {
        let mut writer = Writer::with_capacity(SMALL_FRAME_BYTES);
        writer.put(&[0; LENGTH_BYTES]);
        header.write(&mut writer, header_version)?;
        write_body(&mut writer)?;
        let length = writer.len();
        match i32::try_from(length - LENGTH_BYTES) {
            Ok(content) => writer.overwrite_i32(0, content),
            Err(_) => return Err(writer.error(EncodeErrorKind::TooLong(length))),
        }
        Ok(Self { content: writer.into_written(), length })
    }

    /// How many bytes go over the wire, the length in front included.
    pub fn len(&self) -> usize {
        self.length
    }

    /// How many of them the frame has made itself: memory that goes with it. The rest are slices and ranges of what
    /// is there anyway.
    pub fn own_bytes(&self) -> usize {
        self.content.own_bytes()
    }

    /// How many of them are in memory: those that lie in files are not.
    pub fn memory_bytes(&self) -> usize {
        self.length - self.content.external_bytes()
    }

    /// All of it, where nothing of it lies anywhere else.
    ///
    /// # Errors
    /// Something does.
    pub fn into_own(self) -> Result<Vec<u8>, Self> {
        let Self { content, length } = self;
        content.into_own().map_err(|content| Self { content, length })
    }

    /// Never: a frame has at least its length and a header.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// What to send, in order.
    pub fn into_pieces(self) -> Vec<Piece> {
        self.content.into_pieces()
    }
}
