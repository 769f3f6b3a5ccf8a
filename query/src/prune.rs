//! Drops whole segments by what their metadata says.
//!
//! All segments of a table are judged in one vectorised step. A segment is dropped only when its bounds prove that no row
//! can match; a bound that is not known keeps it.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, UInt64Array};
use arrow::datatypes::{DataType as ArrowType, SchemaRef};
use datafusion::common::Column;
use datafusion::common::pruning::PruningStatistics;
use datafusion::physical_expr::{PhysicalExpr, conjunction};
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::scalar::ScalarValue;
use meunier_segment::stats::ColumnStats;
use meunier_segment::table_snapshot::Segment;
use meunier_segment::value::Value;

use crate::table_columns::{TableColumn, scan_type};

/// Returns the segments that can hold a row for which all `conditions` hold, and how many were dropped. A segment
/// without rows is dropped always.
pub(crate) fn prune(
    segments: Vec<Segment>,
    columns: &[TableColumn],
    schema: &SchemaRef,
    conditions: &[Arc<dyn PhysicalExpr>],
) -> (Vec<Segment>, usize) {
    let before = segments.len();
    let segments: Vec<Segment> = segments.into_iter().filter(|segment| segment.rows() > 0).collect();
    let kept = match verdicts(&segments, columns, schema, conditions) {
        Some(verdicts) => {
            segments.into_iter().zip(verdicts).filter(|(_, kept)| *kept).map(|(segment, _)| segment).collect()
        }
        None => segments,
    };
    let pruned = before - kept.len();
    (kept, pruned)
}

/// Returns for each segment whether it may match; nothing when the conditions say nothing about bounds.
fn verdicts(
    segments: &[Segment],
    columns: &[TableColumn],
    schema: &SchemaRef,
    conditions: &[Arc<dyn PhysicalExpr>],
) -> Option<Vec<bool>> {
    if segments.is_empty() || conditions.is_empty() {
        return None;
    }
    let predicate = PruningPredicateBuilder::new()
        .with_file_schema(Arc::clone(schema))
        .build(conjunction(conditions.iter().cloned()))?;
    predicate.prune(&SegmentBounds { segments, columns }).ok()
}

/// What is known of one column over one segment, as the scan shows the column.
#[derive(Debug, Default)]
pub(crate) struct Bounds {
    /// No value is smaller.
    pub(crate) min: Option<ScalarValue>,
    /// No value is larger.
    pub(crate) max: Option<ScalarValue>,
    /// Rows that are null.
    pub(crate) nulls: Option<u64>,
    /// Whether the bounds are values that stand in rows which are not null.
    pub(crate) exact: bool,
}

impl Bounds {
    /// Returns what is known of a column over a segment.
    pub(crate) fn of(segment: &Segment, column: &TableColumn) -> Bounds {
        match column {
            TableColumn::Stored { field, .. } if !field.single_value => Bounds::default(),
            TableColumn::Stored { field, shows_nulls } => match segment.stats(field) {
                Some(stats) => Bounds::of_stored(&stats, *shows_nulls),
                None => Bounds::of_default(&field.default_null_value, *shows_nulls, segment.rows()),
            },
            TableColumn::NullFlag(field) => {
                let nulls = match segment.stats(field) {
                    Some(stats) => stats.null_count,
                    None => segment.rows() as u64,
                };
                let (any_null, any_value) = (nulls > 0, nulls < segment.rows() as u64);
                Bounds::between(ScalarValue::from(!any_value), ScalarValue::from(any_null))
            }
            TableColumn::DocId => {
                let last = i32::try_from(segment.rows().saturating_sub(1)).unwrap_or(i32::MAX);
                Bounds::between(ScalarValue::from(0), ScalarValue::from(last))
            }
            TableColumn::SegmentName => Bounds::constant(text(segment.name().as_str())),
            TableColumn::PartitionId => Bounds::constant(ScalarValue::from(segment.partition().0)),
            TableColumn::HostName => Bounds { nulls: Some(0), ..Bounds::default() },
        }
    }

    fn of_stored(stats: &ColumnStats, shows_nulls: bool) -> Bounds {
        let nulls = if shows_nulls { stats.null_count } else { 0 };
        let bound = |value: &Option<Value>| value.as_ref().filter(|_| stats.bounds_known).map(scalar);
        // Bounds count the defaults that stand in null rows, so they are wider than what a query with nulls sees.
        Bounds { min: bound(&stats.min), max: bound(&stats.max), nulls: Some(nulls), exact: nulls == 0 }
    }

    /// A column that the segment does not have, because the schema gained it later.
    fn of_default(default: &Value, shows_nulls: bool, rows: usize) -> Bounds {
        match shows_nulls {
            true => Bounds { nulls: Some(rows as u64), ..Bounds::default() },
            false => Bounds::constant(scalar(default)),
        }
    }

    fn constant(value: ScalarValue) -> Bounds {
        Bounds::between(value.clone(), value)
    }

    fn between(min: ScalarValue, max: ScalarValue) -> Bounds {
        Bounds { min: Some(min), max: Some(max), nulls: Some(0), exact: true }
    }
}

fn scalar(value: &Value) -> ScalarValue {
    match value {
        Value::Int(value) => ScalarValue::from(*value),
        Value::Long(value) => ScalarValue::from(*value),
        Value::Float(value) => ScalarValue::from(*value),
        Value::Double(value) => ScalarValue::from(*value),
        Value::Boolean(value) => ScalarValue::from(*value),
        Value::Timestamp(value) => ScalarValue::TimestampMillisecond(Some(*value), None),
        Value::String(value) => text(value),
        Value::Bytes(value) => ScalarValue::BinaryView(Some(value.to_vec())),
        Value::BigDecimal(value) => {
            use meunier_segment::value::{BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE};
            ScalarValue::Decimal256(Some(*value), BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE)
        }
    }
}

fn text(value: &str) -> ScalarValue {
    ScalarValue::Utf8View(Some(value.to_owned()))
}

/// The bounds of all segments, one column at a time.
struct SegmentBounds<'a> {
    segments: &'a [Segment],
    columns: &'a [TableColumn],
}

impl SegmentBounds<'_> {
    fn column(&self, column: &Column) -> Option<&TableColumn> {
        self.columns.iter().find(|known| known.name() == column.name)
    }

    fn bounds(&self, column: &Column, pick: impl Fn(Bounds) -> Option<ScalarValue>) -> Option<ArrayRef> {
        let column = self.column(column)?;
        let unknown = ScalarValue::try_from(&column_type(column)).ok()?;
        let mut any_known = false;
        let mut values = Vec::with_capacity(self.segments.len());
        for segment in self.segments {
            let value = pick(Bounds::of(segment, column));
            any_known |= value.is_some();
            values.push(value.unwrap_or_else(|| unknown.clone()));
        }
        any_known.then(|| ScalarValue::iter_to_array(values).ok()).flatten()
    }
}

fn column_type(column: &TableColumn) -> ArrowType {
    scan_type(column.data_type())
}

impl PruningStatistics for SegmentBounds<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, |bounds| bounds.min)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, |bounds| bounds.max)
    }

    fn num_containers(&self) -> usize {
        self.segments.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let column = self.column(column)?;
        let counts = self.segments.iter().map(|segment| Bounds::of(segment, column).nulls);
        Some(Arc::new(counts.collect::<UInt64Array>()))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let rows = self.segments.iter().map(|segment| Some(segment.rows() as u64));
        Some(Arc::new(rows.collect::<UInt64Array>()))
    }

    fn contained(&self, _column: &Column, _values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
