//! Tests of the memory that ranges of files are read into, and of what is read before somebody asks for it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::{io, thread};

use super::loaded::{MEMORIES_MAX, MEMORY_BYTES, Pool};
use super::loads::{Loads, OTHERS_MAX};
use crate::disk::BLOCK_BYTES;

fn content(at: u64) -> u8 {
    u8::try_from(at * 31 % 251).unwrap()
}

/// A file of so many bytes, read in whole blocks.
fn file(length: u64) -> impl Fn(&mut [u8], u64) -> io::Result<usize> {
    move |room, at| {
        assert!(at.is_multiple_of(BLOCK_BYTES as u64) && room.len().is_multiple_of(BLOCK_BYTES));
        let bytes = usize::try_from(length.saturating_sub(at)).unwrap().min(room.len());
        room[..bytes].iter_mut().zip(at..).for_each(|(byte, at)| *byte = content(at));
        Ok(bytes)
    }
}

#[test]
fn a_range_is_what_lies_in_the_file() {
    let pool = Pool::default();
    for range in [5_000..5_001, 4_096..8_192, 10_001..300_000, 299_000..300_001] {
        let mut loaded = pool.begin(range.start).unwrap();
        loaded.fill(range.end, file(300_001)).unwrap();
        let bytes = loaded.into_bytes(&range).unwrap();
        assert!(bytes.iter().copied().eq(range.map(content)));
    }
    let mut loaded = pool.begin(299_000).unwrap();
    let error = loaded.fill(300_002, file(300_001)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    assert!(loaded.into_bytes(&(299_000..300_002)).is_none());
    let too_much = pool.begin(0).unwrap().fill(MEMORY_BYTES as u64 + 1, file(u64::MAX));
    assert_eq!(too_much.unwrap_err().kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn where_reading_goes_on_the_block_that_it_ended_in_is_read_again() {
    let pool = Pool::default();
    let mut loaded = pool.begin(0).unwrap();
    // Behind the end lies what is not good yet.
    let early = |room: &mut [u8], at: u64| file(u64::MAX)(room, at).inspect(|_| room[5_000..].fill(0));
    loaded.fill(5_000, early).unwrap();
    loaded.fill(9_000, file(9_000)).unwrap();
    assert!(loaded.into_bytes(&(0..9_000)).unwrap().iter().copied().eq((0..9_000).map(content)));
}

#[test]
fn there_is_so_much_memory_and_no_more_and_it_comes_back() {
    let pool = Pool::default();
    for _ in 0..3 {
        let mut all: Vec<_> = (0..MEMORIES_MAX).map(|_| pool.begin(7).unwrap()).collect();
        assert!(pool.begin(7).is_none());
        let mut one = all.pop().unwrap();
        one.fill(100, file(100)).unwrap();
        let bytes = one.into_bytes(&(7..100)).unwrap();
        assert!(pool.begin(7).is_none(), "somebody sends it");
        let again = bytes.slice(1..3);
        drop(bytes);
        assert!(pool.begin(7).is_none() && *again == [content(8), content(9)]);
        drop(again);
        assert!(pool.begin(7).is_some());
    }
}

#[test]
fn whoever_comes_for_what_is_being_read_waits_for_it() {
    let loads = Loads::default();
    let loading = loads.begin_ahead(3, 1_000..9_000);
    assert!(loads.take(3, 999).is_none() && loads.take(3, 9_000).is_none() && loads.take(4, 1_000).is_none());
    thread::scope(|scope| {
        let looking = scope.spawn(|| {
            let mut bytes = [0; 2];
            (loads.copy(3, 2_000, &mut bytes), bytes)
        });
        thread::yield_now();
        loading.run(&loads, file(9_000));
        assert_eq!(looking.join().unwrap(), (true, [content(2_000), content(2_001)]));
    });
    assert!(!loads.copy(3, 8_999, &mut [0; 2]), "there is only one");
    let loaded = loads.take(3, 2_000).unwrap();
    assert!(loaded.into_bytes(&(2_000..9_000)).unwrap().iter().copied().eq((2_000..9_000).map(content)));
    assert!(loads.take(3, 2_000).is_none(), "it was taken");
}

#[test]
fn what_failed_or_was_given_up_keeps_nobody_waiting() {
    let loads = Loads::default();
    drop(loads.begin_ahead(3, 0..9_000));
    assert!(loads.take(3, 0).is_none());
    loads.begin_ahead(3, 0..9_000).run(&loads, |_, _| Err(io::ErrorKind::Other.into()));
    assert!(!loads.copy(3, 0, &mut [0]));
    // Whoever takes it goes on from there.
    let mut loaded = loads.take(3, 0).unwrap();
    loaded.fill(9_000, file(9_000)).unwrap();
    assert!(loaded.holds(&(0..9_000)));
    let all: Vec<_> = (0..MEMORIES_MAX - 1).map(|_| loads.begin(0).unwrap()).collect();
    loads.begin_ahead(3, 0..9_000).run(&loads, file(9_000));
    assert!(loads.take(3, 0).is_none(), "there was no memory");
    drop(all);
}

#[test]
fn what_is_written_to_is_read_again_and_what_nobody_comes_for_makes_room() {
    let loads = Loads::default();
    let reads = AtomicUsize::new(0);
    let read_ahead = |number, range| {
        let file = file(1 << 20);
        loads.begin_ahead(number, range).run(&loads, |room, at| {
            reads.fetch_add(1, Ordering::Relaxed);
            file(room, at)
        });
    };
    for range in [0..5_000, 5_000..9_000, 9_000..12_000] {
        read_ahead(3, range);
    }
    read_ahead(4, 0..5_000);
    loads.forget(3, 9_000);
    assert!(loads.take(3, 9_000).is_none(), "written there");
    assert!(loads.take(3, 0).is_some() && loads.take(4, 0).is_some());
    loads.forget(3, 8_000);
    assert!(loads.take(3, 5_000).is_none(), "written in it");
    for number in 0..MEMORIES_MAX {
        read_ahead(i32::try_from(number).unwrap(), 0..100);
    }
    let is_short = (0..OTHERS_MAX + 10).take_while(|_| loads.begin(0).is_none()).count() as u64;
    assert!((OTHERS_MAX - 10..=OTHERS_MAX).contains(&is_short), "{is_short}");
    assert_eq!(reads.load(Ordering::Relaxed), 4 + MEMORIES_MAX);
}
