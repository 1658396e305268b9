//! The task that owns one partition's machine: it reads the log, serves, and reads it again where something failed.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use strandline_log::engine::NewBatch;
use strandline_log::producers::Guard;
use strandline_protocol::ErrorCode;
use strandline_state::coordinator::{Decision, Machine, Origin};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::answers::Waiting;
use super::appends::{Appended, Appends, Content, build};
use super::codes::Fault;
use super::load::load;
use super::overdue::Patience;
use super::parts::CoordinatorParts;
use super::pieces::{Piece, pieces};
use super::rest::Rest;
use super::serving::Serving;
use super::shard::{FAILED, LOADING, SERVING, Work};
use super::timers::Timers;
use super::{Fresh, Watch};
use crate::api::topics::Led;

/// So much is taken from the inbox at once.
const WORK_MAX: usize = 256;

/// Whether nothing was ever appended there, or all of it is gone.
pub(super) fn is_empty(led: &Led) -> bool {
    let offsets = led.log.offsets();
    offsets.start == offsets.end
}

/// What outlives a machine.
pub(super) struct Task<M: Machine> {
    pub(super) led: Led,
    pub(super) parts: Arc<CoordinatorParts>,
    pub(super) fresh: Fresh<M>,
    pub(super) watch: Watch<M>,
    pub(super) topic: &'static str,
    pub(super) work: mpsc::Receiver<Work<M>>,
    /// Where the machine is while there is nothing to do.
    pub(super) rest: Rest<M>,
    pub(super) status: Arc<AtomicU8>,
    /// Whether an append failed lately: then each decision is appended before the machine evolves, so that another
    /// failure costs no replay.
    pub(super) is_careful: bool,
}

/// What a shard wakes up for.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is not kept")]
enum Event<M: Machine> {
    Appended(Appended<M>),
    Work,
    Due,
}

impl<M: Machine> Task<M> {
    pub(super) async fn run(mut self) {
        loop {
            let fault = match self.load().await {
                Ok(serving) => {
                    let Err(fault) = self.serve(Box::new(serving)).await else { return };
                    fault
                }
                Err(fault) => fault,
            };
            let (topic, partition) = (self.topic, self.led.index);
            if fault.is_final {
                self.status.store(FAILED, Ordering::Release);
                tracing::error!(topic, partition, why = fault.what, "a coordinator has ended");
                return;
            }
            tracing::warn!(topic, partition, why = fault.what, "a coordinator reads its log again");
            self.is_careful = true;
        }
    }

    /// Makes a machine out of the log, and has it begin.
    async fn load(&mut self) -> Result<Serving<M>, Fault> {
        let (machine, next_offset) = self.replay().await?;
        let mut serving = Serving {
            machine,
            watch: Arc::clone(&self.watch),
            next_offset,
            timers: Timers::default(),
            waiting: Waiting::default(),
            appends: Appends::new(self.led.clone(), Arc::clone(self.parts.storage())),
            taken: VecDeque::new(),
            patience: Patience::of(self.parts.append_wait_max),
            sleep: Box::pin(sleep(Duration::ZERO)),
            sleeps_until: None,
        };
        let now_ms = self.parts.clock.wall_ms();
        let decision = serving.machine.loaded(now_ms);
        self.carry_out(&mut serving, now_ms, decision, None).await?;
        self.status.store(SERVING, Ordering::Release);
        Ok(serving)
    }

    async fn replay(&self) -> Result<(M, i64), Fault> {
        if is_empty(&self.led) {
            return Ok(((self.fresh)(), self.led.log.offsets().end));
        }
        let failed = |what: String| Fault { code: ErrorCode::NOT_COORDINATOR, is_final: true, what };
        let _permit = self.parts.loading.acquire().await.map_err(|error| failed(error.to_string()))?;
        let (log, fresh) = (Arc::clone(&self.led.log), Arc::clone(&self.fresh));
        let loading = self.parts.offload.run(move || {
            let mut machine = fresh();
            load(&log, &mut machine).map(|next_offset| (machine, next_offset))
        });
        let loaded = loading.await.map_err(|error| failed(error.to_string()))?;
        loaded.map_err(|error| failed(error.to_string()))
    }

    /// Serves until something fails, or nobody can ask anything any more.
    async fn serve(&mut self, mut serving: Box<Serving<M>>) -> Result<(), Fault> {
        loop {
            if let Err(fault) = self.send_open(&mut serving).await {
                return Err(self.give_up(&mut serving, fault));
            }
            let event;
            (serving, event) = match self.next_event(serving).await {
                Some(next) => next,
                None => return Ok(()),
            };
            if let Err(fault) = self.attend_to(&mut serving, event).await {
                return Err(self.give_up(&mut serving, fault));
            }
        }
    }

