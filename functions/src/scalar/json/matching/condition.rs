//! How the condition of `jsonMatch` is written: as a condition of SQL, with paths in place of columns.

use std::sync::Arc;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator, Value,
};
use datafusion::sql::sqlparser::dialect::Dialect;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use meunier_segment::json_flat::{FlatKey, JsonCondition, JsonTest, KeyTest, ValueTest};
use meunier_segment::value::format_double;

use crate::scalar::kind::shortened;
use crate::scalar::regexp::{Pattern, of_like};

/// How deep the parser may recurse.
const RECURSION_MAX: usize = 256;
/// Most words and signs of a condition, constants and commas apart: chains of operators become trees as deep.
const WORDS_MAX: usize = 4096;

/// SQL of conditions: names may begin with `$`, and are quoted with double quotes.
#[derive(Debug)]
struct ConditionDialect;

impl Dialect for ConditionDialect {
    fn is_delimited_identifier_start(&self, letter: char) -> bool {
        letter == '"'
    }

    fn is_identifier_start(&self, letter: char) -> bool {
        letter.is_alphabetic() || letter == '_' || letter == '$'
    }

    fn is_identifier_part(&self, letter: char) -> bool {
        letter.is_alphanumeric() || letter == '_' || letter == '$'
    }
}

/// Reads a condition.
///
/// # Errors
/// When it does not follow the syntax, or asks what records cannot answer.
pub(crate) fn parse(text: &str) -> Result<JsonCondition, String> {
    let wrong =
        |detail: String| format!("the JSON_MATCH condition `{}` is not valid: {detail}", shortened(text));
    let tokens = Tokenizer::new(&ConditionDialect, text).tokenize_with_location();
    let tokens = tokens.map_err(|error| wrong(error.to_string()))?;
    let is_word = |token: &Token| {
        !matches!(
            token,
            Token::Whitespace(_) | Token::Comma | Token::Number(..) | Token::SingleQuotedString(_)
        )
    };
    if tokens.iter().filter(|token| is_word(&token.token)).count() > WORDS_MAX {
        return Err(format!("a JSON_MATCH condition has {WORDS_MAX} words and signs at most"));
    }
    let mut parser =
        Parser::new(&ConditionDialect).with_recursion_limit(RECURSION_MAX).with_tokens_with_locations(tokens);
    let expr = parser.parse_expr().map_err(|error| wrong(plain(&error)))?;
    let next = parser.peek_token();
    if next.token != Token::EOF {
        let at = next.span.start;
        return Err(wrong(format!("`{next}` is not expected at line {}, column {}", at.line, at.column)));
    }
    read(&expr).map_err(wrong)
}

fn plain(error: &ParserError) -> String {
    let text = error.to_string();
    text.strip_prefix("sql parser error: ").unwrap_or(&text).to_owned()
}

fn read(expr: &Expr) -> Result<JsonCondition, String> {
    match expr {
        Expr::Nested(inner) => read(inner),
        // That a key is missing is a fact of the document, not of one of its records.
        Expr::IsNull(path) => Ok(JsonCondition { test: key_test(path, KeyTest::Exists)?, negated: true }),
        other => Ok(JsonCondition { test: test(other)?, negated: false }),
    }
}

