//! Runs queries: waits for a turn, plans, executes, answers.
//!
//! Queries have threads of their own with deep stacks, since planning recurses over whatever was written, and since a
//! query that computes for seconds must not hold up anything else of the process. The deadline covers everything from the
//! moment a query arrives; a query whose caller is gone is ended.
//!
//! Invariant: an answer always comes, also for a query that panics.

use std::any::Any;
use std::collections::{BTreeMap, HashSet};
use std::future::poll_fn;
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use arrow::datatypes::Field as ArrowField;
use datafusion::common::ParamValues;
use datafusion::error::DataFusionError;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::execution::{SessionStateDefaults, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::planner::ExprPlanner;
use datafusion::physical_plan::{ExecutionPlan, displayable, execute_stream};
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};
use datafusion::prelude::SessionConfig;
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::Query;
use futures::future::{BoxFuture, Either, select};
use futures::{FutureExt, StreamExt};
use meunier_segment::segment_ref::SegmentRef;
use meunier_segment::table_snapshot::TableSnapshot;
use tokio::runtime::Runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinHandle;

use crate::advice::advise;
use crate::dialect::item_names::unique_name;
use crate::dialect::{Dialect, RewrittenQuery, rewrite};
use crate::equal_zeros::EqualZeros;
use crate::error::QueryError;
use crate::explain::{explain_scans, operators_table};
use crate::gapfill::GapfillPlanner;
use crate::grouping::replace_aggregates;
use crate::in_subquery::{self, inner_statements};
use crate::inspection::Inspection;
use crate::join_aggregation::aggregate_below_joins;
use crate::limits::{YieldAboveJoins, query_environment, shared_environment};
use crate::lookup::{DimensionTables, Dimensions};
use crate::operators::PinotOperators;
use crate::options::QueryOptions;
use crate::plan_cache::{KnownPlan, PlanCache, PlannedCall, values_of};
use crate::planner::PlanContext;
use crate::position::position_of;
use crate::response::rows::{append_rows, type_name};
use crate::response::{AnswerStatistics, ImplicitLimit, OutputColumn, ResultTable, write};
use crate::running::{RunningQueries, RunningQuery};
use crate::shape::Shape;
use crate::short_path::ShortPlan;
use crate::statement::{Explain, Statement, tokens_of};
use crate::table_provider::SnapshotTable;
use crate::tables::Tables;
use meunier_execution::counters::ScanCounters;
use meunier_execution::predicate_cache::PredicateCache;
use meunier_functions::Functions;

/// Stack of a thread that plans. In a debug build the largest statements that are let through overflow 16 MiB and fit
/// 32 MiB, so this is twice what is needed where frames are largest. Only pages that are touched cost memory.
const STACK_BYTES: usize = 64 << 20;

/// A statement of so many tokens is computed with the stack of any thread, however it is nested.
const TOKENS_SHALLOW: usize = 256;
/// Rows that filters selected, kept for later queries. Higher: more conditions and segments that are not searched again; a
/// million rows take 128 KiB at most.
const PREDICATE_CACHE_BYTES: u64 = 64 << 20;

/// A join whose smaller side has at most so many keys names them to the scan of its larger side.
const JOIN_KEYS_LISTED: usize = 16_384;
/// And their values take at most so many bytes.
const JOIN_KEYS_BYTES_MAX: usize = 2 << 20;

/// Rows written between two looks at the size of the answer.
const ANSWER_ROWS: usize = 8192;

/// What the engine may use.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Memory of all queries together. Higher: larger joins and groupings, and more that a burst can take.
    pub memory_bytes_max: usize,
    /// Memory of one query.
    pub query_memory_bytes_max: usize,
    /// Time of a query that neither says its own nor has a table that does.
    pub timeout: Duration,
    /// Rows of an answer; a longer one is cut and says so.
    pub rows_max: u64,
    /// Bytes of an answer's rows; a larger one is cut and says so.
    pub response_bytes_max: u64,
    /// Queries that run at once. Higher: more of them share the same cores and memory.
    pub concurrency_max: usize,
    /// Queries that may wait for their turn; more are refused.
    pub queue_length_max: usize,
    /// Threads that plan and run queries, and the most that one query uses.
    pub threads: usize,
    /// This server's name in answers.
    pub broker_id: String,
    /// What `$hostName` shows.
    pub host_name: String,
}

