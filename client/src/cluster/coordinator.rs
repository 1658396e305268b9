//! Who coordinates a group or a transactional id, and asking it, wherever it moves.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use strandline_protocol::apis::ApiKey;
use strandline_protocol::apis::find_coordinator::{FindCoordinatorRequest, FindCoordinatorResponse};
use strandline_protocol::schema::VersionRange;
use strandline_protocol::{ErrorCode, Request, Text};

use super::Client;
use super::pool::Lane;
use crate::address::BrokerAddress;
use crate::connection::Connection;
use crate::error::{Error, Result};

/// The first version that asks for several at once.
const MANY_FIRST: i16 = 4;

/// What is coordinated.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Coordinated {
    Group,
    /// A transactional id.
    Transaction,
}

impl Coordinated {
    const fn code(self) -> i8 {
        match self {
            Self::Group => 0,
            Self::Transaction => 1,
        }
    }
}

/// Whom a cluster's coordinators were last found with.
#[derive(Debug, Default)]
pub(super) struct Coordinators {
    places: Mutex<HashMap<(Coordinated, String), BrokerAddress>>,
}

/// So many are remembered; whoever asks after more names than that finds them anew.
const REMEMBERED_MAX: usize = 1_000;

impl Coordinators {
    fn places(&self) -> MutexGuard<'_, HashMap<(Coordinated, String), BrokerAddress>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self, of: Coordinated, name: &str) -> Option<BrokerAddress> {
        self.places().get(&(of, name.to_owned())).cloned()
    }

    fn note(&self, of: Coordinated, name: &str, address: BrokerAddress) {
        let mut places = self.places();
        if places.len() >= REMEMBERED_MAX {
            places.clear();
        }
        places.insert((of, name.to_owned()), address);
    }

    fn forget(&self, of: Coordinated, name: &str) {
        self.places().remove(&(of, name.to_owned()));
    }
}

impl Client {
    /// A connection to the coordinator of `name`, as any broker says.
    pub(crate) async fn coordinator(&self, of: Coordinated, name: &str) -> Result<Connection> {
        let address = match self.inner.coordinators.known(of, name) {
            Some(address) => address,
            None => {
                let address = self.coordinator_address(of, name).await?;
                self.inner.coordinators.note(of, name, address.clone());
                address
            }
        };
        self.inner.pool.connection(&address, Lane::Quick).await
    }

    /// The same, until it can be reached or the time of one request is over.
    pub(crate) async fn reach_coordinator(&self, of: Coordinated, name: &str) -> Result<Connection> {
        let mut attempts = self.attempts();
        loop {
            match self.coordinator(of, name).await {
                Err(error) => {
                    self.inner.coordinators.forget(of, name);
                    attempts.after(error, &[]).await?;
                }
                reached => return reached,
            }
        }
    }

    /// Where the coordinator of `name` listens.
    pub(crate) async fn coordinator_address(&self, of: Coordinated, name: &str) -> Result<BrokerAddress> {
        self.ask_each(|asked| async move {
            let has_many = asked.versions().highest::<FindCoordinatorRequest>() >= Some(MANY_FIRST);
            let last = ApiKey::FindCoordinator.api().stable_versions().last;
            let key_type = of.code();
            let (request, versions) = if has_many {
                let coordinator_keys = vec![Text::from(name)];
                let request = FindCoordinatorRequest { key_type, coordinator_keys, ..Default::default() };
                (request, VersionRange::new(MANY_FIRST, last))
            } else {
                let request = FindCoordinatorRequest { key: name.into(), key_type, ..Default::default() };
                (request, VersionRange::new(1, MANY_FIRST - 1))
            };
            let response = asked.submit(&request, versions).await?.await?;
            address(response, name)
        })
        .await
    }

    /// Asks the coordinator of `name`, until it answers or the request's time is over. `of` finds the errors that mean
    /// that it is another broker now, or none yet.
    pub(crate) async fn ask_coordinator<R: Request>(
        &self,
        coordinated: Coordinated,
        name: &str,
        question: (&R, VersionRange),
        of: impl Fn(&R::Response) -> Option<ErrorCode>,
    ) -> Result<R::Response> {
        let (request, versions) = question;
        let mut attempts = self.attempts();
        loop {
            let result = match self.coordinator(coordinated, name).await {
                Ok(connection) => match connection.submit(request, versions).await {
                    Ok(answer) => answer.await,
                    Err(error) => Err(error),
                },
                Err(error) => Err(error),
            };
            let result = result.and_then(|response| match of(&response).filter(|code| is_elsewhere(*code)) {
                Some(code) => Err(Error::broker(code, format!("the coordinator of {name}"), None)),
                None => Ok(response),
            });
            match result {
                Err(error) => {
                    self.inner.coordinators.forget(coordinated, name);
                    attempts.after(error, &[]).await?;
                }
                response => return response,
            }
        }
    }
}

/// Whether the code means that the coordinator has to be looked for again, or is not ready.
pub(crate) const fn is_elsewhere(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::NOT_COORDINATOR
            | ErrorCode::COORDINATOR_NOT_AVAILABLE
            | ErrorCode::COORDINATOR_LOAD_IN_PROGRESS
    )
}

fn address(response: FindCoordinatorResponse, name: &str) -> Result<BrokerAddress> {
    let subject = || format!("the coordinator of {name}");
    let of_name = response.coordinators.into_iter().find(|coordinator| coordinator.key == name);
    let (code, message, host, port) = match of_name {
        Some(found) => (found.error_code, found.error_message, found.host, found.port),
        None => (response.error_code, response.error_message, response.host, response.port),
    };
    Error::check(code, subject, message.map(String::from))?;
    let port = u16::try_from(port).ok().filter(|port| *port != 0);
    let port = port.ok_or_else(|| Error::Missing(subject()))?;
    Ok(BrokerAddress::new(host.as_str(), port))
}
