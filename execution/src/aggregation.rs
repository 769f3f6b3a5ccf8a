//! Groups rows and aggregates them.
//!
//! Where every key has small local ids, a row's group is found by one look-up in a table of all combinations of them
//! (mixed radix); the values behind ids are looked at when a combination is met for the first time. Otherwise each key's
//! value is numbered and the numbers are hashed. States are columns, one entry a group, and rows are taken in blocks
//! that stay in the first-level cache.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use meunier_segment::table_snapshot::Segment;

use crate::counters::ScanCounters;
use crate::error::Result;
use crate::filter::SegmentFilter;
use crate::input::{ChunkView, InputColumn};
use crate::interner::TupleInterner;
use crate::key_space::{NULL, Numbering};
pub use crate::keys::Key;
use crate::keys::KeyColumn;
pub use crate::numbers::Input;
use crate::rows::ChunkRows;
use crate::segment_work::SegmentInput;
use crate::star_tree_query::{StarTreeQuery, StarTreeRecords};
pub use crate::states::{Aggregate, Function};
use crate::states::{Scratch, State};

/// Rows taken at once.
const BLOCK_ROWS: usize = 4096;
/// A table of combinations has at most so many entries.
const CELLS_MAX: usize = 1 << 23;
/// And, above a few, at most so many for each row of its segment that is in question.
const CELLS_A_ROW_MAX: usize = 16;
const CELLS_ALWAYS: usize = 1 << 16;
/// No group yet.
const NO_GROUP: u32 = u32::MAX;

/// A grouping of the rows that pass a predicate.
#[derive(Debug)]
pub struct Aggregation {
    /// The columns that everything below counts in.
    pub columns: Arc<[InputColumn]>,
    /// What they are grouped by; without keys there is one group, also of no row.
    pub keys: Vec<Key>,
    /// What is gathered of each group.
    pub aggregates: Vec<Aggregate>,
    /// The result's columns: the keys and then the aggregates.
    pub schema: SchemaRef,
}

/// What an aggregation knows of the segments it will read, the same for all workers.
#[derive(Debug)]
pub struct PreparedAggregation {
    aggregation: Arc<Aggregation>,
    key_numbering: Vec<Numbering>,
    distinct_numbering: Vec<Numbering>,
}

impl Aggregation {
    /// Looks at the segments' bounds.
    pub fn prepare(self: &Arc<Aggregation>, input: &SegmentInput) -> PreparedAggregation {
        let numbering = |key: &Key| key.numbering(&self.columns, input);
        let distinct_numbering = self.aggregates.iter().map(|aggregate| match &aggregate.function {
            Function::CountDistinct(key) => numbering(key),
            Function::Count
            | Function::CountValues(_)
            | Function::Sum(_)
            | Function::Average(_)
            | Function::Min(_)
            | Function::Max(_)
            | Function::External { .. } => Numbering::OfQuery,
        });
        PreparedAggregation {
            aggregation: Arc::clone(self),
            key_numbering: self.keys.iter().map(numbering).collect(),
            distinct_numbering: distinct_numbering.collect(),
        }
    }

    /// Returns whether rows need not be read once it is known how many there are.
    pub fn only_counts(&self) -> bool {
        let counts = |aggregate: &Aggregate| {
            matches!(aggregate.function, Function::Count) && aggregate.filter.is_none()
        };
        self.keys.is_empty() && self.aggregates.iter().all(counts)
    }
}

/// Gathers the groups of the chunks it is given.
#[derive(Debug)]
pub struct Worker {
    aggregation: Arc<Aggregation>,
    keys: Vec<KeyColumn>,
    states: Vec<State>,
    groups: TupleInterner,
    /// The group of each combination of local ids.
    cells: Vec<u32>,
    /// The local ids that `cells` stands for; their product is its length.
    radices: Vec<usize>,
    /// Whether `cells` means the same in every chunk of every segment.
    cells_are_stable: bool,
    scratch: Scratch,
    cell_buffer: Vec<u32>,
    group_buffer: Vec<u32>,
}

