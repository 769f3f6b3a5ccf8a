//! GAPFILL in a plan: rows that a time series lacks, made from what it has.
//!
//! The dialect leaves a call of [`GAPFILL`] in a projection. Here it becomes three nodes: a projection that also tells each
//! row's time in milliseconds, [`GapfillNode`], and a projection that writes times as the query's format says. Formats are
//! read and written by `dateTimeConvert`, so that both agree.

mod exec;
mod series;

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::array::RecordBatchOptions;
use arrow::datatypes::{DataType, Schema};
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, DFSchema, DFSchemaRef, plan_err};
use datafusion::error::Result;
use datafusion::execution::SessionState;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, Extension, LogicalPlan, LogicalPlanBuilder, Projection,
    ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, UserDefinedLogicalNode,
    UserDefinedLogicalNodeCore, Volatility, cast, lit,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};
use datafusion::scalar::ScalarValue;
use meunier_functions::Functions;

use self::exec::GapfillExec;
pub(crate) use self::series::Gaps;

/// The call that the dialect makes: time, format, start, end, granularity, bucket, then marks with the names of columns.
pub(crate) const GAPFILL: &str = "$gapfill";
/// Begins the name of a column whose last value fills gaps.
pub(crate) const FILL_MARK: &str = "fill:";
/// Begins the name of a column that tells series apart.
pub(crate) const SERIES_MARK: &str = "series:";

const MILLIS: &str = "$gapfill_ms";
const EPOCH: &str = "1:MILLISECONDS:EPOCH";
const NO_ROUNDING: &str = "1:MILLISECONDS";
/// Most buckets between start and end. A minute's buckets of a year are half of it.
const BUCKETS_MAX: i64 = 1_000_000;

/// Returns the function of [`GAPFILL`], which is planned and never called.
pub(crate) fn gapfill_function() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(GapfillCall { signature: Signature::variadic_any(Volatility::Volatile) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct GapfillCall {
    signature: Signature,
}

impl ScalarUDFImpl for GapfillCall {
    fn name(&self) -> &str {
        GAPFILL
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        match arg_types.first() {
            Some(time) => Ok(time.clone()),
            None => plan_err!("GAPFILL takes a time"),
        }
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        plan_err!("GAPFILL stands in a SELECT list alone")
    }
}

/// Returns a plan in which calls of GAPFILL are nodes.
///
/// # Errors
/// When bounds, granularity or columns of a call make no series.
pub(crate) fn fill_gaps(
    plan: LogicalPlan,
    functions: &Functions,
    state: &SessionState,
) -> Result<LogicalPlan> {
    let filled = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Projection(projection) => match call_in(&projection) {
            Some((position, arguments)) => {
                let filling = Filling { functions, state, position, arguments };
                Ok(Transformed::yes(filling.plan(projection)?))
            }
            None => Ok(Transformed::no(LogicalPlan::Projection(projection))),
        },
        other => Ok(Transformed::no(other)),
    })?;
    Ok(filled.data)
}

fn call_in(projection: &Projection) -> Option<(usize, Vec<Expr>)> {
    projection.expr.iter().enumerate().find_map(|(position, expr)| match expr.clone().unalias() {
        Expr::ScalarFunction(ScalarFunction { func, args }) if func.name() == GAPFILL => {
            Some((position, args))
        }
        _ => None,
    })
}

/// One call of GAPFILL and where it stands.
struct Filling<'a> {
    functions: &'a Functions,
    state: &'a SessionState,
    position: usize,
    arguments: Vec<Expr>,
}

impl Filling<'_> {
    fn plan(&self, projection: Projection) -> Result<LogicalPlan> {
        let constants: Vec<String> = self.arguments.iter().skip(1).map(constant).collect::<Result<_>>()?;
        let (Some(time), [format, start, end, granularity, bucket, marks @ ..]) =
            (self.arguments.first(), &constants[..])
        else {
            return plan_err!("Gapfill does not have correct number of arguments.");
        };
        let step = granularity_ms(granularity)?;
        let (start, end) = (self.moment(start, format)?, self.moment(end, format)?);
        if (end - start) / step > BUCKETS_MAX {
            return plan_err!("GAPFILL makes {BUCKETS_MAX} buckets at most");
        }
        let name = projection.schema.field(self.position).name().clone();
        let mut exprs = projection.expr.clone();
        exprs[self.position] = time.clone().alias(&name);
        let shown = exprs.len();
        let mut keys = Vec::new();
        let mut filled = Vec::new();
        for mark in marks {
            if let Some(key) = mark.strip_prefix(SERIES_MARK) {
                keys.push(position_of(key, &projection, &mut exprs)?);
            } else if let Some(name) = mark.strip_prefix(FILL_MARK) {
                filled.extend(named(&projection.schema, name));
            }
        }
        let millis = exprs.len();
        exprs.push(cast(self.converted(time.clone(), format, EPOCH)?, DataType::Int64).alias(MILLIS));
        let input =
            LogicalPlanBuilder::from(Arc::unwrap_or_clone(projection.input)).project(exprs)?.build()?;
        let node = GapfillNode { input, gaps: Gaps { millis, keys, filled, start, end, step } };
        let time_type = time.get_type(node.input.schema()).or_else(|_| time_type(&node, self.position))?;
        let shown_millis = match bucket.as_str() {
            "" => millis_column(),
            bucket => rounded(start, granularity_ms(bucket)?.max(step)),
        };
        let written = cast(self.converted(shown_millis, EPOCH, format)?, time_type).alias(name);
        let columns = node.input.schema().iter().take(shown).enumerate().map(|(at, (relation, field))| {
            match at == self.position {
                true => written.clone(),
                false => Expr::Column(Column::new(relation.cloned(), field.name())),
            }
        });
        let columns: Vec<Expr> = columns.collect();
        let plan = LogicalPlan::Extension(Extension { node: Arc::new(node) });
        LogicalPlanBuilder::from(plan).project(columns)?.build()
    }

    /// Returns a time in another format.
    fn converted(&self, time: Expr, from: &str, to: &str) -> Result<Expr> {
        match self.functions.scalar("dateTimeConvert") {
            Some(convert) => Ok(convert.call(vec![time, lit(from), lit(to), lit(NO_ROUNDING)])),
            None => plan_err!("function `dateTimeConvert` does not exist"),
        }
    }

    /// Returns a bound of the series in milliseconds since the epoch.
    fn moment(&self, written: &str, format: &str) -> Result<i64> {
        let expr = cast(self.converted(lit(written), format, EPOCH)?, DataType::Int64);
        let expr = self.state.create_physical_expr(expr, &DFSchema::empty())?;
        let one_row = RecordBatchOptions::new().with_row_count(Some(1));
        let row = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &one_row)?;
        match ScalarValue::try_from_array(&expr.evaluate(&row)?.into_array(1)?, 0)? {
            ScalarValue::Int64(Some(millis)) => Ok(millis),
            _ => plan_err!("`{written}` is no time of the format `{format}`"),
        }
    }
}

