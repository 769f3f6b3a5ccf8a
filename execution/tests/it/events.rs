//! Rows of one kind in plain vectors, and segments made of them.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{Float64Array, Int64Array, RecordBatch, StringArray};
use meunier_execution::counters::ScanCounters;
use meunier_execution::filter::SegmentFilter;
use meunier_execution::input::{ChunkView, InputColumn};
use meunier_execution::predicate::{Interval, Predicate, Test};
use meunier_segment::consuming_segment::{ConsumingSegment, SegmentIdentity};
use meunier_segment::offset_range::{Offset, PartitionId};
use meunier_segment::options::SegmentOptions;
use meunier_segment::schema::Schema;
use meunier_segment::seal::seal;
use meunier_segment::sealed_segment::SealedSegment;
use meunier_segment::segment_name::SegmentName;
use meunier_segment::serving::{self, DurableRef};
use meunier_segment::table_snapshot::Segment;
use tempfile::TempDir;

/// Positions of the columns.
pub(crate) const TS: usize = 0;
pub(crate) const SCORE: usize = 1;
pub(crate) const USER: usize = 2;

/// One row; a score may be missing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) ts: i64,
    pub(crate) score: Option<f64>,
    pub(crate) user: String,
}

/// Returns rows whose times ascend and whose scores do not. Equal seeds give equal rows.
pub(crate) fn events(count: usize, seed: u64) -> Vec<Event> {
    let mut state = seed;
    let mut below = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    (0..count)
        .map(|row| Event {
            ts: i64::try_from(row).unwrap() * 10,
            score: (below(50) > 0).then(|| below(100_000) as f64 / 8.0 - 500.0),
            user: format!("user {}", below(5_000)),
        })
        .collect()
}

pub(crate) fn schema() -> Arc<Schema> {
    let json = serde_json::json!({
        "schemaName": "events",
        "enableColumnBasedNullHandling": true,
        "dimensionFieldSpecs": [{"name": "ts", "dataType": "LONG"}, {"name": "score", "dataType": "DOUBLE"},
            {"name": "user", "dataType": "STRING"}],
    });
    Arc::new(Schema::parse(&json.to_string()).unwrap().schema)
}

/// Returns the columns as queries see them.
pub(crate) fn columns(shows_nulls: bool) -> Arc<[InputColumn]> {
    let schema = schema();
    let fields = schema.fields().iter();
    fields.map(|field| InputColumn::Stored { field: Arc::new(field.clone()), shows_nulls }).collect()
}

/// Numbers without a dictionary, and nothing else.
pub(crate) fn plain() -> SegmentOptions {
    SegmentOptions {
        no_dictionary_columns: ["ts", "score"].map(Into::into).into(),
        ..SegmentOptions::default()
    }
}

/// Returns a sealed segment of these rows.
pub(crate) fn sealed(
    rows: &[Event],
    options: &SegmentOptions,
    directory: &TempDir,
    sequence: u32,
) -> Segment {
    let (snapshot, _) = consuming(rows, options, sequence).freeze();
    let path = directory.path().join(format!("segment {sequence}"));
    let rows = seal(&snapshot, options).unwrap();
    serving::write(&mut File::create(&path).unwrap(), &rows, DurableRef { bytes: 0, crc32c: 0 }).unwrap();
    Segment::Sealed(Arc::new(SealedSegment::open(&path).unwrap()))
}

pub(crate) fn consuming(rows: &[Event], options: &SegmentOptions, sequence: u32) -> ConsumingSegment {
    let schema = schema();
    let partition = PartitionId(0);
    let name = SegmentName::new("events", partition, sequence, 0);
    let identity = SegmentIdentity { name, partition, created_ms: 0 };
    let mut segment = ConsumingSegment::new(identity, Arc::clone(&schema), options, Offset(0));
    let batch = RecordBatch::try_new(
        schema.arrow_schema(),
        vec![
            Arc::new(rows.iter().map(|row| Some(row.ts)).collect::<Int64Array>()),
            Arc::new(rows.iter().map(|row| row.score).collect::<Float64Array>()),
            Arc::new(rows.iter().map(|row| Some(&row.user)).collect::<StringArray>()),
        ],
    );
    let offsets: Vec<i64> = (0..i64::try_from(rows.len()).unwrap()).collect();
    segment.append(&batch.unwrap(), &offsets);
    segment
}

/// Returns the condition that a column's value lies in an interval.
pub(crate) fn within(column: usize, interval: Interval) -> Predicate {
    Predicate::Value { column, test: Test::Intervals([interval].into()) }
}

/// Returns the rows of a segment that pass, and how many values were read for it.
pub(crate) fn passing(
    predicate: &Predicate,
    columns: &Arc<[InputColumn]>,
    segment: &Segment,
) -> (Vec<usize>, u64) {
    let counters = ScanCounters::default();
    let filter = SegmentFilter::bind(predicate, columns, segment, true, None).unwrap();
    let mut found = Vec::new();
    let mut first_row = 0;
    for (chunk, rows) in segment.chunk_rows().into_iter().enumerate() {
        let view = ChunkView { segment, chunk, first_row, rows };
        let selected = filter.select(&view, &counters).unwrap();
        assert!(filter.may_hold(chunk, first_row, rows) || selected.is_empty());
        assert!(filter.known_count(&view).is_none_or(|known| known == selected.len() as u64));
        selected.for_each(|row| found.push(first_row + row));
        first_row += rows;
    }
    (found, ScanCounters::get(&counters.entries_in_filter))
}
