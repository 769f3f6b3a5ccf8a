//! Functions of arrays of any type.

use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, AsArray, BooleanArray, Float64Array, Int32Array, ListArray, UInt32Array,
    new_null_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::kernels::{boolean, cmp};
use arrow::compute::{SortOptions, filter, interleave, take};
use arrow::datatypes::{DataType, Float64Type};
use arrow::row::{RowConverter, SortField};
use datafusion::scalar::ScalarValue;

use crate::description::FunctionGroup::{Array, Other};
use crate::scalar::call::{Call, Fault};
use crate::scalar::function::{Asked, Function, Gives, Overload};
use crate::scalar::kind::{Kind, Scalar, element_field, element_type, plain_type};
use crate::scalar::rows::fault;
use crate::scalar::sink::collect;

const TEXT: Kind = Kind::One(Scalar::Text);
const DOUBLES: Kind = Kind::Many(Scalar::Double);

pub(super) fn functions() -> Vec<Function> {
    let extreme = |names, signature, text, descending: bool| {
        let overload =
            Overload::new(&[Kind::AnyArray], Gives::Of(of_element), move |call| extreme(call, descending));
        Function::new(Array, names, signature, text, [overload])
    };
    vec![
        Function::new(
            Array,
            &["arrayLength", "cardinality"],
            "arrayLength(array)",
            "How many elements the array has.",
            [Overload::new(&[Kind::AnyArray], Gives::Type(DataType::Int32), |call| {
                let arrays = call.column(0)?.to_rows(call.rows)?;
                let arrays = arrays.as_list::<i32>();
                let lengths: Vec<_> = (0..arrays.len()).map(|row| arrays.value_length(row)).collect();
                Ok(Arc::new(Int32Array::new(lengths.into(), arrays.nulls().cloned())))
            })],
        ),
        Function::new(
            Array,
            &["arraySum"],
            "arraySum(array)",
            "The sum as a DOUBLE.",
            [Overload::new(&[DOUBLES], Gives::Type(DataType::Float64), |call| {
                each(call, |array| array.iter().sum())
            })],
        ),
        Function::new(
            Array,
            &["arrayAverage"],
            "arrayAverage(array)",
            "The average as a DOUBLE; NaN for an empty array.",
            [Overload::new(&[DOUBLES], Gives::Type(DataType::Float64), |call| {
                each(call, |array| array.iter().sum::<f64>() / array.len() as f64)
            })],
        ),
        extreme(&["arrayMin"], "arrayMin(array)", "The smallest element; null for an empty array.", false),
        extreme(&["arrayMax"], "arrayMax(array)", "The greatest element; null for an empty array.", true),
        Function::new(
            Array,
            &["arraysOverlap"],
            "arraysOverlap(first, second)",
            "Whether an element is in both arrays.",
            [Overload::new(
                &[Kind::Many(Scalar::Text), Kind::Many(Scalar::Text)],
                Gives::Type(DataType::Boolean),
                overlap,
            )],
        ),
        Function::new(
            Array,
            &["valueIn"],
            "valueIn(array, value, …)",
            "The elements that are one of the values.",
            [Overload::new(&[Kind::AnyArray, Kind::Any], Gives::Of(same), value_in).repeats()],
        )
        .gives_array(),
        Function::new(
            Array,
            &["arrayToMV"],
            "arrayToMV(array)",
            "The array as the values of a multi-value column.",
            [Overload::new(&[Kind::AnyArray], Gives::Of(same), |call| {
                Ok(call.column(0)?.to_rows(call.rows)?)
            })],
        )
        .gives_array(),
        Function::new(
            Other,
            &["item"],
            "item(map, key) or item(array, position)",
            "The value of a key of a JSON object, as text, or the element at a position counted from 1; null where there is no such key, 0 or an empty text where there is no such element.",
            [
                Overload::new(&[TEXT, TEXT], Gives::Type(DataType::Utf8), value_of_key),
                Overload::new(
                    &[Kind::AnyArray, Kind::One(Scalar::Long)],
                    Gives::Of(|asked| {
                        let elements = asked.types.first().and_then(element_type);
                        elements
                            .map(|elements| Gives::Type(plain_type(elements)))
                            .ok_or_else(|| Fault::from("the first argument is a map or an array"))
                    }),
                    element_at,
                ),
            ],
        ),
        Function::new(
            Other,
            &["mapValue"],
            "mapValue(keys, key, values)",
            "The value at the place of a key; null where the key is not there.",
            [Overload::new(
                &[Kind::Many(Scalar::Text), TEXT, Kind::AnyArray],
                Gives::Of(|asked| {
                    let values = asked.types.get(2).and_then(element_type);
                    values
                        .map(|values| Gives::Type(plain_type(values)))
                        .ok_or_else(|| Fault::from("the values are an array"))
                }),
                map_value,
            )],
        ),
    ]
}

