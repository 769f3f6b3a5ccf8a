//! `meunier produce`: keeps a sample stream going into a Kafka topic.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Args;
use meunier_ingest::{Producer, SourceError};

use super::SampleStream;
use super::failure::Failure;
use super::terminal::{note, say};
use crate::error::chain;
use crate::sample_producer::{Pace, SampleProducer};
use crate::shutdown;
use crate::store::now_ms;

/// Pause between two steps.
const STEP: Duration = Duration::from_millis(10);
/// Longest wait for acknowledgements at the end.
const FINISH_TIMEOUT: Duration = Duration::from_secs(10);
/// Seed of the stream when none is given: every run sends the same events.
const SEED_DEFAULT: u64 = 1;

/// What `produce` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  meunier produce --stream clickstream --brokers localhost:9092 --topic clickstream --rate 200
  meunier produce --stream orders --brokers kafka:9093 --topic orders --rate 0 --count 1000000 \\
    --property security.protocol=SASL_SSL --property sasl.mechanism=PLAIN

Each event has `seq`, dense from 0 in its partition in every run: with n events COUNT(*) is n and MAX(seq) n - 1.
Runs until Ctrl-C, or until --count.")]
pub(super) struct ProduceArgs {
    /// Sample stream to send
    #[arg(long, value_enum)]
    stream: SampleStream,
    /// Kafka brokers
    #[arg(long, value_name = "LIST")]
    brokers: String,
    /// Kafka topic; must exist
    #[arg(long, value_name = "NAME")]
    topic: String,
    /// Events a second; 0 is as fast as it goes
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    rate: u32,
    /// Stop after this many events
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// Send to the first N partitions only
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    partitions: Option<i32>,
    /// Seed of the events
    #[arg(long, value_name = "N", default_value_t = SEED_DEFAULT)]
    seed: u64,
    /// Property of the Kafka client (librdkafka), such as compression.type=zstd
    #[arg(long = "property", value_name = "KEY=VALUE", value_parser = key_value)]
    properties: Vec<(String, String)>,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        Some(_) | None => Err("write it as KEY=VALUE".to_owned()),
    }
}

pub(super) fn run(args: ProduceArgs) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("cannot start").detail(error.to_string()))?;
    runtime.block_on(async {
        let signal = shutdown::first_signal()
            .map_err(|error| Failure::new("cannot listen for signals").detail(error.to_string()))?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let mut producing = tokio::task::spawn_blocking(move || produce(&args, &stopped));
        let ended = tokio::select! {
            ended = &mut producing => ended,
            () = signal => {
                stop.store(true, Ordering::Relaxed);
                producing.await
            }
        };
        ended.map_err(|_| Failure::new("the producer panicked: this is a bug"))?
    })
}

fn produce(args: &ProduceArgs, stop: &AtomicBool) -> Result<(), Failure> {
    let producer = Producer::connect(&args.brokers, &args.properties).map_err(failed)?;
    let in_topic = producer.partitions(&args.topic).map_err(failed)?;
    let partitions = args.partitions.unwrap_or(in_topic);
    if partitions > in_topic {
        return Err(Failure::new(format!(
            "topic `{}` has {in_topic} partitions, not {partitions}",
            args.topic
        ))
        .next("take a smaller --partitions, or leave it out for all"));
    }
    let mut sample = SampleProducer::new(args.stream.into(), args.seed, producer, &args.topic, partitions);
    note(&format!(
        "sending {} to topic {} ({partitions} partitions); Ctrl-C ends",
        sample_name(args),
        args.topic
    ));
    let started = Instant::now();
    let mut pace = Pace::new(args.rate);
    while !stop.load(Ordering::Relaxed) && sample.events() < args.count.unwrap_or(u64::MAX) {
        let left = args.count.unwrap_or(u64::MAX) - sample.events();
        let now = now_ms();
        for _ in 0..pace.take(started.elapsed()).min(left) {
            let partition = next_partition(&sample);
            sample.send(partition, now).map_err(failed)?;
        }
        sample.poll();
        if args.rate > 0 {
            sleep(STEP);
        }
    }
    let lost = sample.finish(FINISH_TIMEOUT).map_err(failed)?;
    let seconds = started.elapsed().as_secs_f64();
    let bytes: u64 = sample.sent().iter().map(|sent| sent.bytes).sum();
    say(&format!("sent {} events, {bytes} bytes, in {seconds:.1} s", sample.events()))?;
    if lost > 0 {
        return Err(Failure::new(format!("{lost} events were not acknowledged"))
            .next("check the brokers; which of these events are in the topic is not known"));
    }
    Ok(())
}

/// Partitions take turns, so that all are equally long.
fn next_partition(sample: &SampleProducer) -> usize {
    let partitions = sample.sent().len() as u64;
    usize::try_from(sample.events() % partitions).expect("a remainder is below the number of partitions")
}

fn sample_name(args: &ProduceArgs) -> &'static str {
    meunier_sample::Stream::from(args.stream).name()
}

/// The source's messages speak of the keys of a table config; here the flags are meant.
fn failed(error: SourceError) -> Failure {
    match error {
        SourceError::Unreachable { brokers, detail } => Failure::new(format!("no kafka broker answers at `{brokers}`"))
            .detail(detail)
            .next("check --brokers, that the broker runs, and that this machine can reach the address it advertises"),
        SourceError::NoTopic { brokers, topic } => {
            Failure::new(format!("kafka at `{brokers}` has no topic `{topic}`")).next("create it, or correct --topic")
        }
        SourceError::Configuration { detail } => {
            Failure::new("the kafka client refuses its properties").detail(detail).next("check the --property flags")
        }
        SourceError::Authentication { .. } | SourceError::Authorization { .. } | SourceError::Client { .. } => {
            Failure::new(chain(&error)).next("check the --property flags")
        }
    }
}
