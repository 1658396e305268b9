//! One partition's machine, and the task that owns it.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use strandline_log::engine::{NewBatch, Partition};
use strandline_log::producers::Guard;
use strandline_protocol::ErrorCode;
use strandline_state::coordinator::{Decision, Machine, Origin, Ticket, TransactionEnd};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::answers::{Answer, AnswerTo, Waiting};
use super::appends::{Appended, Appends, Content, build};
use super::codes::Fault;
use super::load::load;
use super::parts::CoordinatorParts;
use super::pieces::{Piece, pieces};
use super::serving::Serving;
use super::timers::Timers;
use super::{Fresh, Watch};
use crate::api::topics::Led;

/// So much is asked of a shard and not begun with at most; who asks more waits, and its connection with it.
const INBOX_MAX: usize = 1_024;

/// So much is taken from there at once.
const WORK_MAX: usize = 256;

/// What is asked of a shard.
pub(super) enum Work<M: Machine> {
    Ask { ticket: Ticket, guard: Option<Guard>, command: M::Command, to: AnswerTo<M::Reply> },
    Tell(M::Command),
    End { batch: NewBatch, end: TransactionEnd, to: AnswerTo<()> },
}

/// How a shard is.
const LOADING: u8 = 0;
const SERVING: u8 = 1;
const FAILED: u8 = 2;

/// The way to a shard. When all are gone, it ends.
pub(super) struct Shard<M: Machine> {
    inbox: mpsc::Sender<Work<M>>,
    status: Arc<AtomicU8>,
    log: Arc<Partition>,
}

impl<M: Machine> Clone for Shard<M> {
    fn clone(&self) -> Self {
        let Self { inbox, status, log } = self;
        Self { inbox: inbox.clone(), status: Arc::clone(status), log: Arc::clone(log) }
    }
}

impl<M: Machine> Shard<M> {
    /// Starts one over a partition that this broker leads.
    pub(super) fn start(
        led: Led,
        parts: Arc<CoordinatorParts>,
        (fresh, watch): (Fresh<M>, Watch<M>),
        topic: &'static str,
    ) -> Self {
        let (inbox, work) = mpsc::channel(INBOX_MAX);
        // Nothing is to be read where nothing is: what is asked has its place in the queue at once.
        let status = if is_empty(&led) { SERVING } else { LOADING };
        let status = Arc::new(AtomicU8::new(status));
        let log = Arc::clone(&led.log);
        let shared = Arc::clone(&status);
        let task = Task { led, parts, fresh, watch, topic, work, status: shared, is_careful: false };
        tokio::spawn(task.run());
        Self { inbox, status, log }
    }

    pub(super) fn log(&self) -> &Arc<Partition> {
        &self.log
    }

    fn check(&self) -> Result<(), ErrorCode> {
        match self.status.load(Ordering::Acquire) {
            LOADING => Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS),
            SERVING => Ok(()),
            _ => Err(ErrorCode::NOT_COORDINATOR),
        }
    }

    pub(super) async fn ask(
        &self,
        tickets: &AtomicU64,
        guard: Option<Guard>,
        command: impl FnOnce(Ticket) -> M::Command,
    ) -> Answer<M::Reply> {
        if let Err(code) = self.check() {
            return Answer::refused(code);
        }
        let ticket = Ticket(tickets.fetch_add(1, Ordering::Relaxed));
        let (to, answer) = Answer::coming();
        // Where the shard has ended, the answer says so.
        let _ = self.inbox.send(Work::Ask { ticket, guard, command: command(ticket), to }).await;
        answer
    }

    pub(super) async fn tell(&self, command: M::Command) {
        let _ = self.inbox.send(Work::Tell(command)).await;
    }

    pub(super) async fn end_transaction(&self, batch: NewBatch, end: TransactionEnd) -> Answer<()> {
        if let Err(code) = self.check() {
            return Answer::refused(code);
        }
        let (to, answer) = Answer::coming();
        let _ = self.inbox.send(Work::End { batch, end, to }).await;
        answer
    }
}

fn is_empty(led: &Led) -> bool {
    let offsets = led.log.offsets();
    offsets.start == offsets.end
}

