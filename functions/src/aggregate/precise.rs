//! `sumPrecision`: a sum of decimals without rounding until the end.

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;
use bigdecimal::{BigDecimal, RoundingMode};
use datafusion::common::{exec_datafusion_err, plan_err};
use datafusion::error::Result;
use std::num::NonZeroU64;
use std::str::FromStr;

use super::call::Call;
use super::columns::texts;
use super::computation::{Computation, Groups, States, array};
use super::serial::Write;
use super::udaf::Definition;

/// Most digits that a call may ask for.
const DIGITS_MAX: i64 = 1_000;

/// The one of them.
pub(crate) static DEFINITIONS: [Definition; 1] = [Definition {
    description: Definition::describe(
        "sumPrecision",
        &[],
        "sumPrecision(column[, precision[, scale]])",
        "The exact sum as text, rounded half to even to a number of digits, and of those after the point",
    ),
    arguments: 1..=3,
    elements: true,
    result: |types| match &types[0] {
        numeric if numeric.is_numeric() => Ok(DataType::Utf8),
        DataType::Utf8 | DataType::Null => Ok(DataType::Utf8),
        other => plan_err!("`sumPrecision` takes numbers, not {other}"),
    },
    start: sum_precision,
}];

fn sum_precision(call: &Call) -> Result<Box<dyn States>> {
    let precision = match call.len() {
        1 => None,
        _ => NonZeroU64::new(call.integer(1, 1..=DIGITS_MAX, 1)?.cast_unsigned()),
    };
    let scale = if call.len() > 2 { Some(call.integer(2, 0..=DIGITS_MAX, 0)?) } else { None };
    Ok(Groups::boxed(PreciseSum { precision, scale }))
}

struct PreciseSum {
    precision: Option<NonZeroU64>,
    scale: Option<i64>,
}

impl PreciseSum {
    fn answer(&self, sum: &BigDecimal) -> String {
        let rounded = match self.precision {
            Some(precision) if sum.digits() > precision.get() => {
                sum.with_precision_round(precision, RoundingMode::HalfEven)
            }
            _ => sum.clone(),
        };
        match self.scale {
            Some(scale) => rounded.with_scale_round(scale, RoundingMode::HalfEven),
            None => rounded,
        }
        .to_plain_string()
    }
}

fn decimal(text: &str) -> Result<BigDecimal> {
    match BigDecimal::from_str(text.trim()) {
        Ok(decimal) => Ok(decimal),
        Err(_) => Err(exec_datafusion_err!("`{text}` is no number to be added")),
    }
}

fn put(state: &mut Option<BigDecimal>, value: BigDecimal) {
    *state = Some(match state.take() {
        Some(sum) => sum + value,
        None => value,
    });
}

impl Computation for PreciseSum {
    type State = Option<BigDecimal>;
    type Columns = (StringArray, bool);

    fn start(&self) -> Option<BigDecimal> {
        None
    }

    /// Numbers are read as they are written, so that 0.1 is one tenth.
    fn columns(&self, arguments: &[ArrayRef]) -> Result<(StringArray, bool)> {
        let has_padding = matches!(arguments[0].data_type(), DataType::Decimal256(..));
        Ok((texts(&arguments[0])?, has_padding))
    }

    fn add(&mut self, state: &mut Option<BigDecimal>, columns: &Self::Columns, row: usize) -> Result<()> {
        let (texts, has_padding) = columns;
        let value = decimal(texts.value(row))?;
        // A stored BIG_DECIMAL has all its places, whatever was written.
        put(state, if *has_padding { value.normalized() } else { value });
        Ok(())
    }

    fn write(&mut self, state: &mut Option<BigDecimal>, out: &mut Vec<u8>) {
        if let Some(sum) = state {
            out.put_bytes(sum.to_plain_string().as_bytes());
        }
    }

    fn merge(&mut self, state: &mut Option<BigDecimal>, written: &[u8]) -> Result<()> {
        let text = super::serial::Reader(written).bytes()?;
        put(state, decimal(&String::from_utf8_lossy(text))?);
        Ok(())
    }

    fn finish(&mut self, states: &mut [Option<BigDecimal>]) -> Result<ArrayRef> {
        let answers = states.iter().map(|state| state.as_ref().map(|sum| self.answer(sum)));
        Ok(array::<StringArray, _>(answers))
    }

    fn heap_bytes(&self, state: &Option<BigDecimal>) -> usize {
        // Two digits a byte, and a little around them.
        state.as_ref().map_or(0, |_| 64)
    }
}
