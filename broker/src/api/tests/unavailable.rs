//! What each API of groups and transactions is answered while its coordinator cannot serve: held against the page that
//! says so, and that is part of docs/PROTOCOL.md.

use std::sync::Arc;
use std::time::Duration;

use strandline_log::disk::simulated::{Operation, Stall};
use strandline_log::engine::{Command, NewBatch};
use strandline_log::producers::Sender;
use strandline_protocol::batch::{BatchBuilder, NewRecord};
use strandline_protocol::{ErrorCode, Text};
use strandline_state::groups::{GroupSettings, Groups};
use tokio::time::sleep;

use super::asking::{GROUP, Own, TOPIC, TRANSACTIONAL_ID};
use super::{NOW_MS, Rig, found_cluster};
use crate::coordinator::{
    Coordinator, CoordinatorParts, OFFSETS_TOPIC, TRANSACTIONS_TOPIC, partition_of, watch_groups,
};
use crate::metadata::Metadata;
use crate::offload::Offload;
use crate::producer_ids::ProducerIds;
use crate::storage::TopicPartition;
use crate::transactions::{TransactionCoordinator, Verified};

/// The page, of which each row of the table is about one API.
const PAGE: &str = include_str!("../unavailable.md");

/// Those whose coordinators it is about.
const APIS: [&str; 21] = [
    "FindCoordinator",
    "JoinGroup",
    "SyncGroup",
    "Heartbeat",
    "LeaveGroup",
    "ConsumerGroupHeartbeat",
    "ConsumerGroupDescribe",
    "DescribeGroups",
    "ListGroups",
    "DeleteGroups",
    "OffsetCommit",
    "OffsetFetch",
    "OffsetDelete",
    "TxnOffsetCommit",
    "InitProducerId",
    "AddPartitionsToTxn",
    "AddOffsetsToTxn",
    "EndTxn",
    "WriteTxnMarkers",
    "DescribeTransactions",
    "ListTransactions",
];

/// So long the impatient coordinators have somebody wait.
const WAIT_MAX_MS: u32 = 20;

/// A broker with a group that has an offset, and a producer with an open transaction.
pub(super) struct World {
    pub(super) rig: Rig,
    pub(super) own: Own,
    /// The partition that becomes part of the transaction next.
    pub(super) next_partition: i32,
}

impl World {
    pub(super) async fn new() -> Self {
        let mut rig = Rig::new();
        found_cluster(&rig.broker.metadata, TOPIC, 2).await;
        rig.broker().topics = Arc::<Metadata>::clone(&rig.broker.metadata);
        let parts = parts(&rig);
        begin(&mut rig, &parts);
        rig.broker.groups.ensure_topic().await.unwrap();
        rig.broker.transactions.coordinator().ensure_topic().await.unwrap();
        let mut world = Self { rig, own: Own { id: -1, epoch: -1 }, next_partition: 0 };
        assert_eq!(world.ask("OffsetCommit").await, ErrorCode::NONE);
        world.own = world.initialised().await;
        assert_eq!(world.ask("AddPartitionsToTxn").await, ErrorCode::NONE);
        world.next_partition = 1;
        world
    }

    /// New coordinators, which may not read their logs as long as what is given back is there.
    async fn loading(&mut self) -> Arc<CoordinatorParts> {
        let parts = parts(&self.rig);
        let all = u32::try_from(parts.loading.available_permits()).unwrap();
        parts.loading.acquire_many(all).await.unwrap().forget();
        begin(&mut self.rig, &parts);
        parts
    }

