//! How far things go and no further: readers, retention, compaction, and what is refused.

use super::super::{Chain, Offsets, ReadLimits};
use super::rules::{fill, in_memory, small_segments};
use super::*;
use crate::config::Cleanup;

fn offsets_of(read: &ReadOut) -> Vec<i64> {
    let mut offsets = Vec::new();
    for bytes in read.slices.iter().map(|slice| slice.read().unwrap()) {
        for batch in strandline_protocol::batch::batches(&bytes).map_while(Result::ok) {
            offsets.push(batch.header().base_offset);
        }
    }
    offsets
}

#[test]
fn a_reader_gets_as_far_as_it_may_and_at_least_a_batch_if_it_takes_one() {
    for is_flushed in [false, true] {
        let mut rig = Rig::new(90);
        let id = rig.create(LogConfig::default()).id();
        fill(&mut rig, id, 0..10);
        if is_flushed {
            rig.clock.advance(60_000);
            rig.settle();
        }
        rig.call(Command::SetHighWatermark { partition: id, offset: 6 }).unwrap();
        let partition = rig.partition(id);
        let read = |offset, bytes_max, takes_one, up_to| {
            let limits = ReadLimits { bytes_max, takes_one, up_to };
            offsets_of(&partition.read_within(offset, limits).unwrap())
        };
        // Where it comes from a file, one read may end before that.
        let read_on = |mut offset: i64, up_to| {
            let mut offsets = Vec::new();
            while let Some(last) = read(offset, 1 << 20, true, up_to).last().copied() {
                offsets.extend(offset..=last);
                offset = last + 1;
            }
            offsets
        };
        assert_eq!(read_on(2, UpTo::HighWatermark), [2, 3, 4, 5]);
        assert_eq!(read_on(2, UpTo::End), (2..10).collect::<Vec<_>>());
        assert_eq!(read(6, 1 << 20, true, UpTo::HighWatermark), Vec::<i64>::new());
        assert_eq!(read(3, 1, true, UpTo::End), [3]);
        assert_eq!(read(3, 1, false, UpTo::End), Vec::<i64>::new());
        // A file's range ends where a batch is known to begin.
        let expected: &[i64] = if is_flushed { &[3] } else { &[3, 4] };
        assert_eq!(read(3, 2_500, false, UpTo::End), expected);
        rig.call(Command::SetHighWatermark { partition: id, offset: 2 }).unwrap();
        assert_eq!(partition.offsets().high_watermark, 6, "it never goes back");
        rig.call(Command::SetHighWatermark { partition: id, offset: 99 }).unwrap();
        assert_eq!(partition.offsets().high_watermark, 10, "nor beyond the end");
    }
}

#[test]
fn what_is_read_from_memory_is_not_copied() {
    let mut rig = Rig::new(96);
    rig.options.tail_budget = Budget::new(8 << 20);
    rig.recover().unwrap();
    let id = rig.create(LogConfig::default()).id();
    fill(&mut rig, id, 0..3);
    let partition = rig.partition(id);
    let places = || -> Vec<_> {
        let read = partition.read(0, 1 << 20, UpTo::End).unwrap();
        let place = |slice: &Slice| match slice {
            Slice::Memory(slice) => slice.as_ref().as_ptr(),
            _ => panic!("it is in memory"),
        };
        read.slices.iter().map(place).collect()
    };
    assert_eq!((places().len(), places()), (3, places()));
}

#[test]
fn a_wall_clock_that_jumps_takes_nothing_for_old() {
    let mut rig = Rig::new(91);
    rig.clock.set_wall_ms(1_700_000_000_000);
    rig.recover().unwrap();
    let id = rig.create(LogConfig { retention_ms: 3_600_000, ..small_segments() }).id();
    let value = [1; 1_000];
    for _ in 0..30 {
        let mut builder = BatchBuilder::new();
        builder.append(&NewRecord { value: Some(&value), ..NewRecord::at(1_700_000_000_000) }).unwrap();
        rig.append(id, builder.build().unwrap()).unwrap();
    }
    let start_after = |rig: &mut Rig| {
        rig.clock.advance(60_000);
        rig.settle();
        rig.clock.advance(60_000);
        rig.settle();
        rig.partition(id).offsets().start
    };
    assert_eq!(start_after(&mut rig), 0);
    rig.clock.set_wall_ms(2_000_000_000_000);
    assert_eq!(start_after(&mut rig), 0, "a clock that was set is not believed at once");
    // It stays so long enough.
    rig.clock.advance(90_000_000);
    assert!(start_after(&mut rig) > 20);
}

