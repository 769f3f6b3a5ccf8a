//! A query of one table, by the rules of Pinot's default engine.
//!
//! The SELECT list becomes expressions with aliases of our own (`$0`, `$1`, …), since Pinot lets result columns share a
//! name; the names that the answer shows travel beside the query.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, GroupByExpr, LimitClause, Offset, OffsetRows, OrderBy, OrderByKind, Query, Select,
    SelectItem, SetExpr, Spanned, TableFactor, Visit, Visitor,
};
use datafusion::sql::sqlparser::tokenizer::Location;

use meunier_segment::schema::DataType;

use super::aliases::{Clause, Item, has_aggregate, replace_aliases, replace_ordinal};
use super::column_names::name_of;
use super::columns::Scope;
use super::elements::{self, Elements};
use super::expressions::{Expressions, truth};
use super::literals::Literal;
use super::operators::QueryParts;
use super::parameters::Parameters;
use super::syntax::{cast, column, number, quoted, unwrapped};
use super::{Dialect, RewrittenQuery, UsedTable, multi_value};
use crate::error::QueryError;
use crate::table_columns::TableColumns;
use meunier_functions::Functions;

/// Rows that an answer has when no LIMIT is written, as in Pinot.
pub(super) const DEFAULT_LIMIT: u64 = 10;

/// Rewrites a query whose shape was found to be single-stage.
///
/// # Errors
/// When a name in it does not exist or it means nothing in this dialect.
pub(super) fn rewrite(mut query: Box<Query>, dialect: &Dialect<'_>) -> Result<RewrittenQuery, QueryError> {
    let implicit_limit = take_limit(&mut query)?;
    let limit = shown_limit(&query, implicit_limit);
    let SetExpr::Select(select) = &mut *query.body else {
        return Err(QueryError::invalid("a single-stage query is a SELECT"));
    };
    check_grouped(select, dialect.functions)?;
    let mut opened = open_table(select, dialect)?;
    let no_columns = TableColumns::none();
    let scope = Scope {
        columns: opened.as_ref().map_or(&no_columns, |opened| &opened.used.columns),
        table: opened.as_ref().map_or("", |opened| &opened.name),
        qualifiers: opened.as_ref().map(|opened| opened.qualifiers.clone()).unwrap_or_default(),
    };
    let mut virtual_columns = BTreeSet::new();
    let items = resolved_items(select, &scope, &mut virtual_columns)?;
    let column_names =
        items.iter().map(|item| item.alias.clone().unwrap_or_else(|| name_of(&item.expr))).collect();

    let mut clauses = Clauses::take(select, query.order_by.take())?;
    let parameters = dialect
        .shape
        .zip(clauses.selection.as_ref())
        .map(|(shape, selection)| Parameters::of(shape, selection));
    clauses.resolve(&items, &scope, dialect, &mut virtual_columns)?;
    let operators =
        dialect.explains.then(|| clauses.parts(&items, select, &limit).operators(dialect.functions));
    let mut elements = clauses.elements(&items, select.distinct.is_some(), &scope, dialect.functions);
    let mut expressions = Expressions {
        scope: &scope,
        null_handling: dialect.options.null_handling,
        functions: dialect.functions,
        now_ms: dialect.now_ms,
        dimensions: dialect.dimensions,
        elements: elements.clone(),
        virtual_columns,
        parameters: parameters.map(RefCell::new),
    };
    // WHERE looks at whole rows.
    if let Some(selection) = &mut clauses.selection {
        expressions.rewrite(selection)?;
    }
    let parameters = expressions.parameters.take().map(|parameters| parameters.into_inner().found());
    for of in elements.iter_mut().map(|elements| &mut elements.of) {
        expressions.rewrite(of)?;
    }
    let mut exprs = Vec::with_capacity(items.len());
    for item in &items {
        let mut expr = item.expr.clone();
        elements::replace(&mut expr, &expressions.elements, dialect.functions);
        expressions.rewrite(&mut expr)?;
        exprs.push(typed_constant(expr));
    }
    clauses.rewrite(&mut expressions)?;
    let virtual_columns = expressions.virtual_columns;

    query.order_by = clauses.put_back(select, exprs);
    if !elements.is_empty() {
        let needed = columns_in(select, query.order_by.as_ref(), &elements);
        multi_value::explode(select, &elements, &needed);
    }
    let mut tables = BTreeMap::new();
    if let Some(mut opened) = opened.take() {
        opened.used.virtual_columns = virtual_columns;
        tables.insert(opened.name, opened.used);
    }
    Ok(RewrittenQuery {
        query,
        tables,
        column_names: Some(column_names),
        implicit_limit,
        multistage: false,
        operators,
        parameters: parameters.unwrap_or_default(),
    })
}