    /// Somebody else leads by now, in a later epoch, and has written something of a newer kind.
    async fn refuse(&self) {
        let places = [(&OFFSETS_TOPIC, GROUP), (&TRANSACTIONS_TOPIC, TRANSACTIONAL_ID)];
        for (topic, key) in places {
            let storage = &self.rig.broker.storage;
            let known = self.rig.broker.metadata.image().topic(topic.name).cloned().unwrap();
            let index = partition_of(key, known.partition_count()).unwrap();
            let partition = storage.partition(TopicPartition { topic_id: known.id(), index }).unwrap().id();
            let mut builder = BatchBuilder::new();
            builder.append(&NewRecord { key: Some(b"newer"), ..NewRecord::at(NOW_MS) }).unwrap();
            let batch = NewBatch::validated(builder.build().unwrap()).unwrap();
            let append = Command::Append { partition, leader_epoch: 9, sender: Sender::Client, batch };
            assert!(storage.submit([append]).await.await.pop().unwrap().is_ok());
        }
    }

    /// New coordinators, which let nobody wait long for an append.
    async fn lose_patience(&mut self) {
        let mut parts = parts(&self.rig);
        Arc::get_mut(&mut parts).unwrap().append_wait_max = Duration::from_millis(WAIT_MAX_MS.into());
        begin(&mut self.rig, &parts);
        for api in ["DescribeGroups", "DescribeTransactions"] {
            while self.ask(api).await == ErrorCode::COORDINATOR_LOAD_IN_PROGRESS {
                tokio::task::yield_now().await;
            }
        }
    }

    /// The disk hangs at whatever is written next.
    fn stall(&self) -> Vec<Stall> {
        (1..=8).map(|nth| self.rig.disk.stall(Operation::Write, nth)).collect()
    }

    /// What one is told while time goes on; nothing, if that is nothing however long it takes.
    async fn ask_patiently(&self, api: &str, member: &(Text, i32)) -> Option<ErrorCode> {
        let passing = async {
            for _ in 0..20 * WAIT_MAX_MS {
                sleep(Duration::from_millis(2)).await;
                self.rig.clock.advance(1);
            }
        };
        tokio::select! {
            code = self.ask_as(api, member) => Some(code),
            () = passing => None,
        }
    }

    /// The disk is gone, and both coordinators have noticed.
    pub(super) async fn go_offline(&self) {
        self.rig.disk.halt_in(1);
        for api in ["OffsetCommit", "EndTxn"] {
            while self.ask(api).await != ErrorCode::NOT_COORDINATOR {
                tokio::task::yield_now().await;
            }
        }
        // Reading the log again is tried first.
        for api in ["DescribeGroups", "DescribeTransactions"] {
            while self.ask(api).await == ErrorCode::COORDINATOR_LOAD_IN_PROGRESS {
                tokio::task::yield_now().await;
            }
        }
    }
}

/// What coordinators stand on.
fn parts(rig: &Rig) -> Arc<CoordinatorParts> {
    let metadata = Arc::clone(&rig.broker.metadata);
    let metrics = Arc::clone(&rig.broker.metrics);
    Arc::new(CoordinatorParts::new(metadata, rig.clock.clone(), Offload::Threads, metrics))
}

/// Has the broker's coordinators begin, or begin anew.
fn begin(rig: &mut Rig, parts: &Arc<CoordinatorParts>) {
    let metadata = Arc::clone(&rig.broker.metadata);
    let fresh = Arc::new(move || {
        let settings = GroupSettings { initial_rebalance_delay_ms: 0, ..GroupSettings::default() };
        Groups::new(Arc::new(settings), metadata.image())
    });
    let watch = watch_groups(Arc::clone(&rig.broker.metrics));
    let groups = Coordinator::new(&OFFSETS_TOPIC, Arc::clone(parts), fresh, watch);
    let (groups, producer_ids) =
        (Arc::new(groups), Arc::new(ProducerIds::new(Box::<super::Blocks>::default())));
    let transactions =
        TransactionCoordinator::new(Arc::clone(parts), Arc::clone(&groups), Arc::clone(&producer_ids));
    let transactions = Arc::new(transactions);
    let broker = rig.broker();
    broker.admission = Arc::new(Verified::new(Arc::clone(&transactions)));
    (broker.groups, broker.transactions, broker.producer_ids) = (groups, transactions, producer_ids);
}

