//! Rows of a range of values in a column without a dictionary.
//!
//! The rows in order of their values, and every 256th value in that order, a *fence*. Fences tell between which two lies
//! a bound; the column itself is asked for the eight values that tell where exactly.
//!
//! ```text
//! rows      row numbers in order of value, equal values in order of row, bit-packed
//! fences    values at places 0, 256, 512, …, as `value_bytes` writes them
//! offsets   STRING and BYTES only: fences + 1 u32, where each fence begins in `fences`, and the end
//! ```
//!
//! The order is the column's: floats by IEEE 754 total order, in which -0.0 is below 0.0 and not equal to it, as in
//! Arrow's comparisons; texts and bytes as unsigned bytes.

use std::cmp::Ordering;
use std::ops::{Bound, Range};

use arrow::array::UInt32Array;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::Buffer;
use arrow::compute::take;
use arrow::datatypes::{
    DataType as ArrowType, Decimal256Type, Float32Type, Float64Type, Int32Type, Int64Type,
    TimestampMillisecondType,
};
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use super::packed::Packed;
use super::value_bytes::{self, StoredType};
use super::{IndexError, IndexParts, rows};
use crate::value::Value;

/// Values from one fence to the next.
const FENCE_EVERY: usize = 256;

/// The rows in order of value.
#[derive(Debug, Clone)]
pub struct RangeIndex {
    stored: StoredType,
    rows: Packed,
    fences: Fences,
}

#[derive(Debug, Clone)]
struct Fences {
    bytes: Buffer,
    offsets: Option<Buffer>,
    count: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RangeHeader {
    stored: StoredType,
    width: u32,
}

impl RangeIndex {
    /// Returns the index of a whole segment's column; `None` for a type without ranges worth it, BOOLEAN.
    pub fn build(array: &ArrayRef) -> Option<RangeIndex> {
        let stored = StoredType::of(array.data_type())?;
        let count = u32::try_from(array.len()).ok()?;
        let order = rows_by_value(array, stored);
        let fence_rows: UInt32Array = order.iter().copied().step_by(FENCE_EVERY).collect();
        let fence_values = take(array, &fence_rows, None).ok()?;
        let fences = Fences::of_values(&fence_values, stored)?;
        let rows = Packed::new(order.into_iter(), count.saturating_sub(1));
        Some(RangeIndex { stored, rows, fences })
    }

    /// Returns at least how many rows hold a value between the bounds; all, when a bound is of another type.
    pub fn count(&self, low: Bound<&Value>, high: Bound<&Value>) -> u64 {
        let places = self.places_about_low(low).and_then(|low| Ok((low, self.places_about_high(high)?)));
        match places {
            Ok((low, high)) => high.end.saturating_sub(low.start) as u64,
            Err(_) => self.rows.len() as u64,
        }
    }

    /// Returns exactly the rows that hold a value between the bounds. `value_at` reads one row of the column, sixteen
    /// times or so.
    ///
    /// # Errors
    /// When `value_at` fails, a bound is of another type, or the index's bytes turn out to be damaged.
    pub fn rows<E: From<IndexError>>(
        &self,
        low: Bound<&Value>,
        high: Bound<&Value>,
        mut value_at: impl FnMut(u32) -> Result<Value, E>,
    ) -> Result<RoaringBitmap, E> {
        let start = self.search(self.places_about_low(low)?, &mut value_at, |value| below_low(value, low))?;
        let end =
            self.search(self.places_about_high(high)?, &mut value_at, |value| not_above_high(value, high))?;
        let places = start..end.max(start);
        let found = rows::of_unordered(self.rows.iter(places.clone()), self.row_count())?;
        if found.len() != places.len() as u64 {
            return Err(IndexError::Damaged("a row stands twice in the order").into());
        }
        Ok(found)
    }

    /// Returns the index as a serving file holds it.
    pub fn to_parts(&self) -> IndexParts {
        let header = RangeHeader { stored: self.stored, width: self.rows.width() };
        let mut buffers = vec![self.rows.buffer().clone(), self.fences.bytes.clone()];
        buffers.extend(self.fences.offsets.clone());
        IndexParts::new(&header, buffers)
    }

    /// Opens an index over `rows` rows of a column stored as `stored`.
    ///
    /// # Errors
    /// Says what does not hold.
    pub fn from_parts(parts: &IndexParts, stored: &ArrowType, rows: u32) -> Result<RangeIndex, String> {
        let (header, mut buffers) = parts.open::<RangeHeader>()?;
        if StoredType::of(stored) != Some(header.stored) {
            return Err(format!("values of {:?} in a column of {stored}", header.stored));
        }
        let order = Packed::open(buffers.next()?, header.width, rows as usize)?;
        let bytes = buffers.next()?;
        let offsets = if header.stored.fixed_len().is_none() { Some(buffers.next()?) } else { None };
        buffers.end()?;
        let fences = Fences { bytes, offsets, count: (rows as usize).div_ceil(FENCE_EVERY) };
        fences.check(header.stored)?;
        Ok(RangeIndex { stored: header.stored, rows: order, fences })
    }

