//! Expressions of table configs, computed over the fields of records while they are ingested.
//!
//! They are the expressions of queries, read by the same grammar and with the same functions. What a query has and a record
//! has not is types: a field may be a number in one record and a text in the next. So an expression is parsed once, and planned
//! once for each combination of types that its fields come in. A field that is missing is null, and nulls are nulls.

use std::collections::HashMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::{DataType as ArrowType, SchemaRef};
use datafusion::execution::SessionStateDefaults;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, SelectItem, SetExpr, VisitMut, VisitorMut,
};
use meunier_execution::compute::Compute;
use meunier_execution::counters::ScanCounters;
use meunier_execution::predicate_cache::PredicateCache;
use meunier_functions::{Functions, canonical};
use meunier_segment::schema::{DataType, Schema};
use meunier_segment::table_snapshot::LiveTable;

use crate::compute::{Computation, Computed};
use crate::dialect::{Dialect, rewrite};
use crate::equal_zeros::EqualZeros;
use crate::error::QueryError;
use crate::lookup::Dimensions;
use crate::options::QueryOptions;
use crate::planner::PlanContext;
use crate::statement::{Statement, parse_expression, tokens_of};
use crate::tables::{QueryTable, SearchOptions, Tables};

/// The table that a record is to its expressions.
const RECORD: &str = "record";
/// Stack of a thread that plans, as of those that plan queries.
const PLANNING_STACK_BYTES: usize = 64 << 20;
/// Combinations of types that are remembered. A topic has few; one that has more plans anew.
const PLANS_KEPT: usize = 64;
/// Functions that mean the time at which they are planned.
const CLOCK_FUNCTIONS: [&str; 3] = ["now", "ago", "agomv"];

/// Reads the expressions of table configs.
#[derive(Debug, Clone)]
pub struct RecordExpressions {
    shared: Arc<Shared>,
}

struct Shared {
    functions: Functions,
    state: SessionState,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared")
    }
}

/// A field that an expression reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordField {
    /// Its name, as records write it.
    pub name: String,
    /// Whether a function of JSON reads it: lists and objects are then wanted as JSON text.
    pub as_json: bool,
}

/// One expression, for one thread.
#[derive(Debug)]
pub struct RecordExpression {
    shared: Arc<Shared>,
    /// Fields are named by their position in `fields`, so that no name can clash with a word of SQL.
    expr: Expr,
    fields: Vec<RecordField>,
    looks_at_clock: bool,
    /// Also those that could not be made: trying again would fail again.
    plans: HashMap<Vec<ArrowType>, Result<Arc<Planned>, QueryError>>,
}

#[derive(Debug)]
struct Planned {
    compute: Arc<dyn Compute>,
    /// Which inputs the computation takes, in its order, and the types it takes them in.
    inputs: Vec<(usize, ArrowType)>,
}

impl Default for RecordExpressions {
    fn default() -> RecordExpressions {
        RecordExpressions::new()
    }
}

impl RecordExpressions {
    /// Returns a reader with all functions.
    pub fn new() -> RecordExpressions {
        let state = SessionStateBuilder::new()
            .with_expr_planners(SessionStateDefaults::default_expr_planners())
            .with_analyzer_rule(Arc::new(EqualZeros))
            .build();
        RecordExpressions { shared: Arc::new(Shared { functions: Functions::load(), state }) }
    }

    /// Reads an expression.
    ///
    /// # Errors
    /// When it does not follow the grammar or calls a function that does not exist.
    pub fn parse(&self, text: &str) -> Result<RecordExpression, QueryError> {
        let shared = Arc::clone(&self.shared);
        let text = text.to_owned();
        on_deep_stack(move || RecordExpression::parse(shared, &text))?
    }
}

impl RecordExpression {
    fn parse(shared: Arc<Shared>, text: &str) -> Result<RecordExpression, QueryError> {
        let mut expr = parse_expression(tokens_of(text)?)?;
        let mut names = FieldNames::default();
        if let ControlFlow::Break(error) = VisitMut::visit(&mut expr, &mut names) {
            return Err(error);
        }
        let looks_at_clock = names.calls.iter().any(|name| CLOCK_FUNCTIONS.contains(&name.as_str()));
        let expression =
            RecordExpression { shared, expr, fields: names.fields, looks_at_clock, plans: HashMap::new() };
        expression.check_calls(&names.calls)?;
        Ok(expression)
    }

    /// Returns the fields it reads, in the order in which [`RecordExpression::evaluate`] takes them.
    pub fn fields(&self) -> &[RecordField] {
        &self.fields
    }

