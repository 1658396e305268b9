use std::sync::Arc;

use strandline_protocol::ErrorCode;
use tokio::sync::Semaphore;

use super::*;

const ME: Numbering = Numbering::By(Identity { producer_id: 9, epoch: 0 });

struct Desk {
    queue: Queue,
    room: Arc<Semaphore>,
    buffers: Arc<Buffers>,
    now: Instant,
    deliveries: Vec<Delivery>,
}

impl Desk {
    fn new() -> Self {
        let room = Arc::new(Semaphore::new(0));
        let buffers = Arc::new(Buffers::new(0));
        Self { queue: Queue::default(), room, buffers, now: Instant::now(), deliveries: Vec::new() }
    }

    /// A batch of its own.
    fn batch(&mut self, records: usize) {
        for _ in 0..records {
            let charge = Charge::new(self.room.clone(), 0);
            let record = NewRecord { value: Some(b"v"), ..NewRecord::at(1) };
            let (delivery, _) =
                self.queue.append(0, &record, charge, 1 << 20, &self.buffers, self.now).unwrap();
            self.deliveries.push(delivery);
        }
        self.queue.seal();
    }

    fn take(&mut self) -> Option<Batch> {
        if self.queue.is_sendable(ME, 5, self.now) { self.queue.take(ME) } else { None }
    }

    fn answer(&mut self, batch: Batch, code: ErrorCode) -> Wishes {
        let written = Written { base_offset: Some(0), append_time: None };
        let result = if code == ErrorCode::NONE { Ok(written) } else { Err(Error::broker(code, "a", None)) };
        self.queue.answered(batch, result, |_| Duration::from_millis(10), self.now)
    }
}

fn number(batch: &Batch) -> (i16, i32) {
    batch.number.map(|number| (number.epoch, number.sequence)).unwrap()
}

#[test]
fn nothing_follows_the_first_one_before_it_is_there() {
    let mut desk = Desk::new();
    (0..7).for_each(|_| desk.batch(2));
    let first = desk.take().unwrap();
    assert!(desk.take().is_none());
    desk.answer(first, ErrorCode::NONE);
    let five: Vec<_> = (0..5).map(|_| desk.take().unwrap()).collect();
    assert_eq!(five.iter().map(number).collect::<Vec<_>>(), [(0, 2), (0, 4), (0, 6), (0, 8), (0, 10)]);
    assert!(desk.take().is_none());
}

