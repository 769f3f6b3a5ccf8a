//! Runs an aggregation on the segment level: the leaf of the plan that replaces an aggregate and its scan.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::Statistics;
use datafusion::common::config::ConfigOptions;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source::DataSource;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::DisplayFormatType;
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::filter_pushdown::{FilterPushdownPropagation, PushedDown};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use meunier_execution::aggregation::{Aggregation, Key, PreparedAggregation, Worker};
use meunier_execution::counters::ScanCounters;
use meunier_execution::predicate::Predicate;
use meunier_execution::segment_work::{SegmentInput, SegmentWork};
use tokio::task::JoinSet;

use crate::compute::carried;
use crate::group_count::estimated_groups;
use crate::grouping::GroupingWork;
use crate::join_filter::JoinFilters;
use crate::time_slice::TimeSlice;

/// A reader works so long alone before others help it. Starting one, and merging what it gathered, takes some tenths of a
/// millisecond of each core: more than is saved on a shorter query.
const ALONE: Duration = Duration::from_millis(1);

/// One aggregation and how it is run.
#[derive(Debug)]
pub(crate) struct GroupingInput {
    pub(crate) work: Arc<GroupingWork>,
    /// Readers at once.
    pub(crate) readers: usize,
    /// The columns of the result that are handed on.
    pub(crate) projection: Vec<usize>,
}

/// The aggregation as DataFusion's `DataSourceExec` runs it.
#[derive(Debug, Clone)]
pub(crate) struct GroupingScan {
    input: Arc<GroupingInput>,
    schema: SchemaRef,
    statistics: Arc<Statistics>,
    join_filters: JoinFilters,
    metrics: ExecutionPlanMetricsSet,
}

impl GroupingScan {
    pub(crate) fn new(input: GroupingInput) -> Result<GroupingScan> {
        let schema = Arc::new(input.work.grouping.aggregation.schema.project(&input.projection)?);
        let groups = estimated_groups(&input.work.grouping.aggregation, &input.work.segments.segments);
        let mut statistics = Statistics::new_unknown(&schema);
        statistics.num_rows = Precision::Inexact(groups);
        Ok(GroupingScan {
            input: Arc::new(input),
            schema,
            statistics: Arc::new(statistics),
            join_filters: JoinFilters::default(),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }

    /// Returns the work that is left when rows need not be read whose groups nobody above wants.
    fn wanted(&self) -> Result<Arc<GroupingWork>> {
        let GroupingInput { work, projection, .. } = &*self.input;
        let Aggregation { keys, .. } = &*work.grouping.aggregation;
        let reading = &work.grouping.reading;
        let key_column = |at: usize| match keys.get(*projection.get(at)?)? {
            Key::Column { column, .. } => Some(reading.column_name(*column)),
            Key::Bucket { .. } | Key::Computed { .. } => None,
        };
        Ok(match self.join_filters.narrowed(reading, &work.segments, &key_column)? {
            Some(segments) => Arc::new(Arc::clone(&work.grouping).over(segments)),
            None => Arc::clone(work),
        })
    }
}

impl GroupingScan {
    /// Returns the aggregation that is run.
    pub(crate) fn work(&self) -> &GroupingWork {
        &self.input.work
    }
}

impl DataSource for GroupingScan {
    fn open(&self, _partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let scan = self.clone();
        let batch_rows = context.session_config().batch_size();
        let groups = async move {
            let pool = Arc::clone(context.memory_pool());
            // Now that a row is asked for, joins above know which groups they need.
            let work = scan.wanted()?;
            let groups = run(&work, scan.input.readers, &pool).await?;
            Ok::<_, DataFusionError>(groups.project(&scan.input.projection)?)
        };
        let groups = futures::stream::once(groups);
        let batches = futures::StreamExt::flat_map(groups, move |groups| {
            let parts: Vec<Result<RecordBatch>> = match groups {
                Ok(groups) => (0..groups.num_rows())
                    .step_by(batch_rows)
                    .map(|start| Ok(groups.slice(start, batch_rows.min(groups.num_rows() - start))))
                    .collect(),
                Err(error) => vec![Err(error)],
            };
            futures::stream::iter(parts)
        });
        let batches = RecordBatchStreamAdapter::new(Arc::clone(&self.schema), Box::pin(batches));
        Ok(Box::pin(cooperative(batches)))
    }

    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        let GroupingInput { work, readers, .. } = &*self.input;
        let grouping = &work.grouping;
        write!(f, "SegmentAggregate: table={}, segments={}", grouping.table, work.segments.segments.len())?;
        write!(f, ", pruned={}, readers={readers}", work.segments.pruned.len())?;
        write!(f, ", keys={}", grouping.aggregation.keys.len())?;
        write!(f, ", aggregates={}", grouping.aggregation.aggregates.len())?;
        if self.join_filters.len() > 0 {
            write!(f, ", join-filters={}", self.join_filters.len())?;
        }
        let conditions: Vec<String> = grouping.reading.conditions().iter().map(ToString::to_string).collect();
        if !conditions.is_empty() {
            write!(f, ", filter={}", conditions.join(" AND "))?;
        }
        Ok(())
    }

    fn output_partitioning(&self) -> Partitioning {
        Partitioning::UnknownPartitioning(1)
    }

    fn eq_properties(&self) -> EquivalenceProperties {
        EquivalenceProperties::new(Arc::clone(&self.schema))
    }

    fn partition_statistics(&self, _partition: Option<usize>) -> Result<Arc<Statistics>> {
        Ok(Arc::clone(&self.statistics))
    }

    fn with_fetch(&self, _limit: Option<usize>) -> Option<Arc<dyn DataSource>> {
        None
    }

    fn fetch(&self) -> Option<usize> {
        None
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
        let wanted = self.input.work.grouping.reading.rules().join_key_filter;
        let join_filters = if wanted { self.join_filters.and(&filters) } else { None };
        // Whoever made the filter goes on testing groups.
        let answer =
            FilterPushdownPropagation::with_parent_pushdown_result(vec![PushedDown::No; filters.len()]);
        Ok(match join_filters {
            Some(join_filters) => {
                let scan: Arc<dyn DataSource> = Arc::new(GroupingScan { join_filters, ..self.clone() });
                answer.with_updated_node(scan)
            }
            None => answer,
        })
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.join_filters.visit(visit)
    }
}

/// Returns all groups. Lets other tasks run between pieces, and ends with the task that calls.
pub(crate) async fn run(
    grouping_work: &GroupingWork,
    readers: usize,
    pool: &Arc<dyn MemoryPool>,
) -> Result<RecordBatch> {
    let aggregation = &grouping_work.grouping.aggregation;
    let prepared = Arc::new(aggregation.prepare(&grouping_work.segments));
    let mut whole = Groups::new(&prepared, pool)?;
    let segments = whole.take_whole_segments(grouping_work).await?;
    let readers = readers.min(segments.segments.len()).max(1);
    let work = Arc::new(SegmentWork::new(segments));
    let only_counts = aggregation.only_counts();
    let mut others = JoinSet::new();
    if readers > 1 && !whole.take_first_pieces(&work, only_counts).await? {
        for _ in 1..readers {
            let (groups, work) = (Groups::new(&prepared, pool)?, Arc::clone(&work));
            others.spawn(async move { groups.take_pieces(&work, only_counts).await });
        }
    }
    whole = whole.take_pieces(&work, only_counts).await?;
    let mut slice = TimeSlice::begin();
    while let Some(other) = others.join_next().await {
        let other = other.map_err(|error| DataFusionError::External(Box::new(error)))??;
        whole.worker.merge(other.worker).map_err(carried)?;
        whole.account()?;
        slice.pass().await;
    }
    whole.worker.finish().map_err(carried)
}

/// The groups that one reader has gathered, and the memory they may take.
struct Groups {
    worker: Worker,
    reservation: MemoryReservation,
}

impl Groups {
    fn new(prepared: &PreparedAggregation, pool: &Arc<dyn MemoryPool>) -> Result<Groups> {
        Ok(Groups {
            worker: Worker::new(prepared).map_err(carried)?,
            reservation: MemoryConsumer::new("segment aggregate").register(pool),
        })
    }