    /// Computes the values of `rows` records, of which `columns` has each field's values: booleans, 64-bit integers, doubles,
    /// texts, and lists of them.
    ///
    /// # Errors
    /// When the types do not fit the functions, or a value of one record does not.
    pub fn evaluate(&mut self, columns: &[ArrayRef], rows: usize) -> Result<ArrayRef, QueryError> {
        let types: Vec<ArrowType> = columns.iter().map(|column| column.data_type().clone()).collect();
        let planned = self.planned(&types)?;
        let failed = |detail: String| QueryError::Execution { detail };
        let mut inputs = Vec::with_capacity(planned.inputs.len());
        for (position, data_type) in &planned.inputs {
            inputs.push(cast(&columns[*position], data_type).map_err(|error| failed(error.to_string()))?);
        }
        planned.compute.compute(&inputs, rows).map_err(|error| failed(error.to_string()))
    }

    fn check_calls(&self, calls: &[String]) -> Result<(), QueryError> {
        let functions = &self.shared.functions;
        let missing = calls.iter().find(|name| !functions.exists(name));
        if let Some(name) = missing {
            let hint = meunier_segment::nearest::did_you_mean(name, functions.names());
            return Err(QueryError::FunctionMissing { function: name.clone(), hint });
        }
        match calls
            .iter()
            .find(|name| functions.aggregate(name).is_some() && functions.scalar(name).is_none())
        {
            Some(name) => Err(QueryError::invalid(format!(
                "`{name}` is computed over many rows, and here there is one record"
            ))),
            None => Ok(()),
        }
    }

    fn planned(&mut self, types: &[ArrowType]) -> Result<Arc<Planned>, QueryError> {
        if let Some(planned) = self.plans.get(types).filter(|_| !self.looks_at_clock) {
            return planned.clone();
        }
        let (shared, expr) = (Arc::clone(&self.shared), self.expr.clone());
        let (owned, fields) = (types.to_vec(), self.fields.clone());
        let planned = on_deep_stack(move || plan(&shared, expr, &owned, &fields))?.map(Arc::new);
        if self.plans.len() >= PLANS_KEPT {
            self.plans.clear();
        }
        self.plans.insert(types.to_vec(), planned.clone());
        planned
    }
}

/// Plans the expression for fields of some types, as the only column of a query over a table of such columns.
fn plan(
    shared: &Shared,
    expr: Expr,
    types: &[ArrowType],
    fields: &[RecordField],
) -> Result<Planned, QueryError> {
    let schema = Arc::new(schema_of(types, fields)?);
    let tables = Tables::new();
    tables.insert(QueryTable {
        live: Arc::new(LiveTable::new(RECORD, schema)),
        null_handling_enabled: true,
        timeout_ms: None,
        search: Arc::default(),
        is_dimension: false,
        time_column: None,
    });
    let mut query = Statement::read(tokens_of(&format!("SELECT 1 FROM {RECORD} LIMIT 1"))?)?.parse()?;
    if let SetExpr::Select(select) = &mut *query.body {
        select.projection = vec![SelectItem::UnnamedExpr(expr)];
    }
    let options = QueryOptions { null_handling: true, ..QueryOptions::default() };
    let dialect = Dialect {
        tables: &tables,
        functions: &shared.functions,
        options: &options,
        now_ms: now_ms(),
        shape: None,
        explains: false,
        dimensions: &Dimensions::default(),
    };
    let rewritten = rewrite(query, &dialect)?;
    let multistage = rewritten.multistage;
    let failed = |error: datafusion::error::DataFusionError| QueryError::from_planning(&error, multistage);
    let tables: Vec<_> = rewritten
        .tables
        .into_iter()
        .map(|(name, used)| {
            let columns = used.shown_columns();
            (name, columns, used.snapshot)
        })
        .collect();
    let (counters, cache) = (Arc::new(ScanCounters::default()), Arc::new(PredicateCache::new(0)));
    let tables = tables.into_iter().map(|(name, columns, snapshot)| {
        let (counters, cache) = (Arc::clone(&counters), Arc::clone(&cache));
        let table = crate::table_provider::SnapshotTable::new(
            snapshot,
            columns,
            options.rules,
            "".into(),
            counters,
            cache,
            &SearchOptions::default(),
        );
        (name, table)
    });
    let logical = PlanContext::new(tables, &shared.functions, &shared.state, &Dimensions::default())
        .plan(rewritten.query, Vec::new())
        .map_err(failed)?;
    let config = shared.state.config_options();
    let analyzed = shared.state.analyzer().execute_and_check(logical, config, |_, _| {}).map_err(failed)?;
    let (expr, table) = projection(&analyzed)
        .ok_or_else(|| QueryError::invalid("an expression of the fields of one record is needed"))?;
    let Computed { columns, compute, .. } =
        Computation::of(expr, &table, shared.state.execution_props()).map_err(failed)?;
    let mut inputs = Vec::with_capacity(columns.len());
    for column in columns {
        let field = table.field(column);
        let position = field.name().strip_prefix('f').and_then(|number| number.parse().ok());
        let Some(position) = position.filter(|position| *position < types.len()) else {
            return Err(QueryError::invalid(format!("a record has no `{}`", field.name())));
        };
        inputs.push((position, field.data_type().clone()));
    }
    Ok(Planned { compute, inputs })
}

