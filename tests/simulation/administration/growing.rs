//! Topics get more partitions.

use strandline_protocol::apis::create_partitions::{CreatePartitionsRequest, CreatePartitionsTopic};
use strandline_protocol::{ErrorCode, Text, Uuid};

use super::Administrator;
use crate::link::Broken;

/// No topic has more than so many.
const PARTITIONS_MAX: usize = 5;

impl Administrator {
    /// Gives a topic one partition more, or says that it has.
    pub(super) async fn grow(&mut self, name: &Text, id: Uuid) -> Result<(), Broken> {
        let (known, asked) = self.world.ledger().partitions(id);
        let count = known + 1;
        if count > PARTITIONS_MAX {
            return Ok(());
        }
        self.world.ledger().ask_partitions(id, count);
        let topic = CreatePartitionsTopic {
            name: name.clone(),
            count: i32::try_from(count).unwrap(),
            assignments: None,
            ..Default::default()
        };
        let request =
            CreatePartitionsRequest { topics: vec![topic], timeout_ms: 1_000, ..Default::default() };
        let (ticket, response) = self.link.call(3, &request).await?;
        let Some(answer) = response.results.first() else { return Err(Broken) };
        let code = answer.error_code;
        if self.world.ledger().was_offline(ticket.process, ticket.sent_at) && code == ErrorCode::NONE {
            self.world.blame("a partition is made by a broker that has lost its disk");
        }
        match code {
            ErrorCode::NONE => {
                self.world.reach("partition made");
                self.world.note(format_args!("{name} has {count} partitions"));
                let verdict = self.world.ledger().add_topic(id, name.clone(), count);
                self.world.judge(verdict);
                Ok(())
            }
            // It was made by a request that was not answered.
            ErrorCode::INVALID_PARTITIONS if asked > known => self.look(name).await,
            ErrorCode::KAFKA_STORAGE_ERROR => Ok(()),
            code => {
                self.world.blame(format_args!("{name} does not grow to {count}: {code:?}"));
                Ok(())
            }
        }
    }
}