impl Worker {
    /// Returns a worker without groups.
    ///
    /// # Errors
    /// When a key has a type that values cannot be grouped by.
    pub fn new(prepared: &PreparedAggregation) -> Result<Worker> {
        let aggregation = Arc::clone(&prepared.aggregation);
        let columns = &aggregation.columns;
        let mut keys = Vec::with_capacity(aggregation.keys.len());
        for (key, numbering) in aggregation.keys.iter().zip(&prepared.key_numbering) {
            keys.push(KeyColumn::new(key, columns, numbering)?);
        }
        let mut states = Vec::with_capacity(aggregation.aggregates.len());
        for (aggregate, numbering) in aggregation.aggregates.iter().zip(&prepared.distinct_numbering) {
            states.push(State::new(aggregate, columns, numbering, !keys.is_empty())?);
        }
        let mut worker = Worker {
            aggregation: Arc::clone(&aggregation),
            groups: TupleInterner::new(keys.len()),
            keys,
            states,
            cells: Vec::new(),
            radices: Vec::new(),
            cells_are_stable: false,
            scratch: Scratch::default(),
            cell_buffer: Vec::new(),
            group_buffer: Vec::new(),
        };
        if worker.keys.is_empty() {
            worker.groups.intern(&[]);
            worker.states.iter_mut().for_each(|state| state.grow(1));
        }
        Ok(worker)
    }

    /// Counts rows that need not be read; see [`Aggregation::only_counts`].
    pub fn add_count(&mut self, rows: u64) {
        self.states.iter_mut().for_each(|state| state.add_count(rows));
    }

    /// Takes the rows of a chunk that pass the filter; returns how many.
    ///
    /// # Errors
    /// When the segment cannot be read, or a computation fails.
    pub fn take(
        &mut self,
        filter: &SegmentFilter,
        view: &ChunkView<'_>,
        counters: &ScanCounters,
    ) -> Result<usize> {
        let rows = filter.select(view, counters)?;
        if rows.is_empty() {
            return Ok(0);
        }
        for state in &mut self.states {
            state.open(view, rows.len())?;
        }
        if self.keys.is_empty() {
            for state in &mut self.states {
                state.take(view, &rows, None, &mut self.scratch)?;
            }
            return Ok(rows.len());
        }
        let dense = self.open_keys(view, rows.len())?;
        let mut start = 0;
        while start < rows.len() {
            let count = BLOCK_ROWS.min(rows.len() - start);
            let block = rows.slice(start, count);
            match dense {
                true => self.find_by_cell(&block)?,
                false => self.find_by_numbers(view, &block)?,
            }
            let groups = self.groups.len();
            for state in &mut self.states {
                state.grow(groups);
                state.take(view, &block, Some(&self.group_buffer), &mut self.scratch)?;
            }
            start += count;
        }
        Ok(rows.len())
    }

    /// Takes a segment from one of its star-trees, if one answers the query; returns how many records were read.
    ///
    /// # Errors
    /// When the segment cannot be read.
    pub fn take_star_tree(&mut self, query: &StarTreeQuery, segment: &Segment) -> Result<Option<usize>> {
        let Some(StarTreeRecords { tree, records, keys }) = query.records(segment)? else { return Ok(None) };
        let count = records.len();
        let mut changed = false;
        for (key, column) in self.keys.iter_mut().zip(keys) {
            changed |= key.open_records(column);
        }
        let rows = ChunkRows::List(records);
        let dense = self.keys.is_empty()
            || self.make_stable_cells(changed, count)?
            || self.make_cells(changed, CELLS_ALWAYS);
        let mut start = 0;
        while start < count {
            let block = rows.slice(start, BLOCK_ROWS.min(count - start));
            start += block.len();
            match (self.keys.is_empty(), dense) {
                (true, _) => {
                    self.group_buffer.clear();
                    self.group_buffer.resize(block.len(), 0);
                }
                (false, true) => self.find_by_cell(&block)?,
                (false, false) => self.find_by_local_ids(&block)?,
            }
            let groups = self.groups.len();
            let ChunkRows::List(records) = &block else { unreachable!("a part of a list is a list") };
            for state in &mut self.states {
                state.grow(groups);
                state.take_records(&tree, segment, records, &self.group_buffer)?;
            }
        }
        Ok(Some(count))
    }

    /// Takes a whole segment from its dictionaries, where only rows and distinct values are counted and no row is left
    /// out; returns whether it was taken.
    ///
    /// # Errors
    /// When the segment cannot be read.
    pub fn take_dictionaries(&mut self, segment: &Segment) -> Result<bool> {
        // A consuming dictionary may hold a value of a row that the snapshot does not have yet.
        if !self.keys.is_empty() || !matches!(segment, Segment::Sealed(_)) {
            return Ok(false);
        }
        let mut dictionaries = Vec::with_capacity(self.states.len());
        for state in &self.states {
            let Some(dictionary) = state.dictionary(segment)? else { return Ok(false) };
            dictionaries.push(dictionary);
        }
        for (state, dictionary) in self.states.iter_mut().zip(&dictionaries) {
            state.take_dictionary(segment.rows(), dictionary.as_deref())?;
        }
        Ok(true)
    }

