//! Where a value stands in an array: the inverted index of a consuming segment's chunk, and what finds a value in a block of a
//! dictionary.
//!
//! Positions of like hash form a chain, the last one first, so building takes a few nanoseconds a value and no sorting. It is
//! built when a query first asks; ingestion does not pay for it. Whoever asks compares the values themselves.

use std::hash::BuildHasher;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType as ArrowType, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMillisecondType,
};
use foldhash::fast::FixedState;

use crate::ids::Ids;
use crate::value::Value;

/// Positions are 16 bits wide.
const POSITIONS_MAX: usize = 1 << 16;
/// Where a value stands so often on average, comparing all of them is as quick.
const POSITIONS_A_VALUE_MAX: usize = 256;

/// The positions of an array's values by their hash.
#[derive(Debug)]
pub(crate) struct ValueIndex {
    /// The last position of each bucket.
    last: Vec<u16>,
    /// Whether a bucket has a position at all, a bit each.
    filled: Vec<u64>,
    /// For each position the one before it in its bucket; the first has itself.
    before: Vec<u16>,
}

/// A value as it is hashed and compared: two are equal when their keys are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key<'a> {
    /// The bits of a number, a time, a truth value or an id.
    Bits(u64),
    Bytes(&'a [u8]),
}

impl ValueIndex {
    /// Returns the index of an array of a type that has one, unless it is too long or looking its values up would not pay.
    pub(crate) fn of_array(values: &ArrayRef) -> Option<ValueIndex> {
        let bits = |bits: u64| Key::Bits(bits).hash();
        match values.data_type() {
            ArrowType::Int32 => {
                let values = values.as_primitive::<Int32Type>().values();
                build(values.len(), values.iter().map(|value| bits(int_bits(i64::from(*value)))))
            }
            ArrowType::Int64 => {
                let values = values.as_primitive::<Int64Type>().values();
                build(values.len(), values.iter().map(|value| bits(int_bits(*value))))
            }
            ArrowType::Timestamp(..) => {
                let values = values.as_primitive::<TimestampMillisecondType>().values();
                build(values.len(), values.iter().map(|value| bits(int_bits(*value))))
            }
            ArrowType::Float32 | ArrowType::Float64 | ArrowType::Utf8 | ArrowType::Binary => {
                let hashes = (0..values.len()).map(|at| key_at(values, at).map_or(0, Key::hash));
                build(values.len(), hashes)
            }
            _ => None,
        }
    }

    /// Returns the index of a chunk's ids.
    pub(crate) fn of_ids(ids: &Ids) -> Option<ValueIndex> {
        let mut wide = Vec::with_capacity(ids.len());
        ids.extend_into(&mut wide);
        build(wide.len(), wide.iter().map(|id| Key::Bits(u64::from(*id)).hash()))
    }

    /// Returns the positions of a value in the array that the index was built of, the last one first; nothing for a value of
    /// another type.
    pub(crate) fn of_value<'a>(
        &'a self,
        value: &'a Value,
        values: &'a ArrayRef,
    ) -> Option<impl Iterator<Item = u32> + 'a> {
        let key = key_of(value, values.data_type())?;
        Some(self.chain(key.hash()).filter(move |at| key_at(values, *at as usize) == Some(key)))
    }

    /// Returns the positions of an id in the ids that the index was built of, the last one first.
    pub(crate) fn of_id<'a>(&'a self, id: u32, ids: &'a Ids) -> impl Iterator<Item = u32> + 'a {
        self.chain(Key::Bits(u64::from(id)).hash()).filter(move |at| ids.get(*at as usize) == id)
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        (self.last.capacity() + self.before.capacity()) * size_of::<u16>()
            + self.filled.capacity() * size_of::<u64>()
    }

    fn chain(&self, hash: u64) -> impl Iterator<Item = u32> + '_ {
        let bucket = bucket(hash, self.last.len());
        let is_filled = self.filled[bucket / 64] >> (bucket % 64) & 1 == 1;
        let mut next = is_filled.then(|| self.last[bucket]);
        std::iter::from_fn(move || {
            let at = next?;
            let before = self.before[usize::from(at)];
            next = (before != at).then_some(before);
            Some(u32::from(at))
        })
    }
}

fn build(len: usize, hashes: impl Iterator<Item = u64>) -> Option<ValueIndex> {
    if len == 0 || len > POSITIONS_MAX {
        return None;
    }
    let buckets = len.next_power_of_two();
    let mut index = ValueIndex {
        last: vec![0; buckets],
        filled: vec![0; buckets.div_ceil(64)],
        before: Vec::with_capacity(len),
    };
    let mut buckets_filled = 0;
    for (at, hash) in (0..=u16::MAX).zip(hashes) {
        let bucket = bucket(hash, buckets);
        let (word, bit) = (&mut index.filled[bucket / 64], 1 << (bucket % 64));
        let is_filled = *word & bit != 0;
        *word |= bit;
        buckets_filled += usize::from(!is_filled);
        index.before.push(if is_filled { index.last[bucket] } else { at });
        index.last[bucket] = at;
    }
    (len / buckets_filled < POSITIONS_A_VALUE_MAX).then_some(index)
}

fn bucket(hash: u64, buckets: usize) -> usize {
    // The high bits of a product are the well mixed ones.
    let high = hash >> (u64::BITS / 2);
    usize::try_from(high & (buckets as u64 - 1)).unwrap_or(0)
}