fn test(expr: &Expr) -> Result<JsonTest, String> {
    match expr {
        Expr::Nested(inner) | Expr::IsTrue(inner) => test(inner),
        Expr::BinaryOp { op: BinaryOperator::And, .. } => {
            let mut parts = Vec::new();
            chain(expr, &BinaryOperator::And, &mut parts)?;
            Ok(JsonTest::All(parts))
        }
        Expr::BinaryOp { op: BinaryOperator::Or, .. } => {
            let mut parts = Vec::new();
            chain(expr, &BinaryOperator::Or, &mut parts)?;
            Ok(JsonTest::Any(parts))
        }
        Expr::BinaryOp { left, op, right } => compared(left, op, &literal(right)?),
        Expr::InList { expr: path, list, negated } => {
            let values: Result<Vec<String>, String> =
                list.iter().map(|value| Ok(literal(value)?.text)).collect();
            key_test(path, if *negated { KeyTest::NoneOf(values?) } else { KeyTest::OneOf(values?) })
        }
        Expr::Between { expr: path, negated: false, low, high } => {
            let (low, high) = (literal(low)?, literal(high)?);
            range(path, low.number, Some((low, true)), Some((high, true)))
        }
        Expr::Like { negated: false, any: false, expr: path, pattern, escape_char: None } => {
            let pattern = Pattern::compile(&of_like(&literal(pattern)?.text), true)?;
            key_test(path, KeyTest::Holds(Arc::new(Regexp(pattern))))
        }
        Expr::IsNotNull(path) => key_test(path, KeyTest::Exists),
        Expr::IsNull(path) => Err(format!(
            "`{path} IS NULL` cannot be part of another condition: write it as a JSON_MATCH of its own"
        )),
        Expr::Function(function) => {
            let arguments = arguments(&function.args)?;
            let name = function.name.to_string().replace('_', "");
            match arguments[..] {
                [path, pattern] if name.eq_ignore_ascii_case("regexplike") => regexp(path, pattern, None),
                [path, pattern, way] if name.eq_ignore_ascii_case("regexplike") => {
                    regexp(path, pattern, Some(way))
                }
                _ => Err(format!(
                    "`{expr}` is no condition on a path: only REGEXP_LIKE(path, 'pattern') is a function here"
                )),
            }
        }
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => {
            key_test(expr, KeyTest::OneOf(vec!["true".to_owned()]))
        }
        other => Err(format!(
            "`{other}` cannot be asked of JSON: write =, !=, <, <=, >, >=, BETWEEN, IN, NOT IN, LIKE, REGEXP_LIKE, \
             IS NULL or IS NOT NULL, joined by AND and OR; NOT goes before JSON_MATCH"
        )),
    }
}

fn chain(expr: &Expr, wanted: &BinaryOperator, parts: &mut Vec<JsonTest>) -> Result<(), String> {
    // Chains lean to the left, so a loop goes down them.
    let (mut rest, mut sides) = (expr, Vec::new());
    while let Expr::BinaryOp { left, op, right } = rest
        && op == wanted
    {
        sides.push(&**right);
        rest = left;
    }
    sides.push(rest);
    for side in sides.into_iter().rev() {
        parts.push(test(side)?);
    }
    Ok(())
}

fn compared(path: &Expr, op: &BinaryOperator, value: &Constant) -> Result<JsonTest, String> {
    let bound = |with| Some((value.clone(), with));
    match op {
        BinaryOperator::Eq => key_test(path, KeyTest::OneOf(vec![value.text.clone()])),
        BinaryOperator::NotEq => key_test(path, KeyTest::NoneOf(vec![value.text.clone()])),
        BinaryOperator::Gt => range(path, value.number, bound(false), None),
        BinaryOperator::GtEq => range(path, value.number, bound(true), None),
        BinaryOperator::Lt => range(path, value.number, None, bound(false)),
        BinaryOperator::LtEq => range(path, value.number, None, bound(true)),
        other => Err(format!("`{other}` does not compare values of JSON")),
    }
}

fn key_test(path: &Expr, test: KeyTest) -> Result<JsonTest, String> {
    let path = match path {
        Expr::Identifier(name) => name.value.clone(),
        Expr::CompoundIdentifier(names) => {
            names.iter().map(|name| name.value.as_str()).collect::<Vec<_>>().join(".")
        }
        Expr::Nested(inner) => return key_test(inner, test),
        other => {
            return Err(format!(
                "a path is wanted in place of `{other}`: write it in double quotes, as \"$.a.b\""
            ));
        }
    };
    Ok(JsonTest::Key { key: FlatKey::parse(&path)?, test })
}

/// A constant: its text, and whether it was written as a number.
#[derive(Debug, Clone)]
struct Constant {
    text: String,
    number: bool,
}

