//! Who a node is: the same after each start, and nobody else.

use strandline_broker::node::NodeError;
use strandline_protocol::ErrorCode;
use strandline_protocol::apis::api_versions::ApiVersionsRequest;
use strandline_protocol::apis::describe_cluster::{DescribeClusterRequest, DescribeClusterResponse};

use crate::support::{Folder, Running};

async fn describe(running: &Running) -> DescribeClusterResponse {
    running.ask(&DescribeClusterRequest { endpoint_type: 1, ..Default::default() }).await
}

#[tokio::test]
async fn a_cluster_keeps_its_id() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    let before = describe(&running).await;
    assert_eq!((before.error_code, before.controller_id), (ErrorCode::NONE, 1));
    assert_eq!(before.cluster_id.len(), 22, "{}", before.cluster_id);
    let endpoint = &running.node.endpoints()[0];
    assert_eq!(before.brokers[0].port, i32::from(endpoint.port), "the bound port is told, not 0");
    running.stop().await;
    let running = folder.start(&[]).await;
    assert_eq!(describe(&running).await.cluster_id, before.cluster_id);
    running.stop().await;
}

#[tokio::test]
async fn a_directory_serves_its_own_node_alone() {
    let folder = Folder::new();
    folder.start(&[("node.id", "7")]).await.stop().await;
    match folder.try_start(&[("node.id", "8")]).await {
        Err(NodeError::OtherNode { found: 7, node_id: 8 }) => {}
        other => panic!("{other:?}"),
    }
    let running = folder.start(&[("node.id", "7")]).await;
    assert_eq!(describe(&running).await.controller_id, 7);
    assert!(matches!(folder.try_start(&[("node.id", "7")]).await, Err(NodeError::Engine(_))), "it is in use");
    running.stop().await;
}

#[tokio::test]
async fn controllers_are_not_to_be_had_from_a_broker() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    for (endpoint_type, expected) in
        [(2, ErrorCode::MISMATCHED_ENDPOINT_TYPE), (9, ErrorCode::UNSUPPORTED_ENDPOINT_TYPE)]
    {
        let request = DescribeClusterRequest { endpoint_type, ..Default::default() };
        assert_eq!(running.ask(&request).await.error_code, expected);
    }
    running.stop().await;
}

#[tokio::test]
async fn features_are_told_with_an_epoch_that_is_not_negative() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    let request = ApiVersionsRequest {
        client_software_name: "test".into(),
        client_software_version: "1".into(),
        ..Default::default()
    };
    for version in [3, 4] {
        let response = running.ask_in(version, &request).await;
        assert!(response.finalized_features_epoch >= 0);
        let finalized: Vec<_> = response.finalized_features.iter().map(|feature| &*feature.name).collect();
        assert_eq!(finalized, ["group.version", "metadata.version", "transaction.version"]);
        let lowest = response.supported_features.iter().map(|feature| feature.min_version).min();
        // Older Java clients throw at a feature that can be off; they do not ask in version 4.
        assert_eq!(lowest, Some(i16::from(version < 4)));
    }
    let anonymous = running.ask_in(3, &ApiVersionsRequest::default()).await;
    assert_eq!(anonymous.error_code, ErrorCode::INVALID_REQUEST);
    running.stop().await;
}
