//! Aggregates that the caller brings along.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::ArrayRef;
use meunier_segment::column::Column;
use meunier_segment::schema::Field;

use crate::compute::Compute;
use crate::error::Result;
use crate::input::{ChunkView, InputColumn, values_of};
use crate::numbers::Input;
use crate::rows::ChunkRows;

/// An aggregate whose states the caller keeps.
pub trait ExternalFunction: Debug + Send + Sync {
    /// Returns the states of no group yet. Not `grouped`, there will be one group only.
    ///
    /// # Errors
    /// When the function does not work on its inputs.
    fn start(&self, grouped: bool) -> Result<Box<dyn ExternalStates>>;

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

/// An external aggregate of one worker: its states, and how its inputs are read.
#[derive(Debug)]
pub(crate) struct External {
    inputs: Vec<ArrayReader>,
    states: Box<dyn ExternalStates>,
    groups: usize,
}

impl External {
    pub(crate) fn new(
        inputs: &[Input],
        function: &dyn ExternalFunction,
        columns: &Arc<[InputColumn]>,
        grouped: bool,
    ) -> Result<External> {
        let inputs = inputs.iter().map(|input| ArrayReader::new(input, columns)).collect();
        Ok(External { inputs, states: function.start(grouped)?, groups: 0 })
    }

    pub(crate) fn open(&mut self, view: &ChunkView<'_>) -> Result<()> {
        self.inputs.iter_mut().try_for_each(|input| input.open(view))
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
        for input in &self.inputs {
            inputs.push(input.read(view, rows)?);
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
        self.states.memory_bytes()
    }
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
