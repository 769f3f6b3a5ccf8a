//! The steps themselves. Each checks that it met every record, for a rate of less than all would be worth nothing.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use meunier_catalog::Catalog;
use meunier_ingest::decode::{DecodeLimits, JsonDecoder, RecordRef};
use meunier_ingest::{IngestConfig, Ingester, NoExpressions, bench_hooks};
use meunier_segment::consuming_segment::{ConsumingSegment, SegmentIdentity};
use meunier_segment::offset_range::{Offset, OffsetRange, PartitionId};
use meunier_segment::schema::Schema;
use meunier_segment::segment_name::SegmentName;
use meunier_segment::table_snapshot::{LiveTable, Segment};

use super::{Outcome, Step};
use crate::broker::Broker;
use crate::events::now_ms;
use crate::measurement::{Cost, Stopwatch};
use crate::messages::Messages;
use crate::table::{self, TABLE, TableSource};

/// Records kept for the steps that run from memory; more would say nothing new.
const RECORDS_IN_MEMORY: usize = 400_000;
/// Rows of a segment where none is to be sealed.
const NO_SEAL: u64 = 50_000_000;
/// A step that takes longer hangs.
const STEP_TIMEOUT: Duration = Duration::from_secs(300);
const LOOK_INTERVAL: Duration = Duration::from_millis(2);

pub(super) struct Steps {
    brokers: String,
    topic: String,
    config: IngestConfig,
    ranges: Vec<(PartitionId, OffsetRange)>,
    messages: Messages,
    schema: Arc<Schema>,
    segment_rows: u64,
    events: u64,
    bytes: u64,
}

impl Steps {
    /// Reads the topic once: to know it, to fill the broker's cache, and to keep some records in memory.
    pub(super) fn prepare(
        broker: &Broker,
        topic: &str,
        segment_rows: u64,
        worker_threads: Option<usize>,
    ) -> Result<Steps> {
        let ranges = crate::topic::ranges(broker, topic)?;
        for (partition, range) in &ranges {
            ensure!(
                range.start == Offset(0),
                "partition {partition} lost its oldest records: take more partitions"
            );
        }
        let embedded_broker = broker.is_embedded().then(|| broker.address().to_owned());
        let mut config = IngestConfig { embedded_broker, ..IngestConfig::default() };
        config.worker_threads = worker_threads.unwrap_or(config.worker_threads);
        let mut steps = Steps {
            brokers: broker.address().to_owned(),
            topic: topic.to_owned(),
            config,
            events: ranges.iter().map(|(_, range)| range.width()).sum(),
            ranges,
            messages: Messages::default(),
            schema: Arc::new(table::schema()?),
            segment_rows,
            bytes: 0,
        };
        let mut messages = Messages::default();
        let mut bytes = 0;
        steps.consume(|record| {
            let payload = record.payload.unwrap_or_default();
            bytes += payload.len() as u64;
            if messages.len() < RECORDS_IN_MEMORY {
                messages.push(payload);
            }
        })?;
        steps.messages = messages;
        steps.bytes = bytes;
        Ok(steps)
    }

    pub(super) fn events(&self) -> u64 {
        self.events
    }

    pub(super) fn partitions(&self) -> usize {
        self.ranges.len()
    }

    #[expect(clippy::cast_precision_loss, reason = "a figure to be read by people")]
    pub(super) fn mean_bytes(&self) -> f64 {
        self.bytes as f64 / self.events as f64
    }

    pub(super) fn run(&self, step: Step) -> Result<Outcome> {
        match step {
            Step::Consume => self.consume(|record| {
                std::hint::black_box(record.payload);
            }),
            Step::Parse => Ok(self.outcome_of_all(self.messages.parse_only()?)),
            Step::ParseCopied => Ok(self.outcome_of_all(self.messages.copy_and_parse()?)),
            Step::Decode => self.decode(),
            Step::Append => self.append(),
            Step::Ingest => self.ingest(NO_SEAL),
            Step::Seal => self.ingest(self.segment_rows),
        }
    }

