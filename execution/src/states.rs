//! What an aggregate has gathered, for all groups of one worker.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, Int64Array};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::DataType;

use meunier_segment::dictionary::Dictionary;
use meunier_segment::schema::Field;
use meunier_segment::star_tree::{FunctionPair, MetricColumn, PairFunction, StarTree};
use meunier_segment::table_snapshot::Segment;

use crate::distinct::{DistinctSets, translation};
use crate::error::Result;
use crate::external::{External, ExternalFunction};
use crate::input::{ChunkView, InputColumn, unreadable};
use crate::key_space::Numbering;
use crate::keys::{Key, KeyColumn};
use crate::numbers::{Input, NullReader, Number, NumberReader};
use crate::record_values::RecordValues;
use crate::rows::ChunkRows;

/// One aggregate of a query.
#[derive(Debug, Clone)]
pub struct Aggregate {
    /// What is gathered.
    pub function: Function,
    /// Only rows for which this is true count.
    pub filter: Option<Input>,
    /// Type of the result.
    pub data_type: DataType,
}

/// What an aggregate gathers.
#[derive(Debug, Clone)]
pub enum Function {
    /// Rows.
    Count,
    /// Rows whose input is not null.
    CountValues(Input),
    /// A sum of whole numbers, or of 64-bit floats when the result is one. Null without a value.
    Sum(Input),
    /// The mean as a 64-bit float. Null without a value.
    Average(Input),
    /// The smallest number or time. Null without a value.
    Min(Input),
    /// The largest number or time. Null without a value.
    Max(Input),
    /// Different values that are not null.
    CountDistinct(Key),
    /// An aggregate of the caller's.
    External {
        /// What it reads.
        inputs: Vec<Input>,
        /// The aggregate.
        function: Arc<dyn ExternalFunction>,
    },
}

/// The state of one aggregate.
#[derive(Debug)]
pub(crate) struct State {
    aggregate: Aggregate,
    filter: Option<NumberReader<i64>>,
    gathered: Gathered,
}

#[derive(Debug)]
enum Gathered {
    Count(Vec<i64>),
    CountValues { counts: Vec<i64>, input: NullReader },
    SumOfFloats(Fold<f64>),
    SumOfInts(Fold<i64>),
    Average { sums: Fold<f64>, counts: Vec<i64> },
    OrderedFloats(Fold<f64>),
    OrderedInts(Fold<i64>),
    Distinct { sets: DistinctSets, values: Box<KeyColumn> },
    External(External),
}

/// One number a group, and whether there is one at all.
#[derive(Debug)]
struct Fold<T> {
    input: NumberReader<T>,
    folding: Folding,
    numbers: Vec<T>,
    seen: Vec<bool>,
    /// Every group has a number: groups are made of rows, and each row has one.
    always_seen: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Folding {
    Sum,
    Min,
    Max,
}

/// Buffers that are used again for each block of rows.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    floats: Vec<f64>,
    ints: Vec<i64>,
    numbers: Vec<u32>,
}

