//! Filters that operators above a scan make while the query runs, as predicates of the segment level.
//!
//! A join that has read its smaller side knows which keys the other side's rows must have. It hands a filter down to the
//! scan when the query is planned and fills it in before it asks for the first row. What is understood of it then drops
//! segments and asks indexes like any condition; the rest is left to the join, which tests every row all the same.

use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{BinaryExpr, Cast, Expr, Operator};
use datafusion::physical_expr::expressions::{
    BinaryExpr as PhysicalBinary, CastExpr, Column as PhysicalColumn, DynamicFilterPhysicalExpr, InListExpr,
    IsNullExpr, Literal,
};
use datafusion::physical_expr::{PhysicalExpr, split_conjunction};
use datafusion::scalar::ScalarValue;
use meunier_execution::input::InputColumn;
use meunier_execution::predicate::{Predicate, Test};
use meunier_execution::segment_work::SegmentInput;

use crate::reading::Reading;

/// Without a dictionary each value is compared with each of the keys: more than so many cost more than they save.
const PLAIN_KEYS_MAX: usize = 16;

/// The filters of one scan.
#[derive(Debug, Clone, Default)]
pub(crate) struct JoinFilters {
    filters: Vec<Arc<dyn PhysicalExpr>>,
}

impl JoinFilters {
    /// Returns these and those of `offered` that are filled in later; nothing when there are none.
    pub(crate) fn and(&self, offered: &[Arc<dyn PhysicalExpr>]) -> Option<JoinFilters> {
        let mut filters = self.filters.clone();
        filters.extend(offered.iter().filter(|filter| filter.is::<DynamicFilterPhysicalExpr>()).cloned());
        (filters.len() > self.filters.len()).then_some(JoinFilters { filters })
    }

    /// Shows each filter to `visit`, which looks for its own.
    ///
    /// # Errors
    /// Those of `visit`.
    pub(crate) fn visit(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        for filter in &self.filters {
            if let TreeNodeRecursion::Stop = visit(filter)? {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    pub(crate) fn len(&self) -> usize {
        self.filters.len()
    }

    /// Returns what is read with the filters as they are now; nothing when they leave out no row. `column` gives the name
    /// of the table's column behind one that is handed on.
    ///
    /// # Errors
    /// When a filter cannot be read: a bug of the operator that made it.
    pub(crate) fn narrowed(
        &self,
        reading: &Reading,
        input: &SegmentInput,
        column: &dyn Fn(usize) -> Option<String>,
    ) -> Result<Option<SegmentInput>> {
        let mut found = Vec::new();
        for filter in &self.filters {
            let Some(dynamic) = filter.downcast_ref::<DynamicFilterPhysicalExpr>() else { continue };
            let current = dynamic.current()?;
            for part in split_conjunction(&current) {
                let Some(condition) = condition(part, column) else { continue };
                let predicate = reading.predicate(&condition)?;
                if is_cheap(&predicate, input) {
                    found.push(predicate);
                }
            }
        }
        if found.iter().all(|predicate| matches!(predicate, Predicate::True)) {
            return Ok(None);
        }
        Ok(Some(reading.narrowed(input, found)))
    }
}

/// Returns the condition over the table's columns; nothing when a part of it is not understood.
fn condition(filter: &Arc<dyn PhysicalExpr>, column: &dyn Fn(usize) -> Option<String>) -> Option<Expr> {
    if let Some(binary) = filter.downcast_ref::<PhysicalBinary>() {
        let operand = |side: &Arc<dyn PhysicalExpr>| match binary.op() {
            Operator::And | Operator::Or => condition(side, column),
            Operator::Eq | Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq => {
                operand(side, column)
            }
            _ => None,
        };
        let (left, right) = (Box::new(operand(binary.left())?), Box::new(operand(binary.right())?));
        return Some(Expr::BinaryExpr(BinaryExpr { left, op: *binary.op(), right }));
    }
    if let Some(list) = filter.downcast_ref::<InListExpr>() {
        if list.negated() {
            return None;
        }
        let of = Box::new(operand(list.expr(), column)?);
        let values = list.list().iter().map(|value| operand(value, column)).collect::<Option<_>>()?;
        return Some(Expr::InList(InList { expr: of, list: values, negated: false }));
    }
    if let Some(is_null) = filter.downcast_ref::<IsNullExpr>() {
        return Some(Expr::IsNull(Box::new(operand(is_null.arg(), column)?)));
    }
    match filter.downcast_ref::<Literal>()?.value() {
        truth @ ScalarValue::Boolean(Some(_)) => Some(Expr::Literal(truth.clone(), None)),
        _ => None,
    }
}

fn operand(expr: &Arc<dyn PhysicalExpr>, column: &dyn Fn(usize) -> Option<String>) -> Option<Expr> {
    if let Some(found) = expr.downcast_ref::<PhysicalColumn>() {
        return Some(Expr::Column(datafusion::common::Column::new_unqualified(column(found.index())?)));
    }
    if let Some(cast) = expr.downcast_ref::<CastExpr>() {
        let inner = Box::new(operand(cast.expr(), column)?);
        return Some(Expr::Cast(Cast::new(inner, cast.cast_type().clone())));
    }
    match expr.downcast_ref::<Literal>()?.value() {
        // Joins tell zeros apart and not NaNs; intervals do not agree.
        ScalarValue::Float32(_) | ScalarValue::Float64(_) | ScalarValue::Float16(_) => None,
        value => Some(Expr::Literal(value.clone(), None)),
    }
}

/// Returns whether a predicate is answered by bounds, dictionaries and indexes, or by few comparisons a row.
fn is_cheap(predicate: &Predicate, input: &SegmentInput) -> bool {
    match predicate {
        Predicate::True | Predicate::False | Predicate::Null { .. } => true,
        Predicate::And(parts) | Predicate::Or(parts) => parts.iter().all(|part| is_cheap(part, input)),
        Predicate::Value { column, test: Test::Intervals(intervals) } => {
            intervals.len() <= PLAIN_KEYS_MAX || has_dictionaries(*column, input)
        }
        Predicate::Value { test: Test::Truth(_), .. }
        | Predicate::AnyElement { .. }
        | Predicate::Rows { .. } => false,
    }
}

fn has_dictionaries(column: usize, input: &SegmentInput) -> bool {
    let InputColumn::Stored { field, .. } = &input.columns[column] else { return false };
    let mut segments = input.segments.iter();
    input.uses_indexes && segments.all(|segment| matches!(segment.dictionary(field), Ok(Some(_))))
}
