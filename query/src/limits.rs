//! What a query may use: memory, time in one piece, and no file or network at all.
//!
//! One pool is shared by all queries. Each query sees it through a cap of its own, so that one query alone can never
//! take the memory of all. Spilling is off, and the engine inside has no store to open a path with. Operators that make
//! many rows from few give the thread back now and then, so that a query can be ended in their midst.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{
    GreedyMemoryPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation, TrackConsumersPool,
};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec};
use datafusion::physical_plan::unnest::UnnestExec;

use crate::error::QueryError;

/// How many of the largest users of memory an error names.
const CONSUMERS_NAMED: NonZeroUsize = NonZeroUsize::new(3).expect("3 is not 0");

/// Returns the environment that all queries share: one memory pool, no disk, no object store.
///
/// # Errors
/// Only when DataFusion cannot set up its caches.
pub(crate) fn shared_environment(memory_bytes_max: usize) -> Result<Arc<RuntimeEnv>> {
    let pool = TrackConsumersPool::new(GreedyMemoryPool::new(memory_bytes_max), CONSUMERS_NAMED);
    let environment = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(pool))
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled))
        .build_arc()?;
    environment.deregister_object_store(ObjectStoreUrl::local_filesystem().as_ref())?;
    Ok(environment)
}

/// Returns the environment of one query, which may take at most `memory_bytes_max` of the shared pool.
///
/// # Errors
/// As [`shared_environment`].
pub(crate) fn query_environment(shared: &RuntimeEnv, memory_bytes_max: usize) -> Result<Arc<RuntimeEnv>> {
    let pool = QueryMemoryPool {
        shared: Arc::clone(&shared.memory_pool),
        used: AtomicUsize::new(0),
        bytes_max: memory_bytes_max,
    };
    RuntimeEnvBuilder::from_runtime_env(shared).with_memory_pool(Arc::new(pool)).build_arc()
}

/// Puts a point of return above every operator that can work for long on little input.
///
/// DataFusion's own rule watches leaves and exchanges; a join of two small tables reads them at once and then makes rows
/// for minutes, above any leaf.
#[derive(Debug)]
pub(crate) struct YieldAboveJoins;

impl PhysicalOptimizerRule for YieldAboveJoins {
    fn name(&self) -> &str {
        "YieldAboveJoins"
    }

    fn schema_check(&self) -> bool {
        true
    }

    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let yielding = plan.transform_up(|node| {
            let multiplies = node.is::<NestedLoopJoinExec>()
                || node.is::<CrossJoinExec>()
                || node.is::<HashJoinExec>()
                || node.is::<SortMergeJoinExec>()
                || node.is::<UnnestExec>();
            Ok(match multiplies {
                true => Transformed::yes(Arc::new(CooperativeExec::new(node)) as Arc<dyn ExecutionPlan>),
                false => Transformed::no(node),
            })
        });
        yielding.data()
    }
}

/// One query's share of the memory pool.
#[derive(Debug)]
struct QueryMemoryPool {
    shared: Arc<dyn MemoryPool>,
    used: AtomicUsize,
    bytes_max: usize,
}

impl MemoryPool for QueryMemoryPool {
    fn name(&self) -> &str {
        "query"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.shared.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.shared.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.used.fetch_add(additional, Ordering::Relaxed);
        self.shared.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.used.fetch_sub(shrink, Ordering::Relaxed);
        self.shared.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let used = self.used.fetch_add(additional, Ordering::Relaxed);
        let fits = used.checked_add(additional).is_some_and(|wanted| wanted <= self.bytes_max);
        let granted = match fits {
            true => self.shared.try_grow(reservation, additional),
            false => Err(over_limit(reservation, used, additional, self.bytes_max).into()),
        };
        if granted.is_err() {
            self.used.fetch_sub(additional, Ordering::Relaxed);
        }
        granted
    }

    fn reserved(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.bytes_max)
    }
}

impl fmt::Display for QueryMemoryPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "query({} of {} bytes)", self.reserved(), self.bytes_max)
    }
}

fn over_limit(reservation: &MemoryReservation, used: usize, additional: usize, max: usize) -> QueryError {
    let consumer = reservation.consumer().name();
    QueryError::Memory {
        detail: format!(
            "`{consumer}` asked for {additional} bytes more, {used} of the {max} that a query may have are taken"
        ),
    }
}
