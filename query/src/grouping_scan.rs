//! Runs an aggregation on the segment level: the leaf of the plan that replaces an aggregate and its scan.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::Statistics;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source::DataSource;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::DisplayFormatType;
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use meunier_execution::aggregation::{Aggregation, Worker};
use meunier_execution::counters::ScanCounters;
use meunier_execution::predicate::Predicate;
use meunier_execution::segment_work::{SegmentInput, SegmentWork};
use tokio::task::JoinSet;

use crate::compute::carried;
use crate::grouping::Grouping;

/// One aggregation and how it is run.
#[derive(Debug)]
pub(crate) struct GroupingInput {
    pub(crate) grouping: Grouping,
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
    metrics: ExecutionPlanMetricsSet,
}

impl GroupingScan {
    pub(crate) fn new(input: GroupingInput) -> Result<GroupingScan> {
        let schema = Arc::new(input.grouping.aggregation.schema.project(&input.projection)?);
        Ok(GroupingScan { input: Arc::new(input), schema, metrics: ExecutionPlanMetricsSet::new() })
    }
}

impl GroupingScan {
    /// Returns the aggregation that is run.
    pub(crate) fn grouping(&self) -> &Grouping {
        &self.input.grouping
    }
}

impl DataSource for GroupingScan {
    fn open(&self, _partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = Arc::clone(&self.input);
        let batch_rows = context.session_config().batch_size();
        let groups = async move {
            let pool = Arc::clone(context.memory_pool());
            let groups = run(&input.grouping, input.readers, &pool).await?;
            Ok::<_, DataFusionError>(groups.project(&input.projection)?)
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
        let GroupingInput { grouping, readers, .. } = &*self.input;
        write!(
            f,
            "SegmentAggregate: table={}, segments={}",
            grouping.table,
            grouping.segments.segments.len()
        )?;
        write!(f, ", pruned={}, readers={readers}", grouping.segments.pruned.len())?;
        write!(f, ", keys={}", grouping.aggregation.keys.len())?;
        write!(f, ", aggregates={}", grouping.aggregation.aggregates.len())?;
        if !grouping.conditions.is_empty() {
            write!(f, ", filter={}", grouping.conditions.join(" AND "))?;
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
        Ok(Arc::new(Statistics::new_unknown(&self.schema)))
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

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }
}

/// Returns all groups. Lets other tasks run between pieces, and ends with the task that calls.
pub(crate) async fn run(
    grouping: &Grouping,
    readers: usize,
    pool: &Arc<dyn MemoryPool>,
) -> Result<RecordBatch> {
    let prepared = Arc::new(grouping.aggregation.prepare(&grouping.segments.segments));
    let mut worker = Worker::new(&prepared).map_err(carried)?;
    let segments = take_whole_segments(&mut worker, grouping)?;
    let readers = readers.min(segments.segments.len()).max(1);
    let work = Arc::new(SegmentWork::new(segments));
    let mut others = JoinSet::new();
    for _ in 1..readers {
        let worker = Worker::new(&prepared).map_err(carried)?;
        others.spawn(Reader::new(worker, &grouping.aggregation, &work, pool).run());
    }
    let mut whole = Reader::new(worker, &grouping.aggregation, &work, pool).run().await?;
    while let Some(other) = others.join_next().await {
        let other = other.map_err(|error| DataFusionError::External(Box::new(error)))??;
        whole.worker.merge(&other.worker).map_err(carried)?;
        whole.account()?;
    }
    whole.worker.finish().map_err(carried)
}

/// Takes the segments of which no row need be read, since a star-tree or dictionaries answer; returns the others.
fn take_whole_segments(worker: &mut Worker, grouping: &Grouping) -> Result<SegmentInput> {
    let segments = &grouping.segments;
    let counters = &segments.counters;
    let takes_all = segments.uses_indexes && matches!(*segments.predicate, Predicate::True);
    let mut left = Vec::new();
    for segment in &*segments.segments {
        let records = match &grouping.star_tree {
            Some(query) => worker.take_star_tree(query, segment).map_err(carried)?,
            None => None,
        };
        let from_dictionaries =
            records.is_none() && takes_all && worker.take_dictionaries(segment).map_err(carried)?;
        if let Some(records) = records {
            ScanCounters::add(&counters.segments_matched, u64::from(records > 0));
            ScanCounters::add(&counters.rows_scanned, records as u64);
            let entries = records * worker.columns_read();
            ScanCounters::add(&counters.entries_after_filter, entries as u64);
        } else if from_dictionaries {
            ScanCounters::add(&counters.segments_matched, 1);
            ScanCounters::add(&counters.rows_scanned, segment.rows() as u64);
        } else {
            left.push(segment.clone());
            continue;
        }
        ScanCounters::add(&counters.segments_processed, 1);
    }
    Ok(SegmentInput { segments: left.into(), ..segments.clone() })
}

/// One of those who take pieces.
struct Reader {
    work: Arc<SegmentWork>,
    worker: Worker,
    reservation: MemoryReservation,
    only_counts: bool,
}

impl Reader {
    fn new(
        worker: Worker,
        aggregation: &Aggregation,
        work: &Arc<SegmentWork>,
        pool: &Arc<dyn MemoryPool>,
    ) -> Reader {
        Reader {
            work: Arc::clone(work),
            worker,
            reservation: MemoryConsumer::new("segment aggregate").register(pool),
            only_counts: aggregation.only_counts(),
        }
    }

    async fn run(mut self) -> Result<Reader> {
        let counters = Arc::clone(&self.work.input().counters);
        while let Some((piece, filter)) = self.work.take().map_err(carried)? {
            let view = self.work.view(piece);
            let known = if self.only_counts { filter.known_count(&view) } else { None };
            let rows = match known {
                Some(rows) => {
                    self.worker.add_count(rows);
                    rows
                }
                None => self.worker.take(&filter, &view, &counters).map_err(carried)? as u64,
            };
            if rows > 0 {
                self.work.matched(piece.segment);
                ScanCounters::add(&counters.rows_scanned, rows);
                let entries = rows * self.worker.columns_read() as u64;
                ScanCounters::add(&counters.entries_after_filter, entries);
            }
            self.account()?;
            // A piece is some hundred microseconds: a cancelled query ends here.
            tokio::task::yield_now().await;
        }
        Ok(self)
    }

    fn account(&mut self) -> Result<()> {
        self.reservation.try_resize(self.worker.memory_bytes())
    }
}
