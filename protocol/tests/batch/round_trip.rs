//! Whatever is built is read back as it was meant, valid, and by everyone alike.

use proptest::collection::vec;
use proptest::prelude::*;
use strandline_protocol::batch::{
    BatchBuilder, BatchError, BatchView, BuildError, HEADER_BYTES, NO_SEQUENCE, NewRecord, Origin,
    RecordHeader, SharedBatch, TimestampType, batches, shared_batches,
};
use strandline_protocol::{Bytes, Compression};

use crate::generate::{BatchPlan, OwnedRecord, batch, read, record};
use crate::make::{BYTES_MAX, NOW, validate};
use crate::model;

fn plain_section(plan: &BatchPlan) -> Bytes {
    BatchPlan { compression: Compression::None, ..plan.clone() }.build().slice(HEADER_BYTES..)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_batch_is_read_as_it_was_built(plan in batch()) {
        let bytes = plan.build();
        let view = BatchView::parse_only(&bytes).unwrap();
        let header = view.header();
        prop_assert_eq!(header.total_bytes(), bytes.len());
        prop_assert_eq!(header.base_offset, plan.base_offset);
        prop_assert_eq!(header.partition_leader_epoch, plan.leader_epoch);
        prop_assert_eq!(header.attributes.compression(), Ok(plan.compression));
        prop_assert_eq!(header.attributes.is_transactional(), plan.transactional);
        prop_assert!(!header.attributes.is_control());
        let (id, epoch, sequence) = plan.producer.unwrap_or((-1, -1, NO_SEQUENCE));
        prop_assert_eq!((header.producer_id, header.producer_epoch), (id, epoch));
        prop_assert_eq!(header.base_sequence, sequence);
        let times: Vec<_> = plan.expected().iter().map(|(_, record)| record.timestamp).collect();
        prop_assert_eq!(header.max_timestamp, *times.iter().max().unwrap());
        prop_assert_eq!(header.last_offset(), plan.base_offset + i64::try_from(times.len()).unwrap() - 1);

        prop_assert_eq!(read(&view), Ok(plan.expected()));
        let summary = validate(&bytes, Origin::Producer);
        let modelled = model::summary(header, &plain_section(&plan), Origin::Producer);
        prop_assert_eq!(summary.clone().ok(), modelled);
        prop_assert_eq!(summary.clone(), validate(&bytes, Origin::Log));
        prop_assert_eq!(summary.unwrap().agrees_with(header), plan.append_time.is_none());
    }

    #[test]
    fn a_shared_batch_shares_the_frame(plan in batch(), junk in vec(any::<u8>(), 0..9)) {
        // In the middle of a frame, as a request has it.
        let batch = plan.build();
        let frame = Bytes::from([&junk[..], &batch, &junk].concat());
        let shared = SharedBatch::parse(frame.slice(junk.len()..)).unwrap();
        prop_assert_eq!(shared.bytes(), &batch);
        prop_assert!(inside(&frame, shared.bytes()));
        prop_assert_eq!(read(&shared.view()), Ok(plan.expected()));

        let section = shared.records(BYTES_MAX).unwrap();
        for (record, (offset, expected)) in section.iter().zip(plan.expected()) {
            let record = record.unwrap();
            prop_assert_eq!(OwnedRecord::of(&record), Ok((offset, expected)));
            let headers = record.headers.filter_map(|header| header.unwrap().value);
            for part in record.key.into_iter().chain(record.value).chain(headers) {
                let kept = section.share(part);
                prop_assert_eq!(&kept, part);
                prop_assert!(part.is_empty() || kept.as_ptr() == part.as_ptr());
                let shares_frame = plan.compression == Compression::None;
                prop_assert!(part.is_empty() || inside(&frame, &kept) == shares_frame);
            }
        }
    }

    #[test]
    fn a_field_comes_apart_into_its_batches(plans in vec(batch(), 0..5), cut: proptest::sample::Index) {
        let whole: Vec<_> = plans.iter().map(BatchPlan::build).collect();
        let field = Bytes::from(whole.concat());
        let apart: Vec<_> = batches(&field).map(|batch| batch.unwrap().bytes()).collect();
        prop_assert_eq!(&apart, &whole);

        // Cut off anywhere, the whole ones still come out and the rest is left over.
        let cut = cut.index(field.len() + 1);
        let mut borrowed = batches(&field[..cut]);
        let found: Vec<_> = borrowed.by_ref().map(|batch| batch.map(|view| view.bytes().len())).collect();
        let shared = shared_batches(field.slice(..cut)).map(|batch| batch.map(|batch| batch.bytes().len()));
        prop_assert_eq!(&found, &shared.collect::<Vec<_>>());
        let taken: usize = found.iter().flatten().sum();
        prop_assert_eq!(borrowed.rest(), &field[taken..cut]);
        let cut_short =
            |last: &Result<usize, BatchError>| last.as_ref().is_err_and(BatchError::is_incomplete);
        prop_assert_eq!(found.last().is_some_and(cut_short), taken < cut);
        prop_assert_eq!(found.iter().filter(|batch| batch.is_err()).count(), usize::from(taken < cut));
    }

    #[test]
    fn the_builder_knows_its_length(records in vec(record(), 1..8)) {
        let mut builder = BatchBuilder::new();
        prop_assert_eq!(builder.bytes(), HEADER_BYTES);
        for (place, record) in records.iter().enumerate() {
            let announced = record.with(|record| builder.bytes_with(record));
            prop_assert_eq!(record.with(|record| builder.append(record)), Ok(i32::try_from(place).unwrap()));
            prop_assert_eq!(builder.bytes(), announced);
        }
        let announced = builder.bytes();
        prop_assert_eq!(builder.build().unwrap().len(), announced);
    }
}

