//! `dateTimeConvert`: times from one format to another, in buckets.

use arrow::array::{Array, ArrayRef, Int64Array};
use arrow::datatypes::DataType;

use crate::description::FunctionGroup::DateTime;
use crate::scalar::call::{Call, Column, Fault};
use crate::scalar::function::{Asked, Function, Gives, Overload};
use crate::scalar::kind::{Kind, Scalar, array_of};
use crate::scalar::rows::fault;
use crate::scalar::sink::{Sink, TextSink, collect};
use crate::time::chain::{Chain, Step};
use crate::time::spec::{Format, Granularity};
use crate::time::zone::Zone;

const TEXT: Kind = Kind::One(Scalar::Text);

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            DateTime,
            &["dateTimeConvert"],
            "dateTimeConvert(time, inputFormat, outputFormat, granularity[, timeZone])",
            "A time in another format, rounded down to a granularity as `15:MINUTES`, by the clock of a zone if one is given.",
            [Overload::new(&[Kind::Any, TEXT, TEXT, TEXT, TEXT], Gives::Of(convert_type), convert)
                .required(4)],
        ),
        Function::new(
            DateTime,
            &["dateTimeConvertWindowHop"],
            "dateTimeConvertWindowHop(time, inputFormat, outputFormat, granularity, windowSize)",
            "The begins of all windows of a size that a time is in; a new one begins every granularity.",
            [Overload::new(&[Kind::Any, TEXT, TEXT, TEXT, TEXT], Gives::Of(hop_type), hop)],
        ),
    ]
}

/// What a call of `dateTimeConvert` says.
pub(crate) struct Conversion {
    input: Format,
    output: Format,
    granularity: Granularity,
    zone: Option<Zone>,
}

impl Conversion {
    /// Reads the formats.
    pub(crate) fn parse(
        input: &str,
        output: &str,
        granularity: &str,
        zone: Option<&str>,
    ) -> Result<Conversion, String> {
        Ok(Conversion {
            input: Format::parse(input)?,
            output: Format::parse(output)?,
            granularity: Granularity::parse(granularity)?,
            zone: zone.map(Zone::parse).transpose()?,
        })
    }

    /// Returns the steps when numbers become numbers.
    pub(crate) fn chain(&self) -> Option<Chain> {
        if matches!(self.output, Format::Text { .. }) {
            return None;
        }
        let millis = Chain::to_millis(&self.input)?;
        Some(self.then_output(self.then_bucket(millis)))
    }

    fn then_bucket(&self, chain: Chain) -> Chain {
        match (self.zone, &self.output) {
            (Some(zone), _) => chain.then(Step::Bucket(self.granularity, zone)),
            (None, Format::Text { zone, .. }) => chain.then(Step::Bucket(self.granularity, *zone)),
            (None, _) => chain.then(Step::Round(self.granularity.millis())),
        }
    }

    fn then_output(&self, chain: Chain) -> Chain {
        match &self.output {
            Format::Epoch { size, unit } => chain.then_epoch(*size, *unit),
            Format::Timestamp | Format::Text { .. } => chain,
        }
    }

    /// Returns the milliseconds of a column's times.
    fn millis(&self, column: &Column, rows: usize) -> Result<Int64Array, Fault> {
        let times = column.to_rows(rows)?;
        match (&self.input, Chain::to_millis(&self.input)) {
            (Format::Text { .. }, _) => {
                let texts = TEXT.bring(&times)?;
                let column = [Column { array: texts, constant: false }];
                let texts = Call { columns: &column, rows, given: &DataType::Int64 };
                let millis = collect(rows, |row| {
                    Ok(texts.text(0, row).map(|text| self.input.read(text)).transpose()?)
                })?;
                Ok(millis.to_data().into())
            }
            (_, Some(chain)) => {
                let column = [Column { array: kind_of(&self.input).bring(&times)?, constant: false }];
                let numbers = super::numbers(&Call { columns: &column, rows, given: &DataType::Int64 }, 0)?;
                let mut values = numbers.values().to_vec();
                chain.apply(&mut values);
                Ok(Int64Array::new(values.into(), numbers.nulls().cloned()))
            }
            (_, None) => fault("weeks, months and years are units of the output only"),
        }
    }
}

