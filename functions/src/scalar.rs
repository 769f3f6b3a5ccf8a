//! Functions of one row's values.

mod call;
mod function;
pub(crate) mod kind;
pub(crate) mod number;
mod rows;
mod sink;

mod arithmetic;
mod array;
mod conversion;
pub(crate) mod date_time;
mod geo;
mod hash;
mod ip;
mod json;
mod logic;
mod regexp;
mod text;
mod url;
mod vector;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use datafusion::functions::{core, string};
use datafusion::logical_expr::ScalarUDF;

use crate::bounded::BoundedText;
use crate::canonical;
use crate::description::FunctionDescription;
use crate::multi_value::{AnyElement, ElementTest};

/// All functions of our own as DataFusion plans them, and what they are.
static OWN: LazyLock<Vec<(Arc<ScalarUDF>, FunctionDescription)>> = LazyLock::new(|| {
    let themes = [
        date_time::functions(),
        text::functions(),
        regexp::functions(),
        json::functions(),
        arithmetic::functions(),
        logic::functions(),
        vector::functions(),
        array::functions(),
        hash::functions(),
        conversion::functions(),
        url::functions(),
        ip::functions(),
        geo::functions(),
    ];
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
    add(&["coalesce"], core::coalesce());
    add(&["nullif"], core::nullif());
    add(&["least"], core::least());
    add(&["greatest"], core::greatest());
    add(&["$concat"], BoundedText::wrap("$concat", string::concat()));
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
