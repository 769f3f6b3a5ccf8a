//! A query of any shape, by the rules of Pinot's multi-stage engine: standard SQL, with names found whatever their case.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DuplicateTreatment, Expr, Function, FunctionArguments, Ident, ObjectName, Query, Select,
    SelectItem, SetExpr, TableAlias, TableFactor, VisitMut, VisitorMut,
};

use super::expressions::ago;
use super::syntax::{arguments, call_of, column, concatenation, function_name, not, number, quoted};
use super::syntax_forms::as_call;
use super::{Dialect, RewrittenQuery, UsedTable};
use crate::error::QueryError;
use crate::table_columns::{TableColumn, null_flag_name};
use meunier_functions::percentile_suffix;

/// Rewrites a query.
///
/// # Errors
/// When a table does not exist.
pub(super) fn rewrite(mut query: Box<Query>, dialect: &Dialect<'_>) -> Result<RewrittenQuery, QueryError> {
    let mut names =
        Names { dialect, tables: BTreeMap::new(), spellings: HashMap::new(), queries: Vec::new() };
    stop_at_error(query.visit(&mut names))?;
    names.spell_columns();
    let Names { mut tables, spellings, .. } = names;
    let mut virtual_columns = BTreeSet::new();
    let mut rewriter =
        Rewriter { dialect, tables: &tables, spellings: &spellings, virtual_columns: &mut virtual_columns };
    stop_at_error(query.visit(&mut rewriter))?;
    for (table, name) in virtual_columns {
        if let Some(used) = tables.get_mut(&table) {
            used.virtual_columns.insert(name);
        }
    }
    name_items(&mut query);
    Ok(RewrittenQuery {
        query,
        tables,
        column_names: None,
        implicit_limit: None,
        multistage: true,
        parameters: Vec::new(),
    })
}

fn stop_at_error(flow: ControlFlow<QueryError>) -> Result<(), QueryError> {
    match flow {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

/// Gives result columns that are computed the name that Pinot gives them: `EXPR$` and their position.
fn name_items(query: &mut Query) {
    let SetExpr::Select(select) = &mut *query.body else { return };
    for (position, item) in select.projection.iter_mut().enumerate() {
        if let SelectItem::UnnamedExpr(expr) = item
            && !matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
        {
            *item =
                SelectItem::ExprWithAlias { expr: expr.clone(), alias: quoted(&format!("EXPR${position}")) };
        }
    }
}

/// Finds the tables of a query, and how every name in it is spelled.
struct Names<'a> {
    dialect: &'a Dialect<'a>,
    tables: BTreeMap<String, UsedTable>,
    /// Each known name by its lower-case form.
    spellings: HashMap<String, String>,
    /// The names that WITH defines, for each query that is open.
    queries: Vec<Vec<String>>,
}

impl Names<'_> {
    /// A column's spelling in its schema wins over an alias, and an alias over later ones.
    fn spell_columns(&mut self) {
        for used in self.tables.values() {
            for field in used.columns.fields() {
                self.spellings.insert(field.name.to_lowercase(), field.name.to_string());
            }
        }
    }

    fn spell(&mut self, name: &Ident) {
        self.spellings.entry(name.value.to_lowercase()).or_insert_with(|| name.value.clone());
    }

    fn open(&mut self, relation: &mut ObjectName) -> Result<(), QueryError> {
        let Some(part) = relation.0.last().and_then(|part| part.as_ident()).cloned() else { return Ok(()) };
        let defined = self.queries.iter().flatten().find(|name| name.eq_ignore_ascii_case(&part.value));
        if let Some(defined) = defined.filter(|_| relation.0.len() == 1) {
            *relation = vec![quoted(defined)].into();
            return Ok(());
        }
        let Some(table) = self.dialect.tables.get(&part.value) else {
            return Err(QueryError::TableMissing {
                hint: self.dialect.tables.hint(&part.value),
                table: part.value,
            });
        };
        let exact = table.live.name().to_owned();
        self.spellings.insert(part.value.to_lowercase(), exact.clone());
        *relation = vec![quoted(&exact)].into();
        self.tables.entry(exact).or_insert_with(|| UsedTable::open(table, self.dialect.options));
        Ok(())
    }
}