/// Refuses columns beside aggregates without GROUP BY, whatever the table: they are no SQL.
fn check_grouped(select: &Select, functions: &Functions) -> Result<(), QueryError> {
    let grouped = !matches!(&select.group_by, GroupByExpr::Expressions(exprs, _) if exprs.is_empty());
    let items = select.projection.iter().filter_map(|item| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    });
    let (aggregates, plain): (Vec<&Expr>, Vec<&Expr>) =
        items.partition(|expr| has_aggregate(expr, functions));
    let names_column = |expr: &&&Expr| {
        let mut names = BTreeSet::new();
        identifiers(**expr, &mut names);
        !names.is_empty()
    };
    match plain.iter().find(names_column) {
        Some(expr) if !grouped && !aggregates.is_empty() => {
            let Location { line, column } = expr.span().start;
            let detail = format!("`{expr}` stands beside an aggregate without being in GROUP BY");
            Err(QueryError::Syntax { line, column, detail })
        }
        _ => Ok(()),
    }
}

/// The query's table, its name written exactly.
struct OpenedTable {
    name: String,
    qualifiers: Vec<String>,
    used: UsedTable,
}

fn open_table(select: &mut Select, dialect: &Dialect<'_>) -> Result<Option<OpenedTable>, QueryError> {
    let Some(from) = select.from.first_mut() else { return Ok(None) };
    let TableFactor::Table { name, alias, .. } = &mut from.relation else {
        return Err(QueryError::invalid("a single-stage query reads a table"));
    };
    let written =
        name.0.last().and_then(|part| part.as_ident()).map(|part| part.value.clone()).unwrap_or_default();
    let table = dialect.tables.find(name)?;
    let exact = table.live.name().to_owned();
    *name = vec![quoted(&exact)].into();
    let mut qualifiers = vec![written, exact.clone()];
    qualifiers.extend(alias.take().map(|alias| alias.name.value));
    Ok(Some(OpenedTable { name: exact, qualifiers, used: UsedTable::open(table, dialect.options) }))
}

/// Returns the SELECT list with `*` written out, columns resolved.
fn resolved_items(
    select: &Select,
    scope: &Scope<'_>,
    virtual_columns: &mut BTreeSet<String>,
) -> Result<Vec<Item>, QueryError> {
    let mut items = Vec::with_capacity(select.projection.len());
    for item in &select.projection {
        match item {
            SelectItem::UnnamedExpr(expr) => items.push(Item { expr: expr.clone(), alias: None }),
            SelectItem::ExprWithAlias { expr, alias } => {
                items.push(Item { expr: expr.clone(), alias: Some(alias.value.clone()) });
            }
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => {
                if select.distinct.is_some() {
                    return Err(QueryError::invalid("DISTINCT needs the columns by name, not *"));
                }
                let all = scope.columns.listed().into_iter();
                items.extend(all.map(|field| Item { expr: column(&field.name), alias: None }));
            }
            SelectItem::ExprWithAliases { .. } => {
                return Err(QueryError::invalid("an expression has one alias"));
            }
        }
    }
    for item in &mut items {
        scope.resolve(&mut item.expr, virtual_columns)?;
    }
    Ok(items)
}

/// The clauses beside the SELECT list.
struct Clauses {
    selection: Option<Expr>,
    group_by: Vec<Expr>,
    having: Option<Expr>,
    order_by: Option<OrderBy>,
}

