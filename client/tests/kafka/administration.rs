//! Administration, as Kafka understands it.

use std::time::Duration;

use strandline_client::{
    Client, ConfigChange, ConfigResource, DeleteRecords, Election, Error, FeatureChange, Isolation,
    ListOffsets, NewTopic, OffsetAt,
};
use strandline_protocol::ErrorCode;
use strandline_protocol::apis::ApiKey;
use strandline_protocol::apis::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use strandline_protocol::batch::{BatchBuilder, NewRecord};

use super::common::{client, in_time, settle};

const TOPIC: &str = "library";

/// One result, of one name.
fn only<T>(mut results: Vec<(impl Sized, Result<T, Error>)>) -> Result<T, Error> {
    assert_eq!(results.len(), 1);
    results.pop().unwrap().1
}

/// Appends records of these timestamps, one batch each.
async fn append(client: &Client, partition: i32, timestamps: &[i64]) {
    let metadata = client.refresh(&[TOPIC]).await.unwrap();
    let leader = metadata.leader(TOPIC, partition).unwrap().id;
    let connection = client.broker(leader).await.unwrap();
    for timestamp in timestamps {
        let mut builder = BatchBuilder::new();
        builder.append(&NewRecord { value: Some(b"v"), ..NewRecord::at(*timestamp) }).unwrap();
        let records = Some(builder.build().unwrap().into());
        let data = PartitionProduceData { index: partition, records, ..Default::default() };
        let topic = TopicProduceData {
            name: TOPIC.into(),
            topic_id: metadata.topics[TOPIC].id,
            partition_data: vec![data],
            ..Default::default()
        };
        let request = ProduceRequest {
            transactional_id: None,
            acks: -1,
            timeout_ms: 10_000,
            topic_data: vec![topic],
            ..Default::default()
        };
        let response = connection.request(&request).await.unwrap();
        assert_eq!(response.responses[0].partition_responses[0].error_code, ErrorCode::NONE);
    }
}

async fn offset(client: &Client, at: OffsetAt) -> Option<i64> {
    let question = ListOffsets::new().of(TOPIC, 1, at).isolation(Isolation::ReadCommitted);
    only(client.admin().list_offsets(&question).await).unwrap().offset
}

