//! What a batch's records mean, read the slow and obvious way: a second opinion that shares no code with the
//! first.

use strandline_protocol::batch::{BatchHeader, BatchSummary, NO_TIMESTAMP, Origin, TimestampType};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ModelRecord {
    pub(crate) attributes: u8,
    pub(crate) timestamp_delta: i64,
    pub(crate) offset_delta: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

/// Exactly `count` records and nothing else, or `None`.
pub(crate) fn records(section: &[u8], count: i32) -> Option<Vec<ModelRecord>> {
    let mut input = Input(section);
    let records = (0..count).map(|_| record(&mut input)).collect::<Option<_>>()?;
    input.0.is_empty().then_some(records)
}

fn record(input: &mut Input<'_>) -> Option<ModelRecord> {
    let length = input.length()?;
    let mut body = Input(input.take(length)?);
    let record = ModelRecord {
        attributes: body.take(1)?[0],
        timestamp_delta: body.varint(64)?,
        offset_delta: body.varint(32)?,
        key: body.nullable()?,
        value: body.nullable()?,
        headers: {
            let count = body.length()?;
            (0..count)
                .map(|_| {
                    let length = body.length()?;
                    Some((body.take(length)?.to_vec(), body.nullable()?))
                })
                .collect::<Option<_>>()?
        },
    };
    body.0.is_empty().then_some(record)
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn varint(&mut self, bits: u32) -> Option<i64> {
        let mut raw = 0u128;
        for position in 0..bits.div_ceil(7) {
            let byte = self.take(1)?[0];
            raw |= u128::from(byte & 0x7F) << (7 * position);
            if byte < 0x80 {
                let half = i64::try_from(raw >> 1).ok().filter(|_| raw >> bits == 0)?;
                return Some(if raw & 1 == 0 { half } else { !half });
            }
        }
        None
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.varint(32)?).ok()
    }

    fn nullable(&mut self) -> Option<Option<Vec<u8>>> {
        match self.varint(32)? {
            -1 => Some(None),
            length => Some(Some(self.take(usize::try_from(length).ok()?)?.to_vec())),
        }
    }
}

/// What validation should say of a batch that holds no control records: a summary, or that it is invalid.
pub(crate) fn summary(header: &BatchHeader, section: &[u8], origin: Origin) -> Option<BatchSummary> {
    let BatchHeader { record_count, base_timestamp, .. } = *header;
    let last = i64::from(header.last_offset_delta);
    let counts = match origin {
        Origin::Producer => record_count > 0 && last == i64::from(record_count) - 1,
        Origin::Log => record_count >= 0 && last >= 0 && last >= i64::from(record_count) - 1,
    };
    let records = records(section, record_count).filter(|_| counts)?;

    let mut timestamps = Vec::new();
    let mut lowest = 0;
    for record in &records {
        let fits = match origin {
            Origin::Producer => record.offset_delta == lowest && record.attributes & 7 == 0,
            Origin::Log => (lowest..=last).contains(&record.offset_delta),
        };
        lowest = record.offset_delta + 1;
        timestamps.push(match header.attributes.timestamp_type() {
            TimestampType::CreateTime => base_timestamp.checked_add(record.timestamp_delta)?,
            TimestampType::LogAppendTime => header.max_timestamp,
        });
        fits.then_some(())?;
    }

    let timestamp_max = timestamps.iter().copied().fold(NO_TIMESTAMP, i64::max);
    let first_max = timestamps.iter().position(|&time| time == timestamp_max && time > NO_TIMESTAMP);
    let first_without_key = records.iter().position(|record| record.key.is_none());
    Some(BatchSummary {
        record_count: u32::try_from(records.len()).unwrap(),
        timestamp_min: timestamps.iter().copied().filter(|&time| time != NO_TIMESTAMP).min(),
        timestamp_max,
        timestamp_max_offset_delta: first_max
            .map_or(0, |place| i32::try_from(records[place].offset_delta).unwrap()),
        first_without_key: first_without_key.map(|place| u32::try_from(place).unwrap()),
        record_bytes: section.len(),
    })
}
