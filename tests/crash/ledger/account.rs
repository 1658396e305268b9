//! One partition's part of the book.

use std::collections::BTreeMap;

use strandline_log::config::Durability;

use super::{Counts, Crash};
use crate::briefing::Known;
use crate::directory::Observed;
use crate::model::{Batch, Kind, Name, Operation, Placed, RETENTION_BYTES, State};
use crate::values::UNKNOWN_NUMBER;
use crate::{Failure, Outcome};

/// Something that was asked for.
#[derive(Clone, Copy, Debug)]
struct Step {
    operation: Operation,
    /// Whether the engine said that it is done.
    is_done: bool,
    /// Where it says that the batch is.
    placed: Option<Placed>,
    /// It was refused, and so it never was.
    is_refused: bool,
}

/// What is known of a partition.
#[derive(Debug)]
pub(super) struct Account {
    is_created: bool,
    /// It was asked for its end; and it was told of it.
    deletion: Option<bool>,
    /// What was found, or what no crash can take away.
    base: State,
    /// What was asked for since, in order.
    steps: Vec<Step>,
    is_base_async: bool,
    /// Where the log begins at least, and at most if the engine does not move it by itself.
    start_min: i64,
    start_max: i64,
    next_number: u64,
    /// What is to be sent again.
    again: Vec<Batch>,
}

impl Account {
    /// One that nobody has heard the creation of yet.
    pub(super) fn new(name: Name) -> Self {
        Self {
            is_created: false,
            deletion: None,
            base: State::default(),
            steps: Vec::new(),
            is_base_async: name.kind() == Kind::Async,
            start_min: 0,
            start_max: 0,
            next_number: name.first_number(),
            again: Vec::new(),
        }
    }

    /// Notes a request; what it was is known by the number that this gives.
    pub(super) fn asked(&mut self, operation: Operation) -> usize {
        match &operation {
            Operation::Append(batch) => {
                let next = batch.numbers().last().map_or(0, |last| last + 1);
                self.next_number = self.next_number.max(next);
            }
            Operation::SetLogStart(start) => self.start_max = self.start_max.max(*start),
            Operation::Delete => self.deletion = self.deletion.or(Some(false)),
            Operation::Create | Operation::Truncate(_) | Operation::Switch(_) => {}
        }
        self.steps.push(Step { operation, is_done: false, placed: None, is_refused: false });
        self.steps.len() - 1
    }

    pub(super) fn done(&mut self, step: usize, placed: Option<Placed>) -> Outcome<Operation> {
        let step = self.steps.get_mut(step).ok_or("an answer to nothing")?;
        (step.is_done, step.placed) = (true, placed);
        match &step.operation {
            Operation::Create => self.is_created = true,
            Operation::SetLogStart(start) => self.start_min = self.start_min.max(*start),
            Operation::Delete => self.deletion = Some(true),
            _ => {}
        }
        Ok(step.operation)
    }

    pub(super) fn refused(&mut self, step: usize) -> Outcome<()> {
        self.steps.get_mut(step).ok_or("an answer to nothing")?.is_refused = true;
        Ok(())
    }

    pub(super) fn must_be_there(&self) -> bool {
        self.is_created && self.deletion.is_none()
    }

    pub(super) fn known(&self, name: Name) -> Known {
        Known {
            name,
            start: self.start_min,
            state: self.state(),
            next_number: self.next_number,
            again: self.again.clone(),
        }
    }

