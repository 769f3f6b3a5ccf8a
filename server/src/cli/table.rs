//! `meunier table …`: makes, shows, steers and deletes tables of a running server.

mod create;
mod show;

use std::io::{self, BufRead, IsTerminal};
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::ServerArgs;
use super::client::{ServerClient, path_step};
use super::failure::Failure;
use super::terminal::{note, say};

/// Pause between two looks at a seal under way.
const SEAL_POLL: Duration = Duration::from_millis(100);
/// Longest wait for a seal.
const SEAL_TIMEOUT: Duration = Duration::from_secs(120);

/// What `table` takes.
#[derive(Debug, Args)]
pub(super) struct TableArgs {
    #[command(subcommand)]
    command: TableCommand,
}

#[derive(Debug, Subcommand)]
enum TableCommand {
    /// Make a Kafka topic a table, from a schema and a table config
    Create(create::CreateArgs),
    /// List tables with their state, rows and lag
    List(ServerArgs),
    /// Show one table: every partition with its state and reason
    Show(show::ShowArgs),
    /// Stop reading a table's topic; its rows stay
    Pause(PauseArgs),
    /// Go on reading a table's topic
    Resume(ResumeArgs),
    /// Seal and commit all rows now
    Seal(NameArgs),
    /// Delete a table with its rows and files; the Kafka topic stays
    Delete(DeleteArgs),
}

/// A table of a server.
#[derive(Debug, Args)]
struct NameArgs {
    /// Name of the table
    name: String,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  meunier table pause clickstream --comment \"moving the topic\"")]
struct PauseArgs {
    #[command(flatten)]
    table: NameArgs,
    /// Why, for whoever looks at the table
    #[arg(long, value_name = "TEXT", default_value = "")]
    comment: String,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  meunier table resume clickstream
  meunier table resume clickstream --from smallest     when Kafka has deleted what was to be read next")]
struct ResumeArgs {
    #[command(flatten)]
    table: NameArgs,
    /// Where to go on
    #[arg(long, value_enum, default_value_t = ResumeFrom::LastConsumed)]
    from: ResumeFrom,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ResumeFrom {
    /// After the last record read
    LastConsumed,
    /// At the oldest record Kafka has
    Smallest,
    /// After the newest record Kafka has
    Largest,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  meunier table delete clickstream --yes")]
struct DeleteArgs {
    #[command(flatten)]
    table: NameArgs,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

pub(super) fn run(args: TableArgs) -> Result<(), Failure> {
    match args.command {
        TableCommand::Create(args) => create::run(&args),
        TableCommand::List(args) => show::list(&ServerClient::new(&args.server)?),
        TableCommand::Show(args) => show::run(&args),
        TableCommand::Pause(args) => pause(&args),
        TableCommand::Resume(args) => resume(&args),
        TableCommand::Seal(args) => seal(&args),
        TableCommand::Delete(args) => delete(&args),
    }
}

fn pause(args: &PauseArgs) -> Result<(), Failure> {
    let client = ServerClient::new(&args.table.server.server)?;
    let comment = path_step(&args.comment);
    let path = format!("/tables/{}/pauseConsumption?comment={comment}", path_step(&args.table.name));
    client.post(&path, &json!({}))?.success()?;
    say(&format!("{} is paused; `meunier table resume {0}` goes on", args.table.name))
}

fn resume(args: &ResumeArgs) -> Result<(), Failure> {
    let client = ServerClient::new(&args.table.server.server)?;
    let from = match args.from {
        ResumeFrom::LastConsumed => "lastConsumed",
        ResumeFrom::Smallest => "smallest",
        ResumeFrom::Largest => "largest",
    };
    let path = format!("/tables/{}/resumeConsumption?consumeFrom={from}", path_step(&args.table.name));
    client.post(&path, &json!({}))?.success()?;
    say(&format!("{} goes on", args.table.name))
}

fn seal(args: &NameArgs) -> Result<(), Failure> {
    let client = ServerClient::new(&args.server.server)?;
    let started =
        client.post(&format!("/tables/{}/forceCommit", path_step(&args.name)), &json!({}))?.success()?;
    let id = started["forceCommitJobId"].as_str().unwrap_or_default().to_owned();
    let deadline = Instant::now() + SEAL_TIMEOUT;
    loop {
        let status = client.get(&format!("/tables/forceCommitStatus/{}", path_step(&id)))?.success()?;
        let pending = status["numberOfSegmentsYetToBeCommitted"].as_u64().unwrap_or(0);
        let all = status["segmentsForceCommitted"].as_array().map_or(0, Vec::len);
        if pending == 0 {
            return say(&format!("{}: {all} {} sealed and committed", args.name, segments_word(all)));
        }
        if Instant::now() >= deadline {
            return Err(Failure::new(format!("{pending} of {all} segments are not committed yet")).next(
                format!("`meunier table show {}` shows what holds them up; the seal goes on", args.name),
            ));
        }
        sleep(SEAL_POLL);
    }
}

fn segments_word(count: usize) -> &'static str {
    if count == 1 { "segment" } else { "segments" }
}

fn delete(args: &DeleteArgs) -> Result<(), Failure> {
    let client = ServerClient::new(&args.table.server.server)?;
    let name = &args.table.name;
    let path = format!("/tables/{}", path_step(name));
    client.get(&path)?.success()?;
    if !args.yes && io::stdin().is_terminal() {
        note(&format!("This deletes table {name} with all its rows and files. Write its name to go on:"));
        let mut line = String::new();
        io::stdin()
            .lock()
            .read_line(&mut line)
            .map_err(|error| Failure::new("cannot read from the terminal").detail(error.to_string()))?;
        if line.trim() != name {
            return Err(Failure::new("nothing was deleted, as the name was not given"));
        }
    }
    client.delete(&path)?.success()?;
    say(&format!("deleted table {name}"))
}

/// Returns lines about what was noticed in accepted documents: the weightiest first, one line for all places of a message.
fn notes_of(answer: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for (list, weight) in
        [("changesAnswers", "WARNING, answers differ"), ("warnings", "warning"), ("notSupported", "note")]
    {
        let mut places_of: Vec<(&str, Vec<&str>)> = Vec::new();
        for item in answer[list].as_array().into_iter().flatten() {
            let text = |key: &str| item[key].as_str().unwrap_or_default();
            match places_of.iter_mut().find(|(message, _)| *message == text("message")) {
                Some((_, places)) => places.push(text("path")),
                None => places_of.push((text("message"), vec![text("path")])),
            }
        }
        for (message, places) in places_of {
            let place = match places.as_slice() {
                [] | [""] => String::new(),
                [place] => format!(" ({place})"),
                [first, others @ ..] => format!(" ({first} and {} more)", others.len()),
            };
            lines.push(format!("  {weight}: {message}{place}"));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_about_many_places_is_one_line() {
        let note = |path: &str, message: &str| json!({"path": path, "message": message});
        let answer = json!({
            "notSupported": [note("/a/0", "not built"), note("/a/1", "not built"), note("/b", "not used")],
            "changesAnswers": [note("/upsertConfig", "all versions count")],
            "warnings": [note("", "no topic")],
        });
        let expected = [
            "  WARNING, answers differ: all versions count (/upsertConfig)",
            "  warning: no topic",
            "  note: not built (/a/0 and 1 more)",
            "  note: not used (/b)",
        ];
        assert_eq!(notes_of(&answer), expected);
    }
}
