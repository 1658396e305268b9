//! `strandline bench produce|consume|latency|partitions|requests|commits|transactions|rebalance|groups`: what any Kafka
//! broker can do.
//!
//! The client library finds the cluster and makes the topic; what is measured goes over sockets of this module's own
//! ([`link`]), so that the driver takes as little of the machine as it can: one thread, batches built once and patched,
//! no allocation per record, one write for all requests that are ready. What it takes is printed beside the rest.

use std::io::Write;

use clap::Subcommand;

use crate::cluster::Failure;

mod batches;
mod commits;
mod consume;
mod coordinators;
mod fetch;
mod groups;
mod histogram;
mod latency;
mod link;
mod links;
mod member;
mod member_of_new;
mod meter;
mod options;
mod partitions;
mod produce;
mod rebalance;
mod report;
mod requests;
mod target;
mod template;
mod transactional;
mod transactions;
mod usage;

/// What can be measured of a broker.
#[derive(Subcommand)]
pub(crate) enum KafkaBench {
    /// How fast records are taken: full batches to all partitions in turn, or as many records as `--rate` says.
    Produce(produce::Produce),
    /// How fast records are given: from the start of a topic to its end, or on and on.
    Consume(consume::Consume),
    /// How long a record takes from one end to the other at a fixed rate, counted from when it was due.
    Latency(latency::Latency),
    /// How long it takes to make partitions, and until each of them takes its first record.
    Partitions(partitions::Partitions),
    /// How many small requests a broker answers.
    Requests(requests::Requests),
    /// How many commits of offsets a broker takes from many groups.
    Commits(commits::Commits),
    /// How many transactions a broker takes from many producers.
    Transactions(transactions::Transactions),
    /// How long it takes until all members of a classic group have joined, and joined again.
    Rebalance(rebalance::Rebalance),
    /// What many groups with a member each take of a broker: their heartbeats, and its memory.
    Groups(groups::Groups),
}

pub(crate) fn run(bench: &KafkaBench, out: &mut impl Write) -> Result<(), Failure> {
    let (report, output) = match bench {
        KafkaBench::Produce(produce) => (produce.run()?, produce.output()),
        KafkaBench::Consume(consume) => (consume.run()?, consume.output()),
        KafkaBench::Latency(latency) => (latency.run()?, latency.output()),
        KafkaBench::Partitions(partitions) => (partitions.run()?, partitions.output()),
        KafkaBench::Requests(requests) => (requests.run()?, requests.output()),
        KafkaBench::Commits(commits) => (commits.run()?, commits.output()),
        KafkaBench::Transactions(transactions) => (transactions.run()?, transactions.output()),
        KafkaBench::Rebalance(rebalance) => (rebalance.run()?, rebalance.output()),
        KafkaBench::Groups(groups) => (groups.run()?, groups.output()),
    };
    Ok(report.print(output, out)?)
}
