//! What is asked of groups and what they answer, of every kind.

use std::fmt;
use std::sync::Arc;

use strandline_protocol::apis::consumer_group_describe::DescribedGroup;
use strandline_protocol::apis::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
};
use strandline_protocol::apis::delete_groups::DeletableGroupResult;
use strandline_protocol::apis::describe_groups::DescribedGroup as DescribedClassicGroup;
use strandline_protocol::apis::heartbeat::HeartbeatRequest;
use strandline_protocol::apis::join_group::JoinGroupResponse;
use strandline_protocol::apis::leave_group::{LeaveGroupRequest, LeaveGroupResponse};
use strandline_protocol::apis::list_groups::ListedGroup;
use strandline_protocol::apis::offset_commit::{OffsetCommitRequest, OffsetCommitResponse};
use strandline_protocol::apis::offset_delete::{OffsetDeleteRequest, OffsetDeleteResponse};
use strandline_protocol::apis::offset_fetch::{OffsetFetchRequestGroup, OffsetFetchResponseGroup};
use strandline_protocol::apis::sync_group::{SyncGroupRequest, SyncGroupResponse};
use strandline_protocol::apis::txn_offset_commit::{TxnOffsetCommitRequest, TxnOffsetCommitResponse};
use strandline_protocol::{ErrorCode, Text, Uuid};

use super::classic::{ClassicGroup, Join, Waits};
use super::consumer;
use super::settings::GroupSettings;
use crate::coordinator::Ticket;
use crate::metadata::MetadataImage;

/// Which topics somebody may see, where a pattern finds them: all, or those of which this says so.
#[derive(Clone, Default)]
pub struct Sight(Option<Arc<MaySee>>);

type MaySee = dyn Fn(&str) -> bool + Send + Sync;

impl Sight {
    /// Of those of which this says so.
    pub fn of(may_see: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(may_see)))
    }

    pub(in crate::groups) fn reaches(&self, topic: &str) -> bool {
        self.0.as_ref().is_none_or(|may_see| may_see(topic))
    }
}

impl fmt::Debug for Sight {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_none() { "all topics" } else { "some topics" })
    }
}

/// Who asks: as members are described to people, and what it may see.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// What the client calls itself.
    pub client_id: Text,
    /// Where it is, as Kafka writes it: with a slash before the address.
    pub client_host: Text,
    /// The topics that it may see: its patterns find no others.
    pub sight: Sight,
}

/// A request, and who waits for its answer.
#[derive(Clone, Debug)]
pub struct Ask {
    /// What the answer is given for.
    pub ticket: Ticket,
    /// Who asks.
    pub caller: Caller,
    /// What.
    pub request: Request,
}

/// What is asked of the groups of a partition.
#[derive(Clone, Debug)]
pub enum Command {
    /// A request, to be answered.
    Ask(Box<Ask>),
    /// A timer went off.
    Due(Timer),
    /// The cluster is another one now.
    MetadataChanged {
        /// What it is.
        image: Arc<MetadataImage>,
        /// Topics that were created, grew or changed in some other way.
        changed: Vec<Uuid>,
        /// Topics that are gone, with the names that they had.
        deleted: Vec<(Uuid, Text)>,
    },
    /// Other settings are in force.
    SettingsChanged(Arc<GroupSettings>),
}

/// What clients ask. Each is about one group but for [`Request::ListGroups`].
#[derive(Clone, Debug)]
pub enum Request {
    /// A member joins a classic group.
    JoinGroup(Join),
    /// A member of a classic group wants its assignment.
    SyncGroup(SyncGroupRequest),
    /// A member of a classic group lives.
    Heartbeat(HeartbeatRequest),
    /// Members leave a group.
    LeaveGroup(LeaveGroupRequest),
    /// A group got so far.
    OffsetCommit {
        /// The request. Of topics that are named by their ids, the names are filled in.
        request: OffsetCommitRequest,
        /// Its version: what a missing group is called depends on it.
        version: i16,
    },
    /// A group got so far, if a transaction is committed.
    TxnOffsetCommit(TxnOffsetCommitRequest),
    /// How far a group got.
    OffsetFetch {
        /// The request. Of topics that are named by their ids, the names are filled in.
        request: OffsetFetchRequestGroup,
        /// Whether offsets that an open transaction may replace are refused.
        require_stable: bool,
    },
    /// Offsets of a group go.
    OffsetDelete(OffsetDeleteRequest),
    /// Which groups there are.
    ListGroups {
        /// In which states, in small letters; empty = all.
        states: Vec<Text>,
        /// Of which types, in small letters; empty = all.
        types: Vec<Text>,
    },
    /// What a classic group is.
    DescribeGroup(Text),
    /// A group goes.
    DeleteGroup(Text),
    /// A member of a consumer group joins, stays or leaves.
    ConsumerGroupHeartbeat {
        /// The request.
        request: ConsumerGroupHeartbeatRequest,
        /// Its version: from 1 on members choose their ids.
        version: i16,
        /// The id of a member that joins without one; nobody else has it.
        new_member_id: Text,
    },
    /// A consumer group is to be described.
    ConsumerGroupDescribe(Text),
}

/// What members say only to be known to live.
#[derive(Clone, Copy, Debug)]
pub enum Sign<'a> {
    /// A member of a classic group.
    Classic(&'a HeartbeatRequest),
    /// A member of a consumer group, and who asks.
    Consumer(&'a ConsumerGroupHeartbeatRequest, &'a Caller),
}

/// What clients are answered.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each is the answer to the request of its name")]
pub enum Reply {
    JoinGroup(JoinGroupResponse),
    SyncGroup(SyncGroupResponse),
    Heartbeat(ErrorCode),
    LeaveGroup(LeaveGroupResponse),
    OffsetCommit(OffsetCommitResponse),
    TxnOffsetCommit(TxnOffsetCommitResponse),
    OffsetFetch(OffsetFetchResponseGroup),
    OffsetDelete(OffsetDeleteResponse),
    ListGroups(Vec<ListedGroup>),
    DescribeGroup(DescribedClassicGroup),
    DeleteGroup(DeletableGroupResult),
    ConsumerGroupHeartbeat(ConsumerGroupHeartbeatResponse),
    ConsumerGroupDescribe(DescribedGroup),
}

/// What changes memory alone.
#[derive(Clone, Debug)]
pub enum Passing {
    /// A classic group is so now, with everyone who waits; none if it is no more.
    Classic(Text, Option<Arc<ClassicGroup>>),
    /// A member of a classic group is so now, and nothing else of the group has changed.
    ClassicWaits(Text, Waits),
    /// A consumer group, in what its records do not say.
    Consumer(consumer::Passing),
    /// Other settings are in force.
    Settings(Arc<GroupSettings>),
    /// The cluster is another one.
    Metadata(Arc<MetadataImage>),
    /// Topics are gone whose offsets are still here.
    TopicsGone(Vec<(Text, Uuid)>),
    /// All of them are being seen to.
    TopicsSeenTo,
}

/// What is to happen after a while.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Timer {
    /// A member was not heard of for too long, or was given an id and did not come again.
    Session {
        /// Its group.
        group: Text,
        /// The member.
        member: Text,
    },
    /// A rebalance has waited long enough for members to join.
    Join(Text),
    /// A rebalance has waited long enough for members to fetch their assignments.
    Sync(Text),
    /// It is time to look for offsets that nobody needs any more, and groups without any.
    Expire,
    /// There are more offsets of topics that are gone than one batch should take away.
    Sweep,
    /// Something about a consumer group.
    Consumer(consumer::Timer),
}
