//! `strandline transaction`: which transactions there are, what they hold up, and an end to one whose producer is gone.

use std::io::Write;

use clap::{Args, Subcommand};
use strandline_client::{Client, Each, Error, TransactionDescription};
use strandline_protocol::ErrorCode;
use strandline_protocol::apis::list_transactions::ListTransactionsRequest;

use crate::arguments::{Consent, Named};
use crate::cluster::{Connecting, Failure};
use crate::results::{sorted_out, told};

mod print;
mod producers;

/// What `strandline transaction` can do.
#[derive(Subcommand)]
pub(crate) enum TransactionCommand {
    /// Lists the transactional ids, and what state each is in.
    List(List),
    /// Shows the transactions of these ids: since when they are open, and in which partitions.
    Describe(Named),
    /// Shows who has written to a topic's partitions, and which open transactions hold up its readers.
    Producers(producers::Producers),
    /// Fences whoever produces with these transactional ids, and aborts what they have open.
    Abort(Abort),
}

/// `strandline transaction list`.
#[derive(Args)]
pub(crate) struct List {
    /// Only those in this state, such as Ongoing; may be given more than once.
    #[arg(long, value_name = "STATE")]
    state: Vec<String>,
    /// Only those that have been open for longer, in milliseconds.
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(i64).range(0..))]
    open_ms: Option<i64>,
    #[command(flatten)]
    connecting: Connecting,
}

/// `strandline transaction abort`.
#[derive(Args)]
pub(crate) struct Abort {
    /// Show whom it would fence and what it would abort, and do nothing.
    #[arg(long)]
    validate_only: bool,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    ids: Named,
}

/// A transactional id, as it is listed.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Listed {
    id: String,
    producer_id: i64,
    state: String,
    coordinator: i32,
}

pub(crate) fn run(command: &TransactionCommand, out: &mut impl Write) -> Result<(), Failure> {
    match command {
        TransactionCommand::List(list) => {
            let listed = list.connecting.run(async |client| list.asked(&client).await)?;
            Ok(print::listed(&listed, list.connecting.output, out)?)
        }
        TransactionCommand::Describe(ids) => {
            let results = ids
                .connecting
                .run(async |client| Ok(client.admin().describe_transactions(&ids.names()).await))?;
            let (done, failed) = sorted_out(results);
            print::described(&done, ids.connecting.output, out)?;
            told(&failed)
        }
        TransactionCommand::Producers(plan) => producers::run(plan, out),
        TransactionCommand::Abort(abort) => {
            let ids = &abort.ids;
            if abort.validate_only {
                let described = ids.connecting.run(async |client| Ok(abort.looked_at(&client).await))?;
                let (found, failed) = sorted_out(described);
                print::would_be_aborted(&found, ids.connecting.output, out)?;
                return told(&failed);
            }
            abort.consent.to(&format!("fence the producers of {}", ids.names.join(", ")))?;
            let results = ids.connecting.run(async |client| {
                let mut results = Vec::new();
                for id in &ids.names {
                    results.push((id.clone(), fenced(&client, id).await));
                }
                Ok(results)
            })?;
            let (done, failed) = sorted_out(results);
            print::aborted(&done, ids.connecting.output, out)?;
            told(&failed)
        }
    }
}

impl List {
    async fn asked(&self, client: &Client) -> Result<Vec<Listed>, Failure> {
        let request = ListTransactionsRequest {
            state_filters: self.state.iter().map(|state| state.as_str().into()).collect(),
            duration_filter: self.open_ms.unwrap_or(-1),
            ..Default::default()
        };
        let metadata = client.refresh(&[]).await?;
        let mut listed = Vec::new();
        for broker in &metadata.brokers {
            let response = client.broker(broker.id).await?.request(&request).await?;
            let subject = || format!("the transactions of broker {}", broker.id);
            if response.error_code != ErrorCode::NONE {
                return Err(Error::broker(response.error_code, subject(), None).into());
            }
            if let Some(state) = response.unknown_state_filters.first() {
                let known = "Empty, Ongoing, PrepareCommit, PrepareAbort, CompleteCommit, CompleteAbort, Dead and PrepareEpochFence";
                return Err(Failure::Usage(format!(
                    "no transaction has the state {state}; there are {known}"
                )));
            }
            listed.extend(response.transaction_states.into_iter().map(|state| Listed {
                id: state.transactional_id.into(),
                producer_id: state.producer_id,
                state: state.transaction_state.into(),
                coordinator: broker.id,
            }));
        }
        listed.sort();
        Ok(listed)
    }
}

impl Abort {
    async fn looked_at(&self, client: &Client) -> Each<TransactionDescription> {
        client.admin().describe_transactions(&self.ids.names()).await
    }
}

/// Takes the id for itself: whoever had it is fenced, and what he had open is aborted first.
async fn fenced(client: &Client, id: &str) -> Result<i16, Error> {
    // An id that nobody has is not made by aborting it.
    described(client, id).await?;
    client.admin().fence_producer(id).await?;
    Ok(described(client, id).await?.producer_epoch)
}

async fn described(client: &Client, id: &str) -> Result<TransactionDescription, Error> {
    let missing = || Err(Error::Missing(format!("transaction {id}")));
    client.admin().describe_transactions(&[id]).await.pop().map_or_else(missing, |(_, described)| described)
}
