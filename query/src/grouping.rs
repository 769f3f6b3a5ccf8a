//! Finds aggregations over one table's scan in a plan, and has the segment level do them.
//!
//! An aggregate that stands above a scan, with nothing but conditions and computations between, is taken out of the plan
//! whole and replaced by a table that holds its groups. All else stays DataFusion's: what is above sees the same columns.
//! An aggregate of which a part is not understood is left as it was.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field as ArrowField, Schema as ArrowSchema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::TableReference;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::{TableType, provider_as_source, source_as_provider};
use datafusion::error::Result;
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{
    Aggregate as AggregateNode, AggregateUDF, BinaryExpr, Cast, Expr, LogicalPlan, LogicalPlanBuilder,
    Operator, TableScan,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::scalar::ScalarValue;
use meunier_execution::aggregation::{Aggregate, Aggregation, Function, Input, Key};
use meunier_execution::input::InputColumn;
use meunier_execution::segment_work::SegmentInput;
use meunier_execution::star_tree_query::StarTreeQuery;
use meunier_segment::schema::DataType as FieldType;
use meunier_segment::table_snapshot::Segment;

use crate::compute::{Computation, unqualified};
use crate::external::ExternalAggregate;
use crate::group_count::estimated_groups;
use crate::grouping_scan::{GroupingInput, GroupingScan};
use crate::predicate::is_millis;
use crate::reading::Reading;
use crate::table_provider::{SnapshotTable, readers};

/// Name of the table that stands for an aggregation's groups.
const GROUPS_TABLE: &str = "$groups";

/// An aggregation that the segment level does, apart from any segment.
#[derive(Debug)]
pub(crate) struct Grouping {
    /// The table's name, for EXPLAIN.
    pub(crate) table: String,
    pub(crate) aggregation: Arc<Aggregation>,
    pub(crate) reading: Reading,
}

/// An aggregation and the segments that it reads.
#[derive(Debug)]
pub(crate) struct GroupingWork {
    pub(crate) grouping: Arc<Grouping>,
    pub(crate) segments: SegmentInput,
    /// The same as star-trees see it, where they may answer.
    pub(crate) star_tree: Option<StarTreeQuery>,
}

/// About how many groups an aggregate has, and of how many rows.
pub(crate) struct GroupEstimate {
    pub(crate) groups: usize,
    /// Rows of the segments that are read, conditions not counted.
    pub(crate) rows: usize,
}

impl GroupEstimate {
    /// Returns the estimate from metadata, or nothing when the segment level does not make these groups.
    ///
    /// # Errors
    /// As [`Grouping::of`].
    pub(crate) fn of(aggregate: &AggregateNode, props: &ExecutionProps) -> Result<Option<GroupEstimate>> {
        let Some(source) = Source::below(&aggregate.input)? else { return Ok(None) };
        let grouping = Grouping::over_source(&source, aggregate, props)?;
        let Some((table, grouping)) = source.table().zip(grouping) else { return Ok(None) };
        let segments = table.matching(&grouping.reading)?;
        Ok(Some(GroupEstimate {
            groups: estimated_groups(&grouping.aggregation, &segments.segments),
            rows: segments.segments.iter().map(Segment::rows).sum(),
        }))
    }
}

/// Returns whether a plan reads one table, with nothing but conditions and computations on it, and aggregates of the
/// table may be made below joins.
///
/// # Errors
/// When a plan names a column that its table does not have: a bug of the planner.
pub(crate) fn is_scan_of_table(plan: &LogicalPlan) -> Result<bool> {
    let source = Source::below(plan)?;
    let rules = source.as_ref().and_then(Source::table).map(SnapshotTable::rules);
    Ok(rules.is_some_and(|rules| rules.segment_aggregation && rules.aggregation_below_joins))
}

/// Replaces every aggregate that is understood.
///
/// # Errors
/// When a plan names a column that its table does not have: a bug of the planner.
pub(crate) fn replace_aggregates(plan: LogicalPlan, props: &ExecutionProps) -> Result<LogicalPlan> {
    let replaced = plan.transform_down_with_subqueries(|node| {
        let LogicalPlan::Aggregate(aggregate) = &node else { return Ok(Transformed::no(node)) };
        let Some(source) = Source::below(&aggregate.input)? else { return Ok(Transformed::no(node)) };
        let grouping = Grouping::over_source(&source, aggregate, props)?;
        let Some((table, grouping)) = source.table().zip(grouping) else { return Ok(Transformed::no(node)) };
        let segments = table.read(&grouping.reading)?;
        Ok(Transformed::yes(Arc::new(grouping).over(segments).into_plan(aggregate)?))
    });
    Ok(replaced?.data)
}

impl Grouping {
    /// Returns the aggregate as the segment level does it, or nothing when a part of it is not understood.
    ///
    /// # Errors
    /// When it names a column that its table does not have: a bug of the planner.
    pub(crate) fn of(aggregate: &AggregateNode, props: &ExecutionProps) -> Result<Option<Grouping>> {
        match Source::below(&aggregate.input)? {
            Some(source) => Grouping::over_source(&source, aggregate, props),
            None => Ok(None),
        }
    }

    fn over_source(
        source: &Source,
        aggregate: &AggregateNode,
        props: &ExecutionProps,
    ) -> Result<Option<Grouping>> {
        let Some(table) = source.table() else { return Ok(None) };
        if !table.rules().segment_aggregation {
            return Ok(None);
        }
        let reader = GroupingReader { inputs: table.inputs(), schema: &table.schema(), props };
        let schema = aggregate.schema.as_arrow();
        if schema.fields().len() != aggregate.group_expr.len() + aggregate.aggr_expr.len() {
            // A key that stands twice is there once in what comes out.
            return Ok(None);
        }
        let mut keys = Vec::with_capacity(aggregate.group_expr.len());
        for (at, expr) in aggregate.group_expr.iter().enumerate() {
            if matches!(expr, Expr::GroupingSet(_)) {
                return Ok(None);
            }
            let expr = source.resolved(expr)?;
            let Some(key) = reader.key(&expr, schema.field(at).data_type())? else { return Ok(None) };
            keys.push(key);
        }
        let mut aggregates = Vec::with_capacity(aggregate.aggr_expr.len());
        for (at, expr) in aggregate.aggr_expr.iter().enumerate() {
            let field = schema.field(aggregate.group_expr.len() + at);
            let expr = source.resolved(expr)?;
            let Some(aggregate) = reader.aggregate(&expr, field.data_type())? else { return Ok(None) };
            aggregates.push(aggregate);
        }
        let mut conditions = Vec::new();
        for condition in &source.conditions {
            for part in split_conjunction(condition) {
                if part.is_volatile() || crate::table_provider::has_subquery(part) {
                    return Ok(None);
                }
                conditions.push(part.clone());
            }
        }
        let from_metadata = |aggregate: &Aggregate| {
            let function = &aggregate.function;
            aggregate.filter.is_none()
                && matches!(
                    function,
                    Function::Count | Function::Min(Input::Column(_)) | Function::Max(Input::Column(_))
                )
        };
        let needs_no_rows = keys.is_empty() && conditions.is_empty() && aggregates.iter().all(from_metadata);
        let only_counts = aggregates.iter().all(|aggregate| matches!(aggregate.function, Function::Count));
        if needs_no_rows && !only_counts && table.rules().metadata_aggregation {
            // DataFusion answers bounds from the scan's statistics; counts need no row here either.
            return Ok(None);
        }
        let aggregation = Aggregation {
            columns: Arc::clone(table.inputs()),
            keys,
            aggregates,
            schema: plain_schema(schema),
        };
        Ok(Some(Grouping {
            table: table.name().to_owned(),
            aggregation: Arc::new(aggregation),
            reading: table.reading(conditions, props)?,
        }))
    }

    /// Returns the aggregation of these segments.
    pub(crate) fn over(self: Arc<Grouping>, segments: SegmentInput) -> GroupingWork {
        let rules = self.reading.rules();
        let uses_star_trees = rules.star_tree && rules.dictionary_filter;
        let star_tree =
            uses_star_trees.then(|| StarTreeQuery::of(&self.aggregation, &segments.predicate)).flatten();
        GroupingWork { grouping: self, segments, star_tree }
    }
}

impl GroupingWork {
    /// Returns a scan of the groups under the names that the aggregate's columns had.
    fn into_plan(self, aggregate: &AggregateNode) -> Result<LogicalPlan> {
        let columns: Vec<_> = aggregate.schema.columns();
        let table = Arc::new(GroupsTable {
            schema: Arc::clone(&self.grouping.aggregation.schema),
            work: Arc::new(self),
        });
        let scan =
            LogicalPlanBuilder::scan(TableReference::bare(GROUPS_TABLE), provider_as_source(table), None)?;
        let named = columns.into_iter().enumerate().map(|(at, column)| {
            let group = Expr::Column(datafusion::common::Column::new(
                Some(TableReference::bare(GROUPS_TABLE)),
                group_column(at),
            ));
            group.alias_qualified(column.relation, column.name)
        });
        scan.project(named.collect::<Vec<_>>())?.build()
    }
}

fn group_column(at: usize) -> String {
    format!("${at}")
}

/// Returns the schema with columns named by their position, since an aggregate's columns may share a name.
fn plain_schema(schema: &ArrowSchema) -> SchemaRef {
    let fields = schema.fields().iter().enumerate().map(|(at, field)| {
        ArrowField::new(group_column(at), field.data_type().clone(), field.is_nullable())
            .with_metadata(field.metadata().clone())
    });
    Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>()))
}

