//! Which of the groups and of the transactional ids to list.

use std::time::Duration;

use strandline_protocol::Text;
use strandline_protocol::apis::ApiKey;
use strandline_protocol::apis::list_groups::ListGroupsRequest;
use strandline_protocol::apis::list_transactions::ListTransactionsRequest;
use strandline_protocol::schema::VersionRange;

/// The first versions that filter.
const GROUPS_BY_STATE: i16 = 4;
const GROUPS_BY_KIND: i16 = 5;
const TRANSACTIONS_BY_AGE: i16 = 1;

/// Which groups to list: all, unless something is said.
///
/// ```
/// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
/// use strandline_client::GroupFilter;
/// for group in admin.list_groups_of(&GroupFilter::new().state("Empty").kind("classic")).await? {
///     println!("{}", group.name);
/// }
/// # Ok(())
/// # }
/// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[must_use]
pub struct GroupFilter {
    states: Vec<Text>,
    kinds: Vec<Text>,
}

impl GroupFilter {
    /// All groups.
    ///
    /// ```
    /// assert_eq!(strandline_client::GroupFilter::new(), strandline_client::GroupFilter::default());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Those in this state, such as `Stable`, or in another one that was said (Kafka 2.6 and newer).
    ///
    /// ```
    /// let filter = strandline_client::GroupFilter::new().state("Stable").state("Empty");
    /// ```
    pub fn state(mut self, state: &str) -> Self {
        self.states.push(state.into());
        self
    }

    /// Those of this kind, such as `classic` or `consumer`, or of another one that was said (Kafka 3.8 and newer).
    ///
    /// ```
    /// let filter = strandline_client::GroupFilter::new().kind("consumer");
    /// ```
    pub fn kind(mut self, kind: &str) -> Self {
        self.kinds.push(kind.into());
        self
    }

    /// The question, and the versions that can ask it.
    pub(super) fn question(&self) -> (ListGroupsRequest, VersionRange) {
        let all = ApiKey::ListGroups.api().stable_versions();
        let first = match self {
            Self { kinds, .. } if !kinds.is_empty() => GROUPS_BY_KIND,
            Self { states, .. } if !states.is_empty() => GROUPS_BY_STATE,
            _ => all.first,
        };
        let (states_filter, types_filter) = (self.states.clone(), self.kinds.clone());
        let request = ListGroupsRequest { states_filter, types_filter, ..Default::default() };
        (request, VersionRange::new(first, all.last))
    }
}

/// Which transactional ids to list: all, unless something is said.
///
/// ```
/// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
/// use std::time::Duration;
/// use strandline_client::TransactionFilter;
/// let filter = TransactionFilter::new().state("Ongoing").open_for(Duration::from_secs(900));
/// for transaction in admin.list_transactions_of(&filter).await? {
///     println!("{} of producer {}", transaction.id, transaction.producer_id);
/// }
/// # Ok(())
/// # }
/// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[must_use]
pub struct TransactionFilter {
    states: Vec<Text>,
    producers: Vec<i64>,
    open_for: Option<Duration>,
}

impl TransactionFilter {
    /// All transactional ids.
    ///
    /// ```
    /// assert_eq!(strandline_client::TransactionFilter::new(), strandline_client::TransactionFilter::default());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Those in this state, such as `Ongoing`, or in another one that was said. One that there is not is an error.
    ///
    /// ```
    /// let filter = strandline_client::TransactionFilter::new().state("PrepareCommit").state("PrepareAbort");
    /// ```
    pub fn state(mut self, state: &str) -> Self {
        self.states.push(state.into());
        self
    }

    /// Those of this producer, or of another one that was said.
    ///
    /// ```
    /// let filter = strandline_client::TransactionFilter::new().producer(4_000);
    /// ```
    pub fn producer(mut self, producer_id: i64) -> Self {
        self.producers.push(producer_id);
        self
    }

    /// Those with a transaction that has been open for longer than this (Kafka 3.8 and newer).
    ///
    /// ```
    /// let filter = strandline_client::TransactionFilter::new().open_for(std::time::Duration::from_secs(60));
    /// ```
    pub const fn open_for(mut self, longer_than: Duration) -> Self {
        self.open_for = Some(longer_than);
        self
    }

    /// The question, and the versions that can ask it.
    pub(super) fn question(&self) -> (ListTransactionsRequest, VersionRange) {
        let all = ApiKey::ListTransactions.api().stable_versions();
        let first = if self.open_for.is_some() { TRANSACTIONS_BY_AGE } else { all.first };
        let millis = |open_for: Duration| i64::try_from(open_for.as_millis()).unwrap_or(i64::MAX);
        let request = ListTransactionsRequest {
            state_filters: self.states.clone(),
            producer_id_filters: self.producers.clone(),
            duration_filter: self.open_for.map_or(-1, millis),
            ..Default::default()
        };
        (request, VersionRange::new(first, all.last))
    }
}
