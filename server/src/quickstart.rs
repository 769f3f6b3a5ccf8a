//! `meunier quickstart`: embedded Kafka, a sample stream, ingestion, queries and HTTP in one process.
//!
//! The embedded broker keeps only 5 MiB a partition and drops older records without a word, so `feed` paces the sample
//! by what is unread, and the end of the run counts: every record of the topic must be there once.

mod banner;
mod feed;
mod settle;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use meunier_ingest::{EmbeddedBroker, Producer};
use meunier_query::{QueryAnswer, QueryRequest};
use meunier_sample::Stream;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::sleep;

use crate::app::AppState;
use crate::cli::{Failure, say};
use crate::config::Config;
use crate::sample_producer::SampleProducer;
use crate::serve::{RunningServer, block_of, runtime};
use crate::store::definition::{self, SentPair};
use crate::store::{CreateOptions, Store};
use crate::{logging, shutdown};
use feed::Feed;

/// Partitions of the sample's topic.
const PARTITIONS: i32 = 8;
/// Seed of the sample.
const SEED: u64 = 1;
/// The sample queries are shown once this share of the history is visible, or this time is over.
const HISTORY_WAIT: Duration = Duration::from_millis(1500);
/// Pause between two looks at something that is on its way.
const POLL: Duration = Duration::from_millis(10);
/// Marks the table in its config as one that a quickstart made, and may replace.
const MARK: &str = "/metadata/customConfigs/createdBy";

/// What is demonstrated.
#[derive(Debug, Clone, Copy)]
pub struct Demo {
    /// The sample stream.
    pub stream: Stream,
    /// Events a second.
    pub rate: u32,
}

/// Runs the demonstration until a signal ends it.
///
/// # Errors
/// When it cannot start, or when the count at the end is not what was produced.
pub fn run(config: Config, demo: Demo) -> Result<(), Failure> {
    logging::start(&config.log);
    let (data_dir, temporary) = data_dir(config.data_dir.clone())?;
    let runtime = runtime()?;
    let ended = runtime.block_on(async {
        let signal = shutdown::first_signal()
            .map_err(|error| Failure::new("cannot listen for signals").detail(error.to_string()))?;
        demonstrate(Config { data_dir: Some(data_dir), ..config }, demo, temporary.is_some(), signal).await
    });
    drop(runtime);
    if let Some(directory) = temporary {
        let path = directory.path().display().to_string();
        directory.close().map_err(|error| {
            Failure::new("the temporary data directory could not be removed")
                .detail(error.to_string())
                .next(format!("remove {path}"))
        })?;
    }
    ended
}

/// Returns the directory to use, and its guard when it is to be removed.
fn data_dir(named: Option<PathBuf>) -> Result<(PathBuf, Option<TempDir>), Failure> {
    if let Some(named) = named {
        return Ok((named, None));
    }
    let directory = tempfile::Builder::new().prefix("meunier-quickstart-").tempdir().map_err(|error| {
        Failure::new("cannot make a temporary data directory")
            .detail(error.to_string())
            .next("name one with --data-dir DIR")
    })?;
    Ok((directory.path().to_path_buf(), Some(directory)))
}

