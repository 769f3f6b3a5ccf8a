//! `timeSeriesBucket`: the number of the bucket of a series that a time is in.

use crate::description::FunctionGroup::DateTime;
use crate::scalar::call::{Call, Fault};
use crate::scalar::function::{Function, Overload};
use crate::scalar::kind::{Kind, Scalar};
use crate::scalar::number::long_to_int;
use crate::scalar::rows::fault;
use crate::scalar::sink::{Output, collect};
use crate::time::unit::{Ratio, TimeUnit};

const LONG: Kind = Kind::One(Scalar::Long);

/// Returns the function.
pub(super) fn functions() -> Vec<Function> {
    let overload = Overload::new(&[LONG, Kind::One(Scalar::Text), LONG, LONG, LONG], i32::gives(), |call| {
        let mut units = call.prepared(1, TimeUnit::parse)?;
        collect::<i32>(call.rows, |row| {
            let Some(unit) = units.at(row)? else { return Ok(None) };
            bucket(call, row, *unit)
        })
    });
    vec![Function::new(
        DateTime,
        &["timeSeriesBucket"],
        "timeSeriesBucket(time, unit, firstBucketSeconds, bucketSeconds, offsetSeconds)",
        "The number of the bucket that a time is in; a bucket ends at its own time and begins after that of the one before.",
        [overload],
    )]
}

fn bucket(call: &Call<'_>, row: usize, unit: TimeUnit) -> Result<Option<i32>, Fault> {
    let numbers = (call.long(0, row), call.long(2, row), call.long(3, row), call.long(4, row));
    let (Some(time), Some(first), Some(width), Some(offset)) = numbers else { return Ok(None) };
    let in_unit = |seconds: i64| match TimeUnit::Seconds.ratio_to(unit) {
        Ratio::Times(factor) => seconds.saturating_mul(factor),
        Ratio::Over(divisor) => seconds / divisor,
    };
    let reference = in_unit(first.saturating_sub(width));
    let place = time.wrapping_add(in_unit(offset)).wrapping_sub(reference).wrapping_sub(1);
    match place.checked_div(in_unit(width)) {
        Some(bucket) => Ok(Some(long_to_int(bucket))),
        None => fault("a bucket is one of the unit wide at least"),
    }
}
