//! Files of JSON lines on their way to a topic, so that any data set can be read by every engine from the same records.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Args;
use meunier_ingest::Producer;

use crate::broker::Broker;
use crate::events::{self, now_ms};
use crate::{report, topic};

/// Lines read ahead.
const BUFFER_BYTES: usize = 1 << 20;

/// Creates a topic and writes each line of some files to it.
///
/// Partitions take turns, each with a run of consecutive lines, as a producer without keys fills them: time advances in all of them
/// alike.
#[derive(Args)]
pub(crate) struct Feed {
    /// Address of a running Kafka.
    #[arg(long)]
    kafka: String,
    /// Topic to create; one that exists is refused, as its records would be there twice.
    #[arg(long)]
    topic: String,
    #[arg(long, default_value_t = 4)]
    partitions: i32,
    #[arg(long, default_value = "lz4")]
    codec: String,
    /// Consecutive lines that one partition gets before the next has its turn.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    turn: u32,
    /// Files of one JSON object a line, in order.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// Where the next line goes.
struct Turns {
    partitions: i32,
    length: u32,
    partition: i32,
    left: u32,
}

impl Feed {
    pub(crate) fn run(&self) -> Result<bool> {
        ensure!(self.partitions > 0, "a topic has at least one partition");
        let broker = Broker::of(Some(&self.kafka), &self.topic, self.partitions)?;
        topic::create(&broker, &self.topic, self.partitions)?;
        let producer = events::producer(&broker, &self.codec)?;
        let mut turns = Turns::new(self.partitions, self.turn);
        let began = Instant::now();
        let mut lines = 0;
        for file in &self.files {
            lines += self.send_file(file, &producer, &mut turns)?;
            report::progress(&format!("{lines} records, {}", file.display()));
        }
        events::finish(&producer)?;
        report::line(&format!(
            "{lines} records in {} partitions of `{}` in {:.0} s",
            self.partitions,
            self.topic,
            began.elapsed().as_secs_f64()
        ));
        Ok(true)
    }

    /// Sends each line of a file. Returns how many there are.
    fn send_file(&self, path: &Path, producer: &Producer, turns: &mut Turns) -> Result<u64> {
        let file = File::open(path).with_context(|| format!("open {}", path.display()))?;
        let mut reader = BufReader::with_capacity(BUFFER_BYTES, file);
        let mut line = Vec::new();
        let mut lines = 0;
        while reader.read_until(b'\n', &mut line).with_context(|| format!("read {}", path.display()))? > 0 {
            let record = line.strip_suffix(b"\n").unwrap_or(&line);
            producer.send(&self.topic, turns.next_partition(), None, record, now_ms())?;
            if turns.is_over() {
                producer.poll();
            }
            line.clear();
            lines += 1;
        }
        Ok(lines)
    }
}

impl Turns {
    fn new(partitions: i32, length: u32) -> Turns {
        Turns { partitions, length, partition: 0, left: length }
    }

    /// Returns the partition of the next line.
    fn next_partition(&mut self) -> i32 {
        if self.is_over() {
            self.partition = (self.partition + 1) % self.partitions;
            self.left = self.length;
        }
        self.left -= 1;
        self.partition
    }

    fn is_over(&self) -> bool {
        self.left == 0
    }
}

#[cfg(test)]
mod tests {
    use super::Turns;

    #[test]
    fn partitions_take_turns_with_runs_of_lines() {
        let mut turns = Turns::new(3, 2);
        let given: Vec<i32> = (0..8).map(|_| turns.next_partition()).collect();
        assert_eq!(given, [0, 0, 1, 1, 2, 2, 0, 0]);
    }
}
