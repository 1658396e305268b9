//! What logs can be turned up and down by itself.

use std::collections::BTreeSet;

use crate::sources;

const PARTS: &str = "tools/src/logging/mod.rs";
const BROKER: &str = "broker/src/";

#[test]
fn every_module_of_the_broker_that_logs_has_a_level_of_its_own() {
    let all = sources::all();
    let parts = &all.iter().find(|source| source.path == PARTS).unwrap().text;
    let logs = all.iter().filter(|source| {
        source.path.starts_with(BROKER)
            && source.production_lines().any(|(_, line)| line.trim_start().starts_with("tracing::"))
    });
    let modules: BTreeSet<&str> =
        logs.filter_map(|source| source.path.strip_prefix(BROKER)?.split(['/', '.']).next()).collect();
    assert!(modules.len() > 5, "the search is broken: {modules:?}");
    let missing: Vec<_> = modules
        .iter()
        .filter(|module| !parts.contains(&format!("\"strandline_broker::{module}\"")))
        .collect();
    assert!(missing.is_empty(), "no part of {PARTS}: {missing:?}");
}
