//! The aggregates of DataFusion that mean what Pinot's of the same name mean.

use std::sync::Arc;

use datafusion::functions_aggregate as aggregate;
use datafusion::logical_expr::AggregateUDF;

use super::udaf::Definition;
use crate::description::FunctionDescription;

/// An aggregate of DataFusion under Pinot's name.
pub(crate) struct BuiltIn {
    pub(crate) description: FunctionDescription,
    pub(crate) function: fn() -> Arc<AggregateUDF>,
}

const fn built_in(
    name: &'static str,
    aliases: &'static [&'static str],
    signature: &'static str,
    text: &'static str,
    function: fn() -> Arc<AggregateUDF>,
) -> BuiltIn {
    BuiltIn { description: Definition::describe(name, aliases, signature, text), function }
}

/// All of them.
pub(crate) static ALL: [BuiltIn; 18] = [
    built_in(
        "count",
        &[],
        "count(*) or count(column)",
        "How many rows there are",
        aggregate::count::count_udaf,
    ),
    built_in("sum", &[], "sum(column)", "The sum of the values", aggregate::sum::sum_udaf),
    built_in("min", &[], "min(column)", "The smallest value", aggregate::min_max::min_udaf),
    built_in("max", &[], "max(column)", "The largest value", aggregate::min_max::max_udaf),
    built_in("avg", &[], "avg(column)", "The mean of the values", aggregate::average::avg_udaf),
    built_in("anyValue", &[], "anyValue(column)", "Any of the values", aggregate::any_value::any_value_udaf),
    built_in(
        "boolAnd",
        &[],
        "boolAnd(condition)",
        "Whether it is true for every row",
        aggregate::bool_and_or::bool_and_udaf,
    ),
    built_in(
        "boolOr",
        &[],
        "boolOr(condition)",
        "Whether it is true for any row",
        aggregate::bool_and_or::bool_or_udaf,
    ),
    built_in(
        "varPop",
        &[],
        "varPop(column)",
        "The variance of all values",
        aggregate::variance::var_pop_udaf,
    ),
    built_in(
        "varSamp",
        &["variance"],
        "varSamp(column)",
        "The variance of a sample",
        aggregate::variance::var_samp_udaf,
    ),
    built_in(
        "stdDevPop",
        &[],
        "stdDevPop(column)",
        "The standard deviation of all values",
        aggregate::stddev::stddev_pop_udaf,
    ),
    built_in(
        "stdDevSamp",
        &["stdDev"],
        "stdDevSamp(column)",
        "The standard deviation of a sample",
        aggregate::stddev::stddev_udaf,
    ),
    built_in(
        "covarPop",
        &[],
        "covarPop(x, y)",
        "The covariance of all pairs",
        aggregate::covariance::covar_pop_udaf,
    ),
    built_in(
        "covarSamp",
        &[],
        "covarSamp(x, y)",
        "The covariance of a sample of pairs",
        aggregate::covariance::covar_samp_udaf,
    ),
    built_in("corr", &[], "corr(x, y)", "The correlation of pairs", aggregate::correlation::corr_udaf),
    built_in(
        "grouping",
        &[],
        "grouping(key)",
        "Whether a row of GROUPING SETS sums a key up",
        aggregate::grouping::grouping_udaf,
    ),
    built_in(
        "firstValue",
        &[],
        "firstValue(column)",
        "The first value in a window",
        aggregate::first_last::first_value_udaf,
    ),
    built_in(
        "lastValue",
        &[],
        "lastValue(column)",
        "The last value in a window",
        aggregate::first_last::last_value_udaf,
    ),
];
