use std::collections::BTreeMap;

use arrow::array::Array;
use meunier_segment::offset_range::Offset;
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
        let mut decoder = JsonDecoder::new(schema(), DecodeLimits::default());
        let mut model: BTreeMap<Key, Rolled> = BTreeMap::new();
        let mut offset = 0;
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
            roll_up.add(decoder.take().rows).unwrap();
        }
        prop_assert_eq!(roll_up.merged_rows(), offset as u64 - model.len() as u64);
        if batches.is_empty() {
            return Ok(());
        }
        let (rows, offsets) = roll_up.finish().unwrap();
        prop_assert!(offsets.is_sorted());
        let column = |name: &str| cast(rows.column_by_name(name).unwrap(), &DataType::Int64).unwrap();
        let columns = ["sum", "min", "max", "count"].map(column);
        let mut found: Vec<Rolled> = Vec::new();
        for (row, &offset) in offsets.iter().enumerate() {
            let value = |column: &ArrayRef| {
                let values = column.as_primitive::<Int64Type>();
                values.is_valid(row).then(|| values.value(row))
            };
            found.push((offset, columns.each_ref().map(value)));
        }
        let mut expected: Vec<_> = model.into_values().collect();
        expected.sort_unstable();
        for (_, metrics) in &mut expected {
            // A sum that does not fit its INT column stays at the edge.
            metrics[0] = metrics[0].map(|sum| sum.clamp(i32::MIN.into(), i32::MAX.into()));
        }
        prop_assert_eq!(found, expected);
    }
}
