//! Which sessions are remembered, and which one has to go for another: Kafka's rule.
//!
//! The one that was used last so long ago that it counts as stale goes first. Otherwise the least valuable one goes
//! if the new one is worth more: a follower's is worth more than a client's, and a large one more than a small one.
//! A session has some time before a client's may drive it out, and a client's has none before a follower's.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use strandline_log::random::Random;

use super::session::Session;

/// How much is remembered.
#[derive(Clone, Copy, Debug)]
pub struct FetchSessionOptions {
    /// So many sessions.
    pub sessions_max: usize,
    /// So many partitions in all of them.
    pub partitions_max: usize,
    /// One that was not used for so long is stale, and one that is so old has had its time.
    pub evictable_after: Duration,
}

impl Default for FetchSessionOptions {
    fn default() -> Self {
        Self { sessions_max: 1_000, partitions_max: 1_000_000, evictable_after: Duration::from_secs(120) }
    }
}

/// What a session is worth: whether it is a follower's, how many partitions it has, and its number.
type Worth = (bool, usize, i32);

#[derive(Debug)]
struct Entry {
    session: Arc<Mutex<Session>>,
    is_follower: bool,
    size: usize,
    created_at: Duration,
    used_at: Duration,
}

/// The sessions that are remembered.
#[derive(Debug)]
pub(super) struct Cache {
    options: FetchSessionOptions,
    random: Random,
    entries: HashMap<i32, Entry>,
    by_use: BTreeSet<(Duration, i32)>,
    evictable_by_all: BTreeSet<Worth>,
    evictable_by_followers: BTreeSet<Worth>,
    partitions: usize,
}

impl Cache {
    pub(super) fn new(options: FetchSessionOptions, random: Random) -> Self {
        Self {
            options,
            random,
            entries: HashMap::new(),
            by_use: BTreeSet::new(),
            evictable_by_all: BTreeSet::new(),
            evictable_by_followers: BTreeSet::new(),
            partitions: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn get(&self, id: i32) -> Option<Arc<Mutex<Session>>> {
        self.entries.get(&id).map(|entry| Arc::clone(&entry.session))
    }

    /// Remembers a session, if another one can go for it where there is no room; gives its number.
    pub(super) fn add(&mut self, session: Session, is_follower: bool, now: Duration) -> Option<i32> {
        let size = session.len();
        if size > self.options.partitions_max {
            return None;
        }
        let has_room = |cache: &Self| {
            cache.entries.len() < cache.options.sessions_max
                && cache.partitions + size <= cache.options.partitions_max
        };
        while !has_room(self) {
            if !self.evict((is_follower, size, 0), now) {
                return None;
            }
        }
        let id = self.new_id();
        let session = Arc::new(Mutex::new(session));
        let entry = Entry { session, is_follower, size, created_at: now, used_at: now };
        self.entries.insert(id, entry);
        self.partitions += size;
        self.by_use.insert((now, id));
        self.note_evictable(id, now);
        Some(id)
    }

    fn new_id(&mut self) -> i32 {
        loop {
            let mut bytes = [0; 4];
            self.random.fill(&mut bytes);
            let id = i32::from_le_bytes(bytes) & i32::MAX;
            if id > 0 && !self.entries.contains_key(&id) {
                return id;
            }
        }
    }

    /// Lets a session go.
    pub(super) fn remove(&mut self, id: i32) -> bool {
        let Some(entry) = self.entries.remove(&id) else { return false };
        self.by_use.remove(&(entry.used_at, id));
        let worth = (entry.is_follower, entry.size, id);
        self.evictable_by_all.remove(&worth);
        self.evictable_by_followers.remove(&worth);
        self.partitions -= entry.size;
        true
    }

    /// Notes that a session is used, and how large it is now. One that takes more than there is goes.
    pub(super) fn touch(&mut self, id: i32, size: usize, now: Duration) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        self.by_use.remove(&(entry.used_at, id));
        let worth = (entry.is_follower, entry.size, id);
        self.evictable_by_all.remove(&worth);
        self.evictable_by_followers.remove(&worth);
        self.partitions = self.partitions - entry.size + size;
        (entry.used_at, entry.size) = (now, size);
        self.by_use.insert((now, id));
        self.note_evictable(id, now);
        if self.partitions > self.options.partitions_max {
            log_evicted(id, size, "all sessions together have more partitions than are remembered");
            self.remove(id);
        }
    }

    fn note_evictable(&mut self, id: i32, now: Duration) {
        let Some(entry) = self.entries.get(&id) else { return };
        let worth = (entry.is_follower, entry.size, id);
        let has_had_its_time = now.saturating_sub(entry.created_at) > self.options.evictable_after;
        if !entry.is_follower || has_had_its_time {
            self.evictable_by_followers.insert(worth);
        }
        if has_had_its_time {
            self.evictable_by_all.insert(worth);
        }
    }

    /// Lets a session go for one that is worth so much; false if none has to.
    fn evict(&mut self, worth: Worth, now: Duration) -> bool {
        let Some(&(used_at, oldest)) = self.by_use.first() else { return false };
        if now.saturating_sub(used_at) > self.options.evictable_after {
            let partitions = self.entries.get(&oldest).map_or(0, |entry| entry.size);
            log_evicted(oldest, partitions, "another one needs its room, and nobody has used it for long");
            return self.remove(oldest);
        }
        let evictable = if worth.0 { &self.evictable_by_followers } else { &self.evictable_by_all };
        match evictable.first() {
            Some(least) if *least <= worth => {
                let (_, partitions, id) = *least;
                log_evicted(id, partitions, "one that is worth more needs its room");
                self.remove(id)
            }
            _ => false,
        }
    }
}

/// Its client is told with its next fetch, and begins anew.
fn log_evicted(session: i32, partitions: usize, reason: &'static str) {
    tracing::debug!(session, partitions, reason, "a fetch session is forgotten");
}
