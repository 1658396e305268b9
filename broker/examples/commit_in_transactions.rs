//! How many transactions a second commit offsets of one group, by how many producers there are: a program that prints a
//! table. All of them meet in one partition of the internal topic, as the threads of one application do.
//!
//! usage: cargo run --release --example commit_in_transactions -- [SECONDS], 3 if nothing is said

use std::error::Error;
use std::io::Write as _;
use std::time::{Duration, Instant};

use strandline_broker::node::{Node, NodeOptions};
use strandline_client::{BrokerAddress, ClientConfig, Connection};
use strandline_protocol::apis::create_topics::{CreatableTopic, CreateTopicsRequest};
use strandline_protocol::apis::end_txn::EndTxnRequest;
use strandline_protocol::apis::find_coordinator::FindCoordinatorRequest;
use strandline_protocol::apis::init_producer_id::InitProducerIdRequest;
use strandline_protocol::apis::txn_offset_commit::{
    TxnOffsetCommitRequest, TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use strandline_protocol::{ErrorCode, Text};
use strandline_state::settings::BrokerSettings;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const TOPIC: &str = "orders";
const GROUP: &str = "an-application";

fn expect(code: ErrorCode) -> Outcome<()> {
    if code == ErrorCode::NONE { Ok(()) } else { Err(code.to_string().into()) }
}

async fn prepare(connection: &Connection) -> Outcome<()> {
    let topic =
        CreatableTopic { name: TOPIC.into(), num_partitions: 1, replication_factor: 1, ..Default::default() };
    let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 1_000, ..Default::default() };
    connection.request(&request).await?;
    for (key_type, key) in [(0, GROUP), (1, "producer-0")] {
        let request =
            FindCoordinatorRequest { coordinator_keys: vec![key.into()], key_type, ..Default::default() };
        connection.request(&request).await?;
    }
    Ok(())
}

/// Commits one offset in each transaction until the time is over, and says how many there were.
async fn produce(connection: Connection, name: String, until: Instant) -> Outcome<u64> {
    let transactional_id = Text::from(name);
    let init = InitProducerIdRequest {
        transactional_id: Some(transactional_id.clone()),
        transaction_timeout_ms: 60_000,
        ..Default::default()
    };
    let mut own = loop {
        let given = connection.request(&init).await?;
        match given.error_code {
            ErrorCode::NONE => break (given.producer_id, given.producer_epoch),
            ErrorCode::CONCURRENT_TRANSACTIONS => tokio::task::yield_now().await,
            code => expect(code)?,
        }
    };
    let mut count = 0;
    while Instant::now() < until {
        let partitions = vec![TxnOffsetCommitRequestPartition { committed_offset: 1, ..Default::default() }];
        let topic = TxnOffsetCommitRequestTopic { name: TOPIC.into(), partitions, ..Default::default() };
        let commit = TxnOffsetCommitRequest {
            transactional_id: transactional_id.clone(),
            group_id: GROUP.into(),
            producer_id: own.0,
            producer_epoch: own.1,
            generation_id: -1,
            topics: vec![topic],
            ..Default::default()
        };
        let mut answer = connection.request(&commit).await?;
        let code = answer.topics.pop().and_then(|mut topic| topic.partitions.pop());
        match code.map(|partition| partition.error_code) {
            Some(ErrorCode::NONE) => {}
            // The markers of the one before are not there yet.
            Some(ErrorCode::CONCURRENT_TRANSACTIONS | ErrorCode::COORDINATOR_LOAD_IN_PROGRESS) => continue,
            Some(code) => expect(code)?,
            None => return Err("no answer".into()),
        }
        let end = EndTxnRequest {
            transactional_id: transactional_id.clone(),
            producer_id: own.0,
            producer_epoch: own.1,
            committed: true,
            ..Default::default()
        };
        let ended = connection.request(&end).await?;
        expect(ended.error_code)?;
        own = (ended.producer_id, ended.producer_epoch);
        count += 1;
    }
    Ok(count)
}

async fn measure(seconds: u64) -> Outcome<()> {
    let folder = std::env::temp_dir().join(format!("strandline-transactions-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let options = NodeOptions {
        data_dir: folder.clone(),
        listen: vec!["127.0.0.1:0".to_owned()],
        http: None,
        settings: BrokerSettings::from_pairs([("auto.create.topics.enable", "false")])?,
    };
    let node = Node::start(options).await?;
    let endpoint = node.endpoints().first().ok_or("it listens nowhere")?;
    let address = BrokerAddress::new(endpoint.host.as_str(), endpoint.port);
    let config = ClientConfig::new(&format!("{}:{}", endpoint.host, endpoint.port))?;
    prepare(&Connection::open(&address, &config).await?).await?;
    let mut out = std::io::stdout();
    writeln!(out, "{:>10}{:>20}", "producers", "transactions/s")?;
    for producers in [1_u64, 4, 16, 64] {
        let (begun, mut running) = (Instant::now(), Vec::new());
        let until = begun + Duration::from_secs(seconds);
        for number in 0..producers {
            let connection = Connection::open(&address, &config).await?;
            running.push(tokio::spawn(produce(connection, format!("producer-{number}"), until)));
        }
        let mut count = 0;
        for producer in running {
            count += producer.await??;
        }
        writeln!(out, "{producers:>10}{:>20}", count / begun.elapsed().as_secs().max(1))?;
    }
    node.shutdown().await?;
    Ok(std::fs::remove_dir_all(folder)?)
}

fn main() -> Outcome<()> {
    let seconds = std::env::args().nth(1).map_or(Ok(3), |seconds| seconds.parse())?;
    tokio::runtime::Runtime::new()?.block_on(measure(seconds))
}