impl Default for EngineConfig {
    fn default() -> EngineConfig {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        EngineConfig {
            memory_bytes_max: 1 << 30,
            query_memory_bytes_max: 512 << 20,
            timeout: Duration::from_secs(10),
            rows_max: 1_000_000,
            response_bytes_max: 256 << 20,
            concurrency_max: 4 * threads,
            queue_length_max: 256,
            threads,
            broker_id: "meunier".into(),
            host_name: "localhost".into(),
        }
    }
}

/// One query as it arrives.
#[derive(Debug, Clone, Default)]
pub struct QueryRequest {
    /// The statement.
    pub sql: String,
    /// `queryOptions` of the request: `name=value` pairs between semicolons.
    pub options: String,
    /// Whether the multi-stage dialect is asked for by the address.
    pub multistage: bool,
    /// Whether the request asks for a trace.
    pub trace: bool,
    /// Whether only its plan is wanted, as if the statement began with `EXPLAIN PLAN FOR`.
    pub explain: bool,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryAnswer {
    /// Pinot's broker answer as JSON text.
    pub body: Vec<u8>,
    /// The code of its exception, if it has one.
    pub error_code: Option<i32>,
    /// The HTTP status for a client that asks for real ones; 200 without an exception.
    pub http_status: u16,
    /// What its exception says, the code's name first.
    pub error_message: Option<String>,
    /// How many rows it holds.
    pub row_count: u64,
    /// Where in the body the rows stand: JSON arrays with commas between, without the brackets around them.
    pub rows: Option<Range<usize>>,
    /// The number that names it among the running queries and in its body.
    pub request_id: u64,
}

/// Answers queries.
#[derive(Debug)]
pub struct QueryEngine {
    core: Arc<Core>,
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    next_request: AtomicU64,
    running: RunningQueries,
    /// Taken out only when the engine is dropped.
    runtime: Option<Runtime>,
}

/// What running queries share.
#[derive(Debug)]
struct Core {
    config: EngineConfig,
    functions: Functions,
    state: SessionState,
    environment: Arc<RuntimeEnv>,
    plans: PlanCache,
    predicate_cache: Arc<PredicateCache>,
    dimensions: DimensionTables,
}

impl QueryEngine {
    /// Returns an engine with its own threads.
    ///
    /// # Errors
    /// When the operating system gives no threads, or DataFusion cannot set itself up.
    pub fn new(config: EngineConfig) -> Result<QueryEngine, QueryError> {
        let internal = |error: &dyn std::fmt::Display| QueryError::Internal { detail: error.to_string() };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(config.threads.max(1))
            .thread_name("query")
            .thread_stack_size(STACK_BYTES)
            .enable_time()
            .build()
            .map_err(|error| internal(&error))?;
        let environment = shared_environment(config.memory_bytes_max).map_err(|error| internal(&error))?;
        Ok(QueryEngine {
            turns: Arc::new(Semaphore::new(config.concurrency_max.max(1))),
            waiting: AtomicUsize::new(0),
            next_request: AtomicU64::new(1),
            running: RunningQueries::default(),
            runtime: Some(runtime),
            core: Arc::new(Core {
                functions: Functions::load(),
                state: base_state(&config, Arc::clone(&environment)),
                environment,
                plans: PlanCache::default(),
                predicate_cache: Arc::new(PredicateCache::new(PREDICATE_CACHE_BYTES)),
                dimensions: DimensionTables::default(),
                config,
            }),
        })
    }

    /// Answers a query. Dropping the future ends the query.
    pub async fn query(&self, tables: &Tables, request: QueryRequest) -> QueryAnswer {
        let began = Instant::now();
        let request_id = self.next_request.fetch_add(1, Ordering::Relaxed);
        let (place, cancelled) = self.running.enter(request_id, &request);
        let run = pin!(self.run(tables, request, began));
        let mut outcome = match select(run, cancelled).await {
            Either::Left((Ok(outcome), _)) => outcome,
            Either::Left((Err(error), _)) => Outcome::failed(error),
            // What runs is dropped with this branch, which ends it.
            Either::Right(_) => Outcome::failed(QueryError::Cancelled),
        };
        outcome.statistics.time_used_ms = elapsed_ms(began);
        outcome.statistics.request_id = request_id;
        outcome.statistics.broker_id.clone_from(&self.core.config.broker_id);
        let code = outcome.error.as_ref().map(QueryError::code);
        let mut position = None;
        if let Some(error) = &mut outcome.error {
            let query = place.query();
            advise(error, &query.sql);
            position = position_of(error, &query.sql);
            outcome.statistics.client_query_id = query.client_query_id();
        }
        let written = write(outcome.table.as_ref(), outcome.error.as_ref(), position, &outcome.statistics);
        QueryAnswer {
            body: written.body,
            error_code: code.map(|code| code.number()),
            http_status: code.map_or(200, |code| code.http_status()),
            error_message: outcome.error.as_ref().map(QueryError::message),
            row_count: outcome.table.map_or(0, |table| table.row_count),
            rows: written.rows,
            request_id,
        }
    }

