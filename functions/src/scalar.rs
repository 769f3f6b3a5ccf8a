//! Functions of one row's values.

mod call;
mod function;
pub(crate) mod kind;
pub(crate) mod number;
mod rows;
mod sink;

pub(crate) mod date_time;
mod json;
mod regexp;
mod text;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use datafusion::functions::{core, math, string};
use datafusion::logical_expr::ScalarUDF;

use crate::bounded::{BoundedText, Growth};
use crate::canonical;
use crate::description::FunctionDescription;
use crate::multi_value::{AnyElement, ElementTest};

/// All functions of our own as DataFusion plans them, and what they are.
static OWN: LazyLock<Vec<(Arc<ScalarUDF>, FunctionDescription)>> = LazyLock::new(|| {
    let themes = [date_time::functions(), text::functions(), regexp::functions(), json::functions()];
    let functions = themes.into_iter().flatten();
    functions
        .map(|function| (function.description, function))
        .map(|(description, function)| (Arc::new(function.planned()), description))
        .collect()
});

/// Returns what each of them is.
pub(crate) fn descriptions() -> impl Iterator<Item = &'static FunctionDescription> {
    OWN.iter().map(|(_, description)| description)
}

/// Returns all of them by canonical name.
pub(crate) fn all() -> HashMap<String, Arc<ScalarUDF>> {
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
    add(&["coalesce"], core::coalesce());
    add(&["nullif"], core::nullif());
    add(&["least"], core::least());
    add(&["greatest"], core::greatest());
    add(&["$concat"], BoundedText::wrap("$concat", string::concat(), Growth::SumOfArguments, true));
    for test in ElementTest::ALL {
        add(&[test.function_name()], Arc::new(ScalarUDF::new_from_impl(AnyElement::new(test))));
    }
    for (function, description) in OWN.iter() {
        for name in std::iter::once(&description.name).chain(description.aliases) {
            map.insert(canonical(name), Arc::clone(function));
        }
    }
    map
}
