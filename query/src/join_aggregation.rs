//! Aggregates below joins: an aggregate over joined tables becomes one of the large table's rows, made before they are
//! joined, and one that puts its groups together (Yan and Larson, "Eager Aggregation and Lazy Aggregation", 1995).
//!
//! Rows of one table that are alike in all that joins, conditions and keys look at meet the same rows of the other tables.
//! Their group can be joined in their place, as often as each of them would have been, and brings along what is gathered
//! of them. The groups are made by the segment level, so the rows are never handed to a join.
//!
//! Rule: the table stands on a side of its joins that hands on each row with every match (inner), or whether or not
//! there is a match (outer, anti), or that is only tested (semi); everything that counts rows is about this table alone;
//! and by what metadata knows there are few groups for its rows.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, DFSchema, JoinType, TableReference};
use datafusion::error::Result;
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::{
    Aggregate as AggregateNode, Expr, Filter, Join, LogicalPlan, LogicalPlanBuilder,
};

use crate::grouping::{GroupEstimate, is_scan_of_table};
use crate::partial_aggregates::{GROUPS, Lowering, resolved, source_column};

/// There are at least so many rows for each group: fewer are joined as fast as they are grouped.
const ROWS_A_GROUP: usize = 8;

/// Rewrites every aggregate over joins for which that pays.
///
/// # Errors
/// When a rewritten plan does not fit together: a bug.
pub(crate) fn aggregate_below_joins(plan: LogicalPlan, props: &ExecutionProps) -> Result<LogicalPlan> {
    let rewritten = plan.transform_down_with_subqueries(|node| {
        let LogicalPlan::Aggregate(aggregate) = &node else { return Ok(Transformed::no(node)) };
        Ok(match rewritten(aggregate, props)? {
            Some(plan) => Transformed::yes(plan),
            None => Transformed::no(node),
        })
    });
    Ok(rewritten?.data)
}

fn rewritten(aggregate: &AggregateNode, props: &ExecutionProps) -> Result<Option<LogicalPlan>> {
    if aggregate.group_expr.iter().any(|expr| matches!(expr, Expr::GroupingSet(_))) {
        return Ok(None);
    }
    let mut paths = Vec::new();
    find_tables(&aggregate.input, &mut Vec::new(), &mut paths)?;
    for path in paths {
        let Some(spine) = Spine::along(&aggregate.input, &path)? else { continue };
        if let Some(plan) = spine.with_groups(aggregate, props)? {
            return Ok(Some(plan));
        }
    }
    Ok(None)
}

