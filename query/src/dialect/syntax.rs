//! Pieces of syntax tree that the rewrites build and take apart.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, DataType as SqlType, DuplicateTreatment, Expr, Function, FunctionArg,
    FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident, ObjectName, UnaryOperator, Value,
    ValueWithSpan,
};
use datafusion::sql::sqlparser::tokenizer::Span;
use meunier_segment::schema::DataType;

use meunier_functions::canonical;

/// Returns a quoted identifier, which keeps its case.
pub(super) fn quoted(name: &str) -> Ident {
    Ident::with_quote('"', name)
}

/// Returns a column by its exact name.
pub(super) fn column(name: &str) -> Expr {
    Expr::Identifier(quoted(name))
}

/// Returns a call of a function of our map.
pub(crate) fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    Expr::Function(call_of(name, None, arguments, None))
}

/// Returns a call with all that an aggregate may have.
pub(super) fn call_of(
    name: &str,
    duplicates: Option<DuplicateTreatment>,
    arguments: Vec<Expr>,
    filter: Option<Box<Expr>>,
) -> Function {
    let args =
        arguments.into_iter().map(|argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))).collect();
    Function {
        name: ObjectName::from(vec![quoted(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: duplicates,
            args,
            clauses: Vec::new(),
        }),
        filter,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    }
}

/// Returns the canonical name of a called function; empty for a name with a dot in it.
pub(crate) fn function_name(function: &Function) -> String {
    match &function.name.0[..] {
        [part] => part.as_ident().map(|name| canonical(&name.value)).unwrap_or_default(),
        _ => String::new(),
    }
}

/// Returns a call's arguments, or nothing when one is no plain expression (`*`, a named argument).
pub(crate) fn arguments(function: &Function) -> Option<Vec<Expr>> {
    let FunctionArguments::List(list) = &function.args else { return Some(Vec::new()) };
    let plain = list.args.iter().map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    });
    plain.collect()
}

/// Returns the text that a literal is.
pub(crate) fn constant_text(expr: &Expr) -> Option<String> {
    match unwrapped(expr) {
        Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), .. }) => Some(text.clone()),
        _ => None,
    }
}

/// Returns whether a call says DISTINCT.
pub(super) fn is_distinct(function: &Function) -> bool {
    matches!(&function.args, FunctionArguments::List(list)
        if list.duplicate_treatment == Some(DuplicateTreatment::Distinct))
}

/// Returns `concat(left, right)` by the function of this name. A chain becomes one call, which is planned once and not
/// once a link.
pub(super) fn concatenation(name: &str, left: Expr, right: Expr) -> Expr {
    let mut parts = match &left {
        Expr::Function(function) if function_name(function) == name => {
            arguments(function).unwrap_or_default()
        }
        _ => Vec::new(),
    };
    if parts.is_empty() {
        parts.push(left);
    }
    parts.push(right);
    call(name, parts)
}

/// Returns `CAST(expr AS …)`.
pub(crate) fn cast(expr: Expr, data_type: DataType) -> Expr {
    let name = |name: &str| SqlType::Custom(ObjectName::from(vec![Ident::new(name)]), Vec::new());
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(expr),
        data_type: name(data_type.name()),
        array: false,
        format: None,
    }
}

/// Returns `(left op right)`.
pub(super) fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    let nested = |expr: Expr| match expr {
        Expr::BinaryOp { .. } | Expr::UnaryOp { .. } | Expr::Between { .. } | Expr::InList { .. } => {
            Expr::Nested(Box::new(expr))
        }
        other => other,
    };
    Expr::BinaryOp { left: Box::new(nested(left)), op, right: Box::new(nested(right)) }
}

/// Returns `NOT (expr)`.
pub(super) fn not(expr: Expr) -> Expr {
    Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(Expr::Nested(Box::new(expr))) }
}

/// Returns a literal.
pub(super) fn value(value: Value) -> Expr {
    Expr::Value(ValueWithSpan { value, span: Span::empty() })
}

/// Returns a number as a literal.
pub(super) fn number(digits: impl ToString) -> Expr {
    let digits = digits.to_string();
    match digits.strip_prefix('-') {
        Some(unsigned) => Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr: Box::new(value(Value::Number(unsigned.to_owned(), false))),
        },
        None => value(Value::Number(digits, false)),
    }
}

/// Returns a text as a literal.
pub(super) fn text(text: impl Into<String>) -> Expr {
    value(Value::SingleQuotedString(text.into()))
}

/// Returns the expression inside parentheses.
pub(super) fn unwrapped(expr: &Expr) -> &Expr {
    let mut inner = expr;
    while let Expr::Nested(nested) = inner {
        inner = nested;
    }
    inner
}
