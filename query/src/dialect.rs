//! Pinot's meaning of a query, written into its syntax tree.
//!
//! Pinot has two dialects. The single-stage one is for one table and has rules of its own: names of result columns, an
//! implicit LIMIT, DOUBLE results, multi-value predicates. The multi-stage one is close to standard SQL. A query with more
//! than one table, a sub-query or a window is read as multi-stage even when that was not asked for, since it can mean
//! nothing else.
//!
//! Input is the tree as written; output is a tree that means the same to DataFusion, with every table, column and function
//! in it known to exist.

mod aliases;
mod asof;
mod column_names;
mod columns;
mod conditions;
mod elements;
mod embedded;
mod expansion;
mod expressions;
mod gapfill;
pub(crate) mod item_names;
mod literals;
mod multi_stage;
mod multi_value;
mod null_tests;
pub(crate) mod operators;
mod parameters;
mod single_stage;
pub(crate) mod syntax;
mod syntax_forms;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::sql::sqlparser::ast::{
    Expr, Query, SetExpr, TableFactor, Visit, VisitMut, Visitor, VisitorMut,
};
use meunier_segment::table_snapshot::TableSnapshot;

use self::operators::Operators;
use crate::asof_join::NEAREST;
use crate::error::QueryError;
use crate::gapfill::GAPFILL;
use crate::lookup::Dimensions;
use crate::options::QueryOptions;
use crate::shape::{Parameter, Shape};
use crate::table_columns::{TableColumn, TableColumns};
use crate::tables::{QueryTable, Tables};
use meunier_functions::Functions;

/// What a rewrite needs beside the query.
pub(crate) struct Dialect<'a> {
    pub(crate) tables: &'a Tables,
    pub(crate) functions: &'a Functions,
    pub(crate) options: &'a QueryOptions,
    /// The time that `now()` means, milliseconds since the epoch.
    pub(crate) now_ms: i64,
    /// The statement's shape, where constants may become parameters.
    pub(crate) shape: Option<&'a Shape>,
    /// Whether Pinot's operators are asked for.
    pub(crate) explains: bool,
    /// What `LOOKUP` looks into.
    pub(crate) dimensions: &'a Dimensions,
}

/// A query that DataFusion understands as Pinot means it.
#[derive(Debug)]
pub(crate) struct RewrittenQuery {
    pub(crate) query: Box<Query>,
    /// The tables in it, by the names it uses.
    pub(crate) tables: BTreeMap<String, UsedTable>,
    /// The names of the result's columns, where they are not those of the plan.
    pub(crate) column_names: Option<Vec<String>>,
    /// The LIMIT that was not written. The query asks for one row more, to know whether it cut.
    pub(crate) implicit_limit: Option<u64>,
    /// Which dialect it was read in.
    pub(crate) multistage: bool,
    /// What Pinot's single-stage engine would do, where that is asked for.
    pub(crate) operators: Option<Operators>,
    /// The constants that stand in it as `$1`, `$2`, …: that of number `n` of the shape as `$n+1`.
    pub(crate) parameters: Vec<Parameter>,
}

/// A table of a query and its segments.
#[derive(Debug)]
pub(crate) struct UsedTable {
    pub(crate) table: QueryTable,
    pub(crate) snapshot: Arc<TableSnapshot>,
    columns: TableColumns,
    /// Columns beside the schema's that the query names.
    virtual_columns: BTreeSet<String>,
}

impl UsedTable {
    fn open(table: QueryTable, options: &QueryOptions) -> UsedTable {
        let snapshot = Arc::new(table.live.snapshot());
        let columns = TableColumns::new(
            Arc::clone(&snapshot.schema),
            options.null_handling,
            table.null_handling_enabled,
        );
        UsedTable { table, snapshot, columns, virtual_columns: BTreeSet::new() }
    }

    /// Returns the columns that the query can name.
    pub(crate) fn shown_columns(&self) -> Vec<TableColumn> {
        self.columns.shown(&self.virtual_columns)
    }
}

