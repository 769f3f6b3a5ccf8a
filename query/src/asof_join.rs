//! ASOF joins: each row of the left side meets at most one row of the right side, the nearest one that fits.
//!
//! The dialect writes such a join as one whose whole condition is the call [`NEAREST`], which holds MATCH_CONDITION and ON.
//! Here it becomes a plain join on both, in which each left row has a number, and of each number's rows the one nearest is
//! kept. So the work grows with the rows that fit, not only with those that are nearest.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, DFSchema, plan_err};
use datafusion::error::Result;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::expr::{ScalarFunction, Sort};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, ExprFunctionExt, Join, LogicalPlan, LogicalPlanBuilder, Operator,
    ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};

/// The call that stands as condition of an ASOF join: `(MATCH_CONDITION, ON)`.
pub(crate) const NEAREST: &str = "$asof";

const LEFT_ROW: &str = "$asof_row";
const NEARNESS: &str = "$asof_nearness";

/// Returns the function of [`NEAREST`], which is planned and never called.
pub(crate) fn nearest_function() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(Nearest { signature: Signature::any(2, Volatility::Immutable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Nearest {
    signature: Signature,
}

impl ScalarUDFImpl for Nearest {
    fn name(&self) -> &str {
        NEAREST
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        plan_err!("`{NEAREST}` stands for an ASOF join alone")
    }
}

/// Returns a plan in which ASOF joins are made of joins and windows.
///
/// # Errors
/// When a condition is none that an ASOF join can have.
pub(crate) fn join_nearest(plan: LogicalPlan) -> Result<LogicalPlan> {
    let joined = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Join(join) => match conditions(&join) {
            Some((matched, on)) => Ok(Transformed::yes(nearest_rows(join, matched, on)?)),
            None => Ok(Transformed::no(LogicalPlan::Join(join))),
        },
        other => Ok(Transformed::no(other)),
    })?;
    Ok(joined.data)
}

/// Returns MATCH_CONDITION and ON of an ASOF join.
fn conditions(join: &Join) -> Option<(Expr, Expr)> {
    match &join.filter {
        Some(Expr::ScalarFunction(ScalarFunction { func, args })) if func.name() == NEAREST => {
            match &args[..] {
                [matched, on] => Some((matched.clone(), on.clone())),
                _ => None,
            }
        }
        _ => None,
    }
}

fn nearest_rows(join: Join, matched: Expr, on: Expr) -> Result<LogicalPlan> {
    let sides = Sides { left: join.left.schema(), right: join.right.schema() };
    sides.check_keys(&on)?;
    let order = sides.nearest_first(&matched)?;
    let number = |name: &str| Expr::Column(Column::from_name(name));
    let numbered = LogicalPlanBuilder::from(Arc::unwrap_or_clone(join.left))
        .window([row_number().alias(LEFT_ROW)])?
        .build()?;
    let columns = join
        .schema
        .iter()
        .map(|(relation, field)| Expr::Column(Column::new(relation.cloned(), field.name())));
    let nearness = row_number().partition_by(vec![number(LEFT_ROW)]).order_by(vec![order]).build()?;
    LogicalPlanBuilder::from(numbered)
        .join_on(Arc::unwrap_or_clone(join.right), join.join_type, [on, matched])?
        .window([nearness.alias(NEARNESS)])?
        .filter(number(NEARNESS).eq(lit(1_u64)))?
        .project(columns.collect::<Vec<_>>())?
        .build()
}

/// The columns of both sides.
struct Sides<'a> {
    left: &'a DFSchema,
    right: &'a DFSchema,
}

impl Sides<'_> {
    fn check_keys(&self, on: &Expr) -> Result<()> {
        let is_key = |key: &&Expr| match key {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => {
                (of(left, self.left) && of(right, self.right))
                    || (of(left, self.right) && of(right, self.left))
            }
            _ => false,
        };
        match split_conjunction(on).iter().all(is_key) {
            true => Ok(()),
            false => plan_err!(
                "ASOF JOIN condition must be a conjunction of equality comparisons of columns from both sides"
            ),
        }
    }

    /// Returns the order of the right side's rows by their distance from a left row, the nearest first.
    fn nearest_first(&self, matched: &Expr) -> Result<Sort> {
        let found = match matched {
            Expr::BinaryExpr(BinaryExpr { left, op, right })
                if of(left, self.left) && of(right, self.right) =>
            {
                rises_away(*op).map(|rises| (right, rises))
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right })
                if of(left, self.right) && of(right, self.left) =>
            {
                rises_away(*op).map(|rises| (left, !rises))
            }
            _ => None,
        };
        match found {
            Some((expr, rises)) => Ok(Sort::new((**expr).clone(), rises, false)),
            None => plan_err!(
                "ASOF JOIN MATCH_CONDITION must be a comparison between columns from the two inputs"
            ),
        }
    }
}

/// Whether the right operand's values that fit lie above the left operand, and so the nearest is the least of them.
fn rises_away(op: Operator) -> Option<bool> {
    match op {
        Operator::Lt | Operator::LtEq => Some(true),
        Operator::Gt | Operator::GtEq => Some(false),
        _ => None,
    }
}

/// Whether an expression is computed from columns of one side.
fn of(expr: &Expr, side: &DFSchema) -> bool {
    let columns = expr.column_refs();
    !columns.is_empty() && columns.into_iter().all(|column| side.has_column(column))
}
