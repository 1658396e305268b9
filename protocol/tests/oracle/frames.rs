//! Whole frames, header and message, against those of the independent codec; and headers byte by byte.

use std::fmt::Debug;

use kafka_wire::{KafkaRequest, OutboundFrameLimits};
use kafka_wire_core::{ApiVersion, BytesMut, StrBytes};
use strandline_protocol::apis::{
    api_versions::ApiVersionsRequest, fetch::FetchRequest, join_group::JoinGroupRequest,
    metadata::MetadataRequest, produce::ProduceRequest, sasl_handshake::SaslHandshakeRequest,
};
use strandline_protocol::frame::{FrameCodec, LENGTH_BYTES, OutboundFrame};
use strandline_protocol::headers::{RequestHeader, ResponseHeader};
use strandline_protocol::{Bytes, Message, Reader, Request, Text};

const CORRELATION_ID: i32 = 0x0102_0304;

/// The frame of a default request with either codec, and what ours reads in it.
fn same_frames<Ours, Theirs>()
where
    Ours: Request + Default + Debug + PartialEq,
    Theirs: KafkaRequest + Default,
{
    for version in Ours::SCHEMA.versions.iter() {
        for client in [None, Some(""), Some("c"), Some("a client with a name of more than a few bytes")] {
            let name = format!("{} v{version} of {client:?}", Ours::SCHEMA.name);
            let request = Ours::default();
            let frame = OutboundFrame::request(version, CORRELATION_ID, client.map(Text::from), &request);
            let mut ours = BytesMut::new();
            let mut codec = FrameCodec::new(1 << 20);
            tokio_util::codec::Encoder::encode(&mut codec, frame.expect(&name), &mut ours).expect(&name);

            let mut theirs = BytesMut::new();
            let limits = OutboundFrameLimits::new(1 << 20);
            let (client_there, version_there) = (client.map(StrBytes::from), ApiVersion::new(version));
            let default_there = Theirs::default();
            kafka_wire::encode_request(
                &mut theirs,
                CORRELATION_ID,
                client_there,
                &default_there,
                version_there,
                limits,
            )
            .expect(&name);
            assert_eq!(ours, theirs, "{name}");

            let mut reader = Reader::new(theirs.freeze().slice(LENGTH_BYTES..));
            let (api, header) = RequestHeader::read_with_api(&mut reader).expect(&name);
            assert_eq!((api.key, header.request_api_version), (Ours::KEY, version), "{name}");
            assert_eq!(header.client_id, client.map(Text::from), "{name}");
            assert_eq!(header.correlation_id, CORRELATION_ID, "{name}");
            assert_eq!(Ours::read(&mut reader, version).as_ref(), Ok(&request), "{name}");
            assert_eq!(reader.remaining(), 0, "{name}");
        }
    }
}

#[test]
fn both_make_the_same_frames_of_requests() {
    same_frames::<ApiVersionsRequest, kafka_wire::ApiVersionsRequest>();
    same_frames::<FetchRequest, kafka_wire::FetchRequest>();
    same_frames::<JoinGroupRequest, kafka_wire::JoinGroupRequest>();
    same_frames::<MetadataRequest, kafka_wire::MetadataRequest>();
    same_frames::<ProduceRequest, kafka_wire::ProduceRequest>();
    same_frames::<SaslHandshakeRequest, kafka_wire::SaslHandshakeRequest>();
}

/// The client id keeps its two bytes of length in the flexible header; version 0 has none at all.
#[test]
fn request_headers_byte_by_byte() {
    let header = |client: Option<&str>| RequestHeader {
        request_api_key: 3,
        request_api_version: 9,
        correlation_id: 7,
        client_id: client.map(Text::from),
        ..Default::default()
    };
    let rows: [(i16, Option<&str>, &[u8]); 7] = [
        (0, Some(""), &[0, 3, 0, 9, 0, 0, 0, 7]),
        (1, None, &[0, 3, 0, 9, 0, 0, 0, 7, 0xFF, 0xFF]),
        (1, Some(""), &[0, 3, 0, 9, 0, 0, 0, 7, 0, 0]),
        (1, Some("me"), &[0, 3, 0, 9, 0, 0, 0, 7, 0, 2, b'm', b'e']),
        (2, None, &[0, 3, 0, 9, 0, 0, 0, 7, 0xFF, 0xFF, 0]),
        (2, Some(""), &[0, 3, 0, 9, 0, 0, 0, 7, 0, 0, 0]),
        (2, Some("me"), &[0, 3, 0, 9, 0, 0, 0, 7, 0, 2, b'm', b'e', 0]),
    ];
    for (version, client, bytes) in rows {
        assert_eq!(header(client).to_bytes(version).unwrap(), bytes, "version {version}, {client:?}");
        let read = RequestHeader::from_bytes(Bytes::from_static(bytes), version);
        assert_eq!(read, Ok(header(client)), "version {version}, {client:?}");
    }
}

#[test]
fn response_headers_byte_by_byte() {
    let header = ResponseHeader { correlation_id: 7, ..Default::default() };
    assert_eq!(header.to_bytes(0).unwrap(), &[0, 0, 0, 7][..]);
    assert_eq!(header.to_bytes(1).unwrap(), &[0, 0, 0, 7, 0][..]);
    let mut tagged = header;
    tagged.unknown_tagged_fields.push(4, Bytes::from_static(&[9]));
    assert_eq!(tagged.to_bytes(1).unwrap(), &[0, 0, 0, 7, 1, 4, 1, 9][..]);
    assert_eq!(ResponseHeader::from_bytes(tagged.to_bytes(1).unwrap(), 1), Ok(tagged));
}
