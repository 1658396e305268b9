//! Signs of life are heeded where the machine rests, and never before what was asked earlier.

use std::time::Duration;

use strandline_log::clock::Clock;
use strandline_protocol::ErrorCode;
use tokio::task::yield_now;
use tokio::time::timeout;

use super::Rig;
use super::machine::Command;

/// So long a test waits for what is sure to come.
const PATIENCE: Duration = Duration::from_secs(120);

/// Later than anything that is waited for.
const LATER_MS: i64 = 3_600_000;

/// Says that somebody lives until it is heeded.
async fn heeded(rig: &Rig, after_ms: i64) -> i64 {
    let heeded = async {
        loop {
            if let Some(sum) = rig.heed("k", after_ms) {
                return sum;
            }
            yield_now().await;
        }
    };
    timeout(PATIENCE, heeded).await.expect("a shard with nothing to do rests")
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_heeded_before_what_was_asked_earlier() {
    let rig = Rig::new().await;
    let mut sum = 0;
    for number in 1..=300 {
        let answer = rig.ask("k", |ticket| Command::Add(ticket, number)).await;
        sum += number;
        for _ in 0..number % 4 {
            let seen = rig.heed("k", LATER_MS);
            assert!(seen.is_none_or(|seen| seen == sum), "{seen:?} and not {sum}");
        }
        assert_eq!(answer.get().await, Ok(sum));
    }
    assert_eq!(heeded(&rig, LATER_MS).await, sum);
    assert_eq!(rig.heed("another", LATER_MS), Some(0), "another shard, which was asked nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_heeded_that_rests_on_what_is_not_durable() {
    let rig = Rig::new().await;
    assert_eq!(rig.add("k", 3).await, Ok(3));
    assert_eq!(heeded(&rig, LATER_MS).await, 3);
    rig.disk.halt_in(1);
    let mut answer = Box::pin(rig.ask("k", |ticket| Command::Add(ticket, 4)).await.get());
    let refused = loop {
        assert_ne!(rig.heed("k", LATER_MS), Some(7));
        tokio::select! {
            biased;
            refused = &mut answer => break refused,
            () = yield_now() => {}
        }
    };
    assert_eq!(refused, Err(ErrorCode::NOT_COORDINATOR));
    assert_ne!(rig.heed("k", LATER_MS), Some(7), "a machine that is no more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_that_is_brought_forward_goes_off() {
    let rig = Rig::new().await;
    assert_eq!(rig.add("k", 3).await, Ok(3));
    let waiting = rig.ask("k", |ticket| Command::Later(ticket, LATER_MS)).await;
    assert_eq!(heeded(&rig, 0).await, 3);
    assert_eq!(timeout(PATIENCE, waiting.get()).await.expect("the shard is woken"), Ok(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_that_the_machine_puts_off_goes_off_later() {
    let rig = Rig::new().await;
    assert_eq!(rig.add("k", 3).await, Ok(3));
    let waiting = rig.ask("k", |ticket| Command::Later(ticket, 1_000)).await;
    let mut waiting = Box::pin(waiting.get());
    let is_heeded = async {
        while rig.adders.heed("k", rig.clock.monotonic(), Err(Duration::from_secs(3))).is_none() {
            yield_now().await;
        }
    };
    timeout(PATIENCE, is_heeded).await.expect("a shard with nothing to do rests");
    // Whatever is asked has the shard look at its timers.
    rig.clock.advance(2_000);
    assert_eq!(rig.sum("k").await, Ok(3));
    assert!(timeout(Duration::from_millis(100), &mut waiting).await.is_err(), "it is put off");
    rig.clock.advance(2_000);
    assert_eq!(rig.sum("k").await, Ok(3));
    assert_eq!(timeout(PATIENCE, waiting).await.expect("it goes off"), Ok(3));
}