/// What outlives a machine.
struct Task<M: Machine> {
    led: Led,
    parts: Arc<CoordinatorParts>,
    fresh: Fresh<M>,
    watch: Watch<M>,
    topic: &'static str,
    work: mpsc::Receiver<Work<M>>,
    status: Arc<AtomicU8>,
    /// Whether an append failed lately: then each decision is appended before the machine evolves, so that another
    /// failure costs no replay.
    is_careful: bool,
}

/// What a shard wakes up for.
enum Event<M: Machine> {
    Appended(Appended<M>),
    Work,
    Due,
    /// Nobody can ask anything any more.
    Over,
}

impl<M: Machine> Task<M> {
    async fn run(mut self) {
        loop {
            let fault = match self.load().await {
                Ok(mut serving) => {
                    let fault = self.serve(&mut serving).await;
                    self.status.store(LOADING, Ordering::Release);
                    let Err(fault) = fault else { return };
                    serving.waiting.refuse_all(fault.code);
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
            appends: Appends::new(self.led.clone()),
            taken: Vec::with_capacity(WORK_MAX),
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
    async fn serve(&mut self, serving: &mut Serving<M>) -> Result<(), Fault> {
        loop {
            let now_ms = self.parts.clock.wall_ms();
            if serving.appends.may_send() {
                serving.appends.send(self.parts.storage(), now_ms).await?;
            }
            match self.next_event(serving).await {
                Event::Appended(appended) => drop(self.appended(serving, appended)?),
                Event::Work => {
                    for work in std::mem::take(&mut serving.taken) {
                        self.work_on(serving, work).await?;
                    }
                }
                Event::Due => {
                    while let Some(timer) = serving.timers.pop(self.parts.clock.monotonic()) {
                        self.decide(serving, M::due(timer), None).await?;
                    }
                }
                Event::Over => return Ok(()),
            }
        }
    }

    async fn next_event(&mut self, serving: &mut Serving<M>) -> Event<M> {
        let now = self.parts.clock.monotonic();
        poll_fn(|context| {
            if let Poll::Ready(appended) = serving.appends.poll_appended(context) {
                return Poll::Ready(Event::Appended(appended));
            }
            match self.work.poll_recv_many(context, &mut serving.taken, WORK_MAX) {
                Poll::Ready(0) => return Poll::Ready(Event::Over),
                Poll::Ready(_) => return Poll::Ready(Event::Work),
                Poll::Pending => {}
            }
            serving.poll_due(context, now).map(|()| Event::Due)
        })
        .await
    }

    async fn work_on(&mut self, serving: &mut Serving<M>, work: Work<M>) -> Result<(), Fault> {
        match work {
            Work::Ask { ticket, guard, command, to } => {
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
        // Nothing is decided on what does not know of a transaction that is there, but for others of those.
        if serving.appends.is_to_come() && !M::is_of_transaction(&command) {
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
            let (offset, now) = (serving.next_offset, self.parts.clock.monotonic());
            serving.take_in(offset, now, now_ms, decision);
            return Ok(());
        }
        let pieces = match pieces(decision) {
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
        let mut pieces = pieces.into_iter();
        while let Some(piece) = pieces.next() {
            let is_plain = piece.decision.origin == Origin::Plain && !self.is_careful;
            if is_plain {
                self.carry_out_together(serving, now_ms, piece).await?;
            } else if let Err(code) = self.carry_out_alone(serving, now_ms, piece, guard).await? {
                // What came before stands, and what comes after does not happen.
                pieces.by_ref().for_each(|piece| serving.refuse(&piece.decision, code));
            }
        }
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
            serving.appends.send(self.parts.storage(), now_ms).await?;
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
            let _ = self.settle(serving).await?;
        }
        serving.appends.send_alone(self.parts.storage(), batch, content).await;
        Ok(())
    }

    /// Waits until everything that was decided is durable, and taken in. Gives the code of the first that was refused.
    async fn settle(&mut self, serving: &mut Serving<M>) -> Result<Result<(), ErrorCode>, Fault> {
        serving.appends.send(self.parts.storage(), self.parts.clock.wall_ms()).await?;
        let mut outcome = Ok(());
        while !serving.appends.is_idle() {
            let appended = poll_fn(|context| serving.appends.poll_appended(context)).await;
            outcome = outcome.and(self.appended(serving, appended)?);
        }
        Ok(outcome)
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