/// A number may come as text, as 1.5E12; where a TIMESTAMP is meant, as a date.
fn kind_of(input: &Format) -> Kind {
    match input {
        Format::Timestamp => Kind::One(Scalar::Timestamp),
        Format::Epoch { .. } | Format::Text { .. } => Kind::One(Scalar::Long),
    }
}

fn convert_type(asked: &Asked<'_>) -> Result<Gives, Fault> {
    Ok(Gives::Type(output_type(asked)?))
}

fn hop_type(asked: &Asked<'_>) -> Result<Gives, Fault> {
    Ok(Gives::Type(array_of(output_type(asked)?)))
}

fn output_type(asked: &Asked<'_>) -> Result<DataType, Fault> {
    let Some(output) = asked.text(2) else { return fault("the formats are constants") };
    Ok(match Format::parse(output)? {
        Format::Epoch { .. } | Format::Timestamp => DataType::Int64,
        Format::Text { .. } => DataType::Utf8,
    })
}

fn constant<'a>(call: &Call<'a>, position: usize) -> Result<&'a str, Fault> {
    let column = call.column(position)?;
    match call.text(position, 0) {
        Some(text) if column.constant => Ok(text),
        _ => fault("formats, granularities and time zones are constants"),
    }
}

fn convert(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    let zone = if call.len() == 5 { Some(constant(call, 4)?) } else { None };
    let conversion = Conversion::parse(constant(call, 1)?, constant(call, 2)?, constant(call, 3)?, zone)?;
    let millis = conversion.millis(call.column(0)?, call.rows)?;
    let mut values = millis.values().to_vec();
    let bucketed = conversion.then_bucket(Chain::default());
    let Format::Text { .. } = conversion.output else {
        conversion.then_output(bucketed).apply(&mut values);
        return Ok(std::sync::Arc::new(Int64Array::new(values.into(), millis.nulls().cloned())));
    };
    bucketed.apply(&mut values);
    let mut sink = TextSink::with_rows(call.rows);
    // Rows near each other are mostly in the same bucket.
    let (mut text, mut text_of) = (String::new(), None);
    for (row, begin) in values.into_iter().enumerate() {
        if millis.is_null(row) {
            sink.push_null();
            continue;
        }
        if text_of != Some(begin) {
            text.clear();
            conversion.output.write(begin, &mut text);
            text_of = Some(begin);
        }
        sink.push(&text)?;
    }
    Ok(sink.finish())
}

/// Most windows that one time may be in.
const WINDOWS_MAX: i64 = 10_000;

fn hop(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    let conversion = Conversion::parse(constant(call, 1)?, constant(call, 2)?, constant(call, 3)?, None)?;
    let (step, size) = (conversion.granularity.millis(), Granularity::parse(constant(call, 4)?)?.millis());
    if size / step > WINDOWS_MAX {
        return fault(format!("a time would be in more than {WINDOWS_MAX} windows"));
    }
    let millis = conversion.millis(call.column(0)?, call.rows)?;
    let windows = |row: usize| {
        let time = millis.value(row);
        let last = time / step * step;
        std::iter::successors(Some(last), move |begin| begin.checked_sub(step))
            .take_while(move |begin| *begin > time.saturating_sub(size))
    };
    let output = conversion.then_output(Chain::default());
    match &conversion.output {
        Format::Text { .. } => collect(call.rows, |row| {
            let written = |begin| {
                let mut text = String::new();
                conversion.output.write(begin, &mut text);
                text
            };
            Ok(millis.is_valid(row).then(|| windows(row).map(written).collect::<Vec<String>>()))
        }),
        Format::Epoch { .. } | Format::Timestamp => collect(call.rows, |row| {
            let of_row = || windows(row).map(|begin| output.apply_one(begin)).collect::<Vec<i64>>();
            Ok(millis.is_valid(row).then(of_row))
        }),
    }
}
