//! Rows a CPU-second of ingestion, beside the rates it cannot pass: consuming alone and parsing alone.
//!
//! All steps run in this process, one after the other and round after round, over the same records of one topic, and each is
//! charged with the CPU time of all threads, librdkafka's included. Wall time is told but says little where broker, neighbours
//! and this process share the cores. What is compared are ratios of one run.

mod steps;

use std::time::Duration;

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};

use crate::broker::Broker;
use crate::events::{self, Events};
use crate::measurement::Cost;
use crate::{report, topic};
use steps::Steps;

/// What the embedded broker keeps of a partition holds so many events, compressed with lz4, with room to spare.
const EMBEDDED_EVENTS_A_PARTITION: u64 = 20_000;

/// Rows a CPU-second of ingestion, beside consuming alone and parsing alone of the same messages.
#[derive(Args)]
pub(crate) struct IngestRate {
    /// Address of a running Kafka; without one, the embedded broker in a process of its own.
    #[arg(long)]
    kafka: Option<String>,
    /// Events to produce.
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// Partitions of the topic. The embedded broker keeps only 5 MiB of each, so there are as many as that takes.
    #[arg(long, default_value_t = 8)]
    partitions: i32,
    #[arg(long, default_value = "lz4")]
    codec: String,
    /// Rounds; the median of each step is reported.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Rows of a segment in the step that seals.
    #[arg(long, default_value_t = 100_000)]
    segment_rows: u64,
    /// Threads that fetch and decode; the number of cores by default.
    #[arg(long)]
    worker_threads: Option<usize>,
    /// Only these steps, for a profiler.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Step>,
    /// A topic of an earlier run, whose records are read again.
    #[arg(long)]
    topic: Option<String>,
    /// Leaves the topic behind.
    #[arg(long)]
    keep: bool,
}

/// One thing to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Step {
    /// librdkafka alone, through meunier's own source.
    Consume,
    /// simd-json's tape alone, in place: the limit of what is compared.
    Parse,
    /// The same from where messages lie, with the copy that this takes.
    ParseCopied,
    /// Meunier's decoder, from memory.
    Decode,
    /// Decoder and consuming segment, from memory.
    Append,
    /// All of ingestion, until every row is visible.
    Ingest,
    /// The same with sealing, until every row is in a committed segment.
    Seal,
}

impl Step {
    const ALL: [Step; 7] =
        [Step::Consume, Step::Parse, Step::ParseCopied, Step::Decode, Step::Append, Step::Ingest, Step::Seal];

    fn name(self) -> &'static str {
        match self {
            Step::Consume => "consume only",
            Step::Parse => "parse only (simd-json tape)",
            Step::ParseCopied => "copy and parse",
            Step::Decode => "decode to columns",
            Step::Append => "decode and append",
            Step::Ingest => "ingest: Kafka to visible",
            Step::Seal => "ingest and seal",
        }
    }
}

/// What one step did in one round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) cost: Cost,
}

impl IngestRate {
    pub(crate) fn run(&self) -> Result<bool> {
        let topic = self.topic.clone().unwrap_or_else(|| format!("ingest-rate-{}", std::process::id()));
        let partitions = self.partition_count()?;
        let broker = Broker::of(self.kafka.as_deref(), &topic, partitions)?;
        if self.topic.is_none() {
            topic::create(&broker, &topic, partitions)?;
            self.produce(&broker, &topic, partitions)?;
        }
        let outcome = self.measure(&broker, &topic);
        if self.topic.is_none() && !self.keep {
            topic::delete(&broker, &topic)?;
        }
        outcome?;
        Ok(true)
    }

    fn partition_count(&self) -> Result<i32> {
        if self.kafka.is_some() {
            return Ok(self.partitions);
        }
        Ok(i32::try_from(self.events.div_ceil(EMBEDDED_EVENTS_A_PARTITION))?.max(self.partitions))
    }