    /// Tells everybody who waits that the machine is no more.
    fn give_up(&self, serving: &mut Serving<M>, fault: Fault) -> Fault {
        self.status.store(LOADING, Ordering::Release);
        serving.waiting.refuse_all(fault.code);
        fault
    }

    async fn send_open(&self, serving: &mut Serving<M>) -> Result<(), Fault> {
        if serving.appends.may_send() {
            serving.appends.send(self.parts.clock.wall_ms()).await?;
        }
        Ok(())
    }

    async fn attend_to(&mut self, serving: &mut Serving<M>, event: Event<M>) -> Result<(), Fault> {
        match event {
            Event::Appended(appended) => drop(self.appended(serving, appended)?),
            Event::Work => {
                // Those that are left meanwhile are refused where something takes too long.
                while let Some(work) = serving.next_taken() {
                    let Some(work) = work else {
                        let _ = self.settle(serving).await?;
                        continue;
                    };
                    self.work_on(serving, work).await?;
                }
            }
            Event::Due => {
                serving.refuse_overdue(self.parts.clock.monotonic(), &mut self.work);
                while let Some(timer) = serving.pop_timer(self.parts.clock.monotonic()) {
                    self.decide(serving, M::due(timer), None).await?;
                }
            }
        }
        Ok(())
    }

    /// What there is to be done next, once there is something; none if nobody can ask anything any more. Meanwhile the
    /// machine lies where signs of life find it, if everything that was decided is durable.
    async fn next_event(&mut self, serving: Box<Serving<M>>) -> Option<(Box<Serving<M>>, Event<M>)> {
        let mut kept = Some(serving);
        poll_fn(|context| {
            let Some(mut serving) = kept.take().or_else(|| self.rest.take()) else {
                return Poll::Ready(None);
            };
            let Poll::Ready(event) = self.poll_event(&mut serving, context) else {
                if serving.appends.is_idle() {
                    self.rest.put(serving, context.waker());
                } else {
                    kept = Some(serving);
                }
                return Poll::Pending;
            };
            Poll::Ready(event.map(|event| (serving, event)))
        })
        .await
    }

    fn poll_event(&mut self, serving: &mut Serving<M>, context: &mut Context<'_>) -> Poll<Option<Event<M>>> {
        if let Poll::Ready(appended) = serving.appends.poll_appended(context) {
            return Poll::Ready(Some(Event::Appended(appended)));
        }
        let now = self.parts.clock.monotonic();
        if serving.appends.is_held_up() {
            serving.patience.hold(now);
        } else {
            serving.patience.go_on();
            if let Poll::Ready(has_some) = self.poll_work(serving, context) {
                return Poll::Ready(has_some.then_some(Event::Work));
            }
        }
        serving.poll_due(context, now).map(|()| Some(Event::Due))
    }

    /// Whether there is something to be done, or nobody can ask anything any more.
    fn poll_work(&mut self, serving: &mut Serving<M>, context: &mut Context<'_>) -> Poll<bool> {
        if !serving.taken.is_empty() {
            return Poll::Ready(true);
        }
        // The memory is the same, whichever it is.
        let mut taken = Vec::from(std::mem::take(&mut serving.taken));
        let poll = self.work.poll_recv_many(context, &mut taken, WORK_MAX);
        serving.taken = taken.into();
        poll.map(|count| count > 0)
    }

    async fn work_on(&mut self, serving: &mut Serving<M>, work: Work<M>) -> Result<(), Fault> {
        match work {
            Work::Ask { ticket, guard, command, to, at: _ } => {
                serving.waiting.add(ticket, to);
                self.decide(serving, command, guard).await
            }
            Work::Tell(command) => self.decide(serving, command, None).await,
            Work::End { batch, end, to } => self.send_alone(serving, batch, Content::End(end, to)).await,
        }
    }

    async fn decide(
        &mut self,
        serving: &mut Serving<M>,
        command: M::Command,
        guard: Option<Guard>,
    ) -> Result<(), Fault> {
        if serving.is_to_settle(&command) {
            let _ = self.settle(serving).await?;
        }
        let now_ms = self.parts.clock.wall_ms();
        let decision = serving.machine.decide(now_ms, command);
        self.carry_out(serving, now_ms, decision, guard).await
    }

