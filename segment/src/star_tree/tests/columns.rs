//! The columns of a sealed segment as a star-tree's input.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, StringArray,
    TimestampMillisecondArray,
};

use super::super::*;
use crate::column::{Column, ColumnValues};
use crate::dictionary::Dictionary;
use crate::ids::Ids;
use crate::schema::Schema;
use crate::seal::SealedColumn;
use crate::stats::ColumnStats;

const SCHEMA: &str = r#"{"schemaName": "t", "dimensionFieldSpecs": [
    {"name": "d", "dataType": "STRING"}, {"name": "plain", "dataType": "BOOLEAN"},
    {"name": "i", "dataType": "INT"}, {"name": "l", "dataType": "LONG"}, {"name": "t", "dataType": "TIMESTAMP"},
    {"name": "f", "dataType": "FLOAT"}, {"name": "x", "dataType": "DOUBLE"}]}"#;

/// Returns three rows: dimension ids 0, 1, 0, and in each metric three numbers.
fn columns() -> Vec<SealedColumn> {
    let schema = Schema::parse(SCHEMA).unwrap().schema;
    let ids = |ids: Vec<u32>, values: ArrayRef| ColumnValues::Ids {
        ids: Ids::narrow(ids, values.len()),
        dictionary: Arc::new(Dictionary::of_values(values, true)),
    };
    let values = vec![
        ids(vec![0, 1, 0], Arc::new(StringArray::from(vec!["a", "b"]))),
        ColumnValues::Plain(Arc::new(BooleanArray::from(vec![true, false, true]))),
        ids(vec![1, 0, 1], Arc::new(Int32Array::from(vec![-7, i32::MAX]))),
        ColumnValues::Plain(Arc::new(Int64Array::from(vec![1 << 60, 2, 3]))),
        ColumnValues::Plain(Arc::new(TimestampMillisecondArray::from(vec![5, 6, 7]))),
        ColumnValues::Plain(Arc::new(Float32Array::from(vec![0.1, 0.2, 0.3]))),
        ColumnValues::Plain(Arc::new(Float64Array::from(vec![0.5, 0.25, 4.0]))),
    ];
    let column = |values| Column { values, nulls: None };
    let columns = schema.fields().iter().zip(values);
    columns
        .map(|(field, values)| SealedColumn {
            field: field.clone(),
            column: column(values),
            stats: ColumnStats::default(),
            indexes: Vec::new(),
        })
        .collect()
}

fn options(dimension: &str, pair: &str) -> StarTreeOptions {
    StarTreeOptions {
        dimensions: vec![dimension.into()],
        skip_star_dimensions: Vec::new(),
        function_pairs: vec![FunctionPair::parse(pair).unwrap()],
        leaf_records_max: 1,
    }
}

/// Returns the pair's value by dimension `d`, or why there is none.
fn by_d(dimension: &str, pair: &str) -> String {
    let columns = columns();
    let options = options(dimension, pair);
    let built =
        StarTreeInput::of_columns(&options, &columns).and_then(|input| StarTree::build(&options, &input));
    let tree = match built {
        Ok(tree) => tree,
        Err(fault) => return fault,
    };
    let records = tree.records(&[], &[0]).into_iter();
    let values: Vec<String> = match tree.metric(&options.function_pairs[0]).unwrap() {
        MetricColumn::I64(values) => records.map(|record| values[record as usize].to_string()).collect(),
        MetricColumn::F64(values) => records.map(|record| format!("{:?}", values[record as usize])).collect(),
        MetricColumn::Ids(values) => {
            records.map(|record| format!("{:?}", values.of_record(record))).collect()
        }
    };
    values.join(" ")
}

#[test]
fn sealed_columns_are_aggregated_in_their_own_numbers() {
    assert_eq!(by_d("d", "COUNT__*"), "2 1");
    assert_eq!(by_d("d", "SUM__i"), "4294967294 -7");
    assert_eq!(by_d("i", "SUM__i"), "-7 4294967294");
    assert_eq!(by_d("d", "SUM__l"), "1152921504606846979 2");
    assert_eq!(by_d("d", "MAX__t"), "7 6");
    assert_eq!(by_d("d", "MIN__f"), "0.10000000149011612 0.20000000298023224");
    assert_eq!(by_d("d", "SUM__x"), "4.5 0.25");
}

#[test]
fn columns_that_cannot_be_used_are_named() {
    assert_eq!(by_d("d", "SUM__y"), "column `y` of a star-tree does not exist");
    assert_eq!(by_d("y", "SUM__x"), "column `y` of a star-tree does not exist");
    assert_eq!(by_d("d", "SUM__d"), "column `d` of STRING cannot be aggregated");
    assert_eq!(
        by_d("plain", "SUM__x"),
        "dimension `plain` of a star-tree needs one value a row and a dictionary, and has not both"
    );
}
