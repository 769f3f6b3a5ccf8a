//! Makes -0.0 equal to 0.0 in comparisons.
//!
//! Arrow compares floats by IEEE total order, in which -0.0 lies below 0.0; SQL, and Pinot with it, knows one zero. Stored
//! values have no -0.0, so columns of tables are compared as they are, and dictionaries, indexes and bounds hold. A zero
//! that is written is made 0.0 here, and to what is computed before it is compared 0.0 is added, which changes -0.0 alone.

use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, lit};
use datafusion::optimizer::AnalyzerRule;
use datafusion::scalar::ScalarValue;

/// The rule. It stands behind type coercion, when both sides of a comparison have one type.
#[derive(Debug)]
pub(crate) struct EqualZeros;

impl AnalyzerRule for EqualZeros {
    fn name(&self) -> &str {
        "equal_zeros"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        Ok(plan.transform_up_with_subqueries(one_zero_in)?.data)
    }
}

fn one_zero_in(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let names = NamePreserver::new(&node);
    let schema = merge_schema(&node.inputs());
    let reads_tables = node.inputs().into_iter().all(hands_on_tables);
    let operands = Operands { schema: &schema, columns_are_stored: reads_tables };
    let is_join = matches!(node, LogicalPlan::Join(_));
    let rewritten = node.map_expressions(|expr| {
        let name = names.save(&expr);
        let mut done = expr.transform_up(|inner| operands.of_comparison(inner))?;
        if is_join {
            // Keys of a join are compared without a comparison being written.
            done = done.transform_data(|key| operands.with_one_zero(key))?;
        }
        Ok(done.update_data(|expr| name.restore(expr)))
    })?;
    rewritten.map_data(LogicalPlan::recompute_schema)
}

/// Returns whether all columns of a plan are columns of tables.
fn hands_on_tables(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::TableScan(_) => true,
        LogicalPlan::Filter(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Join(_)
        | LogicalPlan::Distinct(_)
        | LogicalPlan::Union(_) => plan.inputs().into_iter().all(hands_on_tables),
        LogicalPlan::Projection(projection) => {
            let is_column = |expr: &Expr| matches!(expr.clone().unalias(), Expr::Column(_));
            projection.expr.iter().all(is_column) && hands_on_tables(&projection.input)
        }
        _ => false,
    }
}

/// What is compared in one node of a plan.
struct Operands<'a> {
    schema: &'a DFSchema,
    columns_are_stored: bool,
}

impl Operands<'_> {
    fn of_comparison(&self, expr: Expr) -> Result<Transformed<Expr>> {
        match &expr {
            Expr::BinaryExpr(BinaryExpr { op, .. }) if compares(*op) => {}
            Expr::Between(_) | Expr::InList(_) => {}
            Expr::Case(case) if case.expr.is_some() => {}
            // Elements of lists are compared with constants by functions.
            Expr::ScalarFunction(function) if function.func.name().starts_with('$') => {
                return expr.map_children(|child| Ok(zero_written(child)));
            }
            _ => return Ok(Transformed::no(expr)),
        }
        if let Expr::Case(mut case) = expr {
            case.expr = case.expr.map(|compared| self.boxed(*compared)).transpose()?;
            for (when, _) in &mut case.when_then_expr {
                *when = self.boxed((**when).clone())?;
            }
            return Ok(Transformed::yes(Expr::Case(case)));
        }
        expr.map_children(|child| self.with_one_zero(child))
    }

    fn boxed(&self, expr: Expr) -> Result<Box<Expr>> {
        Ok(Box::new(self.with_one_zero(expr)?.data))
    }

    fn with_one_zero(&self, expr: Expr) -> Result<Transformed<Expr>> {
        match expr {
            Expr::Literal(..) => return Ok(zero_written(expr)),
            Expr::Column(_) if self.columns_are_stored => return Ok(Transformed::no(expr)),
            // Its value is none but 0.0; see `Parameter::value`.
            Expr::Placeholder(_) => return Ok(Transformed::no(expr)),
            Expr::Cast(cast) if is_exact(&cast.expr.get_type(self.schema)?) => {
                return Expr::Cast(cast).map_children(|inner| self.with_one_zero(inner));
            }
            _ => {}
        }
        let zero = match expr.get_type(self.schema)? {
            DataType::Float64 => lit(0.0_f64),
            DataType::Float32 => lit(0.0_f32),
            _ => return Ok(Transformed::no(expr)),
        };
        Ok(Transformed::yes(Expr::BinaryExpr(BinaryExpr::new(
            Box::new(expr),
            Operator::Plus,
            Box::new(zero),
        ))))
    }
}

/// Returns whether a cast from this type makes -0.0 of nothing but itself: texts are read, and may be `-0`.
fn is_exact(data_type: &DataType) -> bool {
    data_type.is_numeric() || matches!(data_type, DataType::Timestamp(..) | DataType::Boolean)
}

fn compares(op: Operator) -> bool {
    matches!(
        op,
        Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom
    )
}

fn zero_written(expr: Expr) -> Transformed<Expr> {
    let zero = match &expr {
        Expr::Literal(ScalarValue::Float64(Some(value)), _) if value.is_sign_negative() && *value == 0.0 => {
            ScalarValue::from(0.0_f64)
        }
        Expr::Literal(ScalarValue::Float32(Some(value)), _) if value.is_sign_negative() && *value == 0.0 => {
            ScalarValue::from(0.0_f32)
        }
        _ => return Transformed::no(expr),
    };
    Transformed::yes(Expr::Literal(zero, None))
}
