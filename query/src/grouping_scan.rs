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
use meunier_execution::aggregation::{Aggregation, PreparedAggregation, Worker};
use meunier_execution::counters::ScanCounters;
use meunier_execution::segment_work::SegmentWork;
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
        write!(f, ", pruned={}, readers={readers}", grouping.segments_pruned)?;
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
    let work = Arc::new(SegmentWork::new(grouping.segments.clone()));
    let prepared = Arc::new(grouping.aggregation.prepare(&grouping.segments.segments));
    let mut others = JoinSet::new();
    for _ in 1..readers {
        let reader = Reader::new(&grouping.aggregation, &work, &prepared, pool)?;
        others.spawn(reader.run());
    }
    let mut whole = Reader::new(&grouping.aggregation, &work, &prepared, pool)?.run().await?;
    while let Some(other) = others.join_next().await {
        let other = other.map_err(|error| DataFusionError::External(Box::new(error)))??;
        whole.worker.merge(&other.worker).map_err(carried)?;
        whole.account()?;
    }
    whole.worker.finish().map_err(carried)
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
        aggregation: &Arc<Aggregation>,
        work: &Arc<SegmentWork>,
        prepared: &Arc<PreparedAggregation>,
        pool: &Arc<dyn MemoryPool>,
    ) -> Result<Reader> {
        Ok(Reader {
            work: Arc::clone(work),
            worker: Worker::new(prepared).map_err(carried)?,
            reservation: MemoryConsumer::new("segment aggregate").register(pool),
            only_counts: aggregation.only_counts(),
        })
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
