//! ASOF joins as joins whose condition says what they are, see [`crate::asof_join`].

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, JoinConstraint, JoinOperator, Query, Select, VisitMut, VisitorMut,
};

use super::syntax::{arguments, call};
use crate::asof_join::NEAREST;
use crate::error::QueryError;
use crate::statement::forms::LEFT_ASOF;

/// Marks the ASOF joins of a query.
///
/// # Errors
/// When one has no ON.
pub(super) fn mark(query: &mut Query) -> Result<(), QueryError> {
    match query.visit(&mut Marks) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Marks;

impl VisitorMut for Marks {
    type Break = QueryError;

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<QueryError> {
        for join in select.from.iter_mut().flat_map(|from| &mut from.joins) {
            let JoinOperator::AsOf { match_condition, constraint } = &join.join_operator else { continue };
            let JoinConstraint::On(on) = constraint else {
                return ControlFlow::Break(QueryError::Planning {
                    detail: "ASOF JOIN takes its keys in ON".into(),
                });
            };
            let condition =
                |matched: &Expr| JoinConstraint::On(call(NEAREST, vec![matched.clone(), on.clone()]));
            join.join_operator = match left_condition(match_condition) {
                Some(matched) => JoinOperator::LeftOuter(condition(&matched)),
                None => JoinOperator::Inner(condition(match_condition)),
            };
        }
        ControlFlow::Continue(())
    }
}

/// Returns the condition of a join that keeps all rows of its left side.
fn left_condition(matched: &Expr) -> Option<Expr> {
    let Expr::Function(function @ Function { name, .. }) = matched else { return None };
    let is_left = name.0.first().and_then(|part| part.as_ident()).is_some_and(|name| name.value == LEFT_ASOF);
    is_left.then(|| arguments(function)?.into_iter().next()).flatten()
}
