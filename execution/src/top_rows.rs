//! The first rows in some order, or any rows, of those that pass a predicate.
//!
//! Only the columns that are ordered by are read of every row; the others are read of the rows that are left in the end.
//! Segments are read in the order in which their bounds promise the best rows, and once enough rows are found, a segment
//! or chunk whose bounds promise no better one is left out.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, new_null_array};
use arrow::compute::{SortOptions, interleave};
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMillisecondType};
use arrow::row::{OwnedRow, RowConverter, SortField};
use meunier_segment::schema::Field;
use meunier_segment::table_snapshot::Segment;
use meunier_segment::value::Value;

use crate::counters::ScanCounters;
use crate::error::Result;
use crate::input::{ChunkView, InputColumn};
use crate::number_test::double_key;
use crate::rows::ChunkRows;
use crate::segment_work::SegmentWork;

/// What rows are ordered by.
#[derive(Debug, Clone)]
pub struct SortKey {
    /// The column.
    pub column: usize,
    /// Its type.
    pub data_type: DataType,
    /// Whether large values come first, and where nulls do.
    pub options: SortOptions,
}

/// A request for some rows.
#[derive(Debug, Clone)]
pub struct TopRows {
    /// What they are ordered by; nothing for any rows.
    pub keys: Vec<SortKey>,
    /// How many are wanted.
    pub fetch: usize,
}

/// A row that may be among the first.
#[derive(Debug)]
struct Candidate {
    /// What it is ordered by, in bytes that compare as the order wants.
    key: Option<OwnedRow>,
    /// The first key as a number, where it is one.
    first: Option<i64>,
    /// Where it stands in the order of reading, which decides between equals.
    segment: usize,
    chunk: usize,
    first_row: usize,
    chunk_rows: usize,
    row: u32,
}

/// A search for the first rows, one chunk a step.
pub struct TopRowsSearch<'a> {
    work: &'a SegmentWork,
    best: Best<'a>,
    /// The first key's column, where its bounds say which rows can be of use.
    first: Option<Arc<Field>>,
    /// Segments not yet begun, the most promising one last.
    segments: Vec<usize>,
    /// Chunks left of the segment at hand.
    chunks: std::vec::IntoIter<ChunkView<'a>>,
    /// The first key's bounds in each of them, where they are known.
    chunk_ranges: Vec<Option<(Value, Value)>>,
    at: usize,
}

impl<'a> TopRowsSearch<'a> {
    /// Returns a search that has looked at nothing yet.
    ///
    /// # Errors
    /// When rows cannot be ordered by a key's type.
    pub fn new(top: &'a TopRows, work: &'a SegmentWork) -> Result<TopRowsSearch<'a>> {
        let fields =
            top.keys.iter().map(|key| SortField::new_with_options(key.data_type.clone(), key.options));
        let best = Best {
            keys: &top.keys,
            fetch: top.fetch,
            converter: RowConverter::new(fields.collect())?,
            candidates: Vec::new(),
            threshold: None,
        };
        let segments = &work.input().segments;
        let mut order: Vec<usize> = (0..segments.len()).rev().collect();
        let first = top.keys.first().and_then(|key| Some((key, stored_name(key, work)?)));
        if let Some((key, field)) = &first {
            let promise = |segment: &Segment| {
                let (low, high) = bounds(&segment.stats(field)?)?;
                // The best of ascending keys is the lowest; `!` turns the order around without an overflow.
                Some(if key.options.descending { high } else { !low })
            };
            // A segment without bounds is read first: nothing can leave it out.
            order.sort_by_key(|&at| promise(&segments[at]).unwrap_or(i64::MAX));
        }
        let first = first.map(|(_, field)| field);
        Ok(TopRowsSearch {
            work,
            best,
            first,
            segments: order,
            chunks: Vec::new().into_iter(),
            chunk_ranges: Vec::new(),
            at: 0,
        })
    }

    /// Looks at one more chunk; returns whether there may be more to look at.
    ///
    /// # Errors
    /// When a segment cannot be read.
    pub fn step(&mut self) -> Result<bool> {
        if self.best.fetch == 0 || self.best.keys.is_empty() && self.best.is_full() {
            return Ok(false);
        }
        let Some(view) = self.chunks.next() else { return Ok(self.begin_segment()) };
        let filter = self.work.filter(self.at)?;
        if !filter.may_hold(view.chunk, view.first_row, view.rows) {
            return Ok(true);
        }
        let range = self.chunk_ranges.get(view.chunk).and_then(Option::as_ref);
        if self.best.rules_out(range.and_then(|(low, high)| Some((key_of(low)?, key_of(high)?)))) {
            return Ok(true);
        }
        let rows = filter.select(&view, &self.work.input().counters)?;
        if !rows.is_empty() {
            self.work.matched(self.at);
            self.best.take(self.at, &view, rows, self.work)?;
        }
        Ok(true)
    }

    /// Goes to the next segment; returns whether there is one.
    fn begin_segment(&mut self) -> bool {
        let Some(at) = self.segments.pop() else { return false };
        let segment = &self.work.input().segments[at];
        let range = self.first.as_ref().and_then(|field| bounds(segment.stats(field).as_ref()?));
        if !self.best.rules_out(range) {
            self.at = at;
            self.chunks = self.work.chunks(at).collect::<Vec<_>>().into_iter();
            self.chunk_ranges =
                self.first.as_ref().map_or_else(Vec::new, |field| segment.chunk_bounds(field));
        }
        true
    }

    /// Returns the memory that the rows found so far take.
    pub fn memory_bytes(&self) -> usize {
        let keys = self.best.candidates.first().and_then(|candidate| candidate.key.as_ref());
        let key_bytes = keys.map_or(0, |key| key.as_ref().len());
        self.best.candidates.capacity() * (size_of::<Candidate>() + key_bytes)
    }

    /// Returns how many rows were found, and one array a column of `columns`, in order; columns that are not wanted are
    /// null throughout.
    ///
    /// # Errors
    /// When a segment cannot be read, or values together are too large for one array.
    pub fn finish(self, columns: &[(usize, DataType, bool)]) -> Result<(usize, Vec<ArrayRef>)> {
        let found = self.best.finish();
        let counters = &self.work.input().counters;
        ScanCounters::add(&counters.rows_scanned, found.len() as u64);
        let wanted = columns.iter().filter(|(_, _, wanted)| *wanted).count();
        ScanCounters::add(&counters.entries_after_filter, (found.len() * wanted) as u64);
        let mut arrays = Vec::with_capacity(columns.len());
        for (column, data_type, wanted) in columns {
            arrays.push(match wanted {
                true => values(self.work, &found, *column, data_type)?,
                false => new_null_array(data_type, found.len()),
            });
        }
        Ok((found.len(), arrays))
    }
}

