//! Measures one core: rows a second into a consuming segment, and from there into a durable and a serving file.
//!
//! `cargo run --release -p meunier-segment --example seal_rate [rows] [batch rows]`

#![expect(clippy::print_stdout, reason = "it prints what it measured")]
#![expect(clippy::cast_precision_loss, reason = "rates need no more than a double's precision")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{
    ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use meunier_segment::consuming_segment::{ConsumingSegment, SegmentIdentity};
use meunier_segment::durable;
use meunier_segment::offset_range::{Offset, PartitionId};
use meunier_segment::options::SegmentOptions;
use meunier_segment::schema::Schema;
use meunier_segment::seal::seal;
use meunier_segment::segment_name::SegmentName;
use meunier_segment::serving::{self, DurableRef};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let rows = arguments.next().transpose()?.unwrap_or(1_000_000);
    let batch_rows = arguments.next().transpose()?.unwrap_or(500);
    let schema = Arc::new(
        Schema::parse(include_str!("../../schemas/clickstream.schema.json")).expect("it is valid").schema,
    );
    let starts = (0..rows).step_by(usize::try_from(batch_rows)?);
    let batches: Vec<(RecordBatch, Vec<i64>)> =
        starts.map(|start| batch(&schema, start, batch_rows.min(rows - start))).collect();

    let partition = PartitionId(0);
    let identity =
        SegmentIdentity { name: SegmentName::new("clickstream", partition, 0, 0), partition, created_ms: 0 };
    let options = SegmentOptions::default();
    let mut segment = ConsumingSegment::new(identity, Arc::clone(&schema), &options, Offset(0));
    let report = |what: &str, time: Duration, bytes: usize| {
        let rate = rows as f64 / time.as_secs_f64() / 1e6;
        println!("{what:10} {rate:8.2} M rows/s {:8.1} B/row", bytes as f64 / rows as f64);
    };
    let clock = Instant::now();
    for (rows, offsets) in &batches {
        segment.append(rows, offsets);
        black_box(segment.snapshot());
    }
    report("append", clock.elapsed(), segment.memory_bytes());
    let (frozen, _) = segment.freeze();

    let clock = Instant::now();
    let sealed = seal(&frozen, &options)?;
    report("seal", clock.elapsed(), 0);
    let sorted = SegmentOptions { sorted_column: Some("country".into()), ..options };
    let clock = Instant::now();
    black_box(seal(&frozen, &sorted)?);
    report("seal sort", clock.elapsed(), 0);
    let clock = Instant::now();
    let mut durable_bytes = Vec::new();
    durable::write(&mut durable_bytes, &sealed)?;
    report("durable", clock.elapsed(), durable_bytes.len());
    let clock = Instant::now();
    let mut serving_bytes = Vec::new();
    serving::write(&mut serving_bytes, &sealed, DurableRef { bytes: 0, crc32c: 0 })?;
    report("serving", clock.elapsed(), serving_bytes.len());
    Ok(())
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