impl Clauses {
    fn take(select: &mut Select, order_by: Option<OrderBy>) -> Result<Clauses, QueryError> {
        let group_by =
            match std::mem::replace(&mut select.group_by, GroupByExpr::Expressions(Vec::new(), Vec::new())) {
                GroupByExpr::Expressions(exprs, modifiers) if modifiers.is_empty() => exprs,
                GroupByExpr::Expressions(..) | GroupByExpr::All(_) => {
                    return Err(QueryError::invalid(
                        "GROUP BY takes expressions, aliases, ordinals, ROLLUP, CUBE or GROUPING SETS",
                    ));
                }
            };
        if matches!(order_by, Some(OrderBy { kind: OrderByKind::All(_), .. })) {
            return Err(QueryError::invalid("ORDER BY takes expressions, aliases or ordinals"));
        }
        Ok(Clauses { selection: select.selection.take(), group_by, having: select.having.take(), order_by })
    }

    /// Replaces aliases and ordinals, then resolves columns.
    fn resolve(
        &mut self,
        items: &[Item],
        scope: &Scope<'_>,
        dialect: &Dialect<'_>,
        virtual_columns: &mut BTreeSet<String>,
    ) -> Result<(), QueryError> {
        for expr in &mut self.group_by {
            replace_ordinal(expr, items, "GROUP BY")?;
        }
        for order in order_exprs(&mut self.order_by) {
            replace_ordinal(order, items, "ORDER BY")?;
        }
        let mut each = |expr: &mut Expr, clause| {
            replace_aliases(expr, items, clause, scope.columns, dialect.functions);
            scope.resolve(expr, virtual_columns)
        };
        if let Some(expr) = &mut self.selection {
            each(expr, Clause::Where)?;
            if has_aggregate(expr, dialect.functions) {
                return Err(QueryError::invalid(
                    "an aggregate cannot stand in WHERE; filter groups with HAVING",
                ));
            }
        }
        for expr in &mut self.group_by {
            each(expr, Clause::GroupBy)?;
        }
        if let Some(expr) = &mut self.having {
            each(expr, Clause::Having)?;
        }
        for expr in order_exprs(&mut self.order_by) {
            each(expr, Clause::OrderBy)?;
        }
        Ok(())
    }

    fn parts<'a>(&'a self, items: &'a [Item], select: &Select, limit: &str) -> QueryParts<'a> {
        QueryParts {
            items,
            selection: self.selection.as_ref(),
            group_by: &self.group_by,
            having: self.having.as_ref(),
            order_by: self.order_by.as_ref(),
            is_distinct: select.distinct.is_some(),
            limit: limit.to_owned(),
        }
    }

    /// Returns what GROUP BY or DISTINCT takes apart.
    fn elements(
        &self,
        items: &[Item],
        distinct: bool,
        scope: &Scope<'_>,
        functions: &Functions,
    ) -> Vec<Elements> {
        let mut found = Vec::new();
        let distinct_items = items.iter().filter(|_| distinct).map(|item| &item.expr);
        for expr in self.group_by.iter().chain(distinct_items) {
            elements::find(expr, scope, functions, &mut found);
        }
        found
    }

    fn rewrite(&mut self, expressions: &mut Expressions<'_>) -> Result<(), QueryError> {
        for expr in self.group_by.iter_mut().chain(&mut self.having).chain(order_exprs(&mut self.order_by)) {
            elements::replace(expr, &expressions.elements, expressions.functions);
            expressions.rewrite(expr)?;
        }
        Ok(())
    }

    /// Gives the clauses back to the query; an ORDER BY item that is in the SELECT list is named by its alias.
    fn put_back(mut self, select: &mut Select, exprs: Vec<Expr>) -> Option<OrderBy> {
        for order in order_exprs(&mut self.order_by) {
            if let Some(position) = exprs.iter().position(|expr| unwrapped(expr) == unwrapped(order)) {
                *order = column(&item_alias(position));
            }
        }
        let aliased =
            |(position, expr)| SelectItem::ExprWithAlias { expr, alias: quoted(&item_alias(position)) };
        select.projection = exprs.into_iter().enumerate().map(aliased).collect();
        select.selection = self.selection;
        select.group_by =
            GroupByExpr::Expressions(self.group_by.iter().map(constant_free).collect(), Vec::new());
        select.having = self.having;
        if let Some(Distinct::On(_)) = select.distinct {
            select.distinct = Some(Distinct::Distinct);
        }
        self.order_by
    }
}

