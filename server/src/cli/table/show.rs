//! `meunier table list` and `show`: what `/ready` says, for people.

use clap::Args;
use comfy_table::{Cell, CellAlignment, Table, presets};
use serde_json::Value;

use super::super::client::{ServerClient, path_step};
use super::super::failure::Failure;
use super::super::terminal::{printable, say};
use super::NameArgs;

/// What `table show` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  meunier table show clickstream              partitions with state, offsets and lag
  meunier table show clickstream --config     schema and table config as JSON")]
pub(super) struct ShowArgs {
    #[command(flatten)]
    table: NameArgs,
    /// Print schema and table config as JSON
    #[arg(long)]
    config: bool,
}

pub(super) fn list(client: &ServerClient) -> Result<(), Failure> {
    let ready = client.get("/ready")?.body;
    let tables = ready["tables"].as_array().map(Vec::as_slice).unwrap_or_default();
    if tables.is_empty() {
        return say("no tables; `meunier table create --schema FILE --table FILE` makes one");
    }
    let mut shown = grid(&["table", "state", "rows", "rejected", "lag", "partitions", "note"], &[2, 3, 4, 5]);
    for table in tables {
        let partitions = partitions_of(table);
        shown.add_row([
            text(table, "tableName"),
            text(table, "state"),
            sum(partitions, "rows").to_string(),
            sum(partitions, "rejected").to_string(),
            sum(partitions, "recordsLag").to_string(),
            partition_states(partitions),
            note(table),
        ]);
    }
    say(&shown.to_string())
}

pub(super) fn run(args: &ShowArgs) -> Result<(), Failure> {
    let client = ServerClient::new(&args.table.server.server)?;
    let config = client.get(&format!("/tableConfigs/{}", path_step(&args.table.name)))?.success()?;
    if args.config {
        return say(&serde_json::to_string_pretty(&config).expect("a JSON value is always JSON"));
    }
    let ready = client.get("/ready")?.body;
    let name = &config["tableName"];
    let Some(table) =
        ready["tables"].as_array().into_iter().flatten().find(|table| table["tableName"] == *name)
    else {
        return Err(Failure::new(format!("table `{}` was deleted just now", args.table.name)));
    };
    let mut lines = vec![format!("{}: {}", text(table, "tableName"), text(table, "state"))];
    if !note(table).is_empty() {
        lines.push(format!("  {}", note(table)));
    }
    lines.push(partition_grid(partitions_of(table)).to_string());
    say(&lines.join("\n"))
}

fn partition_grid(partitions: &[Value]) -> Table {
    let columns = [
        "partition",
        "state",
        "rows",
        "rejected",
        "committed",
        "visible",
        "end",
        "lag",
        "not sealed",
        "reason",
    ];
    let mut shown = grid(&columns, &[0, 2, 3, 4, 5, 6, 7, 8]);
    for partition in partitions {
        let reason = if partition["reason"].is_null() { "lastError" } else { "reason" };
        let keys = [
            "partition",
            "state",
            "rows",
            "rejected",
            "committedOffset",
            "visibleOffset",
            "endOffset",
            "recordsLag",
            "consumingRows",
            reason,
        ];
        shown.add_row(keys.map(|key| text(partition, key)));
    }
    shown
}

/// Returns each state with how many partitions are in it: `8 live`, or `7 live, 1 stuck`.
fn partition_states(partitions: &[Value]) -> String {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for partition in partitions {
        let state = text(partition, "state");
        match counts.iter_mut().find(|(known, _)| *known == state) {
            Some((_, count)) => *count += 1,
            None => counts.push((state, 1)),
        }
    }
    counts.iter().map(|(state, count)| format!("{count} {state}")).collect::<Vec<_>>().join(", ")
}

/// Returns the weightiest thing to know about a table.
fn note(table: &Value) -> String {
    let partitions = partitions_of(table);
    let of_partition = || partitions.iter().map(|p| text(p, "reason")).find(|reason| !reason.is_empty());
    let embedded =
        || (table["embeddedBroker"] == Value::Bool(true)).then(|| "embedded demo broker".to_owned());
    let own = ["reason", "sourceError"].into_iter().map(|key| text(table, key)).find(|text| !text.is_empty());
    own.or_else(of_partition).or_else(embedded).unwrap_or_default()
}

fn partitions_of(table: &Value) -> &[Value] {
    table["partitions"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn sum(partitions: &[Value], key: &str) -> u64 {
    partitions.iter().filter_map(|partition| partition[key].as_u64()).sum()
}

fn text(object: &Value, key: &str) -> String {
    match &object[key] {
        Value::Null => String::new(),
        Value::String(text) => printable(text),
        other => other.to_string(),
    }
}

fn grid(columns: &[&str], numbers: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED).set_header(columns.iter().map(Cell::new));
    for &number in numbers {
        let column = table.column_mut(number).expect("the column was just made");
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
