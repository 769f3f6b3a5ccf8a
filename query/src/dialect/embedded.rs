//! Arguments of aggregates that are more than values: steps of funnels, filters in quotes, an order of their own.
//!
//! Each becomes plain arguments, in the order in which the aggregates take them.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Function, Query, Value, Visit, VisitMut, Visitor};
use meunier_functions::Functions;

use super::aliases::has_aggregate;
use super::syntax::{arguments, constant_text, function_name, is_distinct, number, text, value};
use super::{Units, check_calls};
use crate::error::QueryError;
use crate::statement::{parse_expression, tokens_of};

/// What a funnel's settings may say: how Pinot counts, which changes no exact count.
const FUNNEL_SETTINGS: [&str; 6] =
    ["set", "bitmap", "partitioned", "sorted", "theta_sketch", "nominalentries"];
/// Pinot's names of the counts over sets of filtered rows.
const FILTERED_SKETCHES: [&str; 2] = ["distinctcountthetasketch", "distinctcountrawthetasketch"];

/// Returns the arguments of `funnelCount(STEPS(…), CORRELATE_BY(…)[, SETTINGS(…)])`: how many columns there are, the columns,
/// the conditions.
///
/// # Errors
/// When a part is missing, or is none of these.
pub(super) fn funnel_count(parts: &[Expr]) -> Result<Vec<Expr>, QueryError> {
    let usage = "call it as funnelCount(STEPS(condition, …), CORRELATE_BY(column, …)[, SETTINGS('bitmap')])";
    let (mut steps, mut keys) = (Vec::new(), Vec::new());
    for part in parts {
        let Expr::Function(call) = part else {
            return Err(QueryError::invalid(format!("`{part}` is no part of a funnel; {usage}")));
        };
        let inner = arguments(call).unwrap_or_default();
        match function_name(call).as_str() {
            "steps" => steps = inner,
            "correlateby" => keys = inner,
            "settings" => check_settings(&inner)?,
            _ => return Err(QueryError::invalid(format!("`{part}` is no part of a funnel; {usage}"))),
        }
    }
    if steps.is_empty() || keys.is_empty() {
        return Err(QueryError::invalid(format!(
            "a funnel has steps and columns to tell values apart; {usage}"
        )));
    }
    Ok([number(keys.len())].into_iter().chain(keys).chain(steps).collect())
}

fn check_settings(settings: &[Expr]) -> Result<(), QueryError> {
    for setting in settings {
        let written = constant_text(setting).unwrap_or_default();
        let name = written.split('=').next().unwrap_or_default().trim().to_lowercase();
        if !FUNNEL_SETTINGS.contains(&name.as_str()) {
            return Err(QueryError::invalid(format!(
                "{setting} is no setting of a funnel: write one of {}",
                FUNNEL_SETTINGS.map(|name| format!("'{name}'")).join(", ")
            )));
        }
    }
    Ok(())
}

/// Returns whether a call has filters that are texts.
pub(super) fn has_filters(name: &str, arguments: &[Expr]) -> bool {
    FILTERED_SKETCHES.contains(&name)
        && arguments.len() > 3
        && arguments[2..arguments.len() - 1].iter().any(|filter| constant_text(filter).is_some())
}

/// Writes the filters of a call as the conditions that their texts say. Their names are not resolved.
///
/// # Errors
/// When one is no condition on a row.
pub(super) fn read_filters(arguments: &mut [Expr], functions: &Functions) -> Result<(), QueryError> {
    let last = arguments.len().saturating_sub(1);
    for filter in arguments.iter_mut().take(last).skip(2) {
        if let Some(written) = constant_text(filter) {
            *filter = condition(&written, functions)?;
        }
    }
    Ok(())
}

fn condition(written: &str, functions: &Functions) -> Result<Expr, QueryError> {
    struct Queries;
    impl Visitor for Queries {
        type Break = ();

        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            ControlFlow::Break(())
        }
    }
    let mut condition = parse_expression(tokens_of(written)?)?;
    check_calls(&condition, functions)?;
    if condition.visit(&mut Queries).is_break() || has_aggregate(&condition, functions) {
        return Err(QueryError::invalid(format!("the filter '{written}' is no condition on a row")));
    }
    let _ = VisitMut::visit(&mut condition, &mut Units);
    Ok(Expr::Nested(Box::new(condition)))
}

/// Returns the arguments of `LISTAGG(value, 'separator'[, distinct]) WITHIN GROUP (ORDER BY key, …)`: those before, then each
/// key and its direction.
pub(super) fn ordered_list(function: &Function, arguments: Vec<Expr>) -> Vec<Expr> {
    let mut arguments = arguments;
    if arguments.len() == 2 {
        arguments.push(value(Value::Boolean(is_distinct(function))));
    }
    for order in &function.within_group {
        let descending = order.options.asc == Some(false);
        let nulls_first = order.options.nulls_first.unwrap_or(descending);
        let direction = if descending { "DESC" } else { "ASC" };
        let nulls = if nulls_first { "FIRST" } else { "LAST" };
        arguments.push(order.expr.clone());
        arguments.push(text(format!("{direction} NULLS {nulls}")));
    }
    arguments
}
