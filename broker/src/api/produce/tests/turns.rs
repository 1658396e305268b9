//! Batches that take their time: as many at once as there are processors, and nobody else waits for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use strandline_protocol::batch::BatchBuilder;
use strandline_protocol::{Bytes, Compression, ErrorCode};
use tokio::runtime;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::api::tests::{Rig, batch, built};
use crate::api::topics::TopicRules;
use crate::offload::{Offload, Pauses, Turns};

const DEADLINE: Duration = Duration::from_secs(60);

/// A topic whose batches are compressed anew.
fn rig(at_once: usize, offload: Offload) -> Arc<Rig> {
    let mut rig = Rig::new();
    let broker = rig.broker();
    (broker.turns, broker.offload) = (Turns::new(at_once), offload);
    let compression = Some((Compression::Gzip, Some(1)));
    rig.create("t", 1, TopicRules { compression, ..TopicRules::default() });
    Arc::new(rig)
}

fn produce(rig: &Arc<Rig>, answers: &mut JoinSet<ErrorCode>, batch: Bytes) {
    let rig = Arc::clone(rig);
    answers.spawn(async move { rig.produce("t", batch).await.error_code });
}

#[test]
fn those_who_wait_for_their_turn_keep_no_thread_from_others() {
    let mut runtime = runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).max_blocking_threads(8).enable_all();
    runtime.build().unwrap().block_on(async {
        let rig = rig(2, Offload::Threads);
        let turns = [rig.broker.turns.take(true).await, rig.broker.turns.take(false).await];
        let mut answers = JoinSet::new();
        (0..600).for_each(|_| produce(&rig, &mut answers, batch(&[b"a"])));
        sleep(Duration::from_millis(50)).await;
        assert!(answers.try_join_next().is_none(), "it is nobody's turn");
        let elsewhere = timeout(DEADLINE, rig.broker.offload.run(|| 7)).await;
        assert_eq!(elsewhere.unwrap().unwrap(), 7);
        drop(turns);
        let answers = timeout(DEADLINE, answers.join_all()).await.unwrap();
        assert_eq!(answers, [ErrorCode::NONE; 600]);
        assert_eq!(rig.log("t", 0).offsets().end, 600);
    });
}

/// Work that goes on for ever, and how much of it has begun.
#[derive(Debug, Default)]
struct Endless(AtomicUsize);

impl Pauses for Endless {
    fn next(&self) -> Duration {
        self.0.fetch_add(1, Ordering::SeqCst);
        Duration::from_hours(1)
    }
}

impl Endless {
    /// Waits until so much has begun, and sees that it is no more.
    async fn wait_for(&self, begun: usize) {
        let wait = async {
            while self.0.load(Ordering::SeqCst) < begun {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(DEADLINE, wait).await.unwrap();
        sleep(Duration::from_millis(20)).await;
        assert_eq!(self.0.load(Ordering::SeqCst), begun);
    }
}

#[tokio::test]
async fn batches_are_compressed_side_by_side() {
    let work = Arc::<Endless>::default();
    let rig = rig(3, Offload::Tasks(Arc::<Endless>::clone(&work)));
    let mut answers = JoinSet::new();
    (0..5).for_each(|_| produce(&rig, &mut answers, batch(&[b"a"])));
    work.wait_for(3).await;
}

#[tokio::test]
async fn one_that_takes_much_memory_is_looked_at_at_a_time_and_others_beside_it() {
    let work = Arc::<Endless>::default();
    let rig = rig(8, Offload::Tasks(Arc::<Endless>::clone(&work)));
    let mut answers = JoinSet::new();
    let large = built(BatchBuilder::new().compression(Compression::Zstd, None), &[&[0; 3 << 20]]);
    (0..5).for_each(|_| produce(&rig, &mut answers, large.clone()));
    work.wait_for(1).await;
    produce(&rig, &mut answers, batch(&[b"a"]));
    work.wait_for(2).await;
}
