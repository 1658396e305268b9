//! How long committed offsets take to be back after a restart, and how much memory: a program that prints a table. What is
//! held in the end is that of the process with the offsets loaded, beside what it was before the broker was started anew.
//! It fails where they take longer than they may: two seconds for each million, and two seconds for fewer.
//!
//! usage: cargo run --release --example reload_offsets -- [GROUPS] [PARTITIONS], 1,000 of each if nothing is said

use std::error::Error;
use std::time::{Duration, Instant};

use strandline_broker::node::{Node, NodeOptions};
use strandline_protocol::apis::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use strandline_protocol::{ErrorCode, Text};
use strandline_state::groups::{Ask, Caller, Command, Reply, Request};
use strandline_state::metadata::decide::{CreateTopics, NewTopic};
use strandline_state::settings::BrokerSettings;

const TOPIC: &str = "a-topic-of-some-length";

/// So long a million offsets take at most, or fewer.
const LOADED_IN_MAX: Duration = Duration::from_secs(2);

fn commit(group: usize, partitions: usize) -> Request {
    let partitions = (0..partitions).map(|index| OffsetCommitRequestPartition {
        partition_index: i32::try_from(index).unwrap_or(i32::MAX),
        committed_offset: 1_000_000,
        ..Default::default()
    });
    let topic = OffsetCommitRequestTopic {
        name: Text::from_static(TOPIC),
        partitions: partitions.collect(),
        ..Default::default()
    };
    let group_id = Text::from(format!("a-group-of-some-length-{group}"));
    let request = OffsetCommitRequest { group_id, topics: vec![topic], ..Default::default() };
    Request::OffsetCommit { request, version: 9 }
}

async fn ask(node: &Node, partition: i32, request: Request) -> Result<Reply, ErrorCode> {
    let ask = |ticket| Command::Ask(Box::new(Ask { ticket, caller: Caller::default(), request }));
    node.broker().groups.ask_partition(partition, ask).await.get().await
}

async fn start(folder: &std::path::Path) -> Result<Node, Box<dyn Error>> {
    let options = NodeOptions {
        data_dir: folder.to_owned(),
        listen: vec!["127.0.0.1:0".to_owned()],
        http: None,
        settings: BrokerSettings::from_pairs([("auto.create.topics.enable", "false")])?,
    };
    Ok(Node::start(options).await?)
}

/// What the process holds of memory, in mebibytes.
fn resident_mebibytes() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<u64>()? >> 10)
}

/// Until every partition answers.
async fn wait(node: &Node) -> Result<usize, ErrorCode> {
    let mut found = 0;
    for partition in 0..i32::try_from(node.broker().groups.partition_count()).unwrap_or(0) {
        loop {
            let request = Request::ListGroups { states: Vec::new(), types: Vec::new() };
            match ask(node, partition, request).await {
                Ok(Reply::ListGroups(groups)) => {
                    found += groups.len();
                    break;
                }
                Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS) => {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                other => return Err(other.err().unwrap_or(ErrorCode::UNKNOWN_SERVER_ERROR)),
            }
        }
    }
    Ok(found)
}

/// Whether so many offsets were loaded in time.
fn check(offsets: usize, loaded: Duration) -> Result<(), Box<dyn Error>> {
    let millions = offsets.div_ceil(1_000_000).max(1);
    let allowed = LOADED_IN_MAX * u32::try_from(millions)?;
    if loaded > allowed {
        return Err(format!("they took {loaded:.2?}, and {allowed:.0?} are allowed").into());
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let groups: usize = words.next().map_or(Ok(1_000), |word| word.parse())?;
    let partitions: usize = words.next().map_or(Ok(1_000), |word| word.parse())?;
    let folder = std::env::temp_dir().join(format!("strandline-reload-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        let node = start(&folder).await?;
        let coordinator = &node.broker().groups;
        coordinator.ensure_topic().await.map_err(|code| code.to_string())?;
        // Offsets of topics that are not there would be taken away.
        let topic = NewTopic {
            name: Text::from_static(TOPIC),
            topic_id: node.broker().metadata.new_id(),
            partition_count: 1,
            replication_factor: 1,
            ..NewTopic::default()
        };
        let settings = node.broker().metadata.settings();
        node.broker()
            .metadata
            .run(CreateTopics { topics: vec![topic], validate_only: false, settings })
            .await?;
        let began = Instant::now();
        for group in 0..groups {
            let key = format!("a-group-of-some-length-{group}");
            let partition = coordinator.partition_of(&key).map_err(|code| code.to_string())?;
            ask(&node, partition, commit(group, partitions)).await.map_err(|code| code.to_string())?;
        }
        let committed = began.elapsed();
        node.shutdown().await?;
        let resident_before = resident_mebibytes()?;
        let began = Instant::now();
        let node = start(&folder).await?;
        let started = began.elapsed();
        let found = wait(&node).await.map_err(|code| code.to_string())?;
        let loaded = began.elapsed();
        let resident = resident_mebibytes()?;
        let line = format!(
            "| {} | {:.2} s | {:.2} s | {:.2} s | {found} | {resident_before} MiB | {resident} MiB |\n",
            groups * partitions,
            committed.as_secs_f64(),
            started.as_secs_f64(),
            loaded.as_secs_f64()
        );
        node.shutdown().await?;
        Ok::<_, Box<dyn Error>>((line, loaded))
    });
    std::fs::remove_dir_all(&folder)?;
    let (line, loaded) = done?;
    let table = format!(
        "| offsets | committed in | started in | all loaded in | groups | resident before | after |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n{line}"
    );
    std::io::Write::write_all(&mut std::io::stdout(), table.as_bytes())?;
    check(groups * partitions, loaded)
}