    /// Takes the segments of which no row need be read, since a star-tree or dictionaries answer; returns the others.
    async fn take_whole_segments(&mut self, work: &GroupingWork) -> Result<SegmentInput> {
        let segments = &work.segments;
        let counters = &segments.counters;
        let takes_all = segments.uses_indexes && matches!(*segments.predicate, Predicate::True);
        let mut left = Vec::new();
        let mut slice = TimeSlice::begin();
        for segment in &*segments.segments {
            let records = match &work.star_tree {
                Some(query) => self.worker.take_star_tree(query, segment).map_err(carried)?,
                None => None,
            };
            let from_dictionaries =
                records.is_none() && takes_all && self.worker.take_dictionaries(segment).map_err(carried)?;
            if let Some(records) = records {
                ScanCounters::add(&counters.segments_matched, u64::from(records > 0));
                ScanCounters::add(&counters.rows_scanned, records as u64);
                let entries = records * self.worker.columns_read();
                ScanCounters::add(&counters.entries_after_filter, entries as u64);
            } else if from_dictionaries {
                ScanCounters::add(&counters.segments_matched, 1);
                ScanCounters::add(&counters.rows_scanned, segment.rows() as u64);
            } else {
                left.push(segment.clone());
                continue;
            }
            ScanCounters::add(&counters.segments_processed, 1);
            self.account()?;
            slice.pass().await;
        }
        Ok(SegmentInput { segments: left.into(), ..segments.clone() })
    }

    /// Takes pieces for as long as a query may take that one reader answers; returns whether none is left.
    async fn take_first_pieces(&mut self, work: &SegmentWork, only_counts: bool) -> Result<bool> {
        let mut slice = TimeSlice::begin();
        let began = Instant::now();
        while began.elapsed() < ALONE {
            if !self.take_piece(work, only_counts)? {
                return Ok(true);
            }
            slice.pass().await;
        }
        Ok(false)
    }

    async fn take_pieces(mut self, work: &SegmentWork, only_counts: bool) -> Result<Groups> {
        let mut slice = TimeSlice::begin();
        while self.take_piece(work, only_counts)? {
            slice.pass().await;
        }
        Ok(self)
    }

    /// Takes the next piece; returns whether there was one.
    fn take_piece(&mut self, work: &SegmentWork, only_counts: bool) -> Result<bool> {
        let counters = &work.input().counters;
        let Some((piece, filter)) = work.take().map_err(carried)? else { return Ok(false) };
        let view = work.view(piece);
        let known = if only_counts { filter.known_count(&view) } else { None };
        let rows = match known {
            Some(rows) => {
                self.worker.add_count(rows);
                rows
            }
            None => self.worker.take(&filter, &view, counters).map_err(carried)? as u64,
        };
        if rows > 0 {
            work.matched(piece.segment);
            ScanCounters::add(&counters.rows_scanned, rows);
            let entries = rows * self.worker.columns_read() as u64;
            ScanCounters::add(&counters.entries_after_filter, entries);
        }
        self.account()?;
        Ok(true)
    }

    fn account(&mut self) -> Result<()> {
        self.reservation.try_resize(self.worker.memory_bytes())
    }
}
