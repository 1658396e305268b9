use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::api_versions::ApiVersionsResponse;
use strandline_protocol::apis::create_topics::{
    CreatableTopicResult, CreateTopicsRequest, CreateTopicsResponse,
};
use strandline_protocol::apis::delete_topics::{
    DeletableTopicResult, DeleteTopicsRequest, DeleteTopicsResponse,
};
use strandline_protocol::apis::list_offsets::{
    ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse, ListOffsetsTopicResponse,
};
use strandline_protocol::apis::metadata::{MetadataRequest, MetadataResponse};
use tokio::net::TcpStream;

use super::fake::{Asked, Peer, deserted, everything, listen, metadata};
use crate::{Client, ClientConfig, Error, ListOffsets, NewTopic, OffsetAt};

/// Real sockets take real time: deadlines that never matter, and waits that do not hold a test up.
fn config(addresses: &[SocketAddr]) -> ClientConfig {
    let list: Vec<_> = addresses.iter().map(SocketAddr::to_string).collect();
    ClientConfig::new(&list.join(",")).unwrap().backoff(Duration::from_millis(1), Duration::from_millis(5))
}

async fn answer_metadata(peer: &mut Peer<TcpStream>, asked: &Asked, address: SocketAddr) {
    let mut response = metadata(address);
    if asked.decode::<MetadataRequest>().topics.is_some_and(|topics| topics.is_empty()) {
        response.topics.clear();
    }
    peer.answer(asked, &response).await;
}

#[tokio::test]
async fn one_address_that_answers_is_enough() {
    let broker = listen(async |_, mut peer, address| {
        peer.greet().await;
        while let Some(asked) = peer.next().await {
            answer_metadata(&mut peer, &asked, address).await;
        }
    })
    .await;
    let client = Client::connect(config(&[deserted().await, deserted().await, broker])).await.unwrap();
    let seen = client.metadata();
    assert_eq!((seen.cluster_id.as_deref(), seen.controller_id), (Some("a cluster"), Some(1)));
    assert!(seen.topics.is_empty());
    let seen = client.refresh(&["orders"]).await.unwrap();
    assert_eq!(seen.leader("orders", 0).unwrap().address.port(), broker.port());
}

#[tokio::test]
async fn nobody_there_is_an_error_that_says_so() {
    let error = Client::connect(config(&[deserted().await, deserted().await])).await.unwrap_err();
    assert!(matches!(error, Error::NoBroker { tried: 2, .. }) && error.is_retriable(), "{error}");
}

