//! A table as DataFusion sees it while it plans one query.
//!
//! The provider holds the query's snapshot, so every mention of the table reads the same segments. Planning a scan prunes
//! the segments, turns the pushed conditions into a [`Filter`], and states what metadata knows of the rows.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use meunier_execution::counters::ScanCounters;
use meunier_execution::input::InputColumn;
use meunier_execution::predicate_cache::PredicateCache;
use meunier_execution::segment_work::SegmentInput;
use meunier_segment::table_snapshot::{Segment, TableSnapshot};

use crate::bounds::Bounds;
use crate::options::Rules;
use crate::reading::Reading;
use crate::scan::{ScanInput, SegmentScan};
use crate::table_columns::{TableColumn, arrow_schema};
use crate::tables::SearchOptions;

/// Rows that are worth a reader of their own: below, starting it costs more than it saves.
const ROWS_A_READER: usize = 1 << 17;

/// One table of one query.
#[derive(Debug)]
pub(crate) struct SnapshotTable {
    snapshot: Arc<TableSnapshot>,
    columns: Vec<TableColumn>,
    schema: SchemaRef,
    rules: Rules,
    inputs: Arc<[InputColumn]>,
    counters: Arc<ScanCounters>,
    predicate_cache: Arc<PredicateCache>,
}

impl SnapshotTable {
    /// Returns a table that shows `columns` of the snapshot.
    pub(crate) fn new(
        snapshot: Arc<TableSnapshot>,
        columns: Vec<TableColumn>,
        rules: Rules,
        host_name: Arc<str>,
        counters: Arc<ScanCounters>,
        predicate_cache: Arc<PredicateCache>,
        search: &SearchOptions,
    ) -> SnapshotTable {
        let schema = arrow_schema(&columns, search);
        let inputs = columns.iter().map(|column| column.input(&host_name)).collect();
        SnapshotTable { snapshot, columns, schema, rules, inputs, counters, predicate_cache }
    }

    /// Returns how rows are read for which all `conditions` hold.
    ///
    /// # Errors
    /// When a condition names a column that the table does not have.
    pub(crate) fn reading(&self, conditions: Vec<Expr>, props: &ExecutionProps) -> Result<Reading> {
        let cache = self.rules.predicate_cache.then(|| Arc::clone(&self.predicate_cache));
        Reading::new(&self.inputs, &self.schema, self.rules, cache, conditions, props)
    }

    /// Returns what a reading without parameters reads of the snapshot's segments.
    ///
    /// # Errors
    /// When it has parameters.
    pub(crate) fn read(&self, reading: &Reading) -> Result<SegmentInput> {
        reading.of_segments(&[], &self.snapshot, &self.counters)
    }

    /// Returns the same as [`SnapshotTable::read`] for a look ahead: nothing counts as read or pruned.
    ///
    /// # Errors
    /// When it has parameters.
    pub(crate) fn matching(&self, reading: &Reading) -> Result<SegmentInput> {
        reading.of_segments(&[], &self.snapshot, &Arc::default())
    }

    /// Returns the table's columns as segments are read for them; their order is that of [`TableProvider::schema`].
    pub(crate) fn inputs(&self) -> &Arc<[InputColumn]> {
        &self.inputs
    }

    /// Returns the table's name.
    pub(crate) fn name(&self) -> &str {
        &self.snapshot.table
    }

    /// Returns which ways of saving work are used.
    pub(crate) fn rules(&self) -> Rules {
        self.rules
    }

    /// Returns what metadata says of the rows of these segments, exact where it is proven.
    fn statistics(&self, segments: &[Segment], projection: &[usize], filtered: bool) -> Statistics {
        let rows = segments.iter().map(Segment::rows).sum();
        if filtered || !self.rules.metadata_aggregation {
            let mut unknown =
                Statistics::new_unknown(&self.schema.project(projection).expect("columns exist"));
            unknown.num_rows = Precision::Inexact(rows);
            return unknown;
        }
        let column_statistics =
            projection.iter().map(|&column| column_statistics(segments, &self.columns[column]));
        Statistics {
            num_rows: Precision::Exact(rows),
            total_byte_size: Precision::Absent,
            column_statistics: column_statistics.collect(),
        }
    }
}

#[async_trait]
impl TableProvider for SnapshotTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let answer = |filter: &&Expr| match self.rules.filter_pushdown
            && !filter.is_volatile()
            && !has_subquery(filter)
        {
            true => TableProviderFilterPushDown::Exact,
            false => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(answer).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let reading = self.reading(filters.to_vec(), state.execution_props())?;
        let segments = self.read(&reading)?;
        let projection = projection.cloned().unwrap_or_else(|| (0..self.columns.len()).collect());
        let statistics = self.statistics(&segments.segments, &projection, !filters.is_empty());
        let readers = readers(&segments.segments, state.config().target_partitions());
        let input = ScanInput {
            table: self.snapshot.table.clone(),
            segments,
            conditions: filters.iter().map(|filter| filter.to_string()).collect(),
            schema: Arc::new(self.schema.project(&projection)?),
            projection,
            statistics,
            reading,
        };
        Ok(Arc::new(DataSourceExec::new(Arc::new(SegmentScan::new(input, readers, limit)))))
    }
}

/// Returns how many readers these segments are worth, at most `threads`.
pub(crate) fn readers(segments: &[Segment], threads: usize) -> usize {
    let rows: usize = segments.iter().map(Segment::rows).sum();
    threads.min(rows.div_ceil(ROWS_A_READER)).max(1)
}

/// Sub-queries are planned by DataFusion above the scan.
pub(crate) fn has_subquery(expr: &Expr) -> bool {
    use datafusion::common::tree_node::TreeNode;
    let found = expr.exists(|inner| {
        Ok(matches!(
            inner,
            Expr::ScalarSubquery(_)
                | Expr::Exists(_)
                | Expr::InSubquery(_)
                | Expr::SetComparison(_)
                | Expr::OuterReferenceColumn(..)
        ))
    });
    found.unwrap_or(true)
}

fn column_statistics(segments: &[Segment], column: &TableColumn) -> ColumnStatistics {
    let mut all = ColumnStatistics::new_unknown();
    let bounds: Vec<Bounds> = segments.iter().map(|segment| Bounds::of(segment, column)).collect();
    if let Some(nulls) = bounds.iter().map(|bounds| bounds.nulls).sum::<Option<u64>>() {
        all.null_count = usize::try_from(nulls).map_or(Precision::Absent, Precision::Exact);
    }
    if !bounds.is_empty() && bounds.iter().all(|bounds| bounds.exact) {
        let smallest = bounds.iter().map(|bounds| bounds.min.clone()).collect::<Option<Vec<_>>>();
        let largest = bounds.iter().map(|bounds| bounds.max.clone()).collect::<Option<Vec<_>>>();
        all.min_value = pick(smallest, std::cmp::Ordering::Less);
        all.max_value = pick(largest, std::cmp::Ordering::Greater);
    }
    all
}

/// Returns the value that compares to all others as `wanted`, or nothing when two do not compare.
fn pick(
    values: Option<Vec<datafusion::scalar::ScalarValue>>,
    wanted: std::cmp::Ordering,
) -> Precision<datafusion::scalar::ScalarValue> {
    let Some(mut values) = values else { return Precision::Absent };
    let Some(mut best) = values.pop() else { return Precision::Absent };
    for value in values {
        match value.partial_cmp(&best) {
            Some(found) if found == wanted => best = value,
            Some(_) => {}
            None => return Precision::Absent,
        }
    }
    Precision::Exact(best)
}