#[test]
fn a_log_that_compacts_and_deletes_does_both_and_leaves_the_active_segment_alone() {
    let mut rig = Rig::new(92);
    let cleanup = Cleanup { deletes: true, compacts: true };
    let retention_bytes = 40_000;
    let id =
        rig.create(LogConfig { cleanup, retention_bytes, dirty_ratio_min: 0.1, ..small_segments() }).id();
    let mut next = 0_u32;
    let mut append_keys = |rig: &mut Rig, count: u32, keys: u32| {
        for number in next..next + count {
            rig.append(id, keyed(number % keys, &[1; 1_000])).unwrap();
        }
        next += count;
        for _ in 0..6 {
            rig.clock.advance(60_000);
            rig.settle();
        }
    };
    // The last segment has some of them twice.
    append_keys(&mut rig, 33, 3);
    let partition = rig.partition(id);
    assert_eq!(partition.offsets().start, 0, "compaction made it small enough");
    assert!(read_all(&partition, 0).len() < 20);
    let generations: Vec<_> =
        partition.view().segments.iter().map(|segment| (segment.generation(), segment.is_sealed())).collect();
    assert!(generations.iter().any(|(generation, _)| *generation > 0), "{generations:?}");
    assert_eq!(generations.last(), Some(&(0, false)), "{generations:?}");
    append_keys(&mut rig, 100, 100);
    let partition = rig.partition(id);
    assert!(partition.offsets().start > 30, "all keys are live: the oldest segments go for their size");
    let left = read_all(&partition, partition.offsets().start).len();
    assert!(left * 1_100 >= 40_000, "no less than allowed stays: {left}");
}

type Record = (i64, Vec<u8>);

/// All that can be seen of a log.
fn whole(rig: &mut Rig, id: LocalId) -> (Offsets, Vec<Record>, Option<i32>) {
    let partition = rig.partition(id);
    let offsets = partition.offsets();
    (offsets, read_all(&partition, offsets.start), partition.latest_epoch())
}

#[test]
fn what_is_refused_is_told_why_and_leaves_the_log_as_it_was() {
    for config in [small_segments(), in_memory()] {
        let mut rig = Rig::new(93);
        let id = rig.create(config).id();
        fill(&mut rig, id, 0..20);
        rig.call(Command::SetLogStart { partition: id, start_offset: 5 }).unwrap();
        let before = whole(&mut rig, id);
        let with = |leader_epoch, sender, bytes: Bytes| Command::Append {
            partition: id,
            leader_epoch,
            sender,
            batch: NewBatch::validated(bytes).unwrap(),
        };
        let at = |base_offset| {
            let mut builder = BatchBuilder::new().base_offset(base_offset).partition_leader_epoch(1);
            builder.append(&NewRecord { value: Some(b"x"), ..NewRecord::at(1_000) }).unwrap();
            builder.build().unwrap()
        };
        let small = batch(&[b"x"]);
        let refused: [(Command, IsTold); 7] = [
            (Command::Truncate { partition: id, end_offset: 4 }, is_out_of_range),
            (Command::Truncate { partition: id, end_offset: 21 }, is_out_of_range),
            (Command::SetLogStart { partition: id, start_offset: 21 }, is_out_of_range),
            (with(0, Sender::Client, small), |it| {
                matches!(it, Refusal::EpochGoesBack { epoch: 0, latest: 1 })
            }),
            (with(1, Sender::Leader, at(19)), |it| {
                matches!(it, Refusal::OffsetGoesBack { base_offset: 19, end_offset: 20 })
            }),
            (with(1, Sender::Client, batch(&[&[1; 9_000]])), |it| matches!(it, Refusal::TooLarge { .. })),
            (with(1, Sender::Leader, at(i64::MAX)), |it| matches!(it, Refusal::OffsetsUsedUp)),
        ];
        for (command, is_told) in refused {
            let what = format!("{command:?}");
            let refusal = rig.call(command).unwrap_err();
            assert!(is_told(&refusal), "{what}: {refusal}");
            assert_eq!(whole(&mut rig, id), before, "{what}");
        }
        let unknown = Command::Delete { partition: LocalId(77) };
        assert!(matches!(rig.call(unknown), Err(Refusal::UnknownPartition)));
        assert!(matches!(rig.append(LocalId(77), batch(&[b"x"])), Err(Refusal::UnknownPartition)));
        rig.disk.kill();
        rig.recover().unwrap();
        assert_eq!(whole(&mut rig, id), before, "nor does it come back");
        assert_eq!(rig.append(id, batch(&[b"x"])).unwrap(), 20);
    }
}

