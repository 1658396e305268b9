//! The book that is kept outside of the process that is killed: what it asked for, what it was told, and what
//! the directory may therefore hold.

mod account;

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use self::account::Account;
use crate::briefing::Briefing;
use crate::directory::Observed;
use crate::model::{Name, Operation, Placed};
use crate::report::{Line, Reason};
use crate::{Failure, Outcome};

/// What a crash takes with it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Crash {
    /// The process.
    Process,
    /// All that was not synced, too.
    Machine,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) acknowledged: u64,
    pub(crate) duplicates: u64,
    pub(crate) truncations: u64,
    pub(crate) deletions: u64,
    /// Operations whose end nobody heard of, and that were done.
    pub(crate) unheard_done: u64,
    /// And that were not.
    pub(crate) unheard_lost: u64,
    /// Of `async` logs, what was acknowledged and is gone with the machine.
    pub(crate) async_lost: u64,
    /// Records that compaction took.
    pub(crate) compacted: u64,
    pub(crate) records_verified: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { acknowledged, duplicates, truncations, deletions, .. } = self;
        let Self { unheard_done, unheard_lost, async_lost, compacted, records_verified, .. } = self;
        write!(formatter, "{acknowledged} acknowledgements ({duplicates} of duplicates, {truncations} of ")?;
        write!(formatter, "truncations, {deletions} of deletions), {unheard_done} unheard of and done, ")?;
        write!(formatter, "{unheard_lost} unheard of and not, {async_lost} of async logs lost, ")?;
        write!(formatter, "{records_verified} records verified, {compacted} compacted")
    }
}

/// The book of a directory.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// The worst that may come.
    worst: Crash,
    accounts: BTreeMap<Name, Account>,
    next_generation: u32,
    pub(crate) counts: Counts,
}

impl Ledger {
    /// The book of a new directory, and the worst that will happen to it.
    pub(crate) fn new(worst: Crash) -> Self {
        Self { worst, accounts: BTreeMap::new(), next_generation: 0, counts: Counts::default() }
    }

    /// Takes note of what a process told before it died.
    pub(crate) fn note(&mut self, lines: &[Line]) -> Outcome<()> {
        let mut open: HashMap<u64, (Name, usize)> = HashMap::new();
        for line in lines {
            match line {
                Line::Opened | Line::Looked | Line::Closed => {}
                Line::Try { ticket, name, operation } => {
                    if let Operation::Create = operation {
                        self.accounts.insert(*name, Account::new(*name));
                        self.next_generation = self.next_generation.max(name.generation + 1);
                    }
                    open.insert(*ticket, (*name, self.account(*name)?.asked(*operation)));
                }
                Line::Done { ticket, placed } => {
                    let (name, step) = open.remove(ticket).ok_or("an answer to nothing")?;
                    self.count(*placed);
                    let operation = self.account(name)?.done(step, *placed)?;
                    self.counts.truncations += u64::from(matches!(operation, Operation::Truncate(_)));
                    self.counts.deletions += u64::from(matches!(operation, Operation::Delete));
                }
                // What the disk did with it is not known then.
                Line::Refused { reason: Reason::Offline, .. } => {}
                Line::Refused { ticket, reason, .. } if self.is_plain(*reason) => {
                    let (name, step) = open.remove(ticket).ok_or("an answer to nothing")?;
                    self.account(name)?.refused(step)?;
                }
                Line::Refused { ticket, text, .. } => {
                    let what = open.get(ticket).map(|(name, _)| name.to_string()).unwrap_or_default();
                    return Err(format!("{what}: something was refused: {text}").into());
                }
                Line::Bad(what) => return Err(format!("the writer saw what must not be: {what}").into()),
            }
        }
        Ok(())
    }

    /// Whether something that was refused so was not done, for a reason that there may be.
    fn is_plain(&self, reason: Reason) -> bool {
        // Without a disk nothing can be read.
        reason == Reason::DiskFull || (reason == Reason::Unreadable && self.worst == Crash::Machine)
    }

    fn count(&mut self, placed: Option<Placed>) {
        self.counts.acknowledged += 1;
        self.counts.duplicates += u64::from(placed.is_some_and(|placed| placed.is_duplicate));
    }

    fn account(&mut self, name: Name) -> Outcome<&mut Account> {
        self.accounts.get_mut(&name).ok_or_else(|| format!("nothing is known of partition {name}").into())
    }

    /// Holds what is there after a crash against what has to be, and goes on from it.
    pub(crate) fn reconcile(&mut self, mut found: BTreeMap<Name, Observed>, crash: Crash) -> Outcome<()> {
        let mut kept = BTreeMap::new();
        for (name, mut account) in std::mem::take(&mut self.accounts) {
            let Some(observed) = found.remove(&name) else {
                if account.must_be_there() {
                    return Err(format!("partition {name} is gone").into());
                }
                continue;
            };
            let explain = |error: Failure| format!("partition {name}: {error}");
            account.reconcile(name, &observed, crash, self.worst, &mut self.counts).map_err(explain)?;
            kept.insert(name, account);
        }
        self.accounts = kept;
        match found.pop_first() {
            Some((name, _)) => {
                Err(format!("partition {name} was deleted, or never made, and is there").into())
            }
            None => Ok(()),
        }
    }

    /// What the next process has to know.
    pub(crate) fn briefing(&self) -> Briefing {
        let partitions = self.accounts.iter().map(|(name, account)| account.known(*name));
        Briefing { next_generation: self.next_generation, partitions: partitions.collect() }
    }
}
