//! One call of a function over a batch of rows, as a kernel sees it.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};
use arrow::error::ArrowError;
use datafusion::error::{DataFusionError, Result};

/// What is wrong with a call.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The arguments are; the text says why.
    Arguments(String),
    /// The result would be too large.
    TooLarge(String),
    /// Something below failed.
    Below(Box<DataFusionError>),
}

impl Fault {
    /// Returns the error that a query ends with.
    pub(crate) fn into_error(self, signature: &str) -> DataFusionError {
        match self {
            Fault::Arguments(detail) => DataFusionError::Execution(format!("`{signature}`: {detail}")),
            Fault::TooLarge(detail) => {
                DataFusionError::ResourcesExhausted(format!("`{signature}`: {detail}"))
            }
            Fault::Below(error) => match *error {
                DataFusionError::Execution(detail) => {
                    DataFusionError::Execution(format!("`{signature}`: {detail}"))
                }
                other => other,
            },
        }
    }
}

impl From<String> for Fault {
    fn from(detail: String) -> Fault {
        Fault::Arguments(detail)
    }
}

impl From<&str> for Fault {
    fn from(detail: &str) -> Fault {
        Fault::Arguments(detail.to_owned())
    }
}

impl From<DataFusionError> for Fault {
    fn from(error: DataFusionError) -> Fault {
        Fault::Below(Box::new(error))
    }
}

impl From<ArrowError> for Fault {
    fn from(error: ArrowError) -> Fault {
        Fault::Arguments(error.to_string())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Arguments(detail) | Fault::TooLarge(detail) => out.write_str(detail),
            Fault::Below(error) => error.fmt(out),
        }
    }
}

/// One argument: a value a row, or a constant of length one.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) array: ArrayRef,
    pub(crate) constant: bool,
}

impl Column {
    /// Returns where the value of a row stands.
    #[inline]
    pub(crate) fn at(&self, row: usize) -> usize {
        if self.constant { 0 } else { row }
    }

    /// Returns the argument with a value for each row.
    pub(crate) fn to_rows(&self, rows: usize) -> Result<ArrayRef> {
        if !self.constant || rows == self.array.len() {
            return Ok(Arc::clone(&self.array));
        }
        Ok(take(&self.array, &UInt32Array::from(vec![0; rows]), None)?)
    }
}

/// One call of a function over a batch of rows.
pub(crate) struct Call<'a> {
    pub(crate) columns: &'a [Column],
    pub(crate) rows: usize,
    /// The type that the plan says the call gives.
    pub(crate) given: &'a DataType,
}

impl<'a> Call<'a> {
    /// Returns how many arguments there are.
    pub(crate) fn len(&self) -> usize {
        self.columns.len()
    }

    /// Returns an argument.
    pub(crate) fn column(&self, position: usize) -> Result<&'a Column, Fault> {
        self.columns.get(position).ok_or_else(|| Fault::from("an argument is missing"))
    }

    /// Returns whether the value of a row is null, or was left out.
    pub(crate) fn is_null(&self, position: usize, row: usize) -> bool {
        self.columns.get(position).is_none_or(|column| column.array.is_null(column.at(row)))
    }

    /// Returns the text of a row.
    pub(crate) fn text(&self, position: usize, row: usize) -> Option<&'a str> {
        let column = self.columns.get(position)?;
        let texts = column.array.as_string_opt::<i32>()?;
        texts.is_valid(column.at(row)).then(|| texts.value(column.at(row)))
    }

    /// Returns the INT of a row.
    pub(crate) fn int(&self, position: usize, row: usize) -> Option<i32> {
        let column = self.columns.get(position)?;
        let numbers = column.array.as_primitive_opt::<Int32Type>()?;
        numbers.is_valid(column.at(row)).then(|| numbers.value(column.at(row)))
    }

    /// Returns the LONG of a row.
    pub(crate) fn long(&self, position: usize, row: usize) -> Option<i64> {
        let column = self.columns.get(position)?;
        let numbers = column.array.as_primitive_opt::<Int64Type>()?;
        numbers.is_valid(column.at(row)).then(|| numbers.value(column.at(row)))
    }

    /// Returns the DOUBLE of a row.
    pub(crate) fn double(&self, position: usize, row: usize) -> Option<f64> {
        let column = self.columns.get(position)?;
        let numbers = column.array.as_primitive_opt::<Float64Type>()?;
        numbers.is_valid(column.at(row)).then(|| numbers.value(column.at(row)))
    }

    /// Returns what is made of a text that is mostly a constant: a pattern, a format, a unit, a path.
    pub(crate) fn prepared<T>(
        &self,
        position: usize,
        parse: fn(&str) -> Result<T, String>,
    ) -> Result<Prepared<'a, T>, Fault> {
        self.prepared_or(position, None, parse)
    }

    /// Returns what is made of a text that may be left out; then of `default`.
    pub(crate) fn prepared_or<T>(
        &self,
        position: usize,
        default: Option<&'static str>,
        parse: fn(&str) -> Result<T, String>,
    ) -> Result<Prepared<'a, T>, Fault> {
        let Some(column) = self.columns.get(position) else {
            return match default {
                Some(text) => Ok(Prepared::Constant(Some(parse(text)?))),
                None => Err(Fault::from("an argument is missing")),
            };
        };
        let texts = column.array.as_string::<i32>();
        if column.constant {
            let value = texts.is_valid(0).then(|| parse(texts.value(0))).transpose()?;
            return Ok(Prepared::Constant(value));
        }
        Ok(Prepared::Rows { texts, parse, known: HashMap::new() })
    }
}

/// Most different texts of one batch that are remembered when a pattern differs from row to row.
const KNOWN_MAX: usize = 64;

/// What was made of a text argument.
pub(crate) enum Prepared<'a, T> {
    /// The same for all rows; nothing when it is null.
    Constant(Option<T>),
    /// From row to row, each text once as long as they are few.
    Rows { texts: &'a StringArray, parse: fn(&str) -> Result<T, String>, known: HashMap<&'a str, T> },
}

impl<T> Prepared<'_, T> {
    /// Returns what was made of the text of a row, or nothing where it is null.
    #[inline]
    pub(crate) fn at(&mut self, row: usize) -> Result<Option<&T>, Fault> {
        match self {
            Prepared::Constant(value) => Ok(value.as_ref()),
            Prepared::Rows { texts, parse, known } => {
                if texts.is_null(row) {
                    return Ok(None);
                }
                let text = texts.value(row);
                if !known.contains_key(text) {
                    if known.len() >= KNOWN_MAX {
                        known.clear();
                    }
                    known.insert(text, parse(text)?);
                }
                Ok(known.get(text))
            }
        }
    }
}