/// What an aggregate reads: a table, conditions, and what the columns in between stand for.
struct Source {
    provider: Arc<dyn TableProvider>,
    conditions: Vec<Expr>,
    /// Expressions over the table's columns, by the names under which the aggregate knows them.
    names: HashMap<String, Expr>,
}

impl Source {
    /// Returns the source below an aggregate, or nothing when more stands there than a scan.
    fn below(plan: &LogicalPlan) -> Result<Option<Source>> {
        match plan {
            LogicalPlan::SubqueryAlias(alias) => Source::below(&alias.input),
            LogicalPlan::Filter(filter) => {
                let Some(mut source) = Source::below(&filter.input)? else { return Ok(None) };
                let condition = source.resolved(&filter.predicate)?;
                source.conditions.push(condition);
                Ok(Some(source))
            }
            LogicalPlan::Projection(projection) => {
                let Some(mut source) = Source::below(&projection.input)? else { return Ok(None) };
                let mut names = HashMap::with_capacity(projection.expr.len());
                for (expr, field) in projection.expr.iter().zip(projection.schema.fields()) {
                    if expr.is_volatile() {
                        return Ok(None);
                    }
                    names.insert(field.name().clone(), source.resolved(expr)?);
                }
                source.names = names;
                Ok(Some(source))
            }
            LogicalPlan::TableScan(TableScan { source, filters, fetch: None, .. }) => {
                let provider = source_as_provider(source)?;
                let mut conditions = Vec::with_capacity(filters.len());
                for filter in filters {
                    conditions.push(unqualified(filter)?);
                }
                Ok(Some(Source { provider, conditions, names: HashMap::new() }))
            }
            _ => Ok(None),
        }
    }

