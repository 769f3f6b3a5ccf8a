//! The clickstream's events on their way to a topic: the same number for each partition, each with its place in it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};
use meunier_ingest::Producer;
use meunier_sample::{Generator, Stream};

use crate::broker::Broker;

/// Any run makes the same events.
const SEED: u64 = 20_260_101;
const FLUSH_TIMEOUT: Duration = Duration::from_secs(120);
/// Sequence numbers sent to one partition before the next has its turn.
const TURN: u64 = 1_000;

/// The events of a run.
pub(crate) struct Events {
    generator: Generator,
    partitions: i32,
    /// The event clock at sequence number 0; it runs a millisecond an event.
    start_ms: i64,
}

impl Events {
    pub(crate) fn new(partitions: i32) -> Events {
        Events { generator: Generator::new(Stream::Clickstream, SEED), partitions, start_ms: now_ms() }
    }

    /// Replaces `out` by the event at a place.
    pub(crate) fn write(&self, partition: i32, seq: u64, out: &mut Vec<u8>) {
        self.generator.write_event(partition, seq, self.time_ms(seq), out);
    }

    pub(crate) fn partitions(&self) -> i32 {
        self.partitions
    }

    pub(crate) fn time_ms(&self, seq: u64) -> i64 {
        self.start_ms + seq.cast_signed()
    }

    /// Produces the events `[first, first + count)` of every partition, and hands each to `visit` as well.
    pub(crate) fn produce(
        &self,
        producer: &Producer,
        topic: &str,
        first: u64,
        count: u64,
        mut visit: impl FnMut(i32, u64, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut payload = Vec::new();
        let mut begin = first;
        while begin < first + count {
            let end = (begin + TURN).min(first + count);
            for partition in 0..self.partitions {
                for seq in begin..end {
                    self.write(partition, seq, &mut payload);
                    producer.send(topic, partition, None, &payload, self.time_ms(seq))?;
                    visit(partition, seq, &payload)?;
                }
                producer.poll();
            }
            begin = end;
        }
        Ok(())
    }
}

/// Returns a producer that compresses with `codec`.
pub(crate) fn producer(broker: &Broker, codec: &str) -> Result<Producer> {
    let properties = [("compression.type", codec), ("queue.buffering.max.kbytes", "131072")];
    let properties = properties.map(|(key, value)| (key.to_owned(), value.to_owned()));
    Ok(Producer::connect(broker.address(), &properties)?)
}

/// Waits until the brokers have everything.
pub(crate) fn finish(producer: &Producer) -> Result<()> {
    let waiting = producer.flush(FLUSH_TIMEOUT)?;
    ensure!(waiting == 0, "{waiting} records were not delivered within {FLUSH_TIMEOUT:?}");
    ensure!(producer.failed() == 0, "{} records could not be delivered", producer.failed());
    Ok(())
}

pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
