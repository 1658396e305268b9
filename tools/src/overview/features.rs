//! `strandline cluster features`: levels of what a cluster may do.

use std::io::Write;

use serde_json::json;
use strandline_client::Feature;

use crate::cluster::{Connecting, Failure, Output};
use crate::results::{self, or_dash};
use crate::table::Table;

pub(super) fn run(connecting: &Connecting, out: &mut impl Write) -> Result<(), Failure> {
    let features = connecting.run(async |client| Ok(client.admin().describe_features().await?))?;
    if connecting.output == Output::Json {
        let value = |it: &Feature| json!({ "name": it.name, "min": it.level_min, "max": it.level_max, "level": it.level });
        return Ok(results::json(&features.iter().map(value).collect(), out)?);
    }
    let mut table = Table::new(&["NAME", "MIN", "MAX", "IN USE"]);
    for it in features {
        table.row([it.name, it.level_min.to_string(), it.level_max.to_string(), or_dash(it.level)]);
    }
    Ok(table.print(out)?)
}
