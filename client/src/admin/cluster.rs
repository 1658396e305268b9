//! The cluster itself.

use strandline_protocol::apis::ApiKey;
use strandline_protocol::apis::describe_cluster::{DescribeClusterRequest, DescribeClusterResponse};

use super::Admin;
use crate::address::BrokerAddress;
use crate::cluster::BrokerInfo;
use crate::error::{Error, Result};

/// A cluster's id, its brokers, and who takes requests for the controller.
///
/// ```
/// assert!(strandline_client::ClusterDescription::default().brokers.is_empty());
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ClusterDescription {
    /// The cluster's id, from brokers that have one.
    pub cluster_id: Option<String>,
    /// A broker that takes requests for the controller.
    pub controller_id: Option<i32>,
    /// The brokers that are alive, by id.
    pub brokers: Vec<BrokerInfo>,
}

impl Admin {
    /// The cluster's id and brokers. Brokers before Kafka 2.8, which have no API for that, are asked for metadata.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// for broker in admin.describe_cluster().await?.brokers {
    ///     println!("{} at {}", broker.id, broker.address);
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn describe_cluster(&self) -> Result<ClusterDescription> {
        let described = self.client.ask_each(|connection| async move {
            if connection.versions().of(ApiKey::DescribeCluster).is_empty() {
                return Ok(None);
            }
            described(connection.request(&DescribeClusterRequest::default()).await?).map(Some)
        });
        let mut cluster = match described.await? {
            Some(cluster) => cluster,
            None => {
                let metadata = self.client.refresh(&[]).await?;
                ClusterDescription {
                    cluster_id: metadata.cluster_id.clone(),
                    controller_id: metadata.controller_id,
                    brokers: metadata.brokers.clone(),
                }
            }
        };
        cluster.brokers.sort_by_key(|broker| broker.id);
        Ok(cluster)
    }
}

fn described(response: DescribeClusterResponse) -> Result<ClusterDescription> {
    let message = response.error_message.map(String::from);
    Error::check(response.error_code, || "the cluster".to_owned(), message)?;
    let brokers = response.brokers.into_iter().map(|broker| {
        let missing = |_| Error::Missing(format!("the port of broker {}", broker.broker_id));
        let port = u16::try_from(broker.port).map_err(missing)?;
        let address = BrokerAddress::new(broker.host.as_str(), port);
        Ok(BrokerInfo { id: broker.broker_id, address, rack: broker.rack.map(String::from) })
    });
    Ok(ClusterDescription {
        cluster_id: Some(response.cluster_id.into()),
        controller_id: Some(response.controller_id).filter(|id| *id >= 0),
        brokers: brokers.collect::<Result<_>>()?,
    })
}
