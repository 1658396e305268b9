//! The headers in front of every request and response.
//!
//! | header | version | what it holds |
//! | --- | --- | --- |
//! | request | 0 | key, version, correlation id; only ControlledShutdown 0 ever used it |
//! | request | 1 | and the client id |
//! | request | 2 | and tagged fields; goes with flexible requests |
//! | response | 0 | the correlation id |
//! | response | 1 | and tagged fields; goes with flexible responses, but never with ApiVersions |
//!
//! The version of the header is not written anywhere: it follows from the API and the version of the
//! message ([`Api::request_header_version`], [`Api::response_header_version`]).

use crate::apis::{Api, ApiKey};
use crate::error::DecodeErrorKind;
use crate::message::Message;
use crate::reader::Reader;
use crate::wire::DecodeResult;
use crate::{TaggedFields, Text, Wire};

/// What a request starts with.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "2+")]
pub struct RequestHeader {
    /// Which API is asked.
    #[wire("0+")]
    pub request_api_key: i16,
    /// In which version the request is written, and the answer wanted.
    #[wire("0+")]
    pub request_api_version: i16,
    /// Chosen by the client; the answer repeats it.
    #[wire("0+")]
    pub correlation_id: i32,
    /// What the client calls itself, for logs and quotas. Keeps the old two-byte length even in flexible
    /// headers, so that a broker too old for the request can still read it.
    #[wire("1+", nullable = "1+", never_flexible)]
    pub client_id: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// What a response starts with.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "1+")]
pub struct ResponseHeader {
    /// The one of the request that is answered.
    #[wire("0+")]
    pub correlation_id: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

impl RequestHeader {
    /// Reads the header of whatever request comes, and finds its API.
    ///
    /// The version that the client asks for need not be one that the codec knows: a broker answers such an
    /// ApiVersions request in version 0 and closes the connection on any other.
    ///
    /// ```
    /// use strandline_protocol::apis::ApiKey;
    /// use strandline_protocol::headers::RequestHeader;
    /// use strandline_protocol::{Bytes, Reader};
    ///
    /// let frame = Bytes::from_static(&[0, 18, 0, 99, 0, 0, 0, 7, 0, 1, b'c', 0]);
    /// let mut reader = Reader::new(frame);
    /// let (api, header) = RequestHeader::read_with_api(&mut reader).unwrap();
    /// assert_eq!(api.key, ApiKey::ApiVersions);
    /// assert_eq!((header.request_api_version, header.correlation_id), (99, 7));
    /// assert!(!api.versions().contains(header.request_api_version));
    /// ```
    pub fn read_with_api(reader: &mut Reader) -> DecodeResult<(&'static Api, Self)> {
        let (key, version) = peek_key_and_version(reader)?;
        let api = ApiKey::try_from(key).map_err(|_| reader.error(DecodeErrorKind::ApiUnknown(key)))?.api();
        let header = Self::read(reader, api.request_header_version(version))?;
        Ok((api, header))
    }
}

/// The key and version, which lie at the same place in every header, without moving the reader.
fn peek_key_and_version(reader: &mut Reader) -> DecodeResult<(i16, i16)> {
    reader.enter_message(RequestHeader::SCHEMA.name, 0, RequestHeader::SCHEMA.versions)?;
    reader.enter_field("RequestHeader.RequestApiKey");
    let [key_high, key_low, version_high, version_low] = reader.peek()?;
    Ok((i16::from_be_bytes([key_high, key_low]), i16::from_be_bytes([version_high, version_low])))
}
