//! `jsonExtractScalar`: what a path leads to, as a value of a type.

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, i256};
use meunier_segment::value::{parse_big_decimal, parse_hex, parse_timestamp};

use super::node::{Node, compact};
use super::path::Path;
use super::walk::{Matches, Trouble, find};
use crate::description::FunctionGroup::Json as Group;
use crate::scalar::call::{Call, Fault};
use crate::scalar::conversion::decoded;
use crate::scalar::function::{Asked, Function, Gives, Overload};
use crate::scalar::kind::{DECIMAL, Kind, Scalar, TIMESTAMP, array_of, shortened};
use crate::scalar::number::{
    double_to_int, double_to_long, long_to_int, parse_boolean, parse_double, parse_float,
};
use crate::scalar::rows::fault;
use crate::scalar::sink::{Json, Millis, Output, collect};
use crate::time::unit::unknown;

const TEXT: Kind = Kind::One(Scalar::Text);

pub(super) fn functions() -> Vec<Function> {
    let extraction = |names, text, first_of_equals: bool| {
        let overload = Overload::new(&[TEXT, TEXT, TEXT, TEXT], Gives::Of(extracted_type), move |call| {
            extract(call, first_of_equals)
        });
        let signature = match first_of_equals {
            true => "jsonExtractScalarFirstMatch(json, path, type[, default])",
            false => "jsonExtractScalar(json, path, type[, default])",
        };
        Function::new(Group, names, signature, text, [overload.required(3)])
    };
    vec![
        extraction(
            &["jsonExtractScalar", "jsonExtractScalarFast", "jsonExtractScalarFory"],
            "What a path leads to as INT, LONG, FLOAT, DOUBLE, BIG_DECIMAL, BOOLEAN, TIMESTAMP, STRING, JSON, BYTES or \
             an array of them, as INT_ARRAY; the default where it leads nowhere, without one an error.",
            false,
        ),
        extraction(
            &["jsonExtractScalarFirstMatch"],
            "The same, where of equal names in an object the first counts.",
            true,
        ),
    ]
}

const TYPES: [(&str, Scalar); 11] = [
    ("INT", Scalar::Int),
    ("LONG", Scalar::Long),
    ("FLOAT", Scalar::Float),
    ("DOUBLE", Scalar::Double),
    ("BIG_DECIMAL", Scalar::Decimal),
    ("BOOLEAN", Scalar::Boolean),
    ("TIMESTAMP", Scalar::Timestamp),
    ("STRING", Scalar::Text),
    ("JSON", Scalar::Text),
    ("BYTES", Scalar::Bytes),
    ("VARCHAR", Scalar::Text),
];

/// What is wanted: a type, whether it is an array, and whether it is JSON.
pub(super) fn wanted(text: &str) -> Result<(Scalar, bool, bool), String> {
    let upper = text.to_ascii_uppercase();
    let (name, array) = upper.strip_suffix("_ARRAY").map_or((upper.as_str(), false), |name| (name, true));
    let known = TYPES.iter().find(|(known, _)| *known == name);
    match known {
        Some((_, scalar)) if !(array && *scalar == Scalar::Bytes) => Ok((*scalar, array, name == "JSON")),
        _ => {
            let arrays = ["INT_ARRAY", "LONG_ARRAY", "FLOAT_ARRAY", "DOUBLE_ARRAY", "STRING_ARRAY"];
            Err(unknown("result type", text, TYPES[..10].iter().map(|known| known.0).chain(arrays)))
        }
    }
}

pub(super) fn extracted_type(asked: &Asked<'_>) -> Result<Gives, Fault> {
    let Some(text) = asked.text(2) else { return fault("the result type is a constant") };
    let (scalar, array, json) = wanted(text)?;
    Ok(match (scalar, array) {
        (_, true) => Gives::Type(array_of(scalar.data_type())),
        (_, false) if json => Gives::Json,
        (Scalar::Decimal, _) => Gives::Type(DECIMAL),
        (Scalar::Timestamp, _) => Gives::Type(TIMESTAMP),
        (Scalar::Boolean, _) => Gives::Type(DataType::Boolean),
        (scalar, _) => Gives::Type(scalar.data_type()),
    })
}

