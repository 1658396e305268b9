//! `strandline transaction`: which transactions there are, what they hold up, and an end to one whose producer is gone.

use std::io::Write;
use std::time::Duration;

use clap::{Args, Subcommand};
use strandline_client::{Client, Each, Error, TransactionDescription, TransactionFilter, TransactionListing};

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

/// The states that Kafka has.
const STATES: &str =
    "Empty, Ongoing, PrepareCommit, PrepareAbort, CompleteCommit, CompleteAbort, Dead and PrepareEpochFence";

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
    async fn asked(&self, client: &Client) -> Result<Vec<TransactionListing>, Failure> {
        let filter = self.state.iter().fold(TransactionFilter::new(), |filter, state| filter.state(state));
        let filter = match self.open_ms {
            Some(open_ms) => filter.open_for(Duration::from_millis(open_ms.unsigned_abs())),
            None => filter,
        };
        client.admin().list_transactions_of(&filter).await.map_err(|error| match error {
            Error::Settings(why) => Failure::Usage(format!("{why}; there are {STATES}")),
            error => error.into(),
        })
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
