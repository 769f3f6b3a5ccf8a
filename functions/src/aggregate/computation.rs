//! What an aggregate keeps of each group and how, apart from DataFusion.
//!
//! A [`Computation`] knows one group: add a row, take in another's state, finish. [`Groups`] holds the states of all groups
//! side by side, walks the rows once, and counts the memory as it grows.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, LargeBinaryArray, LargeBinaryBuilder};
use arrow::buffer::NullBuffer;
use datafusion::error::Result;

/// One aggregate with its constants read.
pub(crate) trait Computation: Send + Sync + 'static {
    /// What is kept of one group.
    type State: Send + Sync;
    /// The arguments of a batch in the types that rows are read from.
    type Columns;

    /// Returns the state of a group that has no row yet.
    fn start(&self) -> Self::State;

    /// Casts the arguments of one batch.
    fn columns(&self, arguments: &[ArrayRef]) -> Result<Self::Columns>;

    /// Returns which rows count: by default those whose first argument is not null.
    fn valid(&self, arguments: &[ArrayRef]) -> Option<NullBuffer> {
        arguments.first().and_then(|first| first.logical_nulls())
    }

    /// Adds one row.
    fn add(&mut self, state: &mut Self::State, columns: &Self::Columns, row: usize) -> Result<()>;

    /// Writes a state so that [`Computation::merge`] can read it; nothing for a state without rows.
    fn write(&mut self, state: &mut Self::State, out: &mut Vec<u8>);

    /// Takes in a state that was written; it is never empty.
    fn merge(&mut self, state: &mut Self::State, written: &[u8]) -> Result<()>;

    /// Returns one result a state, null for a state without rows. A state may be asked again later.
    fn finish(&mut self, states: &mut [Self::State]) -> Result<ArrayRef>;

    /// Returns how many bytes the state holds outside itself. Asked at every row, so it must be quick.
    fn heap_bytes(&self, state: &Self::State) -> usize;
}

/// The rows of one batch for one aggregate.
pub(crate) struct Rows<'a> {
    pub(crate) arguments: &'a [ArrayRef],
    /// The group of each row.
    pub(crate) groups: &'a [usize],
    /// Rows that are not true here do not count.
    pub(crate) filter: Option<&'a BooleanArray>,
}

/// The states of all groups, whatever they are.
pub(crate) trait States: Send + Sync {
    /// Adds the rows of a batch; there are `groups` groups from now on.
    fn update(&mut self, rows: &Rows<'_>, groups: usize) -> Result<()>;
    /// Takes in written states.
    fn merge(&mut self, written: &ArrayRef, of_groups: &[usize], groups: usize) -> Result<()>;
    /// Makes sure that there are so many groups.
    fn grow(&mut self, groups: usize);
    /// Writes the first `groups` states.
    fn write(&mut self, groups: usize) -> LargeBinaryArray;
    /// Returns the results of the first `groups` states.
    fn finish(&mut self, groups: usize) -> Result<ArrayRef>;
    /// Forgets the first `groups` states; the others move down.
    fn forget(&mut self, groups: usize);
    fn len(&self) -> usize;
    /// Returns the bytes held.
    fn bytes(&self) -> usize;
}

/// The states of all groups of one computation.
pub(crate) struct Groups<C: Computation> {
    computation: C,
    states: Vec<C::State>,
    heap_bytes: usize,
}

impl<C: Computation> Groups<C> {
    pub(crate) fn boxed(computation: C) -> Box<dyn States> {
        Box::new(Groups { computation, states: Vec::new(), heap_bytes: 0 })
    }

    fn change(
        &mut self,
        group: usize,
        change: impl FnOnce(&mut C, &mut C::State) -> Result<()>,
    ) -> Result<()> {
        let state = &mut self.states[group];
        let before = self.computation.heap_bytes(state);
        let result = change(&mut self.computation, state);
        self.heap_bytes = (self.heap_bytes + self.computation.heap_bytes(state)).saturating_sub(before);
        result
    }
}

impl<C: Computation> States for Groups<C> {
    fn update(&mut self, rows: &Rows<'_>, groups: usize) -> Result<()> {
        self.grow(groups);
        let columns = self.computation.columns(rows.arguments)?;
        let valid = self.computation.valid(rows.arguments);
        match counted(valid, rows.filter) {
            None => {
                for (row, group) in rows.groups.iter().enumerate() {
                    self.change(*group, |computation, state| computation.add(state, &columns, row))?;
                }
            }
            Some(counted) => {
                for row in counted.valid_indices() {
                    let group = rows.groups[row];
                    self.change(group, |computation, state| computation.add(state, &columns, row))?;
                }
            }
        }
        Ok(())
    }

    fn merge(&mut self, written: &ArrayRef, of_groups: &[usize], groups: usize) -> Result<()> {
        self.grow(groups);
        let written = written.as_binary::<i64>();
        for (row, group) in of_groups.iter().enumerate() {
            if written.is_valid(row) && !written.value(row).is_empty() {
                self.change(*group, |computation, state| computation.merge(state, written.value(row)))?;
            }
        }
        Ok(())
    }

    fn grow(&mut self, groups: usize) {
        let computation = &self.computation;
        if groups > self.states.len() {
            self.states.resize_with(groups, || computation.start());
        }
    }

    fn write(&mut self, groups: usize) -> LargeBinaryArray {
        let mut written = LargeBinaryBuilder::new();
        let mut bytes = Vec::new();
        for state in &mut self.states[..groups] {
            bytes.clear();
            self.computation.write(state, &mut bytes);
            written.append_value(&bytes);
        }
        written.finish()
    }

    fn finish(&mut self, groups: usize) -> Result<ArrayRef> {
        self.computation.finish(&mut self.states[..groups])
    }

    fn forget(&mut self, groups: usize) {
        for state in self.states.drain(..groups) {
            self.heap_bytes = self.heap_bytes.saturating_sub(self.computation.heap_bytes(&state));
        }
    }

    fn len(&self) -> usize {
        self.states.len()
    }

    fn bytes(&self) -> usize {
        self.states.capacity() * size_of::<C::State>() + self.heap_bytes
    }
}

/// Returns the rows that count; nothing when all do.
pub(crate) fn counted(valid: Option<NullBuffer>, filter: Option<&BooleanArray>) -> Option<NullBuffer> {
    let filter = filter.map(|filter| match filter.nulls() {
        Some(nulls) => NullBuffer::new(filter.values() & nulls.inner()),
        None => NullBuffer::new(filter.values().clone()),
    });
    NullBuffer::union(valid.as_ref(), filter.as_ref()).filter(|counted| counted.null_count() > 0)
}

/// Returns an array from values that iterate, behind a pointer.
pub(crate) fn array<A: Array + FromIterator<T> + 'static, T>(values: impl Iterator<Item = T>) -> ArrayRef {
    Arc::new(values.collect::<A>())
}
