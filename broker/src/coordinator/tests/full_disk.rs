//! A disk that is full, as those see it who ask a coordinator: each is answered, and all goes on when there is room.

use std::time::Duration;

use strandline_log::engine::Options;
use strandline_protocol::ErrorCode;
use tokio::time::timeout;

use super::Rig;
use super::machine::Command;
use crate::tests::full_disk::{CAPACITY_BYTES, PAUSE_MS, fill, small_options};

/// So large that a few of them fill what is kept in reserve.
const PADDING: usize = 2_000;

/// Nobody who is answered at all waits so long.
const HANGING: Duration = Duration::from_secs(120);

async fn rig() -> Rig {
    Rig::with_options(Options { flush_bytes: 16 << 10, ..small_options() }).await
}

/// Adds one, with so many bytes that it takes room.
async fn add(rig: &Rig) -> Result<i64, ErrorCode> {
    let answer = rig.ask("k", |ticket| Command::Many(ticket, 1, PADDING)).await;
    timeout(HANGING, answer.get()).await.expect("everybody is answered")
}

async fn sum(rig: &Rig) -> i64 {
    loop {
        match timeout(HANGING, rig.sum("k")).await.expect("everybody is answered") {
            Ok(sum) => return sum,
            Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS) => tokio::task::yield_now().await,
            Err(code) => panic!("{code:?}"),
        }
    }
}

/// Adds until so many were refused for want of room; says how many were not.
async fn add_until_refused(rig: &Rig, refusals: u32, passes_ms: u32) -> i64 {
    let (mut refused, mut added) = (0, 0);
    while refused < refusals {
        match add(rig).await {
            Ok(_) => added += 1,
            Err(ErrorCode::NOT_COORDINATOR) => {
                refused += 1;
                rig.clock.advance(passes_ms);
            }
            Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS) => tokio::task::yield_now().await,
            Err(code) => panic!("{code:?}"),
        }
        assert!(added < 1_000, "the disk is full, and everything is taken");
    }
    added
}

async fn goes_on(rig: &Rig, mut expected: i64) {
    rig.disk.set_capacity(CAPACITY_BYTES);
    let mut attempts = 0;
    while add(rig).await.is_err() {
        attempts += 1;
        assert!(attempts < 1_000, "there is room again, and nothing is taken");
        rig.clock.advance(PAUSE_MS);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for _ in 0..50 {
        assert!(add(rig).await.is_ok());
    }
    expected += 51;
    assert_eq!(sum(rig).await, expected);
    assert_eq!(rig.sum_of(&rig.again().await, "k").await, Ok(expected), "and so it is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_what_is_to_be_kept_and_lets_the_rest_be_asked() {
    let rig = rig().await;
    let mut expected = 0;
    for _ in 0..50 {
        assert!(add(&rig).await.is_ok());
        expected += 1;
    }
    fill(&rig.disk);
    expected += add_until_refused(&rig, 20, PAUSE_MS).await;
    assert_eq!(sum(&rig).await, expected, "what only reads goes on");
    goes_on(&rig, expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_has_to_wait_for_time_to_pass_to_be_refused() {
    let rig = rig().await;
    fill(&rig.disk);
    let expected = add_until_refused(&rig, 20, 0).await;
    assert_eq!(sum(&rig).await, expected);
    goes_on(&rig, expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_ask_at_once_each_is_answered_and_those_alone_count_who_were_told_so() {
    let rig = rig().await;
    fill(&rig.disk);
    let (mut added, mut refused) = (0, 0);
    while refused < 100 {
        let mut answers = Vec::new();
        for _ in 0..40 {
            answers.push(rig.ask("k", |ticket| Command::Many(ticket, 1, PADDING)).await);
        }
        for answer in answers {
            match timeout(HANGING, answer.get()).await.expect("everybody is answered") {
                Ok(_) => added += 1,
                Err(ErrorCode::NOT_COORDINATOR | ErrorCode::COORDINATOR_LOAD_IN_PROGRESS) => refused += 1,
                Err(code) => panic!("{code:?}"),
            }
        }
        rig.clock.advance(PAUSE_MS);
        assert!(added < 1_000, "the disk is full, and everything is taken");
    }
    assert_eq!(sum(&rig).await, added);
    goes_on(&rig, added).await;
}
