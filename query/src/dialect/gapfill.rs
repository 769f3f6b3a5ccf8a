//! `GAPFILL(time, format, start, end, granularity[, bucket], FILL(column, mode)…, TIMESERIESON(columns…))`.
//!
//! The call becomes one of [`GAPFILL`] with constants only behind its first argument, which the planner makes a node of.
//! A query with it is Pinot's single-stage SQL with sub-queries: names of results, DOUBLE results and the implicit LIMIT are
//! those of the single-stage engine; a WHERE beside a GAPFILL over a sub-query, and an aggregation around it, see the rows
//! that were filled in; groups come in the order of their times.

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, LimitClause, OrderBy,
    OrderByExpr, OrderByKind, OrderByOptions, Query, Select, SelectItem, SetExpr, TableAlias, TableFactor,
    VisitMut, VisitorMut, WildcardAdditionalOptions,
};
use meunier_functions::Functions;
use meunier_segment::schema::DataType;
use std::ops::ControlFlow;

use super::aliases::has_aggregate;
use super::column_names::name_of;
use super::literals::Literal;
use super::single_stage::DEFAULT_LIMIT;
use super::syntax::{arguments, call, cast, column, function_name, number, quoted, text, unwrapped};
use crate::error::QueryError;
use crate::gapfill::{FILL_MARK, GAPFILL, SERIES_MARK};

/// Constants that stand before FILL and TIMESERIESON: the format, the bounds, the granularity.
const CONSTANTS: usize = 4;

/// What a query with GAPFILL shows.
#[derive(Debug)]
pub(super) struct Gapfill {
    pub(super) column_names: Option<Vec<String>>,
    pub(super) implicit_limit: Option<u64>,
}

/// Rewrites a query if it has a GAPFILL.
///
/// # Errors
/// When a GAPFILL stands where none can, or is not written as it has to be.
pub(super) fn rewrite(query: &mut Query, functions: &Functions) -> Result<Option<Gapfill>, QueryError> {
    let Some(depth) = depth_of(query) else { return Ok(None) };
    let SetExpr::Select(select) = &*query.body else { return Ok(None) };
    let is_listed = select.projection.iter().all(|item| expr_of(item).is_some());
    let names = is_listed.then(|| select.projection.iter().map(shown_name).collect());
    if depth == 0 {
        mark(query, functions, false)?;
    } else {
        around(query, depth, functions)?;
    }
    let _ = query.visit(&mut DoubleResults);
    let implicit_limit = (query.limit_clause.is_none() && query.fetch.is_none()).then_some(DEFAULT_LIMIT);
    if implicit_limit.is_some() {
        query.limit_clause = Some(LimitClause::LimitOffset {
            limit: Some(number(DEFAULT_LIMIT + 1)),
            offset: None,
            limit_by: Vec::new(),
        });
    }
    Ok(Some(Gapfill { column_names: names, implicit_limit }))
}

/// Returns how many sub-queries deep the GAPFILL is.
fn depth_of(query: &Query) -> Option<usize> {
    let SetExpr::Select(select) = &*query.body else { return None };
    if select.projection.iter().any(|item| gapfill_in(item).is_some()) {
        return Some(0);
    }
    match &select.from[..] {
        [from] if from.joins.is_empty() => match &from.relation {
            TableFactor::Derived { subquery, .. } => depth_of(subquery).map(|depth| depth + 1),
            _ => None,
        },
        _ => None,
    }
}

