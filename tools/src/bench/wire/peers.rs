//! The same messages through `kafka-protocol` and `kafka-wire`, as their users would read and write them.

use std::hint::black_box;
use std::io;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages as generated;
use kafka_protocol::protocol::{Decodable, Encodable};
use kafka_protocol::records::RecordBatchDecoder;
use kafka_wire_core::{ApiVersion, DecodeLimits, KafkaDecode, KafkaEncode};

use crate::bench::measure::Comparison;

fn decode<'a, P: Decodable, W: KafkaDecode>(
    comparison: Comparison<'a>,
    bytes: &'a Bytes,
    version: i16,
) -> Comparison<'a> {
    comparison
        .contender("kafka-protocol", move || {
            let _ = black_box(P::decode(&mut black_box(bytes).clone(), version));
        })
        .contender("kafka-wire", move || {
            let (version, limits) = (ApiVersion::new(version), limits());
            let _ = black_box(W::decode_from_bytes(black_box(bytes).clone(), version, limits));
        })
}

/// Both messages are made from our bytes, so that all three write the same.
fn encode<'a, P: Decodable + Encodable + 'a, W: KafkaDecode + KafkaEncode + 'a>(
    comparison: Comparison<'a>,
    bytes: &Bytes,
    version: i16,
) -> io::Result<Comparison<'a>> {
    let message_of_protocol = P::decode(&mut bytes.clone(), version).map_err(io::Error::other)?;
    let api_version = ApiVersion::new(version);
    let message_of_wire =
        W::decode_from_bytes(bytes.clone(), api_version, limits()).map_err(io::Error::other)?;
    Ok(comparison
        .contender("kafka-protocol", move || {
            let mut buffer = BytesMut::new();
            let _ = black_box(black_box(&message_of_protocol).encode(&mut buffer, version));
            black_box(buffer);
        })
        .contender("kafka-wire", move || {
            let _ = black_box(black_box(&message_of_wire).encode_to_bytes(api_version));
        }))
}

fn limits() -> DecodeLimits {
    DecodeLimits::default()
}

pub(super) fn decode_produce<'a>(to: Comparison<'a>, bytes: &'a Bytes, version: i16) -> Comparison<'a> {
    decode::<generated::ProduceRequest, kafka_wire::ProduceRequest>(to, bytes, version)
}

pub(super) fn decode_metadata<'a>(to: Comparison<'a>, bytes: &'a Bytes, version: i16) -> Comparison<'a> {
    decode::<generated::MetadataResponse, kafka_wire::MetadataResponse>(to, bytes, version)
}

pub(super) fn encode_metadata<'a>(
    to: Comparison<'a>,
    bytes: &Bytes,
    version: i16,
) -> io::Result<Comparison<'a>> {
    encode::<generated::MetadataResponse, kafka_wire::MetadataResponse>(to, bytes, version)
}

pub(super) fn encode_fetch<'a>(
    to: Comparison<'a>,
    bytes: &Bytes,
    version: i16,
) -> io::Result<Comparison<'a>> {
    encode::<generated::FetchResponse, kafka_wire::FetchResponse>(to, bytes, version)
}

pub(super) fn encode_api_versions<'a>(
    to: Comparison<'a>,
    bytes: &Bytes,
    version: i16,
) -> io::Result<Comparison<'a>> {
    encode::<generated::ApiVersionsResponse, kafka_wire::ApiVersionsResponse>(to, bytes, version)
}

/// Checks the checksum, then makes a list of the records; there is no way in between.
pub(super) fn decode_records<'a>(to: Comparison<'a>, batch: &'a Bytes) -> Comparison<'a> {
    to.contender("kafka-protocol, decoded", move || {
        let _ = black_box(RecordBatchDecoder::decode(&mut black_box(batch).clone()));
    })
}
