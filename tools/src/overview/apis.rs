//! `strandline cluster apis`: what a broker serves, beside what this binary knows.

use std::io::Write;

use clap::Args;
use serde_json::json;
use strandline_protocol::apis::API_KEYS;
use strandline_protocol::schema::VersionRange;

use crate::cluster::{Connecting, Failure, Output};
use crate::results;
use crate::table::Table;

/// `strandline cluster apis`.
#[derive(Args)]
pub(crate) struct Apis {
    /// The broker; whichever answers first where it is left out.
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(i32).range(0..))]
    broker: Option<i32>,
    #[command(flatten)]
    connecting: Connecting,
}

pub(super) fn run(plan: &Apis, out: &mut impl Write) -> Result<(), Failure> {
    let versions = plan.connecting.run(async |client| {
        let connection = match plan.broker {
            Some(id) => client.broker(id).await?,
            None => client.any_broker().await?,
        };
        Ok(connection.versions().clone())
    })?;
    let all = || API_KEYS.iter().map(|key| (key.api(), versions.of(*key)));
    if plan.connecting.output == Output::Json {
        let text = |range: VersionRange| Some(range.to_string()).filter(|_| !range.is_empty());
        let value = all().map(|(api, theirs)| {
            json!({
                "key": i16::from(api.key), "name": api.name, "broker": text(theirs),
                "strandline": text(api.stable_versions()),
            })
        });
        return Ok(results::json(&value.collect(), out)?);
    }
    let mut table = Table::new(&["KEY", "NAME", "BROKER", "THIS BINARY"]);
    for (api, theirs) in all().filter(|(_, theirs)| !theirs.is_empty()) {
        let (key, name) = (i16::from(api.key).to_string(), api.name.to_owned());
        table.row([key, name, theirs.to_string(), api.stable_versions().to_string()]);
    }
    Ok(table.print(out)?)
}
