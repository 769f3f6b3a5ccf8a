//! `filterMv(array, 'v > 1 AND v <> 5')`: the elements for which a condition holds.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray, BooleanArray, ListArray, StringArray, new_empty_array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::filter;
use arrow::compute::kernels::{boolean, cmp};
use arrow::datatypes::DataType;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator, Value,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Tokenizer;

use super::select::{places, same, scalar_of};
use crate::canonical;
use crate::description::FunctionGroup::Array;
use crate::scalar::call::{Call, Fault};
use crate::scalar::function::{Asked, Function, Gives, Overload};
use crate::scalar::kind::{Kind, Scalar, shortened};
use crate::scalar::regexp::{Pattern, of_like};
use crate::scalar::rows::fault;

/// How deep the parser may recurse.
const RECURSION_MAX: usize = 128;
/// Most tokens of a condition.
const TOKENS_MAX: usize = 2048;
/// The name that stands for an element.
const ELEMENT: &str = "v";

pub(super) fn functions() -> Vec<Function> {
    let overload =
        Overload::new(&[Kind::AnyArray, Kind::One(Scalar::Text)], Gives::Of(checked_type), filtered);
    vec![
        Function::new(
            Array,
            &["filterMv"],
            "filterMv(array, condition)",
            "The elements for which a condition such as 'v > 1 AND v <> 5' holds; `v` is the element.",
            [overload],
        )
        .gives_array(),
    ]
}

/// The condition is read when the query is planned, so that a fault in it is one of the query.
fn checked_type(asked: &Asked<'_>) -> Result<Gives, Fault> {
    match asked.text(1) {
        Some(condition) => parse(condition)?,
        None => return fault("the condition on elements is a constant"),
    };
    same(asked)
}

/// What an element is tested for.
#[derive(Debug)]
enum Test {
    Constant(bool),
    All(Box<[Test; 2]>),
    Any(Box<[Test; 2]>),
    Not(Box<Test>),
    Compare(BinaryOperator, String),
    OneOf(Vec<String>),
    Found(Pattern),
}

fn parse(text: &str) -> Result<Test, String> {
    let wrong = |detail: String| format!("the condition '{}' is not valid: {detail}", shortened(text));
    let tokens = Tokenizer::new(&GenericDialect {}, text).tokenize();
    let tokens = tokens.map_err(|error| wrong(error.to_string()))?;
    if tokens.len() > TOKENS_MAX {
        return Err(format!("a condition on elements has {TOKENS_MAX} words and signs at most"));
    }
    let mut parser = Parser::new(&GenericDialect {}).with_recursion_limit(RECURSION_MAX).with_tokens(tokens);
    let expr = parser.parse_expr().map_err(|error| wrong(error.to_string()))?;
    let next = parser.peek_token();
    if next.token != datafusion::sql::sqlparser::tokenizer::Token::EOF {
        return Err(wrong(format!("`{next}` is not expected")));
    }
    test(&expr).map_err(wrong)
}

fn test(expr: &Expr) -> Result<Test, String> {
    let both = |left: &Expr, right: &Expr| Ok::<_, String>(Box::new([test(left)?, test(right)?]));
    let negated_if = |negated: bool, test: Test| if negated { Test::Not(Box::new(test)) } else { test };
    match expr {
        Expr::Nested(inner) => test(inner),
        Expr::Value(value) => match value.value {
            Value::Boolean(truth) => Ok(Test::Constant(truth)),
            _ => Err(format!("`{expr}` is no condition")),
        },
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => Ok(Test::Not(Box::new(test(expr)?))),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => Ok(Test::All(both(left, right)?)),
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => Ok(Test::Any(both(left, right)?)),
        Expr::BinaryOp { left, op, right } => {
            element(left)?;
            match op {
                BinaryOperator::Eq
                | BinaryOperator::NotEq
                | BinaryOperator::Lt
                | BinaryOperator::LtEq
                | BinaryOperator::Gt
                | BinaryOperator::GtEq => Ok(Test::Compare(op.clone(), constant(right)?)),
                _ => Err(format!("`{op}` is no comparison")),
            }
        }
        Expr::InList { expr, list, negated } => {
            element(expr)?;
            let list = list.iter().map(constant).collect::<Result<_, _>>()?;
            Ok(negated_if(*negated, Test::OneOf(list)))
        }
        Expr::Between { expr, negated, low, high } => {
            element(expr)?;
            let low = Test::Compare(BinaryOperator::GtEq, constant(low)?);
            let high = Test::Compare(BinaryOperator::LtEq, constant(high)?);
            Ok(negated_if(*negated, Test::All(Box::new([low, high]))))
        }
        Expr::Like { negated, expr, pattern, escape_char: None, .. } => {
            element(expr)?;
            let pattern = Pattern::compile(&of_like(&constant(pattern)?), false)?;
            Ok(negated_if(*negated, Test::Found(pattern)))
        }
        Expr::Function(function) if canonical(&function.name.to_string()) == "regexplike" => {
            let FunctionArguments::List(list) = &function.args else {
                return Err("REGEXP_LIKE takes `v` and a pattern".into());
            };
            match &list.args[..] {
                [
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(of)),
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(pattern)),
                ] => {
                    element(of)?;
                    Ok(Test::Found(Pattern::compile(&constant(pattern)?, false)?))
                }
                _ => Err("REGEXP_LIKE takes `v` and a pattern".into()),
            }
        }
        other => Err(format!("`{other}` is no condition on `{ELEMENT}`")),
    }
}

