//! `jsonPath…`: what a path leads to, by the function's own type.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::node::Node;
use super::path::Path;
use super::walk::{Matches, Trouble, find};
use crate::description::FunctionGroup::Json as Group;
use crate::scalar::call::{Call, Fault};
use crate::scalar::function::{Function, Gives, Overload};
use crate::scalar::kind::{Kind, Scalar, array_of};
use crate::scalar::number::{double_to_long, parse_double};
use crate::scalar::rows::fault;
use crate::scalar::sink::{Json, Output, collect};

const TEXT: Kind = Kind::One(Scalar::Text);

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            Group,
            &["jsonPath"],
            "jsonPath(json, path)",
            "What a path leads to, as JSON; null where it leads nowhere.",
            [Overload::new(&[TEXT, TEXT], Gives::Json, |call| {
                strictly(call, |found| found.json().map(Json))
            })],
        ),
        Function::new(
            Group,
            &["jsonPathString"],
            "jsonPathString(json, path[, default])",
            "What a path leads to as a text, else the default; without one null, and an error for what is no JSON.",
            [
                Overload::new(&[TEXT, TEXT], Gives::Type(DataType::Utf8), |call| {
                    strictly(call, |found| value(found, |node| Some(node.text().into_owned())))
                }),
                Overload::new(&[TEXT, TEXT, TEXT], Gives::Type(DataType::Utf8), |call| string(call, false)),
            ],
        ),
        Function::new(
            Group,
            &["jsonPathStringFast", "jsonPathStringFory"],
            "jsonPathStringFast(json, path, default)",
            "What a path leads to as a text, else the default.",
            [Overload::new(&[TEXT, TEXT, TEXT], Gives::Type(DataType::Utf8), |call| string(call, false))],
        ),
        Function::new(
            Group,
            &["jsonPathStringFirstMatch"],
            "jsonPathStringFirstMatch(json, path, default)",
            "The same; of equal names in an object the first counts.",
            [Overload::new(&[TEXT, TEXT, TEXT], Gives::Type(DataType::Utf8), |call| string(call, true))],
        ),
        Function::new(
            Group,
            &["jsonPathLong", "jsonPathLongFast", "jsonPathLongFory"],
            "jsonPathLong(json, path[, default])",
            "What a path leads to as a LONG, else the default, or the smallest LONG.",
            [Overload::new(&[TEXT, TEXT, LONG], Gives::Type(DataType::Int64), |call| long(call, false))
                .required(2)],
        ),
        Function::new(
            Group,
            &["jsonPathLongFirstMatch"],
            "jsonPathLongFirstMatch(json, path, default)",
            "The same; of equal names in an object the first counts.",
            [Overload::new(&[TEXT, TEXT, LONG], Gives::Type(DataType::Int64), |call| long(call, true))],
        ),
        Function::new(
            Group,
            &["jsonPathDouble", "jsonPathDoubleFast", "jsonPathDoubleFory"],
            "jsonPathDouble(json, path[, default])",
            "What a path leads to as a DOUBLE, else the default, or NaN.",
            [Overload::new(&[TEXT, TEXT, DOUBLE], Gives::Type(DataType::Float64), |call| {
                double(call, false)
            })
            .required(2)],
        ),
        Function::new(
            Group,
            &["jsonPathDoubleFirstMatch"],
            "jsonPathDoubleFirstMatch(json, path, default)",
            "The same; of equal names in an object the first counts.",
            [Overload::new(&[TEXT, TEXT, DOUBLE], Gives::Type(DataType::Float64), |call| double(call, true))],
        ),
        Function::new(
            Group,
            &["jsonPathArray"],
            "jsonPathArray(json, path)",
            "The values that a path leads to, as texts; null where it leads nowhere.",
            [Overload::new(&[TEXT, TEXT], Gives::Type(array_of(DataType::Utf8)), |call| {
                strictly(call, texts)
            })],
        ),
        Function::new(
            Group,
            &["jsonPathArrayDefaultEmpty"],
            "jsonPathArrayDefaultEmpty(json, path)",
            "The values that a path leads to, as texts; no values where it leads nowhere.",
            [Overload::new(&[TEXT, TEXT], Gives::Type(array_of(DataType::Utf8)), |call| {
                leniently(call, false, texts, |_| Ok(Some(Vec::new())))
            })],
        ),
        Function::new(
            Group,
            &["jsonPathExists"],
            "jsonPathExists(json, path)",
            "Whether a path leads to something.",
            [Overload::new(&[TEXT, TEXT], Gives::Type(DataType::Boolean), |call| {
                leniently(call, false, |found| found.json().map(|_| true), |_| Ok(Some(false)))
            })],
        ),
    ]
}