    /// Finds the moment that the partition is at, which must not be before one that was promised to stay.
    pub(super) fn reconcile(
        &mut self,
        name: Name,
        observed: &Observed,
        crash: Crash,
        worst: Crash,
        counts: &mut Counts,
    ) -> Outcome<()> {
        if self.deletion == Some(true) {
            return Err("it was deleted, and is there".into());
        }
        self.check_start(name, observed)?;
        let promised = self.promised(crash);
        let may_end_early = crash == Crash::Machine && matches!(name.kind(), Kind::Async | Kind::Switching);
        let mut state = self.base.clone();
        let (mut moment, mut moment_cut_short) = (None, None);
        for step in 0..=self.steps.len() {
            if let Some(step) = step.checked_sub(1).and_then(|before| self.steps.get(before)) {
                step.check(&mut state)?;
            }
            if step < promised {
                continue;
            }
            if moment.is_none() && is_same(&state, observed, name.kind()) {
                moment = Some(step);
            }
            if moment_cut_short.is_none() && may_end_early && is_cut_short(&state, observed) {
                moment_cut_short = Some(step);
            }
        }
        let moment = moment.or(moment_cut_short).ok_or_else(|| self.difference(promised, observed))?;
        self.count(moment, counts);
        let sent: u64 = observed.batches.iter().map(|batch| u64::from(batch.count.unsigned_abs())).sum();
        let verified = observed.numbers.len() as u64;
        counts.records_verified += verified;
        counts.compacted += sent - verified;
        self.go_on_from(moment, observed, worst);
        Ok(())
    }

    fn check_start(&self, name: Name, observed: &Observed) -> Outcome<()> {
        let Observed { start, bytes, .. } = *observed;
        if start < self.start_min {
            return Err(format!("it begins at {start}, and was to begin at {}", self.start_min).into());
        }
        let may_be_shorter = name.kind() == Kind::Sized && bytes >= RETENTION_BYTES;
        if start > self.start_max && !may_be_shorter {
            return Err(
                format!("it begins at {start}, {bytes} bytes before its end: nobody asked for that").into()
            );
        }
        Ok(())
    }

    /// How many of the steps no crash of this kind can take away.
    fn promised(&self, crash: Crash) -> usize {
        let (mut is_async, mut promised) = (self.is_base_async, 0);
        for (count, step) in (1..).zip(&self.steps) {
            let is_barrier = matches!(step.operation, Operation::Truncate(_) | Operation::Switch(_));
            if step.is_done && (crash == Crash::Process || !is_async || is_barrier) {
                promised = count;
            }
            is_async = durability_after(is_async, step);
        }
        promised
    }

    fn count(&self, moment: usize, counts: &mut Counts) {
        for (number, step) in self.steps.iter().enumerate() {
            match (step.is_done, number < moment) {
                _ if step.is_refused => {}
                (true, false) => counts.async_lost += 1,
                (false, true) => counts.unheard_done += 1,
                (false, false) => counts.unheard_lost += 1,
                (true, true) => {}
            }
        }
    }

    fn go_on_from(&mut self, moment: usize, observed: &Observed, worst: Crash) {
        self.is_created = true;
        self.deletion = None;
        (self.start_min, self.start_max) = (observed.start, observed.start);
        let lost = self.steps.split_off(moment);
        self.again = self.unheard(&lost);
        // What only the page cache has may be gone the next time; so what came before is a moment as well.
        let is_cut_short = self.state().end != observed.end;
        let kept = if worst == Crash::Process || is_cut_short { moment } else { self.promised(worst) };
        if is_cut_short {
            // Up to where its producer is known nobody knows.
            self.again.clear();
        }
        for step in self.steps.drain(..kept) {
            step.apply_to(&mut self.base);
            self.is_base_async = durability_after(self.is_base_async, &step);
        }
        // The others have been heard of now.
        self.steps.retain(|step| !step.is_refused);
        self.steps.iter_mut().for_each(|step| step.is_done = true);
        if self.steps.is_empty() {
            self.base.end = observed.end;
            self.base.forget_before(observed.start);
            if is_cut_short {
                self.base.batches.clear();
            }
        }
    }

    /// What is there if everything was done.
    fn state(&self) -> State {
        let mut state = self.base.clone();
        for step in &self.steps {
            step.apply_to(&mut state);
        }
        state
    }