impl State {
    pub(crate) fn new(
        aggregate: &Aggregate,
        columns: &Arc<[InputColumn]>,
        numbering: &Numbering,
        has_keys: bool,
    ) -> Result<State> {
        let float = aggregate.data_type == DataType::Float64 || aggregate.data_type == DataType::Float32;
        let floats = |input, folding| Fold::new(NumberReader::new(input, columns), folding);
        let ints = |input, folding| Fold::new(NumberReader::new(input, columns), folding);
        let sums_are_seen = has_keys && aggregate.filter.is_none();
        let mut gathered = match &aggregate.function {
            Function::Count => Gathered::Count(Vec::new()),
            Function::CountValues(input) => {
                Gathered::CountValues { counts: Vec::new(), input: NullReader::new(input, columns) }
            }
            Function::Sum(input) if float => Gathered::SumOfFloats(floats(input, Folding::Sum)),
            Function::Sum(input) => Gathered::SumOfInts(ints(input, Folding::Sum)),
            Function::Average(input) => {
                Gathered::Average { sums: floats(input, Folding::Sum), counts: Vec::new() }
            }
            Function::Min(input) if float => Gathered::OrderedFloats(floats(input, Folding::Min)),
            Function::Max(input) if float => Gathered::OrderedFloats(floats(input, Folding::Max)),
            Function::Min(input) => Gathered::OrderedInts(ints(input, Folding::Min)),
            Function::Max(input) => Gathered::OrderedInts(ints(input, Folding::Max)),
            Function::CountDistinct(key) => Gathered::Distinct {
                sets: DistinctSets::default(),
                values: Box::new(KeyColumn::new(key, columns, numbering)?),
            },
            Function::External { inputs, function } => {
                Gathered::External(External::new(inputs, function, columns, has_keys)?)
            }
        };
        match &mut gathered {
            Gathered::SumOfFloats(fold) | Gathered::Average { sums: fold, .. } => {
                fold.always_seen = sums_are_seen && fold.input.is_never_null();
            }
            Gathered::SumOfInts(fold) => {
                fold.always_seen = sums_are_seen && fold.input.is_never_null();
            }
            Gathered::Count(_)
            | Gathered::CountValues { .. }
            | Gathered::OrderedFloats(_)
            | Gathered::OrderedInts(_)
            | Gathered::Distinct { .. }
            | Gathered::External(_) => {}
        }
        let filter = aggregate.filter.as_ref().map(|filter| NumberReader::new(filter, columns));
        Ok(State { aggregate: aggregate.clone(), filter, gathered })
    }

    /// Makes ready for the rows of a chunk.
    pub(crate) fn open(&mut self, view: &ChunkView<'_>, rows: usize) -> Result<()> {
        match &mut self.gathered {
            Gathered::Count(_) | Gathered::CountValues { .. } => Ok(()),
            Gathered::SumOfFloats(fold)
            | Gathered::OrderedFloats(fold)
            | Gathered::Average { sums: fold, .. } => fold.input.open(view),
            Gathered::SumOfInts(fold) | Gathered::OrderedInts(fold) => fold.input.open(view),
            Gathered::Distinct { values, .. } => values.open(view, rows).map(|_| ()),
            Gathered::External(external) => external.open(view, rows),
        }
    }

    /// Makes room for `groups` groups.
    pub(crate) fn grow(&mut self, groups: usize) {
        match &mut self.gathered {
            Gathered::Count(counts) | Gathered::CountValues { counts, .. } => counts.resize(groups, 0),
            Gathered::SumOfFloats(fold) | Gathered::OrderedFloats(fold) => fold.grow(groups),
            Gathered::SumOfInts(fold) | Gathered::OrderedInts(fold) => fold.grow(groups),
            Gathered::Average { sums, counts } => {
                sums.grow(groups);
                counts.resize(groups, 0);
            }
            Gathered::Distinct { sets, .. } => sets.grow(groups),
            Gathered::External(external) => external.grow(groups),
        }
    }

    /// Takes some rows, each of the group given for it; all are of group 0 when no groups are given.
    pub(crate) fn take(
        &mut self,
        view: &ChunkView<'_>,
        rows: &ChunkRows,
        groups: Option<&[u32]>,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let Some(filter) = &self.filter else { return self.take_filtered(view, rows, groups, scratch) };
        let mut holds = Vec::new();
        let nulls = filter.read(view, rows, &mut holds)?;
        let passes = |at: usize| holds[at] != 0 && nulls.as_ref().is_none_or(|nulls| nulls.is_valid(at));
        let passing = groups.map(|groups| {
            let passing = groups.iter().enumerate().filter(|(at, _)| passes(*at));
            passing.map(|(_, &group)| group).collect::<Vec<u32>>()
        });
        let mut at = 0;
        let rows = rows.clone().retain(|_| {
            at += 1;
            passes(at - 1)
        });
        self.take_filtered(view, &rows, passing.as_deref(), scratch)
    }

