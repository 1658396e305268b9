//! A consumer as a stream of its records.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::{Consumer, ConsumerRecord};
use crate::error::{Error, Result};

type Waiting = Pin<Box<dyn Future<Output = (Consumer, Result<ConsumerRecord>)> + Send>>;

/// The records of a consumer, one after the other, as [`Consumer::next`] has them: it never ends, and goes on after an
/// error where that can be. It comes from [`Consumer::into_stream`].
///
/// A record that has not been returned is not lost while this lives.
///
/// ```
/// # async fn example(consumer: strandline_client::Consumer) -> Result<(), strandline_client::Error> {
/// use std::future::poll_fn;
/// use std::pin::Pin;
/// use futures_core::Stream;
/// use strandline_client::ConsumerStream;
///
/// let mut records: ConsumerStream = consumer.into_stream();
/// let mut next = async || poll_fn(|context| Pin::new(&mut records).poll_next(context)).await;
/// let first = next().await.expect("a stream of a consumer has no end")?;
/// let second = next().await.expect("a stream of a consumer has no end")?;
/// assert_ne!((first.partition, first.offset), (second.partition, second.offset));
/// # Ok(())
/// # }
/// # strandline_client_stage::play(async |stage| example(stage.consumer().await?).await);
/// ```
#[must_use = "a stream does nothing unless it is polled"]
pub struct ConsumerStream {
    // One of the two: what is waited for has the consumer meanwhile.
    consumer: Option<Consumer>,
    waiting: Option<Waiting>,
}

impl fmt::Debug for ConsumerStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("ConsumerStream").field(&self.consumer).finish()
    }
}

impl Consumer {
    /// Its records as a stream.
    ///
    /// ```
    /// # async fn example(consumer: strandline_client::Consumer) -> Result<(), strandline_client::Error> {
    /// use std::future::poll_fn;
    /// use std::pin::Pin;
    /// use futures_core::Stream;
    ///
    /// let mut records = consumer.into_stream();
    /// # let mut read = 0;
    /// // With an extension of streams at hand: `while let Some(record) = records.next().await`.
    /// while let Some(record) = poll_fn(|context| Pin::new(&mut records).poll_next(context)).await {
    ///     println!("{:?}", record?.value);
    /// #   read += 1;
    /// #   if read == 10 { break }
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(stage.consumer().await?).await);
    /// ```
    pub fn into_stream(self) -> ConsumerStream {
        ConsumerStream { consumer: Some(self), waiting: None }
    }
}

impl ConsumerStream {
    /// The consumer, to commit, seek or pause between two records. None while a record is waited for.
    ///
    /// ```
    /// # async fn example(stream: &mut strandline_client::ConsumerStream) -> Result<(), strandline_client::Error> {
    /// if let Some(consumer) = stream.consumer() {
    ///     consumer.commit().await?;
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&mut stage.member().await?.into_stream()).await);
    /// ```
    pub const fn consumer(&mut self) -> Option<&mut Consumer> {
        self.consumer.as_mut()
    }
}

impl Stream for ConsumerStream {
    type Item = Result<ConsumerRecord>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(consumer) = &mut self.consumer
            && let Some(record) = consumer.next_at_hand().transpose()
        {
            return Poll::Ready(Some(record));
        }
        if let Some(mut consumer) = self.consumer.take() {
            self.waiting = Some(Box::pin(async move {
                let next = consumer.next().await;
                (consumer, next)
            }));
        }
        let Some(waiting) = &mut self.waiting else { return Poll::Ready(Some(Err(Error::Ended))) };
        let (consumer, next) = std::task::ready!(waiting.as_mut().poll(context));
        self.waiting = None;
        self.consumer = Some(consumer);
        Poll::Ready(Some(next))
    }
}
