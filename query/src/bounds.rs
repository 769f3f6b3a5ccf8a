//! What metadata knows of a column over one segment, as scans show the column.

use datafusion::scalar::ScalarValue;
use meunier_segment::stats::ColumnStats;
use meunier_segment::table_snapshot::Segment;
use meunier_segment::value::Value;

use crate::table_columns::TableColumn;

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
