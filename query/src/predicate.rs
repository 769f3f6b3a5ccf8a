//! From DataFusion's conditions to predicates of the segment level.
//!
//! Comparisons of a column with constants become intervals of the column's own type, casts that the planner put around the
//! column taken off where that changes no answer. What is not understood stays a computation: on the values of one column
//! where it reads only one, else on rows.

use std::any::Any;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Bound;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, SchemaRef, TimeUnit};
use datafusion::error::Result;
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::expr::{InList, Like, ScalarFunction};
use datafusion::logical_expr::{Between, BinaryExpr, Cast, Expr, Operator};
use datafusion::scalar::ScalarValue;
use meunier_execution::compute::Compute;
use meunier_execution::error::ExecutionError;
use meunier_execution::input::InputColumn;
use meunier_execution::predicate::{Interval, Predicate, Test, all_of, complement};
use meunier_segment::schema::DataType as FieldType;
use meunier_segment::value::{BIG_DECIMAL_SCALE, Value};

use crate::compute::Computation;
use crate::json_match::JsonMatch;
use crate::text_prefix::{Prefixed, prefix_of};
use meunier_functions::multi_value::ElementTest;

/// What conditions are read against.
pub(crate) struct PredicateContext<'a> {
    /// The table's columns; predicates count in them.
    pub(crate) columns: &'a [InputColumn],
    /// The same as Arrow describes them.
    pub(crate) schema: &'a SchemaRef,
    pub(crate) props: &'a ExecutionProps,
}

/// Whole numbers from the first to the second, both included.
pub(crate) type Whole = (i64, i64);