    fn produce(&self, broker: &Broker, topic: &str, partitions: i32) -> Result<()> {
        report::progress(&format!(
            "producing {} events to {partitions} partitions of `{topic}`",
            self.events
        ));
        let producer = events::producer(broker, &self.codec)?;
        let count = self.events.div_ceil(u64::from(partitions.unsigned_abs()));
        Events::new(partitions).produce(&producer, topic, 0, count, |_, _, _| Ok(()))?;
        events::finish(&producer)
    }

    fn measure(&self, broker: &Broker, topic: &str) -> Result<()> {
        let steps = Steps::prepare(broker, topic, self.segment_rows, self.worker_threads)?;
        report::machine();
        report::line(&format!(
            "ingest-rate: {} events, {:.0} B of JSON each, {} partitions, codec {}, {}, {} rounds",
            steps.events(),
            steps.mean_bytes(),
            steps.partitions(),
            self.codec,
            broker.describe(),
            self.rounds,
        ));
        let chosen = Step::ALL.into_iter().filter(|step| self.only.is_empty() || self.only.contains(step));
        let mut outcomes: Vec<(Step, Vec<Outcome>)> = chosen.map(|step| (step, Vec::new())).collect();
        for round in 1..=self.rounds {
            for (step, outcomes) in &mut outcomes {
                let outcome = steps.run(*step)?;
                report::progress(&format!("round {round}: {}: {}", step.name(), describe(&outcome)));
                outcomes.push(outcome);
            }
        }
        let medians: Vec<(Step, Outcome)> =
            outcomes.into_iter().map(|(step, outcomes)| (step, median(outcomes))).collect();
        print(&medians)
    }
}

fn median(mut outcomes: Vec<Outcome>) -> Outcome {
    outcomes.sort_by_key(|outcome| outcome.cost.cpu);
    outcomes[outcomes.len() / 2]
}

fn describe(outcome: &Outcome) -> String {
    let rate = outcome.cost.per_cpu_second(outcome.rows) / 1e6;
    format!(
        "{rate:.2} M rows a CPU-second, {:.2} s CPU, {:.2} s",
        seconds(outcome.cost.cpu),
        seconds(outcome.cost.wall)
    )
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

fn print(medians: &[(Step, Outcome)]) -> Result<()> {
    let rate = |step| {
        let found = medians.iter().find(|(of, _)| *of == step);
        found.map(|(_, outcome)| outcome.cost.per_cpu_second(outcome.rows))
    };
    ensure!(!medians.is_empty(), "no step was chosen");
    let against = |own: f64, limit: Option<f64>| {
        limit.map_or_else(|| "-".to_owned(), |limit| format!("{:.2}", own / limit))
    };
    let row = |(step, outcome): &(Step, Outcome)| {
        let own = outcome.cost.per_cpu_second(outcome.rows);
        #[expect(clippy::cast_precision_loss, reason = "figures to be read by people")]
        let row_cost = seconds(outcome.cost.cpu) * 1e9 / outcome.rows as f64;
        vec![
            step.name().to_owned(),
            format!("{:.3}", own / 1e6),
            format!("{:.0}", outcome.cost.per_cpu_second(outcome.bytes) / 1e6),
            format!("{row_cost:.0}"),
            against(own, rate(Step::Parse)),
            against(own, rate(Step::Consume)),
            format!("{:.2}", seconds(outcome.cost.cpu)),
            format!("{:.2}", seconds(outcome.cost.wall)),
        ]
    };
    let head = ["step", "M rows/CPU s", "MB/CPU s", "CPU ns/row", "x parse", "x consume", "CPU s", "wall s"];
    report::table(&head, &medians.iter().map(row).collect::<Vec<_>>());
    if let (Some(consume), Some(parse), Some(ingest)) =
        (rate(Step::Consume), rate(Step::Parse), rate(Step::Ingest))
    {
        let chain = 1.0 / (1.0 / consume + 1.0 / parse);
        report::line(&format!(
            "ingest is {:.2} of parsing alone, {:.2} of consuming alone, {:.2} of the two in a row",
            ingest / parse,
            ingest / consume,
            ingest / chain,
        ));
    }
    Ok(())
}
