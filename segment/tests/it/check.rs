//! Compares a segment with the rows it must hold.

use std::cmp::Ordering;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::compute::cast;
use meunier_segment::chunk::CHUNK_ROWS;
use meunier_segment::column::{Column, ColumnValues};
use meunier_segment::consuming_segment::offset_field;
use meunier_segment::dictionary::Dictionary;
use meunier_segment::ids::Ids;
use meunier_segment::schema::{Field, Schema};
use meunier_segment::seal::SealedRows;
use meunier_segment::sealed_segment::SealedSegment;
use meunier_segment::serving::{self, DurableRef};
use meunier_segment::stats::ColumnStats;
use meunier_segment::table_snapshot::Segment;
use meunier_segment::value::Value;
use meunier_segment::{durable, error::SegmentError};

use crate::model::{self, Cell, Row};

/// Asserts that a segment holds exactly `rows`, in this order.
pub(crate) fn segment(segment: &Segment, schema: &Schema, rows: &[Row]) {
    assert_eq!(segment.rows(), rows.len());
    assert_eq!(segment.chunk_rows().iter().sum::<usize>(), rows.len());
    let mut start = 0;
    for (chunk, chunk_rows) in segment.chunk_rows().into_iter().enumerate() {
        assert!(chunk_rows > 0 && chunk_rows <= CHUNK_ROWS, "chunk {chunk} has {chunk_rows} rows");
        let part = &rows[start..start + chunk_rows];
        for (index, field) in schema.fields().iter().enumerate() {
            let what = format!("chunk {chunk} of `{}`", field.name);
            column(&segment.column(chunk, field).expect("the chunk loads"), part, index, field, &what);
            chunk_bounds(
                segment.chunk_bounds(field).get(chunk).cloned().flatten(),
                part,
                index,
                field,
                &what,
            );
        }
        offsets(&segment.column(chunk, offset_field()).expect("the chunk loads"), part);
        start += chunk_rows;
    }
    for (index, field) in schema.fields().iter().enumerate() {
        let known = segment.stats(field).expect("the segment has the column");
        stats(&known, rows, index, field);
    }
}

/// Asserts that bounds hold for every value of a chunk and are reached, and are known of whole numbers and times.
fn chunk_bounds(bounds: Option<(Value, Value)>, rows: &[Row], index: usize, field: &Field, what: &str) {
    let Some((min, max)) = bounds else { return };
    let values = model::standing_values(rows, index, field);
    for (bound, wrong) in [(&min, Ordering::Greater), (&max, Ordering::Less)] {
        let compared: Vec<_> = values.iter().map(|value| bound.compare(value)).collect();
        assert!(
            !compared.contains(&Some(wrong)) && !compared.contains(&None),
            "{what}: {bound:?} is no bound"
        );
        assert!(compared.contains(&Some(Ordering::Equal)), "{what}: {bound:?} is not reached");
    }
}

/// Asserts that rows sealed in memory are exactly `rows`, and that a serving file made of them is too.
pub(crate) fn sealed(sealed: &SealedRows, rows: &[Row], directory: &Path) {
    assert_eq!(sealed.rows, rows.len());
    for (index, column_of) in sealed.columns.iter().take(sealed.schema.fields().len()).enumerate() {
        let what = format!("sealed `{}`", column_of.field.name);
        column(&column_of.column, rows, index, &column_of.field, &what);
        let dictionary = match &column_of.column.values {
            ColumnValues::Ids { dictionary, .. } | ColumnValues::IdLists { dictionary, .. } => dictionary,
            ColumnValues::Plain(_) | ColumnValues::PlainLists { .. } => continue,
        };
        assert!(dictionary.is_sorted(), "{what} has an unsorted dictionary");
    }
    let path = directory.join("serving");
    let opened = Arc::new(write_and_open(sealed, &path).expect("the file opens"));
    assert_eq!(opened.name(), &sealed.identity.name);
    assert_eq!((opened.partition(), opened.range()), (sealed.identity.partition, sealed.range));
    assert_eq!((opened.created_ms(), opened.durable()), (sealed.identity.created_ms, DURABLE));
    segment(&Segment::Sealed(opened), &sealed.schema, rows);
}

/// What the serving files of these tests say of their durable file.
pub(crate) const DURABLE: DurableRef = DurableRef { bytes: 12_345, crc32c: 0xdead_beef };

pub(crate) fn write_and_open(sealed: &SealedRows, path: &Path) -> Result<SealedSegment, SegmentError> {
    let mut file = File::create(path).unwrap();
    serving::write(&mut file, sealed, DURABLE).unwrap();
    SealedSegment::open(path)
}

pub(crate) fn write_durable(sealed: &SealedRows, path: &Path) {
    durable::write(File::create(path).unwrap(), sealed).expect("the file is written");
}