fn stored_name(key: &SortKey, work: &SegmentWork) -> Option<Arc<Field>> {
    match &work.input().columns[key.column] {
        // A null comes before or after all values, so bounds say too little.
        InputColumn::Stored { field, shows_nulls: false } if field.single_value => Some(field.clone()),
        _ => None,
    }
}

fn bounds(stats: &meunier_segment::stats::ColumnStats) -> Option<(i64, i64)> {
    let (low, high) = stats.min.as_ref().zip(stats.max.as_ref()).filter(|_| stats.bounds_known)?;
    Some((key_of(low)?, key_of(high)?))
}

/// Returns a number that orders as the values of one column do.
fn key_of(value: &Value) -> Option<i64> {
    match value {
        Value::Int(value) => Some(i64::from(*value)),
        Value::Long(value) | Value::Timestamp(value) => Some(*value),
        Value::Float(value) => Some(double_key(f64::from(*value))),
        Value::Double(value) => Some(double_key(*value)),
        Value::Boolean(_) | Value::BigDecimal(_) | Value::String(_) | Value::Bytes(_) => None,
    }
}

/// The best rows so far.
struct Best<'a> {
    keys: &'a [SortKey],
    fetch: usize,
    converter: RowConverter,
    candidates: Vec<Candidate>,
    /// The first key of the last of enough rows: a row that comes after it is of no use.
    threshold: Option<i64>,
}

