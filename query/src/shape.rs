//! A statement without its constants: what statements that differ in constants alone have in common.
//!
//! A dashboard asks the same statement with other constants over and over. Constants that are compared with a column in
//! WHERE become parameters of its plan; all others belong to the plan, as every other token does.

use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan};
use meunier_segment::schema::DataType;
use meunier_segment::value::Value;

/// The tokens of a statement, and its constants apart.
#[derive(Debug)]
pub(crate) struct Shape {
    /// The tokens, each constant an empty placeholder.
    pub(crate) tokens: Vec<Token>,
    /// The constants in the order of the text, and where each begins.
    pub(crate) constants: Vec<(Token, Location)>,
}

impl Shape {
    pub(crate) fn of(tokens: &[TokenWithSpan]) -> Shape {
        let mut shape = Shape { tokens: Vec::with_capacity(tokens.len()), constants: Vec::new() };
        for token in tokens {
            shape.tokens.push(match &token.token {
                Token::Number(..) | Token::SingleQuotedString(_) => {
                    shape.constants.push((token.token.clone(), token.span.start));
                    Token::Placeholder(String::new())
                }
                other => other.clone(),
            });
        }
        shape
    }

    /// Returns the number of the constant that begins there.
    pub(crate) fn constant_at(&self, place: Location) -> Option<usize> {
        self.constants.iter().position(|(_, begins)| *begins == place)
    }
}

/// A constant that is compared with a column, as a parameter of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parameter {
    /// The constant's number in the statement's shape.
    pub(crate) constant: usize,
    /// Whether a minus sign stands before it.
    pub(crate) negated: bool,
    /// Type of the column.
    pub(crate) data_type: DataType,
}

impl Parameter {
    /// Returns the value that the constant means, or nothing when it is none of the column's own values: then the statement
    /// is planned with it as it stands.
    pub(crate) fn value(&self, constant: &Token) -> Option<ScalarValue> {
        let sign = if self.negated { "-" } else { "" };
        let (written, is_number) = match constant {
            Token::Number(digits, false) => (format!("{sign}{digits}"), true),
            Token::SingleQuotedString(text) if !self.negated => (text.clone(), false),
            _ => return None,
        };
        match (self.data_type, is_number) {
            (DataType::String, _) => Some(ScalarValue::Utf8View(Some(written))),
            (DataType::Int, true) => written.parse().ok().map(|value| ScalarValue::Int32(Some(value))),
            (DataType::Long, true) => written.parse().ok().map(|value| ScalarValue::Int64(Some(value))),
            (DataType::Double, true) => written.parse().ok().map(double),
            (wanted, _) => match Value::parse(&written, wanted)? {
                Value::Int(value) => Some(ScalarValue::Int32(Some(value))),
                Value::Long(value) => Some(ScalarValue::Int64(Some(value))),
                Value::Double(value) => Some(double(value)),
                Value::Boolean(value) => Some(ScalarValue::Boolean(Some(value))),
                Value::Timestamp(millis) => Some(ScalarValue::TimestampMillisecond(Some(millis), None)),
                Value::Float(_) | Value::BigDecimal(_) | Value::String(_) | Value::Bytes(_) => None,
            },
        }
    }
}

/// There is one zero in comparisons: the sum of -0.0 and 0.0 is 0.0.
fn double(value: f64) -> ScalarValue {
    ScalarValue::Float64(Some(value + 0.0))
}
