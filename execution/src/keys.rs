//! The values of one key in the rows of one chunk, as numbers.
//!
//! Within a chunk a key has small local ids where it can: dictionary ids, or codes of whole numbers. A group is then an
//! index computed from local ids, and values are numbered for the whole query only when a group is first met.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Int32Type, Int64Type, TimestampMillisecondType};
use meunier_segment::column::{Column, ColumnValues};
use meunier_segment::dictionary::Dictionary;
use meunier_segment::ids::Ids;
use meunier_segment::schema::Field;
use meunier_segment::stats::ColumnStats;
use meunier_segment::table_snapshot::Segment;
use meunier_segment::text_numbers::IdNumbers;
use meunier_segment::value::Value;

use crate::compute::Compute;
use crate::error::Result;
use crate::input::{ChunkView, InputColumn, values_of};
use crate::key_space::{Codes, KeySpace, NULL, Numbering};
use crate::rows::ChunkRows;
use crate::segment_work::SegmentInput;

/// Codes take at most so many numbers: 32 MiB where a table of them is kept.
const CODES_MAX: u32 = 1 << 23;
/// Not numbered yet.
const UNKNOWN: u32 = u32::MAX - 1;
/// Ids of larger dictionaries are turned into codes where there are codes: a table of their numbers would not stay in the
/// cache, and would have to be made anew for each segment.
const DICTIONARY_SMALL: usize = 4096;
/// A computation is done on a dictionary when the dictionary has at most so many values for each row in question.
const DICTIONARY_SHARE_MAX: usize = 4;

/// What rows are grouped by, or what is counted once a value.
#[derive(Debug, Clone)]
pub enum Key {
    /// The value of a column.
    Column {
        /// The column.
        column: usize,
        /// Its type.
        data_type: DataType,
    },
    /// The value of a whole-number column, rounded towards zero to a multiple of `width`.
    Bucket {
        /// The column.
        column: usize,
        /// Width of a bucket, above zero.
        width: i64,
        /// Type of the result: a whole number, a time or a 64-bit float.
        data_type: DataType,
    },
    /// Anything else.
    Computed {
        /// The columns it reads.
        columns: Vec<usize>,
        /// The computation.
        compute: Arc<dyn Compute>,
        /// Type of the result.
        data_type: DataType,
    },
}

impl Key {
    /// Returns the type of the key's values.
    pub fn data_type(&self) -> &DataType {
        match self {
            Key::Column { data_type, .. }
            | Key::Bucket { data_type, .. }
            | Key::Computed { data_type, .. } => data_type,
        }
    }

    /// Returns how the key's values are numbered in all segments.
    pub(crate) fn numbering(&self, columns: &[InputColumn], input: &SegmentInput) -> Numbering {
        if let Some(codes) = self.codes(columns, &input.segments) {
            return Numbering::Codes(codes);
        }
        let Key::Column { column, data_type: DataType::Utf8View | DataType::BinaryView } = self else {
            return Numbering::OfQuery;
        };
        let InputColumn::Stored { field, .. } = &columns[*column] else { return Numbering::OfQuery };
        let distinct = |segment: &Segment| segment.stats(field).and_then(|stats| stats.distinct_count);
        let many =
            input.segments.iter().filter_map(distinct).any(|distinct| distinct > DICTIONARY_SMALL as u64);
        match many {
            true => Numbering::OfTable(input.numbers.column(&field.name)),
            false => Numbering::OfQuery,
        }
    }

    /// Returns codes for the key's values in all segments, where they are whole numbers not too far apart.
    fn codes(&self, columns: &[InputColumn], segments: &[Segment]) -> Option<Codes> {
        let (column, width) = match self {
            Key::Column { column, .. } => (*column, 1),
            Key::Bucket { column, width, .. } => (*column, *width),
            Key::Computed { .. } => return None,
        };
        let InputColumn::Stored { field, .. } = &columns[column] else { return None };
        if !field.single_value {
            return None;
        }
        let mut bounds: Option<(i64, i64)> = None;
        for segment in segments.iter().filter(|segment| segment.rows() > 0) {
            let (low, high) = match segment.stats(field) {
                Some(stats) => int_bounds(&stats)?,
                None => (int_of(&field.default_null_value)?, int_of(&field.default_null_value)?),
            };
            bounds = Some(bounds.map_or((low, high), |(min, max)| (min.min(low), max.max(high))));
        }
        let (min, max) = bounds?;
        Codes::new(min, max, width, CODES_MAX)
    }
}

