//! What is said to the coordinator of a transactional id: who writes, what belongs to the transaction, how it ends.
//!
//! Owns the producer's identity and what the coordinator has been told of the open transaction. There are two ways of
//! it (KIP-890). In the first, a partition is named to the coordinator before it is written to, and the identity stays
//! until something went wrong. In the second, brokers see to that themselves, and each transaction has an epoch of its
//! own, which the end of the one before has brought: nothing that is late can get into the next.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strandline_protocol::apis::ApiKey;
use strandline_protocol::apis::add_offsets_to_txn::AddOffsetsToTxnRequest;
use strandline_protocol::apis::add_partitions_to_txn::{
    AddPartitionsToTxnRequest, AddPartitionsToTxnResponse, AddPartitionsToTxnTopic,
};
use strandline_protocol::apis::end_txn::EndTxnRequest;
use strandline_protocol::apis::init_producer_id::InitProducerIdRequest;
use strandline_protocol::apis::produce::ProduceRequest;
use strandline_protocol::schema::VersionRange;
use strandline_protocol::{ErrorCode, Request, Text};

use super::offsets;
use crate::cluster::{Client, Coordinated};
use crate::connection::BrokerVersions;
use crate::consumer::GroupOffsets;
use crate::error::{Error, Result};
use crate::producer::queue::Identity;

/// The feature whose second level is the second way, and the first version of each message that speaks of it.
const FEATURE: &str = "transaction.version";
const SECOND_LEVEL: i16 = 2;
const PRODUCE_SECOND: i16 = 12;
const END_SECOND: i16 = 5;
const COMMIT_SECOND: i16 = 5;
/// The last version in which clients, and not brokers, add partitions.
const ADD_LAST: i16 = 3;

/// How long a coordinator that is still ending the last transaction is left alone.
const CONCURRENT_WAIT: Duration = Duration::from_millis(20);

pub(in crate::producer) struct Coordination {
    client: Client,
    id: Text,
    timeout: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    identity: Option<Identity>,
    is_second: bool,
    partitions: HashSet<(Text, i32)>,
    groups: HashSet<Text>,
    /// Whether the coordinator may know of a transaction that is open.
    is_open: bool,
}

