//! Work in the background and limits, changed while a broker runs: by its settings, as any client can.

use strandline_client::{BrokerAddress, ClientConfig, Connection};
use strandline_protocol::ErrorCode;
use strandline_protocol::batch::NewRecord;

use crate::support::{Folder, Running};
use crate::wire::{BROKER, Change, alter, create, offset, produce, set, until};

async fn tell(running: &Running, settings: &[(&str, &str)]) {
    let changes: Vec<_> = settings.iter().map(|(name, value)| (*name, Change::Set(value))).collect();
    let (code, message) = alter(running, BROKER, "1", &changes).await;
    assert_eq!(code, ErrorCode::NONE, "{message}");
}

const EAGER: [(&str, &str); 2] =
    [("log.retention.check.interval.ms", "20"), ("strandline.checkpoint.interval.ms", "20")];

const NEVER: [(&str, &str); 2] =
    [("log.retention.check.interval.ms", "86400000"), ("strandline.checkpoint.interval.ms", "86400000")];

#[tokio::test]
async fn retention_looks_as_often_as_it_is_told_meanwhile_and_after_a_restart() {
    let folder = Folder::new();
    let running = folder.start(&NEVER).await;
    create(&running, "t", &[]).await;
    let old = || NewRecord { value: Some(b"old"), ..NewRecord::at(1) };
    assert_eq!(produce(&running, "t", &[old()]).await, Ok(0));
    set(&running, "t", &[("retention.ms", "1000")]).await;
    tell(&running, &EAGER).await;
    until("retention", async || offset(&running, "t", -2).await == 1).await;
    running.stop().await;
    let running = folder.start(&NEVER).await;
    assert_eq!(produce(&running, "t", &[old()]).await, Ok(1));
    until("retention after a restart", async || offset(&running, "t", -2).await == 2).await;
    running.stop().await;
}

#[tokio::test]
async fn connections_beyond_a_new_limit_are_refused_and_those_that_there_are_stay() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    let endpoint = &running.node.endpoints()[0];
    let address = BrokerAddress::new(endpoint.host.as_str(), endpoint.port);
    let config = ClientConfig::new(&format!("{}:{}", endpoint.host, endpoint.port)).unwrap();
    let other = async || Connection::open(&address, &config).await;
    assert!(other().await.is_ok());
    for limit in ["max.connections", "max.connections.per.ip"] {
        tell(&running, &[(limit, "1")]).await;
        assert!(other().await.is_err(), "{limit}");
        tell(&running, &[(limit, "100")]).await;
        assert!(other().await.is_ok(), "{limit}");
    }
    create(&running, "t", &[]).await;
    running.stop().await;
}

#[tokio::test]
async fn what_compaction_may_take_is_a_number_of_bytes_in_a_second() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    tell(&running, &[("log.cleaner.io.max.bytes.per.second", "1000000.5")]).await;
    let change = [("log.cleaner.io.max.bytes.per.second", Change::Set("much"))];
    let (code, message) = alter(&running, BROKER, "1", &change).await;
    assert!(code != ErrorCode::NONE && message.contains("DOUBLE"), "{message}");
    running.stop().await;
}
