//! Random lives of a group: members join, are paused, die, leave and commit, come back under other ids and take over the
//! names of others, the process crashes, clocks are set. What must hold is checked after each step; and planted mistakes show that it would be noticed.

mod checks;
mod names;
mod plants;

use std::collections::BTreeMap;

use strandline_protocol::apis::join_group::JoinGroupResponse;
use strandline_protocol::{Bytes, ErrorCode, Text};

use super::super::classic::{ClassicGroup, State};
use super::super::{Group, Reply};
use super::driver::{Driver, Entry, joining, leaving, settings};
use crate::coordinator::Ticket;

use names::place_of;
use plants::{PLANTS, Plant};

const GROUP: &str = "g";
const CLIENTS: usize = 5;
const PARTITIONS: i32 = 7;

/// Numbers that follow from a seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % (bound as u64)).unwrap()
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}

/// Where a client thinks that it is.
#[derive(Clone, Debug, Default)]
enum Client {
    #[default]
    Out,
    HasId(Text),
    Joining(Text, Ticket),
    Joined(JoinGroupResponse),
    Syncing(JoinGroupResponse, Ticket),
    In(JoinGroupResponse, Vec<i32>),
}

struct Life {
    driver: Driver,
    numbers: Numbers,
    plant: Plant,
    clients: Vec<Client>,
    /// What was committed last, as those know it who were answered.
    committed: BTreeMap<i32, i64>,
    /// What each open transaction would commit, with the moment of each, and that of the last plain commits.
    pending: BTreeMap<i64, BTreeMap<i32, (i64, usize)>>,
    committed_at: BTreeMap<i32, usize>,
    /// What the leader of each generation said, by members' places.
    assigned: BTreeMap<i32, BTreeMap<Text, Vec<i32>>>,
    /// The leaders of generations, by their places.
    generations: BTreeMap<i32, Text>,
    /// Members as they were before they joined again: what they sent then may come late.
    late: Vec<(Text, i32, i32)>,
    step: usize,
}

type Checked = Result<(), String>;

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(what()) }
}

fn written(partitions: &[i32]) -> Text {
    let words: Vec<_> = partitions.iter().map(ToString::to_string).collect();
    Text::from(words.join(","))
}

fn read(assignment: &Bytes) -> Vec<i32> {
    let text = std::str::from_utf8(assignment).unwrap();
    text.split(',').filter(|word| !word.is_empty()).map(|word| word.parse().unwrap()).collect()
}

impl Life {
    fn new(seed: u64, plant: Plant) -> Self {
        Self {
            driver: Driver::new(settings(), &["t"]),
            numbers: Numbers(seed),
            plant,
            clients: vec![Client::Out; CLIENTS],
            committed: BTreeMap::new(),
            pending: BTreeMap::new(),
            committed_at: BTreeMap::new(),
            assigned: BTreeMap::new(),
            generations: BTreeMap::new(),
            late: Vec::new(),
            step: 0,
        }
    }

    fn run(mut self, steps: usize) -> Checked {
        for step in 0..steps {
            self.step = step;
            let at = self.numbers.below(CLIENTS);
            match self.numbers.below(20) {
                0..=10 => self.advance(at)?,
                11 | 12 => self.commit(at)?,
                13 | 14 => self.transaction(),
                15 if self.numbers.one_in(2) => self.leave(at),
                15 => self.clients[at] = Client::Out,
                16 | 17 => {
                    let ms = [1, 500, 4_000, 12_000][self.numbers.below(4)];
                    self.driver.pass_ms(ms);
                }
                18 if self.numbers.one_in(3) => self.crash()?,
                18 => self.driver.now_ms += [-3_600_000, 3_600_000][self.numbers.below(2)],
                _ => self.heartbeat(at),
            }
            self.check()?;
        }
        self.settle()
    }

