//! `meunier query`: one statement from an argument, a file or stdin, or a prompt.

use std::fs;
use std::io::{self, IsTerminal, Read};
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::answer::{AnswerFormat, shown};
use super::client::ServerClient;
use super::failure::Failure;
use super::terminal::say;
use super::{ServerArgs, prompt};

/// What `query` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  meunier query \"SELECT country, COUNT(*) FROM clickstream GROUP BY country ORDER BY COUNT(*) DESC LIMIT 5\"
  echo 'SELECT COUNT(*) FROM clickstream' | meunier query --format csv
  meunier query --file report.sql --format json
  meunier query                                              a prompt: end statements with `;`, \\q leaves, \\d lists tables")]
pub(super) struct QueryArgs {
    /// The statement; without it: --file, else stdin, else a prompt
    sql: Option<String>,
    #[command(flatten)]
    server: ServerArgs,
    /// How the answer is shown
    #[arg(long, value_enum, default_value_t = AnswerFormat::Table)]
    format: AnswerFormat,
    /// Read the statement from a file; `-` is stdin
    #[arg(long, value_name = "FILE", conflicts_with = "sql")]
    file: Option<PathBuf>,
}

pub(super) fn run(args: &QueryArgs) -> Result<(), Failure> {
    let client = ServerClient::new(&args.server.server)?;
    let sql = match (&args.sql, &args.file) {
        (Some(sql), _) => sql.clone(),
        (None, Some(file)) if file.as_os_str() != "-" => fs::read_to_string(file).map_err(|error| {
            Failure::new(format!("cannot read {}", file.display()))
                .detail(error.to_string())
                .next("check --file")
        })?,
        (None, None) if io::stdin().is_terminal() => return prompt::run(&client, args.format),
        (None, Some(_) | None) => read_stdin()?,
    };
    say(&shown(&ask(&client, &sql, "")?, args.format)?)
}

/// Sends one statement with its query options and returns the answer.
pub(super) fn ask(client: &ServerClient, sql: &str, options: &str) -> Result<Value, Failure> {
    client.post("/query/sql", &json!({"sql": sql, "queryOptions": options}))?.success()
}

fn read_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| Failure::new("cannot read the statement from stdin").detail(error.to_string()))?;
    if text.trim().is_empty() {
        return Err(Failure::new("stdin holds no statement")
            .next("write one as an argument: meunier query \"SELECT …\""));
    }
    Ok(text)
}
