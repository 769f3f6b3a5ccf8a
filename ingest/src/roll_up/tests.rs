use std::collections::BTreeMap;

use arrow::buffer::NullBuffer;
use meunier_segment::column::ColumnValues;
use meunier_segment::consuming_segment::{ConsumingSnapshot, OFFSET_COLUMN, SegmentIdentity};
use meunier_segment::offset_range::{Offset, PartitionId};
use meunier_segment::options::SegmentOptions;
use meunier_segment::seal::seal;
use meunier_segment::segment_name::SegmentName;
use meunier_segment::value::Value;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::decode::{DecodeLimits, JsonDecoder, RecordRef};

fn schema() -> Arc<Schema> {
    let json = json!({
        "schemaName": "t",
        "dimensionFieldSpecs": [{"name": "a", "dataType": "STRING"}, {"name": "l", "dataType": "INT", "singleValueField": false}],
        "metricFieldSpecs": [{"name": "sum", "dataType": "INT"}, {"name": "min", "dataType": "DOUBLE"},
            {"name": "max", "dataType": "BIG_DECIMAL"}, {"name": "count", "dataType": "LONG"}],
    });
    Arc::new(Schema::parse(&json.to_string()).unwrap().schema)
}

/// The dimensions of a row.
type Key = (Option<u8>, Vec<i32>);

/// The offset of a key's first row, and its metrics.
type Rolled = (i64, [Option<i64>; 4]);

/// A row by its dimensions and metrics; of the metrics null is possible.
type Row = (Option<u8>, Vec<i32>, Option<i32>, Option<i32>, Option<i32>);

fn row() -> impl Strategy<Value = Row> {
    let number = || proptest::option::of(-1_000_000_000..1_500_000_000_i32);
    (proptest::option::of(0..3_u8), proptest::collection::vec(0..2, 0..3), number(), number(), number())
}

fn combined(a: Option<i64>, b: Option<i64>, combine: impl Fn(i64, i64) -> i64) -> Option<i64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(combine(a, b)),
        (a, b) => a.or(b),
    }
}

proptest! {
    #[test]
    fn rolled_up_rows_are_those_of_a_map(batches in proptest::collection::vec(proptest::collection::vec(row(), 0..20), 0..6)) {
        let functions = [("sum", RollUpFunction::Sum), ("min", RollUpFunction::Min), ("max", RollUpFunction::Max),
            ("count", RollUpFunction::Sum)];
        let metrics = functions.map(|(column, function)| MetricRollUp { column: column.to_owned(), function, source: None });
        let mut roll_up = RollUp::new(schema(), &metrics).unwrap();
        let mut segment = segment(&metrics);
        let mut decoder = JsonDecoder::new(schema(), DecodeLimits::default());
        let mut model: BTreeMap<Key, Rolled> = BTreeMap::new();
        let mut offset = 0;
        let mut before: Option<(Arc<ConsumingSnapshot>, Vec<Rolled>)> = None;
        for batch in &batches {
            for (a, l, sum, min, max) in batch {
                let record = json!({"a": a.map(|a| a.to_string()), "l": l, "sum": sum, "min": min, "max": max, "count": 1});
                let payload = record.to_string();
                let record = RecordRef { offset: Offset(offset), timestamp_ms: None, key: None, payload: Some(payload.as_bytes()), headers: &[] };
                decoder.push(&record);
                let wide = |value: &Option<i32>| value.map(i64::from);
                let values = [wide(sum), wide(min), wide(max), Some(1)];
                let (_, known) = model.entry((*a, l.clone())).or_insert((offset, [None; 4]));
                *known = [
                    combined(known[0], values[0], |a, b| a + b), combined(known[1], values[1], i64::min),
                    combined(known[2], values[2], i64::max), combined(known[3], values[3], |a, b| a + b),
                ];
                offset += 1;
            }
            roll_up.add(decoder.take().rows, &mut segment);
            segment.advance_to(Offset(offset));
            // Not after every batch, so that what changed in several of them is written at once.
            if batch.len() % 3 == 0 {
                roll_up.write_metrics(&mut segment);
                let snapshot = segment.snapshot();
                let expected = expected(&model);
                prop_assert_eq!(rolled(&snapshot), expected.clone());
                check_bounds(&snapshot, &expected);
                if let Some((older, seen)) = before.replace((snapshot, expected)) {
                    prop_assert_eq!(rolled(&older), seen, "a reader keeps what it saw");
                }
            }
        }
        prop_assert_eq!(roll_up.merged_rows(), offset as u64 - model.len() as u64);
        roll_up.write_metrics(&mut segment);
        let (frozen, _) = segment.freeze();
        prop_assert_eq!(rolled(&frozen), expected(&model));
        let sealed = seal(&frozen, &SegmentOptions::default()).unwrap();
        prop_assert_eq!(sealed.rows, model.len());
    }
}

