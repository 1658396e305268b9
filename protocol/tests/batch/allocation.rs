//! What reading costs in memory: nothing where the records are not compressed, the cap where they are.

use strandline_protocol::batch::{BatchBuilder, BatchView, NewRecord, Origin, RecordHeader, SharedBatch};
use strandline_protocol::{Bytes, Compression};

use crate::allocations::peak_bytes;
use crate::make::{BYTES_MAX, NOW, header, plain, sealed, validate};

fn many_records(compression: Compression) -> Bytes {
    let headers = [RecordHeader::new("trace", Some(b"a")), RecordHeader::new("trace", None)];
    let mut builder = BatchBuilder::new().compression(compression, None);
    for time in 0..5_000 {
        let record = NewRecord {
            key: Some(b"key"),
            value: Some(&[b'v'; 50]),
            headers: &headers,
            timestamp: NOW + time,
        };
        builder.append(&record).unwrap();
    }
    builder.build().unwrap()
}

fn value_bytes(batch: &BatchView<'_>) -> usize {
    let section = batch.records(BYTES_MAX).unwrap();
    section
        .iter()
        .map(|record| {
            let record = record.unwrap();
            let headers =
                record.headers.filter_map(|header| header.unwrap().value).map(<[u8]>::len).sum::<usize>();
            record.value.map_or(0, <[u8]>::len) + headers
        })
        .sum()
}

#[test]
fn plain_records_are_validated_and_read_without_any_allocation() {
    let bytes = many_records(Compression::None);
    for origin in [Origin::Producer, Origin::Log] {
        let (summary, peak) = peak_bytes(|| validate(&bytes, origin));
        assert_eq!((summary.unwrap().record_count, peak), (5_000, 0));
    }
    let (found, peak) = peak_bytes(|| value_bytes(&BatchView::parse(&bytes).unwrap()));
    assert_eq!((found, peak), (5_000 * 51, 0));
    let shared = SharedBatch::parse(bytes).unwrap();
    let (kept, peak) = peak_bytes(|| {
        let section = shared.records(0).unwrap();
        section.iter().map(|record| section.share(record.unwrap().value.unwrap()).len()).sum::<usize>()
    });
    // A buffer that is shared for the first time gets a counter, and that is all.
    assert!(kept == 5_000 * 50 && peak <= 64, "{peak} bytes");
}

#[test]
fn compressed_records_cost_their_own_length_once() {
    for compression in [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd] {
        let bytes = many_records(compression);
        let records = validate(&bytes, Origin::Producer).unwrap().record_bytes;
        let (found, peak) = peak_bytes(|| value_bytes(&BatchView::parse(&bytes).unwrap()));
        assert_eq!(found, 5_000 * 51);
        // Beside the records, the codec's tables and buffers, and room to grow.
        assert!(peak <= 2 * records + (512 << 10), "{compression}: {peak} bytes for {records}");
    }
}

#[test]
fn a_record_count_is_not_believed() {
    let mut liar = header(i32::MAX);
    liar.last_offset_delta = i32::MAX - 1;
    let bytes = sealed(liar, &plain(0));
    let (result, peak) = peak_bytes(|| validate(&bytes, Origin::Producer).is_err());
    assert!(result && peak == 0, "{peak} bytes");
    let view = BatchView::parse(&bytes).unwrap();
    let section = view.records(0).unwrap();
    let (lower, upper) = section.iter().size_hint();
    assert!(lower == 0 && upper.unwrap() <= 2);
    let (found, peak) = peak_bytes(|| section.iter().filter(Result::is_err).count());
    assert_eq!((found, peak), (1, 0));
}
