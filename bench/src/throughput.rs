//! Queries a second over HTTP, and how long each took, under several numbers of clients.
//!
//! Clients share this machine's cores with the server, so the figure to compare is queries for each second of the *server's* CPU time.
//! At a fixed rate a query's time runs from the moment it was due: a server that stalls cannot hide the queries that waited for it.

mod connection;
mod mix;

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::{Value, json};

use self::connection::Connection;
use self::mix::Mix;
use crate::measurement::{Stopwatch, cpu_time_of, quantile};
use crate::report;

/// Sends a mix of queries from several clients and reports queries a second, for each second of the server's CPU too, and times.
#[derive(Args)]
pub(crate) struct Throughput {
    /// Address of the server, such as http://127.0.0.1:8099.
    #[arg(long)]
    url: String,
    /// JSON: a list of `{"id": "b1", "sql": ["SELECT …", …]}`; ids take turns, and so do the statements of each.
    #[arg(long)]
    queries: PathBuf,
    /// Numbers of clients, each measured on its own.
    #[arg(long, value_delimiter = ',', default_value = "1,8,32")]
    clients: Vec<usize>,
    /// Seconds that each number of clients is measured, after a fifth as long that is not.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Queries a second of all clients together; without it each sends its next query when it has the answer to the last.
    #[arg(long)]
    rate: Option<f64>,
    /// Process of the server, whose CPU time is read.
    #[arg(long)]
    pid: u32,
    /// Also writes the figures to this file as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// One query's place in the mix, and how long it took.
struct Sample {
    id: usize,
    took: Duration,
}

/// What all clients saw.
struct Load {
    clients: usize,
    wall: Duration,
    server_cpu: Duration,
    /// CPU time of this process, which the server did not have.
    client_cpu: Duration,
    samples: Vec<Sample>,
    errors: u64,
    first_error: Option<String>,
}

/// What one client saw.
#[derive(Default)]
struct Seen {
    samples: Vec<Sample>,
    errors: u64,
    first_error: Option<String>,
}

/// When queries are due, over all clients.
struct Schedule {
    began: Instant,
    interval: Option<Duration>,
    next: AtomicU64,
}

impl Throughput {
    pub(crate) fn run(&self) -> Result<bool> {
        let text =
            fs::read_to_string(&self.queries).with_context(|| format!("read {}", self.queries.display()))?;
        let mix = Mix::parse(&text)?;
        ensure!(self.rate.is_none_or(|rate| rate > 0.0), "a rate is more than 0 queries a second");
        report::machine();
        let mut loads = Vec::new();
        for &clients in &self.clients {
            let duration = Duration::from_secs(self.seconds);
            self.load(&mix, clients, duration / 5)?;
            loads.push(self.load(&mix, clients, duration)?);
        }
        report::table(&HEAD, &loads.iter().map(Load::row).collect::<Vec<_>>());
        if let Some(path) = &self.json {
            let figures: Vec<Value> = loads.iter().map(|load| load.to_json(&mix, self.rate)).collect();
            fs::write(path, serde_json::to_string_pretty(&figures)?)?;
        }
        for load in &loads {
            if let Some(error) = &load.first_error {
                report::complain(&format!(
                    "{} clients, {} errors, the first: {error}",
                    load.clients, load.errors
                ));
            }
        }
        Ok(loads.iter().all(|load| load.errors == 0))
    }

