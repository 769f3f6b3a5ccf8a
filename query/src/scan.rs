//! Reads the rows of a table's segments: the leaf of every plan.
//!
//! Work is cut into pieces of one chunk of one segment, and all partitions of the scan take the next piece from one
//! queue, so that cores stay busy whatever the sizes of segments. Of each piece the filter's columns are read first and
//! the others only for the rows that are left.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use arrow::array::{ArrayRef, BooleanArray, Int32Array, RecordBatch, RecordBatchOptions, StringViewArray};
use arrow::buffer::{BooleanBuffer, OffsetBuffer};
use arrow::datatypes::SchemaRef;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Statistics, internal_err};
use datafusion::datasource::source::{DataSource, OpenArgs};
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::DisplayFormatType;
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::execution_plan::SchedulingType;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use meunier_segment::column::{Column, ColumnValues};
use meunier_segment::table_snapshot::Segment;

use crate::error::QueryError;
use crate::filter::{Filter, SegmentFilter, Selection};
use crate::scan_statistics::ScanStatistics;
use crate::table_columns::TableColumn;

/// What a scan reads, fixed when the query is planned.
#[derive(Debug)]
pub(crate) struct ScanInput {
    /// The table's name, for EXPLAIN.
    pub(crate) table: String,
    /// The segments that pruning left.
    pub(crate) segments: Vec<Segment>,
    /// How many it dropped.
    pub(crate) segments_pruned: usize,
    /// The table's columns; filter and projection count in them.
    pub(crate) columns: Vec<TableColumn>,
    /// The name that `$hostName` shows.
    pub(crate) host_name: Arc<str>,
    /// Rows that do not pass are not handed on.
    pub(crate) filter: Filter,
    /// The columns handed on.
    pub(crate) projection: Vec<usize>,
    /// Those columns' Arrow schema.
    pub(crate) schema: SchemaRef,
    /// What is known of the rows handed on.
    pub(crate) statistics: Statistics,
    /// Where the figures of the answer are gathered.
    pub(crate) counters: Arc<ScanStatistics>,
}

/// The scan as DataFusion's `DataSourceExec` runs it.
#[derive(Debug, Clone)]
pub(crate) struct SegmentScan {
    input: Arc<ScanInput>,
    partitions: usize,
    fetch: Option<usize>,
    metrics: ExecutionPlanMetricsSet,
}

impl SegmentScan {
    /// Returns a scan by `partitions` readers at once that stops after `fetch` rows.
    pub(crate) fn new(input: ScanInput, partitions: usize, fetch: Option<usize>) -> SegmentScan {
        SegmentScan { input: Arc::new(input), partitions, fetch, metrics: ExecutionPlanMetricsSet::new() }
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
        ScanStatistics::add(&self.input.counters.scans_run, 1);
        Some(Arc::new(WorkQueue::new(&self.input, self.fetch)))
    }

    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        let input = &self.input;
        write!(f, "SegmentScan: table={}, segments={}", input.table, input.segments.len())?;
        write!(f, ", pruned={}, readers={}", input.segments_pruned, self.partitions)?;
        let names: Vec<String> =
            input.projection.iter().map(|&column| input.columns[column].name()).collect();
        write!(f, ", columns=[{}]", names.join(", "))?;
        if !input.filter.is_empty() {
            write!(f, ", filter={}", input.filter)?;
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

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.input.filter.apply_expressions(f)
    }
}

/// The pieces of one execution, taken by all its readers.
#[derive(Debug)]
struct WorkQueue {
    pieces: Vec<Piece>,
    next: AtomicUsize,
    /// Rows that may still be handed on.
    rows_left: AtomicU64,
    /// For each segment, what its filter found out once and for all.
    filters: Vec<SegmentFilter>,
    progress: Vec<SegmentProgress>,
}

/// One chunk of one segment.
#[derive(Debug, Clone, Copy)]
struct Piece {
    segment: usize,
    chunk: usize,
    /// Rows of the segment before this chunk.
    first_row: usize,
    rows: usize,
}

/// Whether a segment was counted already.
#[derive(Debug, Default)]
struct SegmentProgress {
    processed: std::sync::atomic::AtomicBool,
    matched: std::sync::atomic::AtomicBool,
}