    /// Returns the queries that wait or run, oldest first.
    pub fn running(&self) -> Vec<RunningQuery> {
        self.running.list()
    }

    /// Ends a query, which is then answered as cancelled; false when there is none of this number.
    pub fn cancel(&self, request_id: u64) -> bool {
        self.running.cancel(request_id)
    }

    /// Ends all queries whose client named them so with `clientQueryId`; false when there are none.
    pub fn cancel_client(&self, client_query_id: &str) -> bool {
        self.running.cancel_client(client_query_id)
    }

    /// Takes a statement apart without running it. No table has to exist.
    ///
    /// # Errors
    /// When it is not one query that follows the grammar.
    pub async fn inspect(&self, sql: String) -> Result<Inspection, QueryError> {
        // The parser recurses, and only these threads have stacks for that.
        let inspecting = self.runtime().spawn(async move { Inspection::of(&sql) });
        inspecting.await.map_err(|end| QueryError::Internal { detail: end.to_string() })?
    }

    async fn run(
        &self,
        tables: &Tables,
        request: QueryRequest,
        began: Instant,
    ) -> Result<Outcome, QueryError> {
        let tokens = tokens_of(&request.sql)?;
        let shape = Shape::of(&tokens);
        if !request.explain
            && let Some(call) = self.core.plans.get(&request, &shape, tables)
        {
            return self.run_known(call, began).await;
        }
        let mut statement = Statement::read(tokens)?;
        if request.explain {
            statement.explain.get_or_insert(Explain::Everything);
        }
        let options = options_of(&request, &statement)?;
        let turn = self.turn(self.core.timeout(options.timeout_ms)).await?;
        let (timeout_found, timeout) = oneshot::channel();
        let core = Arc::clone(&self.core);
        let tables = tables.clone();
        let fallback = self.core.timeout(options.timeout_ms);
        let task = self.runtime().spawn(async move {
            let _turn = turn;
            core.answer(&Asked { request, shape, options, depth: 0 }, statement, &tables, timeout_found).await
        });
        let task = EndOnDrop(task);
        // Until the tables are known, and with them their timeouts, the default one counts.
        let timeout = match tokio::time::timeout_at((began + fallback).into(), timeout).await {
            Ok(found) => found.unwrap_or(fallback),
            Err(_) => return Err(timed_out(fallback)),
        };
        ended(task, began, timeout).await
    }

    /// Runs a plan where it was asked for, since most take less time than a change of threads. One that does not end
    /// within its first slice of time goes on where queries run.
    async fn run_known(&self, call: PlannedCall, began: Instant) -> Result<Outcome, QueryError> {
        let timeout = self.core.timeout(call.known.options.timeout_ms.or(call.table.timeout_ms));
        let turn = self.turn(timeout).await?;
        let core = Arc::clone(&self.core);
        let is_deep = call.known.token_count > TOKENS_SHALLOW;
        let threads = self.threads_free();
        let mut answer = Box::pin(async move {
            let _turn = turn;
            core.answer_known(&call, threads).await
        });
        let runtime = self.runtime();
        if is_deep {
            return ended(EndOnDrop(runtime.spawn(answer)), began, timeout).await;
        }
        let first_slice = poll_fn(|context| {
            // What the query spawns belongs to the threads of queries.
            let _queries = runtime.enter();
            Poll::Ready(match answer.as_mut().poll(context) {
                Poll::Ready(outcome) => Some(outcome),
                Poll::Pending => None,
            })
        });
        match AssertUnwindSafe(first_slice).catch_unwind().await {
            Ok(Some(outcome)) => Ok(outcome),
            Ok(None) => ended(EndOnDrop(runtime.spawn(answer)), began, timeout).await,
            Err(panic) => Err(QueryError::Internal { detail: panic_text(panic.as_ref()) }),
        }
    }

