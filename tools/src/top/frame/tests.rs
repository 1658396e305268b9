use std::time::Instant;

use strandline_client::{BrokerAddress, BrokerInfo, ClusterDescription, PartitionInfo};

use super::*;
use crate::group::Progress;
use crate::sizes::{Extent, Extents};

fn sample(at: Instant, end: i64, committed: i64) -> Sample {
    let partition =
        PartitionInfo { leader: Some(1), replicas: vec![1, 2], in_sync: vec![1], ..Default::default() };
    let topic = |name: &str| TopicInfo {
        name: name.to_owned(),
        partitions: vec![partition.clone()],
        ..Default::default()
    };
    let extent = Extent { begin: Some(0), end: Some(end), bytes: Some(end * 100) };
    let progress = Progress {
        topic: "orders".to_owned(),
        committed: Some(committed),
        end: Some(end),
        ..Default::default()
    };
    let group = GroupSample { state: "Stable".to_owned(), members: 2, progress: vec![progress] };
    let broker = BrokerInfo { id: 1, address: BrokerAddress::new("a", 9092), rack: None };
    Sample {
        at,
        cluster: ClusterDescription { brokers: vec![broker], ..Default::default() },
        topics: vec![topic("customers"), topic("orders")],
        extents: Extents::default().with("orders", 0, extent),
        groups: BTreeMap::from([("billing".to_owned(), group)]),
        groups_count: 1,
        metrics: BTreeMap::new(),
    }
}

fn lines(size: Size) -> Vec<String> {
    let begin = Instant::now();
    let (before, now) = (sample(begin, 1_000, 500), sample(begin + Duration::from_secs(2), 3_000, 1_500));
    Frame { before: Some(&before), now: &now, interval: Duration::from_secs(2) }.lines(size)
}

#[test]
fn rates_are_what_lies_between_two_looks() {
    let lines = lines(Size { columns: 200, rows: 40 });
    let of = |name: &str| {
        let line = lines.iter().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(of("orders"), ["orders", "1", "3000", "1000", "292", "KiB", "97", "KiB", "1"]);
    assert_eq!(of("billing"), ["billing", "Stable", "2", "500", "1500"]);
    assert_eq!(of("customers"), ["customers", "1", "-", "-", "-", "-", "1"]);
    assert_eq!(
        lines[0],
        "cluster without an id   1 broker   2 topics   2 partitions   2 out of sync   1 group"
    );
    assert!(
        lines[1].starts_with("1000 records/s in   500 records/s read by groups   1500 behind"),
        "{}",
        lines[1]
    );
    let place = |name: &str| lines.iter().position(|line| line.starts_with(name)).unwrap();
    assert!(place("orders") < place("customers"), "the busiest comes first");
    assert_eq!(lines.last().unwrap(), "every 2 s   q quits");
}

#[test]
fn a_view_fits_into_any_terminal() {
    for rows in 1..30 {
        for columns in [1, 20, 80] {
            let lines = lines(Size { columns, rows });
            assert!(lines.len() <= rows, "{rows} rows: {lines:?}");
            assert!(lines.iter().all(|line| line.chars().count() <= columns), "{columns} columns: {lines:?}");
        }
    }
}

#[test]
fn what_is_left_out_is_counted() {
    let section: Vec<String> = (0..10).map(|number| number.to_string()).collect();
    let shared = share(vec![section, vec!["head".to_owned(), "one".to_owned()]], 6);
    assert_eq!(shared[0], ["0", "1", "2", "... and 7 more"]);
    assert_eq!(shared[1], ["head", "one"]);
}

#[test]
fn without_an_earlier_look_there_are_no_rates() {
    let now = sample(Instant::now(), 10, 5);
    let frame = Frame { before: None, now: &now, interval: Duration::from_secs(2) };
    let json = frame.json();
    assert!(json["topics"][0]["recordsPerSecond"].is_null(), "{json}");
    assert_eq!(json["groups"][0]["lag"], 5);
}
