//! Constants, and how one is read where a column of some type is meant.
//!
//! Pinot compares a constant with a column in the column's type, however the constant is written: `age = '5'` means the
//! number, `time > '2024-01-01'` the moment.

use datafusion::sql::sqlparser::ast::{Expr, UnaryOperator, Value as SqlValue};
use meunier_segment::schema::DataType;
use meunier_segment::value::{Value, format_hex};

use super::syntax::{cast, number, text, unwrapped, value};
use crate::error::QueryError;

/// A constant as it is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Number(String),
    Text(String),
    Boolean(bool),
    Bytes(String),
    Null,
}

impl Literal {
    /// Returns the constant that an expression is, or nothing.
    pub(super) fn of(expr: &Expr) -> Option<Literal> {
        match unwrapped(expr) {
            Expr::Value(value) => match &value.value {
                SqlValue::Number(digits, _) => Some(Literal::Number(digits.clone())),
                SqlValue::SingleQuotedString(text) => Some(Literal::Text(text.clone())),
                SqlValue::Boolean(value) => Some(Literal::Boolean(*value)),
                SqlValue::HexStringLiteral(digits) => Some(Literal::Bytes(digits.clone())),
                SqlValue::Null => Some(Literal::Null),
                _ => None,
            },
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match Literal::of(expr)? {
                Literal::Number(digits) if !digits.starts_with('-') => {
                    Some(Literal::Number(format!("-{digits}")))
                }
                _ => None,
            },
            Expr::UnaryOp { op: UnaryOperator::Plus, expr } => Literal::of(expr),
            _ => None,
        }
    }

    /// Returns the type that the constant has on its own.
    pub(super) fn data_type(&self) -> Option<DataType> {
        match self {
            Literal::Number(digits) if digits.parse::<i64>().is_ok() => Some(DataType::Long),
            Literal::Number(_) => Some(DataType::Double),
            Literal::Text(_) => Some(DataType::String),
            Literal::Boolean(_) => Some(DataType::Boolean),
            Literal::Bytes(_) => Some(DataType::Bytes),
            Literal::Null => None,
        }
    }

    /// Returns the constant as an expression of type `wanted`. A number compared with a whole-number column stays as it
    /// is, so that `age > 4.5` keeps its fraction.
    ///
    /// # Errors
    /// When the text is no value of the type.
    pub(super) fn read_as(&self, wanted: DataType) -> Result<Expr, QueryError> {
        let written = match self {
            Literal::Null => {
                return Err(QueryError::invalid(
                    "a comparison with NULL is never true; write IS NULL or IS NOT NULL",
                ));
            }
            Literal::Number(digits) | Literal::Text(digits) | Literal::Bytes(digits) => digits.clone(),
            Literal::Boolean(value) => match wanted {
                DataType::Int
                | DataType::Long
                | DataType::Float
                | DataType::Double
                | DataType::BigDecimal => i32::from(*value).to_string(),
                DataType::Boolean
                | DataType::Timestamp
                | DataType::String
                | DataType::Json
                | DataType::Bytes => value.to_string(),
            },
        };
        let is_number = matches!(self, Literal::Number(_));
        if is_number && matches!(wanted, DataType::Int | DataType::Long | DataType::Double) {
            return Ok(number(written));
        }
        let Some(parsed) = Value::parse(&written, wanted) else {
            return Err(QueryError::invalid(format!("`{written}` is no value of type {wanted}")));
        };
        Ok(match parsed {
            Value::Int(value) => number(value),
            Value::Long(value) => number(value),
            Value::Float(_) => cast(text(written), DataType::Float),
            Value::Double(_) => cast(text(written), DataType::Double),
            Value::BigDecimal(_) => cast(text(written), DataType::BigDecimal),
            Value::Boolean(found) => value(SqlValue::Boolean(found)),
            Value::Timestamp(millis) => cast(number(millis), DataType::Timestamp),
            Value::String(_) => text(written),
            Value::Bytes(bytes) => value(SqlValue::HexStringLiteral(format_hex(&bytes))),
        })
    }
}
