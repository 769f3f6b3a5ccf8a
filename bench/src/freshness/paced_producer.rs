//! Produces at a steady rate, and notes when the broker acknowledged each event of one partition.

use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use meunier_sample::{Generator, Stream};
use rdkafka::ClientConfig;
use rdkafka::ClientContext;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};

use super::WATCHED_PARTITION;
use crate::events::now_ms;

/// Events are sent in bursts this far apart: as even as a thread that sleeps can be.
const TICK: Duration = Duration::from_millis(1);
const FLUSH_TIMEOUT: Duration = Duration::from_secs(30);

/// When an event was acknowledged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Acknowledged {
    pub(super) seq: u64,
    pub(super) at: Instant,
}

pub(super) struct PacedProducer<'a> {
    pub(super) brokers: &'a str,
    pub(super) topic: &'a str,
    pub(super) partitions: i32,
    /// Events a second, over all partitions.
    pub(super) rate: u64,
}

struct Acknowledgements(Sender<Acknowledged>);

impl ClientContext for Acknowledgements {}

impl ProducerContext for Acknowledgements {
    type DeliveryOpaque = Box<u64>;

    fn delivery(&self, delivery: &DeliveryResult<'_>, seq: Box<u64>) {
        if let (Ok(message), at) = (delivery, Instant::now())
            && rdkafka::Message::partition(message) == WATCHED_PARTITION
        {
            // The receiver is gone only when the run has failed.
            let _ = self.0.send(Acknowledged { seq: *seq, at });
        }
    }
}

impl PacedProducer<'_> {
    /// Produces for so long. Returns how many events each partition got.
    pub(super) fn run(&self, duration: Duration, acknowledged: Sender<Acknowledged>) -> Result<u64> {
        let producer: ThreadedProducer<Acknowledgements> = ClientConfig::new()
            .set("bootstrap.servers", self.brokers)
            .set("acks", "all")
            .set("enable.idempotence", "true")
            // Time in the producer's queue lies before the acknowledgement and is not what is measured.
            .set("linger.ms", "1")
            .set("compression.type", "lz4")
            .create_with_context(Acknowledgements(acknowledged))?;
        let generator = Generator::new(Stream::Clickstream, 7);
        let mut payload = Vec::new();
        let began = Instant::now();
        let mut seq = 0;
        while began.elapsed() < duration {
            let due = self.events_due(began.elapsed());
            while seq < due {
                for partition in 0..self.partitions {
                    generator.write_event(partition, seq, now_ms(), &mut payload);
                    let record = BaseRecord::<(), [u8], _>::with_opaque_to(self.topic, Box::new(seq));
                    let sent = producer.send(record.partition(partition).payload(&payload));
                    sent.map_err(|(error, _)| error).context("send an event")?;
                }
                seq += 1;
            }
            thread::sleep(TICK);
        }
        producer.flush(FLUSH_TIMEOUT)?;
        ensure!(producer.in_flight_count() == 0, "not all events were acknowledged within {FLUSH_TIMEOUT:?}");
        Ok(seq)
    }

    /// Returns how many events each partition should have after this time.
    fn events_due(&self, elapsed: Duration) -> u64 {
        let events = u128::from(self.rate) * elapsed.as_micros() / 1_000_000;
        u64::try_from(events).unwrap_or(u64::MAX) / u64::from(self.partitions.unsigned_abs())
    }
}
