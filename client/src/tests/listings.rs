//! What the administration lists: which filters are asked for, and of whom they cannot be.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use strandline_protocol::apis::ApiKey;
use strandline_protocol::apis::list_config_resources::{
    ConfigResource as Listed, ListConfigResourcesRequest, ListConfigResourcesResponse,
};
use strandline_protocol::apis::list_groups::{ListGroupsRequest, ListGroupsResponse};
use strandline_protocol::apis::list_transactions::{ListTransactionsRequest, ListTransactionsResponse};
use strandline_protocol::apis::metadata::MetadataRequest;
use tokio::io::DuplexStream;

use super::fake::{Asked, Net, Peer, Serving, everything, members};
use crate::{Client, ConfigResource, Error, GroupFilter, TransactionFilter};

/// What was asked of a broker, with its version.
type Questions = Arc<Mutex<Vec<(i16, Asked)>>>;

/// A broker that serves these APIs up to these versions only, and everything else.
async fn broker(up_to: &'static [(ApiKey, i16)]) -> (Client, Questions) {
    let questions = Questions::default();
    let asked = questions.clone();
    let serve =
        move |_: &str, _, peer| -> Option<Serving> { Some(Box::pin(answer_all(peer, up_to, asked.clone()))) };
    let client = Client::connect(Net::new(serve).config("broker").0).await.unwrap();
    (client, questions)
}

async fn answer_all(mut peer: Peer<DuplexStream>, up_to: &[(ApiKey, i16)], questions: Questions) {
    let mut versions = everything();
    for version in &mut versions.api_keys {
        let limit = up_to.iter().find(|(key, _)| i16::from(*key) == version.api_key);
        version.max_version = limit.map_or(version.max_version, |(_, last)| *last);
    }
    let first = peer.next().await.unwrap();
    peer.answer(&first, &versions).await;
    while let Some(asked) = peer.next().await {
        if asked.is::<MetadataRequest>() {
            peer.answer(&asked, &members(&[(1, "broker")])).await;
            continue;
        }
        if asked.is::<ListGroupsRequest>() {
            peer.answer(&asked, &ListGroupsResponse::default()).await;
        } else if asked.is::<ListTransactionsRequest>() {
            let request = asked.decode::<ListTransactionsRequest>();
            let is_none = |state: &&strandline_protocol::Text| *state == "Asleep";
            let unknown_state_filters = request.state_filters.iter().filter(is_none).cloned().collect();
            let response = ListTransactionsResponse { unknown_state_filters, ..Default::default() };
            peer.answer(&asked, &response).await;
        } else {
            let listed = |(resource_type, name): (i8, &str)| Listed {
                resource_type,
                resource_name: name.into(),
                ..Default::default()
            };
            let config_resources =
                [(2, "orders"), (4, ""), (4, "1"), (8, "1"), (16, "metrics"), (32, "billing")];
            let config_resources = config_resources.map(listed).into();
            let response = ListConfigResourcesResponse { config_resources, ..Default::default() };
            peer.answer(&asked, &response).await;
        }
        questions.lock().unwrap().push((asked.header.request_api_version, asked));
    }
}

fn last(questions: &Questions) -> (i16, Asked) {
    questions.lock().unwrap().pop().unwrap()
}

#[tokio::test(start_paused = true)]
async fn groups_are_filtered_by_those_who_know_them() {
    let (client, questions) = broker(&[]).await;
    let filter = GroupFilter::new().state("Stable").state("Empty").kind("consumer");
    client.admin().list_groups_of(&filter).await.unwrap();
    let request = last(&questions).1.decode::<ListGroupsRequest>();
    assert_eq!(
        (request.states_filter, request.types_filter),
        (vec!["Stable".into(), "Empty".into()], vec!["consumer".into()])
    );

    let (client, questions) = broker(&[(ApiKey::ListGroups, 4)]).await;
    client.admin().list_groups_of(&GroupFilter::new().state("Empty")).await.unwrap();
    assert_eq!(last(&questions).0, 4);
    let refused = client.admin().list_groups_of(&filter).await;
    assert!(matches!(refused, Err(Error::Unsupported { api: "ListGroups", .. })), "{refused:?}");

    let (client, questions) = broker(&[(ApiKey::ListGroups, 3)]).await;
    client.admin().list_groups().await.unwrap();
    assert_eq!(last(&questions).0, 3, "without a filter anyone is asked");
    let refused = client.admin().list_groups_of(&GroupFilter::new().state("Empty")).await;
    assert!(matches!(refused, Err(Error::Unsupported { .. })), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn transactions_are_filtered_by_those_who_know_how() {
    let (client, questions) = broker(&[]).await;
    let filter = TransactionFilter::new().state("Ongoing").producer(7).open_for(Duration::from_secs(9));
    client.admin().list_transactions_of(&filter).await.unwrap();
    let request = last(&questions).1.decode::<ListTransactionsRequest>();
    assert_eq!(request.state_filters, ["Ongoing"]);
    assert_eq!((request.producer_id_filters, request.duration_filter), (vec![7], 9_000));
    client.admin().list_transactions().await.unwrap();
    assert_eq!(last(&questions).1.decode::<ListTransactionsRequest>(), ListTransactionsRequest::default());
    let none = client.admin().list_transactions_of(&TransactionFilter::new().state("Asleep")).await;
    assert!(matches!(&none, Err(Error::Settings(text)) if text.contains("Asleep")), "{none:?}");

    let (client, _) = broker(&[(ApiKey::ListTransactions, 0)]).await;
    client.admin().list_transactions_of(&TransactionFilter::new().producer(7)).await.unwrap();
    let refused = client.admin().list_transactions_of(&filter).await;
    assert!(matches!(refused, Err(Error::Unsupported { .. })), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn what_has_settings_is_listed_with_groups_by_those_who_are_told_what_to_list() {
    let (client, questions) = broker(&[]).await;
    let listed = client.admin().list_config_resources().await.unwrap();
    let expected = [
        ConfigResource::Topic("orders".to_owned()),
        ConfigResource::AllBrokers,
        ConfigResource::Broker(1),
        ConfigResource::Loggers(1),
        ConfigResource::Group("billing".to_owned()),
    ];
    assert_eq!(listed, expected);
    let request = last(&questions).1.decode::<ListConfigResourcesRequest>();
    assert_eq!(request.resource_types, [2, 4, 8, 32]);

    let (client, questions) = broker(&[(ApiKey::ListConfigResources, 0)]).await;
    let refused = client.admin().list_config_resources().await;
    assert!(matches!(refused, Err(Error::Unsupported { .. })), "{refused:?}");
    assert!(questions.lock().unwrap().is_empty(), "version 0 means something else");
}