    /// Waits until fewer than the most queries run.
    async fn turn(&self, timeout: Duration) -> Result<OwnedSemaphorePermit, QueryError> {
        if let Ok(turn) = Arc::clone(&self.turns).try_acquire_owned() {
            return Ok(turn);
        }
        let place = Waiting::enter(&self.waiting);
        if place.ahead >= self.core.config.queue_length_max {
            return Err(QueryError::QueueFull { waiting: place.ahead });
        }
        match tokio::time::timeout(timeout, Arc::clone(&self.turns).acquire_owned()).await {
            Ok(turn) => turn.map_err(|closed| QueryError::Internal { detail: closed.to_string() }),
            Err(_) => Err(QueryError::WaitedTooLong {
                timeout_ms: millis(timeout),
                running: self.core.config.concurrency_max,
            }),
        }
    }

    /// Returns the threads that one of the queries that run now may use. Readers beside the first end a query sooner, at the
    /// price of merging what each gathered; where other queries keep the cores busy, only the price is left.
    fn threads_free(&self) -> usize {
        let EngineConfig { concurrency_max, threads, .. } = &self.core.config;
        let running = concurrency_max.max(&1) - self.turns.available_permits().min(*concurrency_max.max(&1));
        (threads / running.max(1)).max(1)
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("the runtime is there until the engine is dropped")
    }
}

impl Drop for QueryEngine {
    fn drop(&mut self) {
        // A runtime may not be dropped by waiting where async code runs.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A place in the queue, left again however the wait ends.
struct Waiting<'a> {
    waiting: &'a AtomicUsize,
    ahead: usize,
}

impl Waiting<'_> {
    fn enter(waiting: &AtomicUsize) -> Waiting<'_> {
        Waiting { ahead: waiting.fetch_add(1, Ordering::Relaxed), waiting }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A task that ends with whoever waits for it.
struct EndOnDrop(JoinHandle<Outcome>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Waits for a query to end, not beyond its deadline.
async fn ended(mut task: EndOnDrop, began: Instant, timeout: Duration) -> Result<Outcome, QueryError> {
    match tokio::time::timeout_at((began + timeout).into(), &mut task.0).await {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(end)) => Err(QueryError::Internal {
            detail: match end.try_into_panic() {
                Ok(panic) => panic_text(panic.as_ref()),
                Err(end) => format!("the query ended early: {end}"),
            },
        }),
        Err(_) => Err(timed_out(timeout)),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
    format!("the query ended in a panic: {text}")
}

/// A query that is planned.
struct Asked {
    request: QueryRequest,
    shape: Shape,
    options: QueryOptions,
    /// How many statements of `IN_SUBQUERY` it stands in.
    depth: usize,
}

/// What came of a query.
#[derive(Debug, Default)]
struct Outcome {
    table: Option<ResultTable>,
    error: Option<QueryError>,
    statistics: AnswerStatistics,
}

impl Outcome {
    fn failed(error: QueryError) -> Outcome {
        Outcome { error: Some(error), ..Outcome::default() }
    }
}

impl Core {
    fn timeout(&self, asked_ms: Option<u64>) -> Duration {
        asked_ms.map_or(self.config.timeout, Duration::from_millis)
    }

    async fn answer(
        &self,
        asked: &Asked,
        statement: Statement,
        tables: &Tables,
        timeout_found: oneshot::Sender<Duration>,
    ) -> Outcome {
        let explained = statement.explain.map(|explain| (explain, statement.to_string()));
        let options = &asked.options;
        let shape = (explained.is_none() && options.rules.short_path).then_some(&asked.shape);
        let explains = statement.explain == Some(Explain::Plan);
        let mut query = match statement.parse() {
            Ok(query) => query,
            Err(error) => return Outcome::failed(error),
        };
        let shape = match self.run_inner_statements(&mut query, asked, tables).await {
            // The sets hold for this moment, so that the plan is not kept.
            Ok(true) => None,
            Ok(false) => shape,
            Err(error) => return Outcome::failed(error),
        };
        let dimensions = match self.dimensions.open(&query, tables, &self.state).await {
            Ok(dimensions) => dimensions,
            Err(error) => return Outcome::failed(error),
        };
        // So do the rows that `LOOKUP` sees.
        let shape = shape.filter(|_| dimensions.is_empty());
        let dialect = Dialect {
            tables,
            functions: &self.functions,
            options,
            now_ms: now_ms(),
            shape,
            explains,
            dimensions: &dimensions,
        };
        let rewritten = match rewrite(query, &dialect) {
            Ok(rewritten) => rewritten,
            Err(error) => return Outcome::failed(error),
        };
        let table_timeout = rewritten.tables.values().filter_map(|used| used.table.timeout_ms).max();
        // Nobody waits any more when this fails, and then the task is ended as well.
        let _ = timeout_found.send(self.timeout(options.timeout_ms.or(table_timeout)));
        let counters = Arc::new(ScanCounters::default());
        let snapshots = rewritten.tables.iter().map(|(name, used)| (name.as_str(), &*used.snapshot));
        let mut statistics = statistics_of(snapshots, rewritten.multistage, options);
        let result = self.execute(asked, rewritten, &dimensions, explained, shape.is_some(), &counters).await;
        count(&mut statistics, &counters);
        match result {
            Ok((table, cut)) => Outcome { table: Some(table), error: cut, statistics },
            Err(error) => Outcome { table: None, error: Some(error), statistics },
        }
    }

    /// The same as [`Core::answer`], for a statement inside of another.
    fn answer_inner<'a>(
        &'a self,
        asked: &'a Asked,
        statement: Statement,
        tables: &'a Tables,
        timeout_found: oneshot::Sender<Duration>,
    ) -> BoxFuture<'a, Outcome> {
        self.answer(asked, statement, tables, timeout_found).boxed()
    }