/// A whole number in the SELECT list is an INT when it fits one.
fn typed_constant(expr: Expr) -> Expr {
    match Literal::of(&expr) {
        Some(Literal::Number(digits)) if digits.parse::<i32>().is_ok() => cast(expr, DataType::Int),
        _ => expr,
    }
}

/// DataFusion would take a number in GROUP BY for an ordinal, but ordinals were replaced already.
fn constant_free(expr: &Expr) -> Expr {
    match Literal::of(expr) {
        Some(Literal::Number(_)) => truth(),
        _ => expr.clone(),
    }
}

fn item_alias(position: usize) -> String {
    format!("${position}")
}

fn order_exprs(order_by: &mut Option<OrderBy>) -> impl Iterator<Item = &mut Expr> {
    let exprs = match order_by {
        Some(OrderBy { kind: OrderByKind::Expressions(exprs), .. }) => exprs.as_mut_slice(),
        _ => &mut [],
    };
    exprs.iter_mut().map(|order| &mut order.expr)
}

/// Adds the identifiers in an expression to `names`.
pub(super) fn identifiers(part: &impl Visit, names: &mut BTreeSet<String>) {
    struct Names<'a>(&'a mut BTreeSet<String>);
    impl Visitor for Names<'_> {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            if let Expr::Identifier(name) = expr {
                self.0.insert(multi_value::name_of(name).to_owned());
            }
            ControlFlow::Continue(())
        }
    }
    let _ = part.visit(&mut Names(names));
}

/// Returns the table's columns that a query with rows taken apart still needs outside.
fn columns_in(select: &Select, order_by: Option<&OrderBy>, elements: &[Elements]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for item in &select.projection {
        identifiers(item, &mut names);
    }
    identifiers(&select.group_by, &mut names);
    identifiers(&select.having, &mut names);
    identifiers(&order_by.cloned(), &mut names);
    names.retain(|name| !elements.iter().any(|known| known.alias == *name));
    names.retain(|name| !name.starts_with('$') || !name[1..].bytes().all(|letter| letter.is_ascii_digit()));
    names
}

/// Returns the LIMIT as written, or the default one.
fn shown_limit(query: &Query, implicit: Option<u64>) -> String {
    match (implicit, &query.limit_clause) {
        (Some(limit), _) => limit.to_string(),
        (None, Some(LimitClause::LimitOffset { limit: Some(limit), .. })) => limit.to_string(),
        (None, _) => DEFAULT_LIMIT.to_string(),
    }
}

/// Writes LIMIT and OFFSET in one form. Returns the default LIMIT where none is written; the query then asks for one row
/// more.
fn take_limit(query: &mut Query) -> Result<Option<u64>, QueryError> {
    let (limit, offset) = match query.limit_clause.take() {
        Some(LimitClause::LimitOffset { limit, offset, limit_by }) if limit_by.is_empty() => (limit, offset),
        Some(LimitClause::OffsetCommaLimit { offset, limit }) => {
            (Some(limit), Some(Offset { value: offset, rows: OffsetRows::None }))
        }
        None => (query.fetch.take().and_then(|fetch| fetch.quantity), None),
        Some(LimitClause::LimitOffset { .. }) => return Err(QueryError::invalid("LIMIT BY is not served")),
    };
    for (clause, bound) in
        [("LIMIT", limit.as_ref()), ("OFFSET", offset.as_ref().map(|offset| &offset.value))]
    {
        let valid = bound.is_none_or(|bound| matches!(Literal::of(bound), Some(Literal::Number(digits)) if digits.parse::<u32>().is_ok()));
        if !valid {
            return Err(QueryError::invalid(format!("{clause} takes a whole number from 0 to {}", u32::MAX)));
        }
    }
    let implicit = limit.is_none().then_some(DEFAULT_LIMIT);
    let limit = limit.unwrap_or_else(|| number(DEFAULT_LIMIT + 1));
    query.limit_clause = Some(LimitClause::LimitOffset { limit: Some(limit), offset, limit_by: Vec::new() });
    Ok(implicit)
}