fn literal(expr: &Expr) -> Result<Constant, String> {
    let text = |text: &str| Ok(Constant { text: text.to_owned(), number: false });
    let wrong = || Err(format!("a constant is wanted in place of `{expr}`"));
    match expr {
        Expr::Nested(inner) => literal(inner),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr: inner } => {
            let constant = literal(inner)?;
            match constant.number {
                true => Ok(Constant { text: format!("-{}", constant.text), number: true }),
                false => wrong(),
            }
        }
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => {
                let is_whole = digits.bytes().all(|digit| digit.is_ascii_digit());
                let text = match digits.parse() {
                    Ok(double) if !is_whole => format_double(double),
                    _ => digits.clone(),
                };
                Ok(Constant { text, number: true })
            }
            Value::Boolean(truth) => text(if *truth { "true" } else { "false" }),
            other => match other.clone().into_string() {
                Some(string) => text(&string),
                None => wrong(),
            },
        },
        _ => wrong(),
    }
}

fn range(
    path: &Expr,
    numeric: bool,
    low: Option<(Constant, bool)>,
    high: Option<(Constant, bool)>,
) -> Result<JsonTest, String> {
    let test: Arc<dyn ValueTest> = match numeric {
        true => {
            let number = |bound: (Constant, bool)| match number_of(&bound.0.text) {
                Some(number) => Ok((number, bound.1)),
                None => Err(format!("'{}' is no number", bound.0.text)),
            };
            Arc::new(NumberRange { low: low.map(number).transpose()?, high: high.map(number).transpose()? })
        }
        false => {
            let text = |bound: (Constant, bool)| (bound.0.text, bound.1);
            Arc::new(TextRange { low: low.map(text), high: high.map(text) })
        }
    };
    key_test(path, KeyTest::Holds(test))
}

fn number_of(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

/// Numbers between two bounds, each with whether it is one of them. What is no number lies outside.
#[derive(Debug)]
struct NumberRange {
    low: Option<(f64, bool)>,
    high: Option<(f64, bool)>,
}

impl ValueTest for NumberRange {
    fn holds(&self, value: &str) -> Result<bool, String> {
        let Some(number) = number_of(value) else { return Ok(false) };
        let above = self.low.is_none_or(|(low, with)| number > low || (with && number == low));
        Ok(above && self.high.is_none_or(|(high, with)| number < high || (with && number == high)))
    }
}

/// Texts between two bounds, each with whether it is one of them.
#[derive(Debug)]
struct TextRange {
    low: Option<(String, bool)>,
    high: Option<(String, bool)>,
}

impl ValueTest for TextRange {
    fn holds(&self, value: &str) -> Result<bool, String> {
        let above = |(low, with): &(String, bool)| value > low.as_str() || (*with && value == low);
        let below = |(high, with): &(String, bool)| value < high.as_str() || (*with && value == high);
        Ok(self.low.as_ref().is_none_or(above) && self.high.as_ref().is_none_or(below))
    }
}

/// Texts that a pattern matches as a whole.
#[derive(Debug)]
struct Regexp(Pattern);

impl ValueTest for Regexp {
    fn holds(&self, value: &str) -> Result<bool, String> {
        self.0.is_in(value).map_err(|fault| fault.to_string())
    }
}

fn regexp(path: &Expr, pattern: &Expr, way: Option<&Expr>) -> Result<JsonTest, String> {
    let any_case = match way.map(literal).transpose()?.map(|way| way.text).as_deref() {
        None | Some("c") => false,
        Some("i") => true,
        Some(other) => return Err(format!("'{other}' is no way to match: write 'c' or 'i'")),
    };
    let pattern = literal(pattern)?.text;
    // A pattern by itself, so that what it lacks is not found in the frame around it.
    Pattern::compile(&pattern, any_case)?;
    let whole = Pattern::compile(&format!("\\A(?:{pattern})\\z"), any_case)?;
    key_test(path, KeyTest::Holds(Arc::new(Regexp(whole))))
}

fn arguments(of: &FunctionArguments) -> Result<Vec<&Expr>, String> {
    let FunctionArguments::List(list) = of else { return Ok(Vec::new()) };
    list.args
        .iter()
        .map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Ok(expr),
            other => Err(format!("`{other}` is no argument of a function here")),
        })
        .collect()
}