    /// Runs the inner statements of `IN_SUBQUERY` and puts their sets in place. Returns whether there were any.
    async fn run_inner_statements(
        &self,
        query: &mut Query,
        asked: &Asked,
        tables: &Tables,
    ) -> Result<bool, QueryError> {
        let statements = inner_statements(query)?;
        let mut sets = BTreeMap::new();
        for text in statements {
            if asked.depth == in_subquery::DEPTH_MAX {
                return Err(QueryError::invalid(format!(
                    "statements of `IN_SUBQUERY` stand in each other at most {} deep",
                    in_subquery::DEPTH_MAX
                )));
            }
            let tokens = tokens_of(&text)?;
            let request = QueryRequest { sql: text.clone(), ..asked.request.clone() };
            let shape = Shape::of(&tokens);
            let statement = Statement::read(tokens)?;
            let options = options_of(&request, &statement)?;
            let inner = Asked { request, shape, options, depth: asked.depth + 1 };
            // Time is counted for the whole statement.
            let (timeout_found, _) = oneshot::channel();
            let outcome = self.answer_inner(&inner, statement, tables, timeout_found).await;
            let table = match (outcome.table, outcome.error) {
                (Some(table), None) => table,
                (_, Some(error)) => return Err(error),
                (None, None) => return Err(QueryError::Internal { detail: "an answer without rows".into() }),
            };
            sets.insert(text.clone(), in_subquery::set_of(&table.rows, &text)?);
        }
        if !sets.is_empty() {
            in_subquery::put_sets(query, &sets);
        }
        Ok(!sets.is_empty())
    }

    /// Answers a statement whose plan is known.
    /// Runs a known plan by at most `threads` readers.
    async fn answer_known(&self, call: &PlannedCall, threads: usize) -> Outcome {
        let PlannedCall { known, parameters, table } = call;
        let snapshot = table.live.snapshot();
        let counters = Arc::new(ScanCounters::default());
        let tables = [(known.table_name.as_str(), &snapshot)];
        let mut statistics = statistics_of(tables.into_iter(), known.multistage, &known.options);
        let result = self.run_short(known, parameters, &snapshot, &counters, threads).await;
        count(&mut statistics, &counters);
        match result {
            Ok((table, cut)) => Outcome { table: Some(table), error: cut, statistics },
            Err(error) => Outcome { table: None, error: Some(error), statistics },
        }
    }

    async fn run_short(
        &self,
        known: &KnownPlan,
        parameters: &[Option<ScalarValue>],
        snapshot: &TableSnapshot,
        counters: &Arc<ScanCounters>,
        threads: usize,
    ) -> Result<(ResultTable, Option<QueryError>), QueryError> {
        let running = |error: DataFusionError| QueryError::from_execution(&error);
        let options = &known.options;
        let environment =
            query_environment(&self.environment, self.config.query_memory_bytes_max).map_err(running)?;
        let threads = options.threads_max.unwrap_or(usize::MAX).min(threads).max(1);
        let run = known.plan.run(parameters, snapshot, counters, threads, &environment.memory_pool);
        let batch = run.await.map_err(running)?;
        let bytes_max = options.response_bytes_max.unwrap_or(u64::MAX).min(self.config.response_bytes_max);
        let mut answer = AnswerRows::new(known.implicit_limit, self.config.rows_max, bytes_max);
        for start in (0..batch.num_rows()).step_by(ANSWER_ROWS) {
            let rows = ANSWER_ROWS.min(batch.num_rows() - start);
            if !answer.take(&batch.slice(start, rows)).map_err(running)? {
                break;
            }
        }
        Ok(answer.finish(known.columns.clone()))
    }