fn time_type(node: &GapfillNode, position: usize) -> Result<DataType> {
    Ok(node.input.schema().field(position).data_type().clone())
}

fn millis_column() -> Expr {
    Expr::Column(Column::from_name(MILLIS))
}

/// Returns the begin of the bucket that a time lies in, buckets counted from the start.
fn rounded(start: i64, bucket: i64) -> Expr {
    millis_column() - (millis_column() - lit(start)) % lit(bucket)
}

/// Returns the position of a column in the projection's result. One that only its input has is added to `exprs`.
fn position_of(name: &str, projection: &Projection, exprs: &mut Vec<Expr>) -> Result<usize> {
    if let Some(position) = named(&projection.schema, name) {
        return Ok(position);
    }
    let schema = projection.input.schema();
    match named(schema, name) {
        Some(position) => {
            let (relation, field) = schema.qualified_field(position);
            exprs.push(Expr::Column(Column::new(relation.cloned(), field.name())));
            Ok(exprs.len() - 1)
        }
        None => plan_err!("TIMESERIESON column '{name}' is not present in the SELECT list"),
    }
}

fn named(schema: &DFSchema, name: &str) -> Option<usize> {
    schema.fields().iter().position(|field| field.name().eq_ignore_ascii_case(name))
}

fn constant(expr: &Expr) -> Result<String> {
    match expr {
        Expr::Literal(value, _) => match value.try_as_str().flatten() {
            Some(text) => Ok(text.to_owned()),
            None => plan_err!("GAPFILL takes text behind its time, not `{value}`"),
        },
        other => plan_err!("GAPFILL takes constants behind its time, not `{other}`"),
    }
}

/// Reads `15:MINUTES`.
fn granularity_ms(written: &str) -> Result<i64> {
    let parts = written.split_once(':').and_then(|(size, unit)| {
        let unit: i64 = match unit.to_ascii_uppercase().as_str() {
            "MILLISECONDS" => 1,
            "SECONDS" => 1_000,
            "MINUTES" => 60_000,
            "HOURS" => 3_600_000,
            "DAYS" => 86_400_000,
            _ => return None,
        };
        size.trim().parse::<i64>().ok()?.checked_mul(unit)
    });
    match parts.filter(|&millis| millis > 0) {
        Some(millis) => Ok(millis),
        None => plan_err!("`{written}` is no granularity such as '15:MINUTES' or '1:HOURS'"),
    }
}

/// A plan whose rows are filled up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Hash)]
pub(crate) struct GapfillNode {
    input: LogicalPlan,
    gaps: Gaps,
}

impl UserDefinedLogicalNodeCore for GapfillNode {
    fn name(&self) -> &str {
        "Gapfill"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gapfill: {}", self.gaps)
    }

    fn with_exprs_and_inputs(&self, _exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        match <[LogicalPlan; 1]>::try_from(inputs) {
            Ok([input]) => Ok(GapfillNode { input, gaps: self.gaps.clone() }),
            Err(inputs) => plan_err!("GAPFILL has one input, not {}", inputs.len()),
        }
    }
}

/// Plans [`GapfillNode`].
#[derive(Debug)]
pub(crate) struct GapfillPlanner;

#[async_trait]
impl ExtensionPlanner for GapfillPlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        _session: &dyn Session,
        _context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let found = node.as_any().downcast_ref::<GapfillNode>().zip(physical_inputs.first());
        Ok(found.map(|(node, input)| {
            Arc::new(GapfillExec::new(Arc::clone(input), node.gaps.clone())) as Arc<dyn ExecutionPlan>
        }))
    }
}
