//! Aggregates that the caller brings along.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take;
use meunier_segment::column::{Column, ColumnValues};
use meunier_segment::dictionary::Dictionary;
use meunier_segment::ids::Ids;
use meunier_segment::schema::Field;

use crate::compute::Compute;
use crate::error::Result;
use crate::input::{ChunkView, InputColumn, values_of};
use crate::numbers::{Input, valid_rows};
use crate::rows::ChunkRows;

/// An aggregate whose states the caller keeps.
pub trait ExternalFunction: Debug + Send + Sync {
    /// Returns the states of no group yet. Not `grouped`, there will be one group only.
    ///
    /// # Errors
    /// When the function does not work on its inputs.
    fn start(&self, grouped: bool) -> Result<Box<dyn ExternalStates>>;

    /// Returns what the states take in place of values of the first input, one for each; nothing when they take the values
    /// only. Of a dictionary this is asked once, instead of each row.
    ///
    /// # Errors
    /// When the function does not work on the values.
    fn codes(&self, values: &ArrayRef) -> Result<Option<ArrayRef>>;

    /// Returns whether the result depends only on which values the first input has, however often and in which order: then
    /// distinct values may be given in the place of rows.
    fn is_of_distinct_values(&self) -> bool {
        false
    }
}

/// The states of one external aggregate, one a group.
pub trait ExternalStates: Debug + Send {
    /// Takes some rows, each of the group given for it; all are of group 0 when no groups are given. There are `group_count`
    /// groups by now, some of which may have no row.
    ///
    /// # Errors
    /// When a value makes the function fail.
    fn take(&mut self, inputs: &[ArrayRef], groups: Option<&[u32]>, group_count: usize) -> Result<()>;

    /// Adds the groups of another worker, as its states gave them; `groups` says which group of these states each of
    /// them is.
    ///
    /// # Errors
    /// When the function fails.
    fn merge(&mut self, partial: &[ArrayRef], groups: &[u32], group_count: usize) -> Result<()>;

    /// Returns the states of all `group_count` groups, at least one, as arrays for [`ExternalStates::merge`]. The states are
    /// empty then.
    ///
    /// # Errors
    /// When the function fails.
    fn partial(&mut self, group_count: usize) -> Result<Vec<ArrayRef>>;

    /// Returns the results of `group_count` groups, which are all there are. The states are empty then.
    ///
    /// # Errors
    /// When the function fails.
    fn finish(&mut self, group_count: usize) -> Result<ArrayRef>;

    /// Returns the memory that the states take.
    fn memory_bytes(&self) -> usize;
}

/// Codes are made of a dictionary that has at most so many values for each row in question: of one segment several chunks
/// are read, as a rule.
const DICTIONARY_SHARE_MAX: usize = 8;

/// An external aggregate of one worker: its states, and how its inputs are read.
#[derive(Debug)]
pub(crate) struct External {
    function: Arc<dyn ExternalFunction>,
    inputs: Vec<ArrayReader>,
    /// The codes of the first input's dictionary.
    codes: Option<Codes>,
    /// Whether rows of the chunk at hand are handed on as codes.
    takes_codes: bool,
    states: Box<dyn ExternalStates>,
    groups: usize,
}

impl External {
    pub(crate) fn new(
        inputs: &[Input],
        function: &Arc<dyn ExternalFunction>,
        columns: &Arc<[InputColumn]>,
        grouped: bool,
    ) -> Result<External> {
        let inputs = inputs.iter().map(|input| ArrayReader::new(input, columns)).collect();
        let states = function.start(grouped)?;
        let function = Arc::clone(function);
        Ok(External { function, inputs, codes: None, takes_codes: false, states, groups: 0 })
    }

    /// Makes ready for the rows of a chunk, of which `rows` are in question.
    pub(crate) fn open(&mut self, view: &ChunkView<'_>, rows: usize) -> Result<()> {
        self.inputs.iter_mut().try_for_each(|input| input.open(view))?;
        self.takes_codes = self.open_codes(rows)?;
        Ok(())
    }

    /// Makes codes of the first input's dictionary, where there is one and it is worth it; returns whether there are codes.
    fn open_codes(&mut self, rows: usize) -> Result<bool> {
        let Some(ColumnValues::Ids { dictionary, .. }) =
            self.inputs.first().and_then(ArrayReader::opened).map(|column| &column.values)
        else {
            return Ok(false);
        };
        if let Some(codes) = &self.codes
            && Arc::ptr_eq(&codes.dictionary, dictionary)
        {
            return Ok(codes.of_ids.is_some());
        }
        if dictionary.len() > rows.saturating_mul(DICTIONARY_SHARE_MAX) {
            return Ok(false);
        }
        let of_ids = self.function.codes(&dictionary.scan_values()?)?;
        let found = of_ids.is_some();
        self.codes = Some(Codes { dictionary: Arc::clone(dictionary), of_ids });
        Ok(found)
    }

    /// Returns the codes of some rows of the first input.
    fn read_codes(&self, rows: &ChunkRows) -> Result<Option<ArrayRef>> {
        let (true, Some(Codes { of_ids: Some(of_ids), .. })) = (self.takes_codes, &self.codes) else {
            return Ok(None);
        };
        self.inputs.first().map_or(Ok(None), |input| input.read_by_id(of_ids, rows))
    }

    pub(crate) fn grow(&mut self, groups: usize) {
        self.groups = groups;
    }