fn int_bounds(stats: &ColumnStats) -> Option<(i64, i64)> {
    let known = stats.min.as_ref().zip(stats.max.as_ref()).filter(|_| stats.bounds_known);
    known.and_then(|(min, max)| Some((int_of(min)?, int_of(max)?)))
}

fn int_of(value: &Value) -> Option<i64> {
    match value {
        Value::Int(value) => Some(i64::from(*value)),
        Value::Long(value) | Value::Timestamp(value) => Some(*value),
        Value::Float(_)
        | Value::Double(_)
        | Value::BigDecimal(_)
        | Value::Boolean(_)
        | Value::String(_)
        | Value::Bytes(_) => None,
    }
}

/// One key of one worker: its values so far, and how they are found in the chunk at hand.
#[derive(Debug)]
pub(crate) struct KeyColumn {
    key: Key,
    columns: Arc<[InputColumn]>,
    pub(crate) space: KeySpace,
    local: Local,
}

/// How a chunk's rows get their local ids.
#[derive(Debug)]
enum Local {
    /// By dictionary id; the id after the last stands for null. With `coordinates`, which has an entry for each of
    /// these ids, by the value's number instead.
    Ids { column: Column, dictionary: Arc<Dictionary>, numbers: Known, coordinates: Vec<u32> },
    /// By code; the code after the last stands for null.
    Codes { column: Column, codes: Codes },
    /// Not at all: each row is numbered by itself.
    Values(Option<Column>),
}

/// The numbers of a dictionary's ids, as far as they are known.
#[derive(Debug)]
enum Known {
    /// To this query.
    OfQuery(Vec<u32>),
    /// To the table.
    OfTable(Arc<IdNumbers>),
}

impl KeyColumn {
    pub(crate) fn new(key: &Key, columns: &Arc<[InputColumn]>, numbering: &Numbering) -> Result<KeyColumn> {
        let space = KeySpace::new(key.data_type().clone(), numbering)?;
        Ok(KeyColumn { key: key.clone(), columns: Arc::clone(columns), space, local: Local::Values(None) })
    }

    /// Makes ready for the rows of a chunk, of which `rows` are in question. Returns whether local ids mean something
    /// else than in the chunk before.
    pub(crate) fn open(&mut self, view: &ChunkView<'_>, rows: usize) -> Result<bool> {
        let next = match &self.key {
            Key::Column { column, .. } => self.open_column(*column, view)?,
            Key::Bucket { column, .. } => self.open_bucket(*column, view)?,
            Key::Computed { columns, compute, .. } => match columns[..] {
                [only] => {
                    let compute = Arc::clone(compute);
                    self.open_computed(only, compute.as_ref(), view, rows)?
                }
                _ => Local::Values(None),
            },
        };
        Ok(self.replace(next))
    }

    /// Returns whether local ids mean something else than before.
    fn replace(&mut self, next: Local) -> bool {
        let same = match (&self.local, &next) {
            (Local::Ids { dictionary: a, .. }, Local::Ids { dictionary: b, .. }) => Arc::ptr_eq(a, b),
            (Local::Codes { .. }, Local::Codes { .. }) => true,
            (Local::Ids { .. } | Local::Codes { .. } | Local::Values(_), _) => false,
        };
        match (&mut self.local, next) {
            (Local::Ids { column, .. }, Local::Ids { column: next, .. }) if same => *column = next,
            (local, next) => *local = next,
        }
        !same
    }

    /// Makes ready for records of a star-tree, whose ids are in `column`. Returns as [`KeyColumn::open`] does.
    pub(crate) fn open_records(&mut self, column: Column) -> bool {
        let ColumnValues::Ids { dictionary, .. } = &column.values else {
            unreachable!("the dimensions of a star-tree are ids");
        };
        let next = self.ids(Arc::clone(dictionary), column, None);
        self.replace(next)
    }

    /// Returns the single-value column that is the key, and whether its nulls are shown.
    pub(crate) fn stored_column(&self) -> Option<(&Field, bool)> {
        let Key::Column { column, .. } = &self.key else { return None };
        match &self.columns[*column] {
            InputColumn::Stored { field, shows_nulls } if field.single_value => Some((field, *shows_nulls)),
            _ => None,
        }
    }

