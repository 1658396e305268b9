//! What is handed to a producer: borrowed, since a producer copies it once, to its place in a batch.

use std::time::{SystemTime, UNIX_EPOCH};

use strandline_protocol::batch::{NewRecord, RecordHeader};

/// What a record takes in a batch beside its key, value and headers, at the most.
const RECORD_OVERHEAD_BYTES: usize = 40;
/// The same for a header.
const HEADER_OVERHEAD_BYTES: usize = 10;

/// A record on its way to a topic. It borrows what it is made of: [`Producer::send`](crate::Producer::send) copies
/// that once, into the batch that goes out.
///
/// ```
/// use strandline_client::ProducerRecord;
///
/// let order = String::from("4 anchors");
/// let record = ProducerRecord::to("orders").key("customer-7").value(&order).header("trace", "a1");
/// assert_eq!(record.topic(), "orders");
/// ```
#[derive(Clone, Debug)]
pub struct ProducerRecord<'a> {
    topic: &'a str,
    pub(super) partition: Option<i32>,
    timestamp: Option<i64>,
    key: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
    headers: Vec<RecordHeader<'a>>,
}

impl<'a> ProducerRecord<'a> {
    /// A record for this topic, with neither key nor value yet: where it stays without a value, it is a tombstone,
    /// which deletes its key from a compacted topic.
    ///
    /// ```
    /// use strandline_client::ProducerRecord;
    /// let forget = ProducerRecord::to("customers").key("customer-7");
    /// ```
    pub const fn to(topic: &'a str) -> Self {
        Self { topic, partition: None, timestamp: None, key: None, value: None, headers: Vec::new() }
    }

    /// The key: records of one key go to one partition, in order.
    ///
    /// ```
    /// let record = strandline_client::ProducerRecord::to("orders").key(&[1, 2, 3]);
    /// ```
    #[must_use]
    pub fn key<K: AsRef<[u8]> + ?Sized>(mut self, key: &'a K) -> Self {
        self.key = Some(key.as_ref());
        self
    }

    /// The value.
    ///
    /// ```
    /// let record = strandline_client::ProducerRecord::to("orders").value("4 anchors");
    /// ```
    #[must_use]
    pub fn value<V: AsRef<[u8]> + ?Sized>(mut self, value: &'a V) -> Self {
        self.value = Some(value.as_ref());
        self
    }

    /// One more header. Names may repeat, and keep their order.
    ///
    /// ```
    /// let record = strandline_client::ProducerRecord::to("orders").header("trace", "a").header("trace", "b");
    /// ```
    #[must_use]
    pub fn header<V: AsRef<[u8]> + ?Sized>(self, name: &'a str, value: &'a V) -> Self {
        self.header_or_null(name, Some(value.as_ref()))
    }

    /// One more header, whose value may be null.
    ///
    /// ```
    /// let record = strandline_client::ProducerRecord::to("orders").header_or_null("seen", None);
    /// ```
    #[must_use]
    pub fn header_or_null(mut self, name: &'a str, value: Option<&'a [u8]>) -> Self {
        self.headers.push(RecordHeader::new(name, value));
        self
    }

    /// The partition, where the choice is not the partitioner's.
    ///
    /// ```
    /// let record = strandline_client::ProducerRecord::to("orders").partition(3);
    /// ```
    #[must_use]
    pub const fn partition(mut self, partition: i32) -> Self {
        self.partition = Some(partition);
        self
    }

    /// The record's time, in milliseconds since 1970, where it is not the present.
    ///
    /// ```
    /// let record = strandline_client::ProducerRecord::to("orders").timestamp(1_700_000_000_000);
    /// ```
    #[must_use]
    pub const fn timestamp(mut self, timestamp: i64) -> Self {
        self.timestamp = Some(timestamp);
        self
    }

    /// The topic.
    ///
    /// ```
    /// assert_eq!(strandline_client::ProducerRecord::to("orders").topic(), "orders");
    /// ```
    pub const fn topic(&self) -> &'a str {
        self.topic
    }

    pub(super) const fn key_bytes(&self) -> Option<&'a [u8]> {
        self.key
    }

    pub(super) const fn value_bytes(&self) -> Option<&'a [u8]> {
        self.value
    }

    /// As a batch takes it.
    pub(super) fn to_append(&self) -> NewRecord<'_> {
        let timestamp = self.timestamp.unwrap_or_else(now_ms);
        NewRecord { timestamp, key: self.key, value: self.value, headers: &self.headers }
    }

    /// How many bytes it takes in a batch, at the most.
    pub(super) fn bytes_max(&self) -> usize {
        let length = |part: Option<&[u8]>| part.map_or(0, <[u8]>::len);
        let header =
            |header: &RecordHeader<'_>| header.key.len() + length(header.value) + HEADER_OVERHEAD_BYTES;
        let headers: usize = self.headers.iter().map(header).sum();
        length(self.key) + length(self.value) + headers + RECORD_OVERHEAD_BYTES
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
