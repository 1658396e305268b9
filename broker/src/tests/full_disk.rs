//! A disk that is full, and an engine so small that this is soon felt.

use strandline_log::disk::Disk;
use strandline_log::disk::simulated::SimulatedDisk;
use strandline_log::engine::Options;
use strandline_log::journal;
use strandline_log::manifest::ManifestOptions;

/// How large the disk is when it is not full.
pub(crate) const CAPACITY_BYTES: u64 = 1 << 40;

/// The engine looks more often than this whether there is room again.
pub(crate) const PAUSE_MS: u32 = 1_100;

/// What is kept for what has to be written on a full disk.
pub(crate) const RESERVE_BYTES: u64 = 64 << 10;

pub(crate) fn small_options() -> Options {
    Options {
        journal: journal::Options {
            file_bytes: 64 << 10,
            bytes_max: 256 << 10,
            entries_max: 1_000,
            group_bytes_max: 16 << 10,
            placed_bytes_min: 4 << 10,
        },
        manifest: ManifestOptions { file_bytes: 64 << 10 },
        reserve_bytes: RESERVE_BYTES,
        ..Options::default()
    }
}

/// Makes the disk so small that so many bytes are free.
pub(crate) fn fill_but(disk: &SimulatedDisk, free_bytes: u64) {
    disk.set_capacity(CAPACITY_BYTES);
    disk.set_capacity(CAPACITY_BYTES - disk.free_bytes().unwrap() + free_bytes);
}

/// Makes the disk as small as what is on it.
pub(crate) fn fill(disk: &SimulatedDisk) {
    fill_but(disk, 0);
}