    /// Opens all keys for a chunk and returns whether groups are found by a table of combinations.
    fn open_keys(&mut self, view: &ChunkView<'_>, rows: usize) -> Result<bool> {
        let mut changed = false;
        for key in &mut self.keys {
            changed |= key.open(view, rows)?;
        }
        if self.make_stable_cells(changed, rows)? {
            return Ok(true);
        }
        Ok(self.make_cells(changed, segment_room(view.segment, rows)))
    }

    /// Makes ready a table that means the same in every segment, if local ids can and it is not too large; returns whether
    /// it is.
    fn make_stable_cells(&mut self, changed: bool, rows: usize) -> Result<bool> {
        if !changed && self.cells_are_stable {
            return Ok(true);
        }
        if !self.keys.iter().all(|key| key.can_be_stable(rows)) {
            return Ok(false);
        }
        let mut radices = Vec::with_capacity(self.keys.len());
        for (at, key) in self.keys.iter_mut().enumerate() {
            let present = if self.cells_are_stable { self.radices[at] } else { 0 };
            radices.push(key.number_dictionary(present)?);
        }
        let cells = radices.iter().fold(1_usize, |cells, &radix| cells.saturating_mul(radix));
        if cells > CELLS_MAX {
            return Ok(false);
        }
        for (key, &radix) in self.keys.iter_mut().zip(&radices) {
            key.set_stable(Some(radix));
        }
        if !self.cells_are_stable || self.radices != radices {
            self.cells.clear();
            self.cells.resize(cells, NO_GROUP);
            for group in 0..self.groups.len() {
                let mut cell = 0;
                let mut stride = 1;
                for (&number, &radix) in self.groups.value(group).iter().zip(&radices) {
                    cell += stride * if number == NULL { radix - 1 } else { number as usize };
                    stride *= radix;
                }
                self.cells[cell] = u32::try_from(group).expect("groups are numbered by 32 bits");
            }
            self.radices = radices;
            self.cells_are_stable = true;
        }
        Ok(true)
    }

    /// Makes ready a table of combinations of the ids of the segment at hand, if it has no more than `room` entries; returns
    /// whether it is.
    fn make_cells(&mut self, changed: bool, room: usize) -> bool {
        self.keys.iter_mut().for_each(|key| key.set_stable(None));
        let mut cells = 1_usize;
        let mut radices = Vec::with_capacity(self.keys.len());
        for key in &self.keys {
            radices.push(key.radix().unwrap_or(usize::MAX));
            cells = cells.saturating_mul(radices[radices.len() - 1]);
        }
        if cells > room {
            // The table that is there may not be taken for one of other ids.
            self.radices.clear();
            self.cells_are_stable = false;
            return false;
        }
        if changed || self.cells_are_stable || self.radices != radices {
            self.cells.clear();
            self.cells.resize(cells, NO_GROUP);
            self.radices = radices;
        }
        self.cells_are_stable = false;
        true
    }

    fn find_by_cell(&mut self, rows: &ChunkRows) -> Result<()> {
        self.cell_buffer.clear();
        self.cell_buffer.resize(rows.len(), 0);
        let mut stride = 1_u32;
        for (key, &radix) in self.keys.iter().zip(&self.radices) {
            key.add_local_ids(rows, stride, &mut self.cell_buffer);
            stride = stride.wrapping_mul(u32::try_from(radix).expect("cells fit 32 bits"));
        }
        self.group_buffer.clear();
        let Worker { cells, cell_buffer, group_buffer, .. } = self;
        group_buffer.extend(cell_buffer.iter().map(|&cell| cells[cell as usize]));
        let any_new = group_buffer.contains(&NO_GROUP);
        if any_new {
            for at in 0..self.group_buffer.len() {
                if self.group_buffer[at] == NO_GROUP {
                    let cell = self.cell_buffer[at];
                    if self.cells[cell as usize] == NO_GROUP {
                        self.cells[cell as usize] = self.group_of_cell(cell)?;
                    }
                    self.group_buffer[at] = self.cells[cell as usize];
                }
            }
        }
        Ok(())
    }

