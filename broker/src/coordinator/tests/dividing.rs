//! Decisions that are larger than what is appended at once, and may come in parts.

use strandline_log::disk::simulated::Operation;
use strandline_log::engine::UpTo;
use strandline_protocol::ErrorCode;
use strandline_protocol::batch::batches;
use strandline_state::coordinator::{Decision, Ticket};

use super::super::appends::{APPEND_BYTES_MAX, OPEN_BYTES_MAX};
use super::super::pieces::pieces;
use super::Rig;
use super::machine::{Adder, Command, Number};

/// How many records and bytes each batch of the log has that the key belongs to.
fn appended(rig: &Rig) -> Vec<(i32, usize)> {
    let log = rig.adders.log(rig.adders.partition_of("k").unwrap()).unwrap();
    let (mut found, mut offset) = (Vec::new(), 0);
    while offset < log.offsets().end {
        for slice in log.read(offset, 4 << 20, UpTo::End).unwrap().slices {
            for batch in batches(&slice.read().unwrap()).map_while(Result::ok) {
                found.push((batch.header().record_count, batch.bytes().len()));
                offset = batch.header().last_offset() + 1;
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_for_one_batch_goes_into_several_and_is_answered_after_the_last() {
    let rig = Rig::new().await;
    let (count, padding) = (90, 300_000);
    assert!(count * padding > APPEND_BYTES_MAX);
    let many = rig.ask("k", |ticket| Command::Many(ticket, 90, padding)).await;
    let next = rig.ask("k", |ticket| Command::Add(ticket, 5)).await;
    assert_eq!((many.get().await, next.get().await), (Ok(90), Ok(95)));
    let batches = appended(&rig);
    assert!(batches.len() > 25 && batches.iter().all(|(_, bytes)| *bytes <= OPEN_BYTES_MAX), "{batches:?}");
    assert_eq!(batches.iter().map(|(records, _)| records).sum::<i32>(), 91);
    assert_eq!(rig.sum_of(&rig.again().await, "k").await, Ok(95));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_waits_for_the_last_part() {
    let rig = Rig::new().await;
    assert_eq!(rig.add("k", 1).await, Ok(1));
    let stall = rig.disk.stall(Operation::Write, 3);
    let many = rig.ask("k", |ticket| Command::Many(ticket, 20, 900_000)).await;
    let many = tokio::spawn(many.get());
    assert!(stall.wait_until_reached());
    assert!(!many.is_finished());
    stall.release();
    assert_eq!(many.await.unwrap(), Ok(21));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_death_between_parts_the_first_are_there_and_the_rest_can_be_asked_for_again() {
    let rig = Rig::new().await;
    assert_eq!(rig.add("k", 1).await, Ok(1));
    rig.disk.halt_in(4);
    let many = rig.ask("k", |ticket| Command::Many(ticket, 20, 900_000)).await;
    assert_eq!(many.get().await, Err(ErrorCode::NOT_COORDINATOR));
    let log = rig.adders.log(rig.adders.partition_of("k").unwrap()).unwrap();
    let end = log.offsets().end;
    assert!((1..21).contains(&end), "{end} records");
    let sum = rig.sum_of(&rig.again().await, "k").await;
    assert_eq!(sum, Ok(end), "a part is there as a whole, or not at all");
}

/// How many records each piece has.
fn divided(count: usize, divisible: usize, padding: usize) -> Result<Vec<usize>, String> {
    let records = (0..count).map(|_| Number { number: 1, padding }).collect();
    let decision = Decision::<Adder> { records, divisible, ..Decision::reply(Ticket(7), 3) };
    let pieces = pieces(decision).map_err(|unkept| {
        let decision = &unkept.decision;
        assert_eq!((decision.records.len(), decision.replies.as_slice()), (count, &[(Ticket(7), 3)][..]));
        unkept.why
    })?;
    let pieces: Vec<_> = pieces.collect();
    let (last, first) = pieces.split_last().unwrap();
    assert!(first.iter().all(|piece| piece.decision.replies.is_empty()));
    assert_eq!(last.decision.replies, [(Ticket(7), 3)]);
    assert!(pieces.iter().all(|piece| piece.records.len() == piece.decision.records.len()));
    Ok(pieces.iter().map(|piece| piece.records.len()).collect())
}

#[test]
fn only_what_may_be_apart_is_and_the_rest_stays_together() {
    assert_eq!(divided(0, 0, 0), Ok(vec![0]));
    assert_eq!(divided(5, 5, 10), Ok(vec![5]), "what fits stays together");
    assert_eq!(divided(5, 0, 2 << 20), Ok(vec![5]), "and what may not be divided");
    assert_eq!(divided(5, 5, 400_000), Ok(vec![2, 2, 1]));
    assert_eq!(divided(5, 3, 400_000), Ok(vec![2, 1, 2]), "the last two come together");
    assert_eq!(divided(5, 3, 700_000), Ok(vec![1, 1, 1, 2]), "whatever they take");
    assert_eq!(divided(3, 9, 2 << 20), Ok(vec![1; 3]));
    assert!(divided(9, 0, 2 << 20).is_err() && divided(12, 3, 2 << 20).is_err());
    assert!(divided(2, 2, APPEND_BYTES_MAX).is_err());
}