    fn take_filtered(
        &mut self,
        view: &ChunkView<'_>,
        rows: &ChunkRows,
        groups: Option<&[u32]>,
        scratch: &mut Scratch,
    ) -> Result<()> {
        match &mut self.gathered {
            Gathered::Count(counts) => {
                count(counts, groups, rows.len(), None);
                Ok(())
            }
            Gathered::CountValues { counts, input } => {
                let nulls = input.read(view, rows)?;
                count(counts, groups, rows.len(), nulls.as_ref());
                Ok(())
            }
            Gathered::SumOfFloats(fold) | Gathered::OrderedFloats(fold) => {
                fold.take(view, rows, groups, &mut scratch.floats).map(|_| ())
            }
            Gathered::SumOfInts(fold) | Gathered::OrderedInts(fold) => {
                fold.take(view, rows, groups, &mut scratch.ints).map(|_| ())
            }
            Gathered::Average { sums, counts } => {
                let nulls = sums.take(view, rows, groups, &mut scratch.floats)?;
                count(counts, groups, rows.len(), nulls.as_ref());
                Ok(())
            }
            Gathered::Distinct { sets, values } => {
                scratch.numbers.clear();
                values.number_rows(view, rows, &mut scratch.numbers)?;
                sets.add(groups, &scratch.numbers, values.space.len());
                Ok(())
            }
            Gathered::External(external) => external.take(view, rows, groups),
        }
    }

    /// Counts rows of group 0 that need not be read. Only for [`Function::Count`] without a filter.
    pub(crate) fn add_count(&mut self, rows: u64) {
        if let Gathered::Count(counts) = &mut self.gathered {
            counts[0] += i64::try_from(rows).unwrap_or(i64::MAX);
        }
    }

    /// Returns the dictionary that holds exactly the values to be counted, `Some(None)` where only rows are counted, and
    /// nothing where rows must be read.
    #[expect(clippy::option_option, reason = "no dictionary needed and none found are different")]
    pub(crate) fn dictionary(&self, segment: &Segment) -> Result<Option<Option<Arc<Dictionary>>>> {
        if self.filter.is_some() {
            return Ok(None);
        }
        match &self.gathered {
            Gathered::Count(_) => Ok(Some(None)),
            Gathered::Distinct { values, .. } => {
                let Some((field, shows_nulls)) = values.stored_column() else { return Ok(None) };
                let Some(stats) = segment.stats(field) else { return Ok(None) };
                if shows_nulls && stats.null_count > 0 {
                    // The default value may stand in null rows only.
                    return Ok(None);
                }
                let dictionary = segment.dictionary(field).map_err(|source| unreadable(segment, source))?;
                Ok(dictionary.map(Some))
            }
            Gathered::CountValues { .. }
            | Gathered::SumOfFloats(_)
            | Gathered::SumOfInts(_)
            | Gathered::Average { .. }
            | Gathered::OrderedFloats(_)
            | Gathered::OrderedInts(_)
            | Gathered::External(_) => Ok(None),
        }
    }

    /// Takes all rows of a segment, of which [`State::dictionary`] is all that is to be known.
    pub(crate) fn take_dictionary(&mut self, rows: usize, dictionary: Option<&Dictionary>) -> Result<()> {
        match (&mut self.gathered, dictionary) {
            (Gathered::Distinct { sets, values }, Some(dictionary)) => {
                let mut numbers = Vec::with_capacity(dictionary.len());
                for block in dictionary.blocks() {
                    values.space.number_all(block.values(), &mut numbers)?;
                }
                sets.add(None, &numbers, values.space.len());
            }
            _ => self.add_count(rows as u64),
        }
        Ok(())
    }