#[tokio::test]
#[ignore = "needs a broker: tests/conformance/client runs it"]
async fn administration_does_to_kafka_what_it_says() {
    let client = client().await;
    let admin = client.admin();
    let cluster = admin.describe_cluster().await.unwrap();
    assert_eq!(cluster.brokers.len(), 1);
    assert_eq!(cluster.cluster_id, client.metadata().cluster_id);

    let topic = NewTopic::new(TOPIC).partitions(2).setting("message.timestamp.type", "CreateTime");
    let validated = only(admin.validate_topics(std::slice::from_ref(&topic)).await.unwrap()).unwrap();
    assert_eq!(validated.partitions, Some(2));
    assert!(client.refresh(&[TOPIC]).await.unwrap().topics.is_empty(), "it was only asked");
    let created = only(admin.create_topics(std::slice::from_ref(&topic)).await.unwrap()).unwrap();
    assert_eq!((created.partitions, created.replication_factor), (Some(2), Some(1)));
    settle(&client, TOPIC).await;
    let again = only(admin.create_topics(&[topic]).await.unwrap()).unwrap_err();
    assert_eq!(again.code(), Some(ErrorCode::TOPIC_ALREADY_EXISTS));
    let described = only(admin.describe_topics(&[TOPIC]).await.unwrap()).unwrap();
    assert_eq!((described.id, described.partitions.len()), (created.id, 2));
    let settings = only(admin.topic_settings(&[TOPIC]).await.unwrap()).unwrap();
    let own: Vec<_> = settings.iter().filter(|setting| setting.is_of_topic).collect();
    assert_eq!((own.len(), own[0].name.as_str()), (1, "message.timestamp.type"));

    // Where a record of that time or later is: at 2, then none.
    assert_eq!(offset(&client, OffsetAt::Latest).await, Some(0));
    append(&client, 1, &[1_000, 3_000, 5_000, 2_000]).await;
    assert_eq!(offset(&client, OffsetAt::Earliest).await, Some(0));
    assert_eq!(offset(&client, OffsetAt::Latest).await, Some(4));
    assert_eq!(offset(&client, OffsetAt::Timestamp(3_001)).await, Some(2));
    assert_eq!(offset(&client, OffsetAt::Timestamp(5_001)).await, None);
    assert_eq!(offset(&client, OffsetAt::MaxTimestamp).await, Some(2));

    let start = only(admin.delete_records(&DeleteRecords::new().before(TOPIC, 1, 3)).await).unwrap();
    assert_eq!((start, offset(&client, OffsetAt::Earliest).await), (3, Some(3)));
    let beyond = only(admin.delete_records(&DeleteRecords::new().before(TOPIC, 1, 99)).await).unwrap_err();
    assert_eq!(beyond.code(), Some(ErrorCode::OFFSET_OUT_OF_RANGE));

    admin.create_partitions(TOPIC, 3).await.unwrap();
    let fewer = admin.create_partitions(TOPIC, 1).await.unwrap_err();
    assert_eq!(fewer.code(), Some(ErrorCode::INVALID_PARTITIONS));
    let mut sizes = Vec::new();
    // A broker learns of it a moment later.
    in_time("the new partition is there", async {
        while sizes.last() != Some(&3) {
            sizes.push(only(admin.describe_topics(&[TOPIC]).await.unwrap()).unwrap().partitions.len());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    assert!(admin.list_topics().await.unwrap().iter().any(|topic| topic.name == TOPIC));

    only(admin.delete_topics(&[TOPIC]).await.unwrap()).unwrap();
    let gone = only(admin.delete_topics(&[TOPIC]).await.unwrap()).unwrap_err();
    assert_eq!(gone.code(), Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
}

#[tokio::test]
#[ignore = "needs a broker: tests/conformance/client-library runs it"]
async fn what_has_settings_is_listed_where_brokers_tell() {
    let client = client().await;
    let admin = client.admin();
    let connection = client.any_broker().await.unwrap();
    let listed = admin.list_config_resources().await;
    // Kafka does since 4.1; before that this lists nothing but subscriptions of client metrics.
    if connection.versions().of(ApiKey::ListConfigResources).last < 1 {
        assert!(matches!(listed, Err(Error::Unsupported { .. })), "{listed:?}");
        return;
    }
    let group = ConfigResource::Group("of settings".to_owned());
    assert!(!listed.unwrap().contains(&group), "nothing is set on it");
    only(admin.create_topics(&[NewTopic::new("of-settings")]).await.unwrap()).unwrap();
    settle(&client, "of-settings").await;
    let change = [("consumer.session.timeout.ms".to_owned(), ConfigChange::Set("50000".to_owned()))];
    admin.alter_configs(&group, &change, false).await.unwrap();
    let broker = client.metadata().brokers[0].id;
    let (topic, broker, loggers) = (
        ConfigResource::Topic("of-settings".to_owned()),
        ConfigResource::Broker(broker),
        ConfigResource::Loggers(broker),
    );
    in_time("all of them are listed", async {
        loop {
            let listed = admin.list_config_resources().await.unwrap();
            if [&topic, &broker, &loggers, &group].iter().all(|resource| listed.contains(resource)) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a broker: tests/conformance/client-library runs it"]
async fn brokers_tell_of_folders_quorum_features_and_settings() {
    let client = client().await;
    let admin = client.admin();
    let topic = NewTopic::new("told").partitions(2).setting("retention.ms", "60000");
    only(admin.create_topics(&[topic]).await.unwrap()).unwrap();
    settle(&client, "told").await;
    let broker = client.metadata().brokers[0].id;
    // Kafka makes the folders of the logs a moment later.
    let folders = in_time("both logs have their folders", async {
        loop {
            let folders = admin.describe_log_dirs(broker, Some("told")).await.unwrap();
            if folders.iter().map(|folder| folder.replicas.len()).sum::<usize>() >= 2 {
                break folders;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let replicas: Vec<_> = folders.iter().flat_map(|folder| &folder.replicas).collect();
    assert_eq!(replicas.iter().map(|replica| replica.partition).collect::<Vec<_>>(), [0, 1]);
    assert!(folders.iter().all(|folder| folder.error.is_none() && folder.total_bytes > folder.usable_bytes));
    let moved = admin.alter_log_dirs(broker, "/nowhere", &[("told", 0)]).await.unwrap();
    assert_eq!(only(moved.into_iter().collect()).unwrap_err().code(), Some(ErrorCode::LOG_DIR_NOT_FOUND));
    let quorum = admin.describe_quorum().await.unwrap();
    assert_eq!((quorum.leader_id, quorum.voters.len()), (broker, 1));
    let features = admin.describe_features().await.unwrap();
    let version = features.iter().find(|feature| feature.name == "metadata.version").unwrap();
    assert!(version.level_min <= version.level.unwrap() && version.level.unwrap() <= version.level_max);
    let change = FeatureChange { name: "no.such.feature".to_owned(), level: 1, may_lose_data: None };
    assert!(admin.update_features(&[change], true).await.is_err());
    assert_eq!(admin.list_reassignments(None).await.unwrap(), []);
    let stays = admin.reassign(&[("told", 0, None)]).await.unwrap();
    assert_eq!(only(stays).unwrap_err().code(), Some(ErrorCode::NO_REASSIGNMENT_IN_PROGRESS));
    let elected = admin.elect_leaders(Election::Preferred, Some(&[("told", 0)])).await.unwrap();
    assert_eq!(only(elected).unwrap_err().code(), Some(ErrorCode::ELECTION_NOT_NEEDED));
}
