//! The command line: what can be typed, and the way from there to the code that does it.
//!
//! Every command ends in one of two ways: its answer on stdout and code 0, or one readable block on stderr and code 1.
//! Wrong usage is clap's, with code 2.

mod failure;
mod terminal;
mod client;
mod answer;
mod table;
mod query;
mod prompt;
mod produce;
mod settings;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use answer::{AnswerFormat, shown as shown_answer};
pub use failure::Failure;
pub(crate) use terminal::say;

use crate::{quickstart, serve};

/// Where commands look for a server when nothing else is said.
const SERVER_DEFAULT: &str = "http://127.0.0.1:8099";

/// Everything that can be typed.
#[derive(Debug, Parser)]
#[command(
    name = "meunier",
    version,
    about = "Kafka topics as SQL tables: ingests, stores and answers in one process",
    after_help = "Examples:
  meunier quickstart                                         try everything, nothing else needed
  meunier serve --data-dir ./data                            work on your own Kafka
  meunier table create --schema S.json --table T.json        make a topic a table
  meunier query \"SELECT COUNT(*) FROM clickstream\"           ask"
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything on an embedded Kafka with a sample stream
    Quickstart(QuickstartArgs),
    /// Run the server
    Serve(ServeArgs),
    /// Create, show, steer and delete tables
    Table(table::TableArgs),
    /// Ask in SQL: from an argument, stdin, or a prompt
    Query(query::QueryArgs),
    /// Write a sample stream to a Kafka topic
    Produce(produce::ProduceArgs),
    /// Ask whether a server is alive
    Health(ServerArgs),
    /// Print the version
    Version,
}

/// What `serve` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  meunier serve --data-dir ./data
  meunier serve --listen 0.0.0.0:8099 --data-dir /var/lib/meunier
  meunier serve --config meunier.toml

All other settings are in the file or in environment variables, see docs/reference/configuration.md.
Flags override the environment, which overrides the file.")]
pub struct ServeArgs {
    #[command(flatten)]
    settings: SettingsArgs,
}

/// Settings that have flags.
#[derive(Debug, Args)]
struct SettingsArgs {
    /// TOML file with settings
    #[arg(long, value_name = "FILE", env = "MEUNIER_CONFIG")]
    config: Option<PathBuf>,
    /// Address and port of HTTP [default: 127.0.0.1:8099]
    #[arg(long, value_name = "ADDR:PORT", env = "MEUNIER_LISTEN")]
    listen: Option<String>,
    /// Directory of all data [default: ./data; quickstart: a temporary one]
    #[arg(long, value_name = "DIR", env = "MEUNIER_DATA_DIR")]
    data_dir: Option<String>,
}

/// What `quickstart` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  meunier quickstart
  meunier quickstart --stream orders --rate 5000
  meunier quickstart --listen 127.0.0.1:8100

The Kafka broker runs inside this process, in memory, for demonstration. Ctrl-C stops everything.")]
pub struct QuickstartArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    /// Sample stream to run
    #[arg(long, value_enum, default_value_t = SampleStream::Clickstream)]
    stream: SampleStream,
    /// Events a second
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: u32,
}

/// Which server a command talks to.
#[derive(Debug, Clone, Args)]
struct ServerArgs {
    /// URL of the server
    #[arg(long, value_name = "URL", env = "MEUNIER_SERVER", default_value = SERVER_DEFAULT)]
    server: String,
}

/// The sample streams, by the names of their tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum SampleStream {
    Clickstream,
    Orders,
    Trips,
    ServerMetrics,
    IotSensors,
    AppLogs,
}

impl From<SampleStream> for meunier_sample::Stream {
    fn from(stream: SampleStream) -> meunier_sample::Stream {
        match stream {
            SampleStream::Clickstream => meunier_sample::Stream::Clickstream,
            SampleStream::Orders => meunier_sample::Stream::Orders,
            SampleStream::Trips => meunier_sample::Stream::Trips,
            SampleStream::ServerMetrics => meunier_sample::Stream::ServerMetrics,
            SampleStream::IotSensors => meunier_sample::Stream::IotSensors,
            SampleStream::AppLogs => meunier_sample::Stream::AppLogs,
        }
    }
}

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal::say_failure(&failure);
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Quickstart(args) => {
            let config = settings::load(&args.settings, settings::Purpose::Quickstart)?;
            quickstart::run(config, quickstart::Demo { stream: args.stream.into(), rate: args.rate })
        }
        Command::Serve(args) => serve::run(settings::load(&args.settings, settings::Purpose::Serve)?),
        Command::Table(args) => table::run(args),
        Command::Query(args) => query::run(&args),
        Command::Produce(args) => produce::run(args),
        Command::Health(args) => health(&args),
        Command::Version => say(&format!("meunier {}", env!("CARGO_PKG_VERSION"))),
    }
}

fn health(args: &ServerArgs) -> Result<(), Failure> {
    let client = client::ServerClient::new(&args.server)?;
    say(client.get_text("/health")?.trim())
}

#[cfg(test)]
mod tests;
