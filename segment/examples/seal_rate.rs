//! Measures one thread, by its time on a core: rows a second into a consuming segment, from there into a durable and a serving file, and the size
//! of each column.
//!
//! `cargo run --release -p meunier-segment --example seal_rate [events.parquet] [rows] [batch rows] [keep=DIRECTORY]`
//!
//! The Parquet file is one of the benchmark's event generator; without one, rows like those of the clickstream sample are
//! made here. Each step says its rate and what it takes a row. The files are kept where a directory is named.

#![expect(clippy::print_stdout, reason = "it prints what it measured")]
#![expect(clippy::cast_precision_loss, reason = "rates need no more than a double's precision")]

use std::collections::BTreeMap;
use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{
    ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use arrow::compute::cast;
use meunier_segment::consuming_segment::{ConsumingSegment, ConsumingSnapshot, SegmentIdentity};
use meunier_segment::durable;
use meunier_segment::index::BloomFilterSize;
use meunier_segment::offset_range::{Offset, PartitionId};
use meunier_segment::options::SegmentOptions;
use meunier_segment::schema::{ColumnName, Schema};
use meunier_segment::seal::{SealedRows, seal};
use meunier_segment::sealed_segment::SealedSegment;
use meunier_segment::segment_name::SegmentName;
use meunier_segment::serving::{self, DurableRef};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

type Failure = Box<dyn std::error::Error>;

const EVENTS_SCHEMA: &str = r#"{
    "schemaName": "events",
    "dimensionFieldSpecs": [
        {"name": "event_id", "dataType": "LONG"},
        {"name": "tenant_id", "dataType": "INT"},
        {"name": "user_id", "dataType": "LONG"},
        {"name": "session_id", "dataType": "STRING"},
        {"name": "event_type", "dataType": "STRING"},
        {"name": "country", "dataType": "STRING"},
        {"name": "city", "dataType": "STRING"},
        {"name": "device", "dataType": "STRING"},
        {"name": "browser", "dataType": "STRING"},
        {"name": "url", "dataType": "STRING"},
        {"name": "status", "dataType": "INT"}
    ],
    "metricFieldSpecs": [
        {"name": "latency_ms", "dataType": "DOUBLE"},
        {"name": "revenue", "dataType": "DOUBLE"},
        {"name": "bytes", "dataType": "LONG"}
    ],
    "dateTimeFieldSpecs": [
        {"name": "ts", "dataType": "LONG", "format": "1:MILLISECONDS:EPOCH", "granularity": "1:MILLISECONDS"}
    ]
}"#;

/// Rows to be sealed.
struct Input {
    schema: Arc<Schema>,
    batches: Vec<(RecordBatch, Vec<i64>)>,
    rows: usize,
    /// What to sort and index by.
    tuned: SegmentOptions,
}

fn main() -> Result<(), Failure> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_file = arguments.first().is_some_and(|argument| argument.ends_with(".parquet"));
    let file = is_file.then(|| arguments.remove(0));
    let keep = arguments.pop_if(|argument| argument.starts_with("keep="));
    let keep = keep.as_deref().and_then(|argument| argument.strip_prefix("keep="));
    let mut numbers = arguments.iter().map(|text| text.parse::<u64>());
    let rows = numbers.next().transpose()?.unwrap_or(1_000_000);
    let batch_rows = numbers.next().transpose()?.unwrap_or(500);
    let input = match file {
        Some(path) => events(&path, usize::try_from(rows)?, usize::try_from(batch_rows)?)?,
        None => clickstream(rows, batch_rows)?,
    };
    let tuned = &input.tuned;
    let sorted = SegmentOptions { sorted_column: tuned.sorted_column.clone(), ..SegmentOptions::default() };
    for (what, options) in
        [("as it came", &SegmentOptions::default()), ("sorted", &sorted), ("sorted and indexed", tuned)]
    {
        println!("\n{what}");
        let kept = keep.map(|directory| Path::new(directory).join(what.replace(' ', "-")));
        measure(&input, options, kept.as_deref())?;
    }
    Ok(())
}

/// What this thread has worked: the machine may be busy with other things.
struct Clock(Duration);

impl Clock {
    fn start() -> Clock {
        Clock(cpu_time())
    }

    fn elapsed(&self) -> Duration {
        cpu_time() - self.0
    }
}

fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells a thread's time");
    let nanoseconds = text.split(' ').next().and_then(|text| text.parse().ok());
    Duration::from_nanos(nanoseconds.expect("it begins with the time on a core"))
}

