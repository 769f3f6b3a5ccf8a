//! Tests for null in a SELECT from one table, as Pinot's multi-stage engine plans them.
//!
//! Its planner knows nulls of columns only where the schema has column-based null handling. A test of any other column is
//! decided when the query is planned: it is not null, whatever its rows hold. Where the planner knows them and the query
//! shows defaults in their place, the column's flag tells.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Query, Select, TableFactor, Value, VisitMut, VisitorMut};

use super::UsedTable;
use super::syntax::{column, not, value};
use crate::table_columns::{TableColumn, null_flag_name};

/// Rewrites the tests of a SELECT. Returns the flags that are needed, each behind its table's name.
pub(super) fn rewrite(select: &mut Select, tables: &BTreeMap<String, UsedTable>) -> Vec<(String, String)> {
    let [from] = &select.from[..] else { return Vec::new() };
    let TableFactor::Table { name, .. } = &from.relation else { return Vec::new() };
    let name =
        name.0.last().and_then(|part| part.as_ident()).map(|part| part.value.clone()).unwrap_or_default();
    let Some(used) = tables.get(&name).filter(|_| from.joins.is_empty()) else { return Vec::new() };
    let mut tests = NullTests { used, flags: Vec::new(), open_queries: 0 };
    let _ = select.projection.visit(&mut tests);
    let _ = select.selection.visit(&mut tests);
    let _ = select.group_by.visit(&mut tests);
    let _ = select.having.visit(&mut tests);
    tests.flags.into_iter().map(|flag| (name.clone(), flag)).collect()
}

struct NullTests<'a> {
    used: &'a UsedTable,
    flags: Vec<String>,
    open_queries: usize,
}

impl NullTests<'_> {
    fn rewritten(&mut self, inner: &Expr, is_null: bool) -> Option<Expr> {
        let name = match inner {
            Expr::Identifier(name) => &name.value,
            Expr::CompoundIdentifier(parts) if parts.len() == 2 => &parts[1].value,
            _ => return None,
        };
        let Some(TableColumn::Stored { field, shows_nulls }) = self.used.columns.find(name) else {
            return None;
        };
        if !self.used.columns.is_planned_nullable(&field) {
            return Some(value(Value::Boolean(!is_null)));
        }
        if shows_nulls {
            return None;
        }
        let flag = null_flag_name(&field.name);
        self.flags.push(flag.clone());
        Some(if is_null { column(&flag) } else { not(column(&flag)) })
    }
}

impl VisitorMut for NullTests<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.open_queries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.open_queries -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let (inner, is_null) = match &*expr {
            Expr::IsNull(inner) => (&**inner, true),
            Expr::IsNotNull(inner) => (&**inner, false),
            _ => return ControlFlow::Continue(()),
        };
        if self.open_queries == 0
            && let Some(rewritten) = self.rewritten(inner, is_null)
        {
            *expr = rewritten;
        }
        ControlFlow::Continue(())
    }
}