    /// Returns the rows, and the reason when some were cut off.
    async fn execute(
        &self,
        asked: &Asked,
        rewritten: RewrittenQuery,
        dimensions: &Dimensions,
        explained: Option<(Explain, String)>,
        keeps_plan: bool,
        counters: &Arc<ScanCounters>,
    ) -> Result<(ResultTable, Option<QueryError>), QueryError> {
        let Asked { request, shape, options, .. } = asked;
        let multistage = rewritten.multistage;
        let planning = |error: DataFusionError| QueryError::from_planning(&error, multistage);
        let running = |error: DataFusionError| QueryError::from_execution(&error);
        let mut state = self.state.clone();
        if let Some(threads) = options.threads_max {
            state.config_mut().options_mut().execution.target_partitions =
                threads.min(self.config.threads).max(1);
        }
        let only_table = match rewritten.tables.len() {
            1 => rewritten
                .tables
                .first_key_value()
                .map(|(name, used)| (name.clone(), used.table.clone(), Arc::clone(&used.snapshot))),
            _ => None,
        };
        let segment_count = rewritten.tables.values().map(|used| used.snapshot.segment_refs().count()).sum();
        let host_name: Arc<str> = self.config.host_name.as_str().into();
        let tables = rewritten.tables.into_iter().map(|(name, used)| {
            let columns = used.shown_columns();
            let (host, counters) = (Arc::clone(&host_name), Arc::clone(counters));
            let cache = Arc::clone(&self.predicate_cache);
            let search = &used.table.search;
            let table =
                SnapshotTable::new(used.snapshot, columns, options.rules, host, counters, cache, search);
            (name, table)
        });
        let parameters = values_of(&rewritten.parameters, shape, |_, _| true).unwrap_or_default();
        let types = parameters.iter().map(|value| {
            let value = value.as_ref()?;
            Some(Arc::new(ArrowField::new("", value.data_type(), false)))
        });
        let types = types.collect();
        let logical = PlanContext::new(tables, &self.functions, &state, dimensions)
            .plan(rewritten.query, types)
            .map_err(planning)?;
        let tries_short = keeps_plan && only_table.is_some();
        let short = if tries_short { ShortPlan::of(&logical, &state).map_err(planning)? } else { None };
        if let (Some(plan), Some((table_name, table, snapshot))) = (short, only_table) {
            let known = Arc::new(KnownPlan {
                options: options.clone(),
                table_name,
                live: Arc::downgrade(&table.live),
                null_handling_enabled: table.null_handling_enabled,
                search: Arc::clone(&table.search),
                schema: Arc::clone(&snapshot.schema),
                plan,
                columns: output_columns(&logical, rewritten.column_names),
                implicit_limit: rewritten.implicit_limit,
                multistage,
                token_count: shape.tokens.len(),
                constants: shape.constants.iter().map(|(constant, _)| constant.clone()).collect(),
                parameters: rewritten.parameters,
            });
            let answer = self.run_short(&known, &parameters, &snapshot, counters, self.config.threads).await;
            if answer.is_ok() {
                self.plans.insert(request, shape, known);
            }
            return answer;
        }
        let logical = with_values(logical, parameters).map_err(planning)?;
        let logical = state.optimize(&logical).map_err(planning)?;
        let logical = aggregate_below_joins(logical, state.execution_props()).map_err(planning)?;
        let logical = replace_aggregates(logical, state.execution_props()).map_err(planning)?;
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(GapfillPlanner)]);
        let physical = planner.create_physical_plan(&logical, &state).await.map_err(planning)?;
        if let Some((explain, text)) = explained {
            let table = match (explain, &rewritten.operators) {
                (Explain::Plan, Some(operators)) => {
                    operators_table(operators, segment_count, physical.as_ref()).map_err(running)?
                }
                (Explain::Plan, None) => {
                    plan_table(&text, &format!("Execution Plan\n{}", logical.display_indent()))
                }
                (Explain::Implementation, _) => {
                    plan_table(&text, &displayable(physical.as_ref()).indent(false).to_string())
                }
                (Explain::Everything, _) => {
                    let scans = explain_scans(physical.as_ref()).map_err(running)?;
                    plan_table(&text, &everything(&logical, physical.as_ref(), &scans))
                }
            };
            return Ok((table, None));
        }
        let columns = output_columns(&logical, rewritten.column_names);
        let environment =
            query_environment(&self.environment, self.config.query_memory_bytes_max).map_err(running)?;
        let context = Arc::new(TaskContext::new(
            None,
            state.session_id().to_owned(),
            state.config().clone(),
            Default::default(),
            Default::default(),
            Default::default(),
            Default::default(),
            environment,
        ));
        let mut rows = execute_stream(physical, context).map_err(running)?;
        let bytes_max = options.response_bytes_max.unwrap_or(u64::MAX).min(self.config.response_bytes_max);
        let mut answer = AnswerRows::new(rewritten.implicit_limit, self.config.rows_max, bytes_max);
        while let Some(batch) = rows.next().await {
            if !answer.take(&batch.map_err(running)?).map_err(running)? {
                break;
            }
        }
        let (table, cut) = answer.finish(columns);
        Ok((table, cut))
    }
}