const LONG: Kind = Kind::One(Scalar::Long);
const DOUBLE: Kind = Kind::One(Scalar::Double);

/// Null where the document is; an error where it is no JSON.
fn strictly<T: Output>(
    call: &Call<'_>,
    convert: impl Fn(Matches<'_>) -> Option<T>,
) -> Result<ArrayRef, Fault> {
    let mut paths = call.prepared(1, Path::parse)?;
    collect(call.rows, |row| {
        let (Some(json), Some(path)) = (call.text(0, row), paths.at(row)?) else { return Ok(None) };
        match find(path, json, false) {
            Ok(found) => Ok(convert(found)),
            Err(Trouble::NoJson) => fault("a document is no JSON"),
            Err(Trouble::TooMuch(fault)) => Err(fault),
        }
    })
}

/// The default where the document is null or no JSON, or the path leads nowhere.
fn leniently<T: Output>(
    call: &Call<'_>,
    first_of_equals: bool,
    convert: impl Fn(Matches<'_>) -> Option<T>,
    default: impl Fn(usize) -> Result<Option<T>, Fault>,
) -> Result<ArrayRef, Fault> {
    let mut paths = call.prepared(1, Path::parse)?;
    collect(call.rows, |row| {
        let Some(path) = paths.at(row)? else { return Ok(None) };
        let found = match call.text(0, row).map(|json| find(path, json, first_of_equals)) {
            Some(Ok(found)) => Some(found),
            Some(Err(Trouble::TooMuch(fault))) => return Err(fault),
            Some(Err(Trouble::NoJson)) | None => None,
        };
        match found.and_then(&convert) {
            Some(value) => Ok(Some(value)),
            None => default(row),
        }
    })
}

fn value<T>(found: Matches<'_>, convert: impl Fn(&Node<'_>) -> Option<T>) -> Option<T> {
    match found {
        Matches::One(found) => {
            found.map(Node::of).filter(|node| *node != Node::Null).and_then(|node| convert(&node))
        }
        other => other.json().and_then(|json| convert(&Node::of(&json))),
    }
}

fn texts(found: Matches<'_>) -> Option<Vec<String>> {
    Some(found.elements()?.iter().map(|node| node.text().into_owned()).collect())
}

fn string(call: &Call<'_>, first_of_equals: bool) -> Result<ArrayRef, Fault> {
    leniently(
        call,
        first_of_equals,
        |found| value(found, |node| Some(node.text().into_owned())),
        |row| Ok(call.text(2, row).map(str::to_owned)),
    )
}

fn long(call: &Call<'_>, first_of_equals: bool) -> Result<ArrayRef, Fault> {
    let whole = |text: &str| text.parse().ok();
    leniently(
        call,
        first_of_equals,
        |found| {
            value(found, |node| match node {
                Node::Number(number) => whole(number).or_else(|| parse_double(number).map(double_to_long)),
                Node::Boolean(value) => Some(i64::from(*value)),
                Node::Text(text) => whole(text),
                Node::Null | Node::Nested(_) => None,
            })
        },
        |row| if call.len() > 2 { Ok(call.long(2, row)) } else { Ok(Some(i64::MIN)) },
    )
}

fn double(call: &Call<'_>, first_of_equals: bool) -> Result<ArrayRef, Fault> {
    leniently(
        call,
        first_of_equals,
        |found| {
            value(found, |node| match node {
                Node::Number(number) => parse_double(number),
                Node::Boolean(value) => Some(f64::from(u8::from(*value))),
                Node::Text(text) => parse_double(text),
                Node::Null | Node::Nested(_) => None,
            })
        },
        |row| if call.len() > 2 { Ok(call.double(2, row)) } else { Ok(Some(f64::NAN)) },
    )
}
