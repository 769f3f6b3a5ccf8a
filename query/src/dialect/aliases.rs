//! Aliases and ordinals: names and numbers that stand for an item of the SELECT list.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Function, Visit, VisitMut, Visitor, VisitorMut};

use super::literals::Literal;
use super::syntax::function_name;
use crate::error::QueryError;
use crate::table_columns::TableColumns;
use meunier_functions::{Functions, percentile_suffix};

/// An item of the SELECT list, columns resolved.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) expr: Expr,
    /// The alias as written.
    pub(super) alias: Option<String>,
}

/// Where an alias is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clause {
    Where,
    GroupBy,
    Having,
    OrderBy,
}

/// Replaces aliases in an expression by what they stand for. An alias wins over a column of the same name, as in Pinot,
/// except where an aggregate cannot stand.
pub(super) fn replace_aliases(
    expr: &mut Expr,
    items: &[Item],
    clause: Clause,
    columns: &TableColumns,
    functions: &Functions,
) {
    let mut replacer = Replacer { items, clause, columns, functions, depth: 0 };
    let _ = expr.visit(&mut replacer);
}

/// Replaces a whole number by the item at that position; anything else stays.
///
/// # Errors
/// When there is no such item.
pub(super) fn replace_ordinal(expr: &mut Expr, items: &[Item], clause: &str) -> Result<(), QueryError> {
    let Some(Literal::Number(digits)) = Literal::of(expr) else { return Ok(()) };
    let Ok(position) = digits.parse::<usize>() else { return Ok(()) };
    match position.checked_sub(1).and_then(|index| items.get(index)) {
        Some(item) => *expr = item.expr.clone(),
        None => {
            let count = items.len();
            return Err(QueryError::invalid(format!(
                "{clause} {position} names no item of the SELECT list, which has {count}"
            )));
        }
    }
    Ok(())
}

/// Returns whether an aggregate is called anywhere in the expression.
pub(super) fn has_aggregate(expr: &Expr, functions: &Functions) -> bool {
    struct Finder<'a>(&'a Functions);
    impl Visitor for Finder<'_> {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Function(function) if is_aggregate(function, self.0) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    expr.visit(&mut Finder(functions)).is_break()
}

/// Returns whether a call is one of an aggregate.
pub(super) fn is_aggregate(function: &Function, functions: &Functions) -> bool {
    let name = function_name(function);
    functions.aggregate(&name).is_some()
        || name.starts_with("distinct")
        || name == "minmaxrange"
        || percentile_suffix(&name).is_some()
}

struct Replacer<'a> {
    items: &'a [Item],
    clause: Clause,
    columns: &'a TableColumns,
    functions: &'a Functions,
    /// Above zero where nothing is replaced: inside of what an alias stood for, and of an aggregate.
    depth: usize,
}

impl Replacer<'_> {
    fn meaning(&self, name: &str) -> Option<&Expr> {
        let item = self
            .items
            .iter()
            .find(|item| item.alias.as_deref().is_some_and(|alias| alias.eq_ignore_ascii_case(name)))?;
        let is_column = self.columns.find(name).is_some();
        let column_wins = match self.clause {
            Clause::Where => true,
            Clause::GroupBy => has_aggregate(&item.expr, self.functions),
            Clause::Having | Clause::OrderBy => false,
        };
        (!(is_column && column_wins)).then_some(&item.expr)
    }
}

impl VisitorMut for Replacer<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            _ if self.depth > 0 => self.depth += 1,
            Expr::Identifier(name) => {
                if let Some(meaning) = self.meaning(&name.value) {
                    *expr = Expr::Nested(Box::new(meaning.clone()));
                    self.depth = 1;
                }
            }
            // The arguments of an aggregate are values of rows, never results.
            Expr::Function(function) if is_aggregate(function, self.functions) => self.depth = 1,
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, _: &mut Expr) -> ControlFlow<()> {
        self.depth = self.depth.saturating_sub(1);
        ControlFlow::Continue(())
    }
}
