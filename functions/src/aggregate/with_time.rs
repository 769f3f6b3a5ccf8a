//! Values of the row that is first or last by others: `firstWithTime`, `lastWithTime`, `exprMin`, `exprMax`.

use arrow::array::ArrayRef;
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use datafusion::error::Result;

use super::call::Call;
use super::cell::{Cell, CellColumn, cells_to_array, check_cell};
use super::computation::{Computation, Groups, States};
use super::serial::Reader;
use super::udaf::Definition;

/// Measures that one call may order rows by.
const MEASURES_MAX: usize = 32;

/// All of them.
pub(crate) static DEFINITIONS: [Definition; 4] = [
    Definition {
        description: Definition::describe(
            "firstWithTime",
            &[],
            "firstWithTime(column, timeColumn, 'dataType')",
            "The value of the row with the earliest time",
        ),
        arguments: 2..=3,
        elements: false,
        result: |types| check_cell(&types[0]),
        start: |call| by_time(call, true),
    },
    Definition {
        description: Definition::describe(
            "lastWithTime",
            &[],
            "lastWithTime(column, timeColumn, 'dataType')",
            "The value of the row with the latest time",
        ),
        arguments: 2..=3,
        elements: false,
        result: |types| check_cell(&types[0]),
        start: |call| by_time(call, false),
    },
    Definition {
        description: Definition::describe(
            "exprMin",
            &[],
            "exprMin(column, measure, …)",
            "The value of the row whose measures are smallest, compared one after the other",
        ),
        arguments: 2..=MEASURES_MAX,
        elements: false,
        result: |types| check_cell(&types[0]),
        start: |call| by_measures(call, true),
    },
    Definition {
        description: Definition::describe(
            "exprMax",
            &[],
            "exprMax(column, measure, …)",
            "The value of the row whose measures are largest, compared one after the other",
        ),
        arguments: 2..=MEASURES_MAX,
        elements: false,
        result: |types| check_cell(&types[0]),
        start: |call| by_measures(call, false),
    },
];

fn by_time(call: &Call, smallest: bool) -> Result<Box<dyn States>> {
    if call.len() > 2 {
        call.text(2)?;
    }
    let measures = vec![DataType::Int64];
    Ok(Groups::boxed(RowBy { value: call.result.clone(), measures, smallest, takes_later: true }))
}

fn by_measures(call: &Call, smallest: bool) -> Result<Box<dyn States>> {
    let measures = call.types[1..].iter().map(check_cell).collect::<Result<Vec<_>>>()?;
    Ok(Groups::boxed(RowBy { value: call.result.clone(), measures, smallest, takes_later: false }))
}

/// A value of the row whose measures are smallest or largest.
struct RowBy {
    value: DataType,
    measures: Vec<DataType>,
    smallest: bool,
    /// Whether of rows with equal measures the later one counts.
    takes_later: bool,
}

/// The best row so far.
struct Best {
    measures: Vec<Cell>,
    /// Nothing where the value is null.
    value: Option<Cell>,
}

impl RowBy {
    fn put(&self, state: &mut Option<Best>, row: Best) {
        let is_better = match state {
            None => true,
            Some(best) if best.measures == row.measures => self.takes_later,
            Some(best) => (row.measures < best.measures) == self.smallest,
        };
        if is_better {
            *state = Some(row);
        }
    }
}

impl Computation for RowBy {
    type State = Option<Best>;
    type Columns = (CellColumn, Option<NullBuffer>, Vec<CellColumn>);

    fn start(&self) -> Option<Best> {
        None
    }

    fn columns(&self, arguments: &[ArrayRef]) -> Result<Self::Columns> {
        let measures = self
            .measures
            .iter()
            .zip(&arguments[1..])
            .map(|(wanted, measure)| CellColumn::new(measure, wanted));
        let nulls = arguments[0].logical_nulls();
        Ok((CellColumn::new(&arguments[0], &self.value)?, nulls, measures.collect::<Result<_>>()?))
    }

    /// By time a null value does not count; by measures it is the value of its row.
    fn valid(&self, arguments: &[ArrayRef]) -> Option<NullBuffer> {
        let from = usize::from(!self.takes_later);
        let nulls = arguments[from..=self.measures.len()].iter().map(|argument| argument.logical_nulls());
        nulls.fold(None, |all, nulls| NullBuffer::union(all.as_ref(), nulls.as_ref()))
    }

    fn add(&mut self, state: &mut Option<Best>, columns: &Self::Columns, row: usize) -> Result<()> {
        let (values, nulls, measures) = columns;
        let measures = measures.iter().map(|measure| measure.at(row)).collect();
        let is_null = nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
        self.put(state, Best { measures, value: (!is_null).then(|| values.at(row)) });
        Ok(())
    }

    fn write(&mut self, state: &mut Option<Best>, out: &mut Vec<u8>) {
        if let Some(best) = state {
            best.measures.iter().for_each(|measure| measure.write(out));
            if let Some(value) = &best.value {
                value.write(out);
            }
        }
    }

    fn merge(&mut self, state: &mut Option<Best>, written: &[u8]) -> Result<()> {
        let mut reader = Reader(written);
        let measures = self.measures.iter().map(|_| Cell::read(&mut reader)).collect::<Result<_>>()?;
        let value = if reader.is_at_end() { None } else { Some(Cell::read(&mut reader)?) };
        self.put(state, Best { measures, value });
        Ok(())
    }

    fn finish(&mut self, states: &mut [Option<Best>]) -> Result<ArrayRef> {
        let values = states.iter().map(|state| state.as_ref().and_then(|best| best.value.as_ref()));
        cells_to_array(values, &self.value)
    }

    fn heap_bytes(&self, state: &Option<Best>) -> usize {
        let Some(best) = state else { return 0 };
        let of_measures: usize =
            best.measures.iter().map(|measure| size_of::<Cell>() + measure.heap_bytes()).sum();
        of_measures + best.value.as_ref().map_or(0, Cell::heap_bytes)
    }
}
