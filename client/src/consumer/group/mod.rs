//! Groups. By the classic protocol members agree, through a coordinator, on who reads what; by the consumer protocol the
//! coordinator decides it.
//!
//! [`task`] (the classic one) and [`modern`] speak with the coordinator, and tell the consumer what it is to read and to let go of; the consumer does
//! so when its user comes for the next record, so that nothing is taken from under the hands of who is at work.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strandline_protocol::{ErrorCode, Text};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::error::{Error, Result};

mod assign;
mod commit;
mod config;
mod exchange;
mod line;
mod modern;
mod offsets;
mod progress;
mod task;
mod user_data;

pub use assign::Assignor;
pub(super) use assign::Key;
pub(super) use commit::{Dirty, commit};
pub use config::GroupProtocol;
pub use offsets::GroupOffsets;
use progress::Lookup;
pub(super) use progress::{Progress, progress};
pub(super) use task::Task;

/// What is to be done when partitions come and go. Each of these is awaited before the group goes on, within
/// [`Consumer::next`](crate::Consumer::next) or `poll`; one that is dropped there is called again with the next call.
///
/// ```
/// use std::pin::Pin;
/// use strandline_client::RebalanceListener;
///
/// struct Told;
///
/// impl RebalanceListener for Told {
///     fn revoked<'a>(&'a mut self, partitions: &'a [(String, i32)]) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
///         Box::pin(async move { println!("letting go of {partitions:?}") })
///     }
/// }
/// ```
pub trait RebalanceListener: Send + Sync {
    /// These have been assigned, and nothing of them has been read yet.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use std::collections::BTreeSet;
    /// use std::pin::Pin;
    /// use strandline_client::RebalanceListener;
    ///
    /// /// The partitions that a program keeps a cache for.
    /// #[derive(Default)]
    /// struct Caches(BTreeSet<i32>);
    ///
    /// impl RebalanceListener for Caches {
    ///     fn assigned<'a>(&'a mut self, partitions: &'a [(String, i32)]) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
    ///         self.0.extend(partitions.iter().map(|(_topic, partition)| partition));
    ///         Box::pin(async move { println!("warm {partitions:?} up here, and await it") })
    ///     }
    /// }
    ///
    /// let mut caches = Caches::default();
    /// caches.assigned(&[("orders".to_owned(), 3)]).await;
    /// assert!(caches.0.contains(&3));
    /// # });
    /// ```
    fn assigned<'a>(
        &'a mut self,
        partitions: &'a [(String, i32)],
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        let _ = partitions;
        Box::pin(std::future::ready(()))
    }

    /// These are let go of, once this is done. What was read of them has been committed, if that is automatic.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use std::collections::BTreeSet;
    /// use std::pin::Pin;
    /// use strandline_client::RebalanceListener;
    ///
    /// struct Caches(BTreeSet<i32>);
    ///
    /// impl RebalanceListener for Caches {
    ///     fn revoked<'a>(&'a mut self, partitions: &'a [(String, i32)]) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
    ///         self.0.retain(|kept| partitions.iter().all(|(_topic, partition)| partition != kept));
    ///         Box::pin(async move { println!("write what is left of {partitions:?} down here, and await it") })
    ///     }
    /// }
    ///
    /// let mut caches = Caches(BTreeSet::from([3, 4]));
    /// caches.revoked(&[("orders".to_owned(), 3)]).await;
    /// assert_eq!(caches.0, BTreeSet::from([4]));
    /// # });
    /// ```
    fn revoked<'a>(
        &'a mut self,
        partitions: &'a [(String, i32)],
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        let _ = partitions;
        Box::pin(std::future::ready(()))
    }

    /// These have been lost: somebody else may read them already, and nothing can be committed any more. Unless it is
    /// said otherwise, that is the same as letting go of them.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use std::pin::Pin;
    /// use strandline_client::RebalanceListener;
    ///
    /// #[derive(Default)]
    /// struct Diary(Vec<String>);
    ///
    /// impl RebalanceListener for Diary {
    ///     fn lost<'a>(&'a mut self, partitions: &'a [(String, i32)]) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
    ///         self.0.push(format!("nothing that was done for {partitions:?} since the last commit counts"));
    ///         Box::pin(std::future::ready(()))
    ///     }
    /// }
    ///
    /// let mut diary = Diary::default();
    /// diary.lost(&[("orders".to_owned(), 3)]).await;
    /// assert_eq!(diary.0.len(), 1);
    /// # });
    /// ```
    fn lost<'a>(
        &'a mut self,
        partitions: &'a [(String, i32)],
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        self.revoked(partitions)
    }
}

