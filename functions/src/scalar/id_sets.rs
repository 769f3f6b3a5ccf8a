//! `inIdSet`: whether a value is in a set that `idSet` made.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMillisecondType};

use super::call::{Call, Fault};
use super::function::{Function, Overload};
use super::kind::{Kind, Scalar};
use super::rows::fault;
use super::sink::{Output, collect};
use crate::description::FunctionGroup::Logic;
use crate::id_set::{Id, IdSet};

/// Returns the function.
pub(crate) fn functions() -> Vec<Function> {
    vec![Function::new(
        Logic,
        &["inIdSet"],
        "inIdSet(value, set)",
        "Whether a value is in a set that `idSet` made; a set of texts or fractions may hold some that nobody put in.",
        [Overload::new(&[Kind::Any, Kind::One(Scalar::Text)], bool::gives(), is_in)],
    )]
}

fn is_in(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    let mut sets = call.prepared(1, |text| IdSet::parse(text).map_err(|error| error.strip_backtrace()))?;
    let values = call.column(0)?;
    let array = &values.array;
    if !has_ids(array.data_type()) {
        return fault(format!("there are no sets of {}", array.data_type()));
    }
    collect(call.rows, |row| {
        let at = values.at(row);
        match sets.at(row)? {
            Some(set) if array.is_valid(at) => Ok(id_at(array, at).map(|id| set.contains(id))),
            _ => Ok(None),
        }
    })
}

fn has_ids(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Int32
            | DataType::Int64
            | DataType::Float32
            | DataType::Float64
            | DataType::Boolean
            | DataType::Timestamp(..)
            | DataType::Utf8
            | DataType::Binary
            | DataType::Null
    )
}

fn id_at(array: &ArrayRef, at: usize) -> Option<Id<'_>> {
    Some(match array.data_type() {
        DataType::Int32 => Id::Int(array.as_primitive::<Int32Type>().value(at)),
        DataType::Int64 => Id::Long(array.as_primitive::<Int64Type>().value(at)),
        DataType::Float32 => Id::Float(array.as_primitive::<Float32Type>().value(at)),
        DataType::Float64 => Id::Double(array.as_primitive::<Float64Type>().value(at)),
        DataType::Boolean => Id::Int(i32::from(array.as_boolean().value(at))),
        DataType::Timestamp(..) => Id::Long(array.as_primitive::<TimestampMillisecondType>().value(at)),
        DataType::Utf8 => Id::Text(array.as_string::<i32>().value(at)),
        DataType::Binary => Id::Bytes(array.as_binary::<i32>().value(at)),
        _ => return None,
    })
}