fn of_element(asked: &Asked<'_>) -> Result<Gives, Fault> {
    let Some(array) = asked.types.first() else { return fault("an array is missing") };
    Ok(Gives::Type(plain_type(element_type(array).unwrap_or(array))))
}

pub(super) fn same(asked: &Asked<'_>) -> Result<Gives, Fault> {
    let Some(array) = asked.types.first() else { return fault("an array is missing") };
    let element = plain_type(element_type(array).unwrap_or(array));
    let element = if element == DataType::Null { DataType::Utf8 } else { element };
    Ok(Gives::Type(crate::scalar::kind::array_of(element)))
}

fn each(call: &Call<'_>, compute: fn(&[f64]) -> f64) -> Result<ArrayRef, Fault> {
    let arrays = call.column(0)?.to_rows(call.rows)?;
    let arrays = arrays.as_list::<i32>();
    let of_row = |row: usize| {
        let elements = arrays.value(row);
        let known: Vec<_> = elements.as_primitive::<Float64Type>().iter().flatten().collect();
        compute(&known)
    };
    let results = (0..arrays.len()).map(|row| arrays.is_valid(row).then(|| of_row(row)));
    Ok(Arc::new(Float64Array::from_iter(results)))
}

/// Elements of any type are compared as rows of bytes, which are in the elements' order.
fn extreme(call: &Call<'_>, descending: bool) -> Result<ArrayRef, Fault> {
    let arrays = call.column(0)?.to_rows(call.rows)?;
    let arrays = arrays.as_list::<i32>();
    let elements = arrays.values();
    let order = SortOptions { descending, nulls_first: false };
    let converter =
        RowConverter::new(vec![SortField::new_with_options(elements.data_type().clone(), order)])?;
    let rows = converter.convert_columns(&[Arc::clone(elements)])?;
    let best = (0..arrays.len()).map(|row| {
        let known = places(arrays, row).filter(|place| arrays.is_valid(row) && elements.is_valid(*place));
        known.min_by(|a, b| rows.row(*a).cmp(&rows.row(*b))).and_then(|place| u32::try_from(place).ok())
    });
    Ok(take(elements, &UInt32Array::from_iter(best), None)?)
}

/// Returns where the elements of a row stand among all.
pub(super) fn places(arrays: &ListArray, row: usize) -> std::ops::Range<usize> {
    let offsets = arrays.value_offsets();
    usize::try_from(offsets[row]).unwrap_or(0)..usize::try_from(offsets[row + 1]).unwrap_or(0)
}

fn overlap(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    let (first, second) = (call.column(0)?.to_rows(call.rows)?, call.column(1)?.to_rows(call.rows)?);
    let (first, second) = (first.as_list::<i32>(), second.as_list::<i32>());
    let of_row = |row: usize| {
        let (a, b) = (first.value(row), second.value(row));
        let known: std::collections::HashSet<_> = a.as_string::<i32>().iter().flatten().collect();
        b.as_string::<i32>().iter().flatten().any(|element| known.contains(element))
    };
    let rows = (0..call.rows).map(|row| (first.is_valid(row) && second.is_valid(row)).then(|| of_row(row)));
    Ok(Arc::new(BooleanArray::from_iter(rows)))
}

