//! What every scenario needs: a broker, a table on it, a producer, and a count of the rows that are visible.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use meunier_catalog::table_config::TableConfig;
use meunier_catalog::{Catalog, TableEntry};
use meunier_ingest::{
    EmbeddedBroker, IngestConfig, Ingester, NoExpressions, PartitionState, Producer, TableDefinition,
    TableStatus,
};
use meunier_sample::{Generator, Stream};
use meunier_segment::schema::Schema;
use meunier_segment::table_snapshot::{LiveTable, Segment, TableSnapshot};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;

/// Nothing here takes so long; a scenario that does has failed.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Which broker a scenario runs on.
pub(crate) enum Broker {
    Embedded(EmbeddedBroker),
    Real(String),
}

impl Broker {
    pub(crate) fn embedded() -> Broker {
        Broker::Embedded(EmbeddedBroker::start(&[]).unwrap())
    }

    /// The real broker of the environment.
    ///
    /// # Panics
    /// Without one: who asks for these tests must bring a broker.
    pub(crate) fn real() -> Broker {
        let address = std::env::var("MEUNIER_TEST_KAFKA")
            .expect("set MEUNIER_TEST_KAFKA to the address of an Apache Kafka, for example from `scripts/kafka.sh start`");
        Broker::Real(address)
    }

    pub(crate) fn address(&self) -> String {
        match self {
            Broker::Embedded(broker) => broker.bootstrap(),
            Broker::Real(address) => address.clone(),
        }
    }

    /// Creates a topic of a name not used before.
    pub(crate) fn topic(&self, partitions: i32) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let topic = format!("it-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        match self {
            Broker::Embedded(broker) => broker.create_topic(&topic, partitions).unwrap(),
            Broker::Real(_) => {
                let new = NewTopic::new(&topic, partitions, TopicReplication::Fixed(1));
                let answer = self.block_on(self.admin().create_topics([&new], &AdminOptions::new())).unwrap();
                answer[0].as_ref().expect("topic is created");
            }
        }
        topic
    }

    pub(crate) fn set_partitions(&self, topic: &str, partitions: usize) {
        let new = NewPartitions::new(topic, partitions);
        let answer = self.block_on(self.admin().create_partitions([&new], &AdminOptions::new())).unwrap();
        answer[0].as_ref().expect("partitions are added");
    }

    pub(crate) fn admin(&self) -> AdminClient<DefaultClientContext> {
        ClientConfig::new().set("bootstrap.servers", self.address()).create().unwrap()
    }

    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }
}

/// A catalog and an ingester on one data directory, as one process has them.
pub(crate) struct Process {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) ingester: Arc<Ingester>,
}

impl Process {
    pub(crate) fn start(dir: &Path, broker: &Broker) -> Process {
        Process::start_with(dir, broker, |_| {})
    }

    pub(crate) fn start_with(dir: &Path, broker: &Broker, change: impl FnOnce(&mut IngestConfig)) -> Process {
        let catalog = Arc::new(Catalog::open(dir).unwrap());
        let mut config = IngestConfig {
            worker_threads: 2,
            partition_discovery_interval: Duration::from_secs(1),
            embedded_broker: matches!(broker, Broker::Embedded(_)).then(|| broker.address()),
            ..IngestConfig::default()
        };
        change(&mut config);
        let ingester = Ingester::start(Arc::clone(&catalog), config, Arc::new(NoExpressions)).unwrap();
        Process { catalog, ingester }
    }

    /// Creates the clickstream table on `topic`, its config changed by `change`.
    pub(crate) fn create_table(
        &self,
        broker: &Broker,
        topic: &str,
        change: impl FnOnce(&mut serde_json::Value, &mut serde_json::Map<String, serde_json::Value>),
    ) -> TestTable {
        let schema: serde_json::Value = serde_json::from_str(Stream::Clickstream.schema_json()).unwrap();
        let mut config: serde_json::Value = serde_json::from_str(Stream::Clickstream.table_json()).unwrap();
        // The events are of a time long ago.
        if let Some(segments) = config["segmentsConfig"].as_object_mut() {
            segments.retain(|key, _| !key.starts_with("retention"));
        }
        let stream = &mut config["ingestionConfig"]["streamIngestionConfig"]["streamConfigMaps"][0];
        let mut keys = stream.as_object().unwrap().clone();
        keys.insert("stream.kafka.topic.name".to_owned(), topic.into());
        keys.insert("stream.kafka.broker.list".to_owned(), broker.address().into());
        change(&mut config, &mut keys);
        config["ingestionConfig"]["streamIngestionConfig"]["streamConfigMaps"][0] = keys.into();
        let entry = self.catalog.create_table("clickstream", Arc::new(schema), Arc::new(config), 0).unwrap();
        self.open(entry)
    }

