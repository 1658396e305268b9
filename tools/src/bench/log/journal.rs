//! The journal alone: groups of 1 MiB, each durable before the next is written, the next one staged meanwhile.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use strandline_log::disk::BLOCK_BYTES;
use strandline_log::disk::real::RealDisk;
use strandline_log::journal::{Class, Entry, Journal, Options, Write, Written};
use strandline_log::random::Random;

use super::raw::Raw;
use super::report::{Limit, Spread};
use super::turns::{Latencies, processor_spread, rates, take_turns};
use super::{Bench, Outcome};

const GROUP_BYTES: usize = 1 << 20;
const GROUPS_PER_TURN: usize = 128;
const APPENDS_PER_ROUND: usize = 300;

/// So many groups behind the last one a checkpoint is, as far as the journal can tell: half of its bound.
const GROUPS_BEHIND: u64 = 128;

pub(super) fn run(bench: &mut Bench<'_>) -> Outcome {
    let folder = bench.new_folder("journal")?;
    let disk = bench.disk()?;
    let raw = Raw::new(&disk, &folder, GROUP_BYTES)?;
    let mut pipeline = Pipeline::new(disk, &folder)?;
    // Once through all its files, so that they are there and were written.
    for _ in 0..4 {
        pipeline.append(GROUPS_PER_TURN)?;
    }
    let raw = RefCell::new(raw);
    append_groups(bench, &mut pipeline, &raw)?;
    append_singly(bench, &mut pipeline, &raw)
}

fn append_groups(bench: &mut Bench<'_>, pipeline: &mut Pipeline, raw: &RefCell<Raw>) -> Outcome {
    let mut write_direct = || {
        (0..GROUPS_PER_TURN).try_for_each(|_| raw.borrow_mut().write_direct(GROUP_BYTES))?;
        Ok((GROUPS_PER_TURN * GROUP_BYTES) as u64)
    };
    let [journal, direct] =
        take_turns(bench.rounds, [&mut || pipeline.append(GROUPS_PER_TURN), &mut write_direct])?;
    let (journal_rates, direct_rates) = (rates(&journal), rates(&direct));
    let beside = format!(
        "journal {} MB/s, {} CPU s/GB; `O_DIRECT` {} MB/s",
        Spread::of(&journal_rates),
        processor_spread(&journal),
        Spread::of(&direct_rates),
    );
    let seen = Spread::of_ratios(&journal_rates, &direct_rates);
    bench.report.row(
        "durable groups of 1 MiB, journal alone",
        "% of `O_DIRECT`",
        Limit::AtLeast(70.0),
        seen,
        &beside,
    )?;
    Ok(())
}

fn append_singly(bench: &mut Bench<'_>, pipeline: &mut Pipeline, raw: &RefCell<Raw>) -> Outcome {
    let [mut journal, mut bare] = [const { Vec::new() }; 2];
    for _ in 0..bench.rounds {
        let [mut journal_times, mut bare_times] = [const { Latencies::new() }; 2];
        for _ in 0..APPENDS_PER_ROUND {
            bare_times.time(|| raw.borrow_mut().write_cached_synced(BLOCK_BYTES))?;
            journal_times.time(|| pipeline.append_alone(1 << 10))?;
        }
        journal.push(journal_times.quantile_us(500));
        bare.push(bare_times.quantile_us(500));
    }
    let bare = Spread::of(&bare);
    let limit = Limit::AtMost(bare.median + 80.0);
    let what = "durable append of 1 KiB, journal alone, p50";
    bench.report.row(what, "us", limit, Spread::of(&journal), &format!("bare sync {bare} us"))?;
    Ok(())
}

/// A journal and a thread that writes for it.
struct Pipeline {
    journal: Journal,
    batch: Vec<u8>,
    writes: SyncSender<Write>,
    written: Receiver<Written>,
}

impl Pipeline {
    fn new(disk: Arc<RealDisk>, folder: &Path) -> Outcome<Self> {
        let random = Random::from_system()?;
        let journal = Journal::recover(disk, folder.join("journal"), Options::default(), random, 0, |_| {})?;
        let (writes, to_write) = sync_channel::<Write>(1);
        let (to_journal, written) = sync_channel(1);
        // It ends when either side of it is gone.
        thread::spawn(move || to_write.iter().all(|write| to_journal.send(write.run()).is_ok()));
        Ok(Self { journal, batch: vec![7; GROUP_BYTES], writes, written })
    }

    fn append(&mut self, groups: usize) -> Outcome<u64> {
        self.stage(GROUP_BYTES)?;
        for staged in 1..=groups {
            self.writes.send(self.journal.begin_commit()?.ok_or("nothing was staged")?)?;
            if staged < groups {
                self.stage(GROUP_BYTES)?;
            }
            let (committed, _frame) = self.journal.end_commit(self.written.recv()?)?;
            self.journal.recycle(committed.sequence.saturating_sub(GROUPS_BEHIND))?;
        }
        Ok((groups * self.batch.len()) as u64)
    }

    /// One group on the calling thread.
    fn append_alone(&mut self, bytes: usize) -> Outcome {
        self.stage(bytes)?;
        let (committed, _frame) = self.journal.commit()?.ok_or("nothing was staged")?;
        Ok(self.journal.recycle(committed.sequence)?)
    }

    fn stage(&mut self, bytes: usize) -> Outcome {
        let batch = self.batch.get(..bytes).unwrap_or_default();
        let entry = Entry::Append { partition: 1, base_offset: 0, batch };
        self.journal.stage(&entry, Class::Append)?;
        Ok(())
    }
}
