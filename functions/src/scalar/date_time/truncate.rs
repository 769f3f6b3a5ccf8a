//! `dateTrunc` and `dateBin`: times rounded down.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::{chained, numbers};
use crate::description::FunctionGroup::DateTime;
use crate::scalar::call::{Call, Fault};
use crate::scalar::function::{Asked, Function, Gives, Overload};
use crate::scalar::kind::{Kind, Scalar, TIMESTAMP};
use crate::scalar::rows::fault;
use crate::scalar::sink::{Millis, collect};
use crate::time::chain::{Chain, Step};
use crate::time::truncate::CalendarUnit;
use crate::time::unit::TimeUnit;
use crate::time::zone::Zone;

const TEXT: Kind = Kind::One(Scalar::Text);
const TIME: Kind = Kind::One(Scalar::Timestamp);

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            DateTime,
            &["dateTrunc", "dateTruncMV"],
            "dateTrunc(unit, time[, inputUnit[, timeZone[, outputUnit]]])",
            "The begin of the second, minute, hour, day, week, month, quarter or year that a time is in.",
            [Overload::new(&[TEXT, TIME, TEXT, TEXT, TEXT], Gives::Type(DataType::Int64), date_trunc)
                .required(2)],
        ),
        Function::new(
            DateTime,
            &["dateBin"],
            "dateBin(width, time, origin)",
            "The begin of the bin that a time is in; bins are as wide as `1d`, `4h30m`, counted from the origin.",
            [Overload::new(&[TEXT, TIME, TIME], Gives::Of(bin_type), date_bin)],
        ),
    ]
}

/// Returns the steps of `dateTrunc`.
pub(crate) fn date_trunc_chain(unit: CalendarUnit, input: TimeUnit, zone: Zone, output: TimeUnit) -> Chain {
    let millis = Chain::default().then_unit(input, TimeUnit::Milliseconds);
    let floored = match unit {
        CalendarUnit::Millisecond => millis,
        unit => millis.then(Step::Floor(unit, zone)),
    };
    floored.then_unit(TimeUnit::Milliseconds, output)
}

fn date_trunc(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    let mut units = call.prepared(0, CalendarUnit::parse)?;
    let mut inputs = call.prepared_or(2, Some("MILLISECONDS"), TimeUnit::parse)?;
    let mut zones = call.prepared_or(3, Some("UTC"), Zone::parse)?;
    let mut outputs = match call.len() {
        5 => Some(call.prepared(4, TimeUnit::parse)?),
        _ => None,
    };
    let mut chain_of = |row: usize| -> Result<Option<Chain>, Fault> {
        let (Some(unit), Some(input), Some(zone)) = (units.at(row)?, inputs.at(row)?, zones.at(row)?) else {
            return Ok(None);
        };
        let output = match &mut outputs {
            Some(outputs) => outputs.at(row)?.copied(),
            None => Some(*input),
        };
        Ok(output.map(|output| date_trunc_chain(*unit, *input, *zone, output)))
    };
    let constant = call.columns.iter().enumerate().all(|(position, column)| position == 1 || column.constant);
    if constant && let Some(chain) = chain_of(0)? {
        return chained(call, 1, &chain);
    }
    let times = numbers(call, 1)?;
    collect(call.rows, |row| {
        let chain = chain_of(row)?;
        Ok(chain.filter(|_| !call.is_null(1, row)).map(|chain| chain.apply_one(times.value(row))))
    })
}

fn bin_type(asked: &Asked<'_>) -> Result<Gives, Fault> {
    Ok(Gives::Type(match asked.types.get(1) {
        Some(DataType::Timestamp(..)) => TIMESTAMP,
        _ => DataType::Int64,
    }))
}

fn date_bin(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    let mut widths = call.prepared(0, period)?;
    let times = numbers(call, 1)?;
    let origins = numbers(call, 2)?;
    let mut bin = |row: usize| -> Result<Option<i64>, Fault> {
        let Some(width) = widths.at(row)?.copied() else { return Ok(None) };
        if call.is_null(1, row) || call.is_null(2, row) {
            return Ok(None);
        }
        let (time, origin) = (times.value(row), origins.value(row));
        let begin = time.checked_sub(origin).map(|distance| distance / width * width);
        match begin.and_then(|begin| begin.checked_add(origin)) {
            Some(begin) => Ok(Some(begin)),
            None => fault("the time is too far from the origin"),
        }
    };
    match call.given {
        DataType::Int64 => collect(call.rows, bin),
        _ => collect(call.rows, |row| Ok(bin(row)?.map(Millis))),
    }
}

/// Reads `1d12h30m15s`, any part of it.
fn period(text: &str) -> Result<i64, String> {
    let bad = || {
        format!(
            "'{}' is no width; it is written as `1d`, `3h`, `4h30m`",
            crate::scalar::kind::shortened(text)
        )
    };
    let mut rest = text.trim();
    let mut millis: i64 = 0;
    for (letter, length) in [('d', 86_400_000), ('h', 3_600_000), ('m', 60_000), ('s', 1_000)] {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 && rest[digits..].starts_with(letter) {
            let count: i64 = rest[..digits].parse().map_err(|_| bad())?;
            millis = count.checked_mul(length).and_then(|part| millis.checked_add(part)).ok_or_else(bad)?;
            rest = &rest[digits + 1..];
        }
    }
    if rest.is_empty() && millis > 0 { Ok(millis) } else { Err(bad()) }
}
