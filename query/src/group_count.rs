//! How many groups an aggregation can have, from what metadata knows of its keys.

use meunier_execution::aggregation::{Aggregation, Key};
use meunier_execution::input::InputColumn;
use meunier_segment::schema::Field;
use meunier_segment::table_snapshot::Segment;
use meunier_segment::value::Value;

/// Returns about how many groups these segments have, gathered segment by segment: rather too many than too few.
///
/// A value counts once for each segment that may have it, since what texts segments have in common is not known; whole
/// numbers and times have ranges, which bound the groups of all segments together. Where a consuming segment does not
/// count a column's values, the sealed segments say what is usual.
pub(crate) fn estimated_groups(aggregation: &Aggregation, segments: &[Segment]) -> usize {
    let Aggregation { keys, columns, .. } = aggregation;
    let mut of_each: Vec<usize> = vec![1; segments.len()];
    for key in keys {
        let counts: Vec<_> = segments.iter().map(|segment| values_of_key(key, columns, segment)).collect();
        let usual = counts.iter().flatten().copied().max();
        for ((groups, count), segment) in of_each.iter_mut().zip(counts).zip(segments) {
            let count = count.or(usual).unwrap_or(usize::MAX);
            *groups = groups.saturating_mul(count).min(segment.rows());
        }
    }
    let ranges = keys.iter().map(|key| range_of_key(key, columns, segments));
    let of_all = ranges.collect::<Option<Vec<usize>>>();
    let of_all = of_all.map_or(usize::MAX, |ranges| ranges.into_iter().fold(1, usize::saturating_mul));
    let groups = of_each.into_iter().fold(0, usize::saturating_add).min(of_all);
    groups.max(usize::from(keys.is_empty()))
}

fn values_of_key(key: &Key, columns: &[InputColumn], segment: &Segment) -> Option<usize> {
    match key {
        Key::Column { column, .. } => values_of_column(&columns[*column], segment),
        Key::Bucket { column, width, .. } => {
            let buckets = range_of_column(&columns[*column], std::slice::from_ref(segment), *width);
            least(values_of_column(&columns[*column], segment), buckets)
        }
        Key::Computed { columns: read, .. } => {
            let counts = read.iter().map(|&column| values_of_column(&columns[column], segment));
            Some(counts.collect::<Option<Vec<_>>>()?.into_iter().fold(1, usize::saturating_mul))
        }
    }
}

/// Returns a number that the values of a column in one segment do not exceed, null being one of them.
fn values_of_column(column: &InputColumn, segment: &Segment) -> Option<usize> {
    match column {
        InputColumn::Stored { field, .. } if !field.single_value => None,
        InputColumn::Stored { field, shows_nulls } => {
            let Some(stats) = segment.stats(field) else { return Some(1) };
            let counted = stats.distinct_count.and_then(|count| usize::try_from(count).ok());
            let distinct = counted.or_else(|| match segment {
                Segment::Consuming(_) => consuming_dictionary_len(segment, field),
                Segment::Sealed(_) => None,
            });
            let values = least(distinct, range_of_column(column, std::slice::from_ref(segment), 1))?;
            Some(values.saturating_add(usize::from(*shows_nulls && stats.null_count > 0)))
        }
        InputColumn::NullFlag(_) => Some(2),
        InputColumn::DocId => Some(segment.rows()),
        InputColumn::SegmentName | InputColumn::PartitionId | InputColumn::HostName(_) => Some(1),
    }
}

fn least(a: Option<usize>, b: Option<usize>) -> Option<usize> {
    a.into_iter().chain(b).min()
}

fn consuming_dictionary_len(segment: &Segment, field: &Field) -> Option<usize> {
    // Later chunks of a consuming segment may do without the dictionary: it counts only when it is small.
    let dictionary = segment.dictionary(field).ok().flatten()?;
    let len = dictionary.len();
    (len.saturating_mul(2) <= segment.rows()).then_some(len)
}

fn range_of_key(key: &Key, columns: &[InputColumn], segments: &[Segment]) -> Option<usize> {
    match key {
        Key::Column { column, .. } => range_of_column(&columns[*column], segments, 1),
        Key::Bucket { column, width, .. } => range_of_column(&columns[*column], segments, *width),
        Key::Computed { .. } => None,
    }
}

/// Returns how many multiples of `width` lie between the smallest and the largest value of a column of whole numbers.
fn range_of_column(column: &InputColumn, segments: &[Segment], width: i64) -> Option<usize> {
    let InputColumn::Stored { field, shows_nulls } = column else { return None };
    if !field.single_value {
        return None;
    }
    let mut bounds: Option<(i64, i64)> = None;
    for segment in segments {
        let (low, high) = match segment.stats(field) {
            Some(stats) if stats.bounds_known => (whole(stats.min.as_ref()?)?, whole(stats.max.as_ref()?)?),
            Some(_) => return None,
            None => (whole(&field.default_null_value)?, whole(&field.default_null_value)?),
        };
        bounds = Some(bounds.map_or((low, high), |(min, max)| (min.min(low), max.max(high))));
    }
    let (min, max) = bounds?;
    // Null is a value more, and a range that begins within a bucket touches one more.
    let steps = max.checked_sub(min)?.checked_div(width)?.checked_add(if width == 1 { 1 } else { 2 })?;
    usize::try_from(steps).ok()?.checked_add(usize::from(*shows_nulls))
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Int(value) => Some(i64::from(*value)),
        Value::Long(value) | Value::Timestamp(value) => Some(*value),
        Value::Boolean(value) => Some(i64::from(*value)),
        Value::Float(_) | Value::Double(_) | Value::BigDecimal(_) | Value::String(_) | Value::Bytes(_) => {
            None
        }
    }
}