async fn demonstrate(
    mut config: Config,
    demo: Demo,
    is_temporary: bool,
    signal: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let started = Instant::now();
    let name = demo.stream.name();
    let broker = EmbeddedBroker::start(&[(name, PARTITIONS)]).map_err(|error| block_of(&error))?;
    config.ingest.embedded_broker = Some(broker.bootstrap());
    let server = RunningServer::start(&config).await?;
    let state = Arc::clone(server.state());

    let pair = sample_table(demo.stream, &broker.bootstrap())?;
    let creating = Arc::clone(&state);
    let created = tokio::task::spawn_blocking(move || create_table(&creating.store, &pair)).await;
    created.map_err(|_| Failure::new("creating the table panicked: this is a bug"))??;
    let producer = Producer::connect(&broker.bootstrap(), &[]).map_err(|error| block_of(&error))?;
    let sample = SampleProducer::new(demo.stream, SEED, producer, name, PARTITIONS);
    let feed = Feed::start(sample, Arc::clone(&state.store), demo)?;

    await_history(&state, demo.stream).await;
    let answers = sample_answers(&state, demo.stream).await?;
    say(&banner::shown(&banner::Facts {
        address: server.address(),
        bootstrap: &broker.bootstrap(),
        demo,
        data_dir: config.data_dir.as_deref().unwrap_or_else(|| "".as_ref()),
        is_temporary,
        answers: &answers,
        took: started.elapsed(),
    }))?;

    signal.await;
    say("\nstopping: sending what is under way, and counting")?;
    let sent = feed.stop().await?;
    let verdict = settle::settle(&state, demo.stream, &sent).await;
    server.stop().await;
    drop(broker);
    say(&verdict.shown(is_temporary))?;
    verdict.into_result()
}

/// Returns the sample's schema and table config, reading from the embedded broker.
fn sample_table(stream: Stream, bootstrap: &str) -> Result<SentPair, Failure> {
    let parse = |text: &str| -> Value { serde_json::from_str(text).expect("the sample's files are tested") };
    let (schema, mut table) = (parse(stream.schema_json()), parse(stream.table_json()));
    let maps = table.pointer_mut("/ingestionConfig/streamIngestionConfig/streamConfigMaps");
    for map in maps.and_then(Value::as_array_mut).into_iter().flatten() {
        map["stream.kafka.broker.list"] = bootstrap.into();
    }
    table["metadata"] = json!({"customConfigs": {"createdBy": "quickstart"}});
    definition::read_pair(&schema, &table).map_err(|error| block_of(&error))
}

/// Creates the table. Those that an earlier quickstart left are deleted: their broker is gone, and with it their topics.
fn create_table(store: &Store, pair: &SentPair) -> Result<(), Failure> {
    while !store.is_loaded() {
        std::thread::sleep(POLL);
    }
    let name = &pair.table.config.table_name;
    for (existing, _) in store.tables() {
        let is_ours = existing.config.pointer(MARK).and_then(Value::as_str) == Some("quickstart");
        if is_ours {
            store.delete(&existing.name).map_err(|error| block_of(&error))?;
        } else if *existing.name == **name {
            return Err(Failure::new(format!(
                "the data directory has a table `{name}` that no quickstart made"
            ))
            .next("take another --data-dir, or run `meunier serve` on this one"));
        }
    }
    store.create(pair, CreateOptions::default()).map_err(|error| block_of(&error))?;
    Ok(())
}

async fn await_history(state: &AppState, stream: Stream) {
    let deadline = Instant::now() + HISTORY_WAIT;
    while visible_rows(state, stream) < feed::HISTORY_EVENTS && Instant::now() < deadline {
        sleep(POLL).await;
    }
}

fn visible_rows(state: &AppState, stream: Stream) -> u64 {
    state.store.open_table(stream.name()).map_or(0, |(_, table)| table.live.snapshot().rows())
}

async fn sample_answers(state: &AppState, stream: Stream) -> Result<Vec<(&'static str, Value)>, Failure> {
    let mut answers = Vec::new();
    for sql in stream.sample_queries() {
        answers.push((*sql, ask(state, sql).await?));
    }
    Ok(answers)
}

/// Asks the engine, past HTTP.
async fn ask(state: &AppState, sql: &str) -> Result<Value, Failure> {
    let request = QueryRequest { sql: sql.to_owned(), ..QueryRequest::default() };
    let answer: QueryAnswer = state.engine.query(state.store.queries(), request).await;
    serde_json::from_slice(&answer.body)
        .map_err(|error| Failure::new("the answer is no JSON: this is a bug").detail(error.to_string()))
}
