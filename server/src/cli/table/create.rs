//! `meunier table create`: sends a schema and a table config, with the brokers and the topic of this place filled in.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value, json};

use super::super::ServerArgs;
use super::super::client::ServerClient;
use super::super::failure::Failure;
use super::super::terminal::say;
use super::notes_of;

/// What `table create` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  meunier table create --schema schemas/clickstream.schema.json --table schemas/clickstream.table.json
  meunier table create --schema S.json --table T.json --brokers kafka-1:9092,kafka-2:9092 --topic clicks

Both files are Apache Pinot's. The table is created when the brokers answer and have the topic, or with --force.")]
pub(super) struct CreateArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// Schema, in Pinot's JSON
    #[arg(long, value_name = "FILE")]
    schema: PathBuf,
    /// Table config, in Pinot's JSON
    #[arg(long, value_name = "FILE")]
    table: PathBuf,
    /// Kafka brokers, in place of those in the table config
    #[arg(long, value_name = "LIST")]
    brokers: Option<String>,
    /// Kafka topic, in place of the one in the table config
    #[arg(long, value_name = "NAME")]
    topic: Option<String>,
    /// Succeed when the table exists already
    #[arg(long)]
    if_not_exists: bool,
    /// Create the table also when its topic cannot be read now
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &CreateArgs) -> Result<(), Failure> {
    let client = ServerClient::new(&args.server.server)?;
    let schema = read_json("schema", &args.schema)?;
    let mut table = read_json("table config", &args.table)?;
    for (key, value) in
        [("stream.kafka.broker.list", &args.brokers), ("stream.kafka.topic.name", &args.topic)]
    {
        if let Some(value) = value {
            set_in_stream(&mut table, key, value).map_err(|()| {
                Failure::new(format!("{} has no stream config to put `{key}` into", args.table.display()))
                    .next("add `ingestionConfig.streamIngestionConfig.streamConfigMaps`, see schemas/ for examples")
            })?;
        }
    }
    let name = table["tableName"].as_str().unwrap_or_default().to_owned();
    let path = format!("/tableConfigs?force={}", args.force);
    let answer = client.post(&path, &json!({"tableName": name, "schema": schema, "realtime": table}))?;
    if answer.status == 409 && args.if_not_exists {
        return say(&format!("table {name} exists already"));
    }
    if answer.status == 409 {
        return Err(answer.failure().next(format!("`meunier table delete {name}`, or take --if-not-exists")));
    }
    let answer = answer.success()?;
    let mut lines = vec![format!("created table {name}")];
    lines.extend(notes_of(&answer));
    lines.push(format!("  next: meunier query \"SELECT COUNT(*) FROM {name}\""));
    say(&lines.join("\n"))
}

fn read_json(what: &str, path: &Path) -> Result<Value, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::new(format!("cannot read the {what} {}", path.display()))
            .detail(error.to_string())
            .next("check the path; schemas/ holds examples")
    })?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::new(format!("the {what} {} is no JSON", path.display())).detail(error.to_string())
    })
}

/// Sets a key in every stream map of a table config, at either of Pinot's two places, also where it is written `….llc`.
fn set_in_stream(table: &mut Value, key: &str, value: &str) -> Result<(), ()> {
    let mut found = false;
    let maps = table
        .pointer_mut("/ingestionConfig/streamIngestionConfig/streamConfigMaps")
        .and_then(Value::as_array_mut);
    for map in maps.into_iter().flatten().filter_map(Value::as_object_mut) {
        set(map, key, value);
        found = true;
    }
    if let Some(map) = table.pointer_mut("/tableIndexConfig/streamConfigs").and_then(Value::as_object_mut) {
        set(map, key, value);
        found = true;
    }
    if found { Ok(()) } else { Err(()) }
}

fn set(map: &mut Map<String, Value>, key: &str, value: &str) {
    let suffixed = format!("{key}.llc");
    let written = if map.contains_key(&suffixed) { suffixed } else { key.to_owned() };
    map.insert(written, value.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_brokers_at_both_places_and_under_the_old_suffix() {
        let key = "stream.kafka.broker.list";
        let mut table =
            json!({"ingestionConfig": {"streamIngestionConfig": {"streamConfigMaps": [{key: "a"}]}}});
        set_in_stream(&mut table, key, "b").unwrap();
        assert_eq!(table["ingestionConfig"]["streamIngestionConfig"]["streamConfigMaps"][0][key], "b");
        let mut table = json!({"tableIndexConfig": {"streamConfigs": {"stream.kafka.broker.list.llc": "a"}}});
        set_in_stream(&mut table, key, "b").unwrap();
        assert_eq!(table["tableIndexConfig"]["streamConfigs"], json!({"stream.kafka.broker.list.llc": "b"}));
        assert_eq!(set_in_stream(&mut json!({"tableName": "x"}), key, "b"), Err(()));
    }
}