/// A side of a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// Finds the tables whose rows joins hand on as they are, and the sides of joins on the way to each of them.
fn find_tables(plan: &LogicalPlan, path: &mut Vec<Side>, found: &mut Vec<Vec<Side>>) -> Result<()> {
    if is_scan_of_table(plan)? {
        if !path.is_empty() {
            found.push(path.clone());
        }
        return Ok(());
    }
    match plan {
        LogicalPlan::SubqueryAlias(alias) => find_tables(&alias.input, path, found),
        LogicalPlan::Projection(projection) => find_tables(&projection.input, path, found),
        LogicalPlan::Filter(filter) => find_tables(&filter.input, path, found),
        LogicalPlan::Join(join) if !join.on.is_empty() => {
            for (side, input) in [(Side::Left, &join.left), (Side::Right, &join.right)] {
                if hands_on(join.join_type, side) {
                    path.push(side);
                    find_tables(input, path, found)?;
                    path.pop();
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Returns whether rows of one side that are alike in the join's keys share their fate in the join.
fn hands_on(join_type: JoinType, side: Side) -> bool {
    match join_type {
        JoinType::Inner => true,
        JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti => side == Side::Left,
        JoinType::Right | JoinType::RightSemi | JoinType::RightAnti => side == Side::Right,
        JoinType::Full | JoinType::LeftMark | JoinType::RightMark => false,
    }
}

/// The plan between an aggregate and one table, taken apart.
struct Spine {
    /// The table's scan, with the conditions and computations on it alone.
    source: LogicalPlan,
    /// What stands above it, from below.
    steps: Vec<Step>,
    /// What each column on top is: an expression over the source's columns and those of other sides.
    columns: Vec<Expr>,
}

/// One node between an aggregate and a table. Its expressions are over columns as [`Spine::columns`] says.
enum Step {
    Filter(Expr),
    Join(Box<JoinStep>),
}

struct JoinStep {
    join: Join,
    side: Side,
    /// Pairs of an expression over the table's side and one over the other.
    on: Vec<(Expr, Expr)>,
    filter: Option<Expr>,
}

impl Spine {
    /// Returns the spine along these sides of joins; nothing when an expression in it cannot be moved.
    fn along(plan: &LogicalPlan, path: &[Side]) -> Result<Option<Spine>> {
        if path.is_empty() && is_scan_of_table(plan)? {
            let columns = (0..plan.schema().fields().len()).map(source_column).collect();
            return Ok(Some(Spine { source: plan.clone(), steps: Vec::new(), columns }));
        }
        match plan {
            LogicalPlan::SubqueryAlias(alias) => Spine::along(&alias.input, path),
            LogicalPlan::Projection(projection) => {
                let Some(mut spine) = Spine::along(&projection.input, path)? else { return Ok(None) };
                let scope = [(projection.input.schema().as_ref(), &spine.columns[..])];
                let mut columns = Vec::with_capacity(projection.expr.len());
                for expr in &projection.expr {
                    let Some(column) = resolved(expr, &scope)? else { return Ok(None) };
                    columns.push(column);
                }
                spine.columns = columns;
                Ok(Some(spine))
            }
            LogicalPlan::Filter(filter) => {
                let Some(mut spine) = Spine::along(&filter.input, path)? else { return Ok(None) };
                let scope = [(filter.input.schema().as_ref(), &spine.columns[..])];
                let Some(condition) = resolved(&filter.predicate, &scope)? else { return Ok(None) };
                spine.steps.push(Step::Filter(condition));
                Ok(Some(spine))
            }
            LogicalPlan::Join(join) => Spine::through(join, path),
            _ => Ok(None),
        }
    }

    fn through(join: &Join, path: &[Side]) -> Result<Option<Spine>> {
        let Some((&side, path)) = path.split_first() else { return Ok(None) };
        let (own, other) = match side {
            Side::Left => (&join.left, &join.right),
            Side::Right => (&join.right, &join.left),
        };
        let Some(mut spine) = Spine::along(own, path)? else { return Ok(None) };
        let other_columns: Vec<Expr> = other.schema().columns().into_iter().map(Expr::Column).collect();
        let own_scope = (own.schema().as_ref(), &spine.columns[..]);
        let scopes = [own_scope, (other.schema().as_ref(), &other_columns[..])];
        let mut on = Vec::with_capacity(join.on.len());
        for (left, right) in &join.on {
            let (own, other) = if side == Side::Left { (left, right) } else { (right, left) };
            let Some(own) = resolved(own, &[own_scope])? else { return Ok(None) };
            on.push((own, other.clone()));
        }
        let filter = match &join.filter {
            Some(filter) => match resolved(filter, &scopes)? {
                Some(filter) => Some(filter),
                None => return Ok(None),
            },
            None => None,
        };
        let mut columns = Vec::with_capacity(join.schema.fields().len());
        let keeps_other = matches!(join.join_type, JoinType::Inner | JoinType::Left | JoinType::Right);
        let (own_columns, other_columns) =
            (spine.columns.clone(), if keeps_other { other_columns } else { Vec::new() });
        match side {
            Side::Left => columns.extend(own_columns.into_iter().chain(other_columns)),
            Side::Right => columns.extend(other_columns.into_iter().chain(own_columns)),
        }
        debug_assert_eq!(columns.len(), join.schema.fields().len());
        spine.columns = columns;
        spine.steps.push(Step::Join(Box::new(JoinStep { join: join.clone(), side, on, filter })));
        Ok(Some(spine))
    }

    /// Returns the aggregate over groups of the source's rows, where it can be made so and it pays.
    fn with_groups(self, aggregate: &AggregateNode, props: &ExecutionProps) -> Result<Option<LogicalPlan>> {
        let scope = [(aggregate.input.schema().as_ref(), &self.columns[..])];
        let mut lowering = Lowering::new(self.source.schema());
        let mut keys = Vec::with_capacity(aggregate.group_expr.len());
        for expr in &aggregate.group_expr {
            let Some(expr) = resolved(expr, &scope)? else { return Ok(None) };
            keys.push(lowering.lowered(expr)?);
        }
        let mut merged = Vec::with_capacity(aggregate.aggr_expr.len());
        for expr in &aggregate.aggr_expr {
            let Some(expr) = resolved(expr, &scope)? else { return Ok(None) };
            let Some(aggregate) = lowering.merged(expr)? else { return Ok(None) };
            merged.push(aggregate);
        }
        let mut steps = Vec::with_capacity(self.steps.len());
        for step in self.steps {
            steps.push(step.lowered(&mut lowering)?);
        }
        let Some(groups) = groups_where_they_pay(self.source, &lowering, props)? else { return Ok(None) };
        let mut plan = groups;
        for step in steps {
            let Some(above) = step.above(plan)? else { return Ok(None) };
            plan = above;
        }
        let keys = keys.into_iter().enumerate().map(|(at, key)| key.alias(format!("$group{at}")));
        let upper = AggregateNode::try_new(Arc::new(plan), keys.collect(), lowering.gathered())?;
        let upper_columns = upper.schema.columns();
        let (key_columns, gathered) = upper_columns.split_at(aggregate.group_expr.len());
        let mut results: Vec<Expr> = key_columns.iter().cloned().map(Expr::Column).collect();
        for merged in merged {
            results.push(merged.result(gathered)?);
        }
        let named = results.into_iter().zip(aggregate.schema.columns());
        let named =
            named.map(|(result, Column { relation, name, .. })| result.alias_qualified(relation, name));
        let plan = LogicalPlanBuilder::from(LogicalPlan::Aggregate(upper)).project(named)?.build()?;
        Ok(same_columns(plan.schema(), &aggregate.schema).then_some(plan))
    }
}

/// Returns the groups as a table of the names that expressions above know; nothing where rows had better be joined.
fn groups_where_they_pay(
    source: LogicalPlan,
    lowering: &Lowering,
    props: &ExecutionProps,
) -> Result<Option<LogicalPlan>> {
    let groups = AggregateNode::try_new(Arc::new(source), lowering.keys(), lowering.partials())?;
    let pays = match GroupEstimate::of(&groups, props)? {
        Some(estimate) => estimate.groups.saturating_mul(ROWS_A_GROUP) <= estimate.rows,
        None => false,
    };
    if !pays {
        return Ok(None);
    }
    let columns = groups.schema.columns();
    let named = columns.into_iter().map(|column| {
        let name = column.name.clone();
        Expr::Column(column).alias_qualified(Some(GROUPS), name)
    });
    let named: Vec<Expr> = named.collect();
    let plan = LogicalPlanBuilder::from(LogicalPlan::Aggregate(groups)).project(named)?.build()?;
    Ok(Some(plan))
}

impl Step {
    fn lowered(self, lowering: &mut Lowering) -> Result<Step> {
        Ok(match self {
            Step::Filter(condition) => Step::Filter(lowering.lowered(condition)?),
            Step::Join(step) => {
                let JoinStep { join, side, on, filter } = *step;
                let mut lowered = Vec::with_capacity(on.len());
                for (own, other) in on {
                    lowered.push((lowering.lowered(own)?, other));
                }
                let filter = filter.map(|filter| lowering.lowered(filter)).transpose()?;
                Step::Join(Box::new(JoinStep { join, side, on: lowered, filter }))
            }
        })
    }

    /// Puts the step above `plan`; nothing when columns of both sides share a name.
    fn above(self, plan: LogicalPlan) -> Result<Option<LogicalPlan>> {
        match self {
            Step::Filter(condition) => {
                Ok(Some(LogicalPlan::Filter(Filter::try_new(condition, Arc::new(plan))?)))
            }
            Step::Join(step) => step.above(plan),
        }
    }
}

impl JoinStep {
    /// The groups stand on the right side, where that is the same: joins look up their right side's rows in the left side,
    /// and then know which groups are needed before they are made.
    fn above(self, own: LogicalPlan) -> Result<Option<LogicalPlan>> {
        let JoinStep { join, side, on, filter } = self;
        let other = match side {
            Side::Left => Arc::unwrap_or_clone(join.right),
            Side::Right => Arc::unwrap_or_clone(join.left),
        };
        let shared = |column: &Column| other.schema().has_column(column);
        if own.schema().columns().iter().any(shared) {
            return Ok(None);
        }
        let join_type = match (side, join.join_type) {
            _ if join.null_aware => join.join_type,
            (Side::Left, join_type) => join_type.swap(),
            (Side::Right, join_type) => join_type,
        };
        let is_left = side == Side::Left && join.null_aware;
        let (left, right) = if is_left { (own, other) } else { (other, own) };
        let on = on.into_iter().map(|(own, other)| if is_left { (own, other) } else { (other, own) });
        let join = Join::try_new(
            Arc::new(left),
            Arc::new(right),
            on.collect(),
            filter,
            join_type,
            join.join_constraint,
            join.null_equality,
            join.null_aware,
        )?;
        Ok(Some(LogicalPlan::Join(join)))
    }
}

/// Returns whether plans above one schema can stand above the other.
fn same_columns(new: &DFSchema, old: &DFSchema) -> bool {
    new.iter().zip(old.iter()).all(
        |((new_table, new), (old_table, old)): ((Option<&TableReference>, _), _)| {
            new_table == old_table
                && new.name() == old.name()
                && new.data_type() == old.data_type()
                && new.metadata() == old.metadata()
                && (old.is_nullable() || !new.is_nullable())
        },
    )
}
