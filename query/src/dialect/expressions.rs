//! The single-stage meaning of operators and functions, written with DataFusion's.
//!
//! Children are rewritten before their parents, so every rule sees operands whose types it can tell: a column's from the
//! schema, a constant's from how it is written, and DOUBLE for whatever arithmetic and SUM, MIN, MAX, AVG return.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

use arrow::datatypes::DataType as ArrowType;
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DuplicateTreatment, Expr, Function, Query, UnaryOperator, Value as SqlValue, VisitMut,
    VisitorMut,
};
use meunier_functions::{Functions, empty_value, percentile_suffix, period_ms};
use meunier_segment::schema::{ComplexType, DataType, FieldRole};

use super::columns::Scope;
use super::elements::Elements;
use super::embedded;
use super::literals::Literal;
use super::multi_value;
use super::parameters::Parameters;
use super::syntax::{
    arguments, binary, call, call_of, cast, column, concatenation, function_name, is_distinct, not, number,
    text, unwrapped, value,
};
use super::syntax_forms::{as_call, subscript};
use crate::error::QueryError;
use crate::lookup::Dimensions;
use crate::planner::pinot_type;
use crate::table_columns::{TableColumn, null_flag_name};

/// Rewrites the expressions of one single-stage query.
pub(super) struct Expressions<'a> {
    pub(super) scope: &'a Scope<'a>,
    /// Whether the query shows nulls.
    pub(super) null_handling: bool,
    pub(super) functions: &'a Functions,
    pub(super) now_ms: i64,
    /// What `LOOKUP` looks into.
    pub(super) dimensions: &'a Dimensions,
    /// What GROUP BY or DISTINCT takes apart.
    pub(super) elements: Vec<Elements>,
    /// Flags for nulls that the rewritten query needs.
    pub(super) virtual_columns: BTreeSet<String>,
    /// Constants that become parameters, while WHERE is rewritten.
    pub(super) parameters: Option<RefCell<Parameters<'a>>>,
}

