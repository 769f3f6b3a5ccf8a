//! The operators that Pinot's single-stage engine would show for a query: `EXPLAIN PLAN FOR …`.
//!
//! They follow from the query alone, columns resolved and aliases replaced; which index answers a condition is told by the
//! plan, see [`crate::explain`].

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, OrderBy, OrderByKind,
    UnaryOperator, Visit, Visitor,
};
use meunier_functions::Functions;

use super::aliases::Item;
use super::column_names::{name_of, nested_name};
use super::literals::Literal;
use super::syntax::{function_name, unwrapped};

/// What a query does, as Pinot names it.
#[derive(Debug)]
pub(crate) struct Operators {
    /// `BROKER_REDUCE(…)`.
    pub(crate) reduce: String,
    /// `COMBINE_…`.
    pub(crate) combine: &'static str,
    /// What is made of a segment's rows.
    pub(crate) node: String,
    /// Whether it can be answered from metadata.
    pub(crate) aggregates_all: bool,
    /// `TRANSFORM(…)`, where something is computed.
    pub(crate) transform: Option<String>,
    /// `PROJECT(…)`.
    pub(crate) project: String,
    /// The conditions.
    pub(crate) filter: Option<FilterOperator>,
}

/// A condition.
#[derive(Debug)]
pub(crate) enum FilterOperator {
    /// All of them.
    And(Vec<FilterOperator>),
    /// Any of them.
    Or(Vec<FilterOperator>),
    /// Not this one.
    Not(Box<FilterOperator>),
    /// One of a column, or else of something computed.
    Leaf {
        /// The column.
        column: Option<String>,
        /// `operator:…,predicate:…`.
        text: String,
    },
}

/// The parts of a query.
pub(super) struct QueryParts<'a> {
    pub(super) items: &'a [Item],
    pub(super) selection: Option<&'a Expr>,
    pub(super) group_by: &'a [Expr],
    pub(super) having: Option<&'a Expr>,
    pub(super) order_by: Option<&'a OrderBy>,
    pub(super) is_distinct: bool,
    pub(super) limit: String,
}

impl QueryParts<'_> {
    /// Returns the operators of a query.
    pub(super) fn operators(&self, functions: &Functions) -> Operators {
        let order: Vec<&Expr> = self.order_exprs().map(|(expr, _)| expr).collect();
        let selected: Vec<&Expr> = self.items.iter().map(|item| &item.expr).collect();
        let mut aggregates = Vec::new();
        for expr in selected.iter().copied().chain(self.having).chain(order.iter().copied()) {
            aggregates_in(expr, functions, &mut aggregates);
        }
        let names = |exprs: &[&Expr]| unique(exprs.iter().map(|expr| name_of(expr))).join(", ");
        let aggregations = unique(aggregates.iter().map(name_of)).join(", ");
        let keys: Vec<&Expr> = self.group_by.iter().collect();
        let (combine, node, computed) = if !keys.is_empty() {
            let node = format!("GROUP_BY(groupKeys:{}, aggregations:{aggregations})", names(&keys));
            ("COMBINE_GROUP_BY", node, keys)
        } else if !aggregates.is_empty() {
            ("COMBINE_AGGREGATE", format!("AGGREGATE(aggregations:{aggregations})"), Vec::new())
        } else if self.is_distinct {
            ("COMBINE_DISTINCT", format!("DISTINCT(keyColumns:{})", names(&selected)), selected)
        } else if order.is_empty() {
            ("COMBINE_SELECT", format!("SELECT(selectList:{})", names(&selected)), selected)
        } else {
            let all: Vec<&Expr> = order.into_iter().chain(selected).collect();
            ("COMBINE_SELECT_ORDERBY", format!("SELECT_ORDERBY(selectList:{})", names(&all)), all)
        };
        let arguments: Vec<&Expr> = aggregates.iter().flat_map(arguments_of).collect();
        let computed: Vec<&Expr> = computed.into_iter().chain(arguments).collect();
        let is_computed = computed.iter().any(|expr| !matches!(unwrapped(expr), Expr::Identifier(_)));
        let mut columns = Columns(Vec::new());
        computed.iter().for_each(|expr| {
            let _ = expr.visit(&mut columns);
        });
        Operators {
            reduce: self.reduce(),
            combine,
            node,
            aggregates_all: combine == "COMBINE_AGGREGATE",
            transform: is_computed.then(|| format!("TRANSFORM({})", names(&computed))),
            project: format!("PROJECT({})", unique(columns.0.into_iter()).join(", ")),
            filter: self.selection.map(filter_of),
        }
    }

    fn order_exprs(&self) -> impl Iterator<Item = (&Expr, bool)> {
        let exprs = match self.order_by {
            Some(OrderBy { kind: OrderByKind::Expressions(exprs), .. }) => exprs.as_slice(),
            _ => &[],
        };
        exprs.iter().map(|order| (&order.expr, order.options.asc != Some(false)))
    }

    fn reduce(&self) -> String {
        let mut parts = Vec::new();
        if let Some(having) = self.having {
            parts.push(format!("havingFilter:{}", written(&filter_of(having))));
        }
        let sort: Vec<String> = self
            .order_exprs()
            .map(|(expr, rises)| format!("{} {}", name_of(expr), if rises { "ASC" } else { "DESC" }))
            .collect();
        if !sort.is_empty() {
            parts.push(format!("sort:[{}]", sort.join(", ")));
        }
        parts.push(format!("limit:{}", self.limit));
        format!("BROKER_REDUCE({})", parts.join(","))
    }
}