/// A value that JSON can be read as.
pub(super) trait FromNode: Sized {
    fn from_node(node: &Node<'_>) -> Option<Self>;

    /// Reads a default: as a text of JSON would be, except where SQL writes a value in another way.
    fn from_default(text: &str) -> Option<Self> {
        Self::from_node(&Node::Text(text.into()))
    }
}

fn extract(call: &Call<'_>, first_of_equals: bool) -> Result<ArrayRef, Fault> {
    let Some(name) = call.text(2, 0) else { return fault("the result type is a constant") };
    let (scalar, array, json) = wanted(name)?;
    match (scalar, array) {
        (Scalar::Int, false) => one::<i32>(call, first_of_equals),
        (Scalar::Long, false) => one::<i64>(call, first_of_equals),
        (Scalar::Float, false) => one::<f32>(call, first_of_equals),
        (Scalar::Double, false) => one::<f64>(call, first_of_equals),
        (Scalar::Decimal, false) => one::<i256>(call, first_of_equals),
        (Scalar::Boolean, false) => one::<bool>(call, first_of_equals),
        (Scalar::Timestamp, false) => one::<Millis>(call, first_of_equals),
        (Scalar::Text, false) if json => one::<Json>(call, first_of_equals),
        (Scalar::Text, false) => one::<String>(call, first_of_equals),
        (Scalar::Bytes, _) => one::<Vec<u8>>(call, first_of_equals),
        (Scalar::Int, true) => many::<i32>(call, first_of_equals),
        (Scalar::Long, true) => many::<i64>(call, first_of_equals),
        (Scalar::Float, true) => many::<f32>(call, first_of_equals),
        (Scalar::Double, true) => many::<f64>(call, first_of_equals),
        (Scalar::Decimal, true) => many::<i256>(call, first_of_equals),
        (Scalar::Boolean, true) => many::<bool>(call, first_of_equals),
        (Scalar::Timestamp, true) => many::<Millis>(call, first_of_equals),
        (Scalar::Text, true) => many::<String>(call, first_of_equals),
    }
}

fn read<T: FromNode>(node: &Node<'_>) -> Result<T, Fault> {
    match T::from_node(node) {
        Some(value) => Ok(value),
        None => fault(format!("'{}' is no value of the result type", shortened(&node.text()))),
    }
}

/// The default of a row.
fn default<T: FromNode>(call: &Call<'_>, row: usize) -> Result<Option<T>, Fault> {
    let Some(text) = call.text(3, row) else { return Ok(None) };
    match T::from_default(text) {
        Some(value) => Ok(Some(value)),
        None => fault(format!("the default '{}' is no value of the result type", shortened(text))),
    }
}

fn one<T: FromNode + Output>(call: &Call<'_>, first_of_equals: bool) -> Result<ArrayRef, Fault> {
    let mut paths = call.prepared(1, Path::parse)?;
    collect(call.rows, |row| {
        let (Some(json), Some(path)) = (call.text(0, row), paths.at(row)?) else { return Ok(None) };
        let node = match find(path, json, first_of_equals) {
            Ok(Matches::One(found)) => found.map(Node::of).filter(|node| *node != Node::Null),
            Ok(Matches::Made(json)) => return made::<T>(&json).map(Some),
            Ok(found) => match found.json() {
                Some(json) => return made::<T>(&json).map(Some),
                None => None,
            },
            Err(Trouble::NoJson) => None,
            Err(Trouble::TooMuch(fault)) => return Err(fault),
        };
        match node {
            Some(node) => read::<T>(&node).map(Some),
            None if call.len() > 3 => default::<T>(call, row),
            None => fault("the path leads nowhere in some rows; a default may be given as fourth argument"),
        }
    })
}

fn made<T: FromNode>(json: &str) -> Result<T, Fault> {
    read(&Node::of(json))
}

fn many<T: FromNode>(call: &Call<'_>, first_of_equals: bool) -> Result<ArrayRef, Fault>
where
    Vec<T>: Output,
{
    let mut paths = call.prepared(1, Path::parse)?;
    collect(call.rows, |row| {
        let (Some(json), Some(path)) = (call.text(0, row), paths.at(row)?) else { return Ok(None) };
        let elements = match find(path, json, first_of_equals) {
            Ok(found) => found.elements().unwrap_or_default(),
            Err(Trouble::NoJson) => Vec::new(),
            Err(Trouble::TooMuch(fault)) => return Err(fault),
        };
        let mut values = Vec::with_capacity(elements.len());
        for element in elements {
            match element {
                Node::Null => match default(call, row)? {
                    Some(value) => values.push(value),
                    None => {
                        return fault(
                            "an array has a null in some rows; a default may be given as fourth argument",
                        );
                    }
                },
                element => values.push(read(&element)?),
            }
        }
        Ok(Some(values))
    })
}

impl FromNode for i32 {
    fn from_node(node: &Node<'_>) -> Option<i32> {
        match node {
            // Java's narrowing: the low bits of a whole number.
            Node::Number(number) => match number.parse() {
                Ok(whole) => Some(long_to_int(whole)),
                Err(_) => parse_double(number).map(double_to_int),
            },
            Node::Text(text) => crate::scalar::number::parse_int(text.trim()),
            Node::Boolean(value) => Some(i32::from(*value)),
            Node::Null | Node::Nested(_) => None,
        }
    }
}

impl FromNode for i64 {
    fn from_node(node: &Node<'_>) -> Option<i64> {
        match node {
            Node::Number(number) => match number.parse() {
                Ok(whole) => Some(whole),
                Err(_) => parse_double(number).map(double_to_long),
            },
            Node::Text(text) => crate::scalar::number::parse_long(text.trim()),
            Node::Boolean(value) => Some(i64::from(*value)),
            Node::Null | Node::Nested(_) => None,
        }
    }
}

impl FromNode for f32 {
    fn from_node(node: &Node<'_>) -> Option<f32> {
        match node {
            Node::Number(number) => parse_float(number),
            Node::Text(text) => parse_float(text.trim()),
            Node::Boolean(value) => Some(f32::from(u8::from(*value))),
            Node::Null | Node::Nested(_) => None,
        }
    }
}

impl FromNode for f64 {
    fn from_node(node: &Node<'_>) -> Option<f64> {
        match node {
            Node::Number(number) => parse_double(number),
            Node::Text(text) => parse_double(text.trim()),
            Node::Boolean(value) => Some(f64::from(u8::from(*value))),
            Node::Null | Node::Nested(_) => None,
        }
    }
}

impl FromNode for i256 {
    fn from_node(node: &Node<'_>) -> Option<i256> {
        match node {
            Node::Number(number) => parse_big_decimal(number),
            Node::Text(text) => parse_big_decimal(text.trim()),
            Node::Boolean(value) => parse_big_decimal(if *value { "1" } else { "0" }),
            Node::Null | Node::Nested(_) => None,
        }
    }
}

impl FromNode for bool {
    fn from_node(node: &Node<'_>) -> Option<bool> {
        match node {
            Node::Number(number) => parse_double(number).map(|number| number != 0.0),
            Node::Text(text) => Some(parse_boolean(text)),
            Node::Boolean(value) => Some(*value),
            Node::Null | Node::Nested(_) => None,
        }
    }
}

impl FromNode for Millis {
    fn from_node(node: &Node<'_>) -> Option<Millis> {
        match node {
            Node::Text(text) => parse_timestamp(text).map(Millis),
            Node::Number(_) => i64::from_node(node).map(Millis),
            Node::Boolean(_) | Node::Null | Node::Nested(_) => None,
        }
    }
}

impl FromNode for String {
    fn from_node(node: &Node<'_>) -> Option<String> {
        Some(node.text().into_owned())
    }
}

impl FromNode for Json {
    fn from_node(node: &Node<'_>) -> Option<Json> {
        Some(Json(match node {
            Node::Nested(raw) => compact(raw).into_owned(),
            other => other.text().into_owned(),
        }))
    }
}

impl FromNode for Vec<u8> {
    fn from_node(node: &Node<'_>) -> Option<Vec<u8>> {
        match node {
            // JSON has no bytes of its own: Java's libraries write them in Base64.
            Node::Text(text) => decoded(text.as_bytes()).ok(),
            _ => None,
        }
    }

    fn from_default(text: &str) -> Option<Vec<u8>> {
        parse_hex(text.trim())
    }
}
