//! From a rewritten syntax tree to a plan that can run.
//!
//! DataFusion plans against exactly the tables, functions and types that are handed in here: there is no catalog to look
//! anything else up in, so no text can reach a file, a setting or a table function.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::datatypes::{DataType as ArrowType, Field as ArrowField, FieldRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::{TableReference, plan_err};
use datafusion::datasource::provider_as_source;
use datafusion::error::Result;
use datafusion::execution::SessionState;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner, TypePlanner};
use datafusion::logical_expr::{
    AggregateUDF, HigherOrderUDF, LogicalPlan, ScalarUDF, TableSource, WindowUDF,
};
use datafusion::sql::planner::{NullOrdering, ParserOptions, PlannerContext, SqlToRel};
use datafusion::sql::sqlparser::ast::{DataType as SqlType, Query, Statement};
use meunier_segment::schema::DataType;

use crate::asof_join::{NEAREST, join_nearest, nearest_function};
use crate::gapfill::{GAPFILL, fill_gaps, gapfill_function};
use crate::lookup::Dimensions;
use crate::response::rows::{PINOT_TYPE, PINOT_TYPE_JSON};
use crate::table_columns::scan_type;
use crate::table_provider::SnapshotTable;
use crate::window_exclusion::window_function;
use meunier_functions::Functions;

/// What a statement may name.
pub(crate) struct PlanContext<'a> {
    tables: HashMap<String, Arc<dyn TableSource>>,
    functions: &'a Functions,
    state: &'a SessionState,
    dimensions: &'a Dimensions,
    /// Whether ASOF joins and GAPFILL were met, since to look for them is a walk through every expression.
    meets_asof: AtomicBool,
    meets_gapfill: AtomicBool,
}

impl<'a> PlanContext<'a> {
    /// Returns a context with these tables, found by their exact names.
    pub(crate) fn new(
        tables: impl IntoIterator<Item = (String, SnapshotTable)>,
        functions: &'a Functions,
        state: &'a SessionState,
        dimensions: &'a Dimensions,
    ) -> PlanContext<'a> {
        let tables = tables.into_iter().map(|(name, table)| (name, provider_as_source(Arc::new(table))));
        PlanContext {
            tables: tables.collect(),
            functions,
            state,
            dimensions,
            meets_asof: AtomicBool::new(false),
            meets_gapfill: AtomicBool::new(false),
        }
    }

    /// Returns the logical plan of a query, checked to be one that only reads. `parameters` are the types of `$1`, `$2`, …
    ///
    /// # Errors
    /// When the query does not fit the tables, functions or types.
    pub(crate) fn plan(&self, query: Box<Query>, parameters: Vec<Option<FieldRef>>) -> Result<LogicalPlan> {
        let options = ParserOptions::default()
            .with_enable_ident_normalization(false)
            .with_map_string_types_to_utf8view(true)
            .with_default_null_ordering(NullOrdering::NullsMax);
        let mut context = PlannerContext::new().with_prepare_param_data_types(parameters);
        let plan = SqlToRel::new_with_options(self, options)
            .sql_statement_to_plan_with_context(Statement::Query(query), &mut context)?;
        SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false)
            .verify_plan(&plan)?;
        let plan = if self.meets_asof.load(Ordering::Relaxed) { join_nearest(plan)? } else { plan };
        match self.meets_gapfill.load(Ordering::Relaxed) {
            true => fill_gaps(plan, self.functions, self.state),
            false => Ok(plan),
        }
    }
}

impl ContextProvider for PlanContext<'_> {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
        match self.tables.get(name.table()) {
            Some(table) => Ok(Arc::clone(table)),
            None => plan_err!("table `{name}` does not exist"),
        }
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        self.state.expr_planners()
    }

    fn get_type_planner(&self) -> Option<Arc<dyn TypePlanner>> {
        Some(Arc::new(PinotTypes))
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        match name {
            NEAREST => {
                self.meets_asof.store(true, Ordering::Relaxed);
                Some(nearest_function())
            }
            GAPFILL => {
                self.meets_gapfill.store(true, Ordering::Relaxed);
                Some(gapfill_function())
            }
            _ => self.functions.scalar(name).or_else(|| self.dimensions.function(name)),
        }
    }

    fn get_higher_order_meta(&self, _name: &str) -> Option<Arc<HigherOrderUDF>> {
        None
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.functions.aggregate(name)
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.functions.window(name).or_else(|| window_function(name, self.functions))
    }

    fn get_variable_type(&self, _variable_names: &[String]) -> Option<ArrowType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        self.state.config_options()
    }

    fn udf_names(&self) -> Vec<String> {
        self.functions.names().map(str::to_owned).collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udaf_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udwf_names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Pinot's type names in `CAST(… AS …)`.
#[derive(Debug)]
struct PinotTypes;

impl TypePlanner for PinotTypes {
    fn plan_type_field(&self, sql_type: &SqlType) -> Result<Option<FieldRef>> {
        Ok(pinot_type(sql_type).map(|data_type| {
            let field = ArrowField::new("", scan_type(data_type), true);
            Arc::new(match data_type {
                DataType::Json => {
                    field.with_metadata([(PINOT_TYPE.to_owned(), PINOT_TYPE_JSON.to_owned())].into())
                }
                _ => field,
            })
        }))
    }
}

/// Returns the type that a name in `CAST(… AS …)` means, or nothing when Pinot has no such type.
pub(crate) fn pinot_type(sql_type: &SqlType) -> Option<DataType> {
    let written = sql_type.to_string().to_ascii_uppercase();
    let name = written.split('(').next().unwrap_or_default().trim();
    match name {
        "INT" | "INTEGER" | "SMALLINT" | "TINYINT" => Some(DataType::Int),
        "LONG" | "BIGINT" => Some(DataType::Long),
        "FLOAT" | "REAL" => Some(DataType::Float),
        "DOUBLE" | "DOUBLE PRECISION" => Some(DataType::Double),
        "BIG_DECIMAL" | "BIGDECIMAL" | "DECIMAL" | "NUMERIC" => Some(DataType::BigDecimal),
        "BOOLEAN" | "BOOL" => Some(DataType::Boolean),
        "TIMESTAMP" => Some(DataType::Timestamp),
        "STRING" | "VARCHAR" | "CHAR" | "CHARACTER VARYING" | "CHARACTER" | "TEXT" => Some(DataType::String),
        "JSON" => Some(DataType::Json),
        "BYTES" | "VARBINARY" | "BINARY" => Some(DataType::Bytes),
        _ => None,
    }
}