    /// Returns the memory the index takes, that of its buffers included.
    pub fn memory_bytes(&self) -> usize {
        self.rows.buffer().len()
            + self.fences.bytes.len()
            + self.fences.offsets.as_ref().map_or(0, Buffer::len)
    }

    #[expect(clippy::cast_possible_truncation, reason = "an index has no more rows than a u32 counts")]
    fn row_count(&self) -> u32 {
        self.rows.len() as u32
    }

    /// Returns places of which one is the first that is not below the bound.
    fn places_about_low(&self, low: Bound<&Value>) -> Result<Range<usize>, IndexError> {
        match low {
            Bound::Unbounded => Ok(0..0),
            Bound::Included(value) | Bound::Excluded(value) => self.places_about(value, |fence| match low {
                Bound::Included(_) | Bound::Unbounded => fence == Ordering::Less,
                Bound::Excluded(_) => fence != Ordering::Greater,
            }),
        }
    }

    /// Returns places of which one is the first that is above the bound.
    fn places_about_high(&self, high: Bound<&Value>) -> Result<Range<usize>, IndexError> {
        match high {
            Bound::Unbounded => Ok(self.rows.len()..self.rows.len()),
            Bound::Included(value) | Bound::Excluded(value) => self.places_about(value, |fence| match high {
                Bound::Included(_) | Bound::Unbounded => fence != Ordering::Greater,
                Bound::Excluded(_) => fence == Ordering::Less,
            }),
        }
    }

    /// Returns the places behind the last fence that compares to `value` as one `before` the wanted place, and up to the
    /// first that does not.
    fn places_about(
        &self,
        value: &Value,
        before: impl Fn(Ordering) -> bool,
    ) -> Result<Range<usize>, IndexError> {
        let (mut low, mut high) = (0, self.fences.count);
        while low < high {
            let middle = low + (high - low) / 2;
            let fence = self.fences.get(self.stored, middle).ok_or(IndexError::OtherType)?;
            let order = self.stored.compare(fence, value).ok_or(IndexError::OtherType)?;
            if before(order) { low = middle + 1 } else { high = middle }
        }
        let start = if low == 0 { 0 } else { (low - 1) * FENCE_EVERY + 1 };
        Ok(start..(low * FENCE_EVERY).min(self.rows.len()))
    }

    /// Returns the first place whose value is not `before` the wanted one, by halving.
    fn search<E: From<IndexError>>(
        &self,
        places: Range<usize>,
        value_at: &mut impl FnMut(u32) -> Result<Value, E>,
        before: impl Fn(&Value) -> Option<bool>,
    ) -> Result<usize, E> {
        let (mut low, mut high) = (places.start, places.end);
        while low < high {
            let middle = low + (high - low) / 2;
            let row = self.rows.get(middle);
            if row >= self.row_count() {
                return Err(IndexError::Damaged("a row that the segment does not have").into());
            }
            if before(&value_at(row)?).ok_or(IndexError::OtherType)? {
                low = middle + 1
            } else {
                high = middle
            }
        }
        Ok(low)
    }
}

/// Whether a value is too small for the bound; `None` when it is of another type.
fn below_low(value: &Value, low: Bound<&Value>) -> Option<bool> {
    match low {
        Bound::Unbounded => Some(false),
        Bound::Included(low) => value.compare(low).map(|order| order == Ordering::Less),
        Bound::Excluded(low) => value.compare(low).map(|order| order != Ordering::Greater),
    }
}

/// Whether a value is small enough for the bound; `None` when it is of another type.
fn not_above_high(value: &Value, high: Bound<&Value>) -> Option<bool> {
    match high {
        Bound::Unbounded => Some(true),
        Bound::Included(high) => value.compare(high).map(|order| order != Ordering::Greater),
        Bound::Excluded(high) => value.compare(high).map(|order| order == Ordering::Less),
    }
}

impl Fences {
    fn of_values(values: &ArrayRef, stored: StoredType) -> Option<Fences> {
        let mut bytes = Vec::new();
        let mut ends = vec![0];
        value_bytes::for_each(values, |value| {
            bytes.extend_from_slice(value);
            ends.push(bytes.len());
        });
        let offsets = match stored.fixed_len() {
            Some(_) => None,
            None => {
                let ends: Result<Vec<u32>, _> = ends.into_iter().map(u32::try_from).collect();
                Some(Buffer::from_vec(ends.ok()?.into_iter().flat_map(u32::to_le_bytes).collect::<Vec<u8>>()))
            }
        };
        Some(Fences { bytes: Buffer::from_vec(bytes), offsets, count: values.len() })
    }

