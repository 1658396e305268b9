//! Fetch sessions (KIP-227): a client names its partitions once, and from then on only what changes; the broker
//! answers with those that have news.
//!
//! Owns what is remembered from one fetch to the next. It reads no log.

mod cache;
mod session;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strandline_log::random::Random;
use strandline_protocol::ErrorCode;
use strandline_protocol::apis::fetch::FetchRequest;

pub use self::cache::FetchSessionOptions;
pub(super) use self::session::{Session, Told};

use self::cache::Cache;
use self::session::{INITIAL_EPOCH, next_epoch};
use super::wanted::{TopicKey, Wanted, WantedPartition};

/// The epoch of a fetch that wants no session.
const FINAL_EPOCH: i32 = -1;

/// From this version on topics are named by id.
const TOPIC_IDS_VERSION_MIN: i16 = 13;

/// The sessions of this broker.
#[derive(Debug)]
pub struct FetchSessions(Mutex<Cache>);

/// What a fetch is in its session.
#[derive(Debug)]
pub(super) enum Context {
    /// It names all that it wants, and is answered in full.
    Full {
        /// Whether a session begins with it.
        opens: bool,
        is_follower: bool,
        uses_topic_ids: bool,
    },
    /// It goes on with a session.
    Incremental { id: i32, session: Arc<Mutex<Session>>, next_epoch: i32 },
}

/// What a partition of an answer is about, and what is said.
pub(super) type Answered<'a> = (&'a TopicKey, WantedPartition, Told);

fn lock(session: &Mutex<Session>) -> MutexGuard<'_, Session> {
    session.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FetchSessions {
    /// No sessions yet; their numbers are drawn from `random`.
    pub fn new(options: FetchSessionOptions, random: Random) -> Self {
        Self(Mutex::new(Cache::new(options, random)))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.cache().len()
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a request in, and says what is wanted by it.
    pub(super) fn begin(
        &self,
        request: &FetchRequest,
        version: i16,
        is_follower: bool,
        now: Duration,
    ) -> Result<(Context, Wanted), ErrorCode> {
        let uses_topic_ids = version >= TOPIC_IDS_VERSION_MIN;
        let (id, epoch) = (request.session_id, request.session_epoch);
        if epoch == INITIAL_EPOCH || epoch == FINAL_EPOCH {
            if id != 0 {
                self.cache().remove(id);
            }
            let opens = epoch == INITIAL_EPOCH;
            return Ok((Context::Full { opens, is_follower, uses_topic_ids }, Wanted::of_request(request)));
        }
        let session = self.cache().get(id).ok_or(ErrorCode::FETCH_SESSION_ID_NOT_FOUND)?;
        let (size, wanted) = {
            let mut session = lock(&session);
            if session.epoch != epoch {
                return Err(ErrorCode::INVALID_FETCH_SESSION_EPOCH);
            }
            if session.uses_topic_ids != uses_topic_ids {
                return Err(ErrorCode::FETCH_SESSION_TOPIC_ID_ERROR);
            }
            session.update(request);
            session.epoch = next_epoch(epoch);
            (session.len(), session.wanted())
        };
        if size == 0 {
            self.cache().remove(id);
            return Ok((Context::Full { opens: false, is_follower, uses_topic_ids }, wanted));
        }
        self.cache().touch(id, size, now);
        Ok((Context::Incremental { id, session, next_epoch: next_epoch(epoch) }, wanted))
    }

    /// Notes what a request is answered with, and says which of its partitions are, in their order. Gives the number
    /// of the session that the client can go on with.
    pub(super) fn finish<'a>(
        &self,
        context: &Context,
        answered: impl IntoIterator<Item = Answered<'a>>,
        mut is_told: impl FnMut(bool),
        now: Duration,
    ) -> Result<i32, ErrorCode> {
        match context {
            Context::Full { opens: false, .. } => {
                answered.into_iter().for_each(|_| is_told(true));
                Ok(0)
            }
            Context::Full { opens: true, is_follower, uses_topic_ids } => {
                let mut session = Session::new(*uses_topic_ids);
                for (topic, wanted, told) in answered {
                    let place = session.put(topic, wanted);
                    session.tell(place, Told { has_records: false, ..told });
                    is_told(true);
                }
                Ok(self.cache().add(session, *is_follower, now).unwrap_or(0))
            }
            Context::Incremental { id, session, next_epoch } => {
                let mut session = lock(session);
                if session.epoch != *next_epoch {
                    return Err(ErrorCode::INVALID_FETCH_SESSION_EPOCH);
                }
                for (_, wanted, told) in answered {
                    is_told(session.tell(wanted.place, told));
                }
                session.close_holes();
                Ok(*id)
            }
        }
    }
}

#[cfg(test)]
mod tests;
