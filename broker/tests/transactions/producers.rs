//! What producers of both versions do, and what is refused to them.

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::add_partitions_to_txn::{
    AddPartitionsToTxnRequest, AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction,
};
use strandline_protocol::apis::api_versions::ApiVersionsRequest;

use crate::requests::{
    Own, TOPIC, TRANSACTIONAL_ID, add, batch, committed, end, ends, initialise, prepare, produce, settled,
};
use crate::support::Folder;

#[tokio::test]
async fn before_version_2_partitions_are_added_before_they_are_written_to() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    prepare(&running).await;
    let own = initialise(&running, None).await.unwrap();
    assert_eq!(own.epoch, 0);
    // Nothing hangs: what nobody has told the coordinator of is not let in.
    for (version, code) in [(10, ErrorCode::INVALID_TXN_STATE), (11, ErrorCode::TRANSACTION_ABORTABLE)] {
        assert_eq!(produce(&running, version, 0, batch(own, 0, "stray")).await.error_code, code);
    }
    assert_eq!(add(&running, own, &[0, 1]).await, [ErrorCode::NONE; 2]);
    assert_eq!(produce(&running, 11, 0, batch(own, 0, "a")).await.error_code, ErrorCode::NONE);
    assert_eq!(produce(&running, 11, 0, batch(own, 1, "b")).await.error_code, ErrorCode::NONE);
    assert_eq!((ends(&running, 0).await, committed(&running, 0).await), ((2, 0), Vec::new()));
    assert_eq!(end(&running, 4, own, true).await, Ok(own));
    settled(&running, 0).await;
    assert_eq!(committed(&running, 0).await, ["a", "b"]);
    // The next one is aborted.
    add(&running, own, &[0]).await;
    assert_eq!(produce(&running, 11, 0, batch(own, 2, "c")).await.error_code, ErrorCode::NONE);
    assert_eq!(end(&running, 4, own, false).await, Ok(own));
    settled(&running, 0).await;
    assert_eq!((committed(&running, 0).await.len(), ends(&running, 0).await), (2, (5, 5)));
    // Partition 1 got a marker, and nothing else.
    assert_eq!(ends(&running, 1).await, (1, 1));
    running.stop().await;
}

#[tokio::test]
async fn from_version_2_on_a_batch_brings_its_partition_and_each_end_an_epoch() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    prepare(&running).await;
    let mut own = initialise(&running, None).await.unwrap();
    for (round, is_commit) in [true, false, true].into_iter().enumerate() {
        let value = format!("round {round}");
        for sequence in 0..2 {
            assert_eq!(
                produce(&running, 12, 0, batch(own, sequence, &value)).await.error_code,
                ErrorCode::NONE
            );
        }
        let next = end(&running, 5, own, is_commit).await.unwrap();
        assert_eq!(next, Own { epoch: own.epoch + 1, ..own });
        assert_eq!(end(&running, 5, own, is_commit).await, Ok(next), "asked again");
        // What comes late of the last one is told apart.
        let late = produce(&running, 12, 0, batch(own, 2, "late")).await;
        assert_eq!(late.error_code, ErrorCode::INVALID_PRODUCER_EPOCH);
        own = next;
    }
    settled(&running, 0).await;
    assert_eq!(committed(&running, 0).await, ["round 0", "round 0", "round 2", "round 2"]);
    // What is not open is aborted all the same, and not committed.
    let next = end(&running, 5, own, false).await.unwrap();
    assert_eq!(next.epoch, own.epoch + 1);
    assert_eq!(end(&running, 5, next, true).await, Err(ErrorCode::INVALID_TXN_STATE));
    running.stop().await;
}

#[tokio::test]
async fn the_next_transaction_need_not_wait_for_the_markers_of_the_last() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    prepare(&running).await;
    let mut own = initialise(&running, None).await.unwrap();
    for _ in 0..20 {
        let produced = produce(&running, 12, 0, batch(own, 0, "v")).await;
        assert_eq!(produced.error_code, ErrorCode::NONE);
        own = end(&running, 5, own, true).await.unwrap();
    }
    settled(&running, 0).await;
    assert_eq!(committed(&running, 0).await.len(), 20);
    running.stop().await;
}

#[tokio::test]
async fn another_producer_of_the_id_ends_what_the_first_one_has_open() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    prepare(&running).await;
    let first = initialise(&running, None).await.unwrap();
    produce(&running, 12, 0, batch(first, 0, "lost")).await;
    let second = initialise(&running, None).await.unwrap();
    assert_eq!((second.id, second.epoch), (first.id, first.epoch + 2));
    assert_eq!(ends(&running, 0).await, (2, 2));
    let refused = produce(&running, 12, 0, batch(first, 1, "zombie")).await;
    assert_eq!(refused.error_code, ErrorCode::INVALID_PRODUCER_EPOCH);
    assert_eq!(end(&running, 5, first, true).await, Err(ErrorCode::PRODUCER_FENCED));
    assert_eq!(end(&running, 1, first, true).await, Err(ErrorCode::INVALID_PRODUCER_EPOCH));
    assert_eq!(add(&running, first, &[0]).await, [ErrorCode::PRODUCER_FENCED]);
    assert_eq!(initialise(&running, Some(first)).await, Err(ErrorCode::PRODUCER_FENCED));
    produce(&running, 12, 0, batch(second, 0, "kept")).await;
    end(&running, 5, second, true).await.unwrap();
    settled(&running, 0).await;
    assert_eq!(committed(&running, 0).await, ["kept"]);
    running.stop().await;
}

