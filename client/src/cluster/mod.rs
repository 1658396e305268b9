//! What is known of a cluster, and a connection to each broker of it that is needed.
//!
//! Owns the choice of whom to ask, reconnecting, and the picture of the cluster, which is renewed when an answer
//! shows that it is out of date. It never hides that something failed: what it tries again is bounded by a deadline.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::metadata::{MetadataRequest, MetadataRequestTopic, MetadataResponse};
use strandline_protocol::{Request, Text};
use tokio::time::Instant;

use crate::admin::Admin;
use crate::config::ClientConfig;
use crate::connection::Connection;
use crate::consumer::ConsumerBuilder;
use crate::error::{Error, Result};
use crate::producer::ProducerBuilder;

mod coordinator;
mod metadata;
mod names;
mod pool;
mod round;

use coordinator::Coordinators;
pub(crate) use coordinator::{Coordinated, is_elsewhere};
pub(crate) use metadata::topic_info;
pub use metadata::{BrokerInfo, ClusterMetadata, PartitionInfo, TopicInfo};
use pool::{Lane, Pool};
use round::{is_no_answer, is_rebootstrap};

/// A client of one cluster. Clones share its connections and what is known.
///
/// ```
/// use strandline_client::{Client, ClientConfig};
///
/// # async fn example(brokers: &str) -> Result<(), strandline_client::Error> {
/// let client = Client::connect(ClientConfig::new(brokers)?).await?;
/// let metadata = client.refresh(&["orders"]).await?;
/// let leader = metadata.leader("orders", 0).expect("it has a leader").id;
/// let connection = client.broker(leader).await?;
/// # Ok(())
/// # }
/// # strandline_client_stage::play(async |stage| example(stage.brokers()).await);
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: ClientConfig,
    pool: Pool,
    metadata: Mutex<Arc<ClusterMetadata>>,
    coordinators: Coordinators,
    // Since when the cluster has been asked after without an answer.
    lost_since: Mutex<Option<Instant>>,
}

impl Client {
    /// Finds a broker among the addresses of `config`, each of which is tried once, and learns of the others. One that
    /// does not answer, or not as it ought to, is passed over for the next.
    ///
    /// ```
    /// # use strandline_client::{Client, ClientConfig};
    /// # async fn example(brokers: &str) -> Result<(), strandline_client::Error> {
    /// let client = Client::connect(ClientConfig::new(brokers)?).await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(stage.brokers()).await);
    /// ```
    pub async fn connect(config: ClientConfig) -> Result<Self> {
        let pool = Pool::new(config.clone());
        let client = Self {
            inner: Arc::new(Inner {
                config,
                pool,
                metadata: Mutex::default(),
                coordinators: Coordinators::default(),
                lost_since: Mutex::default(),
            }),
        };
        client.refresh(&[]).await?;
        Ok(client)
    }

