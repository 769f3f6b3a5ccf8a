//! Nothing lost, nothing twice: a topic is produced, consumed, sealed and consumed again through crashes, and every answer on
//! the way is checked against what was produced.
//!
//! First life: rows are watched while they are produced and consumed, and while they are sealed; the server is then killed and
//! started again. Second life: a new data directory consumes the same topic from its beginning and is killed several times in
//! the middle. Each life ends with all figures of [`Truth`].

mod visible_rows;
mod watcher;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::Value;

use crate::broker::Broker;
use crate::checks::Checks;
use crate::events::{self, Events};
use crate::http_client::HttpClient;
use crate::server_process::{Installation, ServerProcess};
use crate::table::{TABLE, TableSource};
use crate::truth::Truth;
use crate::{report, topic};
use visible_rows::VisibleRows;
use watcher::Watcher;

/// Without progress for so long, something hangs.
const STALL_TIMEOUT: Duration = Duration::from_secs(120);
const LOOK_INTERVAL: Duration = Duration::from_millis(20);
/// Segments that each partition seals on the way.
const SEGMENTS_A_PARTITION: u64 = 6;
/// Shares of all rows at which the second life is killed.
const KILL_AT: [f64; 4] = [0.1, 0.3, 0.55, 0.8];
/// Uncompressed, so many events fit into what the embedded broker keeps of a partition.
const EMBEDDED_EVENTS_A_PARTITION: u64 = 10_000;

/// Checks on a real Kafka that nothing is lost and nothing is there twice.
#[derive(Args)]
pub(crate) struct Acceptance {
    /// Address of a running Kafka; without one, the embedded broker, for small numbers of events.
    #[arg(long)]
    kafka: Option<String>,
    /// The `meunier` binary.
    #[arg(long)]
    meunier: PathBuf,
    #[arg(long, default_value_t = 5_000_000)]
    events: u64,
    #[arg(long, default_value_t = 4)]
    partitions: i32,
    /// Each compresses an equal share of the events.
    #[arg(long, value_delimiter = ',', default_value = "none,gzip,snappy,lz4,zstd")]
    codecs: Vec<String>,
    /// Where servers keep their data; a temporary directory otherwise.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Writes what `scripts/read_durable.py` must find in the data directory's `second/data` to this file.
    #[arg(long)]
    expect_json: Option<PathBuf>,
    /// Leaves topic and data behind.
    #[arg(long)]
    keep: bool,
}

/// One line of the report.
struct Part {
    name: String,
    rows: u64,
    polls: u64,
    took: Duration,
    checks: Checks,
}

/// A run under way.
struct Run<'a> {
    broker: &'a Broker,
    topic: &'a str,
    events: Events,
    codecs: &'a [String],
    events_a_partition: u64,
    truth: Truth,
    parts: Vec<Part>,
}

impl Acceptance {
    pub(crate) fn run(&self) -> Result<bool> {
        let topic = format!("acceptance-{}", std::process::id());
        let partitions = match self.kafka {
            Some(_) => self.partitions,
            None => i32::try_from(self.events.div_ceil(EMBEDDED_EVENTS_A_PARTITION))?.max(self.partitions),
        };
        let broker = Broker::of(self.kafka.as_deref(), &topic, partitions)?;
        topic::create(&broker, &topic, partitions)?;
        let temporary = tempfile::tempdir()?;
        let directory = self.data_dir.as_deref().unwrap_or(temporary.path());
        report::machine();
        let mut run = Run {
            broker: &broker,
            topic: &topic,
            events: Events::new(partitions),
            codecs: &self.codecs,
            events_a_partition: self.events / u64::from(partitions.unsigned_abs()) / self.codecs.len() as u64
                * self.codecs.len() as u64,
            truth: Truth::default(),
            parts: Vec::new(),
        };
        let outcome = run.live(&self.meunier, directory);
        run.print();
        if let Some(file) = &self.expect_json {
            std::fs::write(file, run.truth.durable_rows().to_string())
                .with_context(|| format!("write {}", file.display()))?;
        }
        if self.keep || outcome.is_err() {
            report::progress(&format!("left behind: topic `{topic}`, {}", temporary.keep().display()));
        } else {
            topic::delete(&broker, &topic)?;
        }
        outcome?;
        Ok(run.parts.iter().all(|part| part.checks.failed() == 0))
    }
}