/// What the requests are answered when all is well.
fn usually(api: &str) -> ErrorCode {
    match api {
        "JoinGroup" => ErrorCode::MEMBER_ID_REQUIRED,
        "ConsumerGroupDescribe" => ErrorCode::GROUP_ID_NOT_FOUND,
        // It ends the transaction that is open, and is to come again.
        "InitProducerId" => ErrorCode::CONCURRENT_TRANSACTIONS,
        _ => ErrorCode::NONE,
    }
}

/// A cell of the table.
fn cell(usual: ErrorCode, code: ErrorCode) -> String {
    if code == usual { "as usual".to_owned() } else { code.to_string() }
}

/// What an API is answered while the disk hangs.
async fn slow(usual: ErrorCode, api: &str) -> String {
    let mut world = World::new().await;
    world.lose_patience().await;
    let own = world.prepared(api).await;
    let stall = world.stall();
    let code = world.ask_patiently(api, &own).await;
    drop(stall);
    code.map_or("waits".to_owned(), |code| cell(usual, code))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_api_is_answered_as_the_page_says() {
    let mut loading = World::new().await;
    let _held = loading.loading().await;
    let offline = World::new().await;
    offline.go_offline().await;
    let mut rows = Vec::new();
    for api in APIS {
        let well = World::new().await;
        let own = well.prepared(api).await;
        let usual = well.ask_as(api, &own).await;
        assert_eq!(usual, usually(api), "{api}");
        let refusing = World::new().await;
        let own = refusing.prepared(api).await;
        refusing.refuse().await;
        let refused = refusing.ask_as(api, &own).await;
        let slow = slow(usual, api).await;
        let [loading, offline] =
            [loading.ask(api).await, offline.ask(api).await].map(|code| cell(usual, code));
        let cells = [loading, cell(usual, refused), slow, offline];
        rows.push(format!("| {api} | {} |", cells.join(" | ")));
    }
    let found = rows.join("\n");
    assert!(PAGE.contains(&found), "the page says otherwise than this:\n{found}");
    assert_eq!(PAGE.lines().filter(|line| line.starts_with("| ")).count(), rows.len() + 2);
}

/// What was refused for it took too long is there once the disk moves, and asking again changes nothing about it.
#[tokio::test(flavor = "multi_thread")]
async fn what_took_too_long_is_found_when_the_disk_moves_and_can_be_asked_for_again() {
    let mut world = World::new().await;
    world.lose_patience().await;
    let member = world.prepared("SyncGroup").await;
    let stranger = ("stranger".into(), 1);
    let stall = world.stall();
    for api in ["SyncGroup", "AddOffsetsToTxn", "EndTxn"] {
        let code = world.ask_patiently(api, &member).await;
        assert_eq!(code, Some(ErrorCode::COORDINATOR_NOT_AVAILABLE), "{api}");
    }
    drop(stall);
    // The leader is the only member, and was heard; the transaction is about to end, and told so as often as it is asked.
    assert_eq!(world.ask_as("Heartbeat", &member).await, ErrorCode::NONE);
    assert_eq!(world.ask_as("SyncGroup", &member).await, ErrorCode::NONE);
    assert_eq!(world.ask_as("EndTxn", &stranger).await, ErrorCode::CONCURRENT_TRANSACTIONS);
    assert_eq!(world.ask_as("LeaveGroup", &member).await, ErrorCode::NONE);

    assert_eq!(world.ask_patiently("OffsetDelete", &stranger).await, Some(ErrorCode::NONE));
    assert_eq!(world.committed().await, -1);
    let stall = world.stall();
    let code = world.ask_patiently("OffsetCommit", &stranger).await;
    assert_eq!(code, Some(ErrorCode::COORDINATOR_NOT_AVAILABLE));
    let code = world.ask_patiently("OffsetFetch", &stranger).await;
    assert_eq!(code, Some(ErrorCode::NOT_COORDINATOR), "it would tell of what is not durable");
    drop(stall);
    assert_eq!(world.committed().await, 1);
    assert_eq!(world.ask_patiently("OffsetCommit", &stranger).await, Some(ErrorCode::NONE));
    assert_eq!(world.committed().await, 1);
}
