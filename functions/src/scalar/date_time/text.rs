//! Times as text and back: by a pattern, as ISO-8601, as TIMESTAMP.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use meunier_segment::value::parse_timestamp;

use super::numbers;
use crate::description::FunctionGroup::DateTime;
use crate::scalar::call::{Call, Fault};
use crate::scalar::function::{Function, Gives, Overload};
use crate::scalar::kind::{Kind, Scalar, shortened};
use crate::scalar::rows::{Text, Time, fault, row1};
use crate::scalar::sink::{Millis, Sink, TextSink, collect};
use crate::time::calendar::SECOND;
use crate::time::pattern::Pattern;
use crate::time::zone::Zone;

const TEXT: Kind = Kind::One(Scalar::Text);
const TIME: Kind = Kind::One(Scalar::Timestamp);

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            DateTime,
            &["toDateTime", "toDateTimeMV"],
            "toDateTime(time, pattern[, timeZone])",
            "A time as text by a pattern, as `yyyy-MM-dd HH:mm:ss`.",
            [Overload::new(&[TIME, TEXT, TEXT], Gives::Type(DataType::Utf8), to_date_time).required(2)],
        ),
        Function::new(
            DateTime,
            &["fromDateTime", "fromDateTimeMV"],
            "fromDateTime(text, pattern[, timeZone[, default]])",
            "Milliseconds of a text by a pattern; the default where it has not that form.",
            [Overload::new(
                &[TEXT, TEXT, TEXT, Kind::One(Scalar::Long)],
                Gives::Type(DataType::Int64),
                from_date_time,
            )
            .required(2)],
        ),
        Function::new(
            DateTime,
            &["toIso8601", "toIso8601MV"],
            "toIso8601(time)",
            "A time as `2023-10-01T00:00:00Z`.",
            [row1::<Time, _>(to_iso8601)],
        ),
        Function::new(
            DateTime,
            &["fromIso8601", "fromIso8601MV"],
            "fromIso8601(text)",
            "Milliseconds of a text as `2023-10-01T00:00:00+01:00`.",
            [row1::<Text, _>(|text| match parse_timestamp(text) {
                Some(millis) if text.contains(['T', 't']) => Ok(millis),
                _ => fault(format!("'{}' is no ISO-8601 time with a zone", shortened(text))),
            })],
        ),
        Function::new(
            DateTime,
            &["toTimestamp", "toTimestampMV"],
            "toTimestamp(millis)",
            "Milliseconds as a TIMESTAMP.",
            [row1::<Time, _>(Millis)],
        ),
        Function::new(
            DateTime,
            &["fromTimestamp", "fromTimestampMV"],
            "fromTimestamp(timestamp)",
            "A TIMESTAMP as milliseconds.",
            [row1::<Time, _>(|millis| millis)],
        ),
    ]
}

fn to_date_time(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    let times = numbers(call, 0)?;
    let mut patterns = call.prepared(1, Pattern::compile)?;
    let mut zones = call.prepared_or(2, Some("UTC"), Zone::parse)?;
    let mut sink = TextSink::with_rows(call.rows);
    let mut text = String::new();
    for row in 0..call.rows {
        match (patterns.at(row)?, zones.at(row)?) {
            (Some(pattern), Some(zone)) if !call.is_null(0, row) => {
                text.clear();
                pattern.print(times.value(row), *zone, &mut text);
                sink.push(&text)?;
            }
            _ => sink.push_null(),
        }
    }
    Ok(sink.finish())
}

fn from_date_time(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    let mut patterns = call.prepared(1, Pattern::compile)?;
    let mut zones = call.prepared_or(2, Some("UTC"), Zone::parse)?;
    let defaults = if call.len() == 4 { Some(numbers(call, 3)?) } else { None };
    collect(call.rows, |row| {
        let (Some(text), Some(pattern), Some(zone)) = (call.text(0, row), patterns.at(row)?, zones.at(row)?)
        else {
            return Ok(None);
        };
        match (pattern.parse(text, *zone), &defaults) {
            (Ok(millis), _) => Ok(Some(millis)),
            (Err(_), Some(defaults)) => Ok((!call.is_null(3, row)).then(|| defaults.value(row))),
            (Err(problem), None) => fault(problem.of(text)),
        }
    })
}

fn to_iso8601(millis: i64) -> Result<String, Fault> {
    let fraction = if millis.rem_euclid(SECOND) == 0 { "" } else { ".SSS" };
    let pattern = Pattern::compile(&format!("yyyy-MM-dd'T'HH:mm:ss{fraction}'Z'"))?;
    let mut text = String::new();
    pattern.print(millis, Zone::UTC, &mut text);
    Ok(text)
}