/// Returns the only expression of a plan's SELECT list and the columns below it.
fn projection(plan: &LogicalPlan) -> Option<(&datafusion::logical_expr::Expr, SchemaRef)> {
    match plan {
        LogicalPlan::Limit(limit) => projection(&limit.input),
        LogicalPlan::Projection(projection) => match (&projection.expr[..], &*projection.input) {
            ([expr], LogicalPlan::TableScan(scan)) => Some((expr, scan.source.schema())),
            _ => None,
        },
        _ => None,
    }
}

fn schema_of(types: &[ArrowType], fields: &[RecordField]) -> Result<Schema, QueryError> {
    let specs: Vec<serde_json::Value> = types
        .iter()
        .zip(fields)
        .enumerate()
        .map(|(position, (data_type, field))| {
            let (item, is_list) = match data_type {
                ArrowType::List(item) => (item.data_type(), true),
                single => (single, false),
            };
            let name = match pinot_type(item) {
                DataType::String if field.as_json && !is_list => DataType::Json,
                other => other,
            };
            serde_json::json!({
                "name": format!("f{position}"), "dataType": name.name(), "singleValueField": !is_list,
            })
        })
        .collect();
    let json = serde_json::json!({
        "schemaName": RECORD, "enableColumnBasedNullHandling": true, "dimensionFieldSpecs": specs,
    });
    let parsed = Schema::parse(&json.to_string()).map_err(|problems| {
        let texts: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
        QueryError::Internal { detail: texts.join("; ") }
    })?;
    Ok(parsed.schema)
}

fn pinot_type(data_type: &ArrowType) -> DataType {
    match data_type {
        ArrowType::Boolean => DataType::Boolean,
        ArrowType::Int64 => DataType::Long,
        ArrowType::Float64 => DataType::Double,
        ArrowType::Binary => DataType::Bytes,
        _ => DataType::String,
    }
}

/// Finds the fields of an expression, and gives each a name of our own.
#[derive(Default)]
struct FieldNames {
    fields: Vec<RecordField>,
    calls: Vec<String>,
}

impl FieldNames {
    fn renamed(&mut self, name: &str) -> Expr {
        let known = self.fields.iter().position(|field| field.name == name);
        let position = known.unwrap_or_else(|| {
            self.fields.push(RecordField { name: name.to_owned(), as_json: false });
            self.fields.len() - 1
        });
        Expr::Identifier(Ident::with_quote('"', format!("f{position}")))
    }
}

impl VisitorMut for FieldNames {
    type Break = QueryError;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<QueryError> {
        match expr {
            Expr::Identifier(name) => *expr = self.renamed(&name.value.clone()),
            // A flattened field may be written without quotes.
            Expr::CompoundIdentifier(parts) => {
                let name: Vec<&str> = parts.iter().map(|part| part.value.as_str()).collect();
                *expr = self.renamed(&name.join("."));
            }
            Expr::Function(function) => {
                let name = canonical(&function.name.to_string().replace('"', ""));
                let reads_json = name.starts_with("json") || name.starts_with("tojson");
                if let (true, FunctionArguments::List(list)) = (reads_json, &mut function.args) {
                    for argument in &mut list.args {
                        if let FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Identifier(field))) = argument
                        {
                            let field = field.value.clone();
                            let _ = self.renamed(&field);
                            self.fields
                                .iter_mut()
                                .filter(|known| known.name == field)
                                .for_each(|known| known.as_json = true);
                        }
                    }
                }
                self.calls.push(name);
            }
            Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. } => {
                return ControlFlow::Break(QueryError::invalid(
                    "an expression of a record has no query in it",
                ));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// Planning recurses over whatever was written.
fn on_deep_stack<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> Result<R, QueryError> {
    let failed = |detail: String| QueryError::Internal { detail };
    let thread = std::thread::Builder::new().name("plan".into()).stack_size(PLANNING_STACK_BYTES).spawn(work);
    let thread = thread.map_err(|error| failed(error.to_string()))?;
    thread.join().map_err(|_| failed("planning the expression ended in a panic".to_owned()))
}

/// The clock is read once a planning, here.
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
