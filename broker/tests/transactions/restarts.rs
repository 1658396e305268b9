//! Transactions outlive the broker, wherever they were.

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::init_producer_id::InitProducerIdRequest;

use crate::requests::{
    Own, TRANSACTIONAL_ID, add, batch, committed, end, initialise, prepare, produce, settled,
};
use crate::support::{Folder, Running};

/// The producer comes back to a broker that has just come up, which may still be reading its log.
pub(crate) async fn again<T, F: Future<Output = Result<T, ErrorCode>>>(ask: impl Fn() -> F) -> T {
    loop {
        match ask().await {
            Ok(done) => return done,
            Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS | ErrorCode::NOT_COORDINATOR) => {
                tokio::task::yield_now().await;
            }
            Err(code) => panic!("{code}"),
        }
    }
}

async fn restart(folder: &Folder, running: Running) -> Running {
    running.stop().await;
    folder.start(&[]).await
}

#[tokio::test]
async fn an_open_transaction_goes_on_where_it_was() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    prepare(&running).await;
    let own = initialise(&running, None).await.unwrap();
    produce(&running, 12, 0, batch(own, 0, "before")).await;
    let running = restart(&folder, running).await;
    // It is open in the log: nobody has to be asked.
    assert_eq!(produce(&running, 12, 0, batch(own, 1, "after")).await.error_code, ErrorCode::NONE);
    let next = again(|| end(&running, 5, own, true)).await;
    settled(&running, 0).await;
    assert_eq!(committed(&running, 0).await, ["before", "after"]);
    let running = restart(&folder, running).await;
    assert_eq!(again(|| end(&running, 5, own, true)).await, next, "asked again");
    assert_eq!(committed(&running, 0).await, ["before", "after"]);
    running.stop().await;
}

#[tokio::test]
async fn a_decision_is_carried_out_by_the_next_broker() {
    for is_commit in [true, false] {
        let folder = Folder::new();
        let running = folder.start(&[]).await;
        prepare(&running).await;
        let own = initialise(&running, None).await.unwrap();
        add(&running, own, &[0, 1]).await;
        produce(&running, 11, 0, batch(own, 0, "v")).await;
        // It is asked to go as soon as it has decided: the markers may be there or not.
        end(&running, 4, own, is_commit).await.unwrap();
        let running = restart(&folder, running).await;
        for index in [0, 1] {
            settled(&running, index).await;
        }
        let expected: &[&str] = if is_commit { &["v"] } else { &[] };
        assert_eq!(committed(&running, 0).await, expected);
        running.stop().await;
    }
}

#[tokio::test]
async fn time_goes_on_for_what_was_left_open() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    prepare(&running).await;
    let request = InitProducerIdRequest {
        transactional_id: Some(TRANSACTIONAL_ID.into()),
        transaction_timeout_ms: 100,
        ..Default::default()
    };
    let given = running.ask_in(5, &request).await;
    let own = Own { id: given.producer_id, epoch: given.producer_epoch };
    produce(&running, 12, 0, batch(own, 0, "left")).await;
    let running = restart(&folder, running).await;
    settled(&running, 0).await;
    assert_eq!(committed(&running, 0).await, [""; 0]);
    running.stop().await;
}

#[tokio::test]
async fn a_topic_that_goes_does_not_keep_a_transaction_from_its_end() {
    use strandline_protocol::apis::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    prepare(&running).await;
    let own = initialise(&running, None).await.unwrap();
    produce(&running, 12, 0, batch(own, 0, "v")).await;
    let topic = DeleteTopicState { name: Some(crate::requests::TOPIC.into()), ..Default::default() };
    let request = DeleteTopicsRequest { topics: vec![topic], timeout_ms: 1_000, ..Default::default() };
    assert_eq!(running.ask(&request).await.responses[0].error_code, ErrorCode::NONE);
    let own = end(&running, 5, own, true).await.unwrap();
    // It has ended: nothing keeps the next one waiting.
    let next = initialise(&running, Some(own)).await.unwrap();
    assert_eq!(next.epoch, own.epoch + 1);
    running.stop().await;
}