impl Expressions<'_> {
    /// Rewrites an expression whose columns are resolved.
    ///
    /// # Errors
    /// When it means nothing in this dialect.
    pub(super) fn rewrite(&mut self, expr: &mut Expr) -> Result<(), QueryError> {
        match expr.visit(self) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(error) => Err(error),
        }
    }

    fn rewritten(&mut self, expr: &Expr) -> Result<Option<Expr>, QueryError> {
        match expr {
            Expr::BinaryOp { left, op, right } => self.operator(left, op, right),
            Expr::UnaryOp { op: UnaryOperator::Minus, expr: inner } if Literal::of(expr).is_none() => {
                let negated = Expr::UnaryOp {
                    op: UnaryOperator::Minus,
                    expr: Box::new(self.double((**inner).clone())),
                };
                Ok(Some(Expr::Nested(Box::new(negated))))
            }
            Expr::IsNull(inner) => Ok(self.null_test(inner)),
            Expr::IsNotNull(inner) => Ok(self.null_test(inner).map(not)),
            Expr::InList { expr, list, negated } => self.in_list(expr, list, *negated).map(Some),
            Expr::Between { expr, negated, low, high } => self.between(expr, *negated, low, high).map(Some),
            Expr::Like { expr, pattern, negated, .. } if self.is_multi_value(expr) => {
                let found = multi_value::like(expr, pattern)?;
                Ok(Some(if *negated { not(found) } else { found }))
            }
            Expr::Function(function) => self.function(function),
            Expr::CompoundFieldAccess { .. } => match subscript(expr) {
                Some((of, key)) => self.item(&of, &key).map(Some),
                None => Ok(None),
            },
            other => Ok(as_call(other)),
        }
    }

    fn operator(
        &mut self,
        left: &Expr,
        op: &BinaryOperator,
        right: &Expr,
    ) -> Result<Option<Expr>, QueryError> {
        match op {
            BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Modulo => Ok(Some(self.arithmetic(left.clone(), op.clone(), right.clone()))),
            BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq => self.comparison(left, op, right).map(Some),
            BinaryOperator::StringConcat => {
                Ok(Some(concatenation("$concat", self.text(left.clone()), self.text(right.clone()))))
            }
            _ => Ok(None),
        }
    }

    /// `left op right` as DOUBLE, or as BIG_DECIMAL when either side is one and the operation keeps it exact.
    fn arithmetic(&self, left: Expr, op: BinaryOperator, right: Expr) -> Expr {
        let decimal = [&left, &right].iter().any(|side| self.type_of(side) == Some(DataType::BigDecimal));
        let exact = matches!(op, BinaryOperator::Plus | BinaryOperator::Minus);
        let computed = match decimal && exact {
            true => binary(cast(left, DataType::BigDecimal), op, cast(right, DataType::BigDecimal)),
            false => binary(self.double(left), op, self.double(right)),
        };
        if decimal { cast(computed, DataType::BigDecimal) } else { Expr::Nested(Box::new(computed)) }
    }

    fn comparison(&self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Result<Expr, QueryError> {
        if self.is_multi_value(left) {
            return multi_value::compare(left, op, &self.constant_for(left, right)?);
        }
        if self.is_multi_value(right) {
            return multi_value::compare(right, &flipped(op), &self.constant_for(right, left)?);
        }
        let (left, right) = (self.fit(left, right)?, self.fit(right, left)?);
        Ok(binary(left, op.clone(), right))
    }

    /// Returns `expr` as it can be compared with `other`: a constant in the other's type, a number as a moment where
    /// moments are compared.
    fn fit(&self, expr: &Expr, other: &Expr) -> Result<Expr, QueryError> {
        let Some(wanted) = self.type_of(other) else { return Ok(expr.clone()) };
        if Literal::of(other).is_some() {
            return Ok(expr.clone());
        }
        if let Some(literal) = Literal::of(expr) {
            let parameter = self.parameters.as_ref().and_then(|parameters| {
                self.scope.column_of(other)?;
                parameters.borrow_mut().take(expr, wanted)
            });
            return parameter.map_or_else(|| literal.read_as(wanted), Ok);
        }
        let number = matches!(self.type_of(expr), Some(DataType::Int | DataType::Long));
        Ok(if number && wanted == DataType::Timestamp {
            cast(expr.clone(), DataType::Timestamp)
        } else {
            expr.clone()
        })
    }

    fn in_list(&self, expr: &Expr, list: &[Expr], negated: bool) -> Result<Expr, QueryError> {
        let mut fitted = Vec::with_capacity(list.len());
        if self.is_multi_value(expr) {
            for constant in list {
                fitted.push(self.constant_for(expr, constant)?);
            }
            let found = multi_value::is_in(expr, fitted);
            return Ok(if negated { not(found) } else { found });
        }
        for constant in list {
            fitted.push(self.fit(constant, expr)?);
        }
        Ok(Expr::InList { expr: Box::new(expr.clone()), list: fitted, negated })
    }

    fn between(&self, expr: &Expr, negated: bool, low: &Expr, high: &Expr) -> Result<Expr, QueryError> {
        if self.is_multi_value(expr) {
            let found =
                multi_value::between(expr, self.constant_for(expr, low)?, self.constant_for(expr, high)?);
            return Ok(if negated { not(found) } else { found });
        }
        let (low, high) = (Box::new(self.fit(low, expr)?), Box::new(self.fit(high, expr)?));
        let expr = Box::new(match (Literal::of(expr), self.type_of(&low)) {
            (Some(literal), Some(wanted)) if Literal::of(&low).is_none() => literal.read_as(wanted)?,
            _ => expr.clone(),
        });
        Ok(Expr::Between { expr, negated, low, high })
    }

    /// Without null handling a column is never null, but it is known where it was.
    fn null_test(&mut self, expr: &Expr) -> Option<Expr> {
        match self.scope.column_of(expr)? {
            TableColumn::Stored { field, shows_nulls: false } => {
                let flag = null_flag_name(&field.name);
                self.virtual_columns.insert(flag.clone());
                Some(column(&flag))
            }
            _ => None,
        }
    }

    fn function(&mut self, function: &Function) -> Result<Option<Expr>, QueryError> {
        let name = function_name(function);
        let Some(arguments) = arguments(function) else { return Ok(None) };
        let operator = match name.as_str() {
            "add" | "plus" => Some(BinaryOperator::Plus),
            "sub" | "minus" => Some(BinaryOperator::Minus),
            "mult" | "times" => Some(BinaryOperator::Multiply),
            // With a third argument, which stands for the quotient by zero, it is a function.
            "div" | "divide" if arguments.len() == 2 => Some(BinaryOperator::Divide),
            "mod" => Some(BinaryOperator::Modulo),
            "equals" => Some(BinaryOperator::Eq),
            "notequals" => Some(BinaryOperator::NotEq),
            "greaterthan" => Some(BinaryOperator::Gt),
            "greaterthanorequal" => Some(BinaryOperator::GtEq),
            "lessthan" => Some(BinaryOperator::Lt),
            "lessthanorequal" => Some(BinaryOperator::LtEq),
            _ => None,
        };
        if let Some(operator) = operator {
            return self.operator_call(&name, operator, arguments).map(Some);
        }
        match (name.as_str(), &arguments[..]) {
            ("now", []) => Ok(Some(number(self.now_ms))),
            ("ago", [period]) => ago(period, self.now_ms).map(Some),
            ("isnull", [inner]) => {
                Ok(Some(self.null_test(inner).unwrap_or_else(|| Expr::IsNull(Box::new(inner.clone())))))
            }
            ("isnotnull", [inner]) => {
                Ok(Some(self.null_test(inner).map_or_else(|| Expr::IsNotNull(Box::new(inner.clone())), not)))
            }
            ("neg" | "negate", [inner]) => Ok(Some(Expr::Nested(Box::new(Expr::UnaryOp {
                op: UnaryOperator::Minus,
                expr: Box::new(self.double(inner.clone())),
            })))),
            ("like", [inner, pattern]) if !self.is_multi_value(inner) => Ok(Some(Expr::Like {
                negated: false,
                any: false,
                expr: Box::new(inner.clone()),
                pattern: Box::new(pattern.clone()),
                escape_char: None,
            })),
            ("like", [inner, pattern]) => multi_value::like(inner, pattern).map(Some),
            ("regexplike", [inner, pattern]) if self.is_multi_value(inner) => {
                multi_value::regexp(inner, pattern).map(Some)
            }
            ("item", [of, key]) => self.item(of, key).map(Some),
            ("funnelcount", parts) => Ok(self.own_aggregate(&name, function, embedded::funnel_count(parts)?)),
            (_, with_texts) if embedded::has_filters(&name, with_texts) => {
                let mut arguments = arguments;
                embedded::read_filters(&mut arguments, self.functions)?;
                let last = arguments.len() - 1;
                for filter in arguments.iter_mut().take(last).skip(2) {
                    self.scope.resolve(filter, &mut self.virtual_columns)?;
                    self.rewrite(filter)?;
                }
                Ok(self.own_aggregate(&name, function, arguments))
            }
            ("lookup", arguments) => self.dimensions.call(arguments).map(Some),
            _ => self.aggregate(&name, function, arguments),
        }
    }

    /// Returns the value of a MAP column's key, or the element of a multi-value column at a position.
    fn item(&self, of: &Expr, key: &Expr) -> Result<Expr, QueryError> {
        let Some(TableColumn::Stored { field, shows_nulls }) = self.scope.column_of(of) else {
            return Ok(call("item", vec![of.clone(), key.clone()]));
        };
        if !field.single_value {
            let name = match field.data_type {
                DataType::Int => "arrayelementatint",
                DataType::Long => "arrayelementatlong",
                DataType::Float => "arrayelementatfloat",
                DataType::Double => "arrayelementatdouble",
                DataType::String => "arrayelementatstring",
                DataType::BigDecimal
                | DataType::Boolean
                | DataType::Timestamp
                | DataType::Json
                | DataType::Bytes => "item",
            };
            return Ok(call(name, vec![of.clone(), key.clone()]));
        }
        let FieldRole::Complex(ComplexType::Map(values)) = &field.role else {
            return Ok(call("item", vec![of.clone(), key.clone()]));
        };
        let Some(Literal::Text(key)) = Literal::of(key) else {
            return Err(QueryError::invalid(format!(
                "a key of the MAP column `{}` is a text in quotes",
                field.name
            )));
        };
        let path = format!("$['{}']", key.replace('\\', "\\\\").replace('\'', "\\'"));
        let default = match (shows_nulls, values.default_null_value.to_json()) {
            (true, _) => value(SqlValue::Null),
            (false, serde_json::Value::String(written)) => text(written),
            (false, other) => text(other.to_string()),
        };
        let found = vec![of.clone(), text(path), text(values.data_type.name()), default];
        Ok(cast(call("jsonextractscalar", found), values.data_type))
    }

    fn operator_call(
        &self,
        name: &str,
        operator: BinaryOperator,
        arguments: Vec<Expr>,
    ) -> Result<Expr, QueryError> {
        let many = matches!(operator, BinaryOperator::Plus | BinaryOperator::Multiply);
        if arguments.len() < 2 || (arguments.len() > 2 && !many) {
            return Err(QueryError::invalid(format!(
                "`{name}` takes two arguments, not {}",
                arguments.len()
            )));
        }
        let mut arguments = arguments.into_iter();
        let first = arguments.next().expect("there are two");
        arguments.try_fold(first, |left, right| match operator {
            BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Modulo => Ok(self.arithmetic(left, operator.clone(), right)),
            _ => self.comparison(&left, &operator, &right),
        })
    }

    fn aggregate(
        &self,
        name: &str,
        function: &Function,
        arguments: Vec<Expr>,
    ) -> Result<Option<Expr>, QueryError> {
        let filter = function.filter.clone();
        let duplicates = is_distinct(function).then_some(DuplicateTreatment::Distinct);
        let make = |name: &str, duplicates, arguments| {
            Expr::Function(call_of(name, duplicates, arguments, filter.clone()))
        };
        let distinct = Some(DuplicateTreatment::Distinct);
        let as_double = |argument: &Expr| self.double(argument.clone());
        if let Some(of_elements) = self.over_elements(name, function, &arguments) {
            return Ok(Some(of_elements));
        }
        let [argument] = &arguments[..] else { return Ok(self.own_aggregate(name, function, arguments)) };
        Ok(Some(match name {
            "count" if is_distinct(function) => cast(make("count", distinct, arguments), DataType::Int),
            "distinctcount" | "distinctcountbitmap" | "distinctcountoffheap" => {
                cast(make("count", distinct, arguments), DataType::Int)
            }
            // Exact: the segment level counts values quicker than a sketch takes them in.
            "distinctcounthllplus" | "distinctcountull"
                if !self.is_multi_value(argument) && self.type_of(argument) != Some(DataType::Bytes) =>
            {
                make("count", distinct, arguments)
            }
            "sum" => self.or_when_empty(make("sum", duplicates, vec![as_double(argument)]), "0.0"),
            "distinctsum" => self.or_when_empty(make("sum", distinct, vec![as_double(argument)]), "0.0"),
            "avg" => self.or_when_empty(make("avg", duplicates, vec![as_double(argument)]), "-Infinity"),
            "distinctavg" => {
                self.or_when_empty(make("avg", distinct, vec![as_double(argument)]), "-Infinity")
            }
            "min" | "max" if self.is_text_column(argument) => {
                return Ok(self.own_aggregate(&format!("{name}string"), function, arguments));
            }
            "min" | "max" if self.type_of(argument) == Some(DataType::String) => make(name, None, arguments),
            "min" => self
                .or_when_empty(self.extreme(argument, &|argument| make("min", None, argument)), "Infinity"),
            "max" => self
                .or_when_empty(self.extreme(argument, &|argument| make("max", None, argument)), "-Infinity"),
            "minmaxrange" => {
                let largest = self.extreme(argument, &|argument| make("max", None, argument));
                let smallest = self.extreme(argument, &|argument| make("min", None, argument));
                self.or_when_empty(binary(largest, BinaryOperator::Minus, smallest), "-Infinity")
            }
            "varpop" | "varsamp" | "variance" | "stddevpop" | "stddevsamp" | "stddev" => {
                self.or_when_empty(make(name, duplicates, vec![as_double(argument)]), "-Infinity")
            }
            _ => return Ok(self.own_aggregate(name, function, arguments)),
        }))
    }

    /// An aggregate of a multi-value column is one of all its elements.
    fn over_elements(&self, name: &str, function: &Function, arguments: &[Expr]) -> Option<Expr> {
        if !arguments.first().is_some_and(|argument| self.is_multi_value(argument)) {
            return None;
        }
        let name = match name {
            "count" if is_distinct(function) => "distinctcountmv",
            "sum" | "min" | "max" | "avg" => {
                return self.own_aggregate(&format!("{name}mv"), function, arguments.to_vec());
            }
            "minmaxrange" | "distinctsum" | "distinctavg" => name,
            "distinctcount" | "distinctcountbitmap" | "distinctcountoffheap" => "distinctcountmv",
            _ => return None,
        };
        self.own_aggregate(name, function, arguments.to_vec())
    }

    /// An aggregate that exists under Pinot's name. Without null handling it has a value also over no row.
    fn own_aggregate(&self, name: &str, function: &Function, arguments: Vec<Expr>) -> Option<Expr> {
        let (name, arguments) = match (name, function.within_group.is_empty()) {
            (_, true) => (name, arguments),
            ("listagg", false) => ("$listaggordered", embedded::ordered_list(function, arguments)),
            // Its order would be lost; DataFusion says what it makes of it.
            (_, false) => return None,
        };
        let (name, arguments) = match (percentile_suffix(name), &arguments[..]) {
            (Some((base, percentile)), [column, rest @ ..]) => {
                let column = column.clone();
                (base, [column, number(percentile)].into_iter().chain(rest.iter().cloned()).collect())
            }
            _ => (name.to_owned(), arguments),
        };
        self.functions.aggregate(&name)?;
        let duplicates = is_distinct(function).then_some(DuplicateTreatment::Distinct);
        let aggregate = Expr::Function(call_of(&name, duplicates, arguments, function.filter.clone()));
        let empty = match empty_value(&name) {
            Some(ScalarValue::Float64(Some(value))) if value.is_nan() => cast(text("NaN"), DataType::Double),
            Some(ScalarValue::Float64(Some(value))) if value.is_infinite() => {
                cast(text(if value > 0.0 { "Infinity" } else { "-Infinity" }), DataType::Double)
            }
            Some(ScalarValue::Float64(Some(value))) => cast(text(value.to_string()), DataType::Double),
            Some(ScalarValue::Int64(Some(value))) => cast(text(value.to_string()), DataType::Long),
            Some(ScalarValue::Utf8(Some(value))) => text(value),
            _ => return Some(aggregate),
        };
        Some(match self.null_handling {
            true => aggregate,
            false => call("coalesce", vec![aggregate, empty]),
        })
    }

    /// Returns a minimum or maximum as DOUBLE. Of a column it is taken in the column's type, which metadata can answer.
    fn extreme(&self, argument: &Expr, make: &dyn Fn(Vec<Expr>) -> Expr) -> Expr {
        match self.type_of(argument) {
            Some(
                DataType::Int | DataType::Long | DataType::Float | DataType::Timestamp | DataType::BigDecimal,
            ) => cast(make(vec![argument.clone()]), DataType::Double),
            _ => make(vec![self.double(argument.clone())]),
        }
    }

    /// Without null handling an aggregate over no row has a value, which is Pinot's own for each.
    fn or_when_empty(&self, aggregate: Expr, value: &str) -> Expr {
        match self.null_handling {
            true => aggregate,
            false => call("coalesce", vec![aggregate, cast(text(value), DataType::Double)]),
        }
    }

    fn double(&self, expr: Expr) -> Expr {
        match self.type_of(&expr) {
            Some(DataType::Double) if Literal::of(&expr).is_none() => expr,
            _ => cast(expr, DataType::Double),
        }
    }

    fn text(&self, expr: Expr) -> Expr {
        match self.type_of(&expr) {
            Some(DataType::String | DataType::Json) => expr,
            _ => cast(expr, DataType::String),
        }
    }

    fn constant_for(&self, column: &Expr, constant: &Expr) -> Result<Expr, QueryError> {
        let found = self.scope.column_of(column).expect("only columns are multi-value");
        match Literal::of(constant) {
            Some(literal) => literal.read_as(found.data_type()),
            None => Err(QueryError::invalid(format!(
                "multi-value column `{}` is compared with constants only",
                found.name()
            ))),
        }
    }

    fn is_text_column(&self, expr: &Expr) -> bool {
        self.scope.column_of(expr).is_some_and(|found| found.data_type() == DataType::String)
    }

    fn is_multi_value(&self, expr: &Expr) -> bool {
        self.scope.column_of(expr).is_some_and(|found| found.is_multi_value())
    }

    /// Returns the type of an expression, where it can be told.
    fn type_of(&self, expr: &Expr) -> Option<DataType> {
        if let Some(literal) = Literal::of(expr) {
            return literal.data_type();
        }
        match unwrapped(expr) {
            Expr::Identifier(name) => match self.scope.column_of(expr) {
                Some(column) => Some(column.data_type()),
                None => self.elements.iter().find(|known| known.alias == name.value)?.data_type,
            },
            Expr::Cast { data_type, .. } => pinot_type(data_type),
            Expr::BinaryOp { op, .. } => match op {
                BinaryOperator::Plus
                | BinaryOperator::Minus
                | BinaryOperator::Multiply
                | BinaryOperator::Divide
                | BinaryOperator::Modulo => Some(DataType::Double),
                _ => Some(DataType::Boolean),
            },
            Expr::UnaryOp { op: UnaryOperator::Minus, .. } => Some(DataType::Double),
            Expr::UnaryOp { op: UnaryOperator::Not, .. }
            | Expr::InList { .. }
            | Expr::Between { .. }
            | Expr::Like { .. }
            | Expr::IsNull(_)
            | Expr::IsNotNull(_) => Some(DataType::Boolean),
            Expr::Function(function) => match function_name(function).as_str() {
                "count" => Some(DataType::Long),
                "sum" | "avg" | "coalesce" => {
                    arguments(function)?.first().and_then(|first| self.type_of(first))
                }
                "$concat" => Some(DataType::String),
                name => self.functions.result_type(name).and_then(pinot_type_of),
            },
            Expr::Trim { .. } | Expr::Substring { .. } => Some(DataType::String),
            _ => None,
        }
    }
}

