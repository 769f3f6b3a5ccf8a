//! Runs the common shapes of a query without DataFusion's optimiser and physical planner.
//!
//! One table, conditions, perhaps groups, computations, an order and a limit: what dashboards ask. Of such a plan the
//! segment level does the lower part, and a few steps over the small rest do the upper. Types and names are DataFusion's
//! own, since its planner made the plan; a plan of any other shape goes the long way, with the same answer.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::compute::{SortColumn, SortOptions, filter_record_batch, lexsort_to_indices, take_record_batch};
use arrow::datatypes::{Field as ArrowField, Schema as ArrowSchema, SchemaRef};
use datafusion::common::DFSchemaRef;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::datasource::source_as_provider;
use datafusion::error::Result;
use datafusion::execution::SessionState;
use datafusion::execution::context::ExecutionProps;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool};
use datafusion::logical_expr::expr::Sort as SortExpr;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, FetchType, LogicalPlan, SkipType};
use datafusion::optimizer::optimizer::OptimizerRule;
use datafusion::optimizer::simplify_expressions::SimplifyExpressions;
use datafusion::physical_expr::{PhysicalExpr, create_physical_expr};
use datafusion::scalar::ScalarValue;
use meunier_execution::counters::ScanCounters;
use meunier_execution::input::InputColumn;
use meunier_execution::segment_work::{SegmentInput, SegmentWork};
use meunier_execution::top_rows::{SortKey, TopRows, TopRowsSearch};
use meunier_segment::table_snapshot::TableSnapshot;

use crate::compute::{carried, unqualified};
use crate::grouping::Grouping;
use crate::grouping_scan::run;
use crate::reading::Reading;
use crate::table_provider::{SnapshotTable, has_subquery, readers};
use crate::time_slice::TimeSlice;

/// More rows than this are streamed by DataFusion.
const FETCH_MAX: usize = 10_000;

/// A plan that takes the short path.
#[derive(Debug)]
pub(crate) struct ShortPlan {
    leaf: Leaf,
    /// What is done with the leaf's rows, in order.
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Leaf {
    Groups(Arc<Grouping>),
    Rows(Rows),
}

/// Some rows of a table.
#[derive(Debug, Clone)]
struct Rows {
    reading: Reading,
    /// The table's columns, and which of them are needed; the others come as nulls.
    schema: SchemaRef,
    needed: Vec<bool>,
    /// Positions of the leaf's columns in the table.
    columns: Vec<usize>,
    top: TopRows,
}

#[derive(Debug)]
enum Step {
    Compute { expressions: Vec<Arc<dyn PhysicalExpr>>, schema: SchemaRef },
    Filter(Arc<dyn PhysicalExpr>),
    Sort { keys: Vec<(Arc<dyn PhysicalExpr>, SortOptions)>, fetch: Option<usize> },
    Limit { skip: usize, fetch: Option<usize> },
}

impl ShortPlan {
    /// Returns the plan for the short path, or nothing when it has another shape.
    ///
    /// # Errors
    /// When the query's types do not fit, as the long way would say too.
    pub(crate) fn of(plan: &LogicalPlan, state: &SessionState) -> Result<Option<ShortPlan>> {
        if !has_short_shape(plan) {
            return Ok(None);
        }
        let analyzed = state.analyzer().execute_and_check(plan.clone(), state.config_options(), |_, _| {})?;
        let simplify = SimplifyExpressions::new();
        let simple = analyzed.transform_up(|node| match node {
            LogicalPlan::TableScan(_) => Ok(Transformed::no(node)),
            node => simplify.rewrite(node, state),
        })?;
        let reader = PlanReader { props: state.execution_props() };
        let Some(short) = reader.read(&simple.data)? else { return Ok(None) };
        let unbounded = matches!(&short.leaf, Leaf::Rows(rows) if rows.top.fetch > FETCH_MAX);
        Ok((!unbounded).then_some(short))
    }

    /// Returns the answer's rows over a snapshot of the plan's table; `parameters` are the values of `$1`, `$2`, ….
    pub(crate) async fn run(
        &self,
        parameters: &[Option<ScalarValue>],
        snapshot: &TableSnapshot,
        counters: &Arc<ScanCounters>,
        threads: usize,
        pool: &Arc<dyn MemoryPool>,
    ) -> Result<RecordBatch> {
        let read = |reading: &Reading| reading.of_segments(parameters, snapshot, counters);
        let mut batch = match &self.leaf {
            Leaf::Groups(grouping) => {
                let work = Arc::clone(grouping).over(read(&grouping.reading)?);
                let readers = readers(&work.segments.segments, threads);
                run(&work, readers, pool).await?
            }
            Leaf::Rows(rows) => rows.run(read(&rows.reading)?, pool).await?,
        };
        for step in &self.steps {
            batch = step.run(batch)?;
        }
        Ok(batch)
    }
}

fn has_short_shape(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::TableScan(_) => true,
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Aggregate(_)
        | LogicalPlan::SubqueryAlias(_) => {
            !plan.expressions().iter().any(has_subquery) && plan.inputs().into_iter().all(has_short_shape)
        }
        _ => false,
    }
}

