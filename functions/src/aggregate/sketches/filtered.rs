//! `distinctCountThetaSketch` with filters: one theta sketch of all rows and one of each filter's, which an expression of sets
//! puts together.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, StringArray};
use arrow::datatypes::DataType;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use datafusion::error::Result;
use datasketches::theta::CompactThetaSketch;

use super::sets::SetExpression;
use super::sketch::{Answer, Sketch, offer_row};
use super::theta::Theta;
use crate::aggregate::columns::cast_to;
use crate::aggregate::computation::{Computation, array};
use crate::aggregate::serial::{Reader, Write};

/// Sketches of the rows that pass filters.
pub(crate) struct Filtered {
    pub(crate) lg_k: u8,
    pub(crate) answer: Answer,
    /// The type that values are read in; BYTES are sketches.
    pub(crate) of: DataType,
    pub(crate) filters: usize,
    pub(crate) sets: SetExpression,
}

impl Filtered {
    /// Returns the sketches, that of all rows first.
    fn sketches<'a>(&self, state: &'a mut Option<Vec<Theta>>) -> Result<&'a mut Vec<Theta>> {
        Ok(match state {
            Some(sketches) => sketches,
            None => {
                let sketches = (0..=self.filters).map(|_| Theta::new(&self.lg_k)).collect::<Result<_>>()?;
                state.insert(sketches)
            }
        })
    }

    fn result(&self, sketches: &[Theta]) -> Result<CompactThetaSketch> {
        let compact: Vec<CompactThetaSketch> = sketches.iter().map(Theta::result).collect();
        self.sets.evaluate(&compact, self.lg_k)
    }
}

impl Computation for Filtered {
    type State = Option<Vec<Theta>>;
    type Columns = (ArrayRef, Vec<BooleanArray>);

    fn start(&self) -> Option<Vec<Theta>> {
        None
    }

    fn columns(&self, arguments: &[ArrayRef]) -> Result<Self::Columns> {
        let mut filters = Vec::with_capacity(self.filters);
        for filter in &arguments[2..2 + self.filters] {
            filters.push(cast_to(filter, &DataType::Boolean)?.as_boolean().clone());
        }
        Ok((cast_to(&arguments[0], &self.of)?, filters))
    }

    fn add(&mut self, state: &mut Option<Vec<Theta>>, columns: &Self::Columns, row: usize) -> Result<()> {
        let (values, filters) = columns;
        let sketches = self.sketches(state)?;
        let passes = |filter: &BooleanArray| filter.is_valid(row) && filter.value(row);
        for (number, sketch) in sketches.iter_mut().enumerate() {
            if number.checked_sub(1).is_none_or(|filter| passes(&filters[filter])) {
                offer_row(sketch, &self.lg_k, values, true, row)?;
            }
        }
        Ok(())
    }

    fn write(&mut self, state: &mut Option<Vec<Theta>>, out: &mut Vec<u8>) {
        for sketch in state.iter().flatten() {
            out.put_bytes(&sketch.to_bytes());
        }
    }

    fn merge(&mut self, state: &mut Option<Vec<Theta>>, written: &[u8]) -> Result<()> {
        let mut reader = Reader(written);
        for sketch in self.sketches(state)? {
            sketch.merge(&self.lg_k, reader.bytes()?)?;
        }
        Ok(())
    }

    fn finish(&mut self, states: &mut [Option<Vec<Theta>>]) -> Result<ArrayRef> {
        let mut results = Vec::with_capacity(states.len());
        for state in &*states {
            results.push(state.as_ref().map(|sketches| self.result(sketches)).transpose()?);
        }
        #[expect(clippy::cast_possible_truncation, reason = "Pinot rounds it")]
        let number =
            |sketch: Option<CompactThetaSketch>| sketch.map_or(0, |sketch| sketch.estimate().round() as i64);
        Ok(match self.answer {
            Answer::Estimate => {
                array::<Int64Array, _>(results.into_iter().map(|sketch| Some(number(sketch))))
            }
            Answer::Hex | Answer::Base64 => array::<StringArray, _>(
                results.into_iter().map(|sketch| sketch.map(|sketch| STANDARD.encode(sketch.serialize()))),
            ),
        })
    }

    fn heap_bytes(&self, state: &Option<Vec<Theta>>) -> usize {
        let sketches = state.iter().flatten();
        sketches.map(|sketch| size_of::<Theta>() + sketch.heap_bytes()).sum()
    }
}
