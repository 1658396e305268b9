//! What became of a record: a future that its batch fulfils.
//!
//! One [`Promise`] stands for all records of a batch, so that a record costs no allocation of its own. Where a broker
//! refuses a batch as too large, it is fulfilled in parts.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::error::{Error, Result};

/// Where a record stands.
///
/// ```
/// # async fn example(producer: &strandline_client::Producer) -> Result<(), strandline_client::Error> {
/// use strandline_client::ProducerRecord;
/// let delivered = producer.send(ProducerRecord::to("orders").value("4 anchors")).await?.await?;
/// println!("partition {}, offset {:?}", delivered.partition, delivered.offset);
/// # Ok(())
/// # }
/// # strandline_client_stage::play(async |stage| example(&stage.producer()?).await);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Delivered {
    /// The partition.
    pub partition: i32,
    /// Its place in the partition; none where the broker did not say, as with [`Acks::None`](crate::Acks::None).
    pub offset: Option<i64>,
    /// The time that it stands there with: the broker's where the topic is set so, otherwise its own.
    pub timestamp: i64,
}

/// Resolves once the record has been acknowledged, or will never be.
///
/// It may be dropped, and the record is sent all the same; it may be awaited at any time later.
///
/// ```
/// # async fn example(producer: &strandline_client::Producer) -> Result<(), strandline_client::Error> {
/// use strandline_client::ProducerRecord;
/// let mut deliveries = Vec::new();
/// for number in 0..1_000 {
///     deliveries.push(producer.send(ProducerRecord::to("orders").value(&format!("order {number}"))).await?);
/// }
/// for delivery in deliveries {
///     delivery.await?;
/// }
/// # Ok(())
/// # }
/// # strandline_client_stage::play(async |stage| example(&stage.producer()?).await);
/// ```
#[must_use = "the record is on its way; awaiting this says whether it arrived"]
pub struct Delivery {
    promise: Arc<Promise>,
    // The record's place in the batch.
    index: i32,
    timestamp: i64,
    slot: Slot,
}

/// What a broker said of a batch that it wrote.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Written {
    pub(super) base_offset: Option<i64>,
    pub(super) append_time: Option<i64>,
}

/// The fate of a batch.
pub(super) struct Promise {
    partition: i32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    parts: Vec<Part>,
    // How many records have their fate, and how many there are, once that is known.
    settled: i32,
    total: Option<i32>,
    // Those who wait, and how often they have all been woken: a slot of an earlier round is somebody else's.
    wakers: Vec<Waker>,
    round: u64,
}

/// The place of one who waits, good for one round.
type Slot = Option<(u64, usize)>;

struct Part {
    first: i32,
    count: i32,
    result: Result<Written>,
}

impl Promise {
    pub(super) fn new(partition: i32) -> Arc<Self> {
        Arc::new(Self { partition, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says how many records there are: no more will come. Only the first word counts.
    pub(super) fn set_total(&self, total: i32) {
        self.state().total.get_or_insert(total);
    }

    /// Says what became of `count` records from the one at `first` on.
    pub(super) fn settle(&self, first: i32, count: i32, result: Result<Written>) {
        let mut state = self.state();
        state.settled = state.settled.saturating_add(count);
        state.parts.push(Part { first, count, result });
        let wakers = std::mem::take(&mut state.wakers);
        state.round += 1;
        // Nobody is woken to find the door locked.
        drop(state);
        for waker in wakers {
            waker.wake();
        }
    }

    /// Resolves once every record has its fate, whatever it is.
    pub(super) async fn settled(&self) {
        let mut slot = None;
        std::future::poll_fn(|context| {
            let mut state = self.state();
            if state.total.is_some_and(|total| state.settled >= total) {
                return Poll::Ready(());
            }
            state.wake_later(&mut slot, context);
            Poll::Pending
        })
        .await;
    }
}

impl State {
    fn wake_later(&mut self, slot: &mut Slot, context: &Context<'_>) {
        let mine = slot.filter(|(round, _)| *round == self.round);
        match mine.and_then(|(_, place)| self.wakers.get_mut(place)) {
            Some(waker) => waker.clone_from(context.waker()),
            None => {
                *slot = Some((self.round, self.wakers.len()));
                self.wakers.push(context.waker().clone());
            }
        }
    }
}

impl Delivery {
    pub(super) const fn new(promise: Arc<Promise>, index: i32, timestamp: i64) -> Self {
        Self { promise, index, timestamp, slot: None }
    }

    /// The partition that the record goes to.
    ///
    /// ```
    /// # async fn example(producer: &strandline_client::Producer) -> Result<(), strandline_client::Error> {
    /// use strandline_client::ProducerRecord;
    /// let delivery = producer.send(ProducerRecord::to("orders").partition(1).value("4 anchors")).await?;
    /// assert_eq!(delivery.partition(), 1);
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.producer()?).await);
    /// ```
    pub fn partition(&self) -> i32 {
        self.promise.partition
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Delivery").field("partition", &self.partition()).finish_non_exhaustive()
    }
}

impl Future for Delivery {
    type Output = Result<Delivered, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let promise = self.promise.clone();
        let mut state = promise.state();
        let index = self.index;
        let of_mine = |part: &&Part| (part.first..part.first.saturating_add(part.count)).contains(&index);
        let Some(part) = state.parts.iter().find(of_mine) else {
            state.wake_later(&mut self.slot, context);
            return Poll::Pending;
        };
        let first = part.first;
        Poll::Ready(part.result.clone().map(|written| Delivered {
            partition: promise.partition,
            offset: written.base_offset.map(|base| base.saturating_add(i64::from(index - first))),
            timestamp: written.append_time.unwrap_or(self.timestamp),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN: Written = Written { base_offset: Some(100), append_time: None };

    #[tokio::test]
    async fn each_record_finds_its_own_fate() {
        let promise = Promise::new(3);
        let deliveries: Vec<_> = (0..4).map(|index| Delivery::new(promise.clone(), index, 7)).collect();
        promise.set_total(4);
        promise.settle(2, 2, Ok(Written { base_offset: Some(200), append_time: Some(9) }));
        promise.settle(0, 2, Ok(WRITTEN));
        let mut offsets = Vec::new();
        for delivery in deliveries {
            let delivered = delivery.await.unwrap();
            offsets.push((delivered.offset.unwrap(), delivered.timestamp));
        }
        assert_eq!(offsets, [(100, 7), (101, 7), (200, 9), (201, 9)]);
    }

    #[tokio::test]
    async fn many_wait_and_all_are_woken() {
        let promise = Promise::new(0);
        let waiting: Vec<_> =
            (0..20).map(|index| tokio::spawn(Delivery::new(promise.clone(), index, 0))).collect();
        let whole = tokio::spawn({
            let promise = promise.clone();
            async move { promise.settled().await }
        });
        tokio::task::yield_now().await;
        promise.set_total(20);
        promise.settle(0, 10, Ok(WRITTEN));
        tokio::task::yield_now().await;
        assert!(!whole.is_finished());
        promise.settle(10, 10, Err(Error::Ended));
        for (index, task) in waiting.into_iter().enumerate() {
            assert_eq!(task.await.unwrap().is_ok(), index < 10);
        }
        whole.await.unwrap();
    }
}
