//! Who coordinates the groups or transactional ids that are measured.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use strandline_client::{BrokerAddress, Client, Error};
use strandline_protocol::apis::ApiKey;
use strandline_protocol::apis::find_coordinator::{Coordinator, FindCoordinatorRequest};
use strandline_protocol::schema::VersionRange;
use strandline_protocol::{ErrorCode, Text};

use super::links::Links;
use super::target::Leader;
use crate::cluster::Failure;

/// The first version that asks for several at once.
const MANY_FIRST: i16 = 4;

/// How many are asked for at once.
const AT_ONCE: usize = 1_000;

/// How long a coordinator that is not ready yet is left alone.
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// What is coordinated.
#[derive(Clone, Copy)]
pub(super) enum Coordinated {
    Group,
    Transaction,
}

impl Coordinated {
    const fn key_type(self) -> i8 {
        match self {
            Self::Group => 0,
            Self::Transaction => 1,
        }
    }
}

/// The coordinators of some names.
pub(super) struct Coordinators {
    pub(super) brokers: Vec<Leader>,
    /// For each name, in its order, the place of its coordinator in `brokers`.
    pub(super) of: Vec<usize>,
}

impl Coordinators {
    /// Asks until each name has one.
    pub(super) async fn find(
        client: &Client,
        coordinated: Coordinated,
        names: &[String],
    ) -> Result<Self, Failure> {
        let mut found = Self { brokers: Vec::new(), of: Vec::with_capacity(names.len()) };
        let deadline = Instant::now() + client.config().request_timeout_value();
        for names in names.chunks(AT_ONCE) {
            loop {
                let answers = ask(client, coordinated, names).await?;
                match answers.values().find(|coordinator| !coordinator.error_code.is_none()) {
                    None => {
                        found.keep(client, names, &answers).await?;
                        break;
                    }
                    Some(refused) => {
                        let subject = format!("the coordinator of {}", refused.key);
                        let error = Error::broker(refused.error_code, subject, None);
                        if !error.is_retriable() || Instant::now() >= deadline {
                            return Err(error.into());
                        }
                        tokio::time::sleep(RETRY_AFTER).await;
                    }
                }
            }
        }
        Ok(found)
    }

    async fn keep(
        &mut self,
        client: &Client,
        names: &[String],
        answers: &HashMap<Text, Coordinator>,
    ) -> Result<(), Failure> {
        for name in names {
            let missing = || Failure::Refused(format!("nobody coordinates {name}"));
            let coordinator = answers.get(name.as_str()).ok_or_else(missing)?;
            let port = u16::try_from(coordinator.port).map_err(|_| missing())?;
            let address = BrokerAddress::new(coordinator.host.as_str(), port);
            let place = match self.brokers.iter().position(|broker| broker.address == address) {
                Some(place) => place,
                None => {
                    let versions = client.broker(coordinator.node_id).await?.versions().clone();
                    self.brokers.push(Leader { address, versions, partitions: Vec::new() });
                    self.brokers.len() - 1
                }
            };
            self.of.push(place);
        }
        Ok(())
    }

    /// Opens `count` connections to each coordinator, and gives each name one of its own's in turn: their places.
    pub(super) fn connect(&self, links: &mut Links, count: usize) -> Result<Vec<usize>, Failure> {
        let mut turns = vec![0; self.brokers.len()];
        let mut opened: Vec<Vec<usize>> = vec![Vec::new(); self.brokers.len()];
        let mut places = Vec::with_capacity(self.of.len());
        for broker in &self.of {
            let (Some(leader), Some(turn), Some(opened)) =
                (self.brokers.get(*broker), turns.get_mut(*broker), opened.get_mut(*broker))
            else {
                continue;
            };
            if opened.len() < count.max(1) {
                opened.push(links.open(&leader.address)?);
            }
            places.extend(opened.get(*turn % count.max(1)));
            *turn += 1;
        }
        Ok(places)
    }

    /// The broker that coordinates the name at this place.
    pub(super) fn broker(&self, name: usize) -> Result<&Leader, Failure> {
        let broker = self.of.get(name).and_then(|broker| self.brokers.get(*broker));
        broker.ok_or_else(|| Failure::Refused("nobody coordinates it".to_owned()))
    }
}

async fn ask(
    client: &Client,
    coordinated: Coordinated,
    names: &[String],
) -> Result<HashMap<Text, Coordinator>, Failure> {
    let broker = client.any_broker().await?;
    let key_type = coordinated.key_type();
    if broker.versions().highest::<FindCoordinatorRequest>() >= Some(MANY_FIRST) {
        let coordinator_keys = names.iter().map(|name| Text::from(name.as_str())).collect();
        let request = FindCoordinatorRequest { key_type, coordinator_keys, ..Default::default() };
        let versions = VersionRange::new(MANY_FIRST, ApiKey::FindCoordinator.api().stable_versions().last);
        let response = broker.submit(&request, versions).await?.await?;
        return Ok(response.coordinators.into_iter().map(|each| (each.key.clone(), each)).collect());
    }
    let mut found = HashMap::new();
    for name in names {
        let key = Text::from(name.as_str());
        let request = FindCoordinatorRequest { key: key.clone(), key_type, ..Default::default() };
        let response = broker.submit(&request, VersionRange::new(1, MANY_FIRST - 1)).await?.await?;
        let coordinator = Coordinator {
            key: key.clone(),
            node_id: response.node_id,
            host: response.host,
            port: response.port,
            error_code: response.error_code,
            ..Default::default()
        };
        let stays = coordinator.error_code != ErrorCode::NONE;
        found.insert(key, coordinator);
        if stays {
            break;
        }
    }
    Ok(found)
}