impl Key<'_> {
    fn hash(self) -> u64 {
        match self {
            Key::Bits(bits) => (bits ^ bits >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15),
            Key::Bytes(bytes) => FixedState::default().hash_one(bytes),
        }
    }
}

fn int_bits(value: i64) -> u64 {
    value.cast_unsigned()
}

fn key_at(values: &ArrayRef, at: usize) -> Option<Key<'_>> {
    Some(match values.data_type() {
        ArrowType::Int32 => Key::Bits(int_bits(i64::from(values.as_primitive::<Int32Type>().value(at)))),
        ArrowType::Int64 => Key::Bits(int_bits(values.as_primitive::<Int64Type>().value(at))),
        ArrowType::Timestamp(..) => {
            Key::Bits(int_bits(values.as_primitive::<TimestampMillisecondType>().value(at)))
        }
        ArrowType::Float32 => Key::Bits(u64::from(values.as_primitive::<Float32Type>().value(at).to_bits())),
        ArrowType::Float64 => Key::Bits(values.as_primitive::<Float64Type>().value(at).to_bits()),
        ArrowType::Utf8 => Key::Bytes(values.as_string::<i32>().value(at).as_bytes()),
        ArrowType::Binary => Key::Bytes(values.as_binary::<i32>().value(at)),
        _ => return None,
    })
}

/// Returns the key of a value in an array of the type; nothing when the array holds no such values.
fn key_of<'a>(value: &'a Value, in_array: &ArrowType) -> Option<Key<'a>> {
    Some(match (value, in_array) {
        (Value::Int(value), ArrowType::Int32) => Key::Bits(int_bits(i64::from(*value))),
        (Value::Long(value), ArrowType::Int64) | (Value::Timestamp(value), ArrowType::Timestamp(..)) => {
            Key::Bits(int_bits(*value))
        }
        (Value::Float(value), ArrowType::Float32) if is_one_of_a_kind(f64::from(*value)) => {
            Key::Bits(u64::from(value.to_bits()))
        }
        (Value::Double(value), ArrowType::Float64) if is_one_of_a_kind(*value) => Key::Bits(value.to_bits()),
        (Value::String(text), ArrowType::Utf8) => Key::Bytes(text.as_bytes()),
        (Value::Bytes(bytes), ArrowType::Binary) => Key::Bytes(bytes),
        _ => return None,
    })
}

/// Of zero and NaN there are several.
fn is_one_of_a_kind(value: f64) -> bool {
    !value.is_nan() && value != 0.0
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, Int64Array, StringArray};
    use proptest::prelude::*;

    use super::*;

    fn positions<'v, T: PartialEq + 'v>(values: impl IntoIterator<Item = &'v T>, wanted: &T) -> Vec<u32> {
        let mut found: Vec<u32> =
            (0..).zip(values).filter(|(_, value)| *value == wanted).map(|(at, _)| at).collect();
        found.reverse();
        found
    }

    proptest! {
        #[test]
        fn every_position_of_a_value_is_found(values in prop::collection::vec(0_i64..400, 1..3_000)) {
            let numbers: ArrayRef = Arc::new(Int64Array::from(values.clone()));
            let texts: ArrayRef = Arc::new(StringArray::from_iter_values(values.iter().map(|v| format!("text {v}"))));
            let doubles: ArrayRef = Arc::new(Float64Array::from_iter_values(values.iter().map(|v| *v as f64 + 0.5)));
            let ids = Ids::narrow(values.iter().map(|v| u32::try_from(*v).unwrap()).collect(), 400);
            for wanted in [0, 1, 77, values[0], values[values.len() - 1], 400] {
                let expected = positions(&values, &wanted);
                for (array, value) in [
                    (&numbers, Value::Long(wanted)),
                    (&texts, Value::String(format!("text {wanted}").into())),
                    (&doubles, Value::Double(wanted as f64 + 0.5)),
                ] {
                    if let Some(index) = ValueIndex::of_array(array) {
                        let found: Vec<u32> = index.of_value(&value, array).unwrap().collect();
                        prop_assert_eq!(&found, &expected);
                    }
                }
                if let Some(index) = ValueIndex::of_ids(&ids) {
                    let found: Vec<u32> = index.of_id(u32::try_from(wanted).unwrap(), &ids).collect();
                    prop_assert_eq!(&found, &expected);
                }
            }
        }
    }

    #[test]
    fn an_index_pays_and_knows_its_type() {
        let of = |values: Vec<i64>| -> ArrayRef { Arc::new(Int64Array::from(values)) };
        assert!(ValueIndex::of_array(&of((0..65_536).collect())).is_some());
        assert!(ValueIndex::of_array(&of((0..65_537).collect())).is_none());
        assert!(ValueIndex::of_array(&of((0..65_536).map(|row| row % 3).collect())).is_none());
        assert!(ValueIndex::of_array(&of(Vec::new())).is_none());
        let values = of((0..1_000).collect());
        let index = ValueIndex::of_array(&values).unwrap();
        assert!(index.of_value(&Value::Int(5), &values).is_none());
        let zeros: ArrayRef = Arc::new(Float64Array::from(vec![0.0, -0.0, f64::NAN]));
        let index = ValueIndex::of_array(&zeros).unwrap();
        assert!(index.of_value(&Value::Double(0.0), &zeros).is_none());
        assert!(index.of_value(&Value::Double(f64::NAN), &zeros).is_none());
    }
}
