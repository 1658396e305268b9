//! The `strandline` binary. Owns the command line: what is asked for, and how answers are printed. What is
//! true about the wire it takes from the protocol crate and never states again.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use cluster::Failure;

mod bench;
mod check;
mod cluster;
mod config;
mod consume;
mod descriptors;
mod group;
mod logging;
mod memory;
mod produce;
mod serve;
mod table;
mod topic;
mod wire;

#[cfg(feature = "count-allocations")]
#[global_allocator]
static ALLOCATOR: bench::allocations::Counting = bench::allocations::Counting;

/// A Kafka-compatible message broker.
#[derive(Parser)]
#[command(name = "strandline", version)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs a broker for the work at hand: one node, topics made as they are asked for, everything in one folder.
    Dev(serve::ServePlan),
    /// Runs a broker.
    Serve(serve::ServePlan),
    /// Describes the wire protocol as this binary speaks it.
    #[command(subcommand)]
    Wire(wire::WireCommand),
    /// Makes, lists, describes and deletes topics of any Kafka cluster.
    #[command(subcommand)]
    Topic(topic::TopicCommand),
    /// Writes records to a topic of any Kafka cluster: lines from the standard input or a file.
    Produce(produce::Produce),
    /// Reads records from a topic of any Kafka cluster.
    Consume(consume::Consume),
    /// Lists and describes consumer groups of any Kafka cluster, and lets them go on from elsewhere.
    #[command(subcommand)]
    Group(group::GroupCommand),
    /// Says what can be set, and shows and changes settings of any Kafka cluster.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Looks over the data directory of a broker that is not running, and changes nothing.
    Check(check::CheckPlan),
    /// Measures on this machine, and prints a table.
    #[command(subcommand)]
    Bench(bench::BenchCommand),
}

fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    let mut out = io::stdout().lock();
    let result = match command_line.command {
        Command::Topic(command) => topic::run(&command, &mut out),
        Command::Produce(produce) => produce::run(&produce, &mut out),
        Command::Consume(consume) => consume::run(&consume, &mut out),
        Command::Group(command) => group::run(&command, &mut out),
        Command::Config(command) => config::run(&command, &mut out),
        Command::Wire(command) => wire::run(&command, &mut out).map_err(Failure::from),
        Command::Dev(plan) => serve::dev(&plan, &mut out),
        Command::Serve(plan) => serve::serve(&plan, &mut out),
        Command::Check(plan) => check::run(&plan, &mut out),
        Command::Bench(command) => bench::run(&command, &mut out),
    };
    match result.and_then(|()| Ok(out.flush()?)) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has seen enough of it.
        Err(Failure::Io(error)) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failure) => {
            // What was done is told before what was not.
            let _ = out.flush();
            let _ = writeln!(io::stderr(), "strandline: {failure}");
            failure.exit_code()
        }
    }
}