#[tokio::test]
async fn what_is_left_open_is_aborted_when_its_time_is_over() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    prepare(&running).await;
    let request = strandline_protocol::apis::init_producer_id::InitProducerIdRequest {
        transactional_id: Some(TRANSACTIONAL_ID.into()),
        transaction_timeout_ms: 50,
        ..Default::default()
    };
    let given = running.ask_in(5, &request).await;
    let own = Own { id: given.producer_id, epoch: given.producer_epoch };
    produce(&running, 12, 1, batch(own, 0, "left")).await;
    settled(&running, 1).await;
    assert_eq!(committed(&running, 1).await, [""; 0]);
    // It learns of it, and goes on.
    let next = end(&running, 5, own, false).await.unwrap();
    assert_eq!(next.epoch, own.epoch + 1);
    running.stop().await;
}

#[tokio::test]
async fn it_is_all_partitions_or_none() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    prepare(&running).await;
    let own = initialise(&running, None).await.unwrap();
    let codes = add(&running, own, &[0, 7]).await;
    assert_eq!(codes, [ErrorCode::OPERATION_NOT_ATTEMPTED, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION]);
    assert_eq!(end(&running, 4, own, true).await, Err(ErrorCode::INVALID_TXN_STATE), "nothing has begun");
    running.stop().await;
}

#[tokio::test]
async fn brokers_ask_for_many_transactions_at_once() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    prepare(&running).await;
    let own = initialise(&running, None).await.unwrap();
    add(&running, own, &[0]).await;
    let transaction = |transactional_id: &str, verify_only| AddPartitionsToTxnTransaction {
        transactional_id: transactional_id.into(),
        producer_id: own.id,
        producer_epoch: own.epoch,
        verify_only,
        topics: vec![AddPartitionsToTxnTopic {
            name: TOPIC.into(),
            partitions: vec![0, 1],
            ..Default::default()
        }],
        ..Default::default()
    };
    let ask = async |transactions| {
        let request = AddPartitionsToTxnRequest { transactions, ..Default::default() };
        let response = running.ask_in(5, &request).await;
        let results = response.results_by_transaction.into_iter();
        let codes = results.map(|result| {
            let partitions = result.topic_results[0].results_by_partition.iter();
            partitions.map(|partition| partition.partition_error_code).collect::<Vec<_>>()
        });
        codes.collect::<Vec<_>>()
    };
    let unknown = vec![ErrorCode::INVALID_PRODUCER_ID_MAPPING; 2];
    assert_eq!(
        ask(vec![transaction(TRANSACTIONAL_ID, true), transaction("other", true)]).await,
        [vec![ErrorCode::NONE, ErrorCode::TRANSACTION_ABORTABLE], unknown]
    );
    assert_eq!(ask(vec![transaction(TRANSACTIONAL_ID, false)]).await, [[ErrorCode::NONE; 2]]);
    assert_eq!(ask(vec![transaction(TRANSACTIONAL_ID, true)]).await, [[ErrorCode::NONE; 2]]);
    running.stop().await;
}

#[tokio::test]
async fn one_request_has_one_producer() {
    use strandline_protocol::apis::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    prepare(&running).await;
    let own = initialise(&running, None).await.unwrap();
    let other = Own { id: own.id + 1, ..own };
    let data = |index, own| PartitionProduceData {
        index,
        records: Some(batch(own, 0, "v").into()),
        ..Default::default()
    };
    let partition_data = vec![data(0, own), data(1, other)];
    let topic = TopicProduceData { name: TOPIC.into(), partition_data, ..Default::default() };
    let request = ProduceRequest {
        transactional_id: Some(TRANSACTIONAL_ID.into()),
        acks: -1,
        timeout_ms: 1_000,
        topic_data: vec![topic],
        ..Default::default()
    };
    let response = running.ask_in(12, &request).await;
    let codes = response.responses[0].partition_responses.iter().map(|partition| partition.error_code);
    assert_eq!(codes.collect::<Vec<_>>(), [ErrorCode::INVALID_PRODUCER_ID_MAPPING; 2]);
    running.stop().await;
}

#[tokio::test]
async fn the_version_of_transactions_is_told() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    let request = ApiVersionsRequest {
        client_software_name: "test".into(),
        client_software_version: "1".into(),
        ..Default::default()
    };
    let response = running.ask_in(4, &request).await;
    let finalized = response.finalized_features.iter().find(|feature| feature.name == "transaction.version");
    assert_eq!(finalized.map(|feature| feature.max_version_level), Some(2));
    assert!(response.finalized_features_epoch >= 0);
    for (key, version) in [(24, 5), (25, 4), (26, 5), (27, 2), (28, 5), (65, 0), (66, 2)] {
        let api = response.api_keys.iter().find(|api| api.api_key == key).unwrap();
        assert_eq!((key, api.max_version), (key, version));
    }
    running.stop().await;
}
