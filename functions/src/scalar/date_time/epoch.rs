//! Numbers of units since the epoch: `toEpoch…`, `fromEpoch…`, `timeConvert`, `round`.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Int64Type};

use super::{chained, numbers, settled};
use crate::description::FunctionGroup::DateTime;
use crate::scalar::call::{Call, Fault};
use crate::scalar::function::{Function, Gives, Overload};
use crate::scalar::kind::{Kind, Scalar};
use crate::scalar::rows::fault;
use crate::scalar::sink::collect;
use crate::time::chain::{Chain, Step};
use crate::time::spec::EpochUnit;
use crate::time::unit::TimeUnit;

/// What is done with the number of units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bucket {
    /// Rounded to multiples of the argument.
    Rounded,
    /// Divided by it, or multiplied on the way back.
    Counted,
}

macro_rules! of_unit {
    ($functions:ident, $unit:expr, $plural:literal) => {{
        $functions.push(Function::new(
            DateTime,
            &[concat!("toEpoch", $plural), concat!("toEpoch", $plural, "MV")],
            concat!("toEpoch", $plural, "(time)"),
            concat!($plural, " since the epoch."),
            [Overload::new(&[TIME], LONG, |call| chained(call, 0, &to_epoch($unit)))],
        ));
        $functions.push(Function::new(
            DateTime,
            &[concat!("toEpoch", $plural, "Rounded"), concat!("toEpoch", $plural, "RoundedMV")],
            concat!("toEpoch", $plural, "Rounded(time, size)"),
            concat!($plural, " since the epoch, rounded to multiples of `size`."),
            [Overload::new(&[TIME, NUMBER], LONG, |call| bucketed(call, to_epoch($unit), Bucket::Rounded))],
        ));
        $functions.push(Function::new(
            DateTime,
            &[concat!("toEpoch", $plural, "Bucket"), concat!("toEpoch", $plural, "BucketMV")],
            concat!("toEpoch", $plural, "Bucket(time, size)"),
            concat!($plural, " since the epoch over `size`: the number of the bucket."),
            [Overload::new(&[TIME, NUMBER], LONG, |call| bucketed(call, to_epoch($unit), Bucket::Counted))],
        ));
        $functions.push(Function::new(
            DateTime,
            &[concat!("fromEpoch", $plural), concat!("fromEpoch", $plural, "MV")],
            concat!("fromEpoch", $plural, "(number)"),
            concat!("Milliseconds of a number of ", $plural, " since the epoch."),
            [Overload::new(&[NUMBER], LONG, |call| chained(call, 0, &from_epoch($unit)))],
        ));
        $functions.push(Function::new(
            DateTime,
            &[concat!("fromEpoch", $plural, "Bucket"), concat!("fromEpoch", $plural, "BucketMV")],
            concat!("fromEpoch", $plural, "Bucket(number, size)"),
            concat!("Milliseconds of a number of buckets of `size` ", $plural, " since the epoch."),
            [Overload::new(&[NUMBER, NUMBER], LONG, |call| from_bucket(call, $unit))],
        ));
    }};
}

const TIME: Kind = Kind::One(Scalar::Timestamp);
const NUMBER: Kind = Kind::One(Scalar::Long);
const TEXT: Kind = Kind::One(Scalar::Text);
const LONG: Gives = Gives::Type(DataType::Int64);

pub(super) fn functions() -> Vec<Function> {
    let mut functions = vec![
        Function::new(
            DateTime,
            &["timeConvert"],
            "timeConvert(number, fromUnit, toUnit)",
            "A number of one unit since the epoch in another unit, also WEEKS, MONTHS and YEARS.",
            [Overload::new(&[NUMBER, TEXT, TEXT], LONG, time_convert)],
        ),
        Function::new(
            DateTime,
            &["round", "roundMV"],
            "round(number, size)",
            "A whole number rounded to multiples of `size`, towards zero.",
            [Overload::new(&[TIME, NUMBER], LONG, |call| bucketed(call, Chain::default(), Bucket::Rounded))],
        ),
    ];
    of_unit!(functions, TimeUnit::Seconds, "Seconds");
    of_unit!(functions, TimeUnit::Minutes, "Minutes");
    of_unit!(functions, TimeUnit::Hours, "Hours");
    of_unit!(functions, TimeUnit::Days, "Days");
    functions
}

/// Returns the steps from milliseconds to a unit.
pub(crate) fn to_epoch(unit: TimeUnit) -> Chain {
    Chain::default().then_unit(TimeUnit::Milliseconds, unit)
}

/// Returns the steps from a unit to milliseconds.
pub(crate) fn from_epoch(unit: TimeUnit) -> Chain {
    Chain::default().then_unit(unit, TimeUnit::Milliseconds)
}

/// Adds what puts numbers into buckets of a positive size.
pub(crate) fn into_buckets(chain: Chain, bucket: Bucket, size: i64) -> Chain {
    chain.then(match bucket {
        Bucket::Rounded => Step::Round(size),
        Bucket::Counted => Step::Divide(size),
    })
}

/// Returns the steps of `timeConvert`.
pub(crate) fn time_convert_chain(from: TimeUnit, to: EpochUnit) -> Chain {
    match to {
        EpochUnit::Time(to) => Chain::default().then_unit(from, to),
        other => from_epoch(from).then_epoch(1, other),
    }
}

fn bucketed(call: &Call<'_>, chain: Chain, bucket: Bucket) -> Result<ArrayRef, Fault> {
    let sizes = call.column(1)?;
    let size_of = sizes.array.as_primitive::<Int64Type>();
    if settled(call, 1) && size_of.value(0) > 0 {
        return chained(call, 0, &into_buckets(chain, bucket, size_of.value(0)));
    }
    let times = numbers(call, 0)?;
    collect(call.rows, |row| {
        if call.is_null(0, row) || call.is_null(1, row) {
            return Ok(None);
        }
        let (number, size) = (chain.apply_one(times.value(row)), size_of.value(sizes.at(row)));
        let Some(count) = number.checked_div(size) else { return fault("the size of a bucket is not zero") };
        Ok(Some(match bucket {
            Bucket::Rounded => count.wrapping_mul(size),
            Bucket::Counted => count,
        }))
    })
}

fn from_bucket(call: &Call<'_>, unit: TimeUnit) -> Result<ArrayRef, Fault> {
    let (counts, sizes) = (call.column(0)?, call.column(1)?);
    let (count_of, size_of) =
        (counts.array.as_primitive::<Int64Type>(), sizes.array.as_primitive::<Int64Type>());
    let millis = from_epoch(unit);
    collect(call.rows, |row| {
        if count_of.is_null(counts.at(row)) || size_of.is_null(sizes.at(row)) {
            return Ok(None);
        }
        let units = count_of.value(counts.at(row)).saturating_mul(size_of.value(sizes.at(row)));
        Ok(Some(millis.apply_one(units)))
    })
}

fn time_convert(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    let mut from = call.prepared(1, TimeUnit::parse)?;
    let mut to = call.prepared(2, |text| EpochUnit::parse(&text.to_ascii_uppercase()))?;
    if settled(call, 1)
        && let (Some(from), Some(to)) = (from.at(0)?, to.at(0)?)
    {
        return chained(call, 0, &time_convert_chain(*from, *to));
    }
    let numbers = numbers(call, 0)?;
    collect(call.rows, |row| {
        let (Some(from), Some(to)) = (from.at(row)?, to.at(row)?) else { return Ok(None) };
        let is_null = call.is_null(0, row);
        Ok((!is_null).then(|| time_convert_chain(*from, *to).apply_one(numbers.value(row))))
    })
}