/// Asserts that a column holds exactly these rows, by every way to ask.
pub(crate) fn column(column: &Column, rows: &[Row], index: usize, field: &Field, what: &str) {
    assert_eq!(column.len(), rows.len(), "{what}");
    let is_null = |row: &Row| row.cells.get(index).is_none_or(|cell| matches!(cell, Cell::Null));
    assert_eq!(column.null_count(), rows.iter().filter(|row| is_null(row)).count(), "{what}");
    assert!(column.nulls.as_ref().is_none_or(|nulls| nulls.null_count() > 0), "{what}: nulls without a null");
    for null_handling in [false, true] {
        let actual = stored(&column.to_array(null_handling).expect("it becomes an array"), field);
        same(&actual, &model::expected(rows, index, field, null_handling), what);
    }
    match &column.values {
        ColumnValues::Ids { ids, dictionary } | ColumnValues::IdLists { ids, dictionary, .. } => {
            ids_are_known(ids, dictionary, what);
        }
        ColumnValues::Plain(array) | ColumnValues::PlainLists { values: array, .. } => {
            assert_eq!(array.null_count(), 0, "{what}: every place has a value");
        }
    }
}

fn ids_are_known(ids: &Ids, dictionary: &Dictionary, what: &str) {
    let mut wide = Vec::new();
    ids.extend_into(&mut wide);
    assert!(
        wide.iter().all(|&id| (id as usize) < dictionary.len()),
        "{what}: an id lies outside the dictionary"
    );
    let values = dictionary.stored_values().expect("the dictionary is one array");
    let sorted = arrow::compute::sort(&values, None).unwrap();
    assert!(!dictionary.is_sorted() || same_array(&values, &sorted), "{what}: the dictionary is not sorted");
    assert_eq!(dictionary.scan_values().expect("the dictionary is one array").len(), dictionary.len());
}

fn offsets(column: &Column, rows: &[Row]) {
    let offsets: Vec<Option<Value>> = rows.iter().map(|row| Some(Value::Long(row.offset))).collect();
    let expected = model::values_array(offset_field().data_type, &offsets);
    same(&column.to_array(true).expect("it becomes an array"), &expected, "offsets");
    assert!(column.nulls.is_none());
}

/// Asserts that bounds hold for every value and are reached, and that counts are exact.
fn stats(stats: &ColumnStats, rows: &[Row], index: usize, field: &Field) {
    let what = &field.name;
    let nulls = rows.iter().filter(|row| matches!(row.cells[index], Cell::Null)).count();
    assert_eq!(stats.null_count, nulls as u64, "null count of `{what}`");
    let values = model::standing_values(rows, index, field);
    for (bound, wrong) in [(&stats.min, Ordering::Greater), (&stats.max, Ordering::Less)] {
        let Some(bound) = bound else { continue };
        assert!(stats.bounds_known, "`{what}` has a bound");
        let compared: Vec<_> = values.iter().map(|value| bound.compare(value)).collect();
        assert!(
            !compared.contains(&Some(wrong)) && !compared.contains(&None),
            "`{what}`: {bound:?} is no bound"
        );
        assert!(compared.contains(&Some(Ordering::Equal)), "`{what}`: {bound:?} is not reached");
    }
    assert_eq!(stats.min.is_some(), stats.max.is_some());
    assert!(
        !stats.bounds_known || stats.min.is_some() || values.is_empty(),
        "`{what}`: bounds known, yet none"
    );
    if let Some(distinct) = stats.distinct_count {
        let different: std::collections::HashSet<String> = values.iter().map(text_of_bits).collect();
        assert_eq!(distinct, different.len() as u64, "distinct values of `{what}`");
    }
}

fn text_of_bits(value: &Value) -> String {
    match value {
        Value::Float(value) => value.to_bits().to_string(),
        Value::Double(value) => value.to_bits().to_string(),
        other => format!("{other:?}"),
    }
}

/// Returns a scanned array in the type the model builds: views become plain strings and bytes.
pub(crate) fn stored(array: &ArrayRef, field: &Field) -> ArrayRef {
    cast(array, field.arrow_field().data_type()).expect("views cast to what they view")
}

pub(crate) fn same_array(a: &ArrayRef, b: &ArrayRef) -> bool {
    a == b
}

pub(crate) fn same(actual: &ArrayRef, expected: &ArrayRef, what: &str) {
    if same_array(actual, expected) {
        return;
    }
    assert_eq!(actual.data_type(), expected.data_type(), "{what}");
    assert_eq!(actual.len(), expected.len(), "{what}");
    let row = (0..actual.len()).find(|&row| actual.slice(row, 1) != expected.slice(row, 1));
    let at = row.unwrap_or_default();
    panic!("{what} differs first at row {row:?}: {:?}, not {:?}", actual.slice(at, 1), expected.slice(at, 1));
}
