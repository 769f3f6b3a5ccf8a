//! The dictionary ids whose values pass a test.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray};
use meunier_segment::dictionary::Dictionary;
use meunier_segment::ids::Ids;
use meunier_segment::value::Value;
use roaring::RoaringBitmap;

use crate::compute::Compute;
use crate::error::Result;
use crate::number_test::holds_in_array;
use crate::predicate::{Interval, Test};

/// Up to so many ranges are compared one after the other; more are looked up in a table.
const RANGES_COMPARED_MAX: usize = 3;

/// More values than this are found in one pass over a dictionary rather than one by one.
pub(crate) const POINTS_FOUND_MAX: usize = 16;

/// Some ids of one dictionary.
#[derive(Debug, Clone)]
pub(crate) struct IdSet {
    /// Disjoint and ascending.
    ranges: Vec<Range<u32>>,
    /// Whether each id is in the set; empty where ranges are compared.
    table: Vec<u8>,
    dictionary_len: usize,
}

impl IdSet {
    /// Returns the ids of the values that pass.
    pub(crate) fn of(test: &Test, dictionary: &Dictionary) -> Result<IdSet> {
        let ranges = match test {
            Test::Intervals(intervals) if dictionary.is_sorted() && dictionary.blocks().len() == 1 => {
                let values = dictionary.blocks()[0].values();
                intervals.iter().map(|interval| ids_between(values, interval)).collect()
            }
            Test::Intervals(intervals) if let Some(found) = ids_of_points(intervals, dictionary) => found,
            Test::Intervals(intervals) => {
                let mut ranges = Vec::new();
                for block in dictionary.blocks() {
                    let holds = holds_in_array(intervals, block.values());
                    append_runs(&mut ranges, block.first_id(), holds.iter().map(|&holds| holds != 0));
                }
                ranges
            }
            Test::Truth(compute) if let Some(within) = ids_of_prefix(compute.as_ref(), dictionary) => {
                let values = dictionary.scan_values()?.slice(within.start as usize, within.len());
                let truth = compute.compute(&[values], within.len())?;
                let mut ranges = Vec::new();
                append_runs(
                    &mut ranges,
                    within.start,
                    truth.as_boolean().iter().map(|holds| holds == Some(true)),
                );
                ranges
            }
            Test::Truth(compute) => {
                let values = dictionary.scan_values()?;
                let truth = compute.compute(&[values], dictionary.len())?;
                let truth = truth.as_boolean();
                let mut ranges = Vec::new();
                append_runs(&mut ranges, 0, truth.iter().map(|holds| holds == Some(true)));
                ranges
            }
        };
        Ok(IdSet::of_ranges(ranges, dictionary.len()))
    }

    /// Returns the ids of a set, those that the dictionary has.
    pub(crate) fn of_bitmap(ids: &RoaringBitmap, dictionary_len: usize) -> IdSet {
        let mut ranges: Vec<Range<u32>> = Vec::new();
        for id in ids.iter().take_while(|id| (*id as usize) < dictionary_len) {
            match ranges.last_mut() {
                Some(last) if last.end == id => last.end += 1,
                _ => ranges.push(id..id + 1),
            }
        }
        IdSet::of_ranges(ranges, dictionary_len)
    }

    fn of_ranges(mut ranges: Vec<Range<u32>>, dictionary_len: usize) -> IdSet {
        ranges.retain(|range| !range.is_empty());
        ranges.dedup_by(|next, present| {
            let touches = present.end == next.start;
            if touches {
                present.end = next.end;
            }
            touches
        });
        let mut table = Vec::new();
        if ranges.len() > RANGES_COMPARED_MAX {
            table = vec![0; dictionary_len];
            for range in &ranges {
                table[range.start as usize..range.end as usize].fill(1);
            }
        }
        IdSet { ranges, table, dictionary_len }
    }

    pub(crate) fn ranges(&self) -> &[Range<u32>] {
        &self.ranges
    }

