//! Ids for producers.

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};

use crate::api::tests::Rig;

async fn ask(rig: &Rig, version: i16, id: Option<&str>, had: (i64, i16)) -> InitProducerIdResponse {
    let (producer_id, producer_epoch) = had;
    let request = InitProducerIdRequest {
        transactional_id: id.map(Into::into),
        transaction_timeout_ms: 60_000,
        producer_id,
        producer_epoch,
        ..Default::default()
    };
    rig.call(version, &request).await
}

#[tokio::test]
async fn each_producer_gets_an_id_of_its_own() {
    let rig = Rig::new();
    for (expected, version) in (0..).zip(0..=5) {
        let answer = ask(&rig, version, None, (-1, -1)).await;
        assert_eq!(
            (answer.error_code, answer.producer_id, answer.producer_epoch),
            (ErrorCode::NONE, expected, 0)
        );
    }
    // One that had an id gets another one.
    let answer = ask(&rig, 3, None, (2, 0)).await;
    assert_eq!((answer.error_code, answer.producer_id, answer.producer_epoch), (ErrorCode::NONE, 6, 0));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let rig = Rig::new();
    for (id, had, code) in [
        (None, (2, -1), ErrorCode::INVALID_REQUEST),
        (None, (-1, 2), ErrorCode::INVALID_REQUEST),
        (Some(""), (-1, -1), ErrorCode::INVALID_REQUEST),
        // Its topic is made by the first who looks for the coordinator.
        (Some("tx"), (-1, -1), ErrorCode::NOT_COORDINATOR),
    ] {
        let answer = ask(&rig, 5, id, had).await;
        assert_eq!((answer.error_code, answer.producer_id, answer.producer_epoch), (code, -1, -1));
    }
}
