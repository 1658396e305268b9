//! `strandline group delete`: deletes groups that have no members, or says what would go.

use std::io::Write;

use clap::Args;
use serde_json::json;
use strandline_client::{Client, Each, Error};
use strandline_protocol::ErrorCode;

use super::{Progress, described};
use crate::arguments::{Consent, Named};
use crate::cluster::{Failure, Output};
use crate::hint;
use crate::results::{self, counted, sorted_out, told_with};

/// `strandline group delete`.
#[derive(Args)]
pub(crate) struct Delete {
    /// Show what would be deleted, and delete nothing.
    #[arg(long)]
    validate_only: bool,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    groups: Named,
}

pub(super) fn run(delete: &Delete, out: &mut impl Write) -> Result<(), Failure> {
    let groups = &delete.groups;
    let (names, is_only_shown) = (groups.names(), delete.validate_only);
    if !is_only_shown {
        delete.consent.to(&format!("delete {} and how far they have read", groups.names.join(", ")))?;
    }
    let (results, hints) = groups.connecting.run(async |client| {
        let results = if is_only_shown {
            looked_at(&client, &names).await
        } else {
            let deleted = client.admin().delete_groups(&names).await.into_iter();
            deleted.map(|(name, result)| (name, result.map(|()| Vec::new()))).collect()
        };
        let hints = hint::groups(&client, &results).await;
        Ok((results, hints))
    })?;
    let (done, failed) = sorted_out(results);
    if groups.connecting.output == Output::Json {
        let value = |(name, progress): &(String, Vec<Progress>)| {
            let offsets = is_only_shown.then_some(progress.len());
            json!({ "name": name, "deleted": !is_only_shown, "offsets": offsets })
        };
        results::json(&done.iter().map(value).collect(), out)?;
    } else if is_only_shown {
        for (name, progress) in &done {
            let offsets = counted(progress.len(), "committed offset", "committed offsets");
            writeln!(out, "{name}: would be deleted, with {offsets}")?;
        }
    } else {
        done.iter().try_for_each(|(name, _)| writeln!(out, "{name}: deleted"))?;
    }
    told_with(&failed, hints)
}

/// What is known of how far groups have read, if they may be deleted.
async fn looked_at(client: &Client, names: &[&str]) -> Each<Vec<Progress>> {
    let mut results = Each::new();
    for name in names {
        let found = described(client, name).await.and_then(|(group, progress)| {
            if group.members.is_empty() {
                return Ok(progress);
            }
            let message = counted(group.members.len(), "member is in it", "members are in it");
            Err(Error::broker(ErrorCode::NON_EMPTY_GROUP, format!("group {name}"), Some(message)))
        });
        results.push(((*name).to_owned(), found));
    }
    results
}
