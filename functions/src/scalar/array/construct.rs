//! Arrays out of single values.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::interleave;
use arrow::datatypes::DataType;

use crate::description::FunctionGroup::Array;
use crate::scalar::call::{Call, Fault};
use crate::scalar::function::{Asked, Function, Gives, Overload};
use crate::scalar::kind::{DECIMAL, Kind, Scalar, array_of, element_field, plain_type};

pub(super) fn functions() -> Vec<Function> {
    vec![Function::new(
        Array,
        &["arrayValueConstructor", "array"],
        "arrayValueConstructor(value, …)",
        "The array of the values, as `ARRAY[…]` writes it.",
        [Overload::new(&[Kind::Any], Gives::Of(array_type), array).required(0).repeats()],
    )]
}

/// Returns the type that all values can have: a text if one is, else the widest number.
fn common(types: &[DataType]) -> Scalar {
    let has = |wanted: &DataType| types.iter().any(|known| plain_type(known) == *wanted);
    let only = |wanted: &DataType| types.iter().all(|known| plain_type(known) == *wanted);
    match () {
        () if only(&DataType::Boolean) && !types.is_empty() => Scalar::Boolean,
        () if only(&DataType::Binary) && !types.is_empty() => Scalar::Bytes,
        () if only(&crate::scalar::kind::TIMESTAMP) && !types.is_empty() => Scalar::Timestamp,
        () if has(&DataType::Utf8) || has(&DataType::Binary) => Scalar::Text,
        () if has(&DECIMAL) => Scalar::Decimal,
        () if has(&DataType::Float64) => Scalar::Double,
        () if has(&DataType::Float32) && has(&DataType::Int64) => Scalar::Double,
        () if has(&DataType::Float32) => Scalar::Float,
        () if has(&DataType::Int64) || has(&crate::scalar::kind::TIMESTAMP) => Scalar::Long,
        () if has(&DataType::Int32) || has(&DataType::Boolean) => Scalar::Int,
        () => Scalar::Text,
    }
}

fn array_type(asked: &Asked<'_>) -> Result<Gives, Fault> {
    Ok(Gives::Type(array_of(common(&asked.types).data_type())))
}

fn array(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    let types: Vec<_> = call.columns.iter().map(|column| column.array.data_type().clone()).collect();
    let scalar = common(&types);
    let mut columns = Vec::with_capacity(call.len());
    for column in call.columns {
        columns.push(Kind::One(scalar).bring(&column.array)?);
    }
    let field = element_field(scalar.data_type());
    let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(call.len(), call.rows));
    if columns.is_empty() {
        let none = arrow::array::new_empty_array(&scalar.data_type());
        return Ok(Arc::new(ListArray::try_new(field, offsets, none, None)?));
    }
    let arrays: Vec<_> = columns.iter().map(AsRef::as_ref).collect();
    let mut places = Vec::with_capacity(call.rows.saturating_mul(call.len()));
    for row in 0..call.rows {
        places.extend(call.columns.iter().enumerate().map(|(position, column)| (position, column.at(row))));
    }
    Ok(Arc::new(ListArray::try_new(field, offsets, interleave(&arrays, &places)?, None)?))
}
