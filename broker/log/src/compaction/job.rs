//! A round of compaction of a partition's segments, as a job that is done beside the writer.
//!
//! Owns the new files until they are handed over. The writer decides what becomes of them: between two steps it
//! makes its manifest name the new segments, and lets them take the old ones' names.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use strandline_protocol::batch::{BatchError, BatchView};

use super::clean::{Cleaned, Round};
use super::error::CompactionError;
use super::plan::{Candidate, Grouping, group};
use super::swap::{finish_swap, remove_if_there};
use super::writer::{GroupWriter, Kind, discard};
use super::{Batches, Pace, Settings, Source};
use crate::config::LogConfig;
use crate::layout::FileKind;
use crate::random::Random;
use crate::segment::{AbortedTransaction, BatchReader, Files, LENGTH_MAX, Segment, SegmentError};

/// What a round is to be done with.
#[derive(Debug)]
pub struct CompactionInput {
    /// The segments that it takes, sealed, oldest first, from the log's first.
    pub segments: Vec<Arc<Segment>>,
    /// The segments behind them, the active one included: transactions that were aborted in the others may end in
    /// there.
    pub later: Vec<Arc<Segment>>,
    /// Aborted transactions that are in no segment's index yet, in the order of their markers. One that were missing
    /// here would count as committed, and its records take the place of others.
    pub unindexed: Vec<AbortedTransaction>,
    /// What it goes by.
    pub settings: Settings,
    /// What the log's segments are like.
    pub config: LogConfig,
}

/// A round that is under way.
///
/// Its steps are in the log's order, and each can be made to count by itself: what is older goes first, so that no
/// tombstone is ever gone before what it deletes. Only with the last of them the log has been compacted.
pub struct Compaction {
    files: Arc<Files>,
    /// All segments, those behind it included.
    segments: Vec<Arc<Segment>>,
    unindexed: Vec<AbortedTransaction>,
    /// Of how many segments the next ones are made.
    groups: VecDeque<usize>,
    passed: usize,
    kind: Kind,
    first_dirty_offset: i64,
    has_failed: bool,
    round: Round,
}

/// New segments in place of old ones.
#[derive(Debug)]
pub struct Replacement {
    /// The old ones, one behind the other in the log.
    pub replaced: Vec<Arc<Segment>>,
    /// The new ones, durable but for their names. The first has the base offset of the old ones' first.
    pub segments: Vec<Arc<Segment>>,
}

impl Compaction {
    /// Finds the last offset of each key. This reads what is dirty, and writes nothing.
    ///
    /// # Errors
    /// It was stopped, or a segment cannot be read.
    pub fn begin(
        files: Arc<Files>,
        input: CompactionInput,
        pace: &mut dyn Pace,
        random: &mut Random,
    ) -> Result<Self, CompactionError> {
        let CompactionInput { mut segments, later, unindexed, settings, config } = input;
        let taken = segments.len();
        // No orphan of another round has this number.
        let generation = segments.iter().map(|segment| segment.generation()).max().unwrap_or(0);
        let kind = Kind {
            generation: generation.saturating_add(1),
            created_ms: 0,
            index_interval_bytes: config.index_interval_bytes,
            length_max: LENGTH_MAX,
        };
        let first_dirty_offset = settings.first_dirty_offset;
        segments.extend(later);
        let sources = (0..taken).map(|number| SegmentSource::new(&files, &segments, &unindexed, number));
        let round = Round::begin(sources.flatten(), settings, pace, random)?;
        let passed = segments.iter().take(taken);
        let passed = passed.take_while(|segment| segment.base_offset() < round.cleaned_to());
        let candidates: Vec<Candidate> = passed.map(|segment| Candidate::new(segment, 0)).collect();
        let groups = group(&candidates, &Grouping::new(&config)).into();
        Ok(Self {
            files,
            segments,
            unindexed,
            groups,
            passed: 0,
            kind,
            first_dirty_offset,
            has_failed: false,
            round,
        })
    }

    /// Writes the new segments for some of the old ones; none if all is done. Where nothing would change, the old
    /// ones stay.
    ///
    /// # Errors
    /// It was stopped, a segment cannot be read, or the disk refused something. The round is over, and the files of
    /// this step are gone as far as the disk allows. What earlier steps gave back is as good as before.
    pub fn step(&mut self, pace: &mut dyn Pace) -> Result<Option<Replacement>, CompactionError> {
        // Where an error has left it in the middle of a segment, it does not know what it has passed.
        if self.has_failed {
            return Err(CompactionError::Stopped);
        }
        while let Some(&count) = self.groups.front() {
            let changed_before = self.round.statistics().changed();
            let numbers = self.passed..self.passed + count;
            let result = self.write(numbers.clone(), pace);
            self.has_failed = result.is_err();
            let replacement = result?;
            self.passed = numbers.end;
            self.groups.pop_front();
            if count > 1 || self.round.statistics().changed() > changed_before {
                return Ok(Some(replacement));
            }
            replacement.discard(&self.files)?;
        }
        Ok(None)
    }

