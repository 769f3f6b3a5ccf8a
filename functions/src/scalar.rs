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
pub(crate) mod hash;
mod id_sets;
mod ip;
mod json;
mod logic;
mod regexp;
mod sketches;
mod text;
mod url;
mod vector;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::DataType;
use datafusion::functions::{core, string};
use datafusion::logical_expr::ScalarUDF;

pub use self::function::ArrayUse;
pub(crate) use self::geo::union as geo_union;
pub(crate) use self::json::condition as json_condition;
pub use self::text::matching::{TextQueryFault, text_query};
use crate::bounded::BoundedText;
use crate::canonical;
use crate::description::FunctionDescription;
use crate::multi_value::{AnyElement, ElementTest};

/// A function of our own.
struct Own {
    planned: Arc<ScalarUDF>,
    description: FunctionDescription,
    /// The type of its results, where its arguments do not matter.
    result: Option<DataType>,
    array_use: ArrayUse,
}

/// All functions of our own as DataFusion plans them, and what they are.
static OWN: LazyLock<Vec<Own>> = LazyLock::new(|| {
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
        id_sets::functions(),
        sketches::functions(),
    ];
    let functions = themes.into_iter().flatten();
    let own = functions.map(|function| Own {
        description: function.description,
        result: function.settled_type(),
        array_use: function.array_use(),
        planned: Arc::new(function.planned()),
    });
    own.collect()
});

/// Returns what each of them is.
pub(crate) fn descriptions() -> impl Iterator<Item = &'static FunctionDescription> {
    OWN.iter().map(|own| &own.description)
}

/// Returns the types of results that do not depend on arguments, by canonical name.
pub(crate) fn result_types() -> HashMap<String, DataType> {
    let mut types = HashMap::new();
    for own in OWN.iter() {
        let Some(result) = &own.result else { continue };
        for name in std::iter::once(&own.description.name).chain(own.description.aliases) {
            types.insert(canonical(name), result.clone());
        }
    }
    types
}

/// Returns what functions have to do with arrays, by canonical name.
pub(crate) fn array_uses() -> HashMap<String, ArrayUse> {
    let mut uses = HashMap::new();
    for own in OWN.iter() {
        for name in std::iter::once(&own.description.name).chain(own.description.aliases) {
            uses.insert(canonical(name), own.array_use);
        }
    }
    uses
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
    add(&["$ago"], Arc::new(date_time::ago().planned()));
    for own in OWN.iter() {
        for name in std::iter::once(&own.description.name).chain(own.description.aliases) {
            map.insert(canonical(name), Arc::clone(&own.planned));
        }
    }
    map
}
