//! What a consumer is told before it starts.

use std::time::Duration;

use super::group::{Assignor, GroupSettings};
use super::{Consumer, fetcher};
use crate::admin::{Isolation, OffsetAt};
use crate::cluster::Client;
use crate::error::{Error, Result};

/// Where to read from where nothing says so: at the start, and where records that were to be read are gone.
///
/// ```
/// assert_eq!(strandline_client::OffsetReset::default(), strandline_client::OffsetReset::Latest);
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum OffsetReset {
    /// From the first record that is there.
    Earliest,
    /// From the end: only what comes from now on.
    #[default]
    Latest,
    /// From nowhere: it is an error that the user is told of.
    Fail,
}

impl OffsetReset {
    pub(super) const fn offset(self) -> Option<OffsetAt> {
        match self {
            Self::Earliest => Some(OffsetAt::Earliest),
            Self::Latest => Some(OffsetAt::Latest),
            Self::Fail => None,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) reset: OffsetReset,
    pub(super) isolation: Isolation,
    pub(super) rack: String,
    pub(super) wait: Duration,
    pub(super) fetch_bytes_min: usize,
    pub(super) fetch_bytes: usize,
    pub(super) partition_bytes: usize,
    pub(super) memory_bytes: usize,
    pub(super) batch_bytes_max: usize,
    pub(super) checks_crc: bool,
    pub(super) backoff_least: Duration,
    pub(super) backoff_greatest: Duration,
    pub(super) group: Option<GroupSettings>,
}

/// How a consumer shall be.
///
/// ```
/// # async fn example(client: &strandline_client::Client) -> Result<(), strandline_client::Error> {
/// use strandline_client::{Isolation, OffsetReset};
///
/// let mut consumer = client
///     .consumer()
///     .offset_reset(OffsetReset::Earliest)
///     .isolation(Isolation::ReadCommitted)
///     .start()?;
/// # Ok(())
/// # }
/// # strandline_client_stage::play(async |stage| example(&stage.client).await);
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is read before it is started"]
pub struct ConsumerBuilder {
    client: Client,
    pub(super) settings: Settings,
}

impl ConsumerBuilder {
    pub(crate) fn new(client: Client) -> Self {
        let config = client.config();
        let settings = Settings {
            reset: OffsetReset::default(),
            isolation: Isolation::default(),
            rack: String::new(),
            wait: Duration::from_millis(500),
            fetch_bytes_min: 1,
            fetch_bytes: 16 << 20,
            partition_bytes: 1 << 20,
            memory_bytes: 64 << 20,
            batch_bytes_max: 128 << 20,
            checks_crc: true,
            backoff_least: config.backoff_least,
            backoff_greatest: config.backoff_greatest,
            group: None,
        };
        Self { client, settings }
    }

    /// Where to read from where nothing says so.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// let builder = client.consumer().offset_reset(strandline_client::OffsetReset::Earliest);
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub const fn offset_reset(mut self, reset: OffsetReset) -> Self {
        self.settings.reset = reset;
        self
    }

    /// Whether records of open and of aborted transactions are read.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// let builder = client.consumer().isolation(strandline_client::Isolation::ReadCommitted);
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub const fn isolation(mut self, isolation: Isolation) -> Self {
        self.settings.isolation = isolation;
        self
    }

    /// The rack that this runs in: where the cluster allows it, a replica in the same one is read from.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// let builder = client.consumer().rack("zone-a");
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub fn rack(mut self, rack: impl Into<String>) -> Self {
        self.settings.rack = rack.into();
        self
    }

    /// How long a broker may wait for records to come before it answers that there are none.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// let builder = client.consumer().wait(std::time::Duration::from_millis(100));
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub const fn wait(mut self, wait: Duration) -> Self {
        self.settings.wait = wait;
        self
    }

    /// How many bytes a broker waits for before it answers, as long as it may.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// let builder = client.consumer().fetch_bytes_min(64 << 10);
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub const fn fetch_bytes_min(mut self, bytes: usize) -> Self {
        self.settings.fetch_bytes_min = bytes;
        self
    }

    /// How many bytes one answer may have. One batch comes whole even if it has more.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// let builder = client.consumer().fetch_bytes(4 << 20);
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub const fn fetch_bytes(mut self, bytes: usize) -> Self {
        self.settings.fetch_bytes = bytes;
        self
    }

