//! The functions that queries may call, found by Pinot's rules: case and underscores do not matter.
//!
//! This map is an allow-list. A function of DataFusion is in it only when it means the same as Pinot's of that name;
//! functions that make large text from small are bounded ([`bounded`]); functions that are a shape of SQL rather than a
//! computation (`distinctCount`, `now`, `add`) are rewritten by the dialect and need no entry.

mod bounded;
pub(crate) mod multi_value;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::functions::{core, math, regex, string, unicode};
use datafusion::functions_aggregate as aggregate;
use datafusion::functions_window as window;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};

use bounded::{BoundedText, Growth};
use multi_value::{AnyElement, ElementTest};

/// Names that the dialect rewrites, so that they exist without an entry of their own.
const REWRITTEN: [&str; 33] = [
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
    "neg",
    "negate",
    "like",
];

/// All functions by canonical name.
#[derive(Debug)]
pub(crate) struct Functions {
    scalars: HashMap<String, Arc<ScalarUDF>>,
    aggregates: HashMap<String, Arc<AggregateUDF>>,
    windows: HashMap<String, Arc<WindowUDF>>,
    /// Names that a query may call; the maps also know the names that functions have inside.
    callable: HashSet<String>,
}

impl Functions {
    /// Returns all functions.
    pub(crate) fn new() -> Functions {
        let (mut scalars, mut aggregates, windows) = (scalars(), aggregates(), windows());
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
        Functions { scalars, aggregates, windows, callable }
    }

    pub(crate) fn scalar(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.scalars.get(&canonical(name)).cloned()
    }

    pub(crate) fn aggregate(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.aggregates.get(&canonical(name)).cloned()
    }

    pub(crate) fn window(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.windows.get(&canonical(name)).cloned()
    }

    /// Returns the name that a function has inside, or nothing for one that the dialect rewrites.
    ///
    /// A call by any other name is planned as a call with an alias, and the type of aliases inside each other takes time
    /// that doubles with each.
    pub(crate) fn inner_name(&self, name: &str) -> Option<String> {
        let scalar = self.scalar(name).map(|function| function.name().to_owned());
        scalar.or_else(|| self.aggregate(name).map(|function| function.name().to_owned()))
    }

    /// Returns whether a query may call this name.
    pub(crate) fn exists(&self, name: &str) -> bool {
        self.callable.contains(&canonical(name))
    }

    /// Returns all canonical names that a query may call.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.callable.iter().map(String::as_str)
    }
}

/// Returns the name under which a function is found: lower case, no underscores.
pub(crate) fn canonical(name: &str) -> String {
    name.chars().filter(|letter| *letter != '_').flat_map(char::to_lowercase).collect()
}

fn scalars() -> HashMap<String, Arc<ScalarUDF>> {
    let mut map = HashMap::new();
    let mut add = |names: &[&str], function: Arc<ScalarUDF>| {
        for name in names {
            map.insert((*name).to_owned(), Arc::clone(&function));
        }
    };
    add(&["abs"], math::abs());
    add(&["ceil", "ceiling"], math::ceil());
    add(&["floor"], math::floor());
    add(&["exp"], math::exp());
    add(&["ln", "log"], math::ln());
    add(&["log2"], math::log2());
    add(&["log10"], math::log10());
    add(&["sqrt"], math::sqrt());
    add(&["cbrt"], math::cbrt());
    add(&["sign"], math::signum());
    add(&["power", "pow"], math::power());
    add(&["sin"], math::sin());
    add(&["cos"], math::cos());
    add(&["tan"], math::tan());
    add(&["cot"], math::cot());
    add(&["asin"], math::asin());
    add(&["acos"], math::acos());
    add(&["atan"], math::atan());
    add(&["atan2"], math::atan2());
    add(&["sinh"], math::sinh());
    add(&["cosh"], math::cosh());
    add(&["tanh"], math::tanh());
    add(&["degrees"], math::degrees());
    add(&["radians"], math::radians());
    add(&["gcd"], math::gcd());
    add(&["lcm"], math::lcm());
    add(&["isnan"], math::isnan());
    add(&["pi"], math::pi());
    add(&["lower"], string::lower());
    add(&["upper"], string::upper());
    add(&["trim", "btrim"], string::btrim());
    add(&["ltrim"], string::ltrim());
    add(&["rtrim"], string::rtrim());
    add(&["startswith"], string::starts_with());
    add(&["endswith"], string::ends_with());
    add(&["contains"], string::contains());
    add(&["levenshteindistance"], string::levenshtein());
    add(&["chr"], string::chr());
    add(&["length", "charlength"], unicode::character_length());
    add(&["reverse"], unicode::reverse());
    add(&["initcap"], unicode::initcap());
    add(&["left", "leftsubstr"], unicode::left());
    add(&["right", "rightsubstr"], unicode::right());
    add(&["regexplike"], regex::regexp_like());
    add(&["coalesce"], core::coalesce());
    add(&["nullif"], core::nullif());
    add(&["least"], core::least());
    add(&["greatest"], core::greatest());
    add(&["concat"], BoundedText::wrap("concat", string::concat(), Growth::SumOfArguments, false));
    add(&["$concat"], BoundedText::wrap("$concat", string::concat(), Growth::SumOfArguments, true));
    add(&["replace"], BoundedText::wrap("replace", string::replace(), Growth::Replacement, false));
    for test in ElementTest::ALL {
        add(&[test.function_name()], Arc::new(ScalarUDF::new_from_impl(AnyElement::new(test))));
    }
    map
}

fn aggregates() -> HashMap<String, Arc<AggregateUDF>> {
    let mut map = HashMap::new();
    let mut add = |names: &[&str], function: Arc<AggregateUDF>| {
        for name in names {
            map.insert((*name).to_owned(), Arc::clone(&function));
        }
    };
    add(&["count"], aggregate::count::count_udaf());
    add(&["sum"], aggregate::sum::sum_udaf());
    add(&["min"], aggregate::min_max::min_udaf());
    add(&["max"], aggregate::min_max::max_udaf());
    add(&["avg"], aggregate::average::avg_udaf());
    add(&["anyvalue"], aggregate::any_value::any_value_udaf());
    add(&["booland"], aggregate::bool_and_or::bool_and_udaf());
    add(&["boolor"], aggregate::bool_and_or::bool_or_udaf());
    add(&["varpop"], aggregate::variance::var_pop_udaf());
    add(&["varsamp", "variance"], aggregate::variance::var_samp_udaf());
    add(&["stddevpop"], aggregate::stddev::stddev_pop_udaf());
    add(&["stddevsamp", "stddev"], aggregate::stddev::stddev_udaf());
    add(&["covarpop"], aggregate::covariance::covar_pop_udaf());
    add(&["covarsamp"], aggregate::covariance::covar_samp_udaf());
    add(&["corr"], aggregate::correlation::corr_udaf());
    add(&["grouping"], aggregate::grouping::grouping_udaf());
    add(&["firstvalue"], aggregate::first_last::first_value_udaf());
    add(&["lastvalue"], aggregate::first_last::last_value_udaf());
    map
}

fn windows() -> HashMap<String, Arc<WindowUDF>> {
    let functions = window::all_default_window_functions();
    functions.into_iter().map(|function| (canonical(function.name()), function)).collect()
}