impl PredicateContext<'_> {
    /// Returns the rows for which all `conditions` are true.
    ///
    /// # Errors
    /// When a condition names a column that the table does not have.
    pub(crate) fn all(&self, conditions: &[Expr]) -> Result<Predicate> {
        let mut parts = Vec::with_capacity(conditions.len());
        for condition in conditions {
            parts.push(self.of(condition, false)?);
        }
        Ok(all_of(parts))
    }

    /// Returns the rows for which `expr` is true, or with `negated` those for which it is false.
    fn of(&self, expr: &Expr, negated: bool) -> Result<Predicate> {
        match expr {
            Expr::Alias(alias) => self.of(&alias.expr, negated),
            Expr::Not(inner) => self.of(inner, !negated),
            Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right }) => {
                let parts = vec![self.of(left, negated)?, self.of(right, negated)?];
                Ok(match (*op == Operator::And) != negated {
                    true => all_of(parts),
                    false => Predicate::Or(parts),
                })
            }
            Expr::Literal(ScalarValue::Boolean(truth), _) => Ok(match truth {
                Some(truth) if *truth != negated => Predicate::True,
                _ => Predicate::False,
            }),
            _ => match self.understood(expr, negated)? {
                Some(predicate) => Ok(predicate),
                None => self.computed(expr, negated),
            },
        }
    }

    fn understood(&self, expr: &Expr, negated: bool) -> Result<Option<Predicate>> {
        match expr {
            Expr::Column(column) => {
                let Ok(column) = self.schema.index_of(&column.name) else { return Ok(None) };
                Ok(match &self.columns[column] {
                    InputColumn::NullFlag(_) => Some(Predicate::Null { column, negated }),
                    InputColumn::Stored { field, .. } if field.data_type == FieldType::Boolean => {
                        Some(self.within(column, vec![Interval::of(Value::Boolean(!negated))], false))
                    }
                    _ => None,
                })
            }
            Expr::IsNull(inner) => Ok(self.null(inner, negated)),
            Expr::IsNotNull(inner) => Ok(self.null(inner, !negated)),
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                let (column, literal, op) = match (column_of(left), literal_of(right)) {
                    (Some(column), Some(literal)) => (column, literal, *op),
                    _ => match (literal_of(left), column_of(right), op.swap()) {
                        (Some(literal), Some(column), Some(op)) => (column, literal, op),
                        _ => return self.of_time(expr, negated),
                    },
                };
                Ok(self.compared(&column, op, literal, negated))
            }
            Expr::Between(Between { expr: value, negated: outside, low, high }) => {
                let (Some(column), Some(low), Some(high)) =
                    (column_of(value), literal_of(low), literal_of(high))
                else {
                    return self.of_time(expr, negated);
                };
                let outside = *outside != negated;
                let low = self.compared(&column, Operator::GtEq, low, outside);
                let high = self.compared(&column, Operator::LtEq, high, outside);
                Ok(low.zip(high).map(|(low, high)| match outside {
                    true => Predicate::Or(vec![low, high]),
                    false => all_of(vec![low, high]),
                }))
            }
            Expr::InList(list) if column_of(&list.expr).is_none() => self.of_time(expr, negated),
            Expr::InList(list) => Ok(self.listed(list, negated)),
            Expr::Like(like) => Ok(self.like(like, negated)),
            Expr::ScalarFunction(function) if function.func.name() == "jsonmatch" => {
                self.json_match(function, negated)
            }
            Expr::ScalarFunction(function) if function.func.name() == "textmatch" => {
                self.text_match(function, negated)
            }
            Expr::ScalarFunction(function) => self.any_element(function, negated),
            _ => Ok(None),
        }
    }

    fn null(&self, inner: &Expr, negated: bool) -> Option<Predicate> {
        let Expr::Column(column) = inner else { return None };
        let column = self.schema.index_of(&column.name).ok()?;
        match &self.columns[column] {
            InputColumn::Stored { shows_nulls: true, .. } => Some(Predicate::Null { column, negated }),
            _ => Some(if negated { Predicate::True } else { Predicate::False }),
        }
    }

    fn compared(
        &self,
        column: &ColumnUnderCast<'_>,
        op: Operator,
        literal: &ScalarValue,
        negated: bool,
    ) -> Option<Predicate> {
        let position = self.schema.index_of(column.name).ok()?;
        let InputColumn::Stored { field, .. } = &self.columns[position] else { return None };
        if !field.single_value {
            return None;
        }
        if literal.is_null() {
            return Some(Predicate::False);
        }
        let interval = interval(field.data_type, column.cast, op, literal)?;
        // `<>` comes as the negation of `=`.
        let outside = (op == Operator::NotEq) != negated;
        Some(self.within(position, interval.into_iter().collect(), outside))
    }

    fn listed(&self, list: &InList, negated: bool) -> Option<Predicate> {
        let column = column_of(&list.expr)?;
        let mut parts = Vec::with_capacity(list.list.len());
        let negated = list.negated != negated;
        for value in &list.list {
            let literal = literal_of(value)?;
            if literal.is_null() {
                // Nothing equals null, and of nothing is it known that it does not.
                if negated {
                    return Some(Predicate::False);
                }
                continue;
            }
            parts.push(self.compared(&column, Operator::Eq, literal, negated)?);
        }
        if negated {
            return Some(all_of(parts));
        }
        self.union(parts)
    }

    /// Returns single values of one column as one test.
    fn union(&self, parts: Vec<Predicate>) -> Option<Predicate> {
        let mut all = Vec::with_capacity(parts.len());
        let mut of = None;
        for part in parts {
            match part {
                Predicate::False => {}
                Predicate::Value { column, test: Test::Intervals(intervals) } => {
                    of = Some(column);
                    all.extend(intervals.iter().cloned());
                }
                _ => return None,
            }
        }
        let Some(column) = of else { return Some(Predicate::False) };
        all.sort_by(|a, b| low_of(a).compare(low_of(b)).unwrap_or(std::cmp::Ordering::Equal));
        all.dedup();
        Some(Predicate::Value { column, test: Test::Intervals(all.into()) })
    }

    pub(crate) fn within(&self, column: usize, intervals: Vec<Interval>, outside: bool) -> Predicate {
        let intervals = if outside { complement(&intervals) } else { intervals };
        if intervals.is_empty() {
            return Predicate::False;
        }
        Predicate::Value { column, test: Test::Intervals(intervals.into()) }
    }

    fn like(&self, like: &Like, negated: bool) -> Option<Predicate> {
        if like.case_insensitive || like.escape_char.is_some() {
            return None;
        }
        let column = column_of(&like.expr).filter(|column| column.cast.is_none())?;
        let position = self.schema.index_of(column.name).ok()?;
        let InputColumn::Stored { field, .. } = &self.columns[position] else { return None };
        let is_text = matches!(field.data_type, FieldType::String | FieldType::Json);
        let pattern = literal_of(&like.pattern)?.try_as_str()??;
        if !is_text || !field.single_value || pattern.contains(['_', '\\']) {
            return None;
        }
        let negated = like.negated != negated;
        let text = |text: &str| Value::String(text.into());
        let interval = match pattern.split_once('%') {
            None => Interval::of(text(pattern)),
            Some((prefix, "")) => {
                let high =
                    following_text(prefix).map_or(Bound::Unbounded, |next| Bound::Excluded(text(&next)));
                Interval { low: Bound::Included(text(prefix)), high }
            }
            Some(_) => return None,
        };
        Some(self.within(position, vec![interval], negated))
    }

    /// `jsonMatch(column, 'condition')`.
    fn json_match(&self, function: &ScalarFunction, negated: bool) -> Result<Option<Predicate>> {
        let [of, condition] = &function.args[..] else { return Ok(None) };
        let Some(column) = column_of(of).filter(|column| column.cast.is_none()) else { return Ok(None) };
        let Some(condition) = literal_of(condition).and_then(|literal| literal.try_as_str().flatten()) else {
            return Ok(None);
        };
        let column = self.schema.index_of(column.name)?;
        let InputColumn::Stored { field, .. } = &self.columns[column] else { return Ok(None) };
        if !field.single_value || !matches!(field.data_type, FieldType::String | FieldType::Json) {
            return Ok(None);
        }
        let matching = JsonMatch::new(condition, self.schema.field(column), negated)?;
        Ok(Some(Predicate::Value { column, test: Test::Truth(Arc::new(matching)) }))
    }

    /// `$mv…(column, constant, …)`.
    fn any_element(&self, function: &ScalarFunction, negated: bool) -> Result<Option<Predicate>> {
        let name = function.func.name();
        let Some(test) = ElementTest::ALL.into_iter().find(|test| test.function_name() == name) else {
            return Ok(None);
        };
        let Some((Expr::Column(column), arguments)) = function.args.split_first() else { return Ok(None) };
        let column = self.schema.index_of(&column.name)?;
        if !matches!(&self.columns[column], InputColumn::Stored { field, .. } if !field.single_value) {
            return Ok(None);
        }
        let mut constants = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let Some(constant) = literal_of(argument) else { return Ok(None) };
            constants.push(constant.clone());
        }
        let test = Test::Truth(Arc::new(ElementTruth { test, constants }));
        Ok(Some(Predicate::AnyElement { column, test, negated }))
    }

    pub(crate) fn computed(&self, expr: &Expr, negated: bool) -> Result<Predicate> {
        let condition = if negated { Expr::Not(Box::new(expr.clone())) } else { expr.clone() };
        let computed = Computation::of(&condition, self.schema, self.props)?;
        if computed.data_type == DataType::Null {
            return Ok(Predicate::False);
        }
        if let [column] = computed.columns[..]
            && matches!(&self.columns[column], InputColumn::Stored { field, .. } if field.single_value)
        {
            let compute = match prefix_of(&condition) {
                Some(prefix) => Arc::new(Prefixed { prefix, compute: computed.compute }),
                None => computed.compute,
            };
            return Ok(Predicate::Value { column, test: Test::Truth(compute) });
        }
        Ok(Predicate::Rows { columns: computed.columns, truth: computed.compute })
    }
}

