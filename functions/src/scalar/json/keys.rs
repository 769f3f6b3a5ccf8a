//! `jsonExtractKey`: the paths of what a path leads to.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::path::Path;
use super::walk::trace;
use crate::description::FunctionGroup::Json as Group;
use crate::scalar::call::{Call, Fault};
use crate::scalar::function::{Function, Gives, Overload};
use crate::scalar::kind::{Kind, Scalar, array_of, shortened};
use crate::scalar::sink::{check_value, collect};
use crate::time::unit::unknown;

const TEXT: Kind = Kind::One(Scalar::Text);

pub(super) fn functions() -> Vec<Function> {
    vec![Function::new(
        Group,
        &["jsonExtractKey"],
        "jsonExtractKey(json, path[, options])",
        "The paths of all that a path leads to; options are `maxDepth=2;dotNotation=true`.",
        [Overload::new(&[TEXT, TEXT, TEXT], Gives::Type(array_of(DataType::Utf8)), keys).required(2)],
    )]
}

struct Options {
    depth_max: usize,
    dots: bool,
}

fn options(text: &str) -> Result<Options, String> {
    let mut options = Options { depth_max: usize::MAX, dots: false };
    for pair in text.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, value) =
            pair.split_once('=').ok_or_else(|| format!("'{}' is no option", shortened(pair)))?;
        match name.trim().to_ascii_lowercase().as_str() {
            "maxdepth" => {
                let depth: i64 =
                    value.trim().parse().map_err(|_| format!("'{}' is no depth", shortened(value)))?;
                // A negative depth is none.
                options.depth_max = usize::try_from(depth).unwrap_or(usize::MAX);
            }
            "dotnotation" => options.dots = value.trim().eq_ignore_ascii_case("true"),
            _ => return Err(unknown("option", name, ["maxDepth", "dotNotation"])),
        }
    }
    Ok(options)
}

fn path(text: &str) -> Result<Path, String> {
    Path::parse(if text.is_empty() || text == "$.." { "$..**" } else { text })
}

fn keys(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    let mut paths = call.prepared(1, path)?;
    let mut all_options = call.prepared_or(2, Some(""), options)?;
    collect(call.rows, |row| {
        let (Some(json), Some(path), Some(options)) =
            (call.text(0, row), paths.at(row)?, all_options.at(row)?)
        else {
            return Ok(None);
        };
        let (mut keys, mut bytes) = (Vec::new(), 0);
        trace(path, json, |key| {
            if depth(key) <= options.depth_max {
                bytes += key.len();
                // What is too much is told below, and not kept until then.
                if check_value(bytes).is_ok() {
                    keys.push(if options.dots { dotted(key) } else { key.to_owned() });
                }
            }
        })?;
        check_value(bytes)?;
        Ok(Some(keys))
    })
}

/// Returns how many steps a path has.
fn depth(key: &str) -> usize {
    key.matches('[').count()
}

/// Writes `$['a'][0]` as `a.0`.
fn dotted(key: &str) -> String {
    let steps = key.strip_prefix('$').unwrap_or(key).split('[').skip(1);
    let names: Vec<_> = steps.map(|step| step.trim_end_matches(']').trim_matches('\'')).collect();
    names.join(".")
}