/// Whether a refusal is the right one.
type IsTold = fn(&Refusal) -> bool;

fn is_out_of_range(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::OffsetOutOfRange { .. })
}

#[test]
fn bytes_that_are_no_batch_come_to_no_log() {
    let good = batch(&[b"a", b"b"]);
    for place in [8, 16, 17, 23, 57, good.len() - 1] {
        let mut bad = good.to_vec();
        bad[place] ^= 1;
        let refused = NewBatch::validate(bad.into(), strandline_protocol::batch::Origin::Producer, 1 << 20);
        assert!(refused.is_err(), "byte {place}");
    }
    assert!(NewBatch::validated(good.slice(..20)).is_err());
}

#[test]
fn a_local_id_is_never_given_twice_also_when_only_the_manifest_knows() {
    let mut rig = Rig::new(94);
    let mut last = rig.create(small_segments()).id();
    for _ in 0..4 {
        rig.call(Command::Delete { partition: last }).unwrap();
        for _ in 0..2 {
            // A file of the journal is full, and it is used again.
            let id = rig.create(small_segments()).id();
            assert!(id > last, "{id} after {last}");
            last = id;
            fill(&mut rig, id, 0..40);
            rig.call(Command::Delete { partition: id }).unwrap();
            rig.clock.advance(60_000);
            rig.settle();
        }
        rig.disk.crash();
        rig.recover().unwrap();
        assert!(rig.writer().partitions().is_empty());
        let id = rig.create(small_segments()).id();
        assert!(id > last, "{id} after {last}");
        assert_eq!(rig.partition(id).offsets().end, 0, "it has nothing of others");
        last = id;
    }
}

#[test]
fn what_a_row_includes_is_not_replayed_and_what_it_does_not_is() {
    let mut rig = Rig::new(97);
    rig.options.flush_bytes = 1 << 30;
    rig.recover().unwrap();
    let [large, small] = [(); 2].map(|()| rig.create(small_segments()).id());
    let mut expected = fill(&mut rig, large, 0..46);
    let other = fill(&mut rig, small, 0..1);
    // The journal is half full in here. Frames of both are behind the middle, up to which all is flushed.
    expected.extend(fill(&mut rig, large, 46..60));
    let checkpoint = rig.writer().manifest.meta().checkpoint;
    let writer = rig.writer();
    assert!(checkpoint > 0 && writer.logs[&small].first_unflushed == Some(checkpoint + 1));
    let flushed_to = writer.logs[&large].flushed_to;
    assert!(flushed_to > 47, "{flushed_to}: some of it comes behind the other's");
    rig.disk.crash();
    rig.recover().unwrap();
    assert_records(&read_all(&rig.partition(large), 0), &expected, "the row has it");
    assert_records(&read_all(&rig.partition(small), 0), &other, "the journal has it");
}