#[test]
fn what_failed_goes_again_alone_and_with_its_number() {
    let mut desk = Desk::new();
    (0..5).for_each(|_| desk.batch(1));
    let first = desk.take().unwrap();
    desk.answer(first, ErrorCode::NONE);
    let [second, third] = [desk.take().unwrap(), desk.take().unwrap()];
    let wishes = desk.answer(second, ErrorCode::NOT_LEADER_OR_FOLLOWER);
    assert!(wishes.metadata);
    desk.now += Duration::from_secs(1);
    assert!(desk.take().is_none(), "another one is still in flight");
    // It came too early, which is nobody's fault and no reason to start anew.
    desk.answer(third, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert!(desk.take().is_none(), "it rests");
    desk.now += Duration::from_secs(1);
    let second = desk.take().unwrap();
    assert_eq!(number(&second), (0, 1));
    assert!(desk.take().is_none(), "alone");
    desk.answer(second, ErrorCode::NONE);
    let third = desk.take().unwrap();
    assert_eq!(number(&third), (0, 2));
    desk.answer(third, ErrorCode::NONE);
    assert_eq!([desk.take(), desk.take()].iter().flatten().count(), 2, "as many as before");
}

#[test]
fn a_gap_that_nothing_can_fill_starts_a_new_epoch() {
    let mut desk = Desk::new();
    (0..4).for_each(|_| desk.batch(3));
    let first = desk.take().unwrap();
    desk.answer(first, ErrorCode::NONE);
    let [second, third] = [desk.take().unwrap(), desk.take().unwrap()];
    desk.answer(second, ErrorCode::INVALID_RECORD);
    desk.answer(third, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    desk.now += Duration::from_secs(1);
    let third = desk.take().unwrap();
    assert_eq!(number(&third), (0, 6), "perhaps it only came too early");
    desk.answer(third, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    desk.now += Duration::from_secs(1);
    let third = desk.take().unwrap();
    assert_eq!(number(&third), (1, 0));
    assert!(desk.take().is_none(), "the first one of its epoch");
    desk.answer(third, ErrorCode::NONE);
    assert_eq!(number(&desk.take().unwrap()), (1, 3));
}

#[test]
fn sequence_numbers_start_again_after_the_last_one() {
    let mut lineage = Lineage {
        identity: Identity { producer_id: 1, epoch: 0 },
        next_sequence: i32::MAX - 1,
        is_proven: true,
        is_transactional: false,
    };
    assert_eq!(lineage.number(3).sequence, i32::MAX - 1);
    assert_eq!(lineage.number(1).sequence, 1);
}

#[tokio::test]
async fn what_is_too_old_is_given_up_and_says_how_often_it_was_tried() {
    let mut desk = Desk::new();
    desk.batch(1);
    let batch = desk.take().unwrap();
    desk.answer(batch, ErrorCode::NOT_ENOUGH_REPLICAS);
    desk.now += Duration::from_secs(9);
    let timeout = Duration::from_secs(10);
    desk.queue.expire(timeout, desk.now);
    assert!(!desk.queue.is_empty());
    desk.now += Duration::from_secs(1);
    desk.queue.expire(timeout, desk.now);
    assert!(desk.queue.is_empty());
    let error = desk.deliveries.remove(0).await.unwrap_err();
    assert!(matches!(error, Error::DeliveryTimeout { attempts: 1, last: Some(_), .. }), "{error:?}");
    assert!(error.is_in_doubt() && !error.is_retriable());
}

#[tokio::test]
async fn what_is_dropped_on_its_way_says_so() {
    let mut desk = Desk::new();
    desk.batch(2);
    drop(desk.take());
    assert!(matches!(desk.deliveries.remove(1).await, Err(Error::Ended)));
    // Even what was still open.
    desk.queue = Queue::default();
    let charge = Charge::new(desk.room.clone(), 5);
    let (delivery, _) =
        desk.queue.append(0, &NewRecord::at(1), charge, 100, &desk.buffers, desk.now).unwrap();
    desk.queue = Queue::default();
    assert!(matches!(delivery.await, Err(Error::Ended)));
    assert_eq!(desk.room.available_permits(), 5);
}

const MINE: Numbering = Numbering::Within(Identity { producer_id: 9, epoch: 4 });

#[test]
fn in_a_transaction_a_gap_is_the_end_and_the_next_epoch_begins_anew() {
    let mut desk = Desk::new();
    (0..3).for_each(|_| desk.batch(2));
    let first = desk.queue.take(MINE).unwrap();
    assert!(first.number.unwrap().is_transactional);
    desk.answer(first, ErrorCode::NONE);
    let (second, third) = (desk.queue.take(MINE).unwrap(), desk.queue.take(MINE).unwrap());
    assert_eq!((number(&second), number(&third)), ((4, 2), (4, 4)));
    // It has only come too early, and is sent again.
    desk.answer(third, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert!(desk.queue.take_failure().is_none());
    desk.answer(second, ErrorCode::INVALID_RECORD);
    assert!(desk.queue.take_failure().is_some());
    let third = desk.queue.take(MINE).unwrap();
    assert_eq!(number(&third), (4, 4));
    desk.answer(third, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert!(desk.queue.take_failure().is_some() && desk.queue.is_empty());
    desk.batch(2);
    let next = desk.queue.take(Numbering::Within(Identity { producer_id: 9, epoch: 5 })).unwrap();
    assert_eq!(number(&next), (5, 0));
    desk.answer(next, ErrorCode::INVALID_PRODUCER_EPOCH);
    assert!(desk.queue.take_failure().is_some() && desk.queue.is_empty());
}
