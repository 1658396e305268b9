//! `strandline bench`: programs that measure and print. None of them is a test, none of them ever fails for
//! being slow.

use std::io::Write;

use clap::{Args, Subcommand};

use crate::cluster::{Failure, Output};

pub(crate) mod allocations;
mod kafka;
mod log;
mod measure;
mod wire;

/// What `strandline bench` can measure.
#[derive(Subcommand)]
pub(crate) enum BenchCommand {
    /// The protocol codec: checksums, record batches, messages, compression.
    Wire(Plan),
    /// The storage engine, beside what the disk reaches in the same run.
    Log(log::LogPlan),
    /// A broker, over the network.
    #[command(flatten)]
    Kafka(kafka::KafkaBench),
    /// A part of `log` that needs a process of its own.
    #[command(hide = true, subcommand)]
    LogPart(log::Part),
}

/// How much is measured.
#[derive(Args)]
pub(crate) struct Plan {
    /// How often each contender is measured; they take turns.
    #[arg(long, default_value_t = 101)]
    rounds: usize,
    /// How long one measurement takes at least.
    #[arg(long, default_value_t = 1)]
    sample_ms: u64,
    /// Measure only what has this text in its name.
    #[arg(long, default_value = "")]
    only: String,
    /// How it is printed: JSON is a line for each contender.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

pub(crate) fn run(command: &BenchCommand, out: &mut impl Write) -> Result<(), Failure> {
    match command {
        BenchCommand::Wire(plan) => Ok(wire::run(plan, out)?),
        BenchCommand::Log(plan) => log::run(plan, out),
        BenchCommand::Kafka(bench) => kafka::run(bench, out),
        BenchCommand::LogPart(part) => Ok(log::run_part(part, out)?),
    }
}