    pub(crate) fn take(
        &mut self,
        view: &ChunkView<'_>,
        rows: &ChunkRows,
        groups: Option<&[u32]>,
    ) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut inputs = Vec::with_capacity(self.inputs.len());
        for (at, input) in self.inputs.iter().enumerate() {
            let codes = if at == 0 { self.read_codes(rows)? } else { None };
            inputs.push(match codes {
                Some(codes) => codes,
                None => input.read(view, rows)?,
            });
        }
        self.states.take(&inputs, groups, self.groups)
    }

    /// Returns the column that the first input is.
    pub(crate) fn first_field(&self) -> Option<&Field> {
        match self.inputs.first()? {
            ArrayReader::Column { input: InputColumn::Stored { field, .. }, .. } => Some(field),
            ArrayReader::Column { .. } | ArrayReader::Computed { .. } => None,
        }
    }

    /// Takes values in the place of rows: each of the first input, beside the constants that the others are.
    pub(crate) fn take_values(&mut self, values: &ArrayRef, groups: &[u32]) -> Result<()> {
        if values.is_empty() {
            return Ok(());
        }
        let mut inputs = Vec::with_capacity(self.inputs.len());
        inputs.push(Arc::clone(values));
        for input in self.inputs.iter().skip(1) {
            match input {
                ArrayReader::Computed { inputs: none, compute } if none.is_empty() => {
                    inputs.push(compute.compute(&[], values.len())?);
                }
                ArrayReader::Computed { .. } | ArrayReader::Column { .. } => {
                    unreachable!("only constants stand beside a star-tree's values")
                }
            }
        }
        self.states.take(&inputs, Some(groups), self.groups)
    }

    pub(crate) fn merge(&mut self, other: &mut External, groups: &[u32]) -> Result<()> {
        if groups.is_empty() {
            return Ok(());
        }
        let partial = other.states.partial(groups.len())?;
        self.states.merge(&partial, groups, self.groups)
    }

    pub(crate) fn finish(&mut self, groups: usize) -> Result<ArrayRef> {
        self.states.finish(groups)
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        let codes = self.codes.as_ref().and_then(|codes| codes.of_ids.as_ref());
        self.states.memory_bytes() + codes.map_or(0, |codes| codes.get_array_memory_size())
    }
}

/// The codes of one dictionary's values, if the function has any.
#[derive(Debug)]
struct Codes {
    dictionary: Arc<Dictionary>,
    of_ids: Option<ArrayRef>,
}

/// Reads one input as arrays.
#[derive(Debug)]
enum ArrayReader {
    Column { input: InputColumn, opened: Option<Column> },
    Computed { inputs: Vec<ArrayReader>, compute: Arc<dyn Compute> },
}

impl ArrayReader {
    fn new(input: &Input, columns: &Arc<[InputColumn]>) -> ArrayReader {
        let column = |at: usize| ArrayReader::Column { input: columns[at].clone(), opened: None };
        match input {
            Input::Column(at) => column(*at),
            Input::Computed { columns: read, compute } => ArrayReader::Computed {
                inputs: read.iter().map(|&at| column(at)).collect(),
                compute: Arc::clone(compute),
            },
        }
    }

    fn open(&mut self, view: &ChunkView<'_>) -> Result<()> {
        match self {
            ArrayReader::Column { input: InputColumn::Stored { field, .. }, opened } => {
                *opened = Some(view.stored(field)?);
                Ok(())
            }
            ArrayReader::Column { .. } => Ok(()),
            ArrayReader::Computed { inputs, .. } => inputs.iter_mut().try_for_each(|input| input.open(view)),
        }
    }

    /// Returns the column that is read as it is.
    fn opened(&self) -> Option<&Column> {
        match self {
            ArrayReader::Column { opened, .. } => opened.as_ref(),
            ArrayReader::Computed { .. } => None,
        }
    }

    /// Returns the entries of `of_ids` for some rows of a column with a dictionary.
    fn read_by_id(&self, of_ids: &ArrayRef, rows: &ChunkRows) -> Result<Option<ArrayRef>> {
        let ArrayReader::Column { input: InputColumn::Stored { shows_nulls, .. }, opened: Some(column) } =
            self
        else {
            return Ok(None);
        };
        let ColumnValues::Ids { ids, .. } = &column.values else { return Ok(None) };
        let mut of_rows = Vec::with_capacity(rows.len());
        match ids {
            Ids::U8(ids) => rows.for_each(|row| of_rows.push(u32::from(ids[row]))),
            Ids::U16(ids) => rows.for_each(|row| of_rows.push(u32::from(ids[row]))),
            Ids::U32(ids) => rows.for_each(|row| of_rows.push(ids[row])),
        }
        let nulls = column.nulls.as_ref().filter(|_| *shows_nulls).map(|nulls| valid_rows(nulls, rows));
        Ok(Some(take(of_ids, &UInt32Array::new(of_rows.into(), nulls), None)?))
    }

    fn read(&self, view: &ChunkView<'_>, rows: &ChunkRows) -> Result<ArrayRef> {
        match self {
            ArrayReader::Column { input: InputColumn::Stored { shows_nulls, .. }, opened: Some(column) } => {
                values_of(column, rows, *shows_nulls)
            }
            ArrayReader::Column { input, .. } => view.values(input, rows),
            ArrayReader::Computed { inputs, compute } => {
                let mut values = Vec::with_capacity(inputs.len());
                for input in inputs {
                    values.push(input.read(view, rows)?);
                }
                compute.compute(&values, rows.len())
            }
        }
    }
}
