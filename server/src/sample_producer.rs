//! Sends a sample stream to a topic: dense sequence numbers in each partition, and a count of what was sent.

use std::time::Duration;

use meunier_ingest::{Producer, SourceError};
use meunier_sample::{Generator, Stream};

/// Events that one step of a paced loop sends at most, so that stopping never waits long.
const STEP_EVENTS_MAX: u64 = 10_000;

/// What was sent to one partition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Events; also the next sequence number.
    pub(crate) events: u64,
    /// Their payloads' bytes.
    pub(crate) bytes: u64,
}

/// A sample stream on its way to a topic.
pub(crate) struct SampleProducer {
    generator: Generator,
    producer: Producer,
    topic: String,
    sent: Vec<Sent>,
    payload: Vec<u8>,
}

impl SampleProducer {
    /// Returns a producer that has sent nothing yet.
    pub(crate) fn new(
        stream: Stream,
        seed: u64,
        producer: Producer,
        topic: &str,
        partitions: i32,
    ) -> SampleProducer {
        let partitions = usize::try_from(partitions).unwrap_or(0);
        SampleProducer {
            generator: Generator::new(stream, seed),
            producer,
            topic: topic.to_owned(),
            sent: vec![Sent::default(); partitions],
            payload: Vec::new(),
        }
    }

    /// Sends the next event of a partition, as of `now_ms`.
    pub(crate) fn send(&mut self, partition: usize, now_ms: i64) -> Result<(), SourceError> {
        let number = i32::try_from(partition).expect("a topic's partitions are counted in i32");
        let seq = self.sent[partition].events;
        self.generator.write_event(number, seq, now_ms, &mut self.payload);
        let key = self.generator.key(number, seq);
        let key = key.as_deref().map(str::as_bytes);
        self.producer.send(&self.topic, number, key, &self.payload, now_ms)?;
        let sent = &mut self.sent[partition];
        sent.events += 1;
        sent.bytes += self.payload.len() as u64;
        Ok(())
    }

    /// Serves acknowledgements that came in.
    pub(crate) fn poll(&self) {
        self.producer.poll();
    }

    /// Returns what was sent, by partition.
    pub(crate) fn sent(&self) -> &[Sent] {
        &self.sent
    }

    /// Returns how many events were sent.
    pub(crate) fn events(&self) -> u64 {
        self.sent.iter().map(|sent| sent.events).sum()
    }

    /// Waits until everything is acknowledged. Returns how many events are not, whatever the reason.
    pub(crate) fn finish(&self, timeout: Duration) -> Result<u64, SourceError> {
        let waiting = self.producer.flush(timeout)?;
        Ok(waiting + self.producer.failed())
    }
}

/// Says how many events are due, at a steady rate. Pure: time comes in as an argument.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    per_second: u32,
    taken: u64,
}

impl Pace {
    /// Returns a pace that begins now. 0 a second means as fast as it goes.
    pub(crate) fn new(per_second: u32) -> Pace {
        Pace { per_second, taken: 0 }
    }

    /// Takes the events that are due `elapsed` after the beginning, and not more than one step sends.
    pub(crate) fn take(&mut self, elapsed: Duration) -> u64 {
        if self.per_second == 0 {
            return STEP_EVENTS_MAX;
        }
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let due_in_all = millis.saturating_mul(u64::from(self.per_second)) / 1000;
        let due = due_in_all.saturating_sub(self.taken);
        // What a stalled step has missed is not made up for beyond one step: a demo should flow, not burst.
        self.taken = due_in_all;
        due.min(STEP_EVENTS_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_steady_however_often_it_is_asked() {
        let mut pace = Pace::new(1_500);
        let taken: u64 = (0..=1_000).map(|ms| pace.take(Duration::from_millis(ms))).sum();
        assert_eq!(taken, 1_500);
        assert_eq!(pace.take(Duration::from_millis(1_000)), 0);
        assert_eq!(pace.take(Duration::from_secs(3_600)), STEP_EVENTS_MAX);
    }
}