    /// A client does what comes next.
    fn advance(&mut self, at: usize) -> Checked {
        let client = std::mem::take(&mut self.clients[at]);
        self.clients[at] = match client {
            Client::Out if names::NAMES[at].is_none() => {
                let ticket = self.driver.join(joining(GROUP, ""));
                Client::HasId(self.driver.joined(ticket).member_id)
            }
            Client::Out => self.join(at, Text::new()),
            Client::HasId(id) => self.join(at, id),
            Client::Joining(id, ticket) => match self.driver.take(ticket) {
                Some(Reply::JoinGroup(response)) => self.joined(response)?,
                _ => Client::Joining(id, ticket),
            },
            Client::Joined(joined) => self.sync(joined),
            Client::Syncing(joined, ticket) => match self.driver.take(ticket) {
                Some(Reply::SyncGroup(response)) if response.error_code == ErrorCode::NONE => {
                    self.synced(joined, &response.assignment)?
                }
                Some(_) => Client::HasId(joined.member_id),
                None => Client::Syncing(joined, ticket),
            },
            Client::In(joined, mine) if self.numbers.one_in(3) => {
                let partition = mine.first().copied().unwrap_or(0);
                self.late.push((joined.member_id.clone(), joined.generation_id, partition));
                Client::HasId(joined.member_id)
            }
            inside => inside,
        };
        Ok(())
    }

    fn joined(&mut self, mut response: JoinGroupResponse) -> Result<Client, String> {
        if response.error_code != ErrorCode::NONE {
            return Ok(match response.error_code {
                ErrorCode::UNKNOWN_MEMBER_ID | ErrorCode::FENCED_INSTANCE_ID => Client::Out,
                _ => Client::HasId(response.member_id),
            });
        }
        if self.plant == Plant::GenerationRepeats && response.generation_id > 1 {
            response.generation_id = 1;
        }
        let leads = place_of(&response.leader);
        let leader = self.generations.entry(response.generation_id).or_insert_with(|| leads.clone());
        ensure(*leader == leads, || format!("generation {} has two leaders", response.generation_id))?;
        Ok(Client::Joined(response))
    }

    fn sync(&mut self, joined: JoinGroupResponse) -> Client {
        let mut parts: BTreeMap<Text, Vec<i32>> = BTreeMap::new();
        for (partition, member) in (0..PARTITIONS).zip(joined.members.iter().cycle()) {
            parts.entry(member.member_id.clone()).or_default().push(partition);
        }
        if self.plant == Plant::AssignedTwice && parts.len() > 1 {
            parts.values_mut().for_each(|part| part.push(0));
        }
        let said: Vec<_> = parts.iter().map(|(id, part)| (id.clone(), written(part))).collect();
        let leads = joined.leader == joined.member_id;
        let was_completing = self.state() == Some(State::CompletingRebalance);
        let ticket = self.driver.sync(GROUP, &joined, &said);
        if leads && was_completing && self.state() == Some(State::Stable) {
            let by_place = parts.into_iter().map(|(id, part)| (place_of(&id), part));
            self.assigned.insert(joined.generation_id, by_place.collect());
        }
        Client::Syncing(joined, ticket)
    }

    fn synced(&mut self, joined: JoinGroupResponse, assignment: &Bytes) -> Result<Client, String> {
        let mut mine = read(assignment);
        let said = self.assigned.get(&joined.generation_id).cloned().unwrap_or_default();
        let place = place_of(&joined.member_id);
        if self.plant == Plant::AnswersSwapped
            && let Some(other) = said.iter().find(|(other, _)| **other != place)
        {
            mine.clone_from(other.1);
        }
        ensure(said.get(&place).cloned().unwrap_or_default() == mine, || {
            format!("{} got {mine:?} of {said:?}", joined.member_id)
        })?;
        Ok(Client::In(joined, mine))
    }

    fn state(&self) -> Option<State> {
        self.classic().map(ClassicGroup::state)
    }

    fn classic(&self) -> Option<&ClassicGroup> {
        match self.driver.groups.group(GROUP)? {
            Group::Classic(group) => Some(group),
            Group::Consumer(_) => None,
        }
    }

    fn heartbeat(&mut self, at: usize) {
        if let Client::In(joined, _) = self.clients[at].clone() {
            let code = self.say_it_lives(at, &joined);
            self.clients[at] = match code {
                ErrorCode::NONE => return,
                ErrorCode::UNKNOWN_MEMBER_ID | ErrorCode::FENCED_INSTANCE_ID => Client::Out,
                _ => Client::HasId(joined.member_id),
            };
        }
    }

    fn leave(&mut self, at: usize) {
        if let Client::In(joined, _) = self.clients[at].clone() {
            self.driver.leave(GROUP, vec![leaving(&joined.member_id)]);
            self.clients[at] = Client::Out;
        }
    }

