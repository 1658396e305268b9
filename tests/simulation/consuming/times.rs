//! Where a reader begins: at one end of what is there, in the middle, or where the records of a time begin.

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};

use super::fetching::{Reader, Start};
use crate::ledger::Place;
use crate::link::Broken;

const EARLIEST: i64 = -2;
const LATEST: i64 = -1;

impl Reader<'_> {
    /// Where to begin; none where there is nothing to be read.
    pub(crate) async fn start(&mut self, place: Place, start: Start) -> Result<Option<i64>, Broken> {
        let earliest = self.list(place, EARLIEST).await?;
        let (Some(earliest), false) = (earliest, start == Start::Earliest) else { return Ok(earliest) };
        if start == Start::ByTime {
            return self.start_by_time(place, earliest).await;
        }
        let Some(latest) = self.list(place, LATEST).await? else { return Ok(None) };
        let span = u64::try_from(latest - earliest).unwrap_or(0);
        let somewhere = earliest + i64::try_from(self.world.below(span + 1)).unwrap();
        Ok(Some(if start == Start::Latest { latest } else { somewhere }))
    }

    /// Where the records of a time begin; where the log does, if there are none.
    async fn start_by_time(&mut self, place: Place, earliest: i64) -> Result<Option<i64>, Broken> {
        let choice = usize::try_from(self.world.below(1_000)).unwrap();
        let Some(timestamp) = self.world.ledger().timestamp(place, choice) else { return Ok(Some(earliest)) };
        let timestamp = timestamp + self.world.any(&[0, 0, -1, 1, 1_000]);
        let found = self.list(place, timestamp).await?;
        Ok(found.map(|offset| if offset < 0 { earliest } else { offset }))
    }

    /// The offset that belongs to a time; none if the topic has gone.
    async fn list(&mut self, place: Place, timestamp: i64) -> Result<Option<i64>, Broken> {
        let (world, name) = (self.world, self.world.ledger().name(place.topic));
        let partition =
            ListOffsetsPartition { partition_index: place.partition, timestamp, ..Default::default() };
        let topic = ListOffsetsTopic { name, partitions: vec![partition], ..Default::default() };
        let request = ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..Default::default() };
        let known = world.ledger().known(place);
        let (ticket, response) = self.link.call(7, &request).await?;
        // It is asked by name: an answer is about this topic only if nobody has asked for it to go.
        if !world.ledger().is_live(place.topic) {
            return Ok(None);
        }
        let answer = response.topics.first().and_then(|topic| topic.partitions.first());
        let Some(answer) = answer else {
            world.blame(format_args!("nothing is said of {place}: {response:?}"));
            return Err(Broken);
        };
        let (process, offset) = (ticket.process, answer.offset);
        match answer.error_code {
            ErrorCode::NONE if timestamp >= 0 => {
                world.reach("looked up by time");
                let found = (offset >= 0).then_some((offset, answer.timestamp));
                world.judge(world.ledger().found_by_time(place, known, timestamp, found));
                Ok(Some(offset))
            }
            ErrorCode::NONE => {
                let (high_watermark, start) =
                    if timestamp == LATEST { (Some(offset), None) } else { (None, Some(offset)) };
                world.judge(world.ledger().told(place, process, known, high_watermark, start));
                Ok(Some(offset))
            }
            ErrorCode::KAFKA_STORAGE_ERROR => Ok(None),
            code => {
                world.blame(format_args!("offsets of {place}, which is there: {code:?}"));
                Ok(None)
            }
        }
    }
}