    /// Takes records of a star-tree, each of the group given for it. The tree was found to hold what the state gathers.
    ///
    /// # Errors
    /// When the segment cannot be read, or a value makes an aggregate of the caller's fail.
    pub(crate) fn take_records(
        &mut self,
        tree: &StarTree,
        segment: &Segment,
        records: &[u32],
        groups: &[u32],
    ) -> Result<()> {
        let metric = |function, column: Option<&Field>| {
            let column = column.map(|field| Arc::clone(&field.name));
            tree.metric(&FunctionPair { function, column }).expect("the tree covers the query")
        };
        let counts_of = |counts: &mut [i64]| {
            let MetricColumn::I64(rows) = metric(PairFunction::Count, None) else {
                unreachable!("counts are whole numbers");
            };
            for (&record, &group) in records.iter().zip(groups) {
                counts[group as usize] += rows[record as usize];
            }
        };
        match &mut self.gathered {
            Gathered::Count(counts) => counts_of(counts),
            Gathered::SumOfFloats(fold) | Gathered::OrderedFloats(fold) => {
                fold.take_records(metric(fold.folding.pair(), fold.input.field()), records, groups);
            }
            Gathered::SumOfInts(fold) | Gathered::OrderedInts(fold) => {
                fold.take_records(metric(fold.folding.pair(), fold.input.field()), records, groups);
            }
            Gathered::Average { sums, counts } => {
                sums.take_records(metric(PairFunction::Sum, sums.input.field()), records, groups);
                counts_of(counts);
            }
            Gathered::Distinct { sets, values } => {
                let (field, _) = values.stored_column().expect("the tree counts a column's values");
                let found = RecordValues::of(tree, segment, field, records, groups)?;
                let mut numbers = Vec::with_capacity(found.groups.len());
                values.space.number_all(&found.values, &mut numbers)?;
                sets.add(Some(&found.groups), &numbers, values.space.len());
            }
            Gathered::External(external) => {
                let field = external.first_field().expect("the tree holds a column's values");
                let found = RecordValues::of(tree, segment, field, records, groups)?;
                external.take_values(&found.values, &found.groups)?;
            }
            Gathered::CountValues { .. } => unreachable!("no star-tree holds values"),
        }
        Ok(())
    }

    /// Adds the groups of another worker's state; `groups` says which group of this state each of them is.
    pub(crate) fn merge(&mut self, other: &mut State, groups: &[u32]) -> Result<()> {
        match (&mut self.gathered, &mut other.gathered) {
            (Gathered::Count(counts), Gathered::Count(others))
            | (Gathered::CountValues { counts, .. }, Gathered::CountValues { counts: others, .. }) => {
                add_counts(counts, others, groups);
            }
            (Gathered::SumOfFloats(fold), Gathered::SumOfFloats(others))
            | (Gathered::OrderedFloats(fold), Gathered::OrderedFloats(others)) => fold.merge(others, groups),
            (Gathered::SumOfInts(fold), Gathered::SumOfInts(others))
            | (Gathered::OrderedInts(fold), Gathered::OrderedInts(others)) => fold.merge(others, groups),
            (Gathered::Average { sums, counts }, Gathered::Average { sums: other_sums, counts: others }) => {
                sums.merge(other_sums, groups);
                add_counts(counts, others, groups);
            }
            (
                Gathered::Distinct { sets, values },
                Gathered::Distinct { sets: other_sets, values: other_values },
            ) => {
                let translated = translation(&mut values.space, &other_values.space)?;
                let len = values.space.len();
                for (other_group, &group) in groups.iter().enumerate() {
                    let translate = |number: u32| match &translated {
                        Some(translated) => translated[number as usize],
                        None => number,
                    };
                    sets.merge(group as usize, other_sets, other_group, translate, len);
                }
            }
            (Gathered::External(external), Gathered::External(other)) => external.merge(other, groups)?,
            _ => unreachable!("states of one aggregate are of one kind"),
        }
        Ok(())
    }