impl Rows {
    /// Lets other tasks run between chunks, and ends with the task that calls.
    async fn run(&self, segments: SegmentInput, pool: &Arc<dyn MemoryPool>) -> Result<RecordBatch> {
        let work = SegmentWork::new(segments);
        let reservation = MemoryConsumer::new("first rows").register(pool);
        let columns: Vec<_> = self
            .columns
            .iter()
            .zip(self.schema.fields())
            .zip(&self.needed)
            .map(|((&column, field), &needed)| (column, field.data_type().clone(), needed))
            .collect();
        let mut search = TopRowsSearch::new(&self.top, &work).map_err(carried)?;
        let mut slice = TimeSlice::begin();
        while search.step().map_err(carried)? {
            reservation.try_resize(search.memory_bytes())?;
            slice.pass().await;
        }
        let (rows, arrays) = search.finish(&columns).map_err(carried)?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)?)
    }
}

impl Step {
    fn run(&self, batch: RecordBatch) -> Result<RecordBatch> {
        let rows = batch.num_rows();
        match self {
            Step::Compute { expressions, schema } => {
                let mut arrays: Vec<ArrayRef> = Vec::with_capacity(expressions.len());
                for expression in expressions {
                    arrays.push(expression.evaluate(&batch)?.into_array(rows)?);
                }
                let options = RecordBatchOptions::new().with_row_count(Some(rows));
                Ok(RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)?)
            }
            Step::Filter(condition) => {
                let holds = condition.evaluate(&batch)?.into_array(rows)?;
                Ok(filter_record_batch(&batch, holds.as_boolean())?)
            }
            Step::Sort { keys, fetch } => {
                if rows == 0 {
                    return Ok(batch);
                }
                let mut columns = Vec::with_capacity(keys.len());
                for (key, options) in keys {
                    let values = key.evaluate(&batch)?.into_array(rows)?;
                    columns.push(SortColumn { values, options: Some(*options) });
                }
                Ok(take_record_batch(&batch, &lexsort_to_indices(&columns, *fetch)?)?)
            }
            Step::Limit { skip, fetch } => {
                let start = rows.min(*skip);
                Ok(batch.slice(start, fetch.unwrap_or(usize::MAX).min(rows - start)))
            }
        }
    }
}

struct PlanReader<'a> {
    props: &'a ExecutionProps,
}

impl PlanReader<'_> {
    fn read(&self, plan: &LogicalPlan) -> Result<Option<ShortPlan>> {
        match plan {
            LogicalPlan::Aggregate(aggregate) => {
                let Some(grouping) = Grouping::of(aggregate, self.props)? else { return Ok(None) };
                Ok(Some(ShortPlan { leaf: Leaf::Groups(Arc::new(grouping)), steps: Vec::new() }))
            }
            LogicalPlan::SubqueryAlias(alias) => self.read(&alias.input),
            LogicalPlan::Projection(projection) => {
                let Some(mut short) = self.read(&projection.input)? else { return Ok(None) };
                let mut expressions = Vec::with_capacity(projection.expr.len());
                for expr in &projection.expr {
                    if expr.is_volatile() {
                        return Ok(None);
                    }
                    short.leaf.need(expr, &short.steps);
                    expressions.push(self.physical(expr, projection.input.schema())?);
                }
                let schema = all_nullable(projection.schema.as_arrow());
                short.steps.push(Step::Compute { expressions, schema });
                Ok(Some(short))
            }
            LogicalPlan::Filter(filter) => match below(&filter.input) {
                LogicalPlan::TableScan(_) => self.scan(&filter.input, Some(&filter.predicate)),
                _ => {
                    let Some(mut short) = self.read(&filter.input)? else { return Ok(None) };
                    if matches!(short.leaf, Leaf::Rows(_)) {
                        return Ok(None);
                    }
                    let condition = self.physical(&filter.predicate, filter.input.schema())?;
                    short.steps.push(Step::Filter(condition));
                    Ok(Some(short))
                }
            },
            LogicalPlan::TableScan(_) => self.scan(plan, None),
            LogicalPlan::Sort(sort) => {
                let Some(mut short) = self.read(&sort.input)? else { return Ok(None) };
                match &mut short.leaf {
                    Leaf::Groups(_) => {
                        let mut keys = Vec::with_capacity(sort.expr.len());
                        for SortExpr { expr, asc, nulls_first } in &sort.expr {
                            let options = SortOptions { descending: !asc, nulls_first: *nulls_first };
                            keys.push((self.physical(expr, sort.input.schema())?, options));
                        }
                        short.steps.push(Step::Sort { keys, fetch: sort.fetch });
                        Ok(Some(short))
                    }
                    Leaf::Rows(rows) => {
                        let Some(keys) = sort_keys(rows, &sort.expr, &sort.input) else { return Ok(None) };
                        if !rows.top.keys.is_empty() || rows.top.fetch != usize::MAX {
                            return Ok(None);
                        }
                        rows.top.keys = keys;
                        Ok(Some(short))
                    }
                }
            }
            LogicalPlan::Limit(limit) => {
                let (SkipType::Literal(skip), FetchType::Literal(fetch)) =
                    (limit.get_skip_type()?, limit.get_fetch_type()?)
                else {
                    return Ok(None);
                };
                let Some(mut short) = self.read(&limit.input)? else { return Ok(None) };
                if let (Some(Step::Sort { fetch: sorted, .. }), Some(fetch)) = (short.steps.last_mut(), fetch)
                {
                    *sorted = Some(skip.saturating_add(fetch));
                }
                if let Leaf::Rows(rows) = &mut short.leaf {
                    if rows.top.fetch != usize::MAX {
                        return Ok(None);
                    }
                    rows.top.fetch = fetch.map_or(usize::MAX, |fetch| skip.saturating_add(fetch));
                }
                short.steps.push(Step::Limit { skip, fetch });
                Ok(Some(short))
            }
            _ => Ok(None),
        }
    }

    fn scan(&self, plan: &LogicalPlan, condition: Option<&Expr>) -> Result<Option<ShortPlan>> {
        let LogicalPlan::TableScan(scan) = below(plan) else { return Ok(None) };
        let provider = source_as_provider(&scan.source)?;
        let provider: &dyn std::any::Any = provider.as_ref();
        let Some(table) = provider.downcast_ref::<SnapshotTable>() else { return Ok(None) };
        if !table.rules().segment_top_rows || !scan.filters.is_empty() || scan.fetch.is_some() {
            return Ok(None);
        }
        let mut conditions = Vec::new();
        for part in condition.into_iter().flat_map(split_conjunction) {
            if part.is_volatile() {
                return Ok(None);
            }
            conditions.push(unqualified(part)?);
        }
        let fields = scan.projected_schema.fields().len();
        let columns = scan.projection.clone().unwrap_or_else(|| (0..fields).collect());
        let rows = Rows {
            reading: table.reading(conditions, self.props)?,
            schema: all_nullable(scan.projected_schema.as_arrow()),
            needed: vec![false; fields],
            columns,
            top: TopRows { keys: Vec::new(), fetch: usize::MAX },
        };
        Ok(Some(ShortPlan { leaf: Leaf::Rows(rows), steps: Vec::new() }))
    }

    fn physical(&self, expr: &Expr, schema: &DFSchemaRef) -> Result<Arc<dyn PhysicalExpr>> {
        create_physical_expr(expr, schema, self.props, &PhysicalPlanningContext::default())
    }
}