/// Rewrites a query in the dialect it is written in.
///
/// # Errors
/// When a table, column or function does not exist, or the query means nothing in the dialect.
pub(crate) fn rewrite(mut query: Box<Query>, dialect: &Dialect<'_>) -> Result<RewrittenQuery, QueryError> {
    expansion::check(&query)?;
    asof::mark(&mut query)?;
    let gapfill = gapfill::rewrite(&mut query, dialect.functions)?;
    check_calls(&*query, dialect.functions)?;
    let _ = VisitMut::visit(&mut query, &mut Units);
    let _ = VisitMut::visit(&mut query, &mut ColumnGroups);
    let is_multistage = dialect.options.multistage || gapfill.is_some() || !is_single_stage(&query);
    let mut rewritten = match is_multistage {
        true => multi_stage::rewrite(query, dialect)?,
        false => single_stage::rewrite(query, dialect)?,
    };
    if let Some(gapfill::Gapfill { column_names, implicit_limit }) = gapfill {
        rewritten.column_names = column_names;
        rewritten.implicit_limit = implicit_limit;
    }
    let _ = VisitMut::visit(&mut rewritten.query, &mut InnerNames(dialect.functions));
    Ok(rewritten)
}

/// Writes units of time as texts.
struct Units;

impl VisitorMut for Units {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        syntax_forms::quote_unit(expr);
        ControlFlow::Continue(())
    }
}

/// Writes the columns of a group that CLP made in place of its name.
struct ColumnGroups;

impl VisitorMut for ColumnGroups {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        syntax_forms::name_clp_columns(expr);
        ControlFlow::Continue(())
    }
}

/// Calls every function by the name that it has inside.
struct InnerNames<'a>(&'a Functions);

impl VisitorMut for InnerNames<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Some(case) = syntax_forms::case_when(expr) {
            *expr = case;
        }
        if let Expr::Function(function) = expr
            && let Some(name) = self.0.inner_name(&syntax::function_name(function))
        {
            function.name = vec![syntax::quoted(&name)].into();
        }
        ControlFlow::Continue(())
    }
}

/// Whether the query has one table at most, and nothing that only the multi-stage engine has.
fn is_single_stage(query: &Query) -> bool {
    let SetExpr::Select(select) = &*query.body else { return false };
    let plain_table = match &select.from[..] {
        [] => true,
        [from] => from.joins.is_empty() && matches!(&from.relation, TableFactor::Table { args: None, .. }),
        _ => false,
    };
    let mut parts = Parts { queries: 0, windows: false };
    let _ = Visit::visit(query, &mut parts);
    plain_table && query.with.is_none() && select.qualify.is_none() && parts.queries == 1 && !parts.windows
}

/// What tells the dialects apart.
struct Parts {
    queries: usize,
    windows: bool,
}

impl Visitor for Parts {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.queries += 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        self.windows |= matches!(expr, Expr::Function(function) if function.over.is_some());
        ControlFlow::Continue(())
    }
}

/// Window functions that DataFusion does not check to have an argument.
const OF_A_VALUE: [&str; 6] = ["firstvalue", "lastvalue", "nthvalue", "lag", "lead", "ntile"];

/// Checks that every function called exists.
fn check_calls(part: &impl Visit, functions: &Functions) -> Result<(), QueryError> {
    struct Calls<'a>(&'a Functions);
    impl Visitor for Calls<'_> {
        type Break = QueryError;

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<QueryError> {
            let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
            let name = syntax::function_name(function);
            if !self.0.exists(&name) && ![NEAREST, GAPFILL].contains(&name.as_str()) {
                return ControlFlow::Break(missing_function(&function.name.to_string(), self.0));
            }
            let is_empty = syntax::arguments(function).is_some_and(|arguments| arguments.is_empty());
            if function.over.is_some() && is_empty && OF_A_VALUE.contains(&name.as_str()) {
                let detail = format!("`{}` takes a value, as `{}(x)`", function.name, function.name);
                return ControlFlow::Break(QueryError::invalid(detail));
            }
            ControlFlow::Continue(())
        }
    }
    match part.visit(&mut Calls(functions)) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

fn missing_function(name: &str, functions: &Functions) -> QueryError {
    if meunier_functions::canonical(name) == "groovy" {
        return QueryError::invalid(
            "Groovy is disabled, as in Pinot's default: it runs whatever code a client sends; write the expression in SQL",
        );
    }
    let hint = meunier_segment::nearest::did_you_mean(&meunier_functions::canonical(name), functions.names());
    QueryError::FunctionMissing { function: name.to_owned(), hint }
}

#[cfg(test)]
mod tests;