impl WorkQueue {
    fn new(input: &ScanInput, fetch: Option<usize>) -> WorkQueue {
        let mut pieces = Vec::new();
        for (segment, found) in input.segments.iter().enumerate() {
            let mut first_row = 0;
            for (chunk, rows) in found.chunk_rows().into_iter().enumerate() {
                pieces.push(Piece { segment, chunk, first_row, rows });
                first_row += rows;
            }
        }
        WorkQueue {
            pieces,
            next: AtomicUsize::new(0),
            rows_left: AtomicU64::new(fetch.map_or(u64::MAX, |rows| rows as u64)),
            filters: input.segments.iter().map(|_| input.filter.for_segment()).collect(),
            progress: input.segments.iter().map(|_| SegmentProgress::default()).collect(),
        }
    }

    fn take(&self) -> Option<Piece> {
        if self.rows_left.load(Ordering::Relaxed) == 0 {
            return None;
        }
        self.pieces.get(self.next.fetch_add(1, Ordering::Relaxed)).copied()
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
    selection: Selection,
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
            let Some(piece) = self.queue.take() else { return Ok(None) };
            self.piece = self.open(piece)?;
            timer.done();
            if self.piece.is_none() {
                // A piece without a hit took its time all the same; let a cancellation through.
                tokio::task::yield_now().await;
            }
        }
    }

    /// Runs the filter over a piece; `None` when no row passes.
    fn open(&self, piece: Piece) -> Result<Option<OpenPiece>> {
        let input = &self.input;
        let counters = &input.counters;
        let segment = &input.segments[piece.segment];
        let consuming = matches!(segment, Segment::Consuming(_));
        let progress = &self.queue.progress[piece.segment];
        if !progress.processed.swap(true, Ordering::Relaxed) {
            ScanStatistics::add(&counters.segments_processed, 1);
            ScanStatistics::add(&counters.consuming_processed, u64::from(consuming));
        }
        let filter = &self.queue.filters[piece.segment];
        let chunk = ChunkReader { input, segment, piece };
        let selection =
            input.filter.select(filter, piece.rows, counters, &|column| chunk.filter_column(column))?;
        if selection.rows(piece.rows) == 0 {
            return Ok(None);
        }
        if !progress.matched.swap(true, Ordering::Relaxed) {
            ScanStatistics::add(&counters.segments_matched, 1);
            ScanStatistics::add(&counters.consuming_matched, u64::from(consuming));
        }
        let mut columns = Vec::with_capacity(input.projection.len());
        for &column in &input.projection {
            columns.push(chunk.stored_column(column)?);
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
        let left = self.selection.rows(self.piece.rows) - self.done;
        let rows = queue.grant(left.min(batch_rows));
        if rows == 0 {
            return Ok(None);
        }
        let selection = self.selection.slice(self.done, rows);
        self.done += rows;
        let segment = &input.segments[self.piece.segment];
        let chunk = ChunkReader { input, segment, piece: self.piece };
        let mut arrays = Vec::with_capacity(self.columns.len());
        for (&column, stored) in input.projection.iter().zip(&self.columns) {
            arrays.push(chunk.gather(column, stored.as_ref(), &selection)?);
        }
        let counters = &input.counters;
        ScanStatistics::add(&counters.rows_scanned, rows as u64);
        ScanStatistics::add(&counters.entries_after_filter, (rows * arrays.len()) as u64);
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(Some(RecordBatch::try_new_with_options(Arc::clone(&input.schema), arrays, &options)?))
    }
}

/// Reads columns of one chunk.
struct ChunkReader<'a> {
    input: &'a ScanInput,
    segment: &'a Segment,
    piece: Piece,
}