impl VisitorMut for Expressions<'_> {
    type Break = QueryError;

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<QueryError> {
        ControlFlow::Break(QueryError::invalid("a sub-query needs the multi-stage engine"))
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<QueryError> {
        match self.rewritten(expr) {
            Ok(Some(rewritten)) => *expr = rewritten,
            Ok(None) => {}
            Err(error) => return ControlFlow::Break(error),
        }
        ControlFlow::Continue(())
    }
}

/// Returns Pinot's type of a function's results, where there is one of single values.
fn pinot_type_of(result: &ArrowType) -> Option<DataType> {
    DataType::ALL.into_iter().find(|data_type| data_type.arrow() == *result)
}

/// `a < b` is `b > a`.
fn flipped(op: &BinaryOperator) -> BinaryOperator {
    match op {
        BinaryOperator::Lt => BinaryOperator::Gt,
        BinaryOperator::LtEq => BinaryOperator::GtEq,
        BinaryOperator::Gt => BinaryOperator::Lt,
        BinaryOperator::GtEq => BinaryOperator::LtEq,
        same => same.clone(),
    }
}

/// Returns the moment that lies an ISO-8601 period before now, as milliseconds since the epoch.
pub(super) fn ago(period: &Expr, now_ms: i64) -> Result<Expr, QueryError> {
    let written = match Literal::of(period) {
        Some(Literal::Text(written)) => written,
        Some(_) => {
            return Err(QueryError::invalid(
                "`ago` takes an ISO-8601 duration in quotes, such as 'PT1H' or 'P1D'",
            ));
        }
        None => return Ok(call("$ago", vec![period.clone(), number(now_ms)])),
    };
    match period_ms(&written).and_then(|period| now_ms.checked_sub(period)) {
        Some(moment) => Ok(number(moment)),
        None => {
            Err(QueryError::invalid(format!("`{written}` is no ISO-8601 duration such as 'PT1H' or 'P1D'")))
        }
    }
}

/// Returns TRUE as a literal.
pub(super) fn truth() -> Expr {
    value(SqlValue::Boolean(true))
}