    fn consume(&self, mut visit: impl FnMut(&RecordRef<'_>)) -> Result<Outcome> {
        let config = table::config(&self.source(NO_SEAL))?;
        let stream = config.stream.context("the sample table has a stream")?;
        let stopwatch = Stopwatch::start();
        let records = bench_hooks::consume(&stream, &self.config, &self.ranges, |_, record| visit(record))?;
        let cost = stopwatch.stop();
        ensure!(records == self.events, "consumed {records} of {} records", self.events);
        Ok(Outcome { rows: records, bytes: self.bytes, cost })
    }

    fn decode(&self) -> Result<Outcome> {
        let stopwatch = Stopwatch::start();
        let rows = self.decode_batches(|_| ());
        let cost = stopwatch.stop();
        ensure!(rows == self.messages.len(), "decoded {rows} of {} records", self.messages.len());
        Ok(self.outcome_of_all(cost))
    }

    fn append(&self) -> Result<Outcome> {
        let identity = SegmentIdentity {
            name: SegmentName::new(TABLE, PartitionId(0), 0, now_ms()),
            partition: PartitionId(0),
            created_ms: now_ms(),
        };
        let options = table::config(&self.source(NO_SEAL))?.segment_options();
        let stopwatch = Stopwatch::start();
        let mut segment = ConsumingSegment::new(identity, Arc::clone(&self.schema), &options, Offset(0));
        self.decode_batches(|batch| {
            segment.append_decoded(batch.rows);
            std::hint::black_box(segment.snapshot());
        });
        let cost = stopwatch.stop();
        ensure!(
            segment.rows() == self.messages.len(),
            "appended {} of {}",
            segment.rows(),
            self.messages.len()
        );
        Ok(self.outcome_of_all(cost))
    }

    /// Decodes the records in memory, in batches of the size that ingestion uses. Returns the number of rows.
    fn decode_batches(&self, mut visit: impl FnMut(meunier_ingest::decode::DecodedBatch)) -> usize {
        let mut decoder = JsonDecoder::new(Arc::clone(&self.schema), DecodeLimits::default());
        let mut rows = 0;
        let mut take = |decoder: &mut JsonDecoder| {
            let batch = decoder.take();
            rows += batch.rows.len();
            visit(batch);
        };
        for (offset, payload) in (0..).zip(self.messages.iter()) {
            let (offset, payload) = (Offset(offset), Some(payload));
            decoder.push(&RecordRef {
                offset,
                timestamp_ms: Some(offset.0),
                key: None,
                payload,
                headers: &[],
            });
            if decoder.row_count() == self.config.batch_records_max {
                take(&mut decoder);
            }
        }
        take(&mut decoder);
        rows
    }

    fn ingest(&self, segment_rows: u64) -> Result<Outcome> {
        let dir = tempfile::tempdir()?;
        let source = self.source(segment_rows);
        let catalog = Arc::new(Catalog::open(dir.path())?);
        let (schema, config) = (Arc::new(table::schema_json()?), Arc::new(table::config_json(&source)?));
        let entry = catalog.create_table(TABLE, schema, config, now_ms())?;
        let (id, definition) = (entry.id, table::definition(entry, &source)?);
        let ingester = Ingester::start(Arc::clone(&catalog), self.config.clone(), Arc::new(NoExpressions))?;

        let stopwatch = Stopwatch::start();
        let live = ingester.add_table(definition)?;
        wait_until("every row is visible", || visible_rows(&live) >= self.events)?;
        if segment_rows < NO_SEAL {
            ingester.force_commit(id, None);
            let committed = || catalog.segments(id).iter().map(|segment| segment.rows).sum::<u64>();
            wait_until("every row is committed", || committed() >= self.events)?;
        }
        let cost = stopwatch.stop();

        ensure!(
            visible_rows(&live) == self.events,
            "{} rows of {} records",
            visible_rows(&live),
            self.events
        );
        ingester.shutdown();
        Ok(Outcome { rows: self.events, bytes: self.bytes, cost })
    }

    fn source(&self, segment_rows: u64) -> TableSource<'_> {
        TableSource { brokers: &self.brokers, topic: &self.topic, segment_rows }
    }

    fn outcome_of_all(&self, cost: Cost) -> Outcome {
        Outcome { rows: self.messages.len() as u64, bytes: self.messages.bytes() as u64, cost }
    }
}

fn visible_rows(table: &LiveTable) -> u64 {
    let rows = |segment| match segment {
        Segment::Consuming(segment) => segment.rows() as u64,
        Segment::Sealed(segment) => segment.rows() as u64,
    };
    table.snapshot().partitions.iter().flat_map(|partition| partition.segments()).map(rows).sum()
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) -> Result<()> {
    let began = Instant::now();
    while !done() {
        ensure!(began.elapsed() < STEP_TIMEOUT, "waited {STEP_TIMEOUT:?} until {what}");
        thread::sleep(LOOK_INTERVAL);
    }
    Ok(())
}
