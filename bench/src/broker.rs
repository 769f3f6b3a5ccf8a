//! The broker of a run: a real Kafka at a given address, or the embedded one in a process of its own, so that its CPU time is
//! not counted as ours and it outlives a server that is killed.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;
use meunier_ingest::EmbeddedBroker;

use crate::report;

/// Where the records are.
pub(crate) enum Broker {
    /// A running Kafka; not ours to stop.
    Kafka { address: String },
    /// librdkafka's mock cluster in a child process, which ends when its standard input does.
    Embedded { address: String, process: Child },
}

/// Runs the embedded broker.
#[derive(Args)]
pub(crate) struct BrokerProcess {
    #[arg(long)]
    topic: String,
    #[arg(long)]
    partitions: i32,
}

impl Broker {
    /// Returns the Kafka at `kafka`, or starts an embedded broker with the topic in it.
    pub(crate) fn of(kafka: Option<&str>, topic: &str, partitions: i32) -> Result<Broker> {
        match kafka {
            Some(address) => Ok(Broker::Kafka { address: address.to_owned() }),
            None => Broker::embedded(topic, partitions),
        }
    }

    fn embedded(topic: &str, partitions: i32) -> Result<Broker> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["broker", "--topic", topic, "--partitions", &partitions.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("start the embedded broker")?;
        let mut address = String::new();
        let out = process.stdout.take().context("the broker's output is piped")?;
        BufReader::new(out).read_line(&mut address)?;
        if address.trim().is_empty() {
            process.wait()?;
            bail!("the embedded broker did not start");
        }
        Ok(Broker::Embedded { address: address.trim().to_owned(), process })
    }

    pub(crate) fn address(&self) -> &str {
        match self {
            Broker::Kafka { address } | Broker::Embedded { address, .. } => address,
        }
    }

    pub(crate) fn is_embedded(&self) -> bool {
        matches!(self, Broker::Embedded { .. })
    }

    /// Returns what to call it in a report.
    pub(crate) fn describe(&self) -> String {
        match self {
            Broker::Kafka { address } => format!("Kafka at {address}"),
            Broker::Embedded { address, .. } => format!("embedded broker (librdkafka mock) at {address}"),
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Broker::Embedded { process, .. } = self {
            drop(process.stdin.take());
            // It has no state worth a word about how it ended.
            let _ = process.wait();
        }
    }
}

impl BrokerProcess {
    pub(crate) fn run(&self) -> Result<bool> {
        let broker = EmbeddedBroker::start(&[(&self.topic, self.partitions)])?;
        report::line(&broker.bootstrap());
        std::io::stdin().read_to_end(&mut Vec::new())?;
        Ok(true)
    }
}
