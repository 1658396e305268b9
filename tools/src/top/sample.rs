//! One look at a cluster.

use std::collections::BTreeMap;
use std::time::Instant;

use strandline_client::{Client, ClusterDescription, Error, TopicInfo};

use super::scrape::{self, Metrics};
use crate::group::{self, Progress};
use crate::sizes::Extents;

/// So many groups are asked how far they have read; more of them would take longer than a person waits.
pub(super) const GROUPS_MAX: usize = 100;

/// Where brokers of ours serve their metrics unless they are told otherwise.
const HTTP_PORT: u16 = 9644;

/// What was seen.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) at: Instant,
    pub(super) cluster: ClusterDescription,
    pub(super) topics: Vec<TopicInfo>,
    pub(super) extents: Extents,
    pub(super) groups: BTreeMap<String, GroupSample>,
    /// How many groups there are, those that were not asked included.
    pub(super) groups_count: usize,
    /// By where they were had from.
    pub(super) metrics: BTreeMap<String, Metrics>,
}

/// What was seen of a group.
#[derive(Debug, Default)]
pub(super) struct GroupSample {
    pub(super) state: String,
    pub(super) members: usize,
    pub(super) progress: Vec<Progress>,
}

impl GroupSample {
    /// The sum of what it has committed, to be held against an earlier one.
    pub(super) fn committed(&self) -> i64 {
        self.progress.iter().filter_map(|progress| progress.committed).sum()
    }

    pub(super) fn lag(&self) -> Option<i64> {
        group::lag(&self.progress)
    }
}

/// Looks, and remembers where no metrics could be had.
pub(super) struct Sampler {
    http: Option<Vec<String>>,
    refused: Vec<String>,
}

impl Sampler {
    pub(super) fn new(http: Option<&str>) -> Self {
        let list = |http: &str| http.split(',').map(|address| address.trim().to_owned()).collect();
        Self { http: http.map(list), refused: Vec::new() }
    }

    pub(super) async fn look(&mut self, client: &Client) -> Result<Sample, Error> {
        let admin = client.admin();
        let cluster = admin.describe_cluster().await?;
        let topics = admin.list_topics().await?;
        let extents = Extents::of(client, &topics.iter().collect::<Vec<_>>()).await;
        // It may be that one may not list groups, or that they are just being moved.
        let listed = admin.list_groups().await.unwrap_or_default();
        let groups_count = listed.len();
        let mut groups = BTreeMap::new();
        for listing in listed.into_iter().take(GROUPS_MAX) {
            let sample = match group::described(client, &listing.name).await {
                Ok((found, progress)) => {
                    GroupSample { state: found.state, members: found.members.len(), progress }
                }
                Err(_) => GroupSample { state: listing.state.unwrap_or_default(), ..GroupSample::default() },
            };
            groups.insert(listing.name, sample);
        }
        let metrics = self.scrape(&cluster).await;
        Ok(Sample { at: Instant::now(), cluster, topics, extents, groups, groups_count, metrics })
    }

    async fn scrape(&mut self, cluster: &ClusterDescription) -> BTreeMap<String, Metrics> {
        let guessed =
            || cluster.brokers.iter().map(|broker| format!("{}:{HTTP_PORT}", broker.address.host()));
        let is_guess = self.http.is_none();
        let mut addresses = self.http.clone().unwrap_or_else(|| guessed().collect());
        addresses.sort();
        addresses.dedup();
        let mut metrics = BTreeMap::new();
        for address in addresses {
            if self.refused.contains(&address) {
                continue;
            }
            match scrape::scrape(&address).await {
                Some(found) => _ = metrics.insert(address, found),
                // Where nobody said that there is anything it is not asked again and again.
                None if is_guess => self.refused.push(address),
                None => {}
            }
        }
        metrics
    }
}
