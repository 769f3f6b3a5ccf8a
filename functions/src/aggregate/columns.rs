//! Arguments in the types that rows are read from.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, Float64Array, Int64Array, StringArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit};
use datafusion::common::plan_err;
use datafusion::error::Result;

/// Casts an argument; what cannot be cast is an error, not a null.
pub(crate) fn cast_to(array: &ArrayRef, wanted: &DataType) -> Result<ArrayRef> {
    if array.data_type() == wanted {
        return Ok(Arc::clone(array));
    }
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let from = match array.data_type() {
        // Moments are numbers of milliseconds wherever numbers are wanted.
        DataType::Timestamp(..) if wanted.is_numeric() => {
            let ms = cast_with_options(array, &DataType::Timestamp(TimeUnit::Millisecond, None), &strict)?;
            cast_with_options(&ms, &DataType::Int64, &strict)?
        }
        _ => Arc::clone(array),
    };
    Ok(cast_with_options(&from, wanted, &strict)?)
}

/// Returns an argument as doubles.
pub(crate) fn doubles(array: &ArrayRef) -> Result<Float64Array> {
    Ok(cast_to(array, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
}

/// Returns an argument as longs; fractions are cut off, and what is too large becomes the largest, as in Java.
pub(crate) fn longs(array: &ArrayRef) -> Result<Int64Array> {
    if array.data_type().is_floating() {
        #[expect(clippy::cast_possible_truncation, reason = "as Java does it")]
        return Ok(doubles(array)?.unary(|value| value as i64));
    }
    Ok(cast_to(array, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
}

/// Returns an argument as texts.
pub(crate) fn texts(array: &ArrayRef) -> Result<StringArray> {
    Ok(cast_to(array, &DataType::Utf8)?.as_string::<i32>().clone())
}

/// Returns an argument as bytes.
pub(crate) fn bytes(array: &ArrayRef) -> Result<BinaryArray> {
    Ok(cast_to(array, &DataType::Binary)?.as_binary::<i32>().clone())
}

/// Returns the row's value of bytes, or nothing where it is null.
pub(crate) fn is_bytes(data_type: &DataType) -> bool {
    *data_type == DataType::Binary
}

/// Refuses an argument that stands for no number.
pub(crate) fn check_number(name: &str, data_type: &DataType) -> Result<()> {
    let is_number = data_type.is_numeric()
        || matches!(data_type, DataType::Boolean | DataType::Timestamp(..) | DataType::Utf8 | DataType::Null);
    match is_number {
        true => Ok(()),
        false => plan_err!("`{name}` takes a column of numbers, not of {data_type}"),
    }
}
