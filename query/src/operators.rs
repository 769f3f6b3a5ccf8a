//! Operators between types that DataFusion does not bring together by itself, by the rules of Pinot's multi-stage planner.
//!
//! A moment is milliseconds since the epoch to every whole number beside it. `array[n]` is the element at a place, from 1.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{DFSchema, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr, RawFieldAccessExpr};
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprSchemable, GetFieldAccess, Operator, binary_expr, cast,
};
use datafusion::sql::sqlparser::ast::BinaryOperator;
use meunier_functions::Functions;

/// The operator that the dialect writes for a quotient with its fraction.
const EXACT_DIVISION: &str = "$divide";
const MOMENT: DataType = DataType::Timestamp(TimeUnit::Millisecond, None);

/// Returns the division whose result is no whole number, also of whole numbers.
pub(crate) fn exact_division() -> BinaryOperator {
    BinaryOperator::Custom(EXACT_DIVISION.into())
}

/// The rules.
#[derive(Debug)]
pub(crate) struct PinotOperators {
    functions: Functions,
}

impl PinotOperators {
    pub(crate) fn new() -> PinotOperators {
        PinotOperators { functions: Functions::load() }
    }
}

impl ExprPlanner for PinotOperators {
    fn plan_binary_op(
        &self,
        written: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        let RawBinaryExpr { op, left, right } = written;
        if matches!(&op, BinaryOperator::Custom(name) if name == EXACT_DIVISION) {
            let whole = left.get_type(schema)?.is_integer() && right.get_type(schema)?.is_integer();
            let left = if whole { cast(left, DataType::Float64) } else { left };
            return Ok(PlannerResult::Planned(binary_expr(left, Operator::Divide, right)));
        }
        let (left, right) = match &op {
            BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq => comparable(left, right, schema)?,
            BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Modulo => (as_number(left, &right, schema)?, right),
            _ => (left, right),
        };
        let right = match &op {
            BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Modulo => as_number(right, &left, schema)?,
            _ => right,
        };
        Ok(PlannerResult::Original(RawBinaryExpr { op, left, right }))
    }

    fn plan_field_access(
        &self,
        access: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        let RawFieldAccessExpr { field_access, expr } = access;
        let GetFieldAccess::ListIndex { key } = field_access else {
            return Ok(PlannerResult::Original(RawFieldAccessExpr { field_access, expr }));
        };
        let DataType::List(item) = expr.get_type(schema)? else {
            return plan_err!("`[…]` takes an element of a multi-value column, and `{expr}` is none");
        };
        let name = match item.data_type() {
            DataType::Int32 => "arrayElementAtInt",
            DataType::Int64 => "arrayElementAtLong",
            DataType::Float32 => "arrayElementAtFloat",
            DataType::Float64 => "arrayElementAtDouble",
            DataType::Utf8 | DataType::Utf8View => "arrayElementAtString",
            other => return plan_err!("`[…]` takes no element of type {other}"),
        };
        match self.functions.scalar(name) {
            Some(function) => Ok(PlannerResult::Planned(function.call(vec![expr, *key]))),
            None => plan_err!("function `{name}` does not exist"),
        }
    }
}

/// Brings the sides of a comparison together when one is a moment and the other a whole number. A column is left as it
/// is where the other side is none, so that its indexes and bounds still count.
fn comparable(left: Expr, right: Expr, schema: &DFSchema) -> Result<(Expr, Expr)> {
    if is_condition(&left) || is_condition(&right) {
        return Ok((left, right));
    }
    let (left_type, right_type) = (left.get_type(schema)?, right.get_type(schema)?);
    Ok(match (is_moment(&left_type), is_moment(&right_type)) {
        (true, false) if right_type.is_integer() => beside_number(left, right),
        (false, true) if left_type.is_integer() => {
            let (right, left) = beside_number(right, left);
            (left, right)
        }
        _ => (left, right),
    })
}

/// Returns a moment and a number in one type.
fn beside_number(moment: Expr, number: Expr) -> (Expr, Expr) {
    let is_column = |expr: &Expr| matches!(expr, Expr::Column(_));
    match is_column(&moment) && !is_column(&number) {
        true => (moment, cast(cast(number, DataType::Int64), MOMENT)),
        false => (cast(moment, DataType::Int64), number),
    }
}

/// Returns an operand of arithmetic: a moment as its milliseconds, unless an interval is added to it.
///
/// Only operands whose type is known at once are looked at: the type of a chain takes time in its length, at each link.
fn as_number(operand: Expr, other: &Expr, schema: &DFSchema) -> Result<Expr> {
    let known = |expr: &Expr| match expr {
        Expr::Column(_) | Expr::Literal(..) | Expr::Cast(_) => expr.get_type(schema).map(Some),
        _ => Ok(None),
    };
    let is_interval = matches!(known(other)?, Some(DataType::Interval(_) | DataType::Duration(_)));
    Ok(match known(&operand)? {
        Some(data_type) if is_moment(&data_type) && !is_interval => cast(operand, DataType::Int64),
        _ => operand,
    })
}

fn is_moment(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(..))
}

/// Whether an expression is true or false by its operator, which tells without a look at what is inside.
fn is_condition(expr: &Expr) -> bool {
    matches!(expr, Expr::BinaryExpr(BinaryExpr { op, .. })
        if matches!(op, Operator::And | Operator::Or) || op.supports_propagation())
}