/// A test of elements, as a computation over their values.
#[derive(Debug, PartialEq, Hash)]
struct ElementTruth {
    test: ElementTest,
    constants: Vec<ScalarValue>,
}

impl Compute for ElementTruth {
    fn compute(&self, inputs: &[ArrayRef], _rows: usize) -> std::result::Result<ArrayRef, ExecutionError> {
        let failed = |error| ExecutionError::Compute(Box::new(error));
        let holds = self.test.apply(&inputs[0], &self.constants).map_err(failed)?;
        debug_assert_eq!(holds.len(), inputs[0].len());
        Ok(Arc::new(holds))
    }

    fn hash_code(&self) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        Some(hasher.finish())
    }

    fn is_same(&self, other: &dyn Compute) -> bool {
        let other: &dyn Any = other;
        other.downcast_ref::<ElementTruth>().is_some_and(|other| self == other)
    }
}

/// A column, and the type it is cast to before it is compared.
pub(crate) struct ColumnUnderCast<'a> {
    pub(crate) name: &'a str,
    pub(crate) cast: Option<&'a DataType>,
}

pub(crate) fn column_of(expr: &Expr) -> Option<ColumnUnderCast<'_>> {
    match expr {
        Expr::Column(column) => Some(ColumnUnderCast { name: &column.name, cast: None }),
        Expr::Cast(Cast { expr, field }) => match &**expr {
            Expr::Column(column) => {
                Some(ColumnUnderCast { name: &column.name, cast: Some(field.data_type()) })
            }
            _ => None,
        },
        _ => None,
    }
}

