//! Groups of every kind, and the offsets that they committed: one partition of `__consumer_offsets` as a machine.
//!
//! All kinds share one namespace, so there is one typed map ([`Groups`]) and one enum of what a group can be
//! ([`Group`]): a request for one kind that meets another gets Kafka's error for that. [`classic`] has the groups in
//! which a member assigns, [`offsets`] what groups committed, pending transactions included. Another kind is a module
//! of its own beside them, a variant of [`Group`], and variants of [`Request`], [`Reply`], [`Passing`] and [`Timer`].
//!
//! Records are Kafka's (`strandline_protocol::group_log`). Nothing here knows of connections, versions or rights:
//! whoever asks has been authorised, and the topics that may not be touched have been taken out.

pub mod assignors;
pub mod classic;
mod command;
pub mod consumer;
mod decide;
mod event;
mod evolve;
mod group;
pub mod offsets;
pub mod partitions;
mod record;
mod settings;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use strandline_protocol::{ErrorCode, Text, Uuid};

pub use self::command::{Ask, Caller, Command, Passing, Reply, Request, Sight, Sign, Timer};
pub use self::event::{Event, Kind, Missed};
pub use self::group::Group;
pub use self::record::GroupRecord;
pub use self::settings::GroupSettings;

use self::classic::ClassicGroup;
use self::offsets::Offsets;
use crate::coordinator::{self, Heeded, Machine, Origin, TransactionEnd};
use crate::metadata::MetadataImage;

/// What a command to a partition's groups comes to.
pub type Decision = coordinator::Decision<Groups>;

/// The groups of one partition of the internal topic.
#[derive(Debug)]
pub struct Groups {
    /// Of no order: one is looked up at each sign of life.
    groups: HashMap<Text, Group>,
    offsets: Offsets,
    settings: Arc<GroupSettings>,
    /// The cluster as the last command about it had it.
    image: Arc<MetadataImage>,
    /// Topics that are gone, and some of whose offsets may still be here.
    gone: BTreeSet<(Text, Uuid)>,
}

impl Groups {
    /// No groups yet.
    pub fn new(settings: Arc<GroupSettings>, image: Arc<MetadataImage>) -> Self {
        Self { groups: HashMap::new(), offsets: Offsets::default(), settings, image, gone: BTreeSet::new() }
    }

    /// The group of this id, of whatever kind.
    pub fn group(&self, id: &str) -> Option<&Group> {
        self.groups.get(id)
    }

    /// The classic group of this id.
    ///
    /// # Errors
    /// What a member is told that thinks it is in one.
    fn classic(&self, id: &str) -> Result<&ClassicGroup, ErrorCode> {
        match self.groups.get(id) {
            Some(Group::Classic(group)) => Ok(group),
            Some(Group::Consumer(_)) | None => Err(ErrorCode::UNKNOWN_MEMBER_ID),
        }
    }

    /// All groups, by rising id.
    pub fn groups(&self) -> impl Iterator<Item = (&Text, &Group)> {
        let mut groups: Vec<_> = self.groups.iter().collect();
        groups.sort_unstable_by_key(|(id, _)| *id);
        groups.into_iter()
    }

    /// What groups committed.
    pub fn offsets(&self) -> &Offsets {
        &self.offsets
    }

    /// What is in force.
    pub fn settings(&self) -> &Arc<GroupSettings> {
        &self.settings
    }

    /// The cluster.
    pub fn image(&self) -> &Arc<MetadataImage> {
        &self.image
    }
}

impl Machine for Groups {
    type Command = Command;
    type Record = GroupRecord;
    type Passing = Passing;
    type Reply = Reply;
    type Timer = Timer;
    type Event = Event;
    type Sign<'a> = Sign<'a>;

    /// A commit in a transaction is held against its group alone, which no other commit and no end of a transaction
    /// changes.
    fn is_of_transaction(command: &Command) -> bool {
        matches!(command, Command::Ask(ask) if matches!(ask.request, Request::TxnOffsetCommit(_)))
    }

    fn decide(&self, now_ms: i64, command: Command) -> Decision {
        decide::decide(self, now_ms, command)
    }

    fn heed(&mut self, now: Duration, now_ms: i64, sign: Sign<'_>) -> Option<Heeded<Self>> {
        decide::heed(self, now, now_ms, sign)
    }

    fn put_off(&self, timer: &Timer) -> Option<Duration> {
        let Timer::Session { group, member } = timer else { return None };
        self.classic(group).ok()?.heard_session_end(member)
    }

    fn due(timer: Timer) -> Command {
        Command::Due(timer)
    }

    fn evolve(&mut self, offset: i64, origin: Origin, record: GroupRecord) {
        evolve::evolve(self, offset, origin, record);
    }

    fn end_transaction(&mut self, _: i64, end: TransactionEnd) {
        self.offsets.end_transaction(end);
    }

    fn pass(&mut self, passing: Passing) {
        match passing {
            Passing::Classic(id, Some(group)) => drop(self.groups.insert(id, Group::Classic(group))),
            Passing::Classic(id, None) => drop(self.groups.remove(&id)),
            Passing::ClassicWaits(id, waits) => {
                if let Some(Group::Classic(group)) = self.groups.get_mut(&id) {
                    Arc::make_mut(group).take_in(waits);
                }
            }
            Passing::Consumer(passing) => consumer::pass(self, &passing),
            Passing::Settings(settings) => self.settings = settings,
            Passing::Metadata(image) => self.image = image,
            Passing::TopicsGone(topics) => self.gone.extend(topics),
            Passing::TopicsSeenTo => self.gone.clear(),
        }
    }

    fn loaded(&self, now_ms: i64) -> Decision {
        decide::loaded(self, now_ms)
    }
}

#[cfg(test)]
mod tests;
