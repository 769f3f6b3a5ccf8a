//! From the start of a process on a directory with many sealed segments to its first right answer.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::broker::Broker;
use crate::events::{self, Events};
use crate::http_client::HttpClient;
use crate::measurement::{cpu_time_of, memory_of, quantile};
use crate::server_process::{Installation, ServerProcess};
use crate::table::{TABLE, TableSource};
use crate::{report, topic};

const SEAL_TIMEOUT: Duration = Duration::from_secs(60);
/// Seals come on request, after each round of rows.
const SEGMENT_ROWS: u64 = 10_000_000;

/// Times a restart with many sealed segments.
#[derive(Args)]
pub(crate) struct Restart {
    /// Address of a running Kafka; without one, the embedded broker.
    #[arg(long)]
    kafka: Option<String>,
    /// The `meunier` binary.
    #[arg(long)]
    meunier: PathBuf,
    #[arg(long, default_value_t = 200)]
    segments: u64,
    /// Rows of each segment.
    #[arg(long, default_value_t = 2_000)]
    rows: u64,
    #[arg(long, default_value_t = 8)]
    partitions: i32,
    /// Restarts; half of them after a kill.
    #[arg(long, default_value_t = 6)]
    rounds: usize,
}

/// What one start took.
struct Times {
    alive: Duration,
    first_answer: Duration,
    cpu: Duration,
    scan: Duration,
    resident_bytes: u64,
}

impl Restart {
    pub(crate) fn run(&self) -> Result<bool> {
        let topic = format!("restart-{}", std::process::id());
        let broker = Broker::of(self.kafka.as_deref(), &topic, self.partitions)?;
        topic::create(&broker, &topic, self.partitions)?;
        let directory = tempfile::tempdir()?;
        let outcome = self.measure(&broker, &topic, directory.path());
        topic::delete(&broker, &topic)?;
        outcome?;
        Ok(true)
    }

    fn measure(&self, broker: &Broker, topic: &str, directory: &Path) -> Result<()> {
        let home = Installation::new(&self.meunier, directory)?;
        let mut server = home.start()?;
        server.create_table(&TableSource { brokers: broker.address(), topic, segment_rows: SEGMENT_ROWS })?;
        let rows = self.fill(broker, topic, &server)?;
        let metadata = server.http().get(&format!("/tables/{TABLE}/metadata"))?;
        report::machine();
        report::line(&format!(
            "restart: {} sealed segments, {rows} rows, {:.1} MB of serving files, {}",
            metadata["numSegments"],
            metadata["diskSizeInBytes"].as_f64().unwrap_or(0.0) / 1e6,
            broker.describe(),
        ));
        let mut all = Vec::new();
        for round in 0..self.rounds {
            if round % 2 == 0 {
                server.stop()?;
            } else {
                server.kill()?;
            }
            let (started, times) = start(&home, rows)?;
            server = started;
            all.push(times);
        }
        server.stop()?;
        print(&all);
        Ok(())
    }

    /// Produces and seals until there are enough segments. Returns how many rows that took.
    fn fill(&self, broker: &Broker, topic: &str, server: &ServerProcess) -> Result<u64> {
        let producer = events::producer(broker, "lz4")?;
        let partitions = u64::from(self.partitions.unsigned_abs());
        let events = Events::new(self.partitions);
        let mut rows = 0;
        for round in 0..self.segments.div_ceil(partitions) {
            events.produce(&producer, topic, round * self.rows, self.rows, |_, _, _| Ok(()))?;
            events::finish(&producer)?;
            rows += self.rows * partitions;
            let began = Instant::now();
            wait(began, "rows are visible", || Ok(count(server.http())? == Some(rows)))?;
            let job = server.force_commit()?;
            wait(began, "rows are sealed", || server.is_committed(&job))?;
        }
        Ok(rows)
    }
}

fn start(home: &Installation, rows: u64) -> Result<(ServerProcess, Times)> {
    let mut server = home.spawn()?;
    let alive = home.wait_for(&mut server, "it is alive", HttpClient::is_alive)?;
    let first_answer = home.wait_for(
        &mut server,
        "all rows are there",
        |http| matches!(count(http), Ok(Some(found)) if found == rows),
    )?;
    let cpu = cpu_time_of(server.pid())?;
    let began = Instant::now();
    server
        .http()
        .query(&format!("SELECT country, SUM(latency_ms), MAX(seq) FROM {TABLE} GROUP BY country"))?;
    let scan = began.elapsed();
    let resident_bytes = memory_of(server.pid(), "VmRSS")?;
    Ok((server, Times { alive, first_answer, cpu, scan, resident_bytes }))
}

/// Returns how many rows a server shows; `None` while it shows no table.
fn count(http: &HttpClient) -> Result<Option<u64>> {
    let rows = http.query(&format!("SELECT COUNT(*) FROM {TABLE}"));
    Ok(rows.ok().and_then(|rows| rows.first()?.first()?.as_u64()))
}

fn wait(began: Instant, what: &str, mut done: impl FnMut() -> Result<bool>) -> Result<()> {
    while !done().context("ask the server")? {
        ensure!(began.elapsed() < SEAL_TIMEOUT, "waited {SEAL_TIMEOUT:?} until {what}");
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

fn print(all: &[Times]) {
    let row = |name: &str, value: fn(&Times) -> Duration| {
        let mut values: Vec<Duration> = all.iter().map(value).collect();
        let cell =
            |share, values: &mut [Duration]| format!("{:.1}", quantile(values, share).as_secs_f64() * 1e3);
        vec![name.to_owned(), cell(0.0, &mut values), cell(0.5, &mut values), cell(1.0, &mut values)]
    };
    let rows = [
        row("start to alive, ms", |times| times.alive),
        row("start to first right answer, ms", |times| times.first_answer),
        row("CPU until then, ms", |times| times.cpu),
        row("first scan of all segments, ms", |times| times.scan),
    ];
    report::table(&["restart", "least", "median", "most"], &rows);
    let resident = all.iter().map(|times| times.resident_bytes).max().unwrap_or(0);
    report::line(&format!("resident after the scan, at most: {} MB", resident / 1_000_000));
}