fn inside(frame: &Bytes, part: &[u8]) -> bool {
    let frame = frame.as_ptr_range();
    frame.start <= part.as_ptr_range().start && part.as_ptr_range().end <= frame.end
}

#[test]
fn headers_keep_their_order_and_repeats() {
    let headers = [
        RecordHeader::new("a", Some(b"1")),
        RecordHeader::new("b", None),
        RecordHeader::new("a", Some(b"2")),
        RecordHeader::new("a", Some(b"1")),
        RecordHeader::new("", Some(b"")),
    ];
    let mut builder = BatchBuilder::new();
    builder.append(&NewRecord { headers: &headers, ..NewRecord::at(NOW) }).unwrap();
    let bytes = builder.build().unwrap();
    let section = BatchView::parse(&bytes).unwrap().records(0).unwrap();
    let record = section.iter().next().unwrap().unwrap();
    assert_eq!(record.headers.count(), 5);
    assert_eq!(record.headers.collect::<Result<Vec<_>, _>>().unwrap(), headers);
    assert_eq!(record.headers.last("a"), Some(Some(&b"1"[..])));
    assert_eq!((record.headers.last("b"), record.headers.last("c")), (Some(None), None));
}

#[test]
fn compaction_leaves_gaps_and_a_log_accepts_them() {
    let mut builder = BatchBuilder::new().base_offset(100).delete_horizon(NOW + 7);
    for (offset_delta, timestamp) in [(1, NOW), (4, NOW - 9), (5, -1)] {
        builder.append_at(offset_delta, &NewRecord::at(timestamp)).unwrap();
    }
    builder.end_at(8).unwrap();
    let bytes = builder.build().unwrap();
    let view = BatchView::parse(&bytes).unwrap();
    let places: Vec<_> = read(&view).unwrap().iter().map(|(at, record)| (*at, record.timestamp)).collect();
    assert_eq!(places, [(101, NOW), (104, NOW - 9), (105, -1)]);
    assert_eq!((view.header().last_offset(), view.header().delete_horizon_ms()), (108, Some(NOW + 7)));
    assert_eq!(view.header().max_timestamp, NOW);
    let summary = validate(&bytes, Origin::Log).unwrap();
    assert_eq!((summary.timestamp_max_offset_delta, summary.timestamp_min), (1, Some(NOW - 9)));
    assert!(validate(&bytes, Origin::Producer).is_err());
}

#[test]
fn append_time_counts_for_every_record() {
    let mut builder = BatchBuilder::new().log_append_time(NOW);
    for timestamp in [5, -1, NOW + 5] {
        builder.append(&NewRecord::at(timestamp)).unwrap();
    }
    let bytes = builder.build().unwrap();
    let view = BatchView::parse(&bytes).unwrap();
    assert_eq!(view.header().attributes.timestamp_type(), TimestampType::LogAppendTime);
    assert!(read(&view).unwrap().iter().all(|(_, record)| record.timestamp == NOW));
}

#[test]
fn what_makes_no_sense_is_not_built() {
    let one = |mut builder: BatchBuilder| {
        builder.append(&NewRecord::at(NOW)).and_then(|_| builder.build()).unwrap_err()
    };
    let new = BatchBuilder::new;
    assert_eq!(new().build().unwrap_err(), BuildError::Empty);
    assert_eq!(one(new().transactional(true)), BuildError::TransactionalWithoutProducer);
    for (epoch, sequence) in [(-1, 0), (0, -1)] {
        let incomplete =
            BuildError::ProducerIncomplete { producer_id: 5, producer_epoch: epoch, base_sequence: sequence };
        assert_eq!(one(new().producer(5, epoch, sequence)), incomplete);
    }
    assert_eq!(one(new().log_append_time(-1)), BuildError::Timestamp(-1));
    assert_eq!(one(new().delete_horizon(-1)), BuildError::Timestamp(-1));
    assert_eq!(one(new().control(true)), BuildError::ControlMixed);
    assert_eq!(new().append(&NewRecord::at(-2)), Err(BuildError::Timestamp(-2)));
    let mut builder = new();
    builder.append_at(3, &NewRecord::at(NOW)).unwrap();
    let falling = BuildError::OffsetDelta { expected: 4, found: 3 };
    assert_eq!(builder.append_at(3, &NewRecord::at(NOW)), Err(falling));
    assert_eq!(builder.end_at(2), Err(BuildError::OffsetDelta { expected: 3, found: 2 }));
    assert_eq!(builder.record_count(), 1);
}

#[test]
fn a_refused_record_leaves_the_batch_as_it_was() {
    let mut builder = BatchBuilder::new();
    builder.append(&NewRecord::at(-1)).unwrap();
    let before = builder.clone().build().unwrap();
    // From -1 to the end of time is further than a difference can say.
    assert_eq!(builder.append(&NewRecord::at(i64::MAX)), Err(BuildError::Timestamp(i64::MAX)));
    assert_eq!(builder.append(&NewRecord::at(-2)), Err(BuildError::Timestamp(-2)));
    assert_eq!(builder.build().unwrap(), before);
}

#[test]
fn sequence_numbers_start_again_at_zero() {
    let mut builder = BatchBuilder::new().producer(1, 0, i32::MAX - 1);
    for _ in 0..4 {
        builder.append(&NewRecord::at(NOW)).unwrap();
    }
    let bytes = builder.build().unwrap();
    assert_eq!(BatchView::parse(&bytes).unwrap().header().last_sequence(), 1);
    assert!(validate(&bytes, Origin::Producer).is_ok());
}
