//! A query of any shape, by the rules of Pinot's multi-stage engine: standard SQL, with names found whatever their case.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DuplicateTreatment, Expr, Function, FunctionArguments, Ident, ObjectName, Query, Select,
    SelectItem, SetExpr, SetOperator, TableAlias, TableFactor, VisitMut, VisitorMut, WindowType,
};

use meunier_functions::percentile_suffix;
use meunier_segment::schema::DataType;

use super::conditions::{self, divide_exactly};
use super::embedded;
use super::expressions::ago;
use super::item_names::ItemNames;
use super::literals::Literal;
use super::syntax::{arguments, call_of, cast, concatenation, function_name, number, quoted, unwrapped};
use super::syntax_forms::as_call;
use super::{Dialect, RewrittenQuery, UsedTable, null_tests};
use crate::error::QueryError;
use crate::operators::exact_division;
use crate::table_columns::TableColumn;
use crate::window_exclusion::Exclusion;

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
    let _ = VisitMut::visit(&mut query, &mut ItemNames);
    Ok(RewrittenQuery {
        query,
        tables,
        column_names: None,
        implicit_limit: None,
        multistage: true,
        operators: None,
        parameters: Vec::new(),
    })
}

fn stop_at_error(flow: ControlFlow<QueryError>) -> Result<(), QueryError> {
    match flow {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

/// `MINUS` is another word for `EXCEPT`.
fn call_minus_except(body: &mut SetExpr) {
    if let SetExpr::SetOperation { left, op, right, .. } = body {
        if *op == SetOperator::Minus {
            *op = SetOperator::Except;
        }
        call_minus_except(left);
        call_minus_except(right);
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
        let table = self.dialect.tables.find(relation)?;
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
        call_minus_except(&mut query.body);
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

    /// Writes filters in quotes as conditions, which are then visited as all other arguments are.
    fn read_filters(&self, function: &mut Function) -> Result<(), QueryError> {
        let name = function_name(function);
        let Some(mut arguments) = arguments(function) else { return Ok(()) };
        if embedded::has_filters(&name, &arguments) {
            embedded::read_filters(&mut arguments, self.dialect.functions)?;
            function.args = call_of(&name, None, arguments, None).args;
        }
        Ok(())
    }

    /// Whether an expression is a column of moments, in every table that has it.
    fn is_timestamp(&self, expr: &Expr) -> bool {
        let name = match unwrapped(expr) {
            Expr::Identifier(name) => name,
            Expr::CompoundIdentifier(parts) => match parts.last() {
                Some(name) => name,
                None => return false,
            },
            _ => return false,
        };
        let mut found = self.tables.values().filter_map(|used| used.columns.find(&name.value)).peekable();
        found.peek().is_some() && found.all(|column| column.data_type() == DataType::Timestamp)
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
            ("funnelcount", parts) => Some(Expr::Function(Function {
                over: function.over.clone(),
                ..call_of(&name, None, embedded::funnel_count(parts)?, function.filter.clone())
            })),
            ("listagg", [_, _, ..]) if !function.within_group.is_empty() => {
                let arguments = embedded::ordered_list(function, arguments);
                Some(Expr::Function(call_of("$listaggordered", None, arguments, function.filter.clone())))
            }
            ("lookup", arguments) => Some(self.dialect.dimensions.call(arguments)?),
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
}

/// Names a function after the rows that its frame leaves out. One that has no frame stays what it is.
fn name_exclusion(function: &mut Function) {
    let name = function_name(function);
    let Some(WindowType::WindowSpec(spec)) = &mut function.over else { return };
    let mark = spec.window_name.as_ref().and_then(|mark| Exclusion::of_mark(&mark.value));
    let Some(exclusion) = mark else { return };
    spec.window_name = None;
    if spec.window_frame.is_some() {
        function.name = vec![quoted(&exclusion.function_name(&name))].into();
    }
}

/// A number beside moments is milliseconds since the epoch.
fn as_timestamp(constant: &mut Expr) {
    if let Some(Literal::Number(_)) = Literal::of(constant) {
        *constant = cast(constant.clone(), DataType::Timestamp);
    }
}

fn operator_of(name: &str) -> Option<BinaryOperator> {
    Some(match name {
        "add" | "plus" => BinaryOperator::Plus,
        "sub" | "minus" => BinaryOperator::Minus,
        "mult" | "times" => BinaryOperator::Multiply,
        "div" | "divide" => exact_division(),
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
        let flags = null_tests::rewrite(select, self.tables);
        self.virtual_columns.extend(flags);
        conditions::rewrite(select);
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

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<QueryError> {
        if let Expr::Function(function) = expr
            && self.dialect.functions.aggregate(&function_name(function)).is_some()
        {
            if let Err(error) = self.read_filters(function) {
                return ControlFlow::Break(error);
            }
            divide_exactly(&mut function.args);
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
                Ok(None) => {
                    name_exclusion(function);
                    None
                }
                Ok(rewritten) => rewritten,
                Err(error) => return ControlFlow::Break(error),
            },
            Expr::Between { expr: inner, low, high, .. } if self.is_timestamp(inner) => {
                [low, high].into_iter().for_each(|bound| as_timestamp(bound));
                None
            }
            Expr::InList { expr: inner, list, .. } if self.is_timestamp(inner) => {
                list.iter_mut().for_each(as_timestamp);
                None
            }
            ref other => as_call(other),
        };
        if let Some(rewritten) = rewritten {
            *expr = rewritten;
        }
        ControlFlow::Continue(())
    }
}
