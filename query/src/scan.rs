//! Reads the rows of a table's segments: the leaf of every plan.
//!
//! Work is cut into pieces of one chunk of one segment, and all partitions of the scan take the next piece from one
//! queue, so that cores stay busy whatever the sizes of segments. Of each piece the filter's columns are read first and
//! the others only for the rows that are left.

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Statistics, internal_err};
use datafusion::datasource::source::{DataSource, OpenArgs};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::DisplayFormatType;
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::execution_plan::SchedulingType;
use datafusion::physical_plan::filter_pushdown::{FilterPushdownPropagation, PushedDown};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use meunier_execution::counters::ScanCounters;
use meunier_execution::filter::SegmentFilter;
use meunier_execution::input::{InputColumn, values_of};
use meunier_execution::rows::ChunkRows;
use meunier_execution::segment_work::{Piece, SegmentInput, SegmentWork};
use meunier_segment::column::Column;

use crate::compute::carried;
use crate::join_filter::JoinFilters;
use crate::reading::Reading;

/// What a scan reads, fixed when the query is planned.
#[derive(Debug)]
pub(crate) struct ScanInput {
    /// The table's name, for EXPLAIN.
    pub(crate) table: String,
    /// The segments that pruning left, and which of their rows.
    pub(crate) segments: SegmentInput,
    /// The conditions as they were written, for EXPLAIN.
    pub(crate) conditions: Vec<String>,
    /// The columns handed on.
    pub(crate) projection: Vec<usize>,
    /// Those columns' Arrow schema.
    pub(crate) schema: SchemaRef,
    /// What is known of the rows handed on.
    pub(crate) statistics: Statistics,
    /// How conditions on the table become predicates.
    pub(crate) reading: Reading,
}

/// The scan as DataFusion's `DataSourceExec` runs it.
#[derive(Debug, Clone)]
pub(crate) struct SegmentScan {
    input: Arc<ScanInput>,
    partitions: usize,
    fetch: Option<usize>,
    join_filters: JoinFilters,
    metrics: ExecutionPlanMetricsSet,
}

