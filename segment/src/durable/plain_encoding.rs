//! How the library is to write a column that has no dictionary of ours.

use std::hash::Hash;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType as ArrowType, Int32Type};
use arrow::error::ArrowError;
use hashbrown::HashSet;

use crate::chunk::CHUNK_ROWS;
use crate::column::Column;
use crate::serving::plain_integer_bytes;

/// The encodings that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlainEncoding {
    /// With a dictionary page, as long as it is small.
    Dictionary,
    /// One value behind the other.
    Values,
    /// Differences of whole numbers, packed.
    Deltas,
}

/// Chooses by the first chunk. Where most values are distinct, a dictionary page is a megabyte and much hashing for
/// nothing.
pub(super) fn choose(column: &Column) -> Result<PlainEncoding, ArrowError> {
    let first = column.slice(0, column.len().min(CHUNK_ROWS)).to_stored_array()?;
    let (width, numbers) = match first.data_type() {
        ArrowType::Int32 => {
            let values = first.as_primitive::<Int32Type>().values();
            (4, values.iter().map(|&value| i64::from(value)).collect())
        }
        ArrowType::Int64 | ArrowType::Timestamp(..) => {
            (8, first.to_data().buffer::<i64>(0)[..first.len()].to_vec())
        }
        ArrowType::Float64 => {
            let data = first.to_data();
            return Ok(of_values(data.buffer::<u64>(0)[..first.len()].iter(), first.len()));
        }
        ArrowType::Utf8 => return Ok(of_values(first.as_string::<i32>().iter(), first.len())),
        _ => return Ok(PlainEncoding::Dictionary),
    };
    let packs = plain_integer_bytes(&numbers) < numbers.len() * width * 9 / 10;
    Ok(match of_values(numbers.iter(), numbers.len()) {
        PlainEncoding::Values if packs => PlainEncoding::Deltas,
        chosen => chosen,
    })
}

/// Chooses a dictionary where at least half of the values are ones that were there before.
fn of_values<T: Hash + Eq>(values: impl Iterator<Item = T>, count: usize) -> PlainEncoding {
    let mut seen: HashSet<T, foldhash::fast::FixedState> = HashSet::default();
    for value in values {
        seen.insert(value);
        if seen.len() > count / 2 {
            return PlainEncoding::Values;
        }
    }
    PlainEncoding::Dictionary
}
