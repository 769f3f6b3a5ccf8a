//! The prompt of `meunier query`: statements over several lines until `;`, with history.

use std::fs;
use std::path::PathBuf;

use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;
use serde_json::Value;

use super::answer::{AnswerFormat, shown};
use super::client::{ServerClient, path_step};
use super::failure::Failure;
use super::query::ask;
use super::terminal::{say, say_failure};

const HELP: &str = "\
End a statement with `;`.  SET name = value; holds for all statements after it.
  \\d         tables
  \\d NAME    columns of a table
  \\?         this text
  \\q         leave (also Ctrl-D)";

/// What a finished input asks for.
#[derive(Debug, PartialEq, Eq)]
enum Input {
    Leave,
    Help,
    Tables,
    Columns(String),
    Set(String),
    Statement(String),
    Unknown(String),
}

pub(super) fn run(client: &ServerClient, format: AnswerFormat) -> Result<(), Failure> {
    let broken =
        |error: ReadlineError| Failure::new("cannot read from the terminal").detail(error.to_string());
    let mut editor = DefaultEditor::new().map_err(broken)?;
    let history = history_file();
    if let Some(file) = &history {
        // There is none the first time.
        let _ = editor.load_history(file);
    }
    say(&format!("meunier {} at {}; \\? for help", env!("CARGO_PKG_VERSION"), client.url()))?;
    let mut settings: Vec<String> = Vec::new();
    let mut text = String::new();
    loop {
        let line = match editor.readline(if text.is_empty() { "meunier> " } else { "     ..> " }) {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => {
                text.clear();
                continue;
            }
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(broken(error)),
        };
        text.push_str(&line);
        let Some(input) = finished(&text) else {
            text.push('\n');
            continue;
        };
        let _ = editor.add_history_entry(text.trim());
        text.clear();
        let done = match input {
            Input::Leave => break,
            Input::Help => say(HELP),
            Input::Tables => tables(client).and_then(|text| say(&text)),
            Input::Columns(table) => columns(client, &table).and_then(|text| say(&text)),
            Input::Unknown(command) => say(&format!("`{command}` is no command; \\? lists them")),
            Input::Set(setting) => {
                settings.push(setting);
                Ok(())
            }
            Input::Statement(sql) if sql == ";" => Ok(()),
            Input::Statement(sql) => ask(client, &sql, &settings.join(";"))
                .and_then(|answer| shown(&answer, format))
                .and_then(|text| say(&text)),
        };
        if let Err(failure) = done {
            say_failure(&failure);
        }
    }
    if let Some(file) = &history {
        let _ = editor.save_history(file);
    }
    Ok(())
}

/// Returns what the text asks for, or nothing while it is not finished.
fn finished(text: &str) -> Option<Input> {
    let text = text.trim();
    if let Some(command) = text.strip_prefix('\\') {
        let (word, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        let rest = rest.trim().trim_end_matches(';');
        return Some(match (word.trim_end_matches(';'), rest) {
            ("q", _) => Input::Leave,
            ("?" | "h", _) => Input::Help,
            ("d", "") => Input::Tables,
            ("d", table) => Input::Columns(table.to_owned()),
            _ => Input::Unknown(text.to_owned()),
        });
    }
    if text.is_empty() {
        return Some(Input::Statement(";".to_owned()));
    }
    if ["quit", "exit"].contains(&text.trim_end_matches(';').to_ascii_lowercase().as_str()) {
        return Some(Input::Leave);
    }
    if !text.ends_with(';') {
        return None;
    }
    Some(setting(text).map_or_else(|| Input::Statement(text.to_owned()), Input::Set))
}

/// Reads `SET name = value;` that stands alone, as the pair that query options are written in.
fn setting(text: &str) -> Option<String> {
    let (word, rest) = text.split_once(char::is_whitespace)?;
    let (name, value) = rest.trim_end_matches(';').split_once('=')?;
    let is_alone = word.eq_ignore_ascii_case("set") && !value.contains(';');
    is_alone.then(|| format!("{}={}", name.trim(), value.trim().trim_matches('\'')))
}

fn tables(client: &ServerClient) -> Result<String, Failure> {
    let answer = client.get("/tables")?.success()?;
    let names: Vec<&str> =
        answer["tables"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    Ok(if names.is_empty() { "no tables".to_owned() } else { names.join("\n") })
}

fn columns(client: &ServerClient, table: &str) -> Result<String, Failure> {
    let schema = client.get(&format!("/tables/{}/schema", path_step(table)))?.success()?;
    let mut lines = Vec::new();
    for list in ["dimensionFieldSpecs", "metricFieldSpecs", "dateTimeFieldSpecs", "timeFieldSpec"] {
        for field in schema[list].as_array().into_iter().flatten() {
            let text = |key: &str| field[key].as_str().unwrap_or_default().to_owned();
            let many = if field["singleValueField"] == Value::Bool(false) { " multi-value" } else { "" };
            lines.push(format!("{:32} {}{many}", text("name"), text("dataType")));
        }
    }
    Ok(lines.join("\n"))
}

/// Returns the file of the history, its directory made.
fn history_file() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let state = state.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state")))?;
    let directory = state.join("meunier");
    fs::create_dir_all(&directory).ok()?;
    Some(directory.join("query_history"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_ends_with_its_semicolon_and_a_command_with_its_line() {
        assert_eq!(finished("SELECT 1"), None);
        assert_eq!(finished("SELECT 1\n;"), Some(Input::Statement("SELECT 1\n;".into())));
        assert_eq!(finished("\\d"), Some(Input::Tables));
        assert_eq!(finished("\\d trips;"), Some(Input::Columns("trips".into())));
        assert_eq!(finished("\\q"), Some(Input::Leave));
        assert_eq!(finished("exit"), Some(Input::Leave));
        assert_eq!(finished("\\x"), Some(Input::Unknown("\\x".into())));
        assert_eq!(finished("set a = 1;"), Some(Input::Set("a=1".into())));
        assert_eq!(finished("set a = 1; select 1;"), Some(Input::Statement("set a = 1; select 1;".into())));
    }
}
