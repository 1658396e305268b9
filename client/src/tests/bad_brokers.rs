//! Brokers that do what no broker ought to: they name versions that there are not, send everyone elsewhere for ever, say
//! nothing, or name brokers that cannot be. All of it is an error of its own, in time.

use std::net::SocketAddr;
use std::time::Duration;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::api_versions::{ApiVersion, ApiVersionsResponse};
use strandline_protocol::apis::create_topics::{
    CreatableTopicResult, CreateTopicsRequest, CreateTopicsResponse,
};
use strandline_protocol::apis::fetch::{FetchRequest, FetchResponse, FetchableTopicResponse, PartitionData};
use strandline_protocol::apis::find_coordinator::{
    Coordinator, FindCoordinatorRequest, FindCoordinatorResponse,
};
use strandline_protocol::apis::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use strandline_protocol::apis::list_offsets::{
    ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse, ListOffsetsTopicResponse,
};
use strandline_protocol::apis::metadata::{MetadataRequest, MetadataResponse, MetadataResponseBroker};
use strandline_protocol::apis::offset_fetch::{
    OffsetFetchRequest, OffsetFetchResponse, OffsetFetchResponseGroup,
};
use strandline_protocol::apis::produce::{
    PartitionProduceResponse, ProduceRequest, ProduceResponse, TopicProduceResponse,
};
use tokio::net::TcpStream;

use super::fake::{Asked, Peer, deserted, listen, metadata};
use crate::connection::Connection;
use crate::{
    Client, ClientConfig, Error, GroupProtocol, ListOffsets, NewTopic, OffsetAt, OffsetReset, ProducerRecord,
};

/// What an attempt at anything may take here.
const PATIENCE: Duration = Duration::from_millis(300);
/// Nothing that has a deadline takes so long, however loaded the machine is.
const EVER: Duration = Duration::from_secs(60);

fn config(address: SocketAddr) -> ClientConfig {
    let config = ClientConfig::new(&address.to_string()).unwrap();
    config.backoff(Duration::from_millis(1), Duration::from_millis(10)).request_timeout(PATIENCE)
}

/// Sends everyone on, always, and always to itself.
async fn send_on(peer: &mut Peer<TcpStream>, asked: &Asked, address: SocketAddr) {
    if asked.is::<MetadataRequest>() {
        peer.answer(asked, &metadata(address)).await;
    } else if asked.is::<ListOffsetsRequest>() {
        let error_code = ErrorCode::NOT_LEADER_OR_FOLLOWER;
        let partitions = vec![ListOffsetsPartitionResponse { error_code, ..Default::default() }];
        let topic = ListOffsetsTopicResponse { name: "orders".into(), partitions, ..Default::default() };
        peer.answer(asked, &ListOffsetsResponse { topics: vec![topic], ..Default::default() }).await;
    } else if asked.is::<FindCoordinatorRequest>() {
        let key = asked.decode::<FindCoordinatorRequest>().coordinator_keys[0].clone();
        let (host, port) = (address.ip().to_string().as_str().into(), i32::from(address.port()));
        let coordinators = vec![Coordinator { key, node_id: 1, host, port, ..Default::default() }];
        peer.answer(asked, &FindCoordinatorResponse { coordinators, ..Default::default() }).await;
    } else if asked.is::<OffsetFetchRequest>() {
        let error_code = ErrorCode::NOT_COORDINATOR;
        let group_id = asked.decode::<OffsetFetchRequest>().groups[0].group_id.clone();
        let group = OffsetFetchResponseGroup { group_id, error_code, ..Default::default() };
        peer.answer(asked, &OffsetFetchResponse { groups: vec![group], ..Default::default() }).await;
    } else if asked.is::<CreateTopicsRequest>() {
        let name = asked.decode::<CreateTopicsRequest>().topics[0].name.clone();
        let error_code = ErrorCode::NOT_CONTROLLER;
        let topics = vec![CreatableTopicResult { name, error_code, ..Default::default() }];
        peer.answer(asked, &CreateTopicsResponse { topics, ..Default::default() }).await;
    } else if asked.is::<InitProducerIdRequest>() {
        peer.answer(asked, &InitProducerIdResponse { producer_id: 1, ..Default::default() }).await;
    } else if asked.is::<ProduceRequest>() {
        let error_code = ErrorCode::NOT_LEADER_OR_FOLLOWER;
        let partition_responses = vec![PartitionProduceResponse { error_code, ..Default::default() }];
        let topic = TopicProduceResponse { name: "orders".into(), partition_responses, ..Default::default() };
        peer.answer(asked, &ProduceResponse { responses: vec![topic], ..Default::default() }).await;
    } else if asked.is::<FetchRequest>() {
        let preferred_read_replica = 9;
        let partitions = vec![PartitionData { preferred_read_replica, ..Default::default() }];
        let topic = FetchableTopicResponse { topic: "orders".into(), partitions, ..Default::default() };
        peer.answer(asked, &FetchResponse { responses: vec![topic], ..Default::default() }).await;
    }
    // Whatever else it is asked, it says nothing.
}

async fn sending_on() -> SocketAddr {
    listen(async |_, mut peer, address| {
        peer.greet().await;
        while let Some(asked) = peer.next().await {
            send_on(&mut peer, &asked, address).await;
        }
    })
    .await
}

