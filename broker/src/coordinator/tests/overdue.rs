//! What those are told who wait for an append that takes too long, and what becomes of what they asked for.

use std::time::Duration;

use strandline_log::disk::simulated::{Operation, Stall};
use strandline_log::engine::{Command as ToWriter, MailboxOptions, NewBatch, Options};
use strandline_log::producers::{FirstBatch, Sender};
use strandline_protocol::ErrorCode;
use strandline_protocol::batch::{BatchBuilder, NewRecord};
use strandline_state::coordinator::{Ticket, TransactionEnd};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::super::Answer;
use super::Rig;
use super::machine::Command;
use crate::storage::{Submitted, TopicPartition};

const WAIT_MAX_MS: u32 = 20;

/// Nobody who is answered at all waits so long.
const HANGING: Duration = Duration::from_secs(30);

type Asked = JoinHandle<Result<i64, ErrorCode>>;

const TOO_LONG: Result<i64, ErrorCode> = Err(ErrorCode::COORDINATOR_NOT_AVAILABLE);

impl Rig {
    /// One whose coordinator lets nobody wait for long.
    async fn impatient(options: Options) -> Self {
        let mut rig = Self::with_options(options).await;
        let mut parts = Self::parts(&rig.metadata, rig.clock.clone());
        parts.append_wait_max = Duration::from_millis(WAIT_MAX_MS.into());
        rig.adders = Self::coordinator(parts, &rig.watched);
        assert_eq!(rig.add("k", 1).await, Ok(1));
        rig
    }

    async fn begin(&self, command: impl FnOnce(Ticket) -> Command) -> Asked {
        tokio::spawn(self.ask("k", command).await.get())
    }

    /// From now on nothing is written: each thread that writes hangs, what makes segments beside the journal included.
    fn stalled(&self) -> Vec<Stall> {
        (1..=8).map(|nth| self.disk.stall(Operation::Write, nth)).collect()
    }

    /// Time passes, and there has been time to notice.
    async fn pass(&self, passes_ms: u32) {
        self.clock.advance(passes_ms);
        sleep(Duration::from_millis((3 * WAIT_MAX_MS).into())).await;
    }

    /// Whoever asked so lately is not answered yet.
    async fn waits(&self, asked: &[&Asked]) {
        self.pass(WAIT_MAX_MS - 1).await;
        assert!(asked.iter().all(|asked| !asked.is_finished()), "their time is not over");
    }