impl Run<'_> {
    fn live(&mut self, binary: &Path, directory: &Path) -> Result<()> {
        let first = Installation::new(binary, &directory.join("first"))?;
        self.first_life(&first).with_context(|| format!("first life, see {}", first.log().display()))?;
        let second = Installation::new(binary, &directory.join("second"))?;
        self.second_life(&second).with_context(|| format!("second life, see {}", second.log().display()))
    }

    fn first_life(&mut self, home: &Installation) -> Result<()> {
        let server = home.start()?;
        self.create_table(&server)?;
        self.produce_and_watch(server.http())?;
        self.seal_and_watch(&server)?;
        server.kill()?;
        let server = self.restart(home, "restart after kill -9, all sealed")?;
        self.check_truth(server.http(), "all sealed, restarted")?;
        let began = Instant::now();
        let status = server.stop()?;
        let mut checks = Checks::default();
        checks.that(status.success(), || format!("SIGTERM: the server ended with {status}"));
        self.note("stop by SIGTERM", 0, 0, began, checks);
        Ok(())
    }

    fn second_life(&mut self, home: &Installation) -> Result<()> {
        let mut server = home.start()?;
        self.create_table(&server)?;
        for share in KILL_AT {
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a share"
            )]
            let rows = (self.truth.rows() as f64 * share) as u64;
            server = self.kill_at(home, server, rows)?;
        }
        let watcher = Watcher::start(server.http().clone(), "to the end after four crashes", false);
        let began = Instant::now();
        self.wait_for_rows(&watcher, self.truth.rows())?;
        self.end_watch("to the end after four crashes", began, watcher)?;
        self.check_truth(server.http(), "consumed through four crashes")?;
        self.seal_and_watch(&server)?;
        server.stop()?;
        let server = self.restart(home, "restart after SIGTERM, all sealed")?;
        self.check_truth(server.http(), "sealed after four crashes, restarted")?;
        server.stop().map(drop)
    }

    fn create_table(&self, server: &ServerProcess) -> Result<()> {
        server.create_table(&TableSource {
            brokers: self.broker.address(),
            topic: self.topic,
            segment_rows: (self.events_a_partition / SEGMENTS_A_PARTITION).max(1),
        })
    }

    /// Produces everything, codec after codec, while the rows are watched.
    fn produce_and_watch(&mut self, http: &HttpClient) -> Result<()> {
        let began = Instant::now();
        let watcher = Watcher::start(http.clone(), "while consuming", false);
        let share = self.events_a_partition / self.codecs.len() as u64;
        for (first, codec) in (0..).step_by(usize::try_from(share)?).zip(self.codecs) {
            report::progress(&format!("producing {share} events a partition with codec {codec}"));
            let producer = events::producer(self.broker, codec)?;
            let truth = &mut self.truth;
            self.events.produce(&producer, self.topic, first, share, |partition, _, payload| {
                truth.count(partition, payload)
            })?;
            events::finish(&producer)?;
        }
        self.wait_for_rows(&watcher, self.truth.rows())?;
        self.end_watch("while producing and consuming", began, watcher)?;
        self.check_truth(http, "all consumed")
    }

    fn seal_and_watch(&mut self, server: &ServerProcess) -> Result<()> {
        let began = Instant::now();
        let watcher = Watcher::start(server.http().clone(), "while sealing", false);
        let job = server.force_commit()?;
        wait_until("everything is sealed", || server.is_committed(&job))?;
        self.end_watch("while sealing on request", began, watcher)?;
        self.check_truth(server.http(), "all sealed")
    }

    /// Kills a server when it shows so many rows, and starts the next one.
    fn kill_at(&mut self, home: &Installation, server: ServerProcess, rows: u64) -> Result<ServerProcess> {
        let began = Instant::now();
        let moment = format!("until kill -9 at {rows} rows");
        let watcher = Watcher::start(server.http().clone(), &moment, true);
        self.wait_for_rows(&watcher, rows)?;
        let committed = committed_rows(server.http())?;
        server.kill()?;
        let shown = self.end_watch(&moment, began, watcher)?;
        report::progress(&format!(
            "killed at {} rows, {} of them committed",
            shown,
            committed.values().sum::<u64>()
        ));

        let server = self.restart(home, "restart after kill -9 in the middle")?;
        let began = Instant::now();
        let mut checks = Checks::default();
        let rows = VisibleRows::ask(server.http())?;
        rows.check("first answer after the crash", &VisibleRows::default(), &mut checks);
        rows.check_committed("first answer after the crash", &committed, &mut checks);
        self.note("first answer after the crash", rows.total(), 1, began, checks);
        Ok(server)
    }

    /// Starts a server on data that is there, and times its first answer.
    fn restart(&mut self, home: &Installation, name: &str) -> Result<ServerProcess> {
        let began = Instant::now();
        let mut server = home.spawn()?;
        let mut rows = 0.0;
        home.wait_for(&mut server, "it answers", |http| {
            let answer = http.query_number(&format!("SELECT COUNT(*) FROM {TABLE}"));
            rows = answer.as_ref().copied().unwrap_or_default();
            answer.is_ok()
        })?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        self.note(name, rows as u64, 1, began, Checks::default());
        Ok(server)
    }

    fn check_truth(&mut self, http: &HttpClient, moment: &str) -> Result<()> {
        let began = Instant::now();
        let mut checks = Checks::default();
        self.truth.check(http, moment, &mut checks)?;
        self.note(&format!("figures: {moment}"), self.truth.rows(), 0, began, checks);
        Ok(())
    }

    fn wait_for_rows(&self, watcher: &Watcher, rows: u64) -> Result<()> {
        let (mut seen, mut progressed) = (0, Instant::now());
        while watcher.visible() < rows && !watcher.has_ended() {
            if watcher.visible() > seen {
                (seen, progressed) = (watcher.visible(), Instant::now());
            }
            ensure!(
                progressed.elapsed() < STALL_TIMEOUT,
                "{seen} of {rows} rows are visible, and no more came for {STALL_TIMEOUT:?}"
            );
            thread::sleep(LOOK_INTERVAL);
        }
        Ok(())
    }

    /// Ends a watch. Returns how many rows it saw last.
    fn end_watch(&mut self, name: &str, began: Instant, watcher: Watcher) -> Result<u64> {
        let watched = watcher.finish()?;
        let rows = watched.rows.total();
        self.note(name, rows, watched.polls, began, watched.checks);
        Ok(rows)
    }

    fn note(&mut self, name: &str, rows: u64, polls: u64, began: Instant, checks: Checks) {
        let took = began.elapsed();
        report::progress(&format!(
            "{name}: {took:.2?}, {} checks, {} failed",
            checks.passed() + checks.failed(),
            checks.failed()
        ));
        self.parts.push(Part { name: name.to_owned(), rows, polls, took, checks });
    }

    fn print(&self) {
        let row = |part: &Part| {
            vec![
                part.name.clone(),
                part.rows.to_string(),
                part.polls.to_string(),
                format!("{:.3}", part.took.as_secs_f64()),
                part.checks.passed().to_string(),
                part.checks.failed().to_string(),
            ]
        };
        let head = ["part", "rows", "answers", "seconds", "passed", "failed"];
        report::table(&head, &self.parts.iter().map(row).collect::<Vec<_>>());
        let mut all = Checks::default();
        self.parts.iter().for_each(|part| all.add(&part.checks));
        report::line(&format!(
            "events: {} in {} partitions, codecs {}, {}",
            self.truth.rows(),
            self.events.partitions(),
            self.codecs.join(" "),
            self.broker.describe()
        ));
        report::line(&format!("acceptance: {} checks passed, {} failed", all.passed(), all.failed()));
    }
}

/// Returns the committed rows of each partition; offsets are dense from 0.
fn committed_rows(http: &HttpClient) -> Result<BTreeMap<i32, u64>> {
    let ready = http.get("/ready")?;
    let partitions = ready["tables"][0]["partitions"].as_array().context("the table has partitions")?;
    let rows = |partition: &Value| {
        let number = i32::try_from(partition["partition"].as_i64()?).ok()?;
        Some((number, partition["committedOffset"].as_u64()?))
    };
    Ok(partitions.iter().filter_map(rows).collect())
}

fn wait_until(what: &str, mut done: impl FnMut() -> Result<bool>) -> Result<()> {
    let began = Instant::now();
    while !done()? {
        ensure!(began.elapsed() < STALL_TIMEOUT, "waited {STALL_TIMEOUT:?} until {what}");
        thread::sleep(LOOK_INTERVAL);
    }
    Ok(())
}