    /// How many of them may be of one partition; nothing more is fetched of one that has as many unread.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// let builder = client.consumer().partition_bytes(256 << 10);
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub const fn partition_bytes(mut self, bytes: usize) -> Self {
        self.settings.partition_bytes = bytes;
        self
    }

    /// How many bytes may be fetched ahead, of all partitions, compressed as they came.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// let builder = client.consumer().memory_bytes(16 << 20);
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub const fn memory_bytes(mut self, bytes: usize) -> Self {
        self.settings.memory_bytes = bytes;
        self
    }

    /// How large a batch may become when it is decompressed. No more than one is at a time.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// let builder = client.consumer().batch_bytes_max(16 << 20);
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub const fn batch_bytes_max(mut self, bytes: usize) -> Self {
        self.settings.batch_bytes_max = bytes;
        self
    }

    /// Whether the checksum of each batch is checked.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// let builder = client.consumer().check_crcs(false);
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub const fn check_crcs(mut self, checks: bool) -> Self {
        self.settings.checks_crc = checks;
        self
    }

    /// The group that it is a member of once it has been told what to read by
    /// [`Consumer::subscribe`](crate::Consumer::subscribe).
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// let builder = client.consumer().group("billing");
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub fn group(mut self, name: impl Into<String>) -> Self {
        self.settings.group = Some(GroupSettings::new(name.into()));
        self
    }

    /// A name that the member keeps from one start to the next: when it comes back in time, it goes on with what it
    /// had. It matters only after [`ConsumerBuilder::group`], as do the next ones.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// let builder = client.consumer().group("billing").group_instance("billing-1");
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub fn group_instance(mut self, name: impl Into<String>) -> Self {
        if let Some(group) = &mut self.settings.group {
            group.instance = Some(name.into());
        }
        self
    }

    /// How partitions may be given out: the group uses one that all members offer. Only where all that are offered
    /// are cooperative does a member go on reading while the group changes.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// use strandline_client::Assignor;
    /// let builder = client.consumer().group("billing").assignors(&[Assignor::CooperativeSticky]);
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub fn assignors(mut self, assignors: &[Assignor]) -> Self {
        if let Some(group) = &mut self.settings.group {
            group.assignors = assignors.to_vec();
        }
        self
    }

    /// How long the coordinator does without a sign of life before others get what the member has.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// let builder = client.consumer().group("billing").session_timeout(std::time::Duration::from_secs(10));
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub fn session_timeout(mut self, timeout: Duration) -> Self {
        if let Some(group) = &mut self.settings.group {
            group.session_timeout = timeout;
            // A third leaves room for two that are lost.
            group.heartbeat_interval = (timeout / 3).min(Duration::from_secs(3));
        }
        self
    }

    /// How long its user may take between two calls before others get what the member has.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// let builder = client.consumer().group("billing").poll_interval_max(std::time::Duration::from_secs(60));
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub const fn poll_interval_max(mut self, interval: Duration) -> Self {
        if let Some(group) = &mut self.settings.group {
            group.poll_interval_max = interval;
        }
        self
    }

    /// How often what has been processed is committed; none leaves it to
    /// [`Consumer::commit`](crate::Consumer::commit).
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// let builder = client.consumer().group("billing").auto_commit(None);
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub const fn auto_commit(mut self, interval: Option<Duration>) -> Self {
        if let Some(group) = &mut self.settings.group {
            group.auto_commit = interval;
        }
        self
    }

    /// Starts it, on the Tokio runtime that it is called from. It reads nothing before something is assigned to it.
    ///
    /// ```
    /// # async fn example(client: &strandline_client::Client) -> Result<(), strandline_client::Error> {
    /// let mut consumer = client.consumer().start()?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client).await);
    /// ```
    pub fn start(mut self) -> Result<Consumer> {
        let Settings { fetch_bytes, partition_bytes, memory_bytes, .. } = self.settings;
        if fetch_bytes == 0 || partition_bytes == 0 || memory_bytes < partition_bytes.min(64 << 10) {
            return Err(Error::Settings("there is no memory to fetch into".to_owned()));
        }
        if self.settings.group.as_ref().is_some_and(|group| group.assignors.is_empty()) {
            return Err(Error::Settings("a member of a group offers at least one assignor".to_owned()));
        }
        if let Some(group) = &mut self.settings.group {
            group.rack = Some(self.settings.rack.clone()).filter(|rack| !rack.is_empty());
        }
        Ok(fetcher::start(self.client, self.settings))
    }
}
