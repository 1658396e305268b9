//! Batches put together by hand, so that they can be wrong in any way and still have the right checksum.

use strandline_protocol::batch::{
    Attributes, BatchError, BatchHeader, BatchSummary, BatchView, HEADER_BYTES, NO_LEADER_EPOCH,
    NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, Origin,
};

/// Some time in 2023.
pub(crate) const NOW: i64 = 1_700_000_000_000;

/// The cap on decompressed records.
pub(crate) const BYTES_MAX: usize = 1 << 20;

/// What a broker does with the records field of a produce request.
pub(crate) fn validate(field: &[u8], origin: Origin) -> Result<BatchSummary, BatchError> {
    BatchView::parse_only(field)?.validate(origin, BYTES_MAX)
}

/// The header of a plain batch of so many records at [`NOW`].
pub(crate) fn header(record_count: i32) -> BatchHeader {
    BatchHeader {
        base_offset: 0,
        batch_length: 0,
        partition_leader_epoch: NO_LEADER_EPOCH,
        crc: 0,
        attributes: Attributes::default(),
        last_offset_delta: record_count - 1,
        base_timestamp: NOW,
        max_timestamp: NOW,
        producer_id: NO_PRODUCER_ID,
        producer_epoch: NO_PRODUCER_EPOCH,
        base_sequence: NO_SEQUENCE,
        record_count,
    }
}

/// The batch of this header and these records, with the length and the checksum that belong to them.
pub(crate) fn sealed(mut header: BatchHeader, records: &[u8]) -> Vec<u8> {
    header.batch_length = i32::try_from(HEADER_BYTES - 12 + records.len()).unwrap();
    let mut bytes = [&header.encode()[..], records].concat();
    reseal(&mut bytes);
    bytes
}

/// Makes the checksum true again.
pub(crate) fn reseal(batch: &mut [u8]) {
    let checksum = crc32c::crc32c(&batch[21..]);
    batch[17..21].copy_from_slice(&checksum.to_be_bytes());
}

/// A signed varint, the long way.
pub(crate) fn varint(value: i64) -> Vec<u8> {
    let mut raw = ((value << 1) ^ (value >> 63)).cast_unsigned();
    let mut bytes = Vec::new();
    loop {
        let low = raw.to_le_bytes()[0] & 0x7F;
        raw >>= 7;
        if raw == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// A record of these fields, with its length in front.
pub(crate) fn framed(fields: &[&[u8]]) -> Vec<u8> {
    let body = fields.concat();
    [varint(i64::try_from(body.len()).unwrap()), body].concat()
}

/// A record without key and headers: eight bytes, of which the value is the last but one.
pub(crate) fn plain(offset_delta: u8) -> Vec<u8> {
    assert!(offset_delta < 64);
    framed(&[&[0, 0, 2 * offset_delta, 1, 2, b'v', 0]])
}