    /// Opens the clickstream table that is in the catalog.
    pub(crate) fn open_table(&self) -> TestTable {
        self.open(self.catalog.table("clickstream").unwrap())
    }

    /// Gives a table another config, as a request to do so would: closed, changed, and opened again.
    pub(crate) fn change_table(
        &self,
        table: TestTable,
        change: impl FnOnce(&mut serde_json::Value),
    ) -> TestTable {
        self.ingester.remove_table(table.entry.id);
        let mut config = serde_json::Value::clone(&table.entry.config);
        change(&mut config);
        let schema = Arc::clone(&table.entry.schema);
        self.open(self.catalog.update_table(table.entry.id, schema, Arc::new(config)).unwrap())
    }

    fn open(&self, entry: TableEntry) -> TestTable {
        let schema = Arc::new(Schema::parse(&entry.schema.to_string()).unwrap().schema);
        let config = TableConfig::parse(&entry.config.to_string(), Some(&schema)).unwrap().config;
        let definition = TableDefinition { entry: entry.clone(), schema, config: Arc::new(config) };
        let live = self.ingester.add_table(definition).unwrap();
        TestTable { entry, live, ingester: Arc::clone(&self.ingester) }
    }

    /// Ends the process in order.
    pub(crate) fn stop(self) {
        self.ingester.shutdown();
    }
}

/// A table being ingested.
pub(crate) struct TestTable {
    pub(crate) entry: TableEntry,
    pub(crate) live: Arc<LiveTable>,
    pub(crate) ingester: Arc<Ingester>,
}

/// What a closed form says about the rows of one partition whose `seq` are `0..n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    pub(crate) rows: u64,
    pub(crate) seq_sum: i128,
    pub(crate) seq_max: i64,
}

impl Tally {
    pub(crate) fn of_dense(rows: u64) -> Tally {
        let n = i128::from(rows);
        Tally { rows, seq_sum: n * (n - 1) / 2, seq_max: i64::try_from(rows).unwrap() - 1 }
    }
}

impl TestTable {
    pub(crate) fn status(&self) -> TableStatus {
        self.ingester.status(self.entry.id).unwrap()
    }

    /// Returns what is visible of each partition, and checks that its segments lie end to end.
    pub(crate) fn tallies(&self) -> Vec<Tally> {
        tallies(&self.live.snapshot())
    }

    /// Waits until each partition shows `rows` rows with the seqs `0..rows`; on the way each must show some dense prefix.
    pub(crate) fn wait_for_rows(&self, partitions: usize, rows: u64) {
        wait_for(&format!("{rows} rows in each of {partitions} partitions"), || {
            let tallies = self.tallies();
            for tally in tallies.iter().filter(|tally| tally.rows > 0) {
                assert_eq!(
                    *tally,
                    Tally::of_dense(tally.rows),
                    "a partition shows a dense prefix at every moment"
                );
                assert!(tally.rows <= rows, "more rows than were produced");
            }
            let done = tallies.len() == partitions && tallies.iter().all(|tally| tally.rows == rows);
            done.then_some(()).ok_or_else(|| format!("{tallies:?} {:?}", self.status()))
        });
    }

    /// Waits until every sealed segment has an inverted index on a column; all rows are there on the way.
    pub(crate) fn wait_for_index(&self, column: &str, partitions: usize, rows: u64) {
        wait_for(&format!("an index on {column}"), || {
            let snapshot = self.live.snapshot();
            for tally in tallies(&snapshot) {
                assert_eq!(tally, Tally::of_dense(rows));
            }
            assert_eq!(snapshot.partitions.len(), partitions);
            has_index(&snapshot, column).then_some(()).ok_or_else(|| format!("{:?}", self.status()))
        });
    }