impl ChunkReader<'_> {
    /// Returns a column for the filter: as stored, or made up for all rows.
    fn filter_column(&self, column: usize) -> Result<FilterColumn> {
        match self.stored_column(column)? {
            Some(stored) => {
                let shows_nulls =
                    matches!(self.input.columns[column], TableColumn::Stored { shows_nulls: true, .. });
                Ok(FilterColumn::Stored { column: stored, shows_nulls })
            }
            None => {
                let all = Selection::Range { start: 0, rows: self.piece.rows };
                Ok(FilterColumn::Made(self.gather(column, None, &all)?))
            }
        }
    }

    /// Returns the column as stored, or nothing for one that is made up.
    fn stored_column(&self, column: usize) -> Result<Option<Column>> {
        match &self.input.columns[column] {
            TableColumn::Stored { field, .. } => {
                let read = self.segment.column(self.piece.chunk, field);
                Ok(Some(read.map_err(|error| self.unreadable(&error))?))
            }
            TableColumn::NullFlag(_)
            | TableColumn::DocId
            | TableColumn::SegmentName
            | TableColumn::PartitionId
            | TableColumn::HostName => Ok(None),
        }
    }

    /// Returns the selected rows of a column as the scan hands them out.
    fn gather(&self, column: usize, stored: Option<&Column>, selection: &Selection) -> Result<ArrayRef> {
        let rows = selection.rows(self.piece.rows);
        match &self.input.columns[column] {
            TableColumn::Stored { shows_nulls, .. } => match stored {
                Some(stored) => gather(stored, selection, *shows_nulls),
                None => internal_err!("a stored column is read before it is gathered"),
            },
            TableColumn::NullFlag(field) => {
                let stored =
                    self.segment.column(self.piece.chunk, field).map_err(|error| self.unreadable(&error))?;
                let flags = match &stored.nulls {
                    None => BooleanBuffer::new_unset(rows),
                    Some(nulls) => BooleanBuffer::from_iter(selection.iter().map(|row| nulls.is_null(row))),
                };
                Ok(Arc::new(BooleanArray::new(flags, None)))
            }
            TableColumn::DocId => {
                let first = self.piece.first_row;
                let ids = selection.iter().map(|row| i32::try_from(first + row).unwrap_or(i32::MAX));
                Ok(Arc::new(ids.collect::<Int32Array>()))
            }
            TableColumn::SegmentName => Ok(repeated(self.segment.name().as_str(), rows)),
            TableColumn::PartitionId => {
                Ok(Arc::new(Int32Array::from_value(self.segment.partition().0, rows)))
            }
            TableColumn::HostName => Ok(repeated(&self.input.host_name, rows)),
        }
    }

    fn unreadable(&self, error: &meunier_segment::error::SegmentError) -> QueryError {
        QueryError::Execution { detail: format!("segment `{}` cannot be read: {error}", self.segment.name()) }
    }
}

/// A column of a chunk as a filter gets it.
pub(crate) enum FilterColumn {
    /// As the segment stores it.
    Stored {
        /// The values.
        column: Column,
        /// Whether nulls are nulls to the filter.
        shows_nulls: bool,
    },
    /// Made up, for every row of the chunk.
    Made(ArrayRef),
}

/// Returns the selected rows of a stored column as the scan hands them out.
pub(crate) fn gather(column: &Column, selection: &Selection, shows_nulls: bool) -> Result<ArrayRef> {
    let picked = match selection {
        Selection::Range { start, rows } if *start == 0 && *rows == column.len() => {
            return Ok(column.to_array(shows_nulls)?);
        }
        Selection::Range { start, rows } => slice(column, *start, *rows),
        Selection::Rows(rows) => column.take(rows)?,
    };
    Ok(picked.to_array(shows_nulls)?)
}

fn slice(column: &Column, start: usize, rows: usize) -> Column {
    let values = match &column.values {
        ColumnValues::Ids { ids, dictionary } => {
            ColumnValues::Ids { ids: ids.slice(start, rows), dictionary: Arc::clone(dictionary) }
        }
        ColumnValues::Plain(array) => ColumnValues::Plain(array.slice(start, rows)),
        ColumnValues::IdLists { offsets, ids, dictionary } => {
            let (offsets, first, len) = slice_offsets(offsets, start, rows);
            ColumnValues::IdLists { offsets, ids: ids.slice(first, len), dictionary: Arc::clone(dictionary) }
        }
        ColumnValues::PlainLists { offsets, values } => {
            let (offsets, first, len) = slice_offsets(offsets, start, rows);
            ColumnValues::PlainLists { offsets, values: values.slice(first, len) }
        }
    };
    Column { values, nulls: column.nulls.as_ref().map(|nulls| nulls.slice(start, rows)) }
}

/// Returns the borders of some rows counted from their first element, that element, and how many elements there are.
fn slice_offsets(
    offsets: &OffsetBuffer<i32>,
    start: usize,
    rows: usize,
) -> (OffsetBuffer<i32>, usize, usize) {
    let (first, last) = (offsets[start] as usize, offsets[start + rows] as usize);
    (OffsetBuffer::from_lengths(offsets.slice(start, rows).lengths()), first, last - first)
}

fn repeated(text: &str, rows: usize) -> ArrayRef {
    Arc::new(StringViewArray::from_iter_values(std::iter::repeat_n(text, rows)))
}
