//! How large a query becomes when every WITH name in it is replaced by its query.
//!
//! The planner does replace them: forty names that each read the one before twice are a trillion tables. So tables are
//! counted as if replaced, before anything is planned.

use std::collections::{HashMap, VecDeque};
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, ObjectName, Query, Visit, Visitor};

use crate::error::QueryError;

/// Most tables in a query, WITH names replaced.
const TABLES_MAX: usize = 200;
/// Most queries inside each other, WITH names replaced.
const DEPTH_MAX: usize = 50;
/// Most queries inside each other as values or in conditions. Planning time doubles with each.
const NESTED_VALUES_MAX: usize = 8;

/// Checks that a query stays small when its WITH names are replaced.
pub(super) fn check(query: &Query) -> Result<(), QueryError> {
    match query.visit(&mut Expansion::default()) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

/// What a query is when all names in it are replaced.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    tables: usize,
    depth: usize,
    /// Queries inside each other as values or in conditions.
    nested_values: usize,
}

impl Size {
    fn add(&mut self, inner: Size) {
        self.tables = self.tables.saturating_add(inner.tables);
        self.depth = self.depth.max(inner.depth);
        self.nested_values = self.nested_values.max(inner.nested_values);
    }
}

#[derive(Default)]
struct Expansion {
    /// Queries that are being visited, outermost first.
    open: Vec<OpenQuery>,
    /// Sizes of WITH names by their lower-case form. One name defined twice counts as the larger.
    named: HashMap<String, Size>,
    /// Expressions with a query in them that are being visited.
    open_values: usize,
}

struct OpenQuery {
    size: Size,
    /// How many expressions with a query were open when this one began.
    open_values: usize,
    /// WITH names whose queries are still to come. They are visited before the body, in this order.
    names: VecDeque<String>,
}

impl Visitor for Expansion {
    type Break = QueryError;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<QueryError> {
        let tables = query.with.iter().flat_map(|with| &with.cte_tables);
        let names = tables.map(|table| table.alias.name.value.to_lowercase()).collect();
        self.open.push(OpenQuery { size: Size::default(), open_values: self.open_values, names });
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<QueryError> {
        let name = relation.0.last().and_then(|part| part.as_ident()).map(|part| part.value.to_lowercase());
        let known = name.and_then(|name| self.named.get(&name).copied());
        if let Some(open) = self.open.last_mut() {
            open.size.add(known.unwrap_or(Size { tables: 1, ..Size::default() }));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<QueryError> {
        self.open_values += usize::from(holds_query(expr));
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<QueryError> {
        self.open_values -= usize::from(holds_query(expr));
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<QueryError> {
        let Some(OpenQuery { mut size, open_values, .. }) = self.open.pop() else {
            return ControlFlow::Continue(());
        };
        let is_value = open_values > self.open.last().map_or(0, |outer| outer.open_values);
        size.depth += 1;
        size.nested_values += usize::from(is_value);
        for (what, found, max) in [
            ("tables", size.tables, TABLES_MAX),
            ("queries inside each other", size.depth, DEPTH_MAX),
            ("queries inside each other as values", size.nested_values, NESTED_VALUES_MAX),
        ] {
            if found > max {
                return ControlFlow::Break(QueryError::StatementTooLarge { what, found, max });
            }
        }
        let Some(outer) = self.open.last_mut() else { return ControlFlow::Continue(()) };
        match outer.names.pop_front() {
            Some(name) => {
                let known = self.named.entry(name).or_default();
                known.tables = known.tables.max(size.tables);
                known.depth = known.depth.max(size.depth);
                known.nested_values = known.nested_values.max(size.nested_values);
            }
            None => outer.size.add(size),
        }
        ControlFlow::Continue(())
    }
}

fn holds_query(expr: &Expr) -> bool {
    matches!(expr, Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. })
}