    fn check(&self, stored: StoredType) -> Result<(), String> {
        let length_holds = match (stored.fixed_len(), &self.offsets) {
            (Some(width), _) => self.bytes.len() == self.count * width,
            (None, Some(offsets)) => offsets.len() == (self.count + 1) * size_of::<u32>(),
            (None, None) => false,
        };
        if !length_holds {
            return Err(format!("not the bytes of {} fences", self.count));
        }
        let mut before: Option<&[u8]> = None;
        for i in 0..self.count {
            let fence = self.get(stored, i).ok_or_else(|| format!("fence {i} lies outside its buffer"))?;
            let ascends = before.is_none_or(|before| {
                stored.compare_bytes(before, fence).is_some_and(|order| order != Ordering::Greater)
            });
            if !ascends {
                return Err(format!("fence {i} is below the one before"));
            }
            before = Some(fence);
        }
        Ok(())
    }

    fn get(&self, stored: StoredType, i: usize) -> Option<&[u8]> {
        let range = match (stored.fixed_len(), &self.offsets) {
            (Some(width), _) => i * width..(i + 1) * width,
            (None, Some(offsets)) => {
                let (offsets, _) = offsets.as_slice().as_chunks::<4>();
                let offset = |i: usize| offsets.get(i).map(|offset| u32::from_le_bytes(*offset) as usize);
                offset(i)?..offset(i + 1)?
            }
            (None, None) => return None,
        };
        self.bytes.get(range)
    }
}

/// Returns the rows in order of value, equal values in order of row.
fn rows_by_value(array: &ArrayRef, stored: StoredType) -> Vec<u32> {
    match stored {
        StoredType::Int => by_key(array.as_primitive::<Int32Type>().values().iter().copied()),
        StoredType::Long => by_key(array.as_primitive::<Int64Type>().values().iter().copied()),
        StoredType::Timestamp => {
            by_key(array.as_primitive::<TimestampMillisecondType>().values().iter().copied())
        }
        StoredType::Float => {
            by_key(array.as_primitive::<Float32Type>().values().iter().map(|value| ordered_32(*value)))
        }
        StoredType::Double => {
            by_key(array.as_primitive::<Float64Type>().values().iter().map(|value| ordered_64(*value)))
        }
        StoredType::BigDecimal => by_key(array.as_primitive::<Decimal256Type>().values().iter().copied()),
        StoredType::String => {
            let texts = array.as_string::<i32>();
            by_bytes(texts.len(), |row| texts.value(row).as_bytes())
        }
        StoredType::Bytes => {
            let values = array.as_binary::<i32>();
            by_bytes(values.len(), |row| values.value(row))
        }
    }
}

fn by_key<K: Ord>(keys: impl Iterator<Item = K>) -> Vec<u32> {
    let mut keyed: Vec<(K, u32)> = keys.zip(0..).collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, row)| row).collect()
}

/// Compares eight bytes as one number, and only where they are equal the rest, which lies elsewhere in memory. The eight
/// are those behind what all values begin with, such as `session-`.
fn by_bytes<'a>(len: usize, value: impl Fn(usize) -> &'a [u8]) -> Vec<u32> {
    let mut common: &[u8] = if len == 0 { &[] } else { value(0) };
    for row in 0..len {
        let same = common.iter().zip(value(row)).take_while(|(a, b)| a == b).count();
        common = &common[..same];
    }
    let distinguishing = |row| prefix(&value(row)[common.len()..]);
    let mut keyed: Vec<(u64, u32)> = (0..len).map(distinguishing).zip(0..).collect();
    keyed.sort_unstable_by(|(a, a_row), (b, b_row)| {
        a.cmp(b)
            .then_with(|| value(*a_row as usize).cmp(value(*b_row as usize)))
            .then_with(|| a_row.cmp(b_row))
    });
    keyed.into_iter().map(|(_, row)| row).collect()
}

fn prefix(bytes: &[u8]) -> u64 {
    let mut prefix = [0; 8];
    let len = bytes.len().min(8);
    prefix[..len].copy_from_slice(&bytes[..len]);
    u64::from_be_bytes(prefix)
}

/// Returns an integer that orders as the float does in IEEE 754's total order.
fn ordered_32(value: f32) -> i32 {
    let bits = value.to_bits().cast_signed();
    bits ^ ((bits >> 31).cast_unsigned() >> 1).cast_signed()
}

/// Returns an integer that orders as the float does in IEEE 754's total order.
fn ordered_64(value: f64) -> i64 {
    let bits = value.to_bits().cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}
