//! Functions of many rows' values.
//!
//! Where DataFusion's own means the same as Pinot's it is taken ([`built_in`]). All others are [`Definition`]s: one theme a
//! module, each a [`computation::Computation`] that knows one group.

mod arrays;
mod built_in;
mod call;
mod cell;
mod collected;
mod columns;
mod computation;
mod counts;
mod empty;
mod exact;
mod folds;
mod funnel;
mod id_set;
mod moments;
mod percentile;
mod precise;
mod serial;
mod shapes;
pub(crate) mod sketches;
mod udaf;
mod with_time;

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::logical_expr::AggregateUDF;

pub use self::empty::empty_value;
pub(crate) use self::sketches::hashes_for;
use self::udaf::{Definition, PinotAggregate};
use crate::canonical;
use crate::description::FunctionDescription;

/// All aggregates of ours, theme by theme.
static THEMES: [&[Definition]; 13] = [
    &percentile::DEFINITIONS,
    &folds::DEFINITIONS,
    &counts::DEFINITIONS,
    &moments::DEFINITIONS,
    &with_time::DEFINITIONS,
    &collected::DEFINITIONS,
    &arrays::DEFINITIONS,
    &precise::DEFINITIONS,
    &sketches::DEFINITIONS,
    &exact::DEFINITIONS,
    &funnel::DEFINITIONS,
    &id_set::DEFINITIONS,
    &shapes::DEFINITIONS,
];

/// Returns what each aggregate is.
pub(crate) fn descriptions() -> impl Iterator<Item = &'static FunctionDescription> {
    let own = THEMES.iter().flat_map(|theme| theme.iter()).map(|definition| &definition.description);
    // What only the dialect calls is described where queries call it.
    let own = own.filter(|description| !description.name.starts_with('$'));
    built_in::ALL.iter().map(|built_in| &built_in.description).chain(own)
}

/// Returns all of them by canonical name.
pub(crate) fn all() -> HashMap<String, Arc<AggregateUDF>> {
    let mut map = HashMap::new();
    let mut add = |description: &FunctionDescription, function: Arc<AggregateUDF>| {
        for name in description.aliases.iter().chain([&description.name]) {
            map.insert(canonical(name), Arc::clone(&function));
        }
    };
    for built_in in &built_in::ALL {
        add(&built_in.description, (built_in.function)());
    }
    for definition in THEMES.iter().flat_map(|theme| theme.iter()) {
        let function = AggregateUDF::new_from_impl(PinotAggregate::new(definition));
        add(&definition.description, Arc::new(function));
    }
    map
}
