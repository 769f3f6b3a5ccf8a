//! Conditions on functions of time, as conditions on the time itself.
//!
//! `dateTrunc('day', ts) = 1612137600000` stays as it is and is tested row by row; but it holds only for rows whose `ts` lies in
//! that day, and of this bounds, zone maps and indexes know.

use std::ops::Bound;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{InList, ScalarFunction};
use datafusion::logical_expr::{Between, BinaryExpr, Cast, Expr, Operator};
use datafusion::scalar::ScalarValue;
use meunier_execution::input::InputColumn;
use meunier_execution::predicate::{Interval, Predicate, all_of};
use meunier_functions::monotonic::{self, Monotonic};
use meunier_segment::schema::DataType as FieldType;
use meunier_segment::value::Value;

use crate::predicate::{ColumnUnderCast, PredicateContext, Whole, column_of, literal_of, of_ints, whole};

impl PredicateContext<'_> {
    /// Returns the rows for which a condition on a function of time is true, or with `negated` false; nothing when the condition
    /// is another one.
    pub(crate) fn of_time(&self, expr: &Expr, negated: bool) -> Result<Option<Predicate>> {
        let Some(necessary) = self.necessary(expr, negated) else { return Ok(None) };
        Ok(Some(all_of(vec![necessary, self.computed(expr, negated)?])))
    }

    /// Returns what must hold of the column alone.
    fn necessary(&self, expr: &Expr, negated: bool) -> Option<Predicate> {
        let (call, results) = match expr {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                let (call, literal, op) = match (call_of(left), call_of(right)) {
                    (Some(call), None) => (call, literal_of(right)?, *op),
                    (None, Some(call)) => (call, literal_of(left)?, op.swap()?),
                    _ => return None,
                };
                let op = if negated { op.negate()? } else { op };
                if op == Operator::NotEq {
                    return None;
                }
                (call, whole(op, number_of(literal)?.as_ref())?)
            }
            Expr::Between(Between { expr, negated: outside, low, high }) if *outside == negated => {
                let (low, _) = whole(Operator::GtEq, number_of(literal_of(low)?)?.as_ref())??;
                let (_, high) = whole(Operator::LtEq, number_of(literal_of(high)?)?.as_ref())??;
                (call_of(expr)?, Some((low, high)))
            }
            Expr::InList(InList { expr, list, negated: outside }) if *outside == negated => {
                let mut hull: Option<Whole> = None;
                for value in list {
                    if let Some((low, high)) = whole(Operator::Eq, number_of(literal_of(value)?)?.as_ref())? {
                        hull =
                            Some(hull.map_or((low, high), |(least, most)| (least.min(low), most.max(high))));
                    }
                }
                (call_of(expr)?, hull)
            }
            _ => return None,
        };
        let constants: Vec<_> = call.args.iter().map(literal_of).collect();
        let function = Monotonic::of_call(call.func.name(), &constants)?;
        let column = column_of(&call.args[function.argument()])?;
        let position = self.schema.index_of(column.name).ok()?;
        let InputColumn::Stored { field, .. } = &self.columns[position] else { return None };
        if !field.single_value {
            return None;
        }
        let inputs = results
            .filter(|(low, high)| low <= high)
            .and_then(|(from, to)| function.inverse(monotonic::Interval { from, to }));
        let Some(inputs) = inputs else { return Some(Predicate::False) };
        let interval = interval_of(field.data_type, &column, inputs)?;
        Some(self.within(position, interval.into_iter().collect(), false))
    }
}

/// Returns the call that is compared, a cast of its result to a type that holds all of it taken off.
fn call_of(expr: &Expr) -> Option<&ScalarFunction> {
    match expr {
        Expr::ScalarFunction(call) => Some(call),
        Expr::Cast(Cast { expr, field }) => {
            let keeps_order = matches!(field.data_type(), DataType::Int64 | DataType::Float64)
                || *field.data_type() == DataType::Timestamp(TimeUnit::Millisecond, None);
            call_of(expr).filter(|_| keeps_order)
        }
        _ => None,
    }
}

/// Returns a constant that results are compared with as a number; times are milliseconds.
fn number_of(literal: &ScalarValue) -> Option<std::borrow::Cow<'_, ScalarValue>> {
    use std::borrow::Cow;
    match literal {
        ScalarValue::TimestampMillisecond(ms @ Some(_), None) => Some(Cow::Owned(ScalarValue::Int64(*ms))),
        ScalarValue::Utf8(_) | ScalarValue::Utf8View(_) | ScalarValue::LargeUtf8(_) => None,
        literal => Some(Cow::Borrowed(literal)),
    }
}

/// Returns the interval in the column's own type; `Some(None)` when it has no such value, nothing for other types.
#[expect(clippy::option_option, reason = "no value and no answer are different")]
fn interval_of(
    data_type: FieldType,
    column: &ColumnUnderCast<'_>,
    inputs: monotonic::Interval,
) -> Option<Option<Interval>> {
    let is_time = |data_type: &DataType| *data_type == DataType::Timestamp(TimeUnit::Millisecond, None);
    let between = |of: fn(i64) -> Value| {
        Some(Interval { low: Bound::Included(of(inputs.from)), high: Bound::Included(of(inputs.to)) })
    };
    match (data_type, column.cast) {
        (FieldType::Int, None | Some(DataType::Int64)) => Some(of_ints(inputs.from, inputs.to)),
        (FieldType::Long, None) => Some(between(Value::Long)),
        (FieldType::Long, Some(cast)) if is_time(cast) => Some(between(Value::Long)),
        (FieldType::Timestamp, None | Some(DataType::Int64)) => Some(between(Value::Timestamp)),
        _ => None,
    }
}