    /// Returns the results of the first `groups` groups.
    pub(crate) fn finish(&mut self, groups: usize) -> Result<ArrayRef> {
        let array: ArrayRef = match &mut self.gathered {
            Gathered::Count(counts) | Gathered::CountValues { counts, .. } => {
                Arc::new(Int64Array::from(counts[..groups].to_vec()))
            }
            Gathered::SumOfFloats(fold) | Gathered::OrderedFloats(fold) => {
                Arc::new(Float64Array::new(fold.numbers[..groups].to_vec().into(), fold.nulls(groups)))
            }
            Gathered::SumOfInts(fold) | Gathered::OrderedInts(fold) => {
                Arc::new(Int64Array::new(fold.numbers[..groups].to_vec().into(), fold.nulls(groups)))
            }
            Gathered::Average { sums, counts } => {
                let means = sums.numbers[..groups].iter().zip(counts.iter());
                Arc::new(
                    means
                        .map(|(sum, &count)| (count > 0).then(|| sum / count as f64))
                        .collect::<Float64Array>(),
                )
            }
            Gathered::Distinct { sets, .. } => Arc::new(Int64Array::from(sets.counts(groups))),
            Gathered::External(external) => external.finish(groups)?,
        };
        match array.data_type() == &self.aggregate.data_type {
            true => Ok(array),
            false => Ok(cast(&array, &self.aggregate.data_type)?),
        }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        match &self.gathered {
            Gathered::Count(counts) => counts.capacity() * 8,
            Gathered::CountValues { counts, .. } => counts.capacity() * 8,
            Gathered::SumOfFloats(fold) | Gathered::OrderedFloats(fold) => fold.memory_bytes(),
            Gathered::SumOfInts(fold) | Gathered::OrderedInts(fold) => fold.memory_bytes(),
            Gathered::Average { sums, counts } => sums.memory_bytes() + counts.capacity() * 8,
            Gathered::Distinct { sets, values } => sets.memory_bytes() + values.memory_bytes(),
            Gathered::External(external) => external.memory_bytes(),
        }
    }
}

impl<T: Number> Fold<T> {
    fn new(input: NumberReader<T>, folding: Folding) -> Fold<T> {
        Fold { input, folding, numbers: Vec::new(), seen: Vec::new(), always_seen: false }
    }

    fn grow(&mut self, groups: usize) {
        self.numbers.resize(groups, T::default());
        self.seen.resize(groups, self.always_seen);
    }

    /// Takes some rows and returns which of their numbers are null.
    fn take(
        &mut self,
        view: &ChunkView<'_>,
        rows: &ChunkRows,
        groups: Option<&[u32]>,
        buffer: &mut Vec<T>,
    ) -> Result<Option<NullBuffer>> {
        if let Some(values) = self.input.slice(rows) {
            if let (true, Some(groups)) = (self.always_seen, groups) {
                add_each(&mut self.numbers, groups, values);
            } else {
                fold(self.folding, &mut self.numbers, &mut self.seen, groups, values, None);
            }
            return Ok(None);
        }
        let nulls = self.input.read(view, rows, buffer)?;
        let nulls = nulls.filter(|nulls| nulls.null_count() > 0);
        if let (true, Some(groups), None) = (self.always_seen, groups, &nulls) {
            add_each(&mut self.numbers, groups, buffer);
            return Ok(None);
        }
        fold(self.folding, &mut self.numbers, &mut self.seen, groups, buffer, nulls.as_ref());
        Ok(nulls)
    }

    fn take_records(&mut self, metric: &MetricColumn, records: &[u32], groups: &[u32]) {
        match metric {
            MetricColumn::I64(numbers) => {
                let number = |&record: &u32| T::of_i64(numbers[record as usize]);
                self.take_numbers(records.iter().map(number), groups);
            }
            MetricColumn::F64(numbers) => {
                let number = |&record: &u32| T::of_f64(numbers[record as usize]);
                self.take_numbers(records.iter().map(number), groups);
            }
            MetricColumn::Ids(_) => unreachable!("numbers are not stored as sets"),
        }
    }

