//! The client library: that it can ask for all that a broker of ours serves.

use crate::sources::{self, Source};

const TABLE: &str = "broker/src/api/mod.rs";
const CLIENT: &str = "client/src/";

/// What is served for others, with what the client asks for instead.
const LEFT_OUT: &[(&str, &str)] =
    &[("AlterConfigs", "IncrementalAlterConfigs"), ("DescribeTopicPartitions", "Metadata")];

fn asks_for(client: &[Source], api: &str) -> bool {
    let request = format!("{api}Request");
    let lines = || client.iter().flat_map(Source::production_lines).map(|(_, line)| line);
    lines().any(|line| line.split(|sign: char| !sign.is_alphanumeric()).any(|word| word == request))
}

#[test]
fn the_client_asks_for_all_that_a_broker_serves() {
    let (table, others): (Vec<_>, Vec<_>) =
        sources::all().into_iter().partition(|source| source.path == TABLE);
    let client: Vec<_> = others.into_iter().filter(|source| source.path.starts_with(CLIENT)).collect();
    let rows = table[0].text.lines().skip_while(|line| *line != "served! {").skip(1);
    let served: Vec<&str> =
        rows.take_while(|line| *line != "}").filter_map(|row| row.split_whitespace().next()).collect();
    assert!(served.len() > 40, "only {} APIs found: the search is broken", served.len());
    for api in served {
        let instead = LEFT_OUT.iter().find(|(name, _)| *name == api).map(|(_, instead)| *instead);
        assert_eq!(asks_for(&client, api), instead.is_none(), "{api}");
        assert!(instead.is_none_or(|instead| asks_for(&client, instead)), "{api}");
    }
}
