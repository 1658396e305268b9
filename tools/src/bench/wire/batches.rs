//! Record batches: the checksum alone, what validation costs beside it, and how fast records are walked.

use std::hint::black_box;
use std::io::{self, Write};

use bytes::Bytes;
use strandline_protocol::batch::{BatchBuilder, BatchView, NewRecord, Origin};

use super::content::json_lines;
#[cfg(feature = "peers")]
use super::peers;
use crate::bench::Plan;
use crate::bench::measure::{Amount, Comparison};

const BATCH_BYTES: usize = 1 << 20;
const RECORD_SIZES: [(&str, usize); 2] = [("1 KiB", 1 << 10), ("100 B", 100)];

/// Any time will do, but it has to be one.
const TIMESTAMP: i64 = 1_700_000_000_000;

pub(super) fn run(plan: &Plan, out: &mut impl Write) -> io::Result<()> {
    for (name, value_bytes) in RECORD_SIZES {
        let batch = batch(value_bytes)?;
        validate(name, &batch, plan, out)?;
        iterate(name, &batch, plan, out)?;
    }
    Ok(())
}

/// A batch of 1 MiB, uncompressed, of values of this length.
fn batch(value_bytes: usize) -> io::Result<Bytes> {
    let values = json_lines(BATCH_BYTES);
    let mut builder = BatchBuilder::with_capacity(BATCH_BYTES);
    for value in values.chunks_exact(value_bytes) {
        let record = NewRecord { value: Some(value), ..NewRecord::at(TIMESTAMP) };
        if builder.bytes_with(&record) > BATCH_BYTES {
            break;
        }
        builder.append(&record).map_err(io::Error::other)?;
    }
    builder.build().map_err(io::Error::other)
}

fn validate(name: &str, batch: &Bytes, plan: &Plan, out: &mut impl Write) -> io::Result<()> {
    let title = format!("validate 1 MiB of {name} records");
    let comparison = Comparison::new(title, Amount::Bytes(batch.len()))
        .contender("strandline", || {
            let view = BatchView::parse(black_box(batch));
            let _ = black_box(view.and_then(|view| view.validate(Origin::Producer, BATCH_BYTES)));
        })
        .contender("crc32c alone", || _ = black_box(crc32c::crc32c(black_box(batch))));
    #[cfg(feature = "peers")]
    let comparison = peers::decode_records(comparison, batch);
    comparison.run(plan, out)
}

fn iterate(name: &str, batch: &Bytes, plan: &Plan, out: &mut impl Write) -> io::Result<()> {
    let view = BatchView::parse(batch).map_err(io::Error::other)?;
    let records = view.records(BATCH_BYTES).map_err(io::Error::other)?;
    Comparison::new(format!("iterate {name} records"), Amount::Records(records.count()))
        .contender("strandline", || {
            for record in black_box(&records).iter() {
                let _ = black_box(record);
            }
        })
        .run(plan, out)
}