#[derive(Clone, Debug)]
pub(super) struct GroupSettings {
    pub(super) name: String,
    pub(super) instance: Option<String>,
    pub(super) protocol: GroupProtocol,
    pub(super) assignors: Vec<Assignor>,
    pub(super) server_assignor: Option<String>,
    pub(super) rack: Option<String>,
    pub(super) session_timeout: Duration,
    pub(super) heartbeat_interval: Duration,
    pub(super) poll_interval_max: Duration,
    pub(super) auto_commit: Option<Duration>,
}

impl GroupSettings {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            instance: None,
            protocol: GroupProtocol::Classic,
            server_assignor: None,
            rack: None,
            assignors: vec![Assignor::Range, Assignor::CooperativeSticky],
            session_timeout: Duration::from_secs(45),
            heartbeat_interval: Duration::from_secs(3),
            poll_interval_max: Duration::from_secs(300),
            auto_commit: Some(Duration::from_secs(5)),
        }
    }

    /// Members go on reading through a rebalance only if every rule that they offer allows it.
    fn is_cooperative(&self) -> bool {
        self.assignors.iter().all(|assignor| assignor.is_cooperative())
    }
}

/// What a member wants to read.
#[derive(Clone, Debug)]
pub(super) enum Subscription {
    Topics(Vec<Text>),
    Pattern(Text),
}

/// Who one is to the coordinator.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) member: Text,
    pub(super) generation: i32,
}

/// What a consumer and its membership share.
pub(super) struct GroupShared {
    pub(super) settings: GroupSettings,
    identity: Mutex<Identity>,
    polled_at: Mutex<Instant>,
    is_polling: AtomicBool,
}

impl GroupShared {
    fn new(settings: GroupSettings) -> Self {
        Self {
            settings,
            identity: Mutex::new(Identity { member: Text::new(), generation: -1 }),
            polled_at: Mutex::new(Instant::now()),
            is_polling: AtomicBool::new(false),
        }
    }

    pub(super) fn identity(&self) -> MutexGuard<'_, Identity> {
        self.identity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who it is in the group at the moment. Whoever is nobody there commits nothing: an empty group would take it from
    /// anyone.
    pub(super) fn current_identity(&self) -> Result<Identity> {
        let identity = self.identity().clone();
        if identity.generation < 0 {
            let subject = format!("group {}", self.settings.name);
            return Err(Error::broker(ErrorCode::UNKNOWN_MEMBER_ID, subject, None));
        }
        Ok(identity)
    }

    fn is_idle(&self) -> bool {
        let polled_at = *self.polled_at.lock().unwrap_or_else(PoisonError::into_inner);
        !self.is_polling.load(Ordering::Acquire) && polled_at.elapsed() > self.settings.poll_interval_max
    }
}

/// As long as this lives, the user is waiting for records.
pub(super) struct Polling(Arc<GroupShared>);

impl Polling {
    pub(super) fn new(shared: Arc<GroupShared>) -> Self {
        shared.is_polling.store(true, Ordering::Release);
        Self(shared)
    }
}

impl Drop for Polling {
    fn drop(&mut self) {
        *self.0.polled_at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.0.is_polling.store(false, Ordering::Release);
    }
}

/// What the membership has to say to the consumer.
pub(super) enum Notice {
    /// With the question how far the group has read these: it goes when its notice goes, and answers for no other.
    Assigned {
        keys: Vec<Key>,
        lookup: Lookup,
    },
    /// To be answered once it has been done.
    Revoked {
        keys: Vec<Key>,
        is_lost: bool,
        done: Option<oneshot::Sender<()>>,
    },
    Failed(Error),
}

impl Notice {
    fn assigned(keys: Vec<Key>) -> Self {
        Self::Assigned { keys, lookup: Lookup::default() }
    }
}

/// A consumer's side of its membership.
pub(super) struct GroupSide {
    pub(super) shared: Arc<GroupShared>,
    pub(super) notices: mpsc::UnboundedReceiver<Notice>,
    /// What is being attended to: it stays here until it has been.
    pub(super) pending: Option<Notice>,
    pub(super) listener: Option<Box<dyn RebalanceListener>>,
    pub(super) dirty: Dirty,
    pub(super) commit_at: Instant,
    /// The membership ends when this goes.
    pub(super) stop: Option<oneshot::Sender<()>>,
    pub(super) ended: tokio::task::JoinHandle<()>,
}