    fn write(&mut self, numbers: Range<usize>, pace: &mut dyn Pace) -> Result<Replacement, CompactionError> {
        let replaced = self.segments.get(numbers.clone()).unwrap_or_default().to_vec();
        let mut replacement = Replacement { replaced, segments: Vec::new() };
        let (Some(first), Some(last)) = (replacement.replaced.first(), replacement.replaced.last()) else {
            return Ok(replacement);
        };
        let kind = Kind { created_ms: last.facts().created_ms, ..self.kind };
        let mut writer = GroupWriter::begin(&self.files, first, kind)?;
        let mut sources = numbers
            .filter_map(|number| SegmentSource::new(&self.files, &self.segments, &self.unindexed, number));
        let passed = sources.try_for_each(|source| self.round.pass(&source, &mut writer, pace));
        let result = passed.and_then(|()| writer.finish());
        if result.is_err() {
            writer.discard();
        }
        replacement.segments = result?;
        Ok(replacement)
    }

    /// Ends the round. Before its last step, nothing more of the log is clean than it was.
    pub fn finish(self) -> Cleaned {
        let cleaned = self.round.finish();
        match self.groups.is_empty() {
            true => cleaned,
            false => Cleaned { cleaned_to: self.first_dirty_offset, is_partial: true, ..cleaned },
        }
    }
}

impl Replacement {
    /// Gives the new segments the names of the old ones, and removes what is left of these. The manifest must name
    /// the new segments and no longer the old ones, durably. Whoever reads an old one can go on doing so.
    ///
    /// # Errors
    /// The disk's. It has to be done again before the new segments can be read.
    pub fn swap(&self, files: &Files) -> Result<(), CompactionError> {
        for old in &self.replaced {
            match old.hold_open(files) {
                // There is no file if there is nothing in it.
                Err(_) if old.length() == 0 => old.let_go(),
                result => result?,
            }
        }
        let (disk, layout) = (files.disk(), files.layout());
        for new in &self.segments {
            finish_swap(disk, layout, new.partition(), new.base_offset(), new.generation())?;
            new.indexes_written(files);
        }
        for old in &self.replaced {
            let heir = self.segments.iter().find(|new| new.base_offset() == old.base_offset());
            if let Some(new) = heir {
                files.pass_name(old, new);
            }
            files.forget(old);
            if heir.is_none() {
                for kind in FileKind::ALL {
                    remove_if_there(disk, &layout.segment(old.partition(), old.base_offset(), kind))?;
                }
            }
        }
        Ok(())
    }

    /// Removes the new segments, where the old ones are not what they were any more, or are to stay.
    ///
    /// # Errors
    /// The disk's.
    pub fn discard(&self, files: &Files) -> Result<(), CompactionError> {
        self.segments.iter().try_for_each(|segment| discard(files, segment))
    }
}

impl Candidate {
    /// What is known of a segment, and what the wall's clock showed when it was last appended to, or later.
    pub(crate) fn new(segment: &Segment, appended_ms: i64) -> Self {
        let facts = segment.facts();
        Self {
            base_offset: segment.base_offset(),
            end_offset: facts.end_offset,
            bytes: facts.length,
            max_timestamp: facts.max_timestamp,
            first_timestamp: facts.first_timestamp,
            appended_ms,
        }
    }
}

/// A segment, and those behind it.
struct SegmentSource<'a> {
    files: &'a Files,
    segment: &'a Segment,
    from_here: &'a [Arc<Segment>],
    unindexed: &'a [AbortedTransaction],
}

impl<'a> SegmentSource<'a> {
    fn new(
        files: &'a Files,
        segments: &'a [Arc<Segment>],
        unindexed: &'a [AbortedTransaction],
        number: usize,
    ) -> Option<Self> {
        let from_here = segments.get(number..)?;
        Some(Self { files, segment: from_here.first()?, from_here, unindexed })
    }
}

impl Source for SegmentSource<'_> {
    type Batches<'a>
        = BatchReader<'a>
    where
        Self: 'a;

    fn end_offset(&self) -> i64 {
        self.segment.end_offset()
    }

    fn aborted(&self) -> Result<Vec<AbortedTransaction>, CompactionError> {
        let mut transactions = Vec::new();
        for segment in self.from_here {
            let found = segment.aborted(self.files, self.segment.base_offset(), self.end_offset())?;
            transactions.extend(found.transactions);
            if found.is_complete {
                return Ok(transactions);
            }
        }
        let begins_here = |one: &&AbortedTransaction| one.first_offset < self.end_offset();
        transactions.extend(self.unindexed.iter().filter(begins_here));
        Ok(transactions)
    }

    fn batches(&self) -> Result<BatchReader<'_>, CompactionError> {
        Ok(self.segment.batches(self.files, 0)?)
    }

    fn failed(&self, position: u64, source: BatchError) -> CompactionError {
        let layout = self.files.layout();
        let path = layout.segment(self.segment.partition(), self.segment.base_offset(), FileKind::Log);
        SegmentError::Records { path, position, source }.into()
    }
}

impl Batches for BatchReader<'_> {
    fn next(&mut self) -> Result<Option<(u64, BatchView<'_>)>, CompactionError> {
        Ok(BatchReader::next(self)?)
    }
}
