//! Where a consumer is: positions, lag, ends.

use super::{Consumer, key};
use crate::admin::{ListOffsets, OffsetAt};
use crate::error::Result;

impl Consumer {
    /// The offset of the record that comes next of a partition, once it is known. It is behind the last one that was
    /// returned, and behind what is never returned, such as the marks of transactions.
    ///
    /// ```
    /// # fn example(consumer: &strandline_client::Consumer) {
    /// println!("{:?}", consumer.position("orders", 0));
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.consumer().await?); Ok(()) });
    /// ```
    pub fn position(&self, topic: &str, partition: i32) -> Option<i64> {
        let key = key(topic, partition);
        let state = self.shared.state();
        let known = state.partitions.get(&key)?;
        match &self.current {
            Some((chunk, generation)) if *generation == known.generation && chunk.is_of(&key) => {
                Some(chunk.position())
            }
            _ => known.position,
        }
    }

    /// How many offsets of a partition have not been read, as far as the last answer of its broker goes.
    ///
    /// ```
    /// # fn example(consumer: &strandline_client::Consumer) {
    /// println!("{:?} to go", consumer.lag("orders", 0));
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.consumer().await?); Ok(()) });
    /// ```
    pub fn lag(&self, topic: &str, partition: i32) -> Option<i64> {
        let position = self.position(topic, partition)?;
        let state = self.shared.state();
        let known = state.partitions.get(&key(topic, partition))?;
        Some(known.end(self.isolation)?.saturating_sub(position).max(0))
    }

    /// Where each partition that is assigned ends now, as its leader says.
    ///
    /// ```
    /// # async fn example(consumer: &strandline_client::Consumer) -> Result<(), strandline_client::Error> {
    /// for ((topic, partition), end) in consumer.end_offsets().await? {
    ///     println!("{topic}-{partition} ends at {end}");
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.consumer().await?).await);
    /// ```
    pub async fn end_offsets(&self) -> Result<Vec<((String, i32), i64)>> {
        let mut question = ListOffsets::new().isolation(self.isolation);
        for (topic, partition) in self.assignment() {
            question = question.of(topic, partition, OffsetAt::Latest);
        }
        let mut ends = Vec::new();
        for (key, found) in self.shared.client.admin().list_offsets(&question).await {
            ends.push((key, found?.offset.unwrap_or(0)));
        }
        Ok(ends)
    }

    /// How many bytes have been fetched and not been read, or may come with what is being fetched.
    ///
    /// ```
    /// # fn example(consumer: &strandline_client::Consumer) {
    /// println!("{} bytes", consumer.bytes_held());
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.consumer().await?); Ok(()) });
    /// ```
    pub fn bytes_held(&self) -> usize {
        self.shared.state().held_bytes()
    }
}
