//! What becomes of a shard whose log fails, and of those who ask it.

use strandline_protocol::ErrorCode;

use super::Rig;
use super::machine::Command;

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_is_offline_has_no_coordinator() {
    let rig = Rig::new().await;
    assert_eq!(rig.add("k", 3).await, Ok(3));
    let waiting = rig.ask("k", |ticket| Command::Later(ticket, 3_600_000)).await;
    rig.disk.halt_in(1);
    assert_eq!(rig.add("k", 4).await, Err(ErrorCode::NOT_COORDINATOR));
    // Who waits for something else is told, and so is who only reads: what was decided last may not be there.
    assert_eq!(waiting.get().await, Err(ErrorCode::NOT_COORDINATOR));
    assert_eq!(rig.sum("k").await, Err(ErrorCode::NOT_COORDINATOR));
    assert_eq!(rig.add("k", 4).await, Err(ErrorCode::NOT_COORDINATOR));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_and_what_was_there_is_served() {
    let rig = Rig::new().await;
    assert_eq!(rig.add("k", 3).await, Ok(3));
    rig.disk.set_capacity(0);
    let mut refused = None;
    for _ in 0..400 {
        let answer = rig.ask("k", |ticket| Command::Keep(ticket, 1 << 20)).await.get().await;
        match answer {
            Ok(_) => {}
            Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS) => tokio::task::yield_now().await,
            Err(code) => {
                refused = Some(code);
                break;
            }
        }
    }
    assert_eq!(refused, Some(ErrorCode::NOT_COORDINATOR));
    let mut found = rig.sum("k").await;
    while found == Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS) {
        tokio::task::yield_now().await;
        found = rig.sum("k").await;
    }
    assert_eq!(found, Ok(3));
    // Each is refused by itself from now on, and nothing is read again.
    assert_eq!(
        rig.ask("k", |ticket| Command::Keep(ticket, 4 << 20)).await.get().await,
        Err(ErrorCode::NOT_COORDINATOR)
    );
    assert_eq!(rig.sum("k").await, Ok(3));
    rig.disk.set_capacity(u64::MAX);
    while rig.add("k", 1).await.is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(rig.sum("k").await, Ok(4));
    assert_eq!(rig.add("k", 1).await, Ok(5));
}