/// Otherwise frames that come after would have the number of one that a row includes, and not be replayed.
#[test]
fn a_last_frame_that_a_row_includes_has_rotted_and_is_not_taken_for_torn() {
    let mut rig = Rig::new(98);
    rig.options.flush_bytes = 1 << 30;
    rig.recover().unwrap();
    let [large, small] = [(); 2].map(|()| rig.create(small_segments()).id());
    fill(&mut rig, large, 0..46);
    let other = fill(&mut rig, small, 0..1);
    let last = (46..100).find(|number| {
        fill(&mut rig, large, *number..*number + 1);
        rig.writer().manifest.meta().checkpoint > 0
    });
    // All of one partition is in segments, as the manifest says; something older of the other is not.
    let writer = rig.writer();
    let last_frame = writer.published;
    assert!(writer.logs[&large].first_unflushed.is_none() && writer.logs[&small].first_unflushed.is_some());
    assert!(writer.manifest.meta().checkpoint < last_frame);
    let value = [u8::try_from(last.unwrap()).unwrap(); 900];
    let journal = Layout::new(PathBuf::from("/data")).journal();
    rig.disk.kill();
    let mut places = Vec::new();
    for entry in rig.disk.list(&journal).unwrap() {
        let path = journal.join(&entry.name);
        let file = rig.disk.open(&path, crate::disk::Access::Read).unwrap();
        let mut bytes = vec![0; usize::try_from(file.length().unwrap()).unwrap()];
        file.read_at(&mut bytes, 0).unwrap();
        places.extend(bytes.windows(900).position(|window| window == value).map(|place| (path, place)));
    }
    let [(path, place)] = &places[..] else { panic!("{places:?}") };
    rig.disk.flip_bit(path, *place as u64, 0).unwrap();
    for _ in 0..2 {
        // It stays so: nothing is written in its place.
        assert!(matches!(rig.recover(), Err(EngineError::Journal(journal::Error::Corrupt { .. }))));
        rig.disk.kill();
    }
    rig.disk.flip_bit(path, *place as u64, 0).unwrap();
    rig.recover().unwrap();
    assert_records(&read_all(&rig.partition(small), 0), &other, "all");
}

#[test]
fn producers_are_what_they_were_at_a_cut() {
    let mut rig = Rig::new(95);
    let id = rig.create(small_segments()).id();
    let sent = |producer: i64, sequence: i32| {
        let mut builder = BatchBuilder::new().producer(producer, 0, sequence);
        builder.append(&NewRecord { value: Some(&[1; 1_000]), ..NewRecord::at(1_000) }).unwrap();
        append(id, builder.build().unwrap())
    };
    let base = |outcome: Outcome| match outcome {
        Ok(Done::Appended { base_offset, is_duplicate, .. }) => (base_offset, is_duplicate),
        other => panic!("{other:?}"),
    };
    assert_eq!(base(rig.call(sent(8, 0))), (0, false));
    for sequence in 0..40 {
        rig.call(sent(7, sequence)).unwrap();
        if sequence % 9 == 8 {
            rig.clock.advance(60_000);
            rig.settle();
        }
    }
    // What the first producer sent is not there any more to be read again.
    rig.call(Command::SetLogStart { partition: id, start_offset: 15 }).unwrap();
    rig.clock.advance(60_000);
    rig.settle();
    rig.call(Command::Truncate { partition: id, end_offset: 33 }).unwrap();
    for _ in 0..2 {
        assert_eq!(base(rig.call(sent(7, 31))), (32, true), "the last one before the cut");
        assert!(matches!(rig.call(sent(7, 33)), Err(Refusal::Producer(_))), "one is missing before it");
        assert_eq!(base(rig.call(sent(8, 0))), (0, true), "what only a snapshot knows of");
        rig.disk.crash();
        rig.recover().unwrap();
    }
    assert_eq!(base(rig.call(sent(7, 32))), (33, false));
}

#[test]
fn what_follows_from_a_refused_batch_is_refused_and_nothing_else_is() {
    let mut rig = Rig::new(66);
    let id = rig.create(LogConfig::default()).id();
    let chain = Chain::default();
    let chained = |leader_epoch| {
        let batch = NewBatch::validated(batch(&[b"x"])).unwrap().chained(&chain);
        Command::Append { partition: id, leader_epoch, sender: Sender::Coordinator, batch }
    };
    let tickets = [1, 0, 1, 1].map(|epoch| rig.send(chained(epoch)));
    let other = rig.send(append(id, batch(&[b"y"])));
    rig.settle();
    let [first, second, third, fourth] = tickets.map(|ticket| rig.answer(ticket).unwrap());
    assert!(matches!(first, Ok(Done::Appended { base_offset: 0, .. })));
    assert!(matches!(second, Err(Refusal::EpochGoesBack { .. })));
    assert!(matches!((third, fourth), (Err(Refusal::Unchained), Err(Refusal::Unchained))));
    assert!(matches!(rig.answer(other), Some(Ok(Done::Appended { base_offset: 1, .. }))));
    assert!(matches!(rig.call(chained(1)), Err(Refusal::Unchained)), "it stays so");
    assert_eq!(rig.partition(id).offsets().end, 2);
}