    fn stored(&self, column: usize, view: &ChunkView<'_>) -> Result<Option<(Column, bool)>> {
        match &self.columns[column] {
            InputColumn::Stored { field, shows_nulls } if field.single_value => {
                Ok(Some((view.stored(field)?, *shows_nulls)))
            }
            _ => Ok(None),
        }
    }

    fn open_column(&self, column: usize, view: &ChunkView<'_>) -> Result<Local> {
        let Some((mut stored, shows_nulls)) = self.stored(column, view)? else {
            return Ok(Local::Values(None));
        };
        stored.nulls = stored.nulls.filter(|_| shows_nulls);
        Ok(match (&stored.values, self.space.codes()) {
            (ColumnValues::Plain(_), Some(codes)) => Local::Codes { column: stored, codes },
            (ColumnValues::Ids { dictionary, .. }, Some(codes))
                if dictionary.len() > DICTIONARY_SMALL && dictionary.blocks().len() == 1 =>
            {
                Local::Codes { column: stored, codes }
            }
            (ColumnValues::Ids { dictionary, .. }, _) => self.ids(Arc::clone(dictionary), stored, None),
            _ => Local::Values(Some(stored)),
        })
    }

    fn open_bucket(&self, column: usize, view: &ChunkView<'_>) -> Result<Local> {
        let codes = self.space.codes().expect("a bucket's codes are known");
        let Some((mut stored, shows_nulls)) = self.stored(column, view)? else {
            unreachable!("buckets are made of stored columns");
        };
        stored.nulls = stored.nulls.filter(|_| shows_nulls);
        match &stored.values {
            ColumnValues::Ids { dictionary, .. } => {
                let dictionary = Arc::clone(dictionary);
                if self.has_open(&dictionary) {
                    return Ok(self.ids(dictionary, stored, None));
                }
                let mut numbers = Vec::with_capacity(dictionary.len() + 1);
                for block in dictionary.blocks() {
                    let values = ints(block.values());
                    numbers.extend(values.iter().map(|&value| codes.code(value)));
                }
                Ok(self.ids(dictionary, stored, Some(numbers)))
            }
            _ => Ok(Local::Codes { column: stored, codes }),
        }
    }

    /// Computes once a dictionary value, where that is worth its while and no value makes it fail.
    fn open_computed(
        &mut self,
        column: usize,
        compute: &dyn Compute,
        view: &ChunkView<'_>,
        rows: usize,
    ) -> Result<Local> {
        let Some((mut stored, shows_nulls)) = self.stored(column, view)? else {
            return Ok(Local::Values(None));
        };
        if shows_nulls && stored.nulls.is_some() {
            // A computation may make a value of null.
            return Ok(Local::Values(None));
        }
        stored.nulls = None;
        let ColumnValues::Ids { dictionary, .. } = &stored.values else { return Ok(Local::Values(None)) };
        let dictionary = Arc::clone(dictionary);
        if self.has_open(&dictionary) {
            return Ok(self.ids(dictionary, stored, None));
        }
        if dictionary.len() > rows.saturating_mul(DICTIONARY_SHARE_MAX) {
            return Ok(Local::Values(None));
        }
        let Ok(values) = compute.compute(&[dictionary.scan_values()?], dictionary.len()) else {
            return Ok(Local::Values(None));
        };
        let mut numbers = Vec::with_capacity(dictionary.len() + 1);
        self.space.number_all(&values, &mut numbers)?;
        Ok(self.ids(dictionary, stored, Some(numbers)))
    }

    fn ids(&self, dictionary: Arc<Dictionary>, column: Column, numbers: Option<Vec<u32>>) -> Local {
        let numbers = match (numbers, self.space.of_table()) {
            (Some(numbers), _) => Known::OfQuery(numbers),
            // The numbers found so far are kept.
            (None, _) if self.has_open(&dictionary) => Known::OfQuery(Vec::new()),
            // A consuming segment's dictionary is another one in each snapshot: nothing would be kept of it.
            (None, Some(of_table)) if dictionary.is_sorted() => {
                Known::OfTable(of_table.of_dictionary(&dictionary))
            }
            (None, _) => Known::OfQuery(vec![UNKNOWN; dictionary.len()]),
        };
        Local::Ids { column, dictionary, numbers, coordinates: Vec::new() }
    }

    fn has_open(&self, dictionary: &Arc<Dictionary>) -> bool {
        matches!(&self.local, Local::Ids { dictionary: present, .. } if Arc::ptr_eq(present, dictionary))
    }