    /// What can be asked for by name.
    ///
    /// ```
    /// # async fn example(client: &strandline_client::Client) -> Result<(), strandline_client::Error> {
    /// println!("{} topics", client.admin().list_topics().await?.len());
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client).await);
    /// ```
    pub fn admin(&self) -> Admin {
        Admin::new(self.clone())
    }

    /// A producer in the making: see [`Producer`](crate::Producer).
    ///
    /// ```
    /// # async fn example(client: &strandline_client::Client) -> Result<(), strandline_client::Error> {
    /// let producer = client.producer().start()?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client).await);
    /// ```
    pub fn producer(&self) -> ProducerBuilder {
        ProducerBuilder::new(self.clone())
    }

    /// A consumer in the making: see [`Consumer`](crate::Consumer).
    ///
    /// ```
    /// # async fn example(client: &strandline_client::Client) -> Result<(), strandline_client::Error> {
    /// let consumer = client.consumer().start()?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client).await);
    /// ```
    pub fn consumer(&self) -> ConsumerBuilder {
        ConsumerBuilder::new(self.clone())
    }

    /// The cluster as it was last seen, without asking.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// println!("{} brokers", client.metadata().brokers.len());
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub fn metadata(&self) -> Arc<ClusterMetadata> {
        self.inner.metadata.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The configuration that the client was made with.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// println!("bootstrapped from {}", client.config().bootstrap()[0]);
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub fn config(&self) -> &ClientConfig {
        &self.inner.config
    }

    /// Asks for the brokers and for these topics, and keeps the answer beside what is known of other topics. A topic
    /// that does not exist is missing in it, and is not created.
    ///
    /// ```
    /// # async fn example(client: &strandline_client::Client) -> Result<(), strandline_client::Error> {
    /// let metadata = client.refresh(&["orders"]).await?;
    /// println!("{:?}", metadata.topics.get("orders").map(|topic| topic.partitions.len()));
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client).await);
    /// ```
    pub async fn refresh(&self, topics: &[&str]) -> Result<Arc<ClusterMetadata>> {
        let named =
            |name: &&str| MetadataRequestTopic { name: Some(Text::from(*name)), ..Default::default() };
        Ok(self.ask_metadata(Some(topics.iter().map(named).collect()), false).await?.0)
    }

    /// Asks for one topic, which a broker may make that makes what it is asked for. What is the matter with it is an
    /// error.
    pub(crate) async fn find_topic(&self, name: &str, may_create: bool) -> Result<TopicInfo> {
        let named = MetadataRequestTopic { name: Some(Text::from(name)), ..Default::default() };
        let (metadata, response) = self.ask_metadata(Some(vec![named]), may_create).await?;
        let described = response.topics.iter().find(|topic| topic.name.as_deref() == Some(name));
        let subject = || format!("topic {name}");
        let described = described.ok_or_else(|| Error::Missing(subject()))?;
        Error::check(described.error_code, subject, None)?;
        let known = metadata.topics.get(name).filter(|topic| !topic.partitions.is_empty());
        known.cloned().ok_or_else(|| Error::broker(ErrorCode::LEADER_NOT_AVAILABLE, subject(), None))
    }

    /// Asks for the brokers and every topic.
    ///
    /// ```
    /// # async fn example(client: &strandline_client::Client) -> Result<(), strandline_client::Error> {
    /// println!("{} topics", client.refresh_all().await?.topics.len());
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client).await);
    /// ```
    pub async fn refresh_all(&self) -> Result<Arc<ClusterMetadata>> {
        Ok(self.ask_metadata(None, false).await?.0)
    }

    async fn ask_metadata(
        &self,
        topics: Option<Vec<MetadataRequestTopic>>,
        may_create: bool,
    ) -> Result<(Arc<ClusterMetadata>, MetadataResponse)> {
        let request =
            &MetadataRequest { topics, allow_auto_topic_creation: may_create, ..Default::default() };
        self.look_begins();
        let ask = |connection: Connection| async move {
            let response = connection.request(request).await?;
            Error::check(response.error_code, || "metadata".to_owned(), None)?;
            let brokers = metadata::brokers(&response)?;
            Ok((response, brokers))
        };
        let (response, brokers) = match self.ask_each(ask).await {
            Err(error) if is_rebootstrap(&error) => {
                self.forget_brokers();
                self.ask_each_but(|error| is_no_answer(error) || is_rebootstrap(error), ask).await?
            }
            answer => answer?,
        };
        *self.lost_since() = None;
        let mut current = self.inner.metadata.lock().unwrap_or_else(PoisonError::into_inner);
        let next = Arc::new(current.updated(request, &response, brokers));
        self.inner.pool.keep_only(&next);
        *current = next.clone();
        Ok((next, response))
    }

    /// What is known may be of another cluster, or of long ago: begin again at the addresses that were given.
    fn forget_brokers(&self) {
        let mut current = self.inner.metadata.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(ClusterMetadata { brokers: Vec::new(), ..ClusterMetadata::clone(&current) });
    }

    fn lost_since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.inner.lost_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look_begins(&self) {
        self.lost_since().get_or_insert_with(Instant::now);
    }

    /// Whether nobody who is known has told of the cluster for so long that those who were given are asked first.
    fn is_lost(&self) -> bool {
        self.lost_since().is_some_and(|since| since.elapsed() >= self.inner.config.rebootstrap_after)
    }

    /// A connection to the broker of this id, new if there is none: in the time of one attempt, however many wait for
    /// it, and of the rest that it may need before.
    ///
    /// ```
    /// # async fn example(client: &strandline_client::Client) -> Result<(), strandline_client::Error> {
    /// let connection = client.broker(1).await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client).await);
    /// ```
    pub async fn broker(&self, id: i32) -> Result<Connection> {
        self.connection(id, Lane::Quick).await
    }

    /// A connection to the broker of this id for requests that it may be long in answering.
    pub(crate) async fn waiting_broker(&self, id: i32) -> Result<Connection> {
        self.connection(id, Lane::Waiting).await
    }

    async fn connection(&self, id: i32, lane: Lane) -> Result<Connection> {
        let address = self.metadata().broker(id).map(|broker| broker.address.clone());
        match address {
            Some(address) => self.inner.pool.connection(&address, lane).await,
            None => Err(Error::broker(ErrorCode::LEADER_NOT_AVAILABLE, format!("broker {id}"), None)),
        }
    }

    /// A connection to a broker that takes requests for the controller.
    ///
    /// ```
    /// # async fn example(client: &strandline_client::Client) -> Result<(), strandline_client::Error> {
    /// let connection = client.controller().await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client).await);
    /// ```
    pub async fn controller(&self) -> Result<Connection> {
        match self.metadata().controller_id {
            Some(id) => self.broker(id).await,
            None => Err(Error::broker(ErrorCode::NOT_CONTROLLER, "the controller", None)),
        }
    }

    /// Asks the controller, until it answers or the request's time is over. `of` finds the error that means that
    /// another broker is the controller now.
    pub(crate) async fn ask_controller<R: Request>(
        &self,
        request: &R,
        of: impl Fn(&R::Response) -> Option<ErrorCode>,
    ) -> Result<R::Response> {
        let moved = |response: &R::Response| match of(response) {
            Some(code) if code == ErrorCode::NOT_CONTROLLER => {
                Err(Error::broker(code, "the controller", None))
            }
            _ => Ok(()),
        };
        let mut attempts = self.attempts();
        loop {
            let result = match self.controller().await {
                Ok(connection) => match connection.request(request).await {
                    Ok(response) => moved(&response).map(|()| response),
                    // What may have been done is not done again.
                    Err(error) if error.is_in_doubt() => return Err(error),
                    Err(error) => Err(error),
                },
                Err(error) => Err(error),
            };
            match result {
                Err(error) => attempts.after(error, &[]).await?,
                response => return response,
            }
        }
    }

    /// The attempts at one thing, as many as fit into the time of one request.
    pub(crate) fn attempts(&self) -> Attempts {
        let config = &self.inner.config;
        let deadline = Instant::now() + config.request_timeout;
        Attempts { client: self.clone(), backoff: config.new_backoff(), deadline }
    }
}

/// Waits between attempts, and ends them.
pub(crate) struct Attempts {
    client: Client,
    backoff: crate::Backoff,
    deadline: Instant,
}

impl Attempts {
    /// Whether another attempt has time.
    pub(crate) fn has_time(&self) -> bool {
        Instant::now() < self.deadline
    }

    /// After an error: waits, and asks for the metadata if they may be the reason. The error is returned where
    /// another attempt makes no sense, or has no time.
    pub(crate) async fn after(&mut self, error: Error, topics: &[&str]) -> Result<()> {
        let wait = self.backoff.next_wait();
        if !error.is_retriable() || Instant::now() + wait >= self.deadline {
            return Err(error);
        }
        tokio::time::sleep(wait).await;
        if error.needs_metadata() {
            // Where this fails, the next attempt will, too, and say why.
            let _ = tokio::time::timeout_at(self.deadline, self.client.refresh(topics)).await;
        }
        Ok(())
    }
}