    fn commit(&mut self, at: usize) -> Checked {
        let late = match self.late.len() {
            count if count > 0 && self.numbers.one_in(3) => {
                Some(self.late[self.numbers.below(count)].clone())
            }
            _ => None,
        };
        let (id, generation, partition) = match (late, &self.clients[at]) {
            (Some(late), _) => late,
            (None, Client::In(joined, mine)) if !mine.is_empty() => {
                (joined.member_id.clone(), joined.generation_id, mine[0])
            }
            _ => return Ok(()),
        };
        let offset = i64::try_from(self.step).unwrap();
        let newest = self.classic().map_or(0, ClassicGroup::generation);
        let said = match self.plant {
            Plant::OldGenerationCommits => newest,
            _ => generation,
        };
        let before = self.driver.log.len();
        let heard_as = if self.plant == Plant::ReplacedCommits { self.holder_of(&id) } else { id.clone() };
        let code = self.driver.commit(GROUP, (&heard_as, said), ("t", partition), offset);
        if code != ErrorCode::NONE {
            return Ok(());
        }
        ensure(self.is_member(&id), || format!("{id} committed, and is no member"))?;
        ensure(newest == generation, || format!("generation {generation} committed in generation {newest}"))?;
        if self.plant == Plant::CommitIgnored && self.numbers.one_in(4) {
            self.driver.log.truncate(before);
            self.driver.groups = self.driver.replayed(before);
        }
        self.committed.insert(partition, offset);
        self.committed_at.insert(partition, self.step);
        Ok(())
    }

    /// A producer commits in a transaction, or ends one.
    fn transaction(&mut self) {
        let producer = i64::try_from(self.numbers.below(3)).unwrap();
        if self.numbers.one_in(2) {
            let partition = i32::try_from(self.numbers.below(3)).unwrap();
            let offset = i64::try_from(self.step).unwrap();
            let place = ("t", partition);
            if self.driver.commit_in_transaction(producer, GROUP, ("", -1), place, offset) == ErrorCode::NONE
            {
                self.pending.entry(producer).or_default().insert(partition, (offset, self.step));
            }
            return;
        }
        let is_commit = self.numbers.one_in(2);
        self.driver.end(producer, is_commit || self.plant == Plant::AbortCounts);
        if self.plant == Plant::MarkerLost {
            self.driver.log.pop();
        }
        for (partition, (offset, step)) in self.pending.remove(&producer).unwrap_or_default() {
            let known = self.committed_at.get(&partition).copied();
            if is_commit && (known.is_none_or(|known| known < step) || self.plant == Plant::OffsetGoesBack) {
                self.committed.insert(partition, offset);
                self.committed_at.insert(partition, step);
            }
        }
    }

    fn crash(&mut self) -> Checked {
        if self.plant == Plant::RecordLost {
            let kept = self.driver.log.iter().rposition(|entry| matches!(entry, Entry::Record(..)));
            kept.map(|place| self.driver.log.remove(place));
        }
        if self.plant == Plant::AssignmentForgotten {
            self.assigned.values_mut().for_each(|parts| parts.values_mut().for_each(Vec::clear));
        }
        self.driver.restart();
        // A generation that nobody was assigned anything in was in memory alone: its number comes again, as with Kafka.
        let kept = self.classic().map_or(0, ClassicGroup::generation);
        self.generations.retain(|generation, _| *generation <= kept);
        for client in &mut self.clients {
            *client = match std::mem::take(client) {
                Client::Joining(id, _) => Client::HasId(id),
                Client::Syncing(joined, _) => Client::HasId(joined.member_id),
                other => other,
            };
        }
        self.check_assigned()
    }
}

#[test]
fn whatever_happens_there_is_one_generation_and_nothing_is_lost() {
    for seed in 0..60 {
        if let Err(what) = Life::new(seed, Plant::None).run(200) {
            panic!("seed {seed}: {what}");
        }
    }
}

#[test]
fn planted_mistakes_are_found() {
    for plant in PLANTS {
        let found = (0..1_000).find_map(|seed| Life::new(seed, plant).run(200).err());
        assert!(found.is_some(), "{plant:?} is not noticed");
    }
}

#[test]
fn a_seed_is_the_same_life_each_time() {
    let run = |seed| {
        let mut life = Life::new(seed, Plant::None);
        for step in 0..100 {
            life.step = step;
            let at = life.numbers.below(CLIENTS);
            life.advance(at).unwrap();
        }
        format!("{:?}", life.driver.groups.offsets())
    };
    assert_eq!(run(3), run(3));
}