    /// Returns how many local ids there are, null's included; nothing when rows have none.
    pub(crate) fn radix(&self) -> Option<usize> {
        match &self.local {
            Local::Ids { dictionary, .. } => Some(dictionary.len() + 1),
            Local::Codes { codes, .. } => Some(codes.len as usize + 1),
            Local::Values(_) => None,
        }
    }

    /// Returns whether local ids can mean the same in every chunk of every segment: codes do, and ids of a dictionary
    /// that is small for the rows in question do once all of its values are numbered.
    pub(crate) fn can_be_stable(&self, rows: usize) -> bool {
        match &self.local {
            Local::Codes { .. } => true,
            // The table's numbers may be many more than this segment's.
            Local::Ids { .. } if self.space.of_table().is_some() => false,
            Local::Ids { dictionary, .. } => dictionary.len() <= DICTIONARY_SMALL.min(rows.saturating_mul(2)),
            Local::Values(_) => false,
        }
    }

    /// Numbers all values of the dictionary at hand, and returns how many stable ids there are, null's included. `present`
    /// is how many there were before.
    pub(crate) fn number_dictionary(&mut self, present: usize) -> Result<usize> {
        let len = match &self.local {
            Local::Codes { codes, .. } => return Ok(codes.len as usize + 1),
            Local::Ids { dictionary, .. } => u32::try_from(dictionary.len()).expect("ids are 32 bits"),
            Local::Values(_) => unreachable!("rows without local ids have no stable ones"),
        };
        for id in 0..len {
            self.number_of_id(id)?;
        }
        let needed = self.space.len() + 1;
        Ok(if present >= needed { present } else { needed.next_power_of_two().max(16) })
    }

    /// Makes local ids mean the values' numbers, of which there are `radix`; the last one is null's. With no radix they
    /// mean what they mean in the segment alone.
    pub(crate) fn set_stable(&mut self, radix: Option<usize>) {
        if let Local::Ids { numbers, coordinates, .. } = &mut self.local {
            coordinates.clear();
            if let Some(radix) = radix {
                let null = u32::try_from(radix - 1).expect("a table has fewer than 2^32 entries");
                let Known::OfQuery(numbers) = numbers else {
                    unreachable!("the table's numbers are not stable")
                };
                coordinates.extend(numbers.iter().map(|&number| if number == NULL { null } else { number }));
                coordinates.push(null);
            }
        }
    }

    /// Adds each row's local id times `stride` to `cells`.
    pub(crate) fn add_local_ids(&self, rows: &ChunkRows, stride: u32, cells: &mut [u32]) {
        match &self.local {
            Local::Ids { column, coordinates, .. } if !coordinates.is_empty() => {
                let ColumnValues::Ids { ids, .. } = &column.values else {
                    unreachable!("the column was found to hold ids");
                };
                match &column.nulls {
                    None => add_by_id(ids, rows, cells, stride, |id| coordinates[id]),
                    Some(nulls) => add_each(rows, cells, stride, |row| match nulls.is_null(row) {
                        true => coordinates[coordinates.len() - 1],
                        false => coordinates[id_at(ids, row) as usize],
                    }),
                }
            }
            Local::Ids { column, dictionary, .. } => {
                let ColumnValues::Ids { ids, .. } = &column.values else {
                    unreachable!("the column was found to hold ids");
                };
                match ids {
                    Ids::U8(ids) => add_each(rows, cells, stride, |row| u32::from(ids[row])),
                    Ids::U16(ids) => add_each(rows, cells, stride, |row| u32::from(ids[row])),
                    Ids::U32(ids) => add_each(rows, cells, stride, |row| ids[row]),
                }
                let null = u32::try_from(dictionary.len()).expect("ids are 32 bits");
                if let Some(nulls) = &column.nulls {
                    let correction = |row: usize| match nulls.is_null(row) {
                        true => null.wrapping_sub(id_at(ids, row)),
                        false => 0,
                    };
                    add_each(rows, cells, stride, correction);
                }
            }
            Local::Codes { column, codes } => {
                match &column.values {
                    ColumnValues::Ids { ids, dictionary } => {
                        add_codes_of_ids(dictionary.blocks()[0].values(), ids, *codes, rows, stride, cells);
                    }
                    ColumnValues::Plain(values) => add_codes(values, *codes, rows, stride, cells),
                    ColumnValues::IdLists { .. } | ColumnValues::PlainLists { .. } => {
                        unreachable!("only single values have codes")
                    }
                }
                if let Some(nulls) = &column.nulls {
                    let mut at = 0;
                    rows.for_each(|row| {
                        if nulls.is_null(row) {
                            // A default value stands in the row, and its code was added: the null's takes its place.
                            let added = code_at(&column.values, *codes, row);
                            let change = codes.len.wrapping_sub(added).wrapping_mul(stride);
                            cells[at] = cells[at].wrapping_add(change);
                        }
                        at += 1;
                    });
                }
            }
            Local::Values(_) => unreachable!("rows without local ids are numbered one by one"),
        }
    }

