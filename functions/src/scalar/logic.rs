//! Comparisons and logic that SQL has no operator for, and those that Pinot's clients write as functions.

use arrow::array::{ArrayRef, BooleanArray};
use arrow::compute::kernels::cmp;
use arrow::compute::{and, cast, not};
use arrow::datatypes::DataType;
use datafusion::logical_expr::type_coercion::binary::comparison_coercion;

use super::call::{Call, Fault};
use super::function::{Function, Gives, Overload};
use super::kind::Kind;
use super::rows::{Bool, Nullable, fault, row1};
use crate::description::FunctionGroup::Logic;

const BOOLEAN: Gives = Gives::Type(DataType::Boolean);

/// Returns the functions of comparisons and logic.
pub(crate) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            Logic,
            &["isTrue"],
            "isTrue(condition)",
            "Whether it is true; null is not.",
            [row1::<Nullable<Bool>, _>(|value| value == Some(true))],
        ),
        Function::new(
            Logic,
            &["isNotTrue"],
            "isNotTrue(condition)",
            "Whether it is false or null.",
            [row1::<Nullable<Bool>, _>(|value| value != Some(true))],
        ),
        Function::new(
            Logic,
            &["isFalse"],
            "isFalse(condition)",
            "Whether it is false; null is not.",
            [row1::<Nullable<Bool>, _>(|value| value == Some(false))],
        ),
        Function::new(
            Logic,
            &["isNotFalse"],
            "isNotFalse(condition)",
            "Whether it is true or null.",
            [row1::<Nullable<Bool>, _>(|value| value != Some(false))],
        ),
        Function::new(
            Logic,
            &["isDistinctFrom"],
            "isDistinctFrom(first, second)",
            "Whether two values differ; null differs from any other value, not from null.",
            [Overload::new(&[Kind::Any, Kind::Any], BOOLEAN, |call| compared(call, 0, 1, cmp::distinct))],
        ),
        Function::new(
            Logic,
            &["isNotDistinctFrom"],
            "isNotDistinctFrom(first, second)",
            "Whether two values are equal, or both null.",
            [Overload::new(&[Kind::Any, Kind::Any], BOOLEAN, |call| compared(call, 0, 1, cmp::not_distinct))],
        ),
        Function::new(
            Logic,
            &["between"],
            "between(value, low, high)",
            "Whether a value is not less than one and not greater than another.",
            [Overload::new(&[Kind::Any, Kind::Any, Kind::Any], BOOLEAN, |call| {
                let (low, high) = (compare(call, 0, 1, cmp::gt_eq)?, compare(call, 0, 2, cmp::lt_eq)?);
                Ok(std::sync::Arc::new(and(&low, &high)?))
            })],
        ),
        Function::new(
            Logic,
            &["not"],
            "not(condition)",
            "The opposite.",
            [Overload::new(&[Kind::One(super::kind::Scalar::Boolean)], BOOLEAN, |call| {
                let values = call.column(0)?.to_rows(call.rows)?;
                Ok(std::sync::Arc::new(not(arrow::array::AsArray::as_boolean(&values))?))
            })],
        ),
    ]
}

type Compare = fn(
    &dyn arrow::array::Datum,
    &dyn arrow::array::Datum,
) -> std::result::Result<BooleanArray, arrow::error::ArrowError>;

fn compared(call: &Call<'_>, first: usize, second: usize, compare_by: Compare) -> Result<ArrayRef, Fault> {
    Ok(std::sync::Arc::new(compare(call, first, second, compare_by)?))
}

fn compare(call: &Call<'_>, first: usize, second: usize, compare_by: Compare) -> Result<BooleanArray, Fault> {
    let first = call.column(first)?.to_rows(call.rows)?;
    let second = call.column(second)?.to_rows(call.rows)?;
    let common = match (first.data_type(), second.data_type()) {
        (first, second) if first == second => Some(first.clone()),
        (DataType::Null, other) | (other, DataType::Null) => Some(other.clone()),
        (first, second) => comparison_coercion(first, second),
    };
    match common {
        Some(DataType::Null) => {
            Ok(compare_by(&cast(&first, &DataType::Boolean)?, &cast(&second, &DataType::Boolean)?)?)
        }
        Some(common) => Ok(compare_by(&cast(&first, &common)?, &cast(&second, &common)?)?),
        None => fault(format!("{} and {} cannot be compared", first.data_type(), second.data_type())),
    }
}