pub(crate) fn literal_of(expr: &Expr) -> Option<&ScalarValue> {
    match expr {
        Expr::Literal(literal, _) => Some(literal),
        Expr::Alias(alias) => literal_of(&alias.expr),
        _ => None,
    }
}

fn low_of(interval: &Interval) -> &Value {
    match &interval.low {
        Bound::Included(value) | Bound::Excluded(value) => value,
        Bound::Unbounded => unreachable!("single values have bounds"),
    }
}

/// Returns the values for which `value op literal` is true, `<>` read as `=`: `Some(None)` when there is none, and
/// nothing when the comparison is not understood.
fn interval(
    data_type: FieldType,
    cast: Option<&DataType>,
    op: Operator,
    literal: &ScalarValue,
) -> Option<Option<Interval>> {
    match (data_type, cast) {
        (FieldType::Int, None | Some(DataType::Int64 | DataType::Float64))
        | (FieldType::Long, None | Some(DataType::Float64)) => {
            let (low, high) = match whole(op, literal)? {
                Some(bounds) => bounds,
                None => return Some(None),
            };
            Some(match data_type {
                FieldType::Int => of_ints(low, high),
                _ => Some(Interval {
                    low: Bound::Included(Value::Long(low)),
                    high: Bound::Included(Value::Long(high)),
                }),
            })
        }
        (FieldType::Double, None) => match literal {
            ScalarValue::Float64(Some(value)) => of_value(op, Value::Double(*value)),
            _ => None,
        },
        (FieldType::Float, None) => match literal {
            ScalarValue::Float32(Some(value)) => of_value(op, Value::Float(*value)),
            _ => None,
        },
        (FieldType::Timestamp, None) => match literal {
            ScalarValue::TimestampMillisecond(Some(value), None) => of_value(op, Value::Timestamp(*value)),
            _ => None,
        },
        (FieldType::Boolean, None) => match literal {
            ScalarValue::Boolean(Some(value)) => of_value(op, Value::Boolean(*value)),
            _ => None,
        },
        (FieldType::String | FieldType::Json, None | Some(DataType::Utf8View | DataType::Utf8)) => {
            of_value(op, Value::String(literal.try_as_str()??.into()))
        }
        (FieldType::Bytes, None) => match literal {
            ScalarValue::Binary(Some(value)) | ScalarValue::BinaryView(Some(value)) => {
                of_value(op, Value::Bytes(value.as_slice().into()))
            }
            _ => None,
        },
        (FieldType::BigDecimal, None) => match literal {
            ScalarValue::Decimal256(Some(value), _, scale) if *scale == BIG_DECIMAL_SCALE => {
                of_value(op, Value::BigDecimal(*value))
            }
            _ => None,
        },
        _ => None,
    }
}

