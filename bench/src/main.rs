//! Runners that measure meunier beside its limits and check it against what was produced.
//!
//! Modules stand in the order things are needed: clocks and the one way to stdout, a broker and its topics, events and what
//! is known of them, a server process and its HTTP, and then one module for each subcommand. `docs/benchmarks.md` says how
//! to run each and what came out.

mod report;
mod measurement;
mod broker;
mod topic;
mod table;
mod events;
mod messages;
mod checks;
mod http_client;
mod server_process;
mod truth;
mod ingest_rate;
mod acceptance;
mod freshness;
mod restart;
mod idle_memory;
mod feed;
mod throughput;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measures meunier beside its limits and checks it against what was produced.
#[derive(Parser)]
#[command(name = "meunier-bench")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Checks on a real Kafka that nothing is lost and nothing is there twice.
    Acceptance(acceptance::Acceptance),
    /// Rows a CPU-second of ingestion, beside consuming alone and parsing alone of the same messages.
    IngestRate(ingest_rate::IngestRate),
    /// Time from produce acknowledgement to visible in SQL, also while segments are sealed.
    Freshness(freshness::Freshness),
    /// Time from the start of a process with many sealed segments to its first answer.
    Restart(restart::Restart),
    /// Memory and CPU time of a server without a table.
    IdleMemory(idle_memory::IdleMemory),
    /// Writes files of JSON lines to a new topic.
    Feed(feed::Feed),
    /// Queries a second over HTTP and their times, under several numbers of clients.
    Throughput(throughput::Throughput),
    /// Runs the embedded broker in this process until its standard input ends, and prints its address.
    #[command(hide = true)]
    Broker(broker::BrokerProcess),
}

fn main() -> ExitCode {
    // The allocator of the `meunier` binary, so that figures taken in this process are figures of that one.
    meunier_allocator::configure();
    let outcome = match Cli::parse().command {
        Command::Acceptance(command) => command.run(),
        Command::IngestRate(command) => command.run(),
        Command::Freshness(command) => command.run(),
        Command::Restart(command) => command.run(),
        Command::IdleMemory(command) => command.run(),
        Command::Feed(command) => command.run(),
        Command::Throughput(command) => command.run(),
        Command::Broker(command) => command.run(),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            report::complain(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