fn unique(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    names.filter(|name| seen.insert(name.clone())).collect()
}

fn aggregates_in(expr: &Expr, functions: &Functions, found: &mut Vec<Expr>) {
    struct Aggregates<'a>(&'a Functions, &'a mut Vec<Expr>);
    impl Visitor for Aggregates<'_> {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            if let Expr::Function(function) = expr
                && self.0.aggregate(&function_name(function)).is_some()
            {
                self.1.push(expr.clone());
            }
            ControlFlow::Continue(())
        }
    }
    let _ = expr.visit(&mut Aggregates(functions, found));
}

/// Returns what an aggregate is computed from, constants left out.
fn arguments_of(aggregate: &Expr) -> Vec<&Expr> {
    let Expr::Function(function) = aggregate else { return Vec::new() };
    let FunctionArguments::List(list) = &function.args else { return Vec::new() };
    let exprs = list.args.iter().filter_map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    });
    exprs.filter(|expr| Literal::of(expr).is_none()).collect()
}

/// The columns of expressions, in the order in which they stand there.
struct Columns(Vec<String>);

impl Visitor for Columns {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Identifier(name) = expr {
            self.0.push(name.value.clone());
        }
        ControlFlow::Continue(())
    }
}

fn filter_of(expr: &Expr) -> FilterOperator {
    match unwrapped(expr) {
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            FilterOperator::And(joined(left, right, |filter| match filter {
                FilterOperator::And(parts) => Ok(parts),
                other => Err(other),
            }))
        }
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
            FilterOperator::Or(joined(left, right, |filter| match filter {
                FilterOperator::Or(parts) => Ok(parts),
                other => Err(other),
            }))
        }
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => FilterOperator::Not(Box::new(filter_of(expr))),
        Expr::Between { expr, negated: true, low, high } => {
            FilterOperator::Not(Box::new(leaf(expr, "RANGE", &between(expr, low, high))))
        }
        other => predicate(other),
    }
}

/// Returns the conditions of a chain of one operator.
fn joined(
    left: &Expr,
    right: &Expr,
    parts_of: impl Fn(FilterOperator) -> Result<Vec<FilterOperator>, FilterOperator>,
) -> Vec<FilterOperator> {
    let mut parts = Vec::new();
    for side in [left, right] {
        match parts_of(filter_of(side)) {
            Ok(inner) => parts.extend(inner),
            Err(single) => parts.push(single),
        }
    }
    parts
}

