//! `funnelCount`: how many values have met each run of steps from the first.
//!
//! Counts are exact whatever strategy a call names in its settings.

use arrow::array::{Array, ArrayRef, Int64Array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::{KEYS_MAX, STEPS_MAX, bits};
use crate::aggregate::arrays::lists;
use crate::aggregate::call::Call;
use crate::aggregate::cell::{Cell, CellColumn, check_cell};
use crate::aggregate::columns::longs;
use crate::aggregate::computation::{Computation, Groups, States, array};
use crate::aggregate::serial::{Reader, Write};

/// Reads how many columns values are told apart by.
pub(super) fn start_count(call: &Call) -> Result<Box<dyn States>> {
    let keys = usize::try_from(call.integer(0, 1..=KEYS_MAX as i64, 1)?).unwrap_or(1);
    let Some(steps @ 1..=STEPS_MAX) = call.len().checked_sub(1 + keys) else {
        return call.refuse(&format!("a funnel has 1 to {STEPS_MAX} steps"));
    };
    let of = call.types[1..=keys].iter().map(check_cell).collect::<Result<_>>()?;
    Ok(Groups::boxed(FunnelCount { of, steps }))
}

/// How many values have met each run of steps from the first.
struct FunnelCount {
    /// The types of the columns.
    of: Vec<DataType>,
    steps: usize,
}

/// The steps that each value has met, one bit each.
type Met = HashMap<Cell, u64, FixedState>;

impl Computation for FunnelCount {
    type State = (Met, usize);
    type Columns = (Vec<CellColumn>, Vec<Int64Array>);

    fn start(&self) -> (Met, usize) {
        (HashMap::default(), 0)
    }

    fn columns(&self, arguments: &[ArrayRef]) -> Result<Self::Columns> {
        let keys = self.of.len();
        let steps = arguments[1 + keys..].iter().map(longs).collect::<Result<_>>()?;
        let columns = arguments[1..].iter().zip(&self.of);
        Ok((columns.map(|(column, of)| CellColumn::new(column, of)).collect::<Result<_>>()?, steps))
    }

    fn valid(&self, arguments: &[ArrayRef]) -> Option<NullBuffer> {
        let nulls = arguments[1..=self.of.len()].iter().map(|column| column.logical_nulls());
        nulls.reduce(|all, nulls| NullBuffer::union(all.as_ref(), nulls.as_ref())).flatten()
    }

    fn add(&mut self, state: &mut (Met, usize), columns: &Self::Columns, row: usize) -> Result<()> {
        let (values, steps) = columns;
        let met = bits(steps, row);
        if met != 0 {
            put(state, key_of(values, row), met);
        }
        Ok(())
    }

    fn write(&mut self, (met, _): &mut (Met, usize), out: &mut Vec<u8>) {
        for (value, bits) in &*met {
            value.write(out);
            out.put_u64(*bits);
        }
    }

    fn merge(&mut self, state: &mut (Met, usize), written: &[u8]) -> Result<()> {
        let mut reader = Reader(written);
        while !reader.is_at_end() {
            let value = Cell::read(&mut reader)?;
            put(state, value, reader.u64()?);
        }
        Ok(())
    }

    fn finish(&mut self, states: &mut [(Met, usize)]) -> Result<ArrayRef> {
        let mut counts = Vec::with_capacity(states.len() * self.steps);
        for (met, _) in &*states {
            let begin = counts.len();
            counts.resize(begin + self.steps, 0_i64);
            for bits in met.values() {
                let reached = (bits.trailing_ones() as usize).min(self.steps);
                counts[begin..begin + reached].iter_mut().for_each(|count| *count += 1);
            }
        }
        let values = array::<Int64Array, _>(counts.into_iter().map(Some));
        lists(values, states.iter().map(|_| Some(self.steps)))
    }

    fn heap_bytes(&self, (met, value_bytes): &(Met, usize)) -> usize {
        met.allocation_size() + value_bytes
    }
}

/// Returns the values of a row as one.
fn key_of(columns: &[CellColumn], row: usize) -> Cell {
    if let [only] = columns {
        return only.at(row);
    }
    let mut written = Vec::new();
    columns.iter().for_each(|column| column.at(row).write(&mut written));
    Cell::Bytes(written.into())
}

fn put((met, value_bytes): &mut (Met, usize), value: Cell, bits: u64) {
    let (before, bytes) = (met.len(), value.heap_bytes());
    *met.entry(value).or_insert(0) |= bits;
    if met.len() > before {
        *value_bytes += bytes;
    }
}