fn measure(input: &Input, options: &SegmentOptions, keep: Option<&Path>) -> Result<(), Failure> {
    let report = |what: &str, time: Duration, bytes: usize| {
        let rate = input.rows as f64 / time.as_secs_f64() / 1e6;
        println!("{what:20} {rate:8.2} M rows/s {:8.2} B/row", bytes as f64 / input.rows as f64);
    };
    let clock = Clock::start();
    let frozen = consume(input, options);
    report("append", clock.elapsed(), frozen.memory_bytes());
    let all = Clock::start();
    let sealed = seal(&frozen, options)?;
    report("seal", all.elapsed(), 0);
    let clock = Clock::start();
    let mut durable_bytes = Vec::new();
    durable::write(&mut durable_bytes, &sealed)?;
    report("durable", clock.elapsed(), durable_bytes.len());
    let clock = Clock::start();
    let mut serving_bytes = Vec::new();
    serving::write(&mut serving_bytes, &sealed, DurableRef { bytes: 0, crc32c: 0 })?;
    report("serving", clock.elapsed(), serving_bytes.len());
    report("seal, both files", all.elapsed(), 0);
    if let Some(path) = keep {
        std::fs::write(path.with_extension("parquet"), &durable_bytes)?;
        std::fs::write(path.with_extension("seg"), &serving_bytes)?;
    }
    read_back(&serving_bytes, &report)?;
    column_sizes(sealed)
}

fn consume(input: &Input, options: &SegmentOptions) -> Arc<ConsumingSnapshot> {
    let partition = PartitionId(0);
    let name = SegmentName::new(input.schema.name(), partition, 0, 0);
    let identity = SegmentIdentity { name, partition, created_ms: 0 };
    let mut segment = ConsumingSegment::new(identity, Arc::clone(&input.schema), options, Offset(0));
    for (rows, offsets) in &input.batches {
        segment.append(rows, offsets);
        black_box(segment.snapshot());
    }
    segment.freeze().0
}

fn read_back(bytes: &[u8], report: &dyn Fn(&str, Duration, usize)) -> Result<(), Failure> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(bytes)?;
    let mut opens: Vec<Duration> = Vec::new();
    for _ in 0..50 {
        let clock = Instant::now();
        black_box(SealedSegment::open(file.path())?);
        opens.push(clock.elapsed());
    }
    opens.sort();
    println!("open, half of 50 within {:?}", opens[opens.len() / 2]);
    let segment = SealedSegment::open(file.path())?;
    let clock = Clock::start();
    for column in 0..segment.column_count() {
        for chunk in 0..segment.chunk_count() {
            black_box(segment.column(chunk, column)?);
        }
    }
    report("first read", clock.elapsed(), serving::decoded_bytes());
    let clock = Instant::now();
    for column in 0..segment.column_count() {
        for chunk in 0..segment.chunk_count() {
            black_box(segment.column(chunk, column)?);
        }
    }
    let reads = u32::try_from(segment.column_count() * segment.chunk_count())?;
    println!("second read of a column of a chunk takes {:?}", clock.elapsed() / reads.max(1));
    Ok(())
}

fn column_sizes(mut sealed: SealedRows) -> Result<(), Failure> {
    let rows = sealed.rows;
    let written = |sealed: &SealedRows| -> Result<f64, Failure> {
        let mut bytes = Vec::new();
        serving::write(&mut bytes, sealed, DurableRef { bytes: 0, crc32c: 0 })?;
        Ok(bytes.len() as f64 / rows as f64)
    };
    let (mut values_total, mut indexes_total) = (0.0, 0.0);
    for column in std::mem::take(&mut sealed.columns) {
        let name: ColumnName = Arc::clone(&column.field.name);
        sealed.columns = vec![column];
        let all = written(&sealed)?;
        let mut indexes = String::new();
        for index in std::mem::take(&mut sealed.columns[0].indexes) {
            let bytes: usize = index.parts.buffers.iter().map(|buffer| buffer.len()).sum();
            indexes += &format!(" {} {:.2}", index.kind.name(), bytes as f64 / rows as f64);
        }
        let values = written(&sealed)?;
        println!("  {name:12} {values:6.2} B/row{indexes}");
        values_total += values;
        indexes_total += all - values;
    }
    println!(
        "  columns {values_total:.2}, indexes {indexes_total:.2}, all {:.2} B/row",
        values_total + indexes_total
    );
    Ok(())
}