fn predicate(expr: &Expr) -> FilterOperator {
    match expr {
        Expr::BinaryOp { left, op, right } => match comparison(op) {
            Some((kind, sign, flipped)) => match (Literal::of(left), Literal::of(right)) {
                (Some(_), None) => leaf(right, kind, &compared(right, flipped, left)),
                (None, None) => {
                    let difference = format!("minus({},{})", nested_name(left), nested_name(right));
                    FilterOperator::Leaf {
                        column: None,
                        text: format!("operator:{kind},predicate:{difference} {sign} '0'"),
                    }
                }
                _ => leaf(left, kind, &compared(left, sign, right)),
            },
            None => truth_of(expr),
        },
        Expr::Between { expr, low, high, negated: false } => leaf(expr, "RANGE", &between(expr, low, high)),
        Expr::InList { expr, list, negated } => {
            let values: Vec<String> = list.iter().map(nested_name).collect();
            let (kind, words) = if *negated { ("NOT_IN", "NOT IN") } else { ("IN", "IN") };
            leaf(expr, kind, &format!("{} {words} ({})", nested_name(expr), values.join(",")))
        }
        Expr::Like { expr: inner, pattern, negated, .. } => {
            let text = format!("like({},{})", nested_name(inner), nested_name(pattern));
            let like = leaf(inner, "REGEXP_LIKE", &text);
            if *negated { FilterOperator::Not(Box::new(like)) } else { like }
        }
        Expr::IsNull(inner) => leaf(inner, "IS_NULL", &format!("{} IS NULL", nested_name(inner))),
        Expr::IsNotNull(inner) => leaf(inner, "IS_NOT_NULL", &format!("{} IS NOT NULL", nested_name(inner))),
        Expr::Function(function) => {
            let kind = match function_name(function).as_str() {
                "textmatch" => "TEXT_MATCH",
                "jsonmatch" => "JSON_MATCH",
                "regexplike" => "REGEXP_LIKE",
                _ => return truth_of(expr),
            };
            match arguments_of(expr).first() {
                Some(column) => leaf(column, kind, &nested_name(expr)),
                None => truth_of(expr),
            }
        }
        other => truth_of(other),
    }
}

fn truth_of(expr: &Expr) -> FilterOperator {
    leaf(expr, "EQ", &format!("{} = 'true'", nested_name(expr)))
}

fn leaf(of: &Expr, kind: &str, predicate: &str) -> FilterOperator {
    let column = match unwrapped(of) {
        Expr::Identifier(name) => Some(name.value.clone()),
        _ => None,
    };
    FilterOperator::Leaf { column, text: format!("operator:{kind},predicate:{predicate}") }
}

fn compared(left: &Expr, sign: &str, right: &Expr) -> String {
    format!("{} {sign} {}", nested_name(left), nested_name(right))
}

fn between(expr: &Expr, low: &Expr, high: &Expr) -> String {
    format!("{} BETWEEN {} AND {}", nested_name(expr), nested_name(low), nested_name(high))
}

/// Returns Pinot's kind of a comparison, its sign, and the sign with its sides changed.
fn comparison(op: &BinaryOperator) -> Option<(&'static str, &'static str, &'static str)> {
    Some(match op {
        BinaryOperator::Eq => ("EQ", "=", "="),
        BinaryOperator::NotEq => ("NOT_EQ", "!=", "!="),
        BinaryOperator::Lt => ("RANGE", "<", ">"),
        BinaryOperator::LtEq => ("RANGE", "<=", ">="),
        BinaryOperator::Gt => ("RANGE", ">", "<"),
        BinaryOperator::GtEq => ("RANGE", ">=", "<="),
        _ => return None,
    })
}

/// Returns a condition as one line.
fn written(filter: &FilterOperator) -> String {
    let all = |parts: &[FilterOperator], word: &str| {
        format!("({})", parts.iter().map(written).collect::<Vec<_>>().join(word))
    };
    match filter {
        FilterOperator::And(parts) => all(parts, " AND "),
        FilterOperator::Or(parts) => all(parts, " OR "),
        FilterOperator::Not(inner) => format!("(NOT {})", written(inner)),
        FilterOperator::Leaf { text, .. } => {
            text.split_once("predicate:").map_or(text.as_str(), |(_, predicate)| predicate).to_owned()
        }
    }
}