#[tokio::test]
async fn a_lost_connection_is_opened_again() {
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    let broker = listen(move |_, mut peer, address| {
        count.fetch_add(1, Ordering::Relaxed);
        async move {
            // Each connection answers once and hangs up at the next question.
            peer.greet().await;
            let asked = peer.next().await.unwrap();
            answer_metadata(&mut peer, &asked, address).await;
            peer.next().await;
        }
    })
    .await;
    let client = Client::connect(config(&[broker])).await.unwrap();
    for _ in 0..3 {
        client.refresh(&["orders"]).await.unwrap();
    }
    assert_eq!(connections.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn a_cluster_that_says_so_is_looked_for_anew() {
    let turned = Arc::new(AtomicUsize::new(0));
    let count = turned.clone();
    // It answers that the client has to begin again, once.
    let broker = listen(move |_, mut peer, address| {
        let count = count.clone();
        async move {
            peer.greet().await;
            while let Some(asked) = peer.next().await {
                let mut response = metadata(address);
                if count.fetch_add(1, Ordering::Relaxed) == 1 {
                    response.error_code = ErrorCode::REBOOTSTRAP_REQUIRED;
                }
                peer.answer(&asked, &response).await;
            }
        }
    })
    .await;
    let client = Client::connect(config(&[broker])).await.unwrap();
    assert_eq!(client.refresh(&["orders"]).await.unwrap().topics.len(), 1);
    assert_eq!(turned.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn where_all_known_brokers_are_gone_the_given_addresses_are_tried_again() {
    let gone = deserted().await;
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    let broker = listen(move |_, mut peer, _| {
        count.fetch_add(1, Ordering::Relaxed);
        async move {
            peer.greet().await;
            let asked = peer.next().await.unwrap();
            // Of brokers it knows only one that nobody reaches, and hangs up.
            answer_metadata(&mut peer, &asked, gone).await;
        }
    })
    .await;
    let client = Client::connect(config(&[broker])).await.unwrap();
    for round in 2..5 {
        client.refresh(&[]).await.unwrap();
        assert_eq!(connections.load(Ordering::Relaxed), round);
        assert_eq!(client.metadata().brokers[0].address.port(), gone.port());
    }
}

#[tokio::test]
async fn a_broker_that_wants_rest_has_it() {
    let broker = listen(|_, mut peer, address| async move {
        peer.greet().await;
        while let Some(asked) = peer.next().await {
            let response = MetadataResponse { throttle_time_ms: 150, ..metadata(address) };
            peer.answer(&asked, &response).await;
        }
    })
    .await;
    let client = Client::connect(config(&[broker])).await.unwrap();
    let began = tokio::time::Instant::now();
    client.refresh(&[]).await.unwrap();
    client.refresh(&[]).await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(250), "{:?}", began.elapsed());
}

#[tokio::test]
async fn who_no_longer_leads_is_not_asked_again_without_looking() {
    let (looked, asked_offsets) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = (looked.clone(), asked_offsets.clone());
    let broker = listen(move |_, mut peer, address| {
        let (looked, asked_offsets) = counts.clone();
        async move {
            peer.greet().await;
            while let Some(asked) = peer.next().await {
                if asked.is::<MetadataRequest>() {
                    looked.fetch_add(1, Ordering::Relaxed);
                    answer_metadata(&mut peer, &asked, address).await;
                    continue;
                }
                let request = asked.decode::<ListOffsetsRequest>();
                assert_eq!(request.topics[0].partitions[0].timestamp, -1);
                let first = asked_offsets.fetch_add(1, Ordering::Relaxed) == 0;
                let error_code = if first { ErrorCode::NOT_LEADER_OR_FOLLOWER } else { ErrorCode::NONE };
                let partition = ListOffsetsPartitionResponse { error_code, offset: 42, ..Default::default() };
                let topic = ListOffsetsTopicResponse {
                    name: "orders".into(),
                    partitions: vec![partition],
                    ..Default::default()
                };
                let response = ListOffsetsResponse { topics: vec![topic], ..Default::default() };
                peer.answer(&asked, &response).await;
            }
        }
    })
    .await;
    let client = Client::connect(config(&[broker])).await.unwrap();
    let question = ListOffsets::new().of("orders", 0, OffsetAt::Latest);
    // On a task of its own: futures of this crate can be sent.
    let admin = client.admin();
    let found = tokio::spawn(async move { admin.list_offsets(&question).await }).await.unwrap();
    assert_eq!(found[0].1.as_ref().unwrap().offset, Some(42));
    assert_eq!(asked_offsets.load(Ordering::Relaxed), 2);
    assert_eq!(looked.load(Ordering::Relaxed), 3, "at the start, for the topic, after the refusal");
}

#[tokio::test]
async fn a_partition_that_does_not_exist_is_an_error_of_its_own() {
    let broker = listen(async |_, mut peer, address| {
        peer.greet().await;
        while let Some(asked) = peer.next().await {
            answer_metadata(&mut peer, &asked, address).await;
        }
    })
    .await;
    let config = config(&[broker]).request_timeout(Duration::from_millis(100));
    let client = Client::connect(config).await.unwrap();
    let found = client.admin().list_offsets(&ListOffsets::new().of("orders", 9, OffsetAt::Latest)).await;
    let error = found[0].1.as_ref().unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
}

#[tokio::test]
async fn the_controller_is_looked_for_when_it_moved() {
    let refusals = Arc::new(AtomicUsize::new(0));
    let count = refusals.clone();
    let broker = listen(move |_, mut peer, address| {
        let count = count.clone();
        async move {
            peer.greet().await;
            while let Some(asked) = peer.next().await {
                if asked.is::<MetadataRequest>() {
                    answer_metadata(&mut peer, &asked, address).await;
                    continue;
                }
                let request = asked.decode::<CreateTopicsRequest>();
                let moved = count.fetch_add(1, Ordering::Relaxed) < 2;
                let topic = CreatableTopicResult {
                    name: request.topics[0].name.clone(),
                    error_code: if moved { ErrorCode::NOT_CONTROLLER } else { ErrorCode::NONE },
                    num_partitions: request.topics[0].num_partitions,
                    ..Default::default()
                };
                peer.answer(&asked, &CreateTopicsResponse { topics: vec![topic], ..Default::default() })
                    .await;
            }
        }
    })
    .await;
    let client = Client::connect(config(&[broker])).await.unwrap();
    let created = client.admin().create_topics(&[NewTopic::new("new").partitions(7)]).await.unwrap();
    assert_eq!(created[0].1.as_ref().unwrap().partitions, Some(7));
    assert_eq!(refusals.load(Ordering::Relaxed), 3);
}

/// What a broker of Kafka 2.4 serves, of what is used here.
fn kafka_2_4() -> ApiVersionsResponse {
    let highest = [(0, 8), (1, 11), (2, 5), (3, 9), (18, 3), (19, 5), (20, 4), (21, 1), (32, 2), (37, 1)];
    let mut response = everything();
    response.api_keys.retain(|api| highest.iter().any(|(key, _)| *key == api.api_key));
    for api in &mut response.api_keys {
        api.max_version = highest.iter().find(|(key, _)| *key == api.api_key).map_or(0, |(_, max)| *max);
    }
    response
}

#[tokio::test]
async fn an_old_broker_is_asked_in_its_own_way() {
    let broker = listen(async |_, mut peer: Peer<TcpStream>, address| {
        let first = peer.next().await.unwrap();
        peer.answer(&first, &kafka_2_4()).await;
        while let Some(asked) = peer.next().await {
            if asked.is::<MetadataRequest>() {
                answer_metadata(&mut peer, &asked, address).await;
                continue;
            }
            let request = asked.decode::<DeleteTopicsRequest>();
            assert_eq!(asked.header.request_api_version, 4);
            let response =
                DeletableTopicResult { name: Some(request.topic_names[0].clone()), ..Default::default() };
            let response = DeleteTopicsResponse { responses: vec![response], ..Default::default() };
            peer.answer(&asked, &response).await;
        }
    })
    .await;
    let client = Client::connect(config(&[broker])).await.unwrap();
    let cluster = client.admin().describe_cluster().await.unwrap();
    assert_eq!((cluster.cluster_id.as_deref(), cluster.brokers.len()), (Some("a cluster"), 1));
    let deleted = client.admin().delete_topics(&["orders"]).await.unwrap();
    assert!(deleted[0].1.is_ok());
}