    /// Batches at the end that may or may not be there, if what is not is what follows.
    fn unheard(&self, lost: &[Step]) -> Vec<Batch> {
        let is_gone = |step: &Step| matches!(step.operation, Operation::Truncate(_) | Operation::Delete);
        let mut batches = Vec::new();
        for (step, is_there) in
            self.steps.iter().map(|step| (step, true)).chain(lost.iter().map(|step| (step, false)))
        {
            match step.operation {
                _ if step.is_refused => {}
                Operation::Append(batch) if !step.is_done => batches.push(batch),
                // One that was lost with the machine leaves a gap in front of what came behind it.
                Operation::Append(_) if !is_there => return Vec::new(),
                Operation::Append(_) => batches.clear(),
                _ if is_there && is_gone(step) => batches.clear(),
                _ => {}
            }
        }
        batches
    }

    fn difference(&self, promised: usize, observed: &Observed) -> Failure {
        let mut state = self.base.clone();
        for step in self.steps.iter().take(promised) {
            step.apply_to(&mut state);
        }
        let expected = state.since(observed.start);
        let place = expected.iter().zip(&observed.batches).position(|(one, other)| one != other);
        let place = place.unwrap_or_else(|| expected.len().min(observed.batches.len()));
        let last: Vec<_> = self.steps.iter().rev().take(8).collect();
        format!(
            "it is as it never was since {promised} of {} steps were promised. It holds {} batches from {} to {}, \
             and had {} that end at {}; number {place} is {:?} and was {:?}. The last steps, backwards: {last:?}",
            self.steps.len(),
            observed.batches.len(),
            observed.start,
            observed.end,
            expected.len(),
            state.end,
            observed.batches.get(place),
            expected.get(place),
        )
        .into()
    }
}

impl Step {
    fn apply_to(&self, state: &mut State) -> Option<Placed> {
        if self.is_refused { None } else { state.apply(&self.operation) }
    }

    /// Does the step, which has to have gone as the engine said.
    fn check(&self, state: &mut State) -> Outcome<()> {
        let placed = self.apply_to(state);
        match self.placed {
            Some(said) if placed != Some(said) => {
                Err(format!("{} was answered with {said:?}, and belongs at {placed:?}", self.operation)
                    .into())
            }
            _ => Ok(()),
        }
    }
}

/// Whether the log's start moved durably past what was lost: it is empty then.
fn is_cut_short(state: &State, observed: &Observed) -> bool {
    observed.end == observed.start && state.end < observed.start
}

fn is_same(state: &State, observed: &Observed, kind: Kind) -> bool {
    let Observed { start, end, batches, .. } = observed;
    let expected = state.since(*start);
    state.end == *end
        && match kind {
            Kind::Compacting => is_compacted(expected, observed),
            _ => expected == batches,
        }
}

/// Whether nothing is there that was not, and of each key the last record is.
fn is_compacted(expected: &[Batch], observed: &Observed) -> bool {
    let is_known = |batch: &Batch| {
        let place = expected.binary_search_by_key(&batch.base_offset, |known| known.base_offset);
        let known = place.ok().and_then(|place| expected.get(place));
        let first_number = |known: &Batch| match batch.first_number {
            UNKNOWN_NUMBER => known.first_number,
            first_number => first_number,
        };
        known.is_some_and(|known| *known == Batch { first_number: first_number(known), ..*batch })
    };
    let mut last_of_keys = BTreeMap::new();
    for batch in expected {
        let from_start =
            batch.numbers().zip(batch.base_offset..).filter(|(_, offset)| *offset >= observed.start);
        last_of_keys.extend(from_start.map(|(number, _)| (Kind::Compacting.key(number), number)));
    }
    observed.batches.iter().all(is_known)
        && last_of_keys.values().all(|number| observed.numbers.contains(number))
}

fn durability_after(is_async: bool, step: &Step) -> bool {
    match step.operation {
        Operation::Create => is_async,
        Operation::Switch(durability) if step.is_done => durability == Durability::Async,
        _ => is_async,
    }
}