    /// What comes of it when time goes on, however slowly it is taken.
    async fn outcome<R>(&self, mut asked: JoinHandle<R>) -> R {
        let passing = async {
            loop {
                sleep(Duration::from_millis(5)).await;
                self.clock.advance(1);
            }
        };
        tokio::select! {
            outcome = timeout(HANGING, &mut asked) => outcome.expect("everybody is answered").unwrap(),
            () = passing => unreachable!(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_too_long_is_told_and_what_was_decided_stands() {
    let rig = Rig::impatient(Options::default()).await;
    let stall = rig.stalled();
    let first = rig.begin(|ticket| Command::Add(ticket, 2)).await;
    rig.waits(&[&first]).await;
    assert_eq!(rig.outcome(first).await, TOO_LONG);
    // They come later, and have their own time, whatever they wait for.
    let second = rig.begin(|ticket| Command::Add(ticket, 4)).await;
    let question = rig.begin(Command::Sum).await;
    rig.waits(&[&second, &question]).await;
    assert_eq!((rig.outcome(second).await, rig.outcome(question).await), (TOO_LONG, TOO_LONG));
    drop(stall);
    assert_eq!(rig.sum("k").await, Ok(7), "all of it counts");
    assert_eq!(rig.add("k", 8).await, Ok(15));
    assert_eq!(rig.sum_of(&rig.again().await, "k").await, Ok(15), "and is found in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_something_else_waits_on() {
    let rig = Rig::impatient(Options::default()).await;
    let later = rig.begin(|ticket| Command::Later(ticket, 3_600_000)).await;
    let stall = rig.stalled();
    let added = rig.begin(|ticket| Command::Add(ticket, 2)).await;
    assert_eq!(rig.outcome(added).await, TOO_LONG);
    assert!(!later.is_finished());
    drop(stall);
    assert_eq!(rig.sum("k").await, Ok(3));
    assert!(!later.is_finished());
}

fn in_transaction(rig: &Rig) -> (Option<strandline_log::producers::Guard>, impl Fn(Ticket) -> Command) {
    let first = FirstBatch { producer_id: 7, producer_epoch: 0, base_sequence: -1 };
    let log = rig.adders.log(rig.adders.partition_of("k").unwrap()).unwrap();
    let command = |ticket| Command::AddIn { ticket, producer_id: 7, producer_epoch: 0, number: 10 };
    (log.begin_verification(first, false, 1_000_000), command)
}

fn marker() -> (NewBatch, TransactionEnd) {
    let record = strandline_protocol::batch::ControlRecord::Commit { coordinator_epoch: 0 };
    let bytes = record.transaction_marker(1_000_000, 7, 0).unwrap();
    let end = TransactionEnd { producer_id: 7, producer_epoch: 0, is_commit: true };
    (NewBatch::validated(bytes).unwrap(), end)
}

/// Nothing is decided while a part of a transaction is on its way. Its end is not given up, however long it takes: who
/// writes it would write another.
#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_decided_in_time_is_not_done_and_what_nobody_waits_for_is() {
    let rig = Rig::impatient(Options::default()).await;
    let stall = rig.stalled();
    let (guard, command) = in_transaction(&rig);
    let part = tokio::spawn(rig.adders.ask_verified("k", guard, command).await.get());
    let behind = [
        rig.begin(|ticket| Command::Add(ticket, 100)).await,
        rig.begin(|ticket| Command::Add(ticket, 100)).await,
        rig.begin(Command::Sum).await,
    ];
    rig.adders.tell_all(|| Command::Add(Ticket(u64::MAX), 1_000)).await;
    let (batch, end) = marker();
    let partition = rig.adders.partition_of("k").unwrap();
    let ended: Answer<()> = rig.adders.end_transaction(partition, batch, end).await;
    let ended = tokio::spawn(ended.get());
    rig.waits(&[&part, &behind[0], &behind[1], &behind[2]]).await;
    assert_eq!(rig.outcome(part).await, TOO_LONG);
    for asked in behind {
        assert_eq!(rig.outcome(asked).await, TOO_LONG);
    }
    // And who comes later, too, however long it takes.
    let late = rig.begin(|ticket| Command::Add(ticket, 100)).await;
    rig.waits(&[&late]).await;
    assert_eq!(rig.outcome(late).await, TOO_LONG);
    assert!(!ended.is_finished());
    drop(stall);
    assert_eq!(timeout(HANGING, ended).await.unwrap().unwrap(), Ok(()));
    assert_eq!(rig.sum("k").await, Ok(1_011));
    assert_eq!(rig.sum_of(&rig.again().await, "k").await, Ok(1_011));
}

/// Has the writer's mailbox filled with what others append.
async fn crowd(rig: &Rig) -> Vec<Submitted> {
    let (storage, index) = (rig.metadata.storage(), (rig.adders.partition_of("k").unwrap() + 1) % 50);
    let place = TopicPartition { topic_id: rig.adders.topic_id(), index };
    let partition = storage.partition(place).unwrap().id();
    let mut others = Vec::new();
    while others.len() < 1_000 {
        let mut builder = BatchBuilder::new();
        builder.append(&NewRecord { key: Some(b"other"), ..NewRecord::at(1_000_000) }).unwrap();
        let batch = NewBatch::validated(builder.build().unwrap()).unwrap();
        let append = ToWriter::Append { partition, leader_epoch: 0, sender: Sender::Client, batch };
        match timeout(Duration::from_millis(200), storage.submit([append])).await {
            Ok(submitted) => others.push(submitted),
            Err(_) => break,
        }
    }
    others
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_room_before_the_log_is_told_as_well() {
    let mailbox = MailboxOptions { requests_max: 8, ..MailboxOptions::default() };
    let rig = Rig::impatient(Options { mailbox, ..Options::default() }).await;
    let stall = rig.stalled();
    let first = rig.begin(|ticket| Command::Add(ticket, 2)).await;
    rig.pass(0).await;
    let others = crowd(&rig).await;
    assert_eq!(rig.outcome(first).await, TOO_LONG);
    let second = rig.begin(|ticket| Command::Add(ticket, 4)).await;
    rig.waits(&[&second]).await;
    // Where nothing has room, nothing more is decided: this one is not done then.
    let third = rig.begin(|ticket| Command::Add(ticket, 100)).await;
    assert_eq!(rig.outcome(second).await, TOO_LONG);
    assert_eq!(rig.outcome(third).await, TOO_LONG);
    drop(stall);
    let sum = rig.sum("k").await.unwrap();
    assert!([3, 7, 107].contains(&sum), "{sum}: they are done in their order, or not at all");
    assert_eq!(rig.add("k", 8).await, Ok(sum + 8));
    for other in others {
        timeout(HANGING, other).await.unwrap().pop().unwrap().unwrap();
    }
    assert_eq!(rig.sum_of(&rig.again().await, "k").await, Ok(sum + 8));
}
