//! From the broker's acknowledgement of an event to the answer that shows it.
//!
//! One partition is watched. Its sequence numbers are dense, so an answer that counts n rows shows the events below n and no
//! other; the first such answer dates every one of them, not only some marked ones. The figure is an upper bound: it holds the
//! time of the answer itself, which is told beside it. It is 0 for an event that was visible before its acknowledgement had come
//! back to the producer.

mod paced_producer;
mod prober;

use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use clap::Args;

use crate::broker::Broker;
use crate::measurement::{cpu_time_of, quantile};
use crate::server_process::{Installation, ServerProcess};
use crate::table::TableSource;
use crate::{report, topic};
use paced_producer::{Acknowledged, PacedProducer};
use prober::{Answer, Prober};

const WATCHED_PARTITION: i32 = 0;
/// Events of the first seconds meet connections and caches that are being set up.
const WARM_UP: Duration = Duration::from_secs(3);
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(20);
/// No segment is full during a run; seals come on request.
const SEGMENT_ROWS: u64 = 10_000_000;

/// Measures the time from produce acknowledgement to visible in SQL, also while segments are sealed.
#[derive(Args)]
pub(crate) struct Freshness {
    /// Address of a running Kafka; the embedded broker answers fetches late and tells nothing here.
    #[arg(long)]
    kafka: String,
    /// The `meunier` binary.
    #[arg(long)]
    meunier: PathBuf,
    /// Events a second over all partitions.
    #[arg(long, default_value_t = 20_000)]
    rate: u64,
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    #[arg(long, default_value_t = 4)]
    partitions: i32,
    /// Seconds between two seals of everything; 0 for none.
    #[arg(long, default_value_t = 5)]
    seal_every: u64,
    /// Pause between two answers. It is part of the figures, but on few cores so is the work of asking.
    #[arg(long, default_value_t = 500)]
    pause_us: u64,
}

/// When segments were being sealed.
struct Seal {
    began: Instant,
    ended: Instant,
}

impl Freshness {
    pub(crate) fn run(&self) -> Result<bool> {
        let topic = format!("freshness-{}", std::process::id());
        let broker = Broker::of(Some(&self.kafka), &topic, self.partitions)?;
        topic::create(&broker, &topic, self.partitions)?;
        let outcome = self.measure(&broker, &topic);
        topic::delete(&broker, &topic)?;
        outcome?;
        Ok(true)
    }

    fn measure(&self, broker: &Broker, topic: &str) -> Result<()> {
        let directory = tempfile::tempdir()?;
        let home = Installation::new(&self.meunier, directory.path())?;
        let server = home.start()?;
        server.create_table(&TableSource { brokers: broker.address(), topic, segment_rows: SEGMENT_ROWS })?;
        report::machine();
        let cpu_before = cpu_time_of(server.pid())?;

        let prober = Prober::start(server.http().clone(), Duration::from_micros(self.pause_us));
        let (sender, receiver) = channel();
        let duration = Duration::from_secs(self.seconds);
        let began = Instant::now();
        let (events, seals) = thread::scope(|scope| -> Result<(u64, Vec<Seal>)> {
            let paced = PacedProducer {
                brokers: broker.address(),
                topic,
                partitions: self.partitions,
                rate: self.rate,
            };
            let producing = scope.spawn(move || paced.run(duration, sender));
            let seals = self.seal_at_times(&server, began)?;
            Ok((producing.join().map_err(|_| anyhow!("the producing thread panicked"))??, seals))
        })?;
        let acknowledged: Vec<Acknowledged> = receiver.iter().collect();
        thread::sleep(Duration::from_millis(500));
        let cpu = cpu_time_of(server.pid())? - cpu_before;
        let answers = prober.finish()?;
        server.stop()?;

        ensure!(
            acknowledged.len() as u64 == events,
            "{} of {events} events were acknowledged",
            acknowledged.len()
        );
        report::line(&format!(
            "freshness: {} events/s for {} s in {} partitions, {}; server {:.0} % of a core",
            events * u64::from(self.partitions.unsigned_abs()) / self.seconds,
            self.seconds,
            self.partitions,
            broker.describe(),
            cpu.as_secs_f64() / began.elapsed().as_secs_f64() * 100.0,
        ));
        print(&acknowledged, &answers, &seals, began + WARM_UP)
    }

    /// Seals everything now and then while events are produced.
    fn seal_at_times(&self, server: &ServerProcess, began: Instant) -> Result<Vec<Seal>> {
        let mut seals = Vec::new();
        if self.seal_every == 0 {
            return Ok(seals);
        }
        let every = Duration::from_secs(self.seal_every);
        let mut next = began + every;
        // The last seconds are left for the last seal to end in.
        while next + every / 2 < began + Duration::from_secs(self.seconds) {
            thread::sleep(next.saturating_duration_since(Instant::now()));
            let began = Instant::now();
            let job = server.force_commit()?;
            while !server.is_committed(&job)? {
                ensure!(began.elapsed() < CATCH_UP_TIMEOUT, "a seal took longer than {CATCH_UP_TIMEOUT:?}");
                thread::sleep(Duration::from_millis(20));
            }
            seals.push(Seal { began, ended: Instant::now() });
            next += every;
        }
        Ok(seals)
    }
}

fn print(acknowledged: &[Acknowledged], answers: &[Answer], seals: &[Seal], from: Instant) -> Result<()> {
    let (mut steady, mut sealing) = (Vec::new(), Vec::new());
    let mut next = 0;
    let mut in_order = acknowledged.to_vec();
    in_order.sort_unstable_by_key(|event| event.seq);
    for event in in_order {
        while answers.get(next).is_some_and(|answer| answer.rows <= event.seq) {
            next += 1;
        }
        let answer = answers
            .get(next)
            .ok_or_else(|| anyhow!("event {} of partition 0 did not become visible", event.seq))?;
        if event.at < from {
            continue;
        }
        let is_sealing = seals.iter().any(|seal| (seal.began..seal.ended).contains(&event.at));
        let delay = answer.answered.saturating_duration_since(event.at);
        if is_sealing { sealing.push(delay) } else { steady.push(delay) }
    }
    let mut round_trips: Vec<Duration> =
        answers.iter().map(|answer| answer.answered - answer.asked).collect();
    let row = |name: &str, values: &mut Vec<Duration>| {
        let cell =
            |share, values: &mut [Duration]| format!("{:.2}", quantile(values, share).as_secs_f64() * 1e3);
        let shares = [0.5, 0.9, 0.99, 0.999, 1.0];
        [name.to_owned(), values.len().to_string()]
            .into_iter()
            .chain(shares.map(|share| cell(share, values)))
            .collect()
    };
    let rows: Vec<Vec<String>> = vec![
        row("acknowledged to visible, ms", &mut steady),
        row("the same while sealing, ms", &mut sealing),
        row("one answer, ms", &mut round_trips),
    ];
    report::table(&["freshness", "events", "p50", "p90", "p99", "p99.9", "max"], &rows);
    let longest = seals.iter().map(|seal| seal.ended - seal.began).max().unwrap_or_default();
    report::line(&format!("seals of all partitions: {}, the longest took {longest:.2?}", seals.len()));
    Ok(())
}