    /// Returns the number of a local id.
    pub(crate) fn number(&mut self, local_id: u32) -> Result<u32> {
        match &self.local {
            Local::Ids { coordinates, .. } if !coordinates.is_empty() => {
                Ok(if coordinates.last() == Some(&local_id) { NULL } else { local_id })
            }
            Local::Ids { .. } => self.number_of_id(local_id),
            Local::Codes { codes, .. } => Ok(if local_id == codes.len { NULL } else { local_id }),
            Local::Values(_) => unreachable!("rows without local ids are numbered one by one"),
        }
    }

    /// Returns the number of a dictionary id; the id after the last is null's.
    fn number_of_id(&mut self, id: u32) -> Result<u32> {
        let Local::Ids { dictionary, numbers, .. } = &mut self.local else {
            unreachable!("only dictionaries have ids");
        };
        if id as usize >= dictionary.len() {
            return Ok(NULL);
        }
        let known = match numbers {
            Known::OfQuery(numbers) => Some(numbers[id as usize]).filter(|&number| number != UNKNOWN),
            Known::OfTable(numbers) => numbers.get(id),
        };
        if let Some(number) = known {
            return Ok(number);
        }
        let (block, position) = dictionary.place(id);
        let number = self.space.number_at(dictionary.blocks()[block].values(), position)?;
        match numbers {
            Known::OfQuery(numbers) => numbers[id as usize] = number,
            Known::OfTable(numbers) => numbers.set(id, number),
        }
        Ok(number)
    }

    /// Appends each row's number to `out`.
    pub(crate) fn number_rows(
        &mut self,
        view: &ChunkView<'_>,
        rows: &ChunkRows,
        out: &mut Vec<u32>,
    ) -> Result<()> {
        if self.radix().is_some() {
            let start = out.len();
            out.resize(start + rows.len(), 0);
            self.add_local_ids(rows, 1, &mut out[start..]);
            if let Local::Codes { column, .. } = &self.local
                && column.nulls.is_none()
            {
                return Ok(());
            }
            for number in &mut out[start..] {
                *number = self.number(*number)?;
            }
            return Ok(());
        }
        let values = match (&self.key, &self.local) {
            (Key::Column { column, .. }, Local::Values(stored)) => match (stored, &self.columns[*column]) {
                (Some(stored), InputColumn::Stored { shows_nulls, .. }) => {
                    values_of(stored, rows, *shows_nulls)?
                }
                (_, input) => view.values(input, rows)?,
            },
            (Key::Computed { columns, compute, .. }, _) => {
                let mut inputs = Vec::with_capacity(columns.len());
                for &column in columns {
                    inputs.push(view.values(&self.columns[column], rows)?);
                }
                compute.compute(&inputs, rows.len())?
            }
            (Key::Column { .. } | Key::Bucket { .. }, _) => unreachable!("such keys have local ids"),
        };
        self.space.number_all(&values, out)
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        let local = match &self.local {
            Local::Ids { numbers: Known::OfQuery(numbers), .. } => numbers.capacity() * size_of::<u32>(),
            Local::Ids { .. } | Local::Codes { .. } | Local::Values(_) => 0,
        };
        local + self.space.memory_bytes()
    }
}

fn code_at(values: &ColumnValues, codes: Codes, row: usize) -> u32 {
    let (values, at) = match values {
        ColumnValues::Ids { ids, dictionary } => (dictionary.blocks()[0].values(), id_at(ids, row) as usize),
        ColumnValues::Plain(values) => (values, row),
        ColumnValues::IdLists { .. } | ColumnValues::PlainLists { .. } => {
            unreachable!("only single values have codes")
        }
    };
    codes.code(ints(&values.slice(at, 1))[0])
}