/// Returns a plan in which values stand where parameters stood.
fn with_values(
    plan: LogicalPlan,
    parameters: Vec<Option<ScalarValue>>,
) -> Result<LogicalPlan, DataFusionError> {
    if parameters.iter().all(Option::is_none) {
        return Ok(plan);
    }
    let values = parameters.into_iter().map(|value| value.unwrap_or(ScalarValue::Null).into()).collect();
    plan.replace_params_with_values(&ParamValues::List(values))
}

/// The rows of an answer as they come in, held to their limits.
struct AnswerRows {
    table: ResultTable,
    implicit_limit: Option<u64>,
    rows_max: u64,
    bytes_max: u64,
    cut: Option<QueryError>,
    more_rows: bool,
}

impl AnswerRows {
    fn new(implicit_limit: Option<u64>, rows_max: u64, bytes_max: u64) -> AnswerRows {
        AnswerRows {
            table: ResultTable::default(),
            implicit_limit,
            rows_max,
            bytes_max,
            cut: None,
            more_rows: false,
        }
    }

    /// Takes a batch; false when no more are wanted.
    fn take(&mut self, batch: &arrow::array::RecordBatch) -> Result<bool, DataFusionError> {
        let rows_max = self.implicit_limit.unwrap_or(self.rows_max);
        let left = rows_max - self.table.row_count;
        let rows = usize::try_from(left).unwrap_or(usize::MAX).min(batch.num_rows());
        append_rows(batch, rows, &mut self.table.rows)?;
        self.table.row_count += rows as u64;
        if rows < batch.num_rows() {
            self.more_rows = true;
            if self.implicit_limit.is_none() {
                self.cut = Some(QueryError::AnswerTooLarge { what: "rows", max: self.rows_max });
            }
            return Ok(false);
        }
        if self.table.rows.len() as u64 > self.bytes_max {
            self.cut = Some(QueryError::AnswerTooLarge { what: "bytes", max: self.bytes_max });
            return Ok(false);
        }
        Ok(true)
    }

    fn finish(mut self, columns: Vec<OutputColumn>) -> (ResultTable, Option<QueryError>) {
        self.table.columns = columns;
        self.table.implicit_limit =
            self.implicit_limit.map(|limit| ImplicitLimit { limit, more_rows: self.more_rows });
        (self.table, self.cut)
    }
}

fn base_state(config: &EngineConfig, environment: Arc<RuntimeEnv>) -> SessionState {
    let mut session =
        SessionConfig::new().with_target_partitions(config.threads.max(1)).with_information_schema(false);
    let options = session.options_mut();
    // Groups are few as a rule: one final step beats a shuffle. Scans spread their own work.
    options.optimizer.repartition_aggregations = false;
    options.optimizer.enable_round_robin_repartition = false;
    // A CASE whose condition proves a value is there is never null in the logical plan, and may be in the physical one.
    options.execution.skip_physical_aggregate_schema_check = true;
    // Its table does not find a NaN again, since that does not equal itself, and panics.
    options.optimizer.enable_topk_aggregation = false;
    // Scans look at a join's filter once, when they begin: those that change while rows are read would help nobody.
    options.optimizer.enable_topk_dynamic_filter_pushdown = false;
    options.optimizer.enable_aggregate_dynamic_filter_pushdown = false;
    // They look keys up in dictionaries, once a segment.
    options.optimizer.hash_join_inlist_pushdown_max_distinct_values = JOIN_KEYS_LISTED;
    options.optimizer.hash_join_inlist_pushdown_max_size = JOIN_KEYS_BYTES_MAX;
    let mut planners: Vec<Arc<dyn ExprPlanner>> = vec![Arc::new(PinotOperators::new())];
    planners.extend(SessionStateDefaults::default_expr_planners());
    SessionStateBuilder::new()
        .with_config(session)
        .with_runtime_env(environment)
        .with_expr_planners(planners)
        .with_analyzer_rule(Arc::new(EqualZeros))
        .with_physical_optimizer_rule(Arc::new(YieldAboveJoins))
        .build()
}

