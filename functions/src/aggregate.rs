//! Functions of many rows' values.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::functions_aggregate as aggregate;
use datafusion::logical_expr::AggregateUDF;

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
    map
}