    fn group_of_cell(&mut self, cell: u32) -> Result<u32> {
        let mut rest = cell as usize;
        let mut numbers = [0_u32; 8];
        let mut many = Vec::new();
        let tuple = match self.keys.len() {
            few if few <= numbers.len() => &mut numbers[..few],
            more => {
                many.resize(more, 0);
                &mut many[..]
            }
        };
        for ((key, &radix), number) in self.keys.iter_mut().zip(&self.radices).zip(tuple.iter_mut()) {
            let local = u32::try_from(rest % radix).expect("cells fit 32 bits");
            rest /= radix;
            *number = key.number(local)?;
        }
        Ok(match self.cells_are_stable {
            // The group of each known combination stands in its cell.
            true => self.groups.push_new(tuple),
            false => self.groups.intern(tuple).0,
        })
    }

    fn find_by_local_ids(&mut self, rows: &ChunkRows) -> Result<()> {
        let mut by_key = Vec::with_capacity(self.keys.len());
        for key in &mut self.keys {
            let mut numbers = vec![0; rows.len()];
            key.add_local_ids(rows, 1, &mut numbers);
            for number in &mut numbers {
                *number = key.number(*number)?;
            }
            by_key.push(numbers);
        }
        self.find_tuples(rows.len(), &by_key);
        Ok(())
    }

    fn find_by_numbers(&mut self, view: &ChunkView<'_>, rows: &ChunkRows) -> Result<()> {
        let mut by_key = Vec::with_capacity(self.keys.len());
        for key in &mut self.keys {
            let mut numbers = Vec::with_capacity(rows.len());
            key.number_rows(view, rows, &mut numbers)?;
            by_key.push(numbers);
        }
        self.find_tuples(rows.len(), &by_key);
        Ok(())
    }

    fn find_tuples(&mut self, rows: usize, by_key: &[Vec<u32>]) {
        let mut tuple = vec![0; self.keys.len()];
        self.group_buffer.clear();
        for row in 0..rows {
            for (number, numbers) in tuple.iter_mut().zip(by_key) {
                *number = numbers[row];
            }
            self.group_buffer.push(self.groups.intern(&tuple).0);
        }
    }

    /// Takes over all groups of another worker of the same aggregation.
    ///
    /// # Errors
    /// When values cannot be translated.
    pub fn merge(&mut self, mut other: Worker) -> Result<()> {
        let mut groups = Vec::with_capacity(other.groups.len());
        let mut tuple = vec![0; self.keys.len()];
        for group in 0..other.groups.len() {
            let others = other.groups.value(group);
            for (at, key) in self.keys.iter_mut().enumerate() {
                tuple[at] = key.space.translate(&other.keys[at].space, others[at]);
            }
            groups.push(self.groups.intern(&tuple).0);
        }
        let count = self.groups.len();
        for (state, other) in self.states.iter_mut().zip(&mut other.states) {
            state.grow(count);
            state.merge(other, &groups)?;
        }
        Ok(())
    }

    /// Returns a row for each group, to be asked for once.
    ///
    /// # Errors
    /// When the groups' values together are too large for one array.
    pub fn finish(&mut self) -> Result<RecordBatch> {
        let groups = self.groups.len();
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.keys.len() + self.states.len());
        for (at, key) in self.keys.iter().enumerate() {
            let numbers: Vec<u32> = (0..groups).map(|group| self.groups.value(group)[at]).collect();
            arrays.push(key.space.values(&numbers)?);
        }
        for state in &mut self.states {
            arrays.push(state.finish(groups)?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(groups));
        let schema = Arc::clone(&self.aggregation.schema);
        Ok(RecordBatch::try_new_with_options(schema, arrays, &options)?)
    }

    /// Returns how many values are read of each row that passes.
    pub fn columns_read(&self) -> usize {
        let read = |aggregate: &Aggregate| usize::from(!matches!(aggregate.function, Function::Count));
        self.keys.len() + self.aggregation.aggregates.iter().map(read).sum::<usize>()
    }

    /// Returns the memory that groups and states take.
    pub fn memory_bytes(&self) -> usize {
        self.cells.capacity() * size_of::<u32>()
            + self.groups.memory_bytes()
            + self.keys.iter().map(KeyColumn::memory_bytes).sum::<usize>()
            + self.states.iter().map(State::memory_bytes).sum::<usize>()
    }
}

/// Returns how large a table for one segment may be: clearing it must not cost more than the rows it serves.
fn segment_room(segment: &Segment, rows: usize) -> usize {
    let chunks = segment.rows().div_ceil(meunier_segment::chunk::CHUNK_ROWS);
    (rows * chunks * CELLS_A_ROW_MAX).clamp(CELLS_ALWAYS, CELLS_MAX)
}