impl Coordination {
    pub(super) fn new(client: Client, id: Text, timeout: Duration) -> Self {
        Self { client, id, timeout, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn identity(&self) -> Result<Identity> {
        self.state().identity.ok_or_else(|| Error::Missing("a producer id".to_owned()))
    }

    /// Asks for the right to write under this id, which fences off whoever had it, and ends what that left open. Who has
    /// it already gets it anew, with nothing of what it wrote before still on its way.
    pub(super) async fn identify(&self) -> Result<()> {
        let before = self.state().identity;
        let mut request = InitProducerIdRequest {
            transactional_id: Some(self.id.clone()),
            transaction_timeout_ms: i32::try_from(self.timeout.as_millis()).unwrap_or(i32::MAX),
            ..Default::default()
        };
        if let Some(Identity { producer_id, epoch }) = before {
            (request.producer_id, request.producer_epoch) = (producer_id, epoch);
        }
        let response = self.ask(&request, None, |response| response.error_code).await?;
        if response.producer_id < 0 || response.producer_epoch < 0 {
            return Err(Error::Missing("a producer id".to_owned()));
        }
        let identity = Identity { producer_id: response.producer_id, epoch: response.producer_epoch };
        self.state().identity = Some(identity);
        Ok(())
    }

    /// A transaction begins; nobody need know of it before something is in it. Under whom it writes.
    pub(super) async fn begin(&self) -> Result<Identity> {
        let connection = self.client.reach_coordinator(Coordinated::Transaction, &self.id).await?;
        let is_second = is_second(connection.versions());
        let identity = self.identity()?;
        *self.state() = State { identity: Some(identity), is_second, ..State::default() };
        Ok(identity)
    }

    /// The last version in which records may be sent.
    pub(in crate::producer) fn produce_last(&self, last: i16) -> i16 {
        if self.state().is_second { last } else { last.min(PRODUCE_SECOND - 1) }
    }

    /// Has what a request writes to belong to the transaction, before it is sent.
    pub(in crate::producer) async fn enlist(&self, request: &ProduceRequest) -> Result<()> {
        let Some(request) = self.to_enlist(request) else { return Ok(()) };
        let versions = VersionRange::new(0, ADD_LAST);
        self.ask(&request, Some(versions), first_refusal).await?;
        let mut state = self.state();
        for topic in request.v3_and_below_topics {
            let partitions = topic.partitions.into_iter();
            state.partitions.extend(partitions.map(|partition| (topic.name.clone(), partition)));
        }
        Ok(())
    }

    fn to_enlist(&self, request: &ProduceRequest) -> Option<AddPartitionsToTxnRequest> {
        let mut state = self.state();
        state.is_open = true;
        let identity = state.identity.filter(|_| !state.is_second)?;
        let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
        for topic in &request.topic_data {
            for data in &topic.partition_data {
                if !state.partitions.contains(&(topic.name.clone(), data.index)) {
                    topics.entry(topic.name.as_str()).or_default().push(data.index);
                }
            }
        }
        if topics.is_empty() {
            return None;
        }
        let topic = |(name, partitions): (&str, Vec<i32>)| AddPartitionsToTxnTopic {
            name: name.into(),
            partitions,
            ..Default::default()
        };
        Some(AddPartitionsToTxnRequest {
            v3_and_below_transactional_id: self.id.clone(),
            v3_and_below_producer_id: identity.producer_id,
            v3_and_below_producer_epoch: identity.epoch,
            v3_and_below_topics: topics.into_iter().map(topic).collect(),
            ..Default::default()
        })
    }

    /// Has the offsets of a group belong to the transaction.
    pub(super) async fn send_offsets(&self, offsets: &GroupOffsets) -> Result<()> {
        let identity = self.identity()?;
        let is_second = {
            let mut state = self.state();
            state.is_open = true;
            state.is_second
        };
        if !is_second && !self.state().groups.contains(&offsets.group) {
            let request = AddOffsetsToTxnRequest {
                transactional_id: self.id.clone(),
                producer_id: identity.producer_id,
                producer_epoch: identity.epoch,
                group_id: offsets.group.clone(),
                ..Default::default()
            };
            self.ask(&request, None, |response| response.error_code).await?;
            self.state().groups.insert(offsets.group.clone());
        }
        let request = offsets::request(&self.id, identity, offsets);
        let last = if is_second { COMMIT_SECOND } else { COMMIT_SECOND - 1 };
        let question = (&request, VersionRange::new(0, last));
        self.ask_any(Coordinated::Group, &offsets.group, question, offsets::first_refusal).await?;
        Ok(())
    }

    /// Ends the transaction, one way or the other. It may be asked again for the same.
    pub(super) async fn end(&self, commits: bool) -> Result<()> {
        let identity = self.identity()?;
        let (is_second, is_open) = {
            let state = self.state();
            (state.is_second, state.is_open)
        };
        if !is_open {
            return Ok(());
        }
        let request = EndTxnRequest {
            transactional_id: self.id.clone(),
            producer_id: identity.producer_id,
            producer_epoch: identity.epoch,
            committed: commits,
            ..Default::default()
        };
        let last = if is_second { END_SECOND } else { END_SECOND - 1 };
        let versions = Some(VersionRange::new(0, last));
        match self.ask(&request, versions, |response| response.error_code).await {
            Ok(response) if is_second && response.producer_id >= 0 && response.producer_epoch >= 0 => {
                let (producer_id, epoch) = (response.producer_id, response.producer_epoch);
                self.state().identity = Some(Identity { producer_id, epoch });
            }
            Ok(_) => {}
            // What it was to be told of never got there.
            Err(error) if !commits && error.code() == Some(ErrorCode::INVALID_TXN_STATE) => {}
            Err(error) => return Err(error),
        }
        self.state().is_open = false;
        Ok(())
    }

    /// Whether numbers may be missing after a transaction that was aborted, so that they have to begin anew.
    pub(super) fn must_identify_after_abort(&self) -> bool {
        let state = self.state();
        !state.is_second && !state.partitions.is_empty()
    }

    async fn ask<R: Request>(
        &self,
        request: &R,
        versions: Option<VersionRange>,
        code: impl Fn(&R::Response) -> ErrorCode,
    ) -> Result<R::Response> {
        let versions = versions.unwrap_or_else(|| R::KEY.api().stable_versions());
        self.ask_any(Coordinated::Transaction, &self.id, (request, versions), code).await
    }

    async fn ask_any<R: Request>(
        &self,
        of: Coordinated,
        name: &str,
        question: (&R, VersionRange),
        code: impl Fn(&R::Response) -> ErrorCode,
    ) -> Result<R::Response> {
        let mut attempts = self.client.attempts();
        loop {
            let asked = self.client.ask_coordinator(of, name, question, |answer| Some(code(answer))).await;
            let error = match asked {
                Ok(response) => match self.judge(code(&response)) {
                    Ok(()) => return Ok(response),
                    Err(error) => error,
                },
                Err(error) => error,
            };
            if error.code() == Some(ErrorCode::CONCURRENT_TRANSACTIONS) && attempts.has_time() {
                tokio::time::sleep(CONCURRENT_WAIT).await;
            } else {
                attempts.after(error, &[]).await?;
            }
        }
    }

    fn judge(&self, code: ErrorCode) -> Result<()> {
        match code {
            ErrorCode::NONE => Ok(()),
            ErrorCode::PRODUCER_FENCED | ErrorCode::INVALID_PRODUCER_EPOCH => {
                Err(Error::Fenced(self.id.as_str().into()))
            }
            code => Err(Error::broker(code, format!("the transactions of {}", self.id), None)),
        }
    }
}

fn is_second(versions: &BrokerVersions) -> bool {
    versions.feature(FEATURE) >= Some(SECOND_LEVEL)
        && versions.of(ApiKey::EndTxn).last >= END_SECOND
        && versions.of(ApiKey::TxnOffsetCommit).last >= COMMIT_SECOND
        && versions.of(ApiKey::Produce).last >= PRODUCE_SECOND
}

fn first_refusal(response: &AddPartitionsToTxnResponse) -> ErrorCode {
    let partitions =
        response.results_by_topic_v3_and_below.iter().flat_map(|topic| &topic.results_by_partition);
    let codes = partitions.map(|partition| partition.partition_error_code);
    // What was not tried, because another was refused, is not the reason.
    let refused = codes.filter(|code| *code != ErrorCode::NONE);
    let mut refused: Vec<ErrorCode> = refused.collect();
    refused.sort_by_key(|code| *code == ErrorCode::OPERATION_NOT_ATTEMPTED);
    refused.first().copied().unwrap_or(ErrorCode::NONE)
}