/// The request's options, then those of the statement, which win.
fn options_of(request: &QueryRequest, statement: &Statement) -> Result<QueryOptions, QueryError> {
    let mut options = QueryOptions { multistage: request.multistage, ..QueryOptions::default() };
    options.set_all(&request.options)?;
    for (name, value) in &statement.options {
        options.set(name, value)?;
    }
    Ok(options)
}

fn output_columns(plan: &LogicalPlan, names: Option<Vec<String>>) -> Vec<OutputColumn> {
    let fields = plan.schema().fields();
    let names = names.unwrap_or_else(|| {
        let mut taken = HashSet::new();
        fields.iter().map(|field| unique_name(field.name(), &mut taken)).collect()
    });
    let columns = fields.iter().zip(names);
    columns.map(|(field, name)| OutputColumn { name, type_name: type_name(field) }).collect()
}

/// Both plans and how scans read segments.
fn everything(logical: &LogicalPlan, physical: &dyn ExecutionPlan, scans: &str) -> String {
    format!("{}\n\n{}\n{scans}", logical.display_indent(), displayable(physical).indent(false))
}

/// Pinot's shape of an explanation: the statement, and its plan as text.
fn plan_table(text: &str, plan: &str) -> ResultTable {
    let column = |name: &str| OutputColumn { name: name.into(), type_name: "STRING" };
    let row = serde_json::to_vec(&[text, plan.trim_end()]).expect("texts are always JSON");
    ResultTable {
        columns: vec![column("SQL"), column("PLAN")],
        rows: row,
        row_count: 1,
        implicit_limit: None,
    }
}

/// What is known before anything ran.
fn statistics_of<'a>(
    snapshots: impl Iterator<Item = (&'a str, &'a TableSnapshot)>,
    multistage: bool,
    options: &QueryOptions,
) -> AnswerStatistics {
    let mut statistics = AnswerStatistics {
        client_query_id: options.client_query_id.clone(),
        multistage,
        ..AnswerStatistics::default()
    };
    let mut freshness: Option<i64> = None;
    for (name, snapshot) in snapshots {
        statistics.tables.push(name.to_owned());
        for segment in snapshot.segment_refs() {
            statistics.docs_total += segment.rows() as u64;
            statistics.segments_queried += 1;
            if let SegmentRef::Consuming(consuming) = segment {
                statistics.consuming_queried += 1;
                freshness = match (freshness, consuming.latest_record_ms()) {
                    (Some(oldest), Some(latest)) => Some(oldest.min(latest)),
                    (known, latest) => known.or(latest),
                };
            }
        }
    }
    statistics.consuming_freshness_ms = freshness.unwrap_or(0);
    statistics
}

/// Adds what was read. A plan without a scan was answered from metadata, which stands for every row.
fn count(statistics: &mut AnswerStatistics, counters: &ScanCounters) {
    let get = ScanCounters::get;
    let from_metadata = get(&counters.scans_run) == 0;
    statistics.docs_scanned = if from_metadata { statistics.docs_total } else { get(&counters.rows_scanned) };
    statistics.entries_scanned_in_filter = get(&counters.entries_in_filter);
    statistics.entries_scanned_post_filter = get(&counters.entries_after_filter);
    statistics.segments_processed =
        if from_metadata { statistics.segments_queried } else { get(&counters.segments_processed) };
    statistics.segments_matched =
        if from_metadata { statistics.segments_queried } else { get(&counters.segments_matched) };
    statistics.consuming_processed =
        if from_metadata { statistics.consuming_queried } else { get(&counters.consuming_processed) };
    statistics.consuming_matched =
        if from_metadata { statistics.consuming_queried } else { get(&counters.consuming_matched) };
    statistics.segments_pruned = get(&counters.segments_pruned);
}

fn timed_out(timeout: Duration) -> QueryError {
    QueryError::TimedOut { timeout_ms: millis(timeout) }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn elapsed_ms(since: Instant) -> u64 {
    millis(since.elapsed())
}

/// The clock is read once a query, here.
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