    /// Returns the ids if they are few.
    pub(crate) fn few(&self) -> Option<Vec<u32>> {
        let count = self.ranges.iter().map(ExactSizeIterator::len).sum::<usize>();
        (count <= POINTS_FOUND_MAX).then(|| self.ranges.iter().cloned().flatten().collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        matches!(&self.ranges[..], [all] if all.start == 0 && all.end as usize == self.dictionary_len)
    }

    pub(crate) fn contains(&self, id: u32) -> bool {
        match self.table.is_empty() {
            true => self.ranges.iter().any(|range| range.contains(&id)),
            false => self.table[id as usize] != 0,
        }
    }

    /// Clears `mask` where the id is not in the set.
    pub(crate) fn narrow_mask(&self, mask: &mut [u8], ids: &Ids, start: usize) {
        match ids {
            Ids::U8(ids) => self.narrow(mask, &ids[start..start + mask.len()]),
            Ids::U16(ids) => self.narrow(mask, &ids[start..start + mask.len()]),
            Ids::U32(ids) => self.narrow(mask, &ids[start..start + mask.len()]),
        }
    }

    /// Keeps the rows whose id is in the set.
    pub(crate) fn narrow_list(&self, rows: &mut Vec<u32>, ids: &Ids) {
        match ids {
            Ids::U8(ids) => rows.retain(|&row| self.contains(u32::from(ids[row as usize]))),
            Ids::U16(ids) => rows.retain(|&row| self.contains(u32::from(ids[row as usize]))),
            Ids::U32(ids) => rows.retain(|&row| self.contains(ids[row as usize])),
        }
    }

    fn narrow<T: Id>(&self, mask: &mut [u8], ids: &[T]) {
        let bounds: Vec<(T, T)> = self.ranges.iter().filter_map(T::bounds).collect();
        match (&bounds[..], self.table.is_empty()) {
            (_, false) => {
                for (holds, id) in mask.iter_mut().zip(ids) {
                    *holds &= self.table[id.index()];
                }
            }
            ([], true) => mask.fill(0),
            ([a], true) => {
                for (holds, &id) in mask.iter_mut().zip(ids) {
                    *holds &= u8::from(id.within(*a));
                }
            }
            ([a, b], true) => {
                for (holds, &id) in mask.iter_mut().zip(ids) {
                    *holds &= u8::from(id.within(*a)) | u8::from(id.within(*b));
                }
            }
            (bounds, true) => {
                for (holds, &id) in mask.iter_mut().zip(ids) {
                    *holds &= bounds.iter().fold(0, |any, &bounds| any | u8::from(id.within(bounds)));
                }
            }
        }
    }
}

/// An id of one width.
trait Id: Copy {
    /// Returns the first and the length less one of a range in this width.
    fn bounds(range: &Range<u32>) -> Option<(Self, Self)>;
    /// Returns whether the id lies within such bounds: one subtraction and one comparison, which compilers turn into
    /// vector instructions.
    fn within(self, bounds: (Self, Self)) -> bool;
    fn index(self) -> usize;
}

macro_rules! id_of_width {
    ($($width:ty),*) => {$(
        impl Id for $width {
            fn bounds(range: &Range<u32>) -> Option<(Self, Self)> {
                let first = <$width>::try_from(range.start).ok()?;
                let last = <$width>::try_from(range.end.checked_sub(1)?).unwrap_or(<$width>::MAX);
                (first <= last).then(|| (first, last - first))
            }

            fn within(self, (first, length): (Self, Self)) -> bool {
                self.wrapping_sub(first) <= length
            }

            fn index(self) -> usize {
                self as usize
            }
        }
    )*};
}

id_of_width!(u8, u16, u32);

/// Returns the ids of single values, where the dictionary finds each of them without comparing all it has.
fn ids_of_points(intervals: &[Interval], dictionary: &Dictionary) -> Option<Vec<Range<u32>>> {
    if intervals.len() > POINTS_FOUND_MAX {
        return None;
    }
    let mut ids = Vec::with_capacity(intervals.len());
    for interval in intervals {
        ids.extend(dictionary.find(interval.only()?)?);
    }
    ids.sort_unstable();
    ids.dedup();
    Some(ids.into_iter().map(|id| id..id + 1).collect())
}

/// Returns the only ids that can pass a computation over texts with a known beginning, where the dictionary is sorted.
fn ids_of_prefix(compute: &dyn Compute, dictionary: &Dictionary) -> Option<Range<u32>> {
    let prefix = compute.text_prefix().filter(|prefix| !prefix.is_empty())?;
    if !dictionary.is_sorted() || dictionary.blocks().len() != 1 {
        return None;
    }
    let texts = dictionary.blocks()[0].values().as_string_opt::<i32>()?;
    let start = partition_point(texts.len(), |id| texts.value(id) < prefix);
    let length = partition_point(texts.len() - start, |id| texts.value(start + id).starts_with(prefix));
    Some(u32::try_from(start).ok()?..u32::try_from(start + length).ok()?)
}

fn append_runs(ranges: &mut Vec<Range<u32>>, first_id: u32, holds: impl Iterator<Item = bool>) {
    let mut begun = None;
    let mut id = first_id;
    for holds in holds {
        match (holds, begun) {
            (true, None) => begun = Some(id),
            (false, Some(start)) => {
                ranges.push(start..id);
                begun = None;
            }
            (true, Some(_)) | (false, None) => {}
        }
        id += 1;
    }
    if let Some(start) = begun {
        ranges.push(start..id);
    }
}

/// Returns the ids of the values between two bounds, in a sorted dictionary.
fn ids_between(values: &ArrayRef, interval: &Interval) -> Range<u32> {
    use std::ops::Bound;
    let len = values.len();
    let start = match &interval.low {
        Bound::Unbounded => 0,
        Bound::Included(low) => partition_point(len, |id| compare_at(values, id, low).is_lt()),
        Bound::Excluded(low) => partition_point(len, |id| compare_at(values, id, low).is_le()),
    };
    let end = match &interval.high {
        Bound::Unbounded => len,
        Bound::Included(high) => partition_point(len, |id| compare_at(values, id, high).is_le()),
        Bound::Excluded(high) => partition_point(len, |id| compare_at(values, id, high).is_lt()),
    };
    let id = |position: usize| u32::try_from(position).expect("ids are 32 bits");
    id(start)..id(end.max(start))
}

fn partition_point(len: usize, mut below: impl FnMut(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, len);
    while low < high {
        let middle = low + (high - low) / 2;
        if below(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

/// Compares a stored value with another of the same type.
fn compare_at(values: &ArrayRef, position: usize, other: &Value) -> std::cmp::Ordering {
    use arrow::datatypes::{
        Decimal256Type, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMillisecondType,
    };
    match other {
        Value::Int(other) => values.as_primitive::<Int32Type>().value(position).cmp(other),
        Value::Long(other) => values.as_primitive::<Int64Type>().value(position).cmp(other),
        Value::Timestamp(other) => {
            values.as_primitive::<TimestampMillisecondType>().value(position).cmp(other)
        }
        Value::Float(other) => values.as_primitive::<Float32Type>().value(position).total_cmp(other),
        Value::Double(other) => values.as_primitive::<Float64Type>().value(position).total_cmp(other),
        Value::BigDecimal(other) => values.as_primitive::<Decimal256Type>().value(position).cmp(other),
        Value::Boolean(other) => values.as_boolean().value(position).cmp(other),
        Value::String(other) => values.as_string::<i32>().value(position).cmp(other),
        Value::Bytes(other) => values.as_binary::<i32>().value(position).cmp(other),
    }
}

#[cfg(test)]
mod tests;