#[expect(clippy::option_option, reason = "no interval and no answer are different")]
fn of_value(op: Operator, value: Value) -> Option<Option<Interval>> {
    let interval = match op {
        Operator::Eq | Operator::NotEq => Interval::of(value),
        Operator::Lt => Interval { low: Bound::Unbounded, high: Bound::Excluded(value) },
        Operator::LtEq => Interval { low: Bound::Unbounded, high: Bound::Included(value) },
        Operator::Gt => Interval { low: Bound::Excluded(value), high: Bound::Unbounded },
        Operator::GtEq => Interval { low: Bound::Included(value), high: Bound::Unbounded },
        _ => return None,
    };
    Some(Some(interval))
}

pub(crate) fn of_ints(low: i64, high: i64) -> Option<Interval> {
    let low = low.max(i64::from(i32::MIN));
    let high = high.min(i64::from(i32::MAX));
    let int = |value: i64| i32::try_from(value).map(Value::Int).ok().map(Bound::Included);
    (low <= high).then_some(())?;
    Some(Interval { low: int(low)?, high: int(high)? })
}

/// Returns the whole numbers for which `number op literal` is true; `Some(None)` when there is none.
#[expect(clippy::option_option, reason = "no number and no answer are different")]
pub(crate) fn whole(op: Operator, literal: &ScalarValue) -> Option<Option<Whole>> {
    let int = match literal {
        ScalarValue::Int8(Some(value)) => i64::from(*value),
        ScalarValue::Int16(Some(value)) => i64::from(*value),
        ScalarValue::Int32(Some(value)) => i64::from(*value),
        ScalarValue::Int64(Some(value)) => *value,
        ScalarValue::Float64(Some(value)) => return whole_of_float(op, *value),
        _ => return None,
    };
    Some(match op {
        Operator::Eq | Operator::NotEq => Some((int, int)),
        Operator::Lt => int.checked_sub(1).map(|high| (i64::MIN, high)),
        Operator::LtEq => Some((i64::MIN, int)),
        Operator::Gt => int.checked_add(1).map(|low| (low, i64::MAX)),
        Operator::GtEq => Some((int, i64::MAX)),
        _ => return None,
    })
}

/// A whole number is cast to a float before it is compared. Below 2^53 that is exact, and larger numbers stay larger.
#[expect(clippy::option_option, reason = "no number and no answer are different")]
#[expect(clippy::cast_possible_truncation, reason = "the float lies far within the range")]
fn whole_of_float(op: Operator, value: f64) -> Option<Option<Whole>> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.is_nan() || value.abs() >= EXACT || value == 0.0 && value.is_sign_negative() {
        return None;
    }
    let (floor, is_whole) = (value.floor() as i64, value.fract() == 0.0);
    Some(match op {
        Operator::Eq | Operator::NotEq => is_whole.then_some((floor, floor)),
        Operator::Lt if is_whole => Some((i64::MIN, floor - 1)),
        Operator::Lt | Operator::LtEq => Some((i64::MIN, floor)),
        Operator::GtEq if is_whole => Some((floor, i64::MAX)),
        Operator::Gt | Operator::GtEq => Some((floor + 1, i64::MAX)),
        _ => return None,
    })
}

/// Returns the smallest text that is greater than every text that begins with `prefix`; nothing when there is none.
fn following_text(prefix: &str) -> Option<String> {
    let mut letters: Vec<char> = prefix.chars().collect();
    while let Some(last) = letters.pop() {
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            letters.push(next);
            return Some(letters.into_iter().collect());
        }
    }
    None
}

/// Returns whether a type is a time in milliseconds, as TIMESTAMP columns are.
pub(crate) fn is_millis(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(TimeUnit::Millisecond, None))
}