#[tokio::test]
async fn whoever_is_sent_on_for_ever_is_told_so_in_time() {
    let client = Client::connect(config(sending_on().await)).await.unwrap();
    let admin = client.admin();
    tokio::time::timeout(EVER, async {
        let found = admin.list_offsets(&ListOffsets::new().of("orders", 0, OffsetAt::Latest)).await;
        assert_eq!(found[0].1.as_ref().unwrap_err().code(), Some(ErrorCode::NOT_LEADER_OR_FOLLOWER));
        let error = admin.group_offsets("readers").await.unwrap_err();
        assert_eq!(error.code(), Some(ErrorCode::NOT_COORDINATOR));
        let error = admin.create_topics(&[NewTopic::new("new")]).await.unwrap_err();
        assert_eq!(error.code(), Some(ErrorCode::NOT_CONTROLLER));
        let producer = client.producer().delivery_timeout(PATIENCE).start().unwrap();
        let lost = producer.send(ProducerRecord::to("orders").value("lost")).await.unwrap().await;
        assert!(matches!(lost, Err(Error::DeliveryTimeout { .. })), "{lost:?}");
    })
    .await
    .expect("nothing hangs");
}

#[tokio::test]
async fn a_consumer_that_is_sent_on_for_ever_waits_and_does_not_race() {
    let client = Client::connect(config(sending_on().await)).await.unwrap();
    let mut consumer = client.consumer().offset_reset(OffsetReset::Fail).start().unwrap();
    consumer.assign(&[("orders", 0)]).await.unwrap();
    consumer.seek("orders", 0, 0).unwrap();
    let waited = tokio::time::timeout(PATIENCE, consumer.next()).await;
    assert!(waited.is_err(), "its wait is its user's: {waited:?}");
    // It can still be told what to do.
    consumer.seek("orders", 0, 5).unwrap();
    assert_eq!(consumer.position("orders", 0), Some(5));
}

#[tokio::test]
async fn a_coordinator_that_says_nothing_holds_nobody_up() {
    let client = Client::connect(config(sending_on().await)).await.unwrap();
    for protocol in [GroupProtocol::Classic, GroupProtocol::Consumer] {
        let builder = client.consumer().group("readers").group_protocol(protocol);
        let mut member = builder.start().unwrap();
        member.subscribe(&["orders"]).unwrap();
        assert!(tokio::time::timeout(PATIENCE, member.next()).await.is_err());
        tokio::time::timeout(EVER, member.close()).await.expect("leaving has a deadline").unwrap();
    }
}

#[tokio::test]
async fn a_cluster_that_always_has_everyone_begin_again_is_an_error() {
    let broker = listen(async |number, mut peer, address| {
        peer.greet().await;
        for turn in 0.. {
            let Some(asked) = peer.next().await else { return };
            let mut response = metadata(address);
            if number + turn > 0 {
                response.error_code = ErrorCode::REBOOTSTRAP_REQUIRED;
            }
            peer.answer(&asked, &response).await;
        }
    })
    .await;
    let client = Client::connect(config(broker)).await.unwrap();
    let error = tokio::time::timeout(EVER, client.refresh(&["orders"])).await.unwrap().unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::REBOOTSTRAP_REQUIRED));
}

#[tokio::test]
async fn versions_that_cannot_be_are_none() {
    for (min_version, max_version) in
        [(9, 2), (-5, -1), (i16::MIN, -1), (100, i16::MAX), (i16::MAX, i16::MIN)]
    {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let mut peer = Peer::new(theirs);
        let broker = async {
            let asked = peer.next().await.unwrap();
            let version = ApiVersion { api_key: 3, min_version, max_version, ..Default::default() };
            // Said twice, and of an API that there is not.
            let nonsense = ApiVersion { api_key: -7, ..version.clone() };
            let api_keys = vec![version.clone(), nonsense, version];
            peer.answer(&asked, &ApiVersionsResponse { api_keys, ..Default::default() }).await;
        };
        let config = ClientConfig::new("unused").unwrap();
        let (connection, ()) = tokio::join!(Connection::over(ours, "bad", &config), broker);
        let error = connection.unwrap().request(&MetadataRequest::default()).await.unwrap_err();
        assert!(matches!(error, Error::Unsupported { api: "Metadata", .. }), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_does_not_greet_is_given_up() {
    let (ours, _theirs) = tokio::io::duplex(1 << 16);
    let config = ClientConfig::new("unused").unwrap();
    let error =
        tokio::time::timeout(EVER, Connection::over(ours, "mute", &config)).await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
}

#[tokio::test]
async fn brokers_that_cannot_be_are_an_error_and_those_that_are_not_there_are_passed_over() {
    for port in [-1, 0, 65_536, i32::MAX, i32::MIN] {
        let broker = listen(move |_, mut peer, address| async move {
            peer.greet().await;
            while let Some(asked) = peer.next().await {
                let mut response = metadata(address);
                response.brokers[0].port = port;
                peer.answer(&asked, &response).await;
            }
        })
        .await;
        let error = Client::connect(config(broker)).await.unwrap_err();
        assert!(matches!(error, Error::Missing(_)), "{error}");
    }
    let gone = deserted().await;
    let broker = listen(move |_, mut peer, address| async move {
        peer.greet().await;
        while let Some(asked) = peer.next().await {
            let mut response = MetadataResponse { ..metadata(address) };
            let port = i32::from(gone.port());
            let ghost =
                MetadataResponseBroker { node_id: 0, host: "127.0.0.1".into(), port, ..Default::default() };
            response.brokers.insert(0, ghost);
            peer.answer(&asked, &response).await;
        }
    })
    .await;
    let client = Client::connect(config(broker)).await.unwrap();
    assert_eq!(client.refresh(&["orders"]).await.unwrap().brokers.len(), 2);
    assert!(client.any_broker().await.is_ok());
}
