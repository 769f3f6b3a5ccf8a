//! Distances of times: `timestampAdd`, `timestampDiff`.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::numbers;
use crate::description::FunctionGroup::DateTime;
use crate::scalar::call::{Call, Fault};
use crate::scalar::function::{Function, Gives, Overload};
use crate::scalar::kind::{Kind, Scalar};
use crate::scalar::rows::fault;
use crate::scalar::sink::collect;
use crate::time::truncate::CalendarUnit;

const TEXT: Kind = Kind::One(Scalar::Text);
const TIME: Kind = Kind::One(Scalar::Timestamp);
const NUMBER: Kind = Kind::One(Scalar::Long);
const LONG: Gives = Gives::Type(DataType::Int64);

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            DateTime,
            &["timestampAdd", "dateAdd", "timestampAddMV", "dateAddMV"],
            "timestampAdd(unit, count, time)",
            "The time so many units later, in milliseconds; the day is at most the last of its month.",
            [Overload::new(&[TEXT, NUMBER, TIME], LONG, |call| {
                computed(call, "the time is too far away", |unit, count, time| unit.add(time, count))
            })],
        ),
        Function::new(
            DateTime,
            &[
                "timestampDiff",
                "dateDiff",
                "timestampDiffMV",
                "dateDiffMV",
                "timestampDiffMVReverse",
                "dateDiffMVReverse",
            ],
            "timestampDiff(unit, from, to)",
            "How many whole units lie between two times.",
            [Overload::new(&[TEXT, TIME, TIME], LONG, |call| {
                computed(call, "the times are too far apart", |unit, from, to| unit.between(from, to))
            })],
        ),
    ]
}

fn computed(
    call: &Call<'_>,
    too_far: &str,
    compute: fn(CalendarUnit, i64, i64) -> Option<i64>,
) -> Result<ArrayRef, Fault> {
    let mut units = call.prepared(0, CalendarUnit::parse)?;
    let (first, second) = (numbers(call, 1)?, numbers(call, 2)?);
    collect(call.rows, |row| {
        let Some(unit) = units.at(row)? else { return Ok(None) };
        if call.is_null(1, row) || call.is_null(2, row) {
            return Ok(None);
        }
        match compute(*unit, first.value(row), second.value(row)) {
            Some(result) => Ok(Some(result)),
            None => fault(too_far),
        }
    })
}
