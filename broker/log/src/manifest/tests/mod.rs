//! The manifest against a model of it, on a disk that fails.

mod rules;
mod simulation;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::{Changes, Manifest, ManifestError, ManifestOptions, Meta, PartitionRow};
use crate::config::LogConfig;
use crate::disk::Disk;
use crate::disk::simulated::{self, SimulatedDisk};
use crate::local_id::LocalId;
use crate::random::Random;
use crate::segment::SegmentFacts;

const FOLDER: &str = "/manifest";

/// Small enough that bases come often and transactions have several chunks.
const OPTIONS: ManifestOptions = ManifestOptions { file_bytes: 32 << 10 };

fn new_disk(seed: u64) -> SimulatedDisk {
    SimulatedDisk::new(simulated::Options { seed, ..simulated::Options::default() })
}

fn open(disk: &SimulatedDisk) -> Result<Manifest, ManifestError> {
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    Manifest::open(shared, Path::new(FOLDER), OPTIONS, Random::from_seed(disk.operations()))
}

fn partition_row(number: i64) -> PartitionRow {
    PartitionRow {
        description: vec![7; usize::try_from(number % 50).unwrap()],
        config: LogConfig { retention_ms: number, ..LogConfig::default() },
        includes_sequence: number.unsigned_abs(),
        log_start: number,
        local_start: None,
        flushed_to: number + 1,
        cleaned_to: None,
        is_swapping: false,
        epochs: (0..number % 3).map(|epoch| (epoch.try_into().unwrap(), epoch)).collect(),
    }
}

fn segment_row(number: i64) -> SegmentFacts {
    SegmentFacts {
        generation: 1,
        length: number.unsigned_abs(),
        end_offset: number,
        max_timestamp: number,
        first_timestamp: number,
        created_ms: number,
        is_sealed: number % 2 == 0,
    }
}

/// All that is said about a partition.
#[derive(Clone, Debug, Default, PartialEq)]
struct Partition {
    row: Option<PartitionRow>,
    segments: BTreeMap<i64, SegmentFacts>,
    snapshots: BTreeMap<i64, Vec<u8>>,
}

/// What a manifest says.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    meta: Meta,
    partitions: BTreeMap<LocalId, Partition>,
}

impl Model {
    fn apply(&mut self, changes: &Changes) {
        let Changes { checkpoint, next_local_id, partitions, segments, snapshots, removed } = changes;
        self.meta = Meta { checkpoint: *checkpoint, next_local_id: *next_local_id };
        for (partition, row) in partitions {
            self.partitions.entry(*partition).or_default().row = Some(row.clone());
        }
        for (partition, offset, row) in segments {
            let segments = &mut self.partitions.entry(*partition).or_default().segments;
            match row {
                Some(row) => drop(segments.insert(*offset, *row)),
                None => drop(segments.remove(offset)),
            }
        }
        for (partition, offset, snapshot) in snapshots {
            let snapshots = &mut self.partitions.entry(*partition).or_default().snapshots;
            match snapshot {
                Some(snapshot) => drop(snapshots.insert(*offset, snapshot.clone())),
                None => drop(snapshots.remove(offset)),
            }
        }
        for partition in removed {
            self.partitions.remove(partition);
        }
    }

    /// What a manifest says, as it says it.
    fn read(manifest: &Manifest) -> Result<Self, ManifestError> {
        let mut model = Self { meta: manifest.meta(), ..Self::default() };
        manifest.load(|partition, row, segments| {
            assert!(model.partitions.last_key_value().is_none_or(|(last, _)| *last < partition));
            assert!(segments.is_sorted_by_key(|(base_offset, _)| *base_offset));
            let segments = segments.into_iter().collect();
            let loaded = Partition { row: Some(row), segments, snapshots: BTreeMap::new() };
            model.partitions.insert(partition, loaded);
        })?;
        for (partition, loaded) in &mut model.partitions {
            let mut below = i64::MAX;
            while let Some((offset, snapshot)) = manifest.snapshot_at_or_below(*partition, below)? {
                loaded.snapshots.insert(offset, snapshot);
                below = offset - 1;
            }
        }
        Ok(model)
    }
}
