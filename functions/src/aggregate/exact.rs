//! Exact counts of distinct values, for columns of which DataFusion's own cannot be taken: multi-value ones.

use arrow::array::{ArrayRef, Int32Array, Int64Array};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use foldhash::fast::FixedState;
use hashbrown::HashSet;

use super::cell::{Cell, CellColumn, check_cell};
use super::computation::{Computation, Groups, array};
use super::serial::Reader;
use super::udaf::Definition;

/// All of them.
pub(crate) static DEFINITIONS: [Definition; 2] = [
    Definition {
        description: Definition::describe(
            "distinctCount",
            &["distinctCountMV", "distinctCountBitmap", "distinctCountBitmapMV", "distinctCountOffHeap"],
            "distinctCount(column)",
            "The exact number of distinct values",
        ),
        arguments: 1..=2,
        elements: true,
        result: |types| check_cell(&types[0]).map(|_| DataType::Int32),
        start: |call| Ok(Groups::boxed(DistinctCount { of: check_cell(&call.types[0])?, as_int: true })),
    },
    Definition {
        description: Definition::describe(
            "segmentPartitionedDistinctCount",
            &[],
            "segmentPartitionedDistinctCount(column)",
            "The exact number of distinct values, as LONG",
        ),
        arguments: 1..=1,
        elements: true,
        result: |types| check_cell(&types[0]).map(|_| DataType::Int64),
        start: |call| Ok(Groups::boxed(DistinctCount { of: check_cell(&call.types[0])?, as_int: false })),
    },
];

struct DistinctCount {
    of: DataType,
    as_int: bool,
}

/// The values, and the bytes that they hold outside themselves.
type Distinct = (HashSet<Cell, FixedState>, usize);

fn put((values, value_bytes): &mut Distinct, value: Cell) {
    let bytes = value.heap_bytes();
    if values.insert(value) {
        *value_bytes += bytes;
    }
}

impl Computation for DistinctCount {
    type State = Distinct;
    type Columns = CellColumn;

    fn start(&self) -> Distinct {
        Distinct::default()
    }

    fn columns(&self, arguments: &[ArrayRef]) -> Result<CellColumn> {
        CellColumn::new(&arguments[0], &self.of)
    }

    fn add(&mut self, state: &mut Distinct, columns: &CellColumn, row: usize) -> Result<()> {
        put(state, columns.at(row));
        Ok(())
    }

    fn write(&mut self, (values, _): &mut Distinct, out: &mut Vec<u8>) {
        values.iter().for_each(|value| value.write(out));
    }

    fn merge(&mut self, state: &mut Distinct, written: &[u8]) -> Result<()> {
        let mut reader = Reader(written);
        while !reader.is_at_end() {
            put(state, Cell::read(&mut reader)?);
        }
        Ok(())
    }

    fn finish(&mut self, states: &mut [Distinct]) -> Result<ArrayRef> {
        let counts = states.iter().map(|(values, _)| values.len());
        Ok(match self.as_int {
            true => {
                array::<Int32Array, _>(counts.map(|count| Some(i32::try_from(count).unwrap_or(i32::MAX))))
            }
            false => {
                array::<Int64Array, _>(counts.map(|count| Some(i64::try_from(count).unwrap_or(i64::MAX))))
            }
        })
    }

    fn heap_bytes(&self, (values, value_bytes): &Distinct) -> usize {
        values.allocation_size() + value_bytes
    }
}
