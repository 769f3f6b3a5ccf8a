//! What a condition or an aggregate of the multi-stage dialect computes with: quotients with their fractions, and columns
//! of any type as truth.
//!
//! Pinot's planner says that a quotient of two whole numbers is one, but where it is computed it is a DOUBLE, and only a
//! result column cuts it. So a condition and an aggregate see the fraction.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, FunctionArguments, Query, Select, VisitMut, VisitorMut,
};
use meunier_segment::schema::DataType;

use super::syntax::{cast, unwrapped};
use crate::operators::exact_division;

/// Rewrites WHERE and HAVING.
pub(super) fn rewrite(select: &mut Select) {
    if let Some(condition) = &mut select.selection
        && matches!(unwrapped(condition), Expr::Identifier(_) | Expr::CompoundIdentifier(_))
    {
        // A condition that is nothing but a cast would be taken for a value that all rows share, and its columns with it.
        *condition = Expr::IsTrue(Box::new(cast(condition.clone(), DataType::Boolean)));
    }
    let mut divisions = Divisions { open_queries: 0 };
    let _ = select.selection.visit(&mut divisions);
    let _ = select.having.visit(&mut divisions);
}

/// Keeps the fractions of quotients in the arguments of an aggregate.
pub(super) fn divide_exactly(arguments: &mut FunctionArguments) {
    let _ = arguments.visit(&mut Divisions { open_queries: 0 });
}

struct Divisions {
    open_queries: usize,
}

impl VisitorMut for Divisions {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.open_queries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.open_queries -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::BinaryOp { op: op @ BinaryOperator::Divide, .. } = expr
            && self.open_queries == 0
        {
            *op = exact_division();
        }
        ControlFlow::Continue(())
    }
}
