//! First batches that there was no room for. The simulation of the whole broker found what these name.

use strandline_protocol::ErrorCode;

use super::{PRODUCER, append, client, code, from, records};
use crate::producers::refused::PRODUCERS_MAX;
use crate::producers::{Producers, Sender};

fn refuse(producers: &mut Producers, producer_id: i64, epoch: i16, sequence: i32) {
    let header = records(producer_id, epoch, sequence, 2, 0);
    producers.refuse(&from(Sender::Client, &header));
}

#[test]
fn the_second_batch_does_not_take_the_place_of_a_first_one_that_found_no_room() {
    let mut producers = Producers::new();
    refuse(&mut producers, PRODUCER, 0, 0);
    let second = || records(PRODUCER, 0, 2, 3, 0);
    assert_eq!(code(client(&mut producers, second())), ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    refuse(&mut producers, PRODUCER, 0, 2);
    append(&mut producers, records(PRODUCER, 0, 0, 2, 0));
    append(&mut producers, second());
    // What is known from now on is known from what is in the log.
    append(&mut producers, records(PRODUCER, 0, 5, 1, 5));
}

#[test]
fn nor_does_it_where_the_first_one_was_on_its_way_already() {
    let mut producers = Producers::new();
    append(&mut producers, records(PRODUCER + 1, 0, 0, 1, 0));
    for (producer_id, sequence) in [(PRODUCER, 4), (PRODUCER, 6), (PRODUCER + 1, 1), (PRODUCER + 2, 0)] {
        let sender = if producer_id == PRODUCER + 2 { Sender::Leader } else { Sender::Client };
        let header = records(producer_id, 0, sequence, 2, sequence.into());
        producers.check_and_stage(&from(sender, &header)).unwrap();
    }
    producers.discard_staged();
    for sequence in [0, 6, 8] {
        let refused = client(&mut producers, records(PRODUCER, 0, sequence, 1, 1));
        assert_eq!(code(refused), ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER, "{sequence}");
    }
    append(&mut producers, records(PRODUCER, 0, 4, 2, 1));
    // One of whom something is known goes on there, and what a leader has may begin anywhere.
    append(&mut producers, records(PRODUCER + 1, 0, 1, 2, 3));
    append(&mut producers, records(PRODUCER + 2, 0, 9, 1, 5));
}

#[test]
fn a_producer_may_begin_anew_in_another_epoch_and_others_are_not_held_up() {
    let mut producers = Producers::new();
    refuse(&mut producers, PRODUCER, 0, 0);
    append(&mut producers, records(PRODUCER + 1, 0, 7, 1, 0));
    append(&mut producers, records(PRODUCER, 1, 0, 1, 1));
    // One of whom something is known is held to that.
    refuse(&mut producers, PRODUCER + 1, 0, 8);
    append(&mut producers, records(PRODUCER + 1, 0, 8, 1, 2));
}

#[test]
fn what_found_no_room_is_forgotten_with_its_age_and_beyond_a_number() {
    let mut producers = Producers::new();
    refuse(&mut producers, PRODUCER, 0, 0);
    producers.remove_expired(2_000, 1_000);
    assert!(producers.0.is_none(), "nothing is left");
    for id in 0..=i64::try_from(PRODUCERS_MAX).unwrap() {
        refuse(&mut producers, id, 0, 0);
    }
    append(&mut producers, records(0, 0, 9, 1, 0));
    let last = records(i64::try_from(PRODUCERS_MAX).unwrap(), 0, 9, 1, 1);
    assert_eq!(code(client(&mut producers, last)), ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
}