impl Best<'_> {
    fn is_full(&self) -> bool {
        self.candidates.len() >= self.fetch
    }

    /// Returns whether no row whose first key lies in this range is of use.
    fn rules_out(&self, range: Option<(i64, i64)>) -> bool {
        let (Some((low, high)), Some(threshold)) = (range, self.threshold) else { return false };
        match self.keys[0].options.descending {
            true => high < threshold,
            false => low > threshold,
        }
    }

    fn take(
        &mut self,
        segment: usize,
        view: &ChunkView<'_>,
        rows: ChunkRows,
        work: &SegmentWork,
    ) -> Result<()> {
        let columns = &work.input().columns;
        let candidate = |row: u32, key: Option<OwnedRow>, first: Option<i64>| Candidate {
            key,
            first,
            segment,
            chunk: view.chunk,
            first_row: view.first_row,
            chunk_rows: view.rows,
            row,
        };
        if self.keys.is_empty() {
            let room = self.fetch - self.candidates.len();
            let some = rows.slice(0, room.min(rows.len()));
            some.for_each(|row| self.candidates.push(candidate(crate::rows::row_id(row), None, None)));
            return Ok(());
        }
        let first = view.values(&columns[self.keys[0].column], &rows)?;
        let rows = self.trimmed(rows, &first);
        if rows.is_empty() {
            return Ok(());
        }
        let mut values = Vec::with_capacity(self.keys.len());
        for key in self.keys {
            values.push(view.values(&columns[key.column], &rows)?);
        }
        let keys = self.converter.convert_columns(&values)?;
        let first = number_keys(&values[0]);
        let mut at = 0;
        rows.for_each(|row| {
            self.candidates.push(candidate(
                crate::rows::row_id(row),
                Some(keys.row(at).owned()),
                first.as_ref().map(|first| first[at]),
            ));
            at += 1;
        });
        if self.candidates.len() > self.fetch {
            let compare = |a: &Candidate, b: &Candidate| compare(a, b);
            self.candidates.select_nth_unstable_by(self.fetch - 1, compare);
            self.candidates.truncate(self.fetch);
        }
        if self.is_full() {
            let last = self.candidates.iter().max_by(|a, b| compare(a, b));
            self.threshold = last.and_then(|last| last.first).or(self.threshold);
        }
        Ok(())
    }

    /// Drops rows whose first key alone says that they are of no use, and learns what the best of the others promise.
    fn trimmed(&mut self, rows: ChunkRows, first: &ArrayRef) -> ChunkRows {
        let Some(mut keys) = number_keys(first) else { return rows };
        let descending = self.keys[0].options.descending;
        let mut rows = rows;
        if let Some(threshold) = self.threshold {
            // Most rows fall to what is known already.
            let is_of_use = |key: i64| if descending { key >= threshold } else { key <= threshold };
            let mut at = 0;
            rows = rows.retain(|_| {
                at += 1;
                is_of_use(keys[at - 1])
            });
            keys.retain(|&key| is_of_use(key));
        }
        if keys.len() >= self.fetch {
            let mut ordered = keys.clone();
            let order = |a: &i64, b: &i64| if descending { b.cmp(a) } else { a.cmp(b) };
            let (_, &mut last, _) = ordered.select_nth_unstable_by(self.fetch - 1, order);
            self.threshold = Some(match self.threshold {
                Some(known) if descending => known.max(last),
                Some(known) => known.min(last),
                None => last,
            });
        }
        let Some(threshold) = self.threshold else { return rows };
        let mut at = 0;
        rows.retain(|_| {
            at += 1;
            if descending { keys[at - 1] >= threshold } else { keys[at - 1] <= threshold }
        })
    }

    fn finish(mut self) -> Vec<Candidate> {
        self.candidates.sort_by(compare);
        self.candidates
    }
}

fn compare(a: &Candidate, b: &Candidate) -> Ordering {
    let place = |of: &Candidate| (of.segment, of.chunk, of.row);
    a.key.cmp(&b.key).then_with(|| place(a).cmp(&place(b)))
}

/// Returns numbers that order as the values do; nothing where there is a null or no such numbers.
fn number_keys(values: &ArrayRef) -> Option<Vec<i64>> {
    if values.null_count() > 0 {
        return None;
    }
    Some(match values.data_type() {
        DataType::Int32 => {
            values.as_primitive::<Int32Type>().values().iter().map(|&v| i64::from(v)).collect()
        }
        DataType::Int64 => values.as_primitive::<Int64Type>().values().to_vec(),
        DataType::Timestamp(..) => values.as_primitive::<TimestampMillisecondType>().values().to_vec(),
        DataType::Float32 => {
            values.as_primitive::<Float32Type>().values().iter().map(|&v| double_key(f64::from(v))).collect()
        }
        DataType::Float64 => {
            values.as_primitive::<Float64Type>().values().iter().map(|&v| double_key(v)).collect()
        }
        _ => return None,
    })
}

/// Reads one column of the rows that were found, each chunk once.
fn values(work: &SegmentWork, found: &[Candidate], column: usize, data_type: &DataType) -> Result<ArrayRef> {
    let input = &work.input().columns[column];
    let mut places: Vec<(usize, usize)> = vec![(0, 0); found.len()];
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_by_key(|&at| (found[at].segment, found[at].chunk, found[at].row));
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for part in
        order.chunk_by(|&a, &b| (found[a].segment, found[a].chunk) == (found[b].segment, found[b].chunk))
    {
        let Candidate { segment, chunk, first_row, chunk_rows, .. } = found[part[0]];
        let segment = &work.input().segments[segment];
        let view = ChunkView { segment, chunk, first_row, rows: chunk_rows };
        let rows = ChunkRows::List(part.iter().map(|&at| found[at].row).collect());
        for (position, &at) in part.iter().enumerate() {
            places[at] = (arrays.len(), position);
        }
        arrays.push(view.values(input, &rows)?);
    }
    if arrays.is_empty() {
        return Ok(new_null_array(data_type, 0));
    }
    let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    Ok(interleave(&arrays, &places)?)
}
