//! Reading as a member of a group.

use std::future::Future;
use std::io::Write;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use strandline_client::{Client, Consumer, OffsetReset, RebalanceListener};

use super::goal::Goal;
use super::{Consume, GLANCE};
use crate::arguments::Place;
use crate::cluster::Failure;

/// How often the group is told how far it has been read.
const COMMIT_INTERVAL: Duration = Duration::from_secs(5);

/// How many records are taken at once.
const RECORDS_MAX: usize = 500;

/// Counts how often the group has said what this member reads.
#[derive(Default)]
struct Rounds(Arc<AtomicU64>);

impl RebalanceListener for Rounds {
    fn assigned<'a>(&'a mut self, _: &'a [(String, i32)]) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(std::future::ready(()))
    }
}

impl Consume {
    pub(super) async fn read_in(
        &self,
        group: &str,
        client: &Client,
        out: &mut impl Write,
    ) -> Result<(), Failure> {
        let reset = if self.from() == Place::End { OffsetReset::Latest } else { OffsetReset::Earliest };
        let interval = Some(COMMIT_INTERVAL).filter(|_| !self.no_commit);
        let builder = client.consumer().offset_reset(reset).isolation(self.isolation());
        let mut consumer = builder.group(group).auto_commit(interval).start()?;
        let rounds = Rounds::default();
        let counted = rounds.0.clone();
        let topics: Vec<&str> = self.topics.iter().map(String::as_str).collect();
        consumer.subscribe_with(&topics, Some(Box::new(rounds)))?;
        let mut goal = Goal::new(self.count);
        let result = tokio::select! {
            result = self.follow_in(&mut consumer, &mut goal, &counted, out) => result,
            interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
        };
        // Only what has been printed counts as read: after an error it goes without a word.
        result?;
        out.flush()?;
        Ok(consumer.close().await?)
    }

    async fn follow_in(
        &self,
        consumer: &mut Consumer,
        goal: &mut Goal,
        rounds: &AtomicU64,
        out: &mut impl Write,
    ) -> Result<(), Failure> {
        let mut progress = super::progress();
        let mut ends_of_round = 0;
        while !goal.has_enough() {
            let records = match tokio::time::timeout(GLANCE, consumer.poll(goal.at_most(RECORDS_MAX))).await {
                Ok(records) => records?,
                Err(_) => {
                    out.flush()?;
                    let round = rounds.load(Ordering::Relaxed);
                    if !self.exit || round == 0 {
                        continue;
                    }
                    if round != ends_of_round {
                        // The group has given it other partitions, which end elsewhere.
                        goal.end_at(consumer.end_offsets().await?);
                        ends_of_round = round;
                    }
                    if goal.is_reached(consumer) {
                        break;
                    }
                    continue;
                }
            };
            for record in records {
                self.print(&record, out)?;
                goal.count();
            }
            progress.tell(|| goal.far(consumer));
        }
        Ok(())
    }
}
