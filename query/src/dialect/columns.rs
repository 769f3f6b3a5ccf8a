//! Finds the column that a name means, whatever its case, and writes its exact name.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Ident, ObjectName, VisitMut, VisitorMut};

use super::syntax;
use crate::error::QueryError;
use crate::table_columns::{TableColumn, TableColumns};

/// The columns of the one table of a single-stage query.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    pub(super) columns: &'a TableColumns,
    /// The table's name as answers show it.
    pub(super) table: &'a str,
    /// Names that may stand before a column's: the table's as written, and its alias.
    pub(super) qualifiers: Vec<String>,
}

impl Scope<'_> {
    /// Returns the column of this name.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn column(&self, name: &str) -> Result<TableColumn, QueryError> {
        self.columns.find(name).ok_or_else(|| QueryError::ColumnMissing {
            column: name.to_owned(),
            place: format!("table `{}`", self.table),
            hint: self.columns.hint(name),
        })
    }

    /// Returns the column that an expression is, once its name was resolved.
    pub(super) fn column_of(&self, expr: &Expr) -> Option<TableColumn> {
        match syntax::unwrapped(expr) {
            Expr::Identifier(name) => self.columns.find(&name.value),
            _ => None,
        }
    }

    /// Writes the exact name of every column in an expression, and notes those that are not in the schema.
    ///
    /// # Errors
    /// When a column does not exist.
    pub(super) fn resolve(
        &self,
        expr: &mut Expr,
        virtual_columns: &mut BTreeSet<String>,
    ) -> Result<(), QueryError> {
        match expr.visit(&mut Resolver { scope: self, virtual_columns }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(error) => Err(error),
        }
    }

    fn is_qualifier(&self, parts: &[Ident]) -> bool {
        parts
            .last()
            .is_some_and(|last| self.qualifiers.iter().any(|known| known.eq_ignore_ascii_case(&last.value)))
    }
}

struct Resolver<'a> {
    scope: &'a Scope<'a>,
    virtual_columns: &'a mut BTreeSet<String>,
}

impl Resolver<'_> {
    fn resolved(&mut self, name: &str) -> ControlFlow<QueryError, Expr> {
        match self.scope.column(name) {
            Ok(column) => {
                if column.is_virtual() {
                    self.virtual_columns.insert(column.name());
                }
                ControlFlow::Continue(syntax::column(&column.name()))
            }
            Err(error) => ControlFlow::Break(error),
        }
    }
}

impl VisitorMut for Resolver<'_> {
    type Break = QueryError;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<QueryError> {
        match expr {
            Expr::Identifier(name) => *expr = self.resolved(&name.value.clone())?,
            Expr::CompoundIdentifier(parts) => {
                let (name, qualifier) = parts.split_last().expect("a compound name has parts");
                if !self.scope.is_qualifier(qualifier) {
                    let written = ObjectName::from(parts.clone()).to_string();
                    let place = format!("table `{}`", self.scope.table);
                    return ControlFlow::Break(QueryError::ColumnMissing {
                        column: written,
                        place,
                        hint: String::new(),
                    });
                }
                *expr = self.resolved(&name.value.clone())?;
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
