//! Driving the writer: what it hands out is held back, done, and given back, in any order.

use super::super::super::group::{Change, Said};
use super::super::super::{Done, Job, JobDone, Outcome};
use super::model::{Op, Pending};
use super::{Simulation, Violation};
use crate::journal::{Write, Written};

/// A group that is on its way.
pub(super) enum Group {
    HandedOut(Write),
    Written(Written),
}

/// A job that is on its way.
pub(super) enum Held {
    HandedOut(Job),
    Done(JobDone),
}

impl Simulation {
    /// Lets the writer take what was sent.
    pub(super) fn take(&mut self) -> Result<(), Violation> {
        let (was_offline, operations) = (self.has_failed(), self.disk.operations());
        self.plant_before_take();
        self.writer().take();
        self.plant_after_take();
        let left = self.writer().inbox.len();
        let count = self.sent.len() - left;
        self.note(count as u64);
        let writer = self.writer();
        if left > 0 && writer.flushing.holds_appends_up(&writer.options) {
            self.reach("append that waits for a flush");
        }
        self.look_at_answers(count, was_offline)?;
        self.note_own_operations()?;
        self.died_in("death in an append");
        self.check_idle_when_offline(was_offline, operations)
    }

    /// After a failure nothing is tried any more.
    fn check_idle_when_offline(&self, was_offline: bool, operations: u64) -> Result<(), Violation> {
        match was_offline && self.disk.operations() != operations {
            true => Err("something was done after a failure".to_owned()),
            false => Ok(()),
        }
    }

    /// Lets the group that is on its way come a step further, or sends one.
    pub(super) fn move_group(&mut self) -> Result<(), Violation> {
        match self.group.take() {
            None => self.begin_group(),
            Some(Group::HandedOut(write)) => {
                let written = write.run();
                self.died_in("death in a group's write");
                self.group = Some(Group::Written(written));
                Ok(())
            }
            Some(Group::Written(written)) => self.finish_group(written),
        }
    }

    fn begin_group(&mut self) -> Result<(), Violation> {
        let (was_offline, operations) = (self.has_failed(), self.disk.operations());
        if let Some(write) = self.writer().begin() {
            self.model.writing = Some(std::mem::take(&mut self.model.forming));
            self.group = Some(Group::HandedOut(write));
        }
        self.died_in("death in the beginning of a group");
        self.check_idle_when_offline(was_offline, operations)
    }

    fn finish_group(&mut self, written: Written) -> Result<(), Violation> {
        self.plant_before_finish();
        self.writer().finish(written);
        self.plant_after_finish();
        if self.has_failed() { Ok(()) } else { self.publish() }
    }

    /// The group that was written is durable: all in it must have been answered, and counts.
    pub(super) fn publish(&mut self) -> Result<(), Violation> {
        for pending in self.model.writing.take().unwrap_or_default() {
            let answer = pending.ticket.map(|ticket| self.answers.take(ticket));
            self.publish_one(&pending, answer)?;
        }
        self.look_at_duplicates()
    }

    fn publish_one(&mut self, pending: &Pending, answer: Option<Option<Outcome>>) -> Result<(), Violation> {
        let Pending { number, op, .. } = pending;
        let partition = self.model.partitions.get_mut(number).expect("a partition");
        partition.publish(op);
        let end = partition.durable.end;
        let waiting = self.model.duplicates.iter_mut().filter(|one| one.number == *number);
        waiting.for_each(|one| one.is_due |= one.last_offset < end);
        let wrong = |answer: &dyn std::fmt::Debug| Err(format!("{op:?} on {number}: {answer:?}"));
        match (op, answer) {
            (Op::Create, Some(Some(Ok(Done::Created(handle))))) => {
                let id = handle.id();
                partition.id = Some(id);
                partition.handle = Some(handle);
                if self.model.ids.insert(id, *number).is_some_and(|before| before != *number) {
                    return Err(format!("the id {id} was given twice"));
                }
            }
            (
                Op::Append(batch),
                Some(Some(Ok(Done::Appended { base_offset, last_offset, is_duplicate, .. }))),
            ) => {
                if (base_offset, last_offset, is_duplicate) != (batch.base_offset, batch.last_offset, false) {
                    return wrong(&(base_offset, last_offset, is_duplicate));
                }
            }
            (Op::Create | Op::Append(_), answer) => return wrong(&answer),
            (_, None | Some(Some(Ok(Done::Changed)))) => {}
            (_, answer) => return wrong(&answer),
        }
        Ok(())
    }