    fn load(&self, mix: &Mix, clients: usize, duration: Duration) -> Result<Load> {
        let connections =
            (0..clients).map(|_| Connection::open(&self.url)).collect::<Result<Vec<Connection>>>()?;
        let server_cpu = cpu_time_of(self.pid)?;
        let stopwatch = Stopwatch::start();
        let schedule = Schedule::new(self.rate);
        let seen = thread::scope(|scope| {
            let start = |(client, connection)| {
                let schedule = &schedule;
                scope.spawn(move || ask(connection, mix, client, schedule, duration))
            };
            let clients: Vec<_> = connections.into_iter().enumerate().map(start).collect();
            let seen = clients.into_iter().map(|client| client.join().expect("a client does not panic"));
            seen.collect::<Vec<Seen>>()
        });
        let cost = stopwatch.stop();
        let mut load = Load {
            clients,
            wall: cost.wall,
            server_cpu: cpu_time_of(self.pid)? - server_cpu,
            client_cpu: cost.cpu,
            samples: Vec::new(),
            errors: 0,
            first_error: None,
        };
        for client in seen {
            load.samples.extend(client.samples);
            load.errors += client.errors;
            load.first_error = load.first_error.or(client.first_error);
        }
        Ok(load)
    }
}

/// Sends queries until the time is over.
fn ask(
    mut connection: Connection,
    mix: &Mix,
    client: usize,
    schedule: &Schedule,
    duration: Duration,
) -> Seen {
    let mut seen = Seen::default();
    for turn in 0.. {
        let due = schedule.wait(duration);
        if schedule.began.elapsed() >= duration {
            break;
        }
        let query = mix.query(client, turn);
        match connection.query(query.request) {
            Ok(()) => seen.samples.push(Sample { id: query.id, took: due.elapsed() }),
            Err(error) => {
                seen.errors += 1;
                let text = || format!("{}: {error:#}", mix.name(query.id));
                seen.first_error = seen.first_error.take().or_else(|| Some(text()));
                if connection.reopen().is_err() {
                    break;
                }
            }
        }
    }
    seen
}

impl Schedule {
    fn new(rate: Option<f64>) -> Schedule {
        let interval = rate.map(|rate| Duration::from_secs_f64(1.0 / rate));
        Schedule { began: Instant::now(), interval, next: AtomicU64::new(0) }
    }

    /// Waits until the next query is due, or until the end. Returns when it was due.
    fn wait(&self, end: Duration) -> Instant {
        let Some(interval) = self.interval else { return Instant::now() };
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        let after = interval.checked_mul(u32::try_from(place).unwrap_or(u32::MAX)).unwrap_or(end);
        let due = self.began + after.min(end);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        due
    }
}

const HEAD: [&str; 9] = [
    "clients",
    "queries/s",
    "queries/s of server CPU",
    "p50 ms",
    "p99 ms",
    "max ms",
    "server cores",
    "client cores",
    "errors",
];

impl Load {
    fn queries_per_second(&self) -> f64 {
        self.samples.len() as f64 / self.wall.as_secs_f64()
    }

    fn queries_per_server_second(&self) -> f64 {
        self.samples.len() as f64 / self.server_cpu.as_secs_f64()
    }

    fn times(&self, id: Option<usize>) -> Vec<Duration> {
        let of_id = |sample: &&Sample| id.is_none_or(|id| id == sample.id);
        self.samples.iter().filter(of_id).map(|sample| sample.took).collect()
    }

    fn row(&self) -> Vec<String> {
        let mut times = self.times(None);
        let cores = |cpu: Duration| format!("{:.2}", cpu.as_secs_f64() / self.wall.as_secs_f64());
        let mut ms = |share| format!("{:.2}", milliseconds(quantile(&mut times, share)));
        vec![
            self.clients.to_string(),
            format!("{:.0}", self.queries_per_second()),
            format!("{:.0}", self.queries_per_server_second()),
            ms(0.5),
            ms(0.99),
            ms(1.0),
            cores(self.server_cpu),
            cores(self.client_cpu),
            self.errors.to_string(),
        ]
    }

    fn to_json(&self, mix: &Mix, rate: Option<f64>) -> Value {
        let quantiles = |id| {
            let mut times = self.times(id);
            let mut ms = |share| milliseconds(quantile(&mut times, share));
            json!({"p50_ms": ms(0.5), "p99_ms": ms(0.99), "max_ms": ms(1.0), "queries": times.len()})
        };
        let ids: serde_json::Map<String, Value> =
            (0..mix.len()).map(|id| (mix.name(id).to_owned(), quantiles(Some(id)))).collect();
        json!({
            "clients": self.clients,
            "rate": rate,
            "seconds": self.wall.as_secs_f64(),
            "queries_per_second": self.queries_per_second(),
            "queries_per_server_cpu_second": self.queries_per_server_second(),
            "server_cpu_s": self.server_cpu.as_secs_f64(),
            "client_cpu_s": self.client_cpu.as_secs_f64(),
            "errors": self.errors,
            "first_error": self.first_error,
            "all": quantiles(None),
            "by_query": ids,
        })
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