impl Leaf {
    /// Notes which columns of a table the first computation over its rows reads.
    fn need(&mut self, expr: &Expr, steps: &[Step]) {
        let Leaf::Rows(rows) = self else { return };
        if steps.iter().any(|step| matches!(step, Step::Compute { .. })) {
            return;
        }
        for column in expr.column_refs() {
            if let Ok(at) = rows.schema.index_of(&column.name) {
                rows.needed[at] = true;
            }
        }
    }
}

/// Returns the plan below names that a table is given.
fn below(plan: &LogicalPlan) -> &LogicalPlan {
    match plan {
        LogicalPlan::SubqueryAlias(alias) => below(&alias.input),
        other => other,
    }
}

/// Returns the table's columns that rows are sorted by, or nothing when they are sorted by something else.
fn sort_keys(rows: &Rows, sorted: &[SortExpr], input: &LogicalPlan) -> Option<Vec<SortKey>> {
    let mut keys = Vec::with_capacity(sorted.len());
    for SortExpr { expr, asc, nulls_first } in sorted {
        let name = column_below(expr, input)?;
        let at = rows.schema.index_of(&name).ok()?;
        let column = rows.columns[at];
        if !matches!(&rows.reading.inputs()[column], InputColumn::Stored { field, .. } if field.single_value)
        {
            return None;
        }
        keys.push(SortKey {
            column,
            data_type: rows.schema.field(at).data_type().clone(),
            options: SortOptions { descending: !asc, nulls_first: *nulls_first },
        });
    }
    Some(keys)
}

/// Follows a column through projections down to the table.
fn column_below(expr: &Expr, input: &LogicalPlan) -> Option<String> {
    let Expr::Column(column) = expr else {
        return match expr {
            Expr::Alias(alias) => column_below(&alias.expr, input),
            _ => None,
        };
    };
    match input {
        LogicalPlan::Projection(projection) => {
            let at = projection.schema.index_of_column(column).ok()?;
            column_below(&projection.expr[at], &projection.input)
        }
        LogicalPlan::SubqueryAlias(alias) => column_below(expr, &alias.input),
        LogicalPlan::Filter(filter) => column_below(expr, &filter.input),
        LogicalPlan::TableScan(_) => Some(column.name.clone()),
        _ => None,
    }
}

/// Columns that are not needed stand as nulls in rows on their way.
fn all_nullable(schema: &ArrowSchema) -> SchemaRef {
    let fields =
        schema.fields().iter().map(|field: &Arc<ArrowField>| field.as_ref().clone().with_nullable(true));
    Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>()))
}