    fn table(&self) -> Option<&SnapshotTable> {
        let provider: &dyn std::any::Any = self.provider.as_ref();
        provider.downcast_ref()
    }

    /// Returns the expression over the table's own columns, outer aliases taken off.
    fn resolved(&self, expr: &Expr) -> Result<Expr> {
        let resolved = unqualified(expr)?.transform_down(|inner| {
            Ok(match inner {
                Expr::Column(column) => match self.names.get(&column.name) {
                    Some(meant) => Transformed::new(
                        meant.clone(),
                        true,
                        datafusion::common::tree_node::TreeNodeRecursion::Jump,
                    ),
                    None => Transformed::no(Expr::Column(column)),
                },
                other => Transformed::no(other),
            })
        })?;
        Ok(unaliased(resolved.data))
    }
}

fn unaliased(expr: Expr) -> Expr {
    match expr {
        Expr::Alias(alias) => unaliased(*alias.expr),
        other => other,
    }
}

/// Reads keys and aggregates over one table.
struct GroupingReader<'a> {
    inputs: &'a Arc<[InputColumn]>,
    schema: &'a SchemaRef,
    props: &'a ExecutionProps,
}

impl GroupingReader<'_> {
    fn key(&self, expr: &Expr, data_type: &DataType) -> Result<Option<Key>> {
        if let Expr::Column(column) = expr {
            let column = self.schema.index_of(&column.name)?;
            return Ok(Some(Key::Column { column, data_type: data_type.clone() }));
        }
        if let Some(key) = self.bucket(expr, data_type) {
            return Ok(Some(key));
        }
        if expr.is_volatile() || crate::table_provider::has_subquery(expr) {
            return Ok(None);
        }
        let computed = Computation::of(expr, self.schema, self.props)?;
        if computed.data_type != *data_type || computed.columns.is_empty() {
            return Ok(None);
        }
        let (columns, compute) = (computed.columns, computed.compute);
        Ok(Some(Key::Computed { columns, compute, data_type: data_type.clone() }))
    }

    /// `x - x % width`, which is how dashboards write a bucket.
    #[expect(clippy::cast_possible_truncation, reason = "the float is whole and below 2^53")]
    fn bucket(&self, expr: &Expr, data_type: &DataType) -> Option<Key> {
        let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Minus, right }) = expr else { return None };
        let Expr::BinaryExpr(BinaryExpr { left: rest_of, op: Operator::Modulo, right: width }) =
            unaliased_ref(right)
        else {
            return None;
        };
        let (left, rest_of) = (unaliased_ref(left), unaliased_ref(rest_of));
        if left != rest_of {
            return None;
        }
        let width = match unaliased_ref(width) {
            Expr::Literal(ScalarValue::Int32(Some(width)), _) => i64::from(*width),
            Expr::Literal(ScalarValue::Int64(Some(width)), _) => *width,
            // A float is exact up to 2^53, and so are its remainders.
            Expr::Literal(ScalarValue::Float64(Some(width)), _)
                if width.fract() == 0.0 && *width < 9_007_199_254_740_992.0 =>
            {
                *width as i64
            }
            _ => return None,
        };
        let column = self.whole_column(left)?;
        let fits = matches!(data_type, DataType::Int32 | DataType::Int64 | DataType::Float64);
        (fits && width > 0).then(|| Key::Bucket { column, width, data_type: data_type.clone() })
    }

    /// Returns a column of whole numbers or times, which may be cast to a wider number.
    fn whole_column(&self, expr: &Expr) -> Option<usize> {
        let column = match expr {
            Expr::Column(column) => column,
            Expr::Cast(Cast { expr, field })
                if matches!(field.data_type(), DataType::Int64 | DataType::Float64) =>
            {
                match &**expr {
                    Expr::Column(column) => column,
                    _ => return None,
                }
            }
            _ => return None,
        };
        let column = self.schema.index_of(&column.name).ok()?;
        match &self.inputs[column] {
            InputColumn::Stored { field, .. }
                if field.single_value
                    && matches!(field.data_type, FieldType::Int | FieldType::Long | FieldType::Timestamp) =>
            {
                Some(column)
            }
            _ => None,
        }
    }

    fn aggregate(&self, expr: &Expr, data_type: &DataType) -> Result<Option<Aggregate>> {
        let Expr::AggregateFunction(AggregateFunction { func, params }) = expr else { return Ok(None) };
        let AggregateFunctionParams { args, distinct, filter, order_by, null_treatment } = params;
        if !order_by.is_empty() || null_treatment.is_some() {
            return Ok(None);
        }
        let number = matches!(data_type, DataType::Int64 | DataType::Float64);
        let ordered =
            number || matches!(data_type, DataType::Int32 | DataType::Float32) || is_millis(data_type);
        let own = match &args[..] {
            [argument] => {
                let argument = unaliased_ref(argument);
                match (func.name(), distinct) {
                    ("count", false) => match argument {
                        Expr::Literal(literal, _) if !literal.is_null() => Some(Function::Count),
                        _ => self.counted(argument)?,
                    },
                    ("count", true) => self.distinct_key(argument)?.map(Function::CountDistinct),
                    ("sum", false) if number => self.numbers(argument)?.map(Function::Sum),
                    ("avg", false) if *data_type == DataType::Float64 => {
                        self.numbers(argument)?.map(Function::Average)
                    }
                    ("min", _) if ordered => self.numbers(argument)?.map(Function::Min),
                    ("max", _) if ordered => self.numbers(argument)?.map(Function::Max),
                    _ => None,
                }
            }
            _ => None,
        };
        let function = match own {
            Some(function) => Some(function),
            None => self.external(func, args, *distinct, data_type)?,
        };
        let Some(function) = function else { return Ok(None) };
        let filter = match filter {
            Some(filter) => match self.computed(&unaliased(filter.as_ref().clone()))? {
                Some((input, DataType::Boolean)) => Some(input),
                _ => return Ok(None),
            },
            None => None,
        };
        Ok(Some(Aggregate { function, filter, data_type: data_type.clone() }))
    }

    /// Any other aggregate keeps its own states; the segment level finds its rows and their groups.
    fn external(
        &self,
        function: &Arc<AggregateUDF>,
        arguments: &[Expr],
        distinct: bool,
        data_type: &DataType,
    ) -> Result<Option<Function>> {
        let mut inputs = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let input = match unaliased_ref(argument) {
                Expr::Column(column) => Input::Column(self.schema.index_of(&column.name)?),
                other => match self.computed(other)? {
                    Some((input, _)) => input,
                    None => return Ok(None),
                },
            };
            inputs.push(input);
        }
        let function = ExternalAggregate::of(function, arguments, distinct, self.schema, self.props)?;
        let fits = function.data_type() == *data_type;
        Ok(fits.then(|| Function::External { inputs, function: Arc::new(function) }))
    }

    fn counted(&self, argument: &Expr) -> Result<Option<Function>> {
        if let Expr::Column(column) = argument {
            let column = self.schema.index_of(&column.name)?;
            return Ok(Some(match &self.inputs[column] {
                InputColumn::Stored { shows_nulls: true, .. } => Function::CountValues(Input::Column(column)),
                _ => Function::Count,
            }));
        }
        Ok(self.computed(argument)?.map(|(input, _)| Function::CountValues(input)))
    }

    fn distinct_key(&self, argument: &Expr) -> Result<Option<Key>> {
        let data_type = match argument {
            Expr::Column(column) => self.schema.field_with_name(&column.name)?.data_type().clone(),
            other => match self.computed(other)? {
                Some((_, data_type)) => data_type,
                None => return Ok(None),
            },
        };
        // Two floats that are equal may differ in their bits.
        let by_bits = matches!(data_type, DataType::Float32 | DataType::Float64);
        if by_bits || data_type.is_nested() {
            return Ok(None);
        }
        self.key(argument, &data_type)
    }

    /// Returns an argument that is added up or compared.
    fn numbers(&self, argument: &Expr) -> Result<Option<Input>> {
        let plain = match argument {
            Expr::Cast(Cast { expr, field }) if *field.data_type() == DataType::Float64 => expr.as_ref(),
            other => other,
        };
        if let Expr::Column(column) = plain {
            let column = self.schema.index_of(&column.name)?;
            if let InputColumn::Stored { field, .. } = &self.inputs[column] {
                let numeric = match field.data_type {
                    FieldType::Int
                    | FieldType::Long
                    | FieldType::Float
                    | FieldType::Double
                    | FieldType::Timestamp => true,
                    FieldType::BigDecimal
                    | FieldType::Boolean
                    | FieldType::String
                    | FieldType::Json
                    | FieldType::Bytes => false,
                };
                if field.single_value && numeric {
                    return Ok(Some(Input::Column(column)));
                }
            }
        }
        Ok(match self.computed(argument)? {
            Some((input, data_type)) if data_type.is_numeric() || is_millis(&data_type) => Some(input),
            _ => None,
        })
    }

    fn computed(&self, expr: &Expr) -> Result<Option<(Input, DataType)>> {
        if expr.is_volatile() || crate::table_provider::has_subquery(expr) {
            return Ok(None);
        }
        let computed = Computation::of(expr, self.schema, self.props)?;
        let (columns, compute) = (computed.columns, computed.compute);
        Ok(Some((Input::Computed { columns, compute }, computed.data_type)))
    }
}

fn unaliased_ref(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => unaliased_ref(&alias.expr),
        other => other,
    }
}

/// The groups as a table.
#[derive(Debug)]
struct GroupsTable {
    schema: SchemaRef,
    work: Arc<GroupingWork>,
}

#[async_trait]
impl TableProvider for GroupsTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let threads = state.config().target_partitions();
        let readers = readers(&self.work.segments.segments, threads);
        let projection = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let input = GroupingInput { work: Arc::clone(&self.work), readers, projection };
        Ok(Arc::new(DataSourceExec::new(Arc::new(GroupingScan::new(input)?))))
    }
}