    fn take_numbers(&mut self, numbers: impl Iterator<Item = T>, groups: &[u32]) {
        let numbers = numbers.zip(groups.iter().map(|&group| group as usize));
        if self.folding == Folding::Sum {
            for (number, group) in numbers {
                self.numbers[group] = self.numbers[group].add(number);
                self.seen[group] = true;
            }
            return;
        }
        for (number, group) in numbers {
            self.numbers[group] =
                if self.seen[group] { self.folding.of(self.numbers[group], number) } else { number };
            self.seen[group] = true;
        }
    }

    fn merge(&mut self, other: &Fold<T>, groups: &[u32]) {
        for ((&group, &number), &seen) in groups.iter().zip(&other.numbers).zip(&other.seen) {
            if seen {
                let group = group as usize;
                self.numbers[group] = match self.seen[group] {
                    true => self.folding.of(self.numbers[group], number),
                    false => number,
                };
                self.seen[group] = true;
            }
        }
    }

    fn nulls(&self, groups: usize) -> Option<NullBuffer> {
        let seen = &self.seen[..groups];
        seen.contains(&false).then(|| NullBuffer::from(seen.to_vec()))
    }

    fn memory_bytes(&self) -> usize {
        self.numbers.capacity() * size_of::<T>() + self.seen.capacity()
    }
}

impl Folding {
    fn pair(self) -> PairFunction {
        match self {
            Folding::Sum => PairFunction::Sum,
            Folding::Min => PairFunction::Min,
            Folding::Max => PairFunction::Max,
        }
    }

    fn of<T: Number>(self, a: T, b: T) -> T {
        match self {
            Folding::Sum => a.add(b),
            Folding::Min => {
                if b.less(a) {
                    b
                } else {
                    a
                }
            }
            Folding::Max => {
                if a.less(b) {
                    b
                } else {
                    a
                }
            }
        }
    }
}

fn fold<T: Number>(
    folding: Folding,
    numbers: &mut [T],
    seen: &mut [bool],
    groups: Option<&[u32]>,
    values: &[T],
    nulls: Option<&NullBuffer>,
) {
    match (groups, nulls) {
        (None, None) => {
            let folded = match folding {
                Folding::Sum => T::sum(values),
                Folding::Min | Folding::Max => {
                    let Some((&first, rest)) = values.split_first() else { return };
                    rest.iter().fold(first, |best, &value| folding.of(best, value))
                }
            };
            if !values.is_empty() {
                numbers[0] = if seen[0] { folding.of(numbers[0], folded) } else { folded };
                seen[0] = true;
            }
        }
        (Some(groups), None) if folding == Folding::Sum => {
            for (&group, &value) in groups.iter().zip(values) {
                let group = group as usize;
                numbers[group] = numbers[group].add(value);
                seen[group] = true;
            }
        }
        (groups, nulls) => {
            for (at, &value) in values.iter().enumerate() {
                if nulls.is_some_and(|nulls| nulls.is_null(at)) {
                    continue;
                }
                let group = groups.map_or(0, |groups| groups[at] as usize);
                numbers[group] = if seen[group] { folding.of(numbers[group], value) } else { value };
                seen[group] = true;
            }
        }
    }
}

fn add_each<T: Number>(sums: &mut [T], groups: &[u32], values: &[T]) {
    for (&group, &value) in groups.iter().zip(values) {
        let sum = &mut sums[group as usize];
        *sum = sum.add(value);
    }
}

fn count(counts: &mut [i64], groups: Option<&[u32]>, rows: usize, nulls: Option<&NullBuffer>) {
    match (groups, nulls) {
        (None, nulls) => counts[0] += (rows - nulls.map_or(0, NullBuffer::null_count)) as i64,
        (Some(groups), None) => groups.iter().for_each(|&group| counts[group as usize] += 1),
        (Some(groups), Some(nulls)) => {
            for (at, &group) in groups.iter().enumerate() {
                counts[group as usize] += i64::from(nulls.is_valid(at));
            }
        }
    }
}

fn add_counts(counts: &mut [i64], others: &[i64], groups: &[u32]) {
    for (&group, &other) in groups.iter().zip(others) {
        counts[group as usize] += other;
    }
}