#[test]
fn keys_beyond_a_chunk_keep_their_metrics() {
    let metrics = ["sum", "min", "max", "count"].map(|column| MetricRollUp {
        column: column.to_owned(),
        function: RollUpFunction::Sum,
        source: None,
    });
    let mut roll_up = RollUp::new(schema(), &metrics).unwrap();
    let mut segment = segment(&metrics);
    let mut decoder = JsonDecoder::new(schema(), DecodeLimits::default());
    let keys = 70_000_i64;
    for (offset, key) in (0..).zip((0..keys).chain(0..keys).chain([5, 69_999])) {
        let payload = format!("{{\"l\":[{key}],\"count\":1}}");
        decoder.push(&RecordRef {
            offset: Offset(offset),
            timestamp_ms: None,
            key: None,
            payload: Some(payload.as_bytes()),
            headers: &[],
        });
        if offset % 9_000 == 0 {
            roll_up.add(decoder.take().rows, &mut segment);
            roll_up.write_metrics(&mut segment);
        }
    }
    roll_up.add(decoder.take().rows, &mut segment);
    roll_up.write_metrics(&mut segment);
    let counts: Vec<i64> = rolled(&segment.snapshot()).iter().filter_map(|(_, metrics)| metrics[3]).collect();
    assert_eq!(counts.len() as i64, keys);
    assert_eq!(counts.iter().sum::<i64>(), 2 * keys + 2);
    assert_eq!((counts[4], counts[5], counts[69_999]), (2, 3, 3));
    assert_eq!(roll_up.merged_rows() as i64, keys + 2);
}

fn segment(metrics: &[MetricRollUp]) -> ConsumingSegment {
    let partition = PartitionId(0);
    let identity = SegmentIdentity { name: SegmentName::new("t", partition, 0, 0), partition, created_ms: 0 };
    let plain = metrics.iter().map(|metric| metric.column.as_str().into());
    let options = SegmentOptions { no_dictionary_columns: plain.collect(), ..SegmentOptions::default() };
    ConsumingSegment::new(identity, schema(), &options, Offset(0))
}

fn expected(model: &BTreeMap<Key, Rolled>) -> Vec<Rolled> {
    let mut expected: Vec<_> = model.values().copied().collect();
    expected.sort_unstable();
    for (_, metrics) in &mut expected {
        // A sum that does not fit its INT column stays at the edge.
        metrics[0] = metrics[0].map(|sum| sum.clamp(i32::MIN.into(), i32::MAX.into()));
    }
    expected
}

/// The rows of a segment: their offsets and metrics.
fn rolled(snapshot: &ConsumingSnapshot) -> Vec<Rolled> {
    let mut rows = Vec::new();
    for chunk in 0..snapshot.chunk_rows().count() {
        let column = |name: &str| {
            let column = snapshot.column(chunk, snapshot.column_index(name).unwrap());
            let ColumnValues::Plain(values) = column.values else { panic!("{name} has a dictionary") };
            (cast(&values, &DataType::Int64).unwrap(), column.nulls)
        };
        let offsets = column(OFFSET_COLUMN).0;
        let metrics = ["sum", "min", "max", "count"].map(column);
        for (row, &offset) in offsets.as_primitive::<Int64Type>().values().iter().enumerate() {
            let value = |(values, nulls): &(ArrayRef, Option<NullBuffer>)| {
                let is_null = nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
                (!is_null).then(|| values.as_primitive::<Int64Type>().value(row))
            };
            rows.push((offset, metrics.each_ref().map(value)));
        }
    }
    rows
}

/// Bounds are those of the values that stand in the rows, where a null's default stands too.
fn check_bounds(snapshot: &ConsumingSnapshot, rows: &[Rolled]) {
    let stats = snapshot.stats(snapshot.column_index("count").unwrap());
    let counts: Vec<i64> = rows.iter().map(|(_, metrics)| metrics[3].unwrap_or(0)).collect();
    let bounds =
        counts.iter().min().copied().map(Value::Long).zip(counts.iter().max().copied().map(Value::Long));
    assert_eq!(stats.min.clone().zip(stats.max.clone()), bounds);
}
