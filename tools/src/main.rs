//! The `strandline` binary. Owns the command line: what is asked for, and how answers are printed. What is
//! true about the wire it takes from the protocol crate and never states again.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use cluster::Failure;

mod arguments;
mod bench;
mod check;
mod cluster;
mod config;
mod consume;
mod descriptors;
mod dump;
mod examples;
mod group;
mod hint;
mod logging;
mod memory;
mod overview;
mod places;
mod produce;
mod profile;
mod progress;
mod readable;
mod results;
mod serve;
mod shell;
mod sizes;
mod table;
mod time;
mod top;
mod topic;
mod transaction;
mod wire;

#[cfg(feature = "count-allocations")]
#[global_allocator]
static ALLOCATOR: bench::allocations::Counting = bench::allocations::Counting;

/// A Kafka-compatible message broker, and the command line of any Kafka cluster.
#[derive(Parser)]
#[command(name = "strandline", version)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

/// What every command ends with; the numbers stay as they are.
const EXIT_CODES: &str = "Exit codes: 0 all was done, 1 something was not, 2 nothing was begun since the command line, or a \
                          file or folder that it names, is wrong, 3 no broker could be asked.";

#[derive(Subcommand)]
enum Command {
    /// Runs a broker for the work at hand: one node, topics made as they are asked for, everything in one folder.
    Dev(serve::ServePlan),
    /// Runs a broker.
    Serve(serve::ServePlan),
    /// Makes, lists, describes, changes, shortens and deletes topics of any Kafka cluster.
    #[command(subcommand)]
    Topic(topic::TopicCommand),
    /// Writes records to a topic of any Kafka cluster: lines from the standard input or a file.
    Produce(produce::Produce),
    /// Reads records from topics of any Kafka cluster, by itself or as a member of a group.
    Consume(consume::Consume),
    /// Lists and describes consumer groups of any Kafka cluster, and lets them go on from elsewhere.
    #[command(subcommand)]
    Group(group::GroupCommand),
    /// Lists, describes and aborts transactions of any Kafka cluster.
    #[command(subcommand)]
    Transaction(transaction::TransactionCommand),
    /// Shows what a Kafka cluster is made of: brokers, folders, features, quorum, APIs.
    #[command(subcommand)]
    Cluster(overview::ClusterCommand),
    /// Says what can be set, and shows and changes settings of any Kafka cluster.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Says where clusters are, under a name each.
    #[command(subcommand)]
    Profile(profile::ProfileCommand),
    /// Shows brokers, topics and groups of any Kafka cluster as they are from moment to moment.
    Top(top::Top),
    /// Shows what lies in the data directory of a broker of ours, in words, and changes nothing.
    #[command(subcommand)]
    Log(dump::LogCommand),
    /// Looks over the data directory of a broker that is not running, and changes nothing.
    Check(check::CheckPlan),
    /// Measures on this machine, and prints a table.
    #[command(subcommand)]
    Bench(bench::BenchCommand),
    /// Describes the wire protocol as this binary speaks it.
    #[command(subcommand)]
    Wire(wire::WireCommand),
    /// Prints what a shell needs to complete commands and options.
    Completions(shell::Completions),
    /// Writes a page for `man` of each command.
    Man(shell::Man),
}

/// The command line as it is read, helped with and described to shells.
fn command_line() -> clap::Command {
    fn with_help(command: clap::Command, path: &str) -> clap::Command {
        let examples = examples::of(path).iter().map(|example| format!("  {example}\n"));
        let examples: String = examples.collect();
        let before = if examples.is_empty() { String::new() } else { format!("Examples:\n{examples}\n") };
        command.after_long_help(format!("{before}{EXIT_CODES}")).mut_subcommands(|command| {
            let path = format!("{path} {}", command.get_name());
            with_help(command, path.trim_start())
        })
    }
    with_help(CommandLine::command(), "").after_help(EXIT_CODES)
}

fn main() -> ExitCode {
    let command_line = match CommandLine::from_arg_matches(&command_line().get_matches()) {
        Ok(command_line) => command_line,
        Err(error) => error.exit(),
    };
    let mut out = io::stdout().lock();
    let result = match command_line.command {
        Command::Topic(command) => topic::run(&command, &mut out),
        Command::Produce(produce) => produce::run(&produce, &mut out),
        Command::Consume(consume) => consume::run(&consume, &mut out),
        Command::Group(command) => group::run(&command, &mut out),
        Command::Transaction(command) => transaction::run(&command, &mut out),
        Command::Cluster(command) => overview::run(&command, &mut out),
        Command::Config(command) => config::run(&command, &mut out),
        Command::Profile(command) => profile::run(&command, &mut out),
        Command::Wire(command) => wire::run(&command, &mut out).map_err(Failure::from),
        Command::Dev(plan) => serve::dev(&plan, &mut out),
        Command::Serve(plan) => serve::serve(&plan, &mut out),
        Command::Top(top) => top::run(&top, &mut out),
        Command::Log(command) => dump::run(&command, &mut out),
        Command::Check(plan) => check::run(&plan, &mut out),
        Command::Bench(command) => bench::run(&command, &mut out),
        Command::Completions(plan) => {
            shell::completions(&plan, self::command_line(), &mut out).map_err(Failure::from)
        }
        Command::Man(plan) => shell::man(&plan, self::command_line(), &mut out),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_makes_sense_and_each_help_states_the_exit_codes() {
        fn look(command: &mut clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            let help = command.render_long_help().to_string();
            assert!(help.contains("Exit codes: 0 all was done"), "{path}: {help}");
            assert!(command.get_about().is_some(), "{path} says nothing of itself");
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{path}: {} says nothing", argument.get_id());
            }
            let subcommands = command.get_subcommands_mut();
            subcommands
                .filter(|command| !command.is_hide_set() && command.get_name() != "help")
                .for_each(|subcommand| look(subcommand, &path));
        }
        command_line().debug_assert();
        look(&mut command_line(), "");
    }

    /// What prints something else than an answer: a broker's log, a file, or nothing.
    const WITHOUT_JSON: [&str; 8] =
        ["dev", "serve", "completions", "man", "default", "reference", "set", "log-part"];

    #[test]
    fn what_answers_answers_programs_too() {
        fn look(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            let has_output = || command.get_arguments().any(|argument| argument.get_id() == "output");
            let is_left_out = WITHOUT_JSON.contains(&command.get_name());
            if is_left_out || command.get_name() == "help" {
                return;
            }
            assert!(command.has_subcommands() || has_output(), "{path} has no -o json");
            command.get_subcommands().for_each(|subcommand| look(subcommand, &path));
        }
        look(&command_line(), "");
    }
}
