//! Who comes by one listener is told of that one alone, whatever it is that they ask.

use strandline_broker::node::{Node, NodeOptions};
use strandline_client::{BrokerAddress, ClientConfig, Connection};
use strandline_protocol::ErrorCode;
use strandline_protocol::apis::describe_cluster::DescribeClusterRequest;
use strandline_protocol::apis::find_coordinator::FindCoordinatorRequest;
use strandline_protocol::apis::metadata::MetadataRequest;

use crate::support::{Folder, Running};
use crate::wire::until;

const ADVERTISED: &str = "INSIDE://inside.example:1111,OUTSIDE://outside.example:2222";

#[tokio::test]
async fn answers_name_the_listener_that_they_go_out_by() {
    let folder = Folder::new();
    let listen = ["INSIDE=127.0.0.1:0", "OUTSIDE=127.0.0.1:0"].map(str::to_owned).to_vec();
    let settings = [("advertised.listeners", ADVERTISED)];
    let node = Node::start(NodeOptions { listen, ..folder.options(&settings) }).await.unwrap();
    let addresses = node.addresses().to_vec();
    let mut node = Some(node);
    for (address, expected) in addresses.iter().zip([("inside.example", 1_111), ("outside.example", 2_222)]) {
        let config = ClientConfig::new(&address.to_string()).unwrap();
        let bound = BrokerAddress::new("127.0.0.1", address.port());
        let connection = Connection::open(&bound, &config).await.unwrap();
        let running = Running { node: node.take().unwrap(), connection };
        let metadata = running.ask(&MetadataRequest::default()).await;
        let told: Vec<_> = metadata.brokers.iter().map(|broker| (&*broker.host, broker.port)).collect();
        assert_eq!(told, [expected], "Metadata");
        let request = DescribeClusterRequest { endpoint_type: 1, ..Default::default() };
        let cluster = running.ask(&request).await;
        let told: Vec<_> = cluster.brokers.iter().map(|broker| (&*broker.host, broker.port)).collect();
        assert_eq!(told, [expected], "DescribeCluster");
        for key_type in [0, 1] {
            let coordinator_keys = vec!["a".into()];
            let request = FindCoordinatorRequest { key_type, coordinator_keys, ..Default::default() };
            // Its topic is made when it is first asked for.
            until("a coordinator is there", async || {
                let found = running.ask(&request).await.coordinators.remove(0);
                let is_there = found.error_code == ErrorCode::NONE;
                assert!(!is_there || (&*found.host, found.port) == expected, "FindCoordinator: {found:?}");
                is_there
            })
            .await;
        }
        node = Some(running.node);
    }
    node.unwrap().shutdown().await.unwrap();
}
