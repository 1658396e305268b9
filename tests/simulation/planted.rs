//! The simulation finds mistakes: each of these was made on purpose, and is found.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::plants::{self, Lie, LyingDisk};
use crate::run::run;
use crate::subject::{HONEST, Subject};

/// How many seeds may pass before a mistake is found.
const SEEDS_MAX: u64 = 400;

fn is_found(subject: Subject) {
    for seed in 0..SEEDS_MAX {
        match catch_unwind(AssertUnwindSafe(|| run(seed, subject))) {
            Ok(Ok(_)) => continue,
            Ok(Err(violation)) => println!("seed {seed}: {violation}"),
            Err(_) => println!("seed {seed}: an assertion of the broker"),
        }
        return;
    }
    panic!("nobody noticed");
}

macro_rules! lies {
    ($($name:ident: $lie:expr;)*) => {$(
        #[test]
        fn $name() {
            is_found(Subject { disk: |disk| Arc::new(LyingDisk { disk: disk.clone(), lie: $lie }), ..HONEST });
        }
    )*};
}

lies! {
    a_sync_that_is_left_out: Lie::Sync;
    a_sync_of_names_that_is_left_out: Lie::DirectorySync;
    an_answer_before_the_sync: Lie::LateSync;
}

macro_rules! services {
    ($($name:ident: $service:path;)*) => {$(
        #[test]
        fn $name() {
            is_found(Subject { service: $service, ..HONEST });
        }
    )*};
}

services! {
    a_duplicate_that_is_answered_before_its_original_is_durable: plants::duplicate_answered_early;
    a_duplicate_that_nobody_notices: plants::deduplication_off;
    a_fetch_of_what_is_not_durable: plants::read_before_durable;
    a_log_that_is_said_to_be_shorter: plants::forgotten_shortening;
    a_producer_id_for_two: plants::producer_id_twice;
    a_topic_that_comes_back_with_its_old_records: plants::recreated_as_it_was;
    an_acknowledgement_without_a_disk: plants::offline_acknowledges;
    a_compression_that_is_left_out: plants::not_recompressed;
    a_partition_that_is_not_made: plants::partitions_not_made;
    a_record_that_its_time_does_not_find: plants::time_looked_up_late;
    a_truncation_that_nobody_is_told_of: plants::truncation_not_told;
    answers_in_another_order_than_their_requests: plants::answers_as_they_come;
    requests_that_overtake_each_other: plants::requests_as_they_come;
}
