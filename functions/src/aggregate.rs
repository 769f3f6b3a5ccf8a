//! Functions of many rows' values.
//!
//! Where DataFusion's own means the same as Pinot's it is taken. All others are [`Definition`]s: one theme a module, each a
//! [`computation::Computation`] that knows one group.

mod arrays;
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
mod sketches;
mod udaf;
mod with_time;

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::functions_aggregate as aggregate;
use datafusion::logical_expr::AggregateUDF;

pub use self::empty::empty_value;
use self::udaf::{Definition, PinotAggregate};
use crate::canonical;
use crate::description::FunctionDescription;

/// All aggregates of ours, theme by theme.
static THEMES: [&[Definition]; 12] = [
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
];

/// Returns what each aggregate of ours is.
pub(crate) fn descriptions() -> impl Iterator<Item = &'static FunctionDescription> {
    THEMES.iter().flat_map(|theme| theme.iter()).map(|definition| &definition.description)
}

/// Returns all of them by canonical name.
pub(crate) fn all() -> HashMap<String, Arc<AggregateUDF>> {
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
    for definition in THEMES.iter().flat_map(|theme| theme.iter()) {
        let function = Arc::new(AggregateUDF::new_from_impl(PinotAggregate::new(definition)));
        let FunctionDescription { name, aliases, .. } = definition.description;
        for name in aliases.iter().chain([&name]) {
            map.insert(canonical(name), Arc::clone(&function));
        }
    }
    map
}
