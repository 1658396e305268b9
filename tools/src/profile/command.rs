//! `strandline profile`: which profiles there are, what they say, and new ones.

use std::io::Write;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Profile, names};
use crate::cluster::{BROKERS, Failure, Output};
use crate::results;
use crate::table::Table;

/// What `strandline profile` can do.
#[derive(Subcommand)]
pub(crate) enum ProfileCommand {
    /// Lists the profiles in ~/.config/strandline.
    List(List),
    /// Shows what a profile says, or that which is used where none is named.
    Show(Show),
    /// Makes a profile, or makes it another. That of the name `default` is used where none is named.
    Set(Set),
}

/// `strandline profile list`.
#[derive(Args)]
pub(crate) struct List {
    /// How it is printed.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// `strandline profile show`.
#[derive(Args)]
pub(crate) struct Show {
    /// The profile: a name, or a file.
    #[arg(env = "STRANDLINE_PROFILE", hide_env_values = true)]
    name: Option<String>,
    /// How it is printed.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// `strandline profile set`.
#[derive(Args)]
pub(crate) struct Set {
    /// The profile: a name, or a file.
    name: String,
    /// Addresses of one or more brokers of the cluster.
    #[arg(long, value_name = "HOST:PORT[,...]")]
    brokers: String,
    /// Where the brokers serve their metrics, for `strandline top`.
    #[arg(long, value_name = "HOST:PORT[,...]")]
    http: Option<String>,
}

pub(crate) fn run(command: &ProfileCommand, out: &mut impl Write) -> Result<(), Failure> {
    match command {
        ProfileCommand::List(list) => {
            let mut table = Table::new(&["NAME", "BROKERS", "HTTP"]);
            let mut values = Vec::new();
            for name in names()? {
                let (_, profile) = Profile::load(Some(&name))?;
                values.push(json!({ "name": name, "brokers": profile.brokers, "http": profile.http }));
                table.row([name, profile.brokers.unwrap_or_default(), profile.http.unwrap_or_default()]);
            }
            match list.output {
                Output::Json => Ok(results::json(&values.into(), out)?),
                Output::Table => Ok(table.print(out)?),
            }
        }
        ProfileCommand::Show(show) => {
            let (path, profile) = Profile::load(show.name.as_deref())?;
            let brokers = profile.brokers.unwrap_or_else(|| BROKERS.to_owned());
            let file = path.map(|path| path.display().to_string());
            if show.output == Output::Json {
                let value = json!({ "file": file, "brokers": brokers, "http": profile.http });
                return Ok(results::json(&value, out)?);
            }
            writeln!(out, "file     {}", file.unwrap_or_else(|| "none: these are the defaults".to_owned()))?;
            writeln!(out, "brokers  {brokers}")?;
            Ok(profile.http.map_or(Ok(()), |http| writeln!(out, "http     {http}"))?)
        }
        ProfileCommand::Set(set) => {
            for addresses in [Some(&set.brokers), set.http.as_ref()].into_iter().flatten() {
                strandline_client::ClientConfig::new(addresses)?;
            }
            let profile = Profile { brokers: Some(set.brokers.clone()), http: set.http.clone() };
            let path = profile.save(&set.name)?;
            Ok(writeln!(out, "{}: written", path.display())?)
        }
    }
}
