//! Who keeps a group or a transaction.

use std::time::Duration;

use strandline_client::{Client, Connection, Error};
use strandline_protocol::apis::find_coordinator::FindCoordinatorRequest;
use strandline_protocol::{ErrorCode, Text};

/// What has a coordinator.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kept {
    /// A group, by its name.
    Group,
    /// A producer's transactions, by their id.
    Transaction,
}

impl Kept {
    const fn code(self) -> i8 {
        match self {
            Self::Group => 0,
            Self::Transaction => 1,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Transaction => "transaction",
        }
    }
}

/// The first version that asks for several.
const MANY_FROM: i16 = 4;

/// How often it is tried, and how long it is waited in between: a cluster that is new makes its topics first.
const ATTEMPTS: u32 = 20;
const WAIT: Duration = Duration::from_millis(250);

/// A connection to the coordinator of what has this name.
pub(crate) async fn of(client: &Client, kept: Kept, name: &str) -> Result<Connection, Error> {
    let mut attempt = 0;
    loop {
        let connection = client.any_broker().await?;
        // Which of the two is written is a matter of the version; the other one has to be empty.
        let asks_for_many = connection.versions().highest::<FindCoordinatorRequest>() >= Some(MANY_FROM);
        let request = FindCoordinatorRequest {
            key: if asks_for_many { Text::new() } else { name.into() },
            key_type: kept.code(),
            coordinator_keys: if asks_for_many { vec![name.into()] } else { Vec::new() },
            ..Default::default()
        };
        let response = connection.request(&request).await?;
        let (code, broker) = match response.coordinators.first() {
            Some(coordinator) => (coordinator.error_code, coordinator.node_id),
            None => (response.error_code, response.node_id),
        };
        attempt += 1;
        match code {
            ErrorCode::NONE => {
                client.refresh(&[]).await?;
                return client.broker(broker).await;
            }
            ErrorCode::COORDINATOR_NOT_AVAILABLE | ErrorCode::COORDINATOR_LOAD_IN_PROGRESS
                if attempt < ATTEMPTS =>
            {
                tokio::time::sleep(WAIT).await;
            }
            code => return Err(Error::broker(code, format!("{} {name}", kept.word()), None)),
        }
    }
}
