//! The functions that queries may call, found by Pinot's rules: case and underscores do not matter.
//!
//! This map is an allow-list. A function of DataFusion is in it only when it means the same as Pinot's of that name;
//! functions that make large text from small are bounded (`bounded`); functions that are a shape of SQL rather than a
//! computation (`distinctCount`, `now`, `add`) are rewritten by the dialect and need no entry.

mod aggregate;
mod bounded;
mod description;
mod id_set;
pub mod monotonic;
pub mod multi_value;
mod time;
mod scalar;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::functions_window as window;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};

use meunier_segment::json_flat::JsonCondition;

pub use aggregate::empty_value;
pub use description::{FunctionDescription, FunctionGroup};
pub use id_set::{Id, IdSet};
pub use scalar::{ArrayUse, TextQueryFault, text_query};
pub use time::period::period_ms;

/// Reads the condition of a JSON_MATCH.
///
/// # Errors
/// Says what is wrong with it.
pub fn json_condition(text: &str) -> Result<JsonCondition, String> {
    scalar::json_condition(text)
}

/// Returns hashes of values, one for each, for an aggregate that takes them as its first argument in the values' place:
/// whoever has a dictionary hashes each value once, however many rows it stands in. Nothing for other aggregates.
///
/// # Errors
/// When the values have a type that no column has.
pub fn hashes_for(aggregate: &str, values: &ArrayRef) -> datafusion::error::Result<Option<ArrayRef>> {
    aggregate::hashes_for(&canonical(aggregate), values)
}

/// Names that the dialect rewrites, so that they exist without an entry of their own.
const REWRITTEN: [&str; 40] = [
    "add",
    "plus",
    "sub",
    "minus",
    "mult",
    "times",
    "div",
    "divide",
    "mod",
    "equals",
    "notequals",
    "greaterthan",
    "greaterthanorequal",
    "lessthan",
    "lessthanorequal",
    "isnull",
    "isnotnull",
    "distinctcount",
    "distinctcountbitmap",
    "distinctcounthll",
    "distinctcounthllplus",
    "distinctcountull",
    "distinctcountoffheap",
    "distinctcountsmarthll",
    "distinctsum",
    "distinctavg",
    "minmaxrange",
    "now",
    "ago",
    "unnest",
    "casewhen",
    "insubquery",
    "inpartitionedsubquery",
    "lookup",
    "steps",
    "correlateby",
    "settings",
    "neg",
    "negate",
    "like",
];

/// All functions by canonical name.
#[derive(Debug)]
pub struct Functions {
    scalars: HashMap<String, Arc<ScalarUDF>>,
    aggregates: HashMap<String, Arc<AggregateUDF>>,
    windows: HashMap<String, Arc<WindowUDF>>,
    /// What scalar functions give whose results have one type, whatever their arguments.
    result_types: HashMap<String, DataType>,
    array_uses: HashMap<String, ArrayUse>,
    /// Names that a query may call; the maps also know the names that functions have inside.
    callable: BTreeSet<String>,
}

impl Functions {
    /// Returns all functions.
    pub fn load() -> Functions {
        let (mut scalars, mut aggregates, windows) = (scalar::all(), aggregate::all(), windows());
        let own = scalars.keys().chain(aggregates.keys()).chain(windows.keys()).map(String::as_str);
        let callable =
            own.filter(|name| !name.starts_with('$')).chain(REWRITTEN).map(str::to_owned).collect();
        let inner: Vec<_> =
            scalars.values().map(|function| (canonical(function.name()), Arc::clone(function))).collect();
        inner.into_iter().for_each(|(name, function)| {
            scalars.entry(name).or_insert(function);
        });
        let inner: Vec<_> =
            aggregates.values().map(|function| (canonical(function.name()), Arc::clone(function))).collect();
        inner.into_iter().for_each(|(name, function)| {
            aggregates.entry(name).or_insert(function);
        });
        Functions {
            scalars,
            aggregates,
            windows,
            result_types: scalar::result_types(),
            array_uses: scalar::array_uses(),
            callable,
        }
    }

    /// Returns the scalar function of a name.
    pub fn scalar(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.scalars.get(&canonical(name)).cloned()
    }

    /// Returns the aggregate of a name.
    pub fn aggregate(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.aggregates.get(&canonical(name)).cloned()
    }

    /// Returns the window function of a name.
    pub fn window(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.windows.get(&canonical(name)).cloned()
    }

    /// Returns the type of a scalar function's results, where its arguments do not matter.
    pub fn result_type(&self, name: &str) -> Option<&DataType> {
        self.result_types.get(&canonical(name))
    }

    /// Returns what a scalar function has to do with arrays.
    pub fn array_use(&self, name: &str) -> ArrayUse {
        self.array_uses.get(&canonical(name)).copied().unwrap_or(ArrayUse::None)
    }

    /// Returns the name that a function has inside, or nothing for one that the dialect rewrites.
    ///
    /// A call by any other name is planned as a call with an alias, and the type of aliases inside each other takes time
    /// that doubles with each.
    pub fn inner_name(&self, name: &str) -> Option<String> {
        let scalar = self.scalar(name).map(|function| function.name().to_owned());
        scalar.or_else(|| self.aggregate(name).map(|function| function.name().to_owned()))
    }

    /// Returns whether a query may call this name.
    pub fn exists(&self, name: &str) -> bool {
        let name = canonical(name);
        self.callable.contains(&name)
            || percentile_suffix(&name).is_some_and(|(base, _)| self.callable.contains(&base))
    }

    /// Returns all canonical names that a query may call, in order: of two that are as near to a slip, the same is suggested
    /// every time.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.callable.iter().map(String::as_str)
    }
}

/// Returns what each function is, in the order of the reference.
pub fn descriptions() -> impl Iterator<Item = &'static FunctionDescription> {
    scalar::descriptions().chain(aggregate::descriptions())
}

/// Takes the percentile out of a name such as `percentileTDigest99MV`: returns the function's canonical name and the
/// percentile.
pub fn percentile_suffix(name: &str) -> Option<(String, u32)> {
    let name = canonical(name);
    let (stem, of_elements) = name.strip_suffix("mv").map_or((&*name, ""), |stem| (stem, "mv"));
    let base = stem.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let percentile = stem[base.len()..].parse().ok().filter(|&percentile| percentile <= 100)?;
    base.starts_with("percentile").then(|| (format!("{base}{of_elements}"), percentile))
}

/// Returns the name under which a function is found: lower case, no underscores.
pub fn canonical(name: &str) -> String {
    name.chars().filter(|letter| *letter != '_').flat_map(char::to_lowercase).collect()
}

fn windows() -> HashMap<String, Arc<WindowUDF>> {
    let functions = window::all_default_window_functions();
    functions.into_iter().map(|function| (canonical(function.name()), function)).collect()
}
