//! Parts of times: `year`, `week`, `hour`, `extract`, and how far zones are from UTC.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int32Array};
use arrow::datatypes::DataType;

use super::numbers;
use crate::description::FunctionGroup::DateTime;
use crate::scalar::call::{Call, Fault};
use crate::scalar::function::{Function, Gives, Overload};
use crate::scalar::kind::{Kind, Scalar};
use crate::scalar::number::long_to_int;
use crate::scalar::sink::collect;
use crate::time::calendar::{HOUR, MINUTE};
use crate::time::field::Field;
use crate::time::unit::unknown;
use crate::time::zone::{Clock, Zone};

const TEXT: Kind = Kind::One(Scalar::Text);
const TIME: Kind = Kind::One(Scalar::Timestamp);
const INT: Gives = Gives::Type(DataType::Int32);

pub(super) fn functions() -> Vec<Function> {
    let part = |names, signature, text, field: Field| {
        let overload = Overload::new(&[TIME, TEXT], INT, move |call| parts(call, field)).required(1);
        Function::new(DateTime, names, signature, text, [overload])
    };
    vec![
        part(&["year", "yearMV"], "year(time[, timeZone])", "The year.", Field::Year),
        part(
            &["yearOfWeek", "yow", "yearOfWeekMV", "yowMV"],
            "yearOfWeek(time[, timeZone])",
            "The year that the week belongs to.",
            Field::YearOfWeek,
        ),
        part(&["quarter", "quarterMV"], "quarter(time[, timeZone])", "The quarter, from 1.", Field::Quarter),
        part(
            &["month", "monthOfYear", "monthMV", "monthOfYearMV"],
            "month(time[, timeZone])",
            "The month, from 1.",
            Field::Month,
        ),
        part(
            &["week", "weekOfYear", "weekMV", "weekOfYearMV"],
            "week(time[, timeZone])",
            "The ISO week of the year, from 1.",
            Field::Week,
        ),
        part(
            &["dayOfYear", "doy", "dayOfYearMV", "doyMV"],
            "dayOfYear(time[, timeZone])",
            "The day of the year, from 1.",
            Field::DayOfYear,
        ),
        part(
            &["dayOfMonth", "day", "dayOfMonthMV", "dayMV"],
            "dayOfMonth(time[, timeZone])",
            "The day of the month, from 1.",
            Field::DayOfMonth,
        ),
        part(
            &["dayOfWeek", "dow", "dayOfWeekMV", "dowMV"],
            "dayOfWeek(time[, timeZone])",
            "The day of the week; 1 is Monday.",
            Field::DayOfWeek,
        ),
        part(&["hour", "hourMV"], "hour(time[, timeZone])", "The hour of the day.", Field::Hour),
        part(&["minute", "minuteMV"], "minute(time[, timeZone])", "The minute of the hour.", Field::Minute),
        part(&["second", "secondMV"], "second(time[, timeZone])", "The second of the minute.", Field::Second),
        part(
            &["millisecond", "millisecondMV"],
            "millisecond(time[, timeZone])",
            "The millisecond of the second.",
            Field::Millisecond,
        ),
        Function::new(
            DateTime,
            &["extract"],
            "extract(part, time)",
            "A part of a time in UTC: YEAR, QUARTER, MONTH, WEEK, DAY, DOY, DOW, HOUR, MINUTE or SECOND.",
            [Overload::new(&[TEXT, TIME], INT, extract)],
        ),
        Function::new(
            DateTime,
            &["timezoneHour", "timezoneHourMV"],
            "timezoneHour(timeZone[, time])",
            "Whole hours that a zone is ahead of UTC, at a time or in 1970.",
            [Overload::new(&[TEXT, TIME], INT, |call| offsets(call, |offset| offset / HOUR)).required(1)],
        ),
        Function::new(
            DateTime,
            &["timezoneMinute", "timezoneMinuteMV"],
            "timezoneMinute(timeZone[, time])",
            "Minutes beside the whole hours that a zone is ahead of UTC.",
            [Overload::new(&[TEXT, TIME], INT, |call| offsets(call, |offset| offset / MINUTE % 60))
                .required(1)],
        ),
    ]
}

fn parts(call: &Call<'_>, field: Field) -> Result<ArrayRef, Fault> {
    let times = numbers(call, 0)?;
    let mut zones = call.prepared_or(1, Some("UTC"), Zone::parse)?;
    let constant = call.columns.get(1).is_none_or(|zone| zone.constant);
    if constant && let Some(zone) = zones.at(0)?.copied() {
        let mut clock = Clock::of(zone);
        let parts: Vec<_> =
            times.values().iter().map(|time| long_to_int(field.of(clock.local(*time)))).collect();
        return Ok(Arc::new(Int32Array::new(parts.into(), times.nulls().cloned())));
    }
    collect(call.rows, |row| {
        let Some(zone) = zones.at(row)?.copied() else { return Ok(None) };
        let is_null = call.is_null(0, row);
        Ok((!is_null).then(|| long_to_int(field.of(zone.to_local(times.value(row))))))
    })
}

fn extract(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    let mut fields = call.prepared(0, |text| {
        let known = Field::EXTRACTED.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        known
            .map(|field| field.1)
            .ok_or_else(|| unknown("part of a time", text, Field::EXTRACTED.map(|field| field.0)))
    })?;
    let times = numbers(call, 1)?;
    collect(call.rows, |row| {
        let Some(field) = fields.at(row)? else { return Ok(None) };
        Ok((!call.is_null(1, row)).then(|| long_to_int(field.of(times.value(row)))))
    })
}

fn offsets(call: &Call<'_>, part: fn(i64) -> i64) -> Result<ArrayRef, Fault> {
    let mut zones = call.prepared(0, Zone::parse)?;
    let times = if call.len() == 2 { Some(numbers(call, 1)?) } else { None };
    collect(call.rows, |row| {
        let Some(zone) = zones.at(row)?.copied() else { return Ok(None) };
        let time = match &times {
            Some(_) if call.is_null(1, row) => return Ok(None),
            Some(times) => times.value(row),
            None => 0,
        };
        Ok(Some(long_to_int(part(zone.offset_at(time)))))
    })
}