impl VisitorMut for Names<'_> {
    type Break = QueryError;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<QueryError> {
        let mut defined = Vec::new();
        if let Some(with) = &query.with {
            if with.recursive {
                return ControlFlow::Break(QueryError::invalid("WITH RECURSIVE is not served"));
            }
            for table in &with.cte_tables {
                defined.push(table.alias.name.value.clone());
                self.spell(&table.alias.name.clone());
                for column in &table.alias.columns {
                    self.spell(&column.name.clone());
                }
            }
        }
        self.queries.push(defined);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<QueryError> {
        self.queries.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<QueryError> {
        for item in &select.projection {
            if let SelectItem::ExprWithAlias { alias, .. } = item {
                self.spell(&alias.clone());
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<QueryError> {
        match factor {
            TableFactor::Table { args: Some(_), name, .. } => {
                let detail = format!("table function `{name}` does not exist");
                return ControlFlow::Break(QueryError::invalid(detail));
            }
            TableFactor::Table { alias: Some(alias), .. }
            | TableFactor::Derived { alias: Some(alias), .. } => {
                let TableAlias { name, columns, .. } = alias.clone();
                self.spell(&name);
                columns.iter().for_each(|column| self.spell(&column.name));
            }
            TableFactor::TableFunction { .. } | TableFactor::Function { .. } => {
                return ControlFlow::Break(QueryError::invalid("table functions are not served"));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &mut ObjectName) -> ControlFlow<QueryError> {
        match self.open(relation) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

/// Spells names as they are known, and writes Pinot's functions with DataFusion's.
struct Rewriter<'a> {
    dialect: &'a Dialect<'a>,
    tables: &'a BTreeMap<String, UsedTable>,
    spellings: &'a HashMap<String, String>,
    /// Columns beside the schema's, by table.
    virtual_columns: &'a mut BTreeSet<(String, String)>,
}

impl Rewriter<'_> {
    fn spelled(&mut self, name: &Ident) -> Ident {
        for (table, used) in self.tables {
            if let Some(column) = used.columns.find(&name.value).filter(TableColumn::is_virtual) {
                self.virtual_columns.insert((table.clone(), column.name()));
                return quoted(&column.name());
            }
        }
        quoted(self.spellings.get(&name.value.to_lowercase()).unwrap_or(&name.value))
    }

    fn call(&self, function: &mut Function) -> Result<Option<Expr>, QueryError> {
        let name = function_name(function);
        let arguments = arguments(function).unwrap_or_default();
        Ok(match (name.as_str(), &arguments[..]) {
            ("now", []) if function.args != FunctionArguments::None => Some(number(self.dialect.now_ms)),
            ("ago", [period]) => Some(ago(period, self.dialect.now_ms)?),
            (
                "distinctsum"
                | "distinctavg"
                | "distinctcount"
                | "distinctcountbitmap"
                | "distinctcountoffheap",
                [_],
            ) => {
                let aggregate = match name.as_str() {
                    "distinctsum" => "sum",
                    "distinctavg" => "avg",
                    _ => "count",
                };
                let distinct = Some(DuplicateTreatment::Distinct);
                Some(Expr::Function(Function {
                    over: function.over.clone(),
                    ..call_of(aggregate, distinct, arguments, function.filter.clone())
                }))
            }
            ("minmaxrange", [argument]) => {
                let make = |name| {
                    Expr::Function(call_of(name, None, vec![argument.clone()], function.filter.clone()))
                };
                Some(super::syntax::binary(make("max"), BinaryOperator::Minus, make("min")))
            }
            (operator, [left, right]) => {
                operator_of(operator).map(|op| super::syntax::binary(left.clone(), op, right.clone()))
            }
            (_, [column, rest @ ..]) if percentile_suffix(&name).is_some() => {
                let (base, percentile) = percentile_suffix(&name).expect("it was just found");
                let arguments = [column.clone(), number(percentile)].into_iter().chain(rest.iter().cloned());
                let arguments = arguments.collect();
                Some(Expr::Function(Function {
                    over: function.over.clone(),
                    ..call_of(&base, None, arguments, function.filter.clone())
                }))
            }
            ("isnull", [inner]) => Some(Expr::IsNull(Box::new(inner.clone()))),
            ("isnotnull", [inner]) => Some(Expr::IsNotNull(Box::new(inner.clone()))),
            _ => None,
        })
    }

    /// In a SELECT from one table alone, a column's nulls are known without null handling too.
    fn null_flags(&mut self, select: &mut Select) {
        let [from] = &select.from[..] else { return };
        let TableFactor::Table { name, .. } = &from.relation else { return };
        let name =
            name.0.last().and_then(|part| part.as_ident()).map(|part| part.value.clone()).unwrap_or_default();
        let Some(used) = self.tables.get(&name).filter(|_| from.joins.is_empty()) else { return };
        let mut flags = NullFlags { used, found: Vec::new(), open_queries: 0 };
        let _ = select.projection.visit(&mut flags);
        let _ = select.selection.visit(&mut flags);
        self.virtual_columns.extend(flags.found.into_iter().map(|flag| (name.clone(), flag)));
    }
}

fn operator_of(name: &str) -> Option<BinaryOperator> {
    Some(match name {
        "add" | "plus" => BinaryOperator::Plus,
        "sub" | "minus" => BinaryOperator::Minus,
        "mult" | "times" => BinaryOperator::Multiply,
        "div" | "divide" => BinaryOperator::Divide,
        "mod" => BinaryOperator::Modulo,
        "equals" => BinaryOperator::Eq,
        "notequals" => BinaryOperator::NotEq,
        "greaterthan" => BinaryOperator::Gt,
        "greaterthanorequal" => BinaryOperator::GtEq,
        "lessthan" => BinaryOperator::Lt,
        "lessthanorequal" => BinaryOperator::LtEq,
        _ => return None,
    })
}

impl VisitorMut for Rewriter<'_> {
    type Break = QueryError;

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<QueryError> {
        self.null_flags(select);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<QueryError> {
        if let TableFactor::Table { alias: Some(alias), .. }
        | TableFactor::Derived { alias: Some(alias), .. } = factor
        {
            alias.name = self.spelled(&alias.name.clone());
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<QueryError> {
        let rewritten = match expr {
            Expr::Identifier(name) => Some(Expr::Identifier(self.spelled(&name.clone()))),
            Expr::CompoundIdentifier(parts) => {
                Some(Expr::CompoundIdentifier(parts.clone().iter().map(|part| self.spelled(part)).collect()))
            }
            Expr::BinaryOp { left, op: BinaryOperator::StringConcat, right } => {
                Some(concatenation("$concat", (**left).clone(), (**right).clone()))
            }
            Expr::Function(function) => match self.call(function) {
                Ok(rewritten) => rewritten,
                Err(error) => return ControlFlow::Break(error),
            },
            ref other => as_call(other),
        };
        if let Some(rewritten) = rewritten {
            *expr = rewritten;
        }
        ControlFlow::Continue(())
    }
}

/// Writes `column IS NULL` as the flag that says so.
struct NullFlags<'a> {
    used: &'a UsedTable,
    found: Vec<String>,
    open_queries: usize,
}

impl VisitorMut for NullFlags<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.open_queries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.open_queries -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let (inner, is_null) = match expr {
            Expr::IsNull(inner) => (inner, true),
            Expr::IsNotNull(inner) => (inner, false),
            _ => return ControlFlow::Continue(()),
        };
        let name = match &**inner {
            Expr::Identifier(name) => &name.value,
            Expr::CompoundIdentifier(parts) if parts.len() == 2 => &parts[1].value,
            _ => return ControlFlow::Continue(()),
        };
        if let Some(TableColumn::Stored { field, shows_nulls: false }) = self.used.columns.find(name)
            && self.open_queries == 0
        {
            let flag = null_flag_name(&field.name);
            *expr = if is_null { column(&flag) } else { not(column(&flag)) };
            self.found.push(flag);
        }
        ControlFlow::Continue(())
    }
}
