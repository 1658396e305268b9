//! A record as it was read: slices of the answer that it came in.

use bytes::Bytes;
use strandline_protocol::Text;
use strandline_protocol::batch::TimestampType;

/// A record of a topic.
///
/// Key, value and headers are slices of the answer that they came in, or of its decompressed batch, and keep all of
/// that alive: what is kept for long is better copied.
///
/// ```
/// # async fn example(consumer: &mut strandline_client::Consumer) -> Result<(), strandline_client::Error> {
/// let record = consumer.next().await?;
/// println!("{}-{} at {}: {:?}", record.topic, record.partition, record.offset, record.value);
/// # Ok(())
/// # }
/// # strandline_client_stage::play(async |stage| example(&mut stage.consumer().await?).await);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ConsumerRecord {
    /// The topic.
    pub topic: Text,
    /// The partition.
    pub partition: i32,
    /// Its place there.
    pub offset: i64,
    /// Its time, in milliseconds since 1970.
    pub timestamp: i64,
    /// Whose time that is.
    pub timestamp_type: TimestampType,
    /// The epoch of the leader that wrote it, if the broker tells.
    pub leader_epoch: Option<i32>,
    /// The key, if it has one.
    pub key: Option<Bytes>,
    /// The value; none in a tombstone.
    pub value: Option<Bytes>,
    /// The headers, in order; names may repeat.
    pub headers: Vec<ConsumerHeader>,
}

/// A header of a record.
///
/// ```
/// # fn example(record: &strandline_client::ConsumerRecord) {
/// for header in &record.headers {
///     println!("{} = {:?}", header.name_lossy(), header.value);
/// }
/// # }
/// # strandline_client_stage::play(async |stage| { example(&stage.consumer().await?.next().await?); Ok(()) });
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConsumerHeader {
    /// The name's bytes: nobody checks that they are text.
    pub name: Bytes,
    /// The value, if it has one.
    pub value: Option<Bytes>,
}

impl ConsumerHeader {
    /// The name as text, with marks in place of what is none.
    ///
    /// ```
    /// use strandline_client::ConsumerHeader;
    /// assert_eq!(ConsumerHeader { name: "trace".into(), value: None }.name_lossy(), "trace");
    /// ```
    pub fn name_lossy(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.name)
    }
}