fn events(path: &str, rows: usize, batch_rows: usize) -> Result<Input, Failure> {
    let schema = Arc::new(Schema::parse(EVENTS_SCHEMA).expect("it is valid").schema);
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?;
    let mut batches = Vec::new();
    let mut next = 0;
    for batch in reader.with_batch_size(batch_rows).build()? {
        let batch = batch?;
        let batch = batch.slice(0, batch.num_rows().min(rows - next));
        let arrow_schema = schema.arrow_schema();
        let arrays = schema.fields().iter().zip(arrow_schema.fields()).map(|(field, arrow)| {
            let array = batch.column_by_name(&field.name).ok_or(format!("no column {}", field.name))?;
            Ok(cast(array, arrow.data_type())?)
        });
        let arrays = arrays.collect::<Result<Vec<ArrayRef>, Failure>>()?;
        let offsets = (next..next + batch.num_rows()).map(|offset| i64::try_from(offset).expect("few rows"));
        let offsets: Vec<i64> = offsets.collect();
        next += batch.num_rows();
        batches.push((RecordBatch::try_new(arrow_schema, arrays)?, offsets));
        if next == rows {
            break;
        }
    }
    let names = |names: &[&str]| names.iter().map(|name| ColumnName::from(*name)).collect();
    let tuned = SegmentOptions {
        sorted_column: Some("tenant_id".into()),
        no_dictionary_columns: names(&["latency_ms", "revenue", "bytes"]),
        inverted_columns: names(&[
            "user_id",
            "session_id",
            "event_id",
            "event_type",
            "country",
            "device",
            "browser",
            "status",
        ]),
        range_columns: names(&["ts"]),
        bloom_columns: blooms(&["event_id", "session_id", "user_id"]),
        ..SegmentOptions::default()
    };
    Ok(Input { schema, batches, rows: next, tuned })
}

fn blooms(names: &[&str]) -> BTreeMap<ColumnName, BloomFilterSize> {
    names.iter().map(|name| (ColumnName::from(*name), BloomFilterSize::default())).collect()
}

fn clickstream(rows: u64, batch_rows: u64) -> Result<Input, Failure> {
    let schema = Arc::new(
        Schema::parse(include_str!("../../schemas/clickstream.schema.json")).expect("it is valid").schema,
    );
    let starts = (0..rows).step_by(usize::try_from(batch_rows)?);
    let batches = starts.map(|start| batch(&schema, start, batch_rows.min(rows - start))).collect();
    let tuned = SegmentOptions {
        sorted_column: Some("country".into()),
        inverted_columns: ["session_id".into(), "event_type".into()].into(),
        bloom_columns: blooms(&["session_id"]),
        ..SegmentOptions::default()
    };
    Ok(Input { schema, batches, rows: usize::try_from(rows)?, tuned })
}

/// Returns rows like those of the clickstream sample: a few texts of low cardinality, a session id that repeats some ten
/// times, a URL from some thousands.
fn batch(schema: &Schema, start: u64, len: u64) -> (RecordBatch, Vec<i64>) {
    let rows = || start..start + len;
    let word = |row: u64, salt: u64| mix(row ^ salt << 48);
    let skewed = |row, salt, count: u64| (word(row, salt) % count) * (word(row, salt + 1) % count) / count;
    let pick = |salt: u64, count: u64, name: &'static str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(
            rows().map(|row| format!("{name}{}", skewed(row, salt, count))),
        ))
    };
    let longs = |value: &dyn Fn(u64) -> u64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(rows().map(|row| value(row).cast_signed())))
    };
    let doubles = |value: &dyn Fn(u64) -> u64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(rows().map(|row| value(row) as f64 / 100.0)))
    };
    let session = |row| format!("{:016x}", mix(row / 4_000 * 400 + word(row, 20) % 400));
    let columns: Vec<ArrayRef> = vec![
        pick(1, 6, "event_type_"),
        pick(3, 60, "country "),
        pick(5, 2_000, "city of "),
        pick(7, 4, "device"),
        pick(9, 8, "browser "),
        longs(&|row| skewed(row, 11, 1_000_000)),
        Arc::new(StringArray::from_iter_values(rows().map(session))),
        pick(13, 20_000, "https://shop.example/category/product/"),
        Arc::new(Int32Array::from_iter_values(
            rows().map(|row| [200, 200, 200, 304, 404, 500][(word(row, 15) % 6) as usize]),
        )),
        doubles(&|row| skewed(row, 16, 90_000)),
        doubles(&|row| if word(row, 18) % 20 == 0 { word(row, 19) % 20_000 } else { 0 }),
        longs(&|row| row),
        Arc::new(TimestampMillisecondArray::from_iter_values(
            rows().map(|row| 1_700_000_000_000 + (row / 3).cast_signed()),
        )),
    ];
    let batch = RecordBatch::try_new(schema.arrow_schema(), columns).expect("the arrays fit the schema");
    (batch, rows().map(u64::cast_signed).collect())
}

/// Spreads the bits of a number: the finaliser of splitmix64.
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
