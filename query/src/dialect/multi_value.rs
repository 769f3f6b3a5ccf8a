//! Multi-value columns in the single-stage dialect: "any element" predicates, and rows taken apart by GROUP BY.

use std::collections::BTreeSet;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Ident, Query, Select, SelectItem, TableFactor, TableWithJoins,
};

use super::elements::Elements;
use super::literals::Literal;
use super::single_stage::identifiers;
use super::syntax::{call, column, not, quoted};
use crate::error::QueryError;
use meunier_functions::multi_value::ElementTest;

/// Returns `column op constant`: some element passes, or for `<>` none is equal.
pub(super) fn compare(tested: &Expr, op: &BinaryOperator, constant: &Expr) -> Result<Expr, QueryError> {
    let test = match op {
        BinaryOperator::Eq | BinaryOperator::NotEq => ElementTest::Equal,
        BinaryOperator::Lt => ElementTest::Less,
        BinaryOperator::LtEq => ElementTest::LessOrEqual,
        BinaryOperator::Gt => ElementTest::Greater,
        BinaryOperator::GtEq => ElementTest::GreaterOrEqual,
        other => return Err(QueryError::invalid(format!("`{other}` does not apply to multi-value columns"))),
    };
    let found = any(test, tested, vec![constant.clone()]);
    Ok(if *op == BinaryOperator::NotEq { not(found) } else { found })
}

/// Returns `column IN (constants)`.
pub(super) fn is_in(tested: &Expr, constants: Vec<Expr>) -> Expr {
    any(ElementTest::In, tested, constants)
}

/// Returns `column BETWEEN low AND high`, both bounds on the same element.
pub(super) fn between(tested: &Expr, low: Expr, high: Expr) -> Expr {
    any(ElementTest::Between, tested, vec![low, high])
}

/// Returns `column LIKE pattern`.
pub(super) fn like(tested: &Expr, pattern: &Expr) -> Result<Expr, QueryError> {
    constant_text(pattern)?;
    Ok(any(ElementTest::Like, tested, vec![pattern.clone()]))
}

/// Returns `REGEXP_LIKE(column, pattern)`.
pub(super) fn regexp(tested: &Expr, pattern: &Expr) -> Result<Expr, QueryError> {
    constant_text(pattern)?;
    Ok(any(ElementTest::Regexp, tested, vec![pattern.clone()]))
}

fn constant_text(pattern: &Expr) -> Result<(), QueryError> {
    match Literal::of(pattern) {
        Some(Literal::Text(_)) => Ok(()),
        _ => Err(QueryError::invalid("a pattern for a multi-value column is a text in quotes")),
    }
}

fn any(test: ElementTest, tested: &Expr, mut arguments: Vec<Expr>) -> Expr {
    arguments.insert(0, tested.clone());
    call(test.function_name(), arguments)
}

/// Puts a sub-query in place of the table that gives each row once for every element of what is taken apart. The WHERE
/// clause moves inside, where rows are whole.
pub(super) fn explode(select: &mut Select, elements: &[Elements], needed: &BTreeSet<String>) {
    let mut from = std::mem::take(&mut select.from);
    let mut selection = select.selection.take();
    for (position, taken_apart) in elements.iter().enumerate() {
        let before = elements[..position].iter().map(|elements| &elements.alias);
        // What later layers take apart is carried as far as them.
        let mut columns = needed.clone();
        for later in &elements[position + 1..] {
            identifiers(&later.of, &mut columns);
        }
        let kept = columns.iter().chain(before).map(|name| SelectItem::UnnamedExpr(column(name)));
        let unnested = SelectItem::ExprWithAlias {
            expr: call("unnest", vec![taken_apart.of.clone()]),
            alias: quoted(&taken_apart.alias),
        };
        let inner = Select {
            projection: kept.chain([unnested]).collect(),
            from,
            selection: selection.take(),
            ..empty_select(select)
        };
        let subquery = Query {
            body: Box::new(datafusion::sql::sqlparser::ast::SetExpr::Select(Box::new(inner))),
            ..empty_query()
        };
        let relation =
            TableFactor::Derived { lateral: false, subquery: Box::new(subquery), alias: None, sample: None };
        from = vec![TableWithJoins { relation, joins: Vec::new() }];
    }
    select.from = from;
}

/// Returns a SELECT without any clause.
fn empty_select(like: &Select) -> Select {
    let mut empty = like.clone();
    empty.distinct = None;
    empty.projection = Vec::new();
    empty.from = Vec::new();
    empty.selection = None;
    empty.having = None;
    empty.group_by = datafusion::sql::sqlparser::ast::GroupByExpr::Expressions(Vec::new(), Vec::new());
    empty
}

fn empty_query() -> Query {
    use datafusion::sql::sqlparser::ast::{SetExpr, Values};
    Query {
        with: None,
        body: Box::new(SetExpr::Values(Values {
            explicit_row: false,
            value_keyword: false,
            rows: Vec::new(),
        })),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    }
}

/// Returns the name of an identifier.
pub(super) fn name_of(identifier: &Ident) -> &str {
    &identifier.value
}