/// Adds the codes of the values that ids stand for, buckets not wider than one value.
fn add_codes_of_ids(
    values: &ArrayRef,
    ids: &Ids,
    codes: Codes,
    rows: &ChunkRows,
    stride: u32,
    cells: &mut [u32],
) {
    match values.data_type() {
        DataType::Int32 => {
            let values = values.as_primitive::<Int32Type>().values();
            add_by_id(ids, rows, cells, stride, |id| codes.code(i64::from(values[id])));
        }
        DataType::Int64 => {
            let values = values.as_primitive::<Int64Type>().values();
            add_by_id(ids, rows, cells, stride, |id| codes.code(values[id]));
        }
        _ => {
            let values = values.as_primitive::<TimestampMillisecondType>().values();
            add_by_id(ids, rows, cells, stride, |id| codes.code(values[id]));
        }
    }
}

fn add_by_id(ids: &Ids, rows: &ChunkRows, cells: &mut [u32], stride: u32, code: impl Fn(usize) -> u32) {
    match ids {
        Ids::U8(ids) => add_each(rows, cells, stride, |row| code(usize::from(ids[row]))),
        Ids::U16(ids) => add_each(rows, cells, stride, |row| code(usize::from(ids[row]))),
        Ids::U32(ids) => add_each(rows, cells, stride, |row| code(ids[row] as usize)),
    }
}

fn id_at(ids: &Ids, row: usize) -> u32 {
    match ids {
        Ids::U8(ids) => u32::from(ids[row]),
        Ids::U16(ids) => u32::from(ids[row]),
        Ids::U32(ids) => ids[row],
    }
}

fn add_each(rows: &ChunkRows, cells: &mut [u32], stride: u32, local_id: impl Fn(usize) -> u32) {
    match rows {
        ChunkRows::Range(range) => {
            for (cell, row) in cells.iter_mut().zip(range.clone()) {
                *cell = cell.wrapping_add(local_id(row).wrapping_mul(stride));
            }
        }
        ChunkRows::List(rows) => {
            for (cell, &row) in cells.iter_mut().zip(rows) {
                *cell = cell.wrapping_add(local_id(row as usize).wrapping_mul(stride));
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "values lie between the bounds that codes were made for")]
fn add_codes(values: &ArrayRef, codes: Codes, rows: &ChunkRows, stride: u32, cells: &mut [u32]) {
    let Codes { first, width, .. } = codes;
    if width == 1 {
        match values.data_type() {
            DataType::Int32 => {
                let values = values.as_primitive::<Int32Type>().values();
                let first = first as i32;
                add_each(rows, cells, stride, |row| values[row].wrapping_sub(first).cast_unsigned());
            }
            DataType::Int64 => {
                let values = values.as_primitive::<Int64Type>().values();
                add_each(rows, cells, stride, |row| values[row].wrapping_sub(first) as u32);
            }
            _ => {
                let values = values.as_primitive::<TimestampMillisecondType>().values();
                add_each(rows, cells, stride, |row| values[row].wrapping_sub(first) as u32);
            }
        }
        return;
    }
    // A division takes some 20 cycles; a product with the inverse is off by one at most, and is set right.
    let exact = first >= 0 && codes.len < 1 << 30 && width < 1 << 40;
    let inverse = 1.0 / width as f64;
    let bucket = |value: i64| {
        let above = value - first;
        let guess = (above as f64 * inverse) as i64;
        let rest = above - guess * width;
        (guess - i64::from(rest < 0) + i64::from(rest >= width)) as u32
    };
    match values.data_type() {
        DataType::Int64 if exact => {
            let values = values.as_primitive::<Int64Type>().values();
            add_each(rows, cells, stride, |row| bucket(values[row]));
        }
        DataType::Timestamp(..) if exact => {
            let values = values.as_primitive::<TimestampMillisecondType>().values();
            add_each(rows, cells, stride, |row| bucket(values[row]));
        }
        _ => {
            let values = ints(values);
            add_each(rows, cells, stride, |row| codes.code(values[row]));
        }
    }
}

fn ints(values: &ArrayRef) -> Vec<i64> {
    match values.data_type() {
        DataType::Int32 => {
            values.as_primitive::<Int32Type>().values().iter().map(|&value| i64::from(value)).collect()
        }
        DataType::Int64 => values.as_primitive::<Int64Type>().values().to_vec(),
        DataType::Timestamp(..) => values.as_primitive::<TimestampMillisecondType>().values().to_vec(),
        other => unreachable!("{other} is no whole number"),
    }
}