    pub(crate) fn seal(&self) {
        let request = self.ingester.force_commit(self.entry.id, None);
        wait_for("all segments sealed", || {
            let pending = self.ingester.force_commit_pending(request.id).unwrap();
            let sealing =
                self.status().partitions.iter().map(|partition| partition.sealing_segments).sum::<usize>();
            (pending.is_empty() && sealing == 0)
                .then_some(())
                .ok_or_else(|| format!("{pending:?} {:?}", self.status()))
        });
    }

    pub(crate) fn wait_for_state(&self, wanted: fn(&PartitionState) -> bool) -> PartitionState {
        let mut found = None;
        wait_for("a partition in the state", || {
            found = self.status().partitions.iter().map(|partition| partition.state.clone()).find(wanted);
            found.is_some().then_some(()).ok_or_else(|| format!("{:?}", self.status()))
        });
        found.unwrap()
    }
}

pub(crate) fn tallies(snapshot: &TableSnapshot) -> Vec<Tally> {
    let (_, field) = snapshot.schema.field("seq").unwrap();
    let tally = |partition: &Arc<meunier_segment::table_snapshot::PartitionSnapshot>| {
        let mut tally = Tally { seq_max: -1, ..Tally::default() };
        let mut end = None;
        for segment in partition.segments() {
            assert!(end.is_none_or(|end| end == segment.range().start), "segments lie end to end");
            end = Some(segment.range().end);
            for chunk in 0..segment.chunk_rows().len() {
                let array = segment.column(chunk, field).unwrap().to_array(false).unwrap();
                for &seq in array.as_primitive::<Int64Type>().values() {
                    tally.rows += 1;
                    tally.seq_sum += i128::from(seq);
                    tally.seq_max = tally.seq_max.max(seq);
                }
            }
        }
        tally
    };
    snapshot.partitions.iter().map(tally).collect()
}

/// Returns whether all sealed segments have an inverted or sorted index on a column, and all answer by it as the column
/// itself does.
pub(crate) fn has_index(snapshot: &TableSnapshot, column: &str) -> bool {
    let (_, field) = snapshot.schema.field(column).unwrap();
    let mut sealed = snapshot.segments().filter(|segment| matches!(segment, Segment::Sealed(_)));
    sealed.all(|segment| {
        let sorted = segment.sorted_index(field).unwrap();
        let Some(inverted) = segment.inverted_index(field).unwrap() else { return sorted.is_some() };
        let distinct = u32::try_from(segment.dictionary(field).unwrap().unwrap().len()).unwrap();
        let rows: u64 = (0..distinct)
            .map(|id| inverted.rows(&std::iter::once(id..id + 1).collect::<Vec<_>>()).unwrap().len())
            .sum();
        assert_eq!(rows, segment.rows() as u64);
        true
    })
}

/// Returns how many sealed segments with rows a snapshot has.
pub(crate) fn sealed_segments(snapshot: &TableSnapshot) -> usize {
    snapshot.segments().filter(|segment| matches!(segment, Segment::Sealed(_))).count()
}

/// Polls until `ready`; panics with what was seen last when it takes too long.
pub(crate) fn wait_for(what: &str, mut ready: impl FnMut() -> Result<(), String>) {
    let start = Instant::now();
    loop {
        match ready() {
            Ok(()) => return,
            Err(seen) => assert!(start.elapsed() < DEADLINE, "waited in vain for {what}; saw {seen}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Produces sample events `seqs` to each of the first `partitions` partitions of a topic.
pub(crate) fn produce(
    broker: &Broker,
    topic: &str,
    partitions: i32,
    seqs: std::ops::Range<u64>,
    codec: &str,
) {
    let properties = [("compression.type".to_owned(), codec.to_owned())];
    let producer = Producer::connect(&broker.address(), &properties).unwrap();
    let generator = Generator::new(Stream::Clickstream, 42);
    let mut event = Vec::new();
    for seq in seqs {
        for partition in 0..partitions {
            generator.write_event(partition, seq, 1_767_225_600_000, &mut event);
            producer.send(topic, partition, None, &event, 1_767_225_600_000).unwrap();
        }
    }
    assert_eq!(producer.flush(DEADLINE).unwrap(), 0);
    assert_eq!(producer.failed(), 0);
}
