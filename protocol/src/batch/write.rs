//! How a record is written behind those before it. Reading is in `cursor` and `record`.

use bytes::{BufMut, BytesMut};

use super::builder::NewRecord;
use crate::varint::{EncodedVarint, signed_length};

/// A record with its place in the batch, and with its length worked out.
#[derive(Clone, Copy, Debug)]
pub(super) struct PlacedRecord<'a> {
    record: &'a NewRecord<'a>,
    offset_delta: i32,
    timestamp_delta: i64,
    // What follows the record's length field.
    body_bytes: usize,
}

impl<'a> PlacedRecord<'a> {
    pub(super) fn new(record: &'a NewRecord<'a>, offset_delta: i32, timestamp_delta: i64) -> Self {
        let headers = record
            .headers
            .iter()
            .map(|header| bytes_length(Some(header.key)).saturating_add(bytes_length(header.value)));
        let body_bytes = [
            1,
            signed_length(timestamp_delta),
            signed_length(i64::from(offset_delta)),
            bytes_length(record.key),
            bytes_length(record.value),
            signed_length(signed(Some(record.headers.len()))),
        ]
        .into_iter()
        .chain(headers)
        .fold(0, usize::saturating_add);
        Self { record, offset_delta, timestamp_delta, body_bytes }
    }

    /// Bytes that the record takes.
    pub(super) fn bytes(&self) -> usize {
        self.body_bytes.saturating_add(signed_length(signed(Some(self.body_bytes))))
    }

    pub(super) fn write(&self, buffer: &mut BytesMut) {
        put_length(buffer, Some(self.body_bytes));
        // The attributes, of which none are in use.
        buffer.put_u8(0);
        put_varint(buffer, self.timestamp_delta);
        put_varint(buffer, i64::from(self.offset_delta));
        put_bytes(buffer, self.record.key);
        put_bytes(buffer, self.record.value);
        put_length(buffer, Some(self.record.headers.len()));
        for header in self.record.headers {
            put_bytes(buffer, Some(header.key));
            put_bytes(buffer, header.value);
        }
    }
}

fn put_bytes(buffer: &mut BytesMut, bytes: Option<&[u8]>) {
    put_length(buffer, bytes.map(<[u8]>::len));
    buffer.put_slice(bytes.unwrap_or_default());
}

fn put_length(buffer: &mut BytesMut, length: Option<usize>) {
    put_varint(buffer, signed(length));
}

fn put_varint(buffer: &mut BytesMut, value: i64) {
    buffer.put_slice(EncodedVarint::signed(value).as_slice());
}

/// What `put_bytes` writes.
fn bytes_length(bytes: Option<&[u8]>) -> usize {
    signed_length(signed(bytes.map(<[u8]>::len))).saturating_add(bytes.map_or(0, <[u8]>::len))
}

/// A length as it is written, null being -1.
fn signed(length: Option<usize>) -> i64 {
    length.map_or(-1, |length| i64::try_from(length).unwrap_or(i64::MAX))
}
