//! Aggregates that return all values of a group: `arrayAgg`, `listAgg`.

mod ordered;

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, ListArray, StringBuilder};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field};
use datafusion::error::Result;
use foldhash::fast::FixedState;
use hashbrown::HashSet;

use super::call::Call;
use super::cell::{Cell, CellColumn, cells_to_array, check_cell};
use super::computation::{Computation, Groups, States};
use super::serial::Reader;
use super::udaf::Definition;

/// All of them.
pub(crate) static DEFINITIONS: [Definition; 3] = [
    Definition {
        description: Definition::describe(
            "arrayAgg",
            &[],
            "arrayAgg(column, 'dataType'[, distinct])",
            "All values, or the distinct ones, as an array",
        ),
        arguments: 1..=3,
        elements: true,
        result: |types| Ok(DataType::List(element(check_cell(&types[0])?))),
        start: array_agg,
    },
    Definition {
        description: Definition::describe(
            "listAgg",
            &[],
            "listAgg(column, 'separator'[, distinct]) [WITHIN GROUP (ORDER BY key, …)]",
            "All values, or the distinct ones, as one text with a separator between them",
        ),
        arguments: 2..=3,
        elements: true,
        result: |_| Ok(DataType::Utf8),
        start: list_agg,
    },
    Definition {
        // What the dialect makes of WITHIN GROUP.
        description: Definition::describe(
            "$listAggOrdered",
            &[],
            "listAgg(column, 'separator'[, distinct]) WITHIN GROUP (ORDER BY key, …)",
            "All values, or the distinct ones, as one text in an order of their own",
        ),
        arguments: 5..=usize::MAX,
        elements: false,
        result: |types| check_cell(&types[0]).map(|_| DataType::Utf8),
        start: ordered::start,
    },
];

fn element(data_type: DataType) -> Arc<Field> {
    Arc::new(Field::new_list_field(data_type, true))
}

fn array_agg(call: &Call) -> Result<Box<dyn States>> {
    if call.len() > 1 {
        call.text(1)?;
    }
    let of = check_cell(&call.types[0])?;
    Ok(Groups::boxed(Collected { of, distinct: call.truth(2, false)?, separator: None }))
}

fn list_agg(call: &Call) -> Result<Box<dyn States>> {
    let separator = Some(call.text(1)?.to_owned());
    Ok(Groups::boxed(Collected { of: DataType::Utf8, distinct: call.truth(2, false)?, separator }))
}

/// All values of a group in the order in which they came.
struct Collected {
    of: DataType,
    distinct: bool,
    /// What stands between values that are written as one text.
    separator: Option<String>,
}

#[derive(Default)]
struct Values {
    cells: Vec<Cell>,
    /// The cells once more, where only distinct ones are kept.
    seen: HashSet<Cell, FixedState>,
    /// The bytes that cells hold outside themselves.
    cell_bytes: usize,
}

impl Collected {
    fn put(&self, state: &mut Values, cell: Cell) {
        if !self.distinct || state.seen.insert(cell.clone()) {
            state.cell_bytes += cell.heap_bytes() * (1 + usize::from(self.distinct));
            state.cells.push(cell);
        }
    }
}

impl Computation for Collected {
    type State = Values;
    type Columns = CellColumn;

    fn start(&self) -> Values {
        Values::default()
    }

    fn columns(&self, arguments: &[ArrayRef]) -> Result<CellColumn> {
        CellColumn::new(&arguments[0], &self.of)
    }

    fn add(&mut self, state: &mut Values, columns: &CellColumn, row: usize) -> Result<()> {
        self.put(state, columns.at(row));
        Ok(())
    }

    fn write(&mut self, state: &mut Values, out: &mut Vec<u8>) {
        state.cells.iter().for_each(|cell| cell.write(out));
    }

    fn merge(&mut self, state: &mut Values, written: &[u8]) -> Result<()> {
        let mut reader = Reader(written);
        while !reader.is_at_end() {
            let cell = Cell::read(&mut reader)?;
            self.put(state, cell);
        }
        Ok(())
    }

    fn finish(&mut self, states: &mut [Values]) -> Result<ArrayRef> {
        let cells = states.iter().flat_map(|state| state.cells.iter()).map(Some);
        let values = cells_to_array(cells, &self.of)?;
        let offsets = OffsetBuffer::<i32>::from_lengths(states.iter().map(|state| state.cells.len()));
        if let Some(separator) = &self.separator {
            return Ok(joined(&values, &offsets, separator));
        }
        let valid = NullBuffer::from_iter(states.iter().map(|state| !state.cells.is_empty()));
        Ok(Arc::new(ListArray::try_new(element(self.of.clone()), offsets, values, Some(valid))?))
    }

    fn heap_bytes(&self, state: &Values) -> usize {
        state.cells.capacity() * size_of::<Cell>() + state.seen.allocation_size() + state.cell_bytes
    }
}

fn joined(texts: &ArrayRef, offsets: &OffsetBuffer<i32>, separator: &str) -> ArrayRef {
    let texts = texts.as_string::<i32>();
    let mut lists = StringBuilder::new();
    for range in offsets.windows(2) {
        if range[0] == range[1] {
            lists.append_null();
            continue;
        }
        let parts: Vec<&str> = (range[0]..range[1]).map(|position| texts.value(position as usize)).collect();
        lists.append_value(parts.join(separator));
    }
    Arc::new(lists.finish())
}