impl SegmentScan {
    /// Returns a scan by `partitions` readers at once that stops after `fetch` rows.
    pub(crate) fn new(input: ScanInput, partitions: usize, fetch: Option<usize>) -> SegmentScan {
        let join_filters = JoinFilters::default();
        SegmentScan {
            input: Arc::new(input),
            partitions,
            fetch,
            join_filters,
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

impl SegmentScan {
    /// Returns the table's name and what is read of it.
    pub(crate) fn reads(&self) -> (&str, &SegmentInput) {
        (&self.input.table, &self.input.segments)
    }
}

impl DataSource for SegmentScan {
    fn open(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let state = self.create_sibling_state(context.session_config().options());
        self.open_with_args(OpenArgs::new(partition, context).with_shared_state(state))
    }

    fn open_with_args(&self, args: OpenArgs) -> Result<SendableRecordBatchStream> {
        let queue = args.sibling_state.and_then(|state| state.downcast::<WorkQueue>().ok());
        let Some(queue) = queue else { return internal_err!("the partitions of a scan share a queue") };
        let batch_rows = args.context.session_config().batch_size();
        let metrics = BaselineMetrics::new(&self.metrics, args.partition);
        let reader = Reader { input: Arc::clone(&self.input), queue, batch_rows, piece: None };
        let stream = futures::stream::unfold((reader, metrics), |(mut reader, metrics)| async move {
            let batch = reader.next_batch(&metrics).await.transpose()?;
            if let Ok(batch) = &batch {
                metrics.record_output(batch.num_rows());
            }
            Some((batch, (reader, metrics)))
        });
        Ok(Box::pin(cooperative(RecordBatchStreamAdapter::new(
            Arc::clone(&self.input.schema),
            Box::pin(stream),
        ))))
    }

    fn create_sibling_state(&self, _config: &ConfigOptions) -> Option<Arc<dyn Any + Send + Sync>> {
        Some(Arc::new(WorkQueue::new(&self.input, self.fetch, &self.join_filters)))
    }

    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        let input = &self.input;
        write!(f, "SegmentScan: table={}, segments={}", input.table, input.segments.segments.len())?;
        write!(f, ", pruned={}, readers={}", input.segments.pruned.len(), self.partitions)?;
        let names: Vec<&str> = input.schema.fields().iter().map(|field| field.name().as_str()).collect();
        write!(f, ", columns=[{}]", names.join(", "))?;
        if !input.conditions.is_empty() {
            write!(f, ", filter={}", input.conditions.join(" AND "))?;
        }
        if self.join_filters.len() > 0 {
            write!(f, ", join-filters={}", self.join_filters.len())?;
        }
        if let Some(fetch) = self.fetch {
            write!(f, ", fetch={fetch}")?;
        }
        Ok(())
    }

    fn output_partitioning(&self) -> Partitioning {
        Partitioning::UnknownPartitioning(self.partitions)
    }

    fn eq_properties(&self) -> EquivalenceProperties {
        EquivalenceProperties::new(Arc::clone(&self.input.schema))
    }

    fn scheduling_type(&self) -> SchedulingType {
        SchedulingType::Cooperative
    }

    fn partition_statistics(&self, partition: Option<usize>) -> Result<Arc<Statistics>> {
        // Readers take pieces as they come, so nothing is known of what one of several will read.
        let whole = partition.is_none() || self.partitions == 1;
        if !whole || self.fetch.is_some() {
            return Ok(Arc::new(Statistics::new_unknown(&self.input.schema)));
        }
        Ok(Arc::new(self.input.statistics.clone()))
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn DataSource>> {
        Some(Arc::new(SegmentScan { fetch: limit, ..self.clone() }))
    }

    fn fetch(&self) -> Option<usize> {
        self.fetch
    }

    fn metrics(&self) -> ExecutionPlanMetricsSet {
        self.metrics.clone()
    }

    fn try_swapping_with_projection(&self, _: &ProjectionExprs) -> Result<Option<Arc<dyn DataSource>>> {
        Ok(None)
    }

    fn try_pushdown_filters(
        &self,
        filters: Vec<Arc<dyn PhysicalExpr>>,
        _: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn DataSource>>> {
        let wanted = self.input.reading.rules().join_key_filter;
        let join_filters = if wanted { self.join_filters.and(&filters) } else { None };
        // Whoever made the filter goes on testing rows.
        let answer =
            FilterPushdownPropagation::with_parent_pushdown_result(vec![PushedDown::No; filters.len()]);
        Ok(match join_filters {
            Some(join_filters) => {
                let scan: Arc<dyn DataSource> = Arc::new(SegmentScan { join_filters, ..self.clone() });
                answer.with_updated_node(scan)
            }
            None => answer,
        })
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        // The predicate is ours alone: nothing in it is a DataFusion expression that a rule might change.
        self.join_filters.visit(visit)
    }
}

/// The pieces of one execution, taken by all its readers.
#[derive(Debug)]
struct WorkQueue {
    input: Arc<ScanInput>,
    join_filters: JoinFilters,
    /// Cut when the first reader asks for a row: before, joins above may not know yet what they need.
    work: OnceLock<Result<SegmentWork, Arc<DataFusionError>>>,
    /// Rows that may still be handed on.
    rows_left: AtomicU64,
}

impl WorkQueue {
    fn new(input: &Arc<ScanInput>, fetch: Option<usize>, join_filters: &JoinFilters) -> WorkQueue {
        WorkQueue {
            input: Arc::clone(input),
            join_filters: join_filters.clone(),
            work: OnceLock::new(),
            rows_left: AtomicU64::new(fetch.map_or(u64::MAX, |rows| rows as u64)),
        }
    }

    fn take(&self) -> Result<Option<(Piece, Arc<SegmentFilter>)>> {
        if self.rows_left.load(Ordering::Relaxed) == 0 {
            return Ok(None);
        }
        self.work()?.take().map_err(carried)
    }

    fn work(&self) -> Result<&SegmentWork> {
        let work = self.work.get_or_init(|| self.cut().map_err(Arc::new));
        work.as_ref().map_err(|error| DataFusionError::Shared(Arc::clone(error)))
    }

    fn cut(&self) -> Result<SegmentWork> {
        let ScanInput { reading, segments, schema, .. } = &*self.input;
        let name = |at: usize| schema.fields().get(at).map(|field| field.name().clone());
        let narrowed = self.join_filters.narrowed(reading, segments, &name)?;
        Ok(SegmentWork::new(narrowed.unwrap_or_else(|| segments.clone())))
    }

    /// Returns how many of `rows` may be handed on, and counts them off.
    fn grant(&self, rows: usize) -> usize {
        let before = self.rows_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| match left {
            u64::MAX => None,
            left => Some(left.saturating_sub(rows as u64)),
        });
        match before {
            Ok(left) => usize::try_from(left).unwrap_or(usize::MAX).min(rows),
            Err(_) => rows,
        }
    }
}

/// One of the readers.
struct Reader {
    input: Arc<ScanInput>,
    queue: Arc<WorkQueue>,
    batch_rows: usize,
    piece: Option<OpenPiece>,
}

/// A piece whose filter has run and whose rows are being handed on.
struct OpenPiece {
    piece: Piece,
    selection: ChunkRows,
    done: usize,
    columns: Vec<Option<Column>>,
}

impl Reader {
    async fn next_batch(&mut self, metrics: &BaselineMetrics) -> Result<Option<RecordBatch>> {
        loop {
            let timer = metrics.elapsed_compute().timer();
            if let Some(open) = &mut self.piece {
                if let Some(batch) = open.next_batch(&self.input, &self.queue, self.batch_rows)? {
                    timer.done();
                    return Ok(Some(batch));
                }
                self.piece = None;
            }
            let Some((piece, filter)) = self.queue.take()? else { return Ok(None) };
            self.piece = self.open(piece, &filter)?;
            timer.done();
            if self.piece.is_none() {
                // A piece without a hit took its time all the same; let a cancellation through.
                tokio::task::yield_now().await;
            }
        }
    }

    /// Runs the filter over a piece; `None` when no row passes.
    fn open(&self, piece: Piece, filter: &SegmentFilter) -> Result<Option<OpenPiece>> {
        let input = &self.input;
        let work = self.queue.work()?;
        let view = work.view(piece);
        let selection = filter.select(&view, &input.segments.counters).map_err(carried)?;
        if selection.is_empty() {
            return Ok(None);
        }
        work.matched(piece.segment);
        let mut columns = Vec::with_capacity(input.projection.len());
        for &column in &input.projection {
            columns.push(match &input.segments.columns[column] {
                InputColumn::Stored { field, .. } => Some(view.stored(field).map_err(carried)?),
                InputColumn::NullFlag(_)
                | InputColumn::DocId
                | InputColumn::SegmentName
                | InputColumn::PartitionId
                | InputColumn::HostName(_) => None,
            });
        }
        Ok(Some(OpenPiece { piece, selection, done: 0, columns }))
    }
}

impl OpenPiece {
    fn next_batch(
        &mut self,
        input: &ScanInput,
        queue: &WorkQueue,
        batch_rows: usize,
    ) -> Result<Option<RecordBatch>> {
        let rows = queue.grant((self.selection.len() - self.done).min(batch_rows));
        if rows == 0 {
            return Ok(None);
        }
        let selection = self.selection.slice(self.done, rows);
        self.done += rows;
        let view = queue.work()?.view(self.piece);
        let mut arrays = Vec::with_capacity(self.columns.len());
        for (&column, stored) in input.projection.iter().zip(&self.columns) {
            let values = match (&input.segments.columns[column], stored) {
                (InputColumn::Stored { shows_nulls, .. }, Some(stored)) => {
                    values_of(stored, &selection, *shows_nulls)
                }
                (made_up, _) => view.values(made_up, &selection),
            };
            arrays.push(values.map_err(carried)?);
        }
        let counters = &input.segments.counters;
        ScanCounters::add(&counters.rows_scanned, rows as u64);
        ScanCounters::add(&counters.entries_after_filter, (rows * arrays.len()) as u64);
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(Some(RecordBatch::try_new_with_options(Arc::clone(&input.schema), arrays, &options)?))
    }
}