/// Rewrites a query whose FROM holds the GAPFILL.
fn around(query: &mut Query, depth: usize, functions: &Functions) -> Result<(), QueryError> {
    let SetExpr::Select(select) = &mut *query.body else { return Ok(()) };
    let aggregates = is_aggregation(select, functions);
    let Some(TableFactor::Derived { subquery, .. }) = select.from.first_mut().map(|from| &mut from.relation)
    else {
        return Ok(());
    };
    if depth > 1 {
        return around(subquery, depth - 1, functions);
    }
    let time = mark(subquery, functions, aggregates)?;
    if aggregates && query.order_by.is_none() {
        let expr = column(&time);
        let grouped = matches!(&select.group_by, GroupByExpr::Expressions(keys, _)
            if keys.iter().any(|key| is_named(key, &time) || matches!(Literal::of(key), Some(Literal::Number(_)))));
        if !grouped {
            return Err(QueryError::invalid("No Group By timebucket."));
        }
        let options = OrderByOptions { asc: None, nulls_first: None };
        query.order_by = Some(OrderBy {
            kind: OrderByKind::Expressions(vec![OrderByExpr { expr, options, with_fill: None }]),
            interpolate: None,
        });
    }
    Ok(())
}

fn is_named(expr: &Expr, name: &str) -> bool {
    matches!(unwrapped(expr), Expr::Identifier(found) if found.value.eq_ignore_ascii_case(name))
}

fn is_aggregation(select: &Select, functions: &Functions) -> bool {
    select.projection.iter().filter_map(expr_of).any(|expr| has_aggregate(expr, functions))
}

/// Marks the GAPFILL in a query's SELECT list. Returns the name of its column.
fn mark(query: &mut Query, functions: &Functions, aggregated: bool) -> Result<String, QueryError> {
    let SetExpr::Select(select) = &mut *query.body else {
        return Err(QueryError::invalid("GAPFILL stands in a SELECT"));
    };
    if is_aggregation(select, functions) {
        return Err(QueryError::invalid("Aggregation and Gapfill can not be in the same sql statement."));
    }
    let mut time = None;
    for item in &mut select.projection {
        let Some(function) = gapfill_in(item) else { continue };
        if time.is_some() {
            return Err(QueryError::invalid("a SELECT has one GAPFILL"));
        }
        let name = shown_name(item);
        let expr = marked(function, aggregated)?;
        *item = SelectItem::ExprWithAlias { expr, alias: quoted(&name) };
        time = Some(name);
    }
    let over_rows_filled_in =
        matches!(select.from.first().map(|from| &from.relation), Some(TableFactor::Derived { .. }));
    if over_rows_filled_in && let Some(condition) = select.selection.take() {
        filter_outside(query, condition);
    }
    time.ok_or_else(|| QueryError::invalid("GAPFILL stands in a SELECT"))
}

/// Puts a SELECT into FROM of one that keeps rows by a condition. ORDER BY and LIMIT stay outside.
fn filter_outside(query: &mut Query, condition: Expr) {
    let outer = |inner: Query| {
        let SetExpr::Select(select) = &*inner.body else { return inner.body.clone() };
        let mut outer = (**select).clone();
        outer.projection = vec![SelectItem::Wildcard(WildcardAdditionalOptions::default())];
        outer.selection = Some(condition);
        if let Some(from) = outer.from.first_mut() {
            from.relation = TableFactor::Derived {
                lateral: false,
                subquery: Box::new(inner),
                alias: Some(TableAlias {
                    explicit: true,
                    name: quoted("$filled"),
                    columns: Vec::new(),
                    at: None,
                }),
                sample: None,
            };
        }
        Box::new(SetExpr::Select(Box::new(outer)))
    };
    let inner = Query {
        body: query.body.clone(),
        with: None,
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    };
    query.body = outer(inner);
}