    /// What the engine itself has staged: old records go.
    pub(super) fn note_own_operations(&mut self) -> Result<(), Violation> {
        let own = self.writer().forming.operations.iter().filter(|operation| operation.reply.is_none());
        let own: Vec<_> = own
            .map(|operation| match operation.said {
                Said::Change(Change::SetLogStart { start_offset }) => (operation.partition, start_offset),
                ref other => panic!("nobody asked for {other:?}"),
            })
            .collect();
        let known = self.model.forming.iter().filter(|pending| pending.ticket.is_none()).count();
        for (id, start_offset) in own.into_iter().skip(known) {
            let number = self.model.number_of(id).ok_or("retention of a partition that is not there")?;
            self.check_retention(number, start_offset)?;
            let partition = self.model.partitions.get_mut(&number).expect("a partition");
            let op = Op::SetStart(start_offset);
            partition.latest.apply(&op);
            self.model.forming.push(Pending { number, op, ticket: None });
            self.reach("retention");
        }
        Ok(())
    }

    /// Hands out a job, or lets one that is out come a step further.
    pub(super) fn move_job(&mut self) -> Result<(), Violation> {
        if self.jobs.is_empty() || self.random.one_in(3) {
            return self.hand_out_job().map(drop);
        }
        let place = self.random.index(self.jobs.len());
        match self.jobs.swap_remove(place) {
            Held::HandedOut(job) => {
                let done = self.run_job(job)?;
                self.jobs.push(Held::Done(done));
                Ok(())
            }
            Held::Done(done) => self.take_back(done),
        }
    }

    fn hand_out_job(&mut self) -> Result<bool, Violation> {
        let (was_offline, operations) = (self.has_failed(), self.disk.operations());
        let before = self.before_round();
        let job = self.writer().next_job();
        self.forget_producers(&before)?;
        self.note_own_operations()?;
        self.died_in("death in the writer's own work");
        self.check_idle_when_offline(was_offline, operations)?;
        let Some(mut job) = job else { return Ok(false) };
        self.note_job(&job);
        self.plant_in_job(&mut job);
        self.jobs.push(Held::HandedOut(job));
        Ok(true)
    }

    fn take_back(&mut self, mut done: JobDone) -> Result<(), Violation> {
        if self.plant_needs_group(&done) {
            self.take()?;
            for _ in 0..3 {
                self.move_group()?;
            }
        }
        self.plant_in_done(&mut done);
        let (was_offline, operations) = (self.has_failed(), self.disk.operations());
        self.note_done(&done);
        self.writer().job_done(done);
        self.died_in("death in the taking back of a job");
        self.check_idle_when_offline(was_offline, operations)
    }

    /// One round of everything that there is to do. Says whether there was anything.
    fn round(&mut self) -> Result<bool, Violation> {
        let waiting = self.sent.len();
        self.take()?;
        let mut is_busy = self.sent.len() < waiting;
        if self.group.is_some() || self.writer().is_ready() {
            is_busy = true;
            self.move_group()?;
        }
        while !self.has_failed() && self.hand_out_job()? {}
        is_busy |= !self.jobs.is_empty();
        while !self.jobs.is_empty() && !self.has_failed() {
            match self.jobs.swap_remove(0) {
                Held::HandedOut(job) => {
                    let done = self.run_job(job)?;
                    self.jobs.push(Held::Done(done));
                }
                Held::Done(done) => self.take_back(done)?,
            }
        }
        self.steps += 1;
        Ok(is_busy)
    }

    /// A few rounds of everything.
    pub(super) fn work(&mut self) -> Result<(), Violation> {
        for _ in 0..1 + self.random.below(6) {
            if self.has_failed() || !self.round()? {
                break;
            }
            self.observe()?;
        }
        Ok(())
    }

    /// Works until nothing is left to do: then everything is answered.
    pub(super) fn settle(&mut self) -> Result<(), Violation> {
        for _ in 0..2_000 {
            if self.has_failed() {
                return Ok(());
            }
            if !self.round()? {
                return self.check_settled();
            }
            self.observe()?;
        }
        Err("the writer does not come to rest".to_owned())
    }

    fn is_all_answered(&self) -> bool {
        self.sent.is_empty() && self.sender_waiting.is_none() && self.model.duplicates.is_empty()
    }

    fn check_settled(&mut self) -> Result<(), Violation> {
        // What waits for room is answered when there is some.
        if self.is_full || self.was_full {
            self.reach("rest on a full disk");
            return Ok(());
        }
        if self.is_all_answered() {
            self.reach("rest");
            return Ok(());
        }
        // Whatever waits for the clock has its turn then.
        self.clock.advance(30_000);
        for _ in 0..200 {
            if self.has_failed() || !self.round()? {
                break;
            }
            self.observe()?;
        }
        match self.has_failed() || self.is_all_answered() {
            true => Ok(()),
            false => Err(format!("{:?} and {:?} are never answered", self.sent, self.model.duplicates)),
        }
    }
}
