//! The names that Pinot gives to result columns without an alias: `count(*)`, `sum(price)`, `add(a,sub(b,'3'))`.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DateTimeField, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator,
};

use super::literals::Literal;
use super::syntax::{function_name, is_distinct, unwrapped};
use super::syntax_forms::subscript;

/// Returns the name of a result column. Constants stand as written outside of calls, and in quotes inside.
pub(super) fn name_of(expr: &Expr) -> String {
    match Literal::of(expr) {
        Some(Literal::Text(text)) => format!("'{text}'"),
        Some(Literal::Number(text)) => text,
        Some(Literal::Boolean(value)) => value.to_string(),
        Some(Literal::Bytes(digits)) => digits,
        Some(Literal::Null) => "null".into(),
        None => nested_name(expr),
    }
}

/// Returns the name of an expression inside a call.
pub(super) fn nested_name(expr: &Expr) -> String {
    if let Some(literal) = Literal::of(expr) {
        return match literal {
            Literal::Text(text) | Literal::Number(text) | Literal::Bytes(text) => format!("'{text}'"),
            Literal::Boolean(value) => format!("'{value}'"),
            Literal::Null => "null".into(),
        };
    }
    match unwrapped(expr) {
        Expr::Identifier(name) => name.value.clone(),
        Expr::BinaryOp { left, op, right } => called(operator_name(op), &[left, right]),
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => called("not", &[expr]),
        Expr::UnaryOp { expr, .. } => called("minus", &[expr]),
        Expr::IsNull(expr) => called("is_null", &[expr]),
        Expr::IsNotNull(expr) => called("is_not_null", &[expr]),
        Expr::Between { expr, low, high, .. } => called("between", &[expr, low, high]),
        Expr::Like { expr, pattern, .. } => called("like", &[expr, pattern]),
        Expr::InList { expr, list, negated, .. } => {
            let name = if *negated { "not_in" } else { "in" };
            called(name, &std::iter::once(&**expr).chain(list).collect::<Vec<_>>())
        }
        Expr::Cast { expr, data_type, .. } => {
            format!("cast({},'{}')", nested_name(expr), data_type.to_string().to_uppercase())
        }
        Expr::Extract { field, expr, .. } => {
            format!("extract('{}',{})", field_name(field), nested_name(expr))
        }
        Expr::Ceil { expr, .. } => called("ceil", &[expr]),
        Expr::Floor { expr, .. } => called("floor", &[expr]),
        Expr::Trim { expr, .. } => called("trim", &[expr]),
        Expr::Substring { expr, substring_from, substring_for, shorthand, .. } => {
            let bounds = substring_from.iter().chain(substring_for).map(|bound| &**bound);
            let name = if *shorthand { "substr" } else { "substring" };
            called(name, &std::iter::once(&**expr).chain(bounds).collect::<Vec<_>>())
        }
        Expr::Case { operand, conditions, else_result, .. } => {
            let pairs = conditions.iter().flat_map(|when| [&when.condition, &when.result]);
            let parts = operand.iter().map(|operand| &**operand).chain(pairs).chain(else_result.as_deref());
            called("case", &parts.collect::<Vec<_>>())
        }
        Expr::Function(function) => {
            let name = function_name(function);
            let distinct_count = name == "count" && is_distinct(function);
            let name = if distinct_count { "distinctcount" } else { &name };
            let FunctionArguments::List(list) = &function.args else { return format!("{name}()") };
            format!("{name}({})", list.args.iter().map(argument_name).collect::<Vec<_>>().join(","))
        }
        Expr::CompoundFieldAccess { .. } => match subscript(expr) {
            Some((of, key)) => called("item", &[&of, &key]),
            None => expr.to_string(),
        },
        other => other.to_string(),
    }
}

fn called(name: &str, arguments: &[&Expr]) -> String {
    let arguments: Vec<String> = arguments.iter().map(|argument| nested_name(argument)).collect();
    format!("{name}({})", arguments.join(","))
}

fn argument_name(argument: &FunctionArg) -> String {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => nested_name(expr),
        FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => "*".into(),
        other => other.to_string(),
    }
}

fn field_name(field: &DateTimeField) -> String {
    field.to_string().to_uppercase()
}

fn operator_name(op: &BinaryOperator) -> &'static str {
    match op {
        BinaryOperator::Plus => "add",
        BinaryOperator::Minus => "sub",
        BinaryOperator::Multiply => "mult",
        BinaryOperator::Divide => "div",
        BinaryOperator::Modulo => "mod",
        BinaryOperator::StringConcat => "concat",
        BinaryOperator::Eq => "equals",
        BinaryOperator::NotEq => "not_equals",
        BinaryOperator::Lt => "less_than",
        BinaryOperator::LtEq => "less_than_or_equal",
        BinaryOperator::Gt => "greater_than",
        BinaryOperator::GtEq => "greater_than_or_equal",
        BinaryOperator::And => "and",
        BinaryOperator::Or => "or",
        _ => "operator",
    }
}