    async fn carry_out(
        &mut self,
        serving: &mut Serving<M>,
        now_ms: i64,
        decision: Decision<M>,
        guard: Option<Guard>,
    ) -> Result<(), Fault> {
        if decision.records.is_empty() {
            // Nothing is to be kept, as of most: signs of life, questions.
            serving.take_in(self.parts.clock.monotonic(), now_ms, decision);
            return Ok(());
        }
        let mut pieces = match pieces(decision) {
            Ok(pieces) => pieces,
            Err(unkept) => {
                tracing::warn!(
                    topic = self.topic,
                    why = unkept.why,
                    "a coordinator's decision cannot be kept"
                );
                serving.refuse(&unkept.decision, ErrorCode::UNKNOWN_SERVER_ERROR);
                return Ok(());
            }
        };
        serving.patience.begin_parts(self.parts.clock.monotonic(), std::mem::take(&mut pieces.waiting));
        while let Some(piece) = pieces.next() {
            let is_plain = piece.decision.origin == Origin::Plain && !self.is_careful;
            if is_plain {
                self.carry_out_together(serving, now_ms, piece).await?;
            } else if let Err(code) = self.carry_out_alone(serving, now_ms, piece, guard).await? {
                // What came before stands, and what comes after does not happen.
                pieces.by_ref().for_each(|piece| serving.refuse(&piece.decision, code));
            }
        }
        serving.patience.end_parts();
        Ok(())
    }

    /// Evolves at once, and appends with what was decided before and after.
    async fn carry_out_together(
        &mut self,
        serving: &mut Serving<M>,
        now_ms: i64,
        Piece { decision, records }: Piece<M>,
    ) -> Result<(), Fault> {
        if serving.appends.is_full_for(&records) {
            serving.appends.send(now_ms).await?;
        }
        serving.appends.add(records);
        serving.take_in(self.parts.clock.monotonic(), now_ms, decision);
        Ok(())
    }

    /// Appends first and evolves after: where the log may refuse what the machine has allowed. Gives the code with
    /// which that was answered, if it is known by then: of a transaction's records it is not waited for.
    async fn carry_out_alone(
        &mut self,
        serving: &mut Serving<M>,
        now_ms: i64,
        Piece { decision, records }: Piece<M>,
        guard: Option<Guard>,
    ) -> Result<Result<(), ErrorCode>, Fault> {
        let batch = match build(decision.origin, now_ms, &records) {
            Ok(batch) => batch.verified(guard),
            Err(error) => {
                tracing::info!(%error, "a decision's batch cannot be built");
                serving.refuse(&decision, ErrorCode::UNKNOWN_SERVER_ERROR);
                return Ok(Err(ErrorCode::UNKNOWN_SERVER_ERROR));
            }
        };
        let is_plain = decision.origin == Origin::Plain;
        self.send_alone(serving, batch, Content::Decision(decision, now_ms)).await?;
        if is_plain { self.settle(serving).await } else { Ok(Ok(())) }
    }

    /// Has a batch appended that is taken in when it is there. Others of its kind may follow at once.
    async fn send_alone(
        &mut self,
        serving: &mut Serving<M>,
        batch: NewBatch,
        content: Content<M>,
    ) -> Result<(), Fault> {
        if !serving.appends.may_send_alone() {
            serving.patience.begin_parts(self.parts.clock.monotonic(), content.tickets());
            let _ = self.settle(serving).await?;
        }
        serving.appends.send_alone(self.parts.clock.monotonic(), batch, content).await;
        Ok(())
    }

    /// Waits until everything that was decided is durable, and taken in. Gives the code of the first that was refused.
    async fn settle(&mut self, serving: &mut Serving<M>) -> Result<Result<(), ErrorCode>, Fault> {
        serving.appends.send(self.parts.clock.wall_ms()).await?;
        serving.patience.hold(self.parts.clock.monotonic());
        let mut outcome = Ok(());
        while !serving.appends.is_idle() {
            let appended = poll_fn(|context| self.poll_settling(serving, context)).await;
            outcome = outcome.and(self.appended(serving, appended)?);
        }
        serving.patience.go_on();
        Ok(outcome)
    }

    /// The next that is appended. Meanwhile those are told who have waited too long.
    fn poll_settling(&mut self, serving: &mut Serving<M>, context: &mut Context<'_>) -> Poll<Appended<M>> {
        loop {
            if let Poll::Ready(appended) = serving.appends.poll_appended(context) {
                return Poll::Ready(appended);
            }
            let now = self.parts.clock.monotonic();
            if serving.poll_until(context, now, serving.overdue_at()).is_pending() {
                return Poll::Pending;
            }
            serving.refuse_overdue(now, &mut self.work);
        }
    }

    fn appended(
        &mut self,
        serving: &mut Serving<M>,
        appended: Appended<M>,
    ) -> Result<Result<(), ErrorCode>, Fault> {
        let outcome = serving.appended(self.parts.clock.monotonic(), appended)?;
        self.is_careful &= outcome.is_err();
        Ok(outcome)
    }
}