fn value_in(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    let arrays = call.column(0)?.to_rows(call.rows)?;
    let arrays = arrays.as_list::<i32>();
    if arrays.is_empty() {
        return Ok(arrow::array::new_empty_array(call.given));
    }
    let elements = arrays.values();
    let mut wanted = BooleanArray::from(vec![false; elements.len()]);
    let scalar = scalar_of(elements.data_type())?;
    for column in &call.columns[1..] {
        if !column.constant {
            return fault("the values are constants");
        }
        let value = Kind::One(scalar).bring(&column.array)?;
        let equal = cmp::eq(elements, &arrow::array::Scalar::new(value))?;
        wanted = boolean::or_kleene(&wanted, &equal)?;
    }
    let is_wanted = |place: usize| wanted.is_valid(place) && wanted.value(place);
    let lengths = (0..arrays.len()).map(|row| places(arrays, row).filter(|place| is_wanted(*place)).count());
    let offsets = OffsetBuffer::from_lengths(lengths);
    // Elements that no row has, before the first and after the last, are not wanted either.
    let (first, last) = (places(arrays, 0).start, places(arrays, arrays.len() - 1).end);
    let kept = filter(&elements.slice(first, last - first), &wanted.slice(first, last - first))?;
    let field = element_field(kept.data_type().clone());
    Ok(Arc::new(ListArray::try_new(field, offsets, kept, arrays.nulls().cloned())?))
}

pub(super) fn scalar_of(data_type: &DataType) -> Result<Scalar, Fault> {
    Ok(match data_type {
        DataType::Int32 => Scalar::Int,
        DataType::Int64 => Scalar::Long,
        DataType::Float32 => Scalar::Float,
        DataType::Float64 => Scalar::Double,
        DataType::Decimal256(..) => Scalar::Decimal,
        DataType::Boolean => Scalar::Boolean,
        DataType::Timestamp(..) => Scalar::Timestamp,
        DataType::Utf8 => Scalar::Text,
        DataType::Binary => Scalar::Bytes,
        other => return fault(format!("an array of {other} has no single values")),
    })
}

fn value_of_key(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    collect(call.rows, |row| {
        let (Some(json), Some(key)) = (call.text(0, row), call.text(1, row)) else { return Ok(None) };
        let Ok(map) = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(json) else {
            return Ok(None);
        };
        Ok(match map.get(key) {
            None | Some(serde_json::Value::Null) => None,
            Some(serde_json::Value::String(text)) => Some(text.clone()),
            Some(other) => Some(other.to_string()),
        })
    })
}

/// Where there is no such element stands what Pinot's `arrayElementAt` functions answer, 0 or an empty text.
fn element_at(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    let arrays = call.column(0)?.to_rows(call.rows)?;
    let arrays = arrays.as_list::<i32>();
    let positions = call.column(1)?.to_rows(call.rows)?;
    let positions = positions.as_primitive::<arrow::datatypes::Int64Type>();
    let elements = arrays.values();
    let null = new_null_array(elements.data_type(), 1);
    let none = ScalarValue::new_default(elements.data_type())?.to_array()?;
    let found: Vec<(usize, usize)> = (0..call.rows)
        .map(|row| {
            if arrays.is_null(row) || positions.is_null(row) {
                return (0, 0);
            }
            let position =
                usize::try_from(positions.value(row)).ok().and_then(|from_1| from_1.checked_sub(1));
            position.and_then(|position| places(arrays, row).nth(position)).map_or((1, 0), |place| (2, place))
        })
        .collect();
    Ok(interleave(&[null.as_ref(), none.as_ref(), elements.as_ref()], &found)?)
}

fn map_value(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    let (keys, values) = (call.column(0)?.to_rows(call.rows)?, call.column(2)?.to_rows(call.rows)?);
    let (keys, values) = (keys.as_list::<i32>(), values.as_list::<i32>());
    let texts = keys.values().as_string::<i32>();
    let found = (0..call.rows).map(|row| {
        let key = call.text(1, row)?;
        let own = places(keys, row);
        let place = own.clone().position(|place| texts.is_valid(place) && texts.value(place) == key)?;
        let place = places(values, row).nth(place).filter(|_| keys.is_valid(row) && values.is_valid(row))?;
        u32::try_from(place).ok()
    });
    Ok(take(values.values(), &UInt32Array::from_iter(found), None)?)
}
