//! Mistakes that are made on purpose, each around the broker as it is: its disk, or what its clients see of it.

mod deciding;
mod disk;
mod order;
mod rewrite;

pub(crate) use self::deciding::{
    deduplication_off, duplicate_answered_early, forgotten_shortening, offline_acknowledges,
    producer_id_twice, read_before_durable, recreated_as_it_was,
};
pub(crate) use self::disk::{Lie, LyingDisk};
pub(crate) use self::order::{answers_as_they_come, requests_as_they_come};