/// Checks that an expression is the element.
fn element(expr: &Expr) -> Result<(), String> {
    match expr {
        Expr::Nested(inner) => element(inner),
        Expr::Identifier(name) if name.value.eq_ignore_ascii_case(ELEMENT) => Ok(()),
        other => Err(format!("`{other}` stands where `{ELEMENT}` should")),
    }
}

/// Returns a constant as it is written.
fn constant(expr: &Expr) -> Result<String, String> {
    match expr {
        Expr::Nested(inner) => constant(inner),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => Ok(format!("-{}", constant(expr)?)),
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => Ok(digits.clone()),
            Value::SingleQuotedString(text) => Ok(text.clone()),
            Value::Boolean(truth) => Ok(truth.to_string()),
            other => Err(format!("`{other}` is no constant")),
        },
        other => Err(format!("`{other}` is no constant")),
    }
}

impl Test {
    /// Returns for which elements it holds. A null passes nothing.
    fn mask(&self, elements: &ArrayRef, scalar: Scalar) -> Result<BooleanArray, Fault> {
        Ok(match self {
            Test::Constant(truth) => BooleanArray::from(vec![*truth; elements.len()]),
            Test::All(parts) => {
                boolean::and_kleene(&parts[0].mask(elements, scalar)?, &parts[1].mask(elements, scalar)?)?
            }
            Test::Any(parts) => {
                boolean::or_kleene(&parts[0].mask(elements, scalar)?, &parts[1].mask(elements, scalar)?)?
            }
            Test::Not(part) => boolean::not(&part.mask(elements, scalar)?)?,
            Test::Compare(op, written) => {
                let value = of_type(written, scalar)?;
                match op {
                    BinaryOperator::NotEq => cmp::neq(elements, &value)?,
                    BinaryOperator::Lt => cmp::lt(elements, &value)?,
                    BinaryOperator::LtEq => cmp::lt_eq(elements, &value)?,
                    BinaryOperator::Gt => cmp::gt(elements, &value)?,
                    BinaryOperator::GtEq => cmp::gt_eq(elements, &value)?,
                    _ => cmp::eq(elements, &value)?,
                }
            }
            Test::OneOf(list) => {
                let mut found = BooleanArray::from(vec![false; elements.len()]);
                for written in list {
                    found = boolean::or_kleene(&found, &cmp::eq(elements, &of_type(written, scalar)?)?)?;
                }
                found
            }
            Test::Found(pattern) => {
                if *elements.data_type() != DataType::Utf8 {
                    return fault(format!(
                        "a pattern is looked for in texts, not in {}",
                        elements.data_type()
                    ));
                }
                let mut found = Vec::with_capacity(elements.len());
                for text in elements.as_string::<i32>() {
                    found.push(text.map(|text| pattern.is_in(text)).transpose()?);
                }
                BooleanArray::from(found)
            }
        })
    }
}

fn of_type(written: &str, scalar: Scalar) -> Result<arrow::array::Scalar<ArrayRef>, Fault> {
    let text: ArrayRef = Arc::new(StringArray::from(vec![written]));
    Ok(arrow::array::Scalar::new(Kind::One(scalar).bring(&text)?))
}

fn filtered(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    let arrays = call.column(0)?.to_rows(call.rows)?;
    let arrays = arrays.as_list::<i32>();
    let mut conditions = call.prepared(1, parse)?;
    if arrays.is_empty() {
        return Ok(new_empty_array(call.given));
    }
    let Some(condition) = conditions.at(0)? else { return fault("the condition on elements is a constant") };
    let elements = arrays.values();
    let wanted = condition.mask(elements, scalar_of(elements.data_type())?)?;
    let is_wanted = |place: usize| wanted.is_valid(place) && wanted.value(place) && elements.is_valid(place);
    let lengths = (0..arrays.len()).map(|row| places(arrays, row).filter(|place| is_wanted(*place)).count());
    let offsets = OffsetBuffer::from_lengths(lengths);
    // Elements that no row has, before the first and after the last, are not wanted either.
    let (first, last) = (places(arrays, 0).start, places(arrays, arrays.len() - 1).end);
    let kept: BooleanArray = (first..last).map(|place| Some(is_wanted(place))).collect();
    let kept = filter(&elements.slice(first, last - first), &kept)?;
    let field = crate::scalar::kind::element_field(kept.data_type().clone());
    Ok(Arc::new(ListArray::try_new(field, offsets, kept, arrays.nulls().cloned())?))
}
