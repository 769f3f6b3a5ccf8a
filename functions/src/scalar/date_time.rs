//! Functions of dates and times.
//!
//! A time is milliseconds since the epoch: a LONG, a TIMESTAMP, or a text that reads as one. Each function is also known
//! with `MV` at the end of its name; given an array, both give an array.

mod bucket;
pub(crate) mod convert;
pub(crate) mod epoch;
mod fields;
mod ago;
mod shift;
mod text;
pub(crate) mod truncate;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, Int64Type, TimestampMillisecondType};

use super::call::{Call, Fault};
use super::function::Function;
use crate::time::chain::Chain;

/// Returns the functions of dates and times.
pub(crate) fn functions() -> Vec<Function> {
    let themes = [
        truncate::functions(),
        convert::functions(),
        epoch::functions(),
        fields::functions(),
        text::functions(),
        bucket::functions(),
    ];
    let mut functions: Vec<_> = themes.into_iter().flatten().collect();
    functions.extend(shift::functions());
    functions.into_iter().map(Function::over_arrays).collect()
}

pub(crate) use ago::ago;

/// Returns the numbers of an argument: LONG, or TIMESTAMP in milliseconds.
fn numbers(call: &Call<'_>, position: usize) -> Result<Int64Array, Fault> {
    let array = call.column(position)?.to_rows(call.rows)?;
    Ok(match array.data_type() {
        DataType::Int64 => array.as_primitive::<Int64Type>().clone(),
        _ => array.as_primitive::<TimestampMillisecondType>().reinterpret_cast(),
    })
}

/// Applies steps to an argument.
fn chained(call: &Call<'_>, position: usize, chain: &Chain) -> Result<ArrayRef, Fault> {
    let numbers = numbers(call, position)?;
    let mut values = numbers.values().to_vec();
    chain.apply(&mut values);
    Ok(Arc::new(Int64Array::new(values.into(), numbers.nulls().cloned())))
}

/// Returns whether the arguments from a position on are constants that are not null.
fn settled(call: &Call<'_>, from: usize) -> bool {
    call.columns.iter().skip(from).all(|column| column.constant && column.array.is_valid(0))
}