/// Returns the call with constants only behind its time.
fn marked(function: &Function, aggregated: bool) -> Result<Expr, QueryError> {
    let written = arguments(function).unwrap_or_default();
    if written.len() <= CONSTANTS + 1 {
        return Err(QueryError::invalid("Gapfill does not have correct number of arguments."));
    }
    let [time, rest @ ..] = &written[..] else {
        return Err(QueryError::invalid("Gapfill does not have correct number of arguments."));
    };
    let mut made = vec![time.clone()];
    let names = [
        "The second argument of Gapfill should be TimeFormatter.",
        "The third argument of Gapfill should be start time.",
        "The fourth argument of Gapfill should be end time.",
        "The fifth argument of Gapfill should be time bucket size.",
    ];
    for (argument, missing) in rest.iter().zip(names) {
        made.push(text(constant(argument).ok_or_else(|| QueryError::invalid(missing))?));
    }
    let bucket = rest.get(CONSTANTS).and_then(constant).filter(|_| aggregated);
    made.push(text(bucket.unwrap_or_default()));
    let mut has_series = false;
    for argument in &rest[CONSTANTS..] {
        let Expr::Function(part) = argument else { continue };
        let inner = arguments(part).unwrap_or_default();
        match function_name(part).as_str() {
            "fill" => made.push(text(fill(&inner)?)),
            "timeserieson" => {
                has_series = true;
                for key in &inner {
                    made.push(text(format!("{SERIES_MARK}{}", plain_name(key)?)));
                }
            }
            other => {
                return Err(QueryError::invalid(format!(
                    "GAPFILL takes FILL and TIMESERIESON, not `{other}`"
                )));
            }
        }
    }
    match has_series {
        true => Ok(call(GAPFILL, made)),
        false => Err(QueryError::invalid("The TimeSeriesOn expressions should be specified.")),
    }
}

/// Returns the mark of `FILL(column, mode)`; a column of the default mode needs none.
fn fill(inner: &[Expr]) -> Result<String, QueryError> {
    let [filled, mode] = inner else {
        return Err(QueryError::invalid("FILL takes a column and a mode"));
    };
    let name = plain_name(filled)?;
    match Literal::of(mode) {
        Some(Literal::Text(mode)) if mode == "FILL_PREVIOUS_VALUE" => Ok(format!("{FILL_MARK}{name}")),
        Some(Literal::Text(mode)) if mode == "FILL_DEFAULT_VALUE" => Ok(String::new()),
        _ => Err(QueryError::invalid("FILL takes the mode 'FILL_PREVIOUS_VALUE' or 'FILL_DEFAULT_VALUE'")),
    }
}

fn plain_name(expr: &Expr) -> Result<String, QueryError> {
    match unwrapped(expr) {
        Expr::Identifier(name) => Ok(name.value.clone()),
        _ => Err(QueryError::invalid("FILL and TIMESERIESON take columns by name")),
    }
}

fn constant(expr: &Expr) -> Option<String> {
    match Literal::of(expr)? {
        Literal::Text(text) => Some(text),
        Literal::Number(digits) => Some(digits),
        Literal::Boolean(_) | Literal::Bytes(_) | Literal::Null => None,
    }
}

fn expr_of(item: &SelectItem) -> Option<&Expr> {
    match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        SelectItem::ExprWithAliases { .. } | SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => {
            None
        }
    }
}

fn gapfill_in(item: &SelectItem) -> Option<&Function> {
    match expr_of(item).map(unwrapped) {
        Some(Expr::Function(function)) if function_name(function) == "gapfill" => Some(function),
        _ => None,
    }
}

/// Returns the name of a result column: that of its time for a GAPFILL.
fn shown_name(item: &SelectItem) -> String {
    let first = |function: &Function| match &function.args {
        FunctionArguments::List(list) => match list.args.first() {
            Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))) => Some(name_of(expr)),
            _ => None,
        },
        FunctionArguments::None | FunctionArguments::Subquery(_) => None,
    };
    match item {
        SelectItem::ExprWithAlias { alias, .. } => alias.value.clone(),
        other => match (gapfill_in(other), expr_of(other)) {
            (Some(function), _) => first(function).unwrap_or_default(),
            (None, Some(expr)) => name_of(expr),
            (None, None) => "*".into(),
        },
    }
}

/// Sums and extremes are DOUBLE in the single-stage engine.
struct DoubleResults;

impl VisitorMut for DoubleResults {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr
            && function.over.is_none()
            && matches!(function_name(function).as_str(), "sum" | "min" | "max")
        {
            *expr = cast(expr.clone(), DataType::Double);
        }
        ControlFlow::Continue(())
    }
}
