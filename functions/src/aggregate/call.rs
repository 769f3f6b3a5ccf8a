//! One call of an aggregate: the types of its arguments and its constants.

use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Float64Type, Schema};
use datafusion::common::plan_err;
use datafusion::error::Result;
use datafusion::logical_expr::ColumnarValue;
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::scalar::ScalarValue;

/// One call of an aggregate.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) name: &'static str,
    pub(crate) usage: &'static str,
    /// The types of the arguments; of a multi-value argument taken element by element, the element's.
    pub(crate) types: Vec<DataType>,
    pub(crate) result: DataType,
    /// The value of each argument that is constant.
    constants: Vec<Option<ScalarValue>>,
}

impl Call {
    /// Reads the constants of a call.
    pub(crate) fn new(
        name: &'static str,
        usage: &'static str,
        types: Vec<DataType>,
        args: &AccumulatorArgs<'_>,
    ) -> Result<Call> {
        let one_row = RecordBatch::try_new_with_options(
            Arc::new(Schema::empty()),
            Vec::new(),
            &RecordBatchOptions::new().with_row_count(Some(1)),
        )?;
        let mut constants = Vec::with_capacity(args.exprs.len());
        for expr in args.exprs {
            let constant = match collect_columns(expr).is_empty() {
                false => None,
                true => Some(match expr.evaluate(&one_row)? {
                    ColumnarValue::Scalar(value) => value,
                    ColumnarValue::Array(values) => ScalarValue::try_from_array(&values, 0)?,
                }),
            };
            constants.push(constant);
        }
        Ok(Call { name, usage, types, result: args.return_field.data_type().clone(), constants })
    }

    /// Returns how many arguments there are.
    pub(crate) fn len(&self) -> usize {
        self.types.len()
    }

    /// Returns a constant argument.
    pub(crate) fn constant(&self, position: usize) -> Result<&ScalarValue> {
        match self.constants.get(position) {
            Some(Some(value)) if !value.is_null() => Ok(value),
            _ => self.refuse(&format!("argument {} must be a constant", position + 1)),
        }
    }

    /// Returns a constant number.
    pub(crate) fn number(&self, position: usize) -> Result<f64> {
        let value = self.constant(position)?;
        let written = value.try_as_str().flatten().and_then(|text| text.trim().parse().ok());
        let cast = || match value.cast_to(&DataType::Float64) {
            Ok(ScalarValue::Float64(number)) => number,
            _ => None,
        };
        match written.or_else(cast) {
            Some(number) if f64::is_finite(number) => Ok(number),
            _ => self.refuse(&format!("argument {} must be a number, not {value}", position + 1)),
        }
    }

    /// Returns a percentile, 0 to 100.
    pub(crate) fn percentile(&self, position: usize) -> Result<f64> {
        let percentile = self.number(position)?;
        match (0.0..=100.0).contains(&percentile) {
            true => Ok(percentile),
            false => self.refuse(&format!("a percentile lies between 0 and 100, not at {percentile}")),
        }
    }

    /// Returns a whole number in a range, or `default` where the call has no such argument.
    pub(crate) fn integer(&self, position: usize, range: RangeInclusive<i64>, default: i64) -> Result<i64> {
        if position >= self.len() {
            return Ok(default);
        }
        let number = self.number(position)?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a fraction is refused, and so is what saturates"
        )]
        let whole = number as i64;
        match whole as f64 == number && range.contains(&whole) {
            true => Ok(whole),
            false => self.refuse(&format!(
                "argument {} is a whole number from {} to {}, not {number}",
                position + 1,
                range.start(),
                range.end()
            )),
        }
    }

    /// Returns a constant text.
    pub(crate) fn text(&self, position: usize) -> Result<&str> {
        match self.constant(position)?.try_as_str() {
            Some(Some(text)) => Ok(text),
            _ => self.refuse(&format!("argument {} must be a text in quotes", position + 1)),
        }
    }

    /// Returns a constant truth, or `default` where the call has no such argument.
    pub(crate) fn truth(&self, position: usize, default: bool) -> Result<bool> {
        if position >= self.len() {
            return Ok(default);
        }
        match (self.constant(position)?, self.constant(position)?.try_as_str()) {
            (ScalarValue::Boolean(Some(truth)), _) => Ok(*truth),
            (_, Some(Some(text))) if text.eq_ignore_ascii_case("true") => Ok(true),
            (_, Some(Some(text))) if text.eq_ignore_ascii_case("false") => Ok(false),
            _ => self.refuse(&format!("argument {} must be TRUE or FALSE", position + 1)),
        }
    }

    /// Returns the numbers of a constant array.
    pub(crate) fn numbers(&self, position: usize) -> Result<Vec<f64>> {
        let ScalarValue::List(list) = self.constant(position)? else {
            return self.refuse(&format!("argument {} must be an array of numbers", position + 1));
        };
        let numbers = arrow::compute::cast(list.values(), &DataType::Float64)?;
        let numbers = numbers.as_primitive::<Float64Type>();
        match numbers.null_count() {
            0 => Ok(numbers.values().to_vec()),
            _ => self.refuse(&format!("argument {} must be an array of numbers", position + 1)),
        }
    }

    /// Returns the `key=value;key=value` pairs of a constant text, keys in lower case; none where there is no such
    /// argument.
    pub(crate) fn parameters(&self, position: usize) -> Result<Vec<(String, String)>> {
        if position >= self.len() {
            return Ok(Vec::new());
        }
        let mut parameters = Vec::new();
        for pair in self.text(position)?.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some((key, value)) => parameters.push((key.trim().to_lowercase(), value.trim().to_owned())),
                None => return self.refuse(&format!("`{pair}` is no parameter of the form key=value")),
            }
        }
        Ok(parameters)
    }

    /// Returns an error that says what is wrong and how the function is called.
    pub(crate) fn refuse<T>(&self, what: &str) -> Result<T> {
        plan_err!("{what}; call it as {}", self.usage)
    }
}
