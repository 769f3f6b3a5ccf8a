//! Runs a GAPFILL: takes all rows in, then gives the buckets out, one batch after the other.

use std::fmt;
use std::sync::Arc;

use arrow::compute::concat_batches;
use datafusion::common::exec_err;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, InputDistributionRequirements, PhysicalExpr,
    PlanProperties, collect,
};
use futures::stream;

use super::series::{Gaps, Series};
use futures::TryStreamExt;

/// Rows of a batch, and about so many between two chances to end.
const BATCH_ROWS: usize = 8192;

/// A node that fills gaps.
#[derive(Debug)]
pub(super) struct GapfillExec {
    input: Arc<dyn ExecutionPlan>,
    gaps: Gaps,
    properties: Arc<PlanProperties>,
}

impl GapfillExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, gaps: Gaps) -> GapfillExec {
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        ));
        GapfillExec { input, gaps, properties }
    }
}

impl DisplayAs for GapfillExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GapfillExec: {}", self.gaps)
    }
}

impl ExecutionPlan for GapfillExec {
    fn name(&self) -> &str {
        "GapfillExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::SinglePartition])
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match <[Arc<dyn ExecutionPlan>; 1]>::try_from(children) {
            Ok([input]) => Ok(Arc::new(GapfillExec::new(input, self.gaps.clone()))),
            Err(children) => exec_err!("GAPFILL has one input, not {}", children.len()),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return exec_err!("GAPFILL has one partition, not partition {partition}");
        }
        let schema = self.schema();
        let (input, gaps) = (Arc::clone(&self.input), self.gaps.clone());
        let read = async move {
            let reservation = MemoryConsumer::new("gapfill").register(context.memory_pool());
            let batches = collect(input.clone(), context).await?;
            let rows = concat_batches(&input.schema(), &batches)?;
            // The rows, and once more with a row of defaults.
            reservation.try_grow(rows.get_array_memory_size().saturating_mul(2))?;
            Ok::<_, DataFusionError>((Series::new(&rows, gaps)?, reservation))
        };
        let buckets = stream::once(read).map_ok(|state| {
            stream::try_unfold(state, |(mut series, reservation)| async move {
                tokio::task::yield_now().await;
                Ok(series.next_batch(BATCH_ROWS)?.map(|batch| (batch, (series, reservation))))
            })
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, buckets.try_flatten())))
    }
}
