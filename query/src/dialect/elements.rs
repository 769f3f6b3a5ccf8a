//! Multi-value expressions that GROUP BY or DISTINCT takes apart: each row counts once for every element.
//!
//! What is taken apart becomes a column of its own. Aggregates keep seeing the whole value of the row, as in Pinot.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, VisitMut, VisitorMut};
use meunier_functions::{ArrayUse, Functions};
use meunier_segment::schema::DataType;

use super::aliases::is_aggregate;
use super::columns::Scope;
use super::syntax::{arguments, column, function_name, unwrapped};

/// One expression that is taken apart.
#[derive(Debug, Clone)]
pub(super) struct Elements {
    /// The multi-value expression.
    pub(super) of: Expr,
    /// The column that its elements become.
    pub(super) alias: String,
    /// The type of an element, where it can be told.
    pub(super) data_type: Option<DataType>,
}

/// Adds what an expression of GROUP BY takes apart.
pub(super) fn find(expr: &Expr, scope: &Scope<'_>, functions: &Functions, found: &mut Vec<Elements>) {
    let mut finder = Finder { scope, functions, found, depth: 0 };
    let _ = expr.clone().visit(&mut finder);
}

/// Puts the columns of elements in place of what they are taken from, except in aggregates.
pub(super) fn replace(expr: &mut Expr, elements: &[Elements], functions: &Functions) {
    if !elements.is_empty() {
        let _ = expr.visit(&mut Replacer { elements, functions, depth: 0 });
    }
}

struct Finder<'a, 'b> {
    scope: &'a Scope<'a>,
    functions: &'a Functions,
    found: &'b mut Vec<Elements>,
    /// Above zero inside of what is done with.
    depth: usize,
}

impl Finder<'_, '_> {
    fn is_multi_value(&self, expr: &Expr) -> bool {
        match unwrapped(expr) {
            Expr::Identifier(_) => self.scope.column_of(expr).is_some_and(|found| found.is_multi_value()),
            Expr::Function(function) => {
                let multi_value =
                    || arguments(function).is_some_and(|all| all.iter().any(|one| self.is_multi_value(one)));
                self.functions.array_use(&function_name(function)) == ArrayUse::Gives && multi_value()
            }
            _ => false,
        }
    }

    fn add(&mut self, of: &Expr) {
        if self.found.iter().any(|known| known.of == *of) {
            return;
        }
        let data_type = self.scope.column_of(of).map(|column| column.data_type());
        self.found.push(Elements {
            of: of.clone(),
            alias: format!("$element{}", self.found.len()),
            data_type,
        });
    }
}

impl VisitorMut for Finder<'_, '_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if self.depth > 0 {
            self.depth += 1;
            return ControlFlow::Continue(());
        }
        match unwrapped(expr) {
            inner if self.is_multi_value(inner) => {
                let inner = inner.clone();
                self.add(&inner);
                self.depth = 1;
            }
            Expr::Function(function) => {
                let name = function_name(function);
                if self.functions.array_use(&name) == ArrayUse::Takes
                    || is_aggregate(function, self.functions)
                {
                    self.depth = 1;
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, _: &mut Expr) -> ControlFlow<()> {
        self.depth = self.depth.saturating_sub(1);
        ControlFlow::Continue(())
    }
}

struct Replacer<'a> {
    elements: &'a [Elements],
    functions: &'a Functions,
    depth: usize,
}

impl VisitorMut for Replacer<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if self.depth > 0 {
            self.depth += 1;
            return ControlFlow::Continue(());
        }
        if let Some(elements) = self.elements.iter().find(|elements| elements.of == *unwrapped(expr)) {
            *expr = column(&elements.alias);
            self.depth = 1;
        } else if let Expr::Function(function) = expr {
            let takes_whole = self.functions.array_use(&function_name(function)) == ArrayUse::Takes;
            if takes_whole || is_aggregate(function, self.functions) {
                self.depth = 1;
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, _: &mut Expr) -> ControlFlow<()> {
        self.depth = self.depth.saturating_sub(1);
        ControlFlow::Continue(())
    }
}
