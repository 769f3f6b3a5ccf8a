//! `percentileKLL` and `percentileRawKLL`: KLL sketches of Apache DataSketches.

use arrow::array::{ArrayRef, Float64Array, StringArray};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use datafusion::common::{DataFusionError, exec_datafusion_err};
use datafusion::error::Result;
use datasketches::common::SearchCriteria;
use datasketches::kll::{KllFloat, KllSketch};

use super::digested::{Answer, Input};
use crate::aggregate::columns::{bytes, doubles};
use crate::aggregate::computation::{Computation, array};

type Sketch = KllSketch<KllFloat<f64>>;

/// Percentiles by KLL sketches.
pub(crate) struct Kll {
    pub(crate) answer: Answer,
    pub(crate) k: u16,
    /// Whether the column holds sketches.
    pub(crate) of_sketches: bool,
}

fn failed(error: datasketches::error::Error) -> DataFusionError {
    exec_datafusion_err!("KLL sketch: {error}")
}

impl Kll {
    fn sketch<'a>(&self, state: &'a mut Option<Box<Sketch>>) -> Result<&'a mut Sketch> {
        if state.is_none() {
            *state = Some(Box::new(Sketch::new(self.k).map_err(failed)?));
        }
        state.as_deref_mut().ok_or_else(|| exec_datafusion_err!("a sketch was just made"))
    }

    /// Sketches may be of another `k`: the accuracy is then the coarser one's.
    fn take_in(&self, state: &mut Option<Box<Sketch>>, written: &[u8]) -> Result<()> {
        let other = Sketch::deserialize(written).map_err(failed)?;
        self.sketch(state)?.merge(&other).map_err(failed)
    }
}

impl Computation for Kll {
    type State = Option<Box<Sketch>>;
    type Columns = Input<Float64Array>;

    fn start(&self) -> Option<Box<Sketch>> {
        None
    }

    fn columns(&self, arguments: &[ArrayRef]) -> Result<Input<Float64Array>> {
        Ok(match self.of_sketches {
            true => Input::Digests(bytes(&arguments[0])?),
            false => Input::Values(doubles(&arguments[0])?),
        })
    }

    fn add(
        &mut self,
        state: &mut Option<Box<Sketch>>,
        columns: &Input<Float64Array>,
        row: usize,
    ) -> Result<()> {
        match columns {
            Input::Values(values) => {
                let value = values.values()[row];
                // The library leaves NaN out, and so does Pinot's.
                if let Ok(value) = KllFloat::<f64>::new(value) {
                    self.sketch(state)?.update(value);
                }
                Ok(())
            }
            Input::Digests(sketches) => self.take_in(state, sketches.value(row)),
        }
    }

    fn write(&mut self, state: &mut Option<Box<Sketch>>, out: &mut Vec<u8>) {
        if let Some(sketch) = state {
            out.extend(sketch.serialize());
        }
    }

    fn merge(&mut self, state: &mut Option<Box<Sketch>>, written: &[u8]) -> Result<()> {
        self.take_in(state, written)
    }

    fn finish(&mut self, states: &mut [Option<Box<Sketch>>]) -> Result<ArrayRef> {
        match self.answer {
            Answer::Percentile(percentile) => {
                let mut results = Vec::with_capacity(states.len());
                for state in states {
                    let value = match state {
                        Some(sketch) => {
                            sketch.quantile(percentile / 100.0, SearchCriteria::Inclusive).map_err(failed)?
                        }
                        None => None,
                    };
                    results.push(value.map(KllFloat::into_inner));
                }
                Ok(array::<Float64Array, _>(results.into_iter()))
            }
            Answer::Raw => {
                let raw = states.iter().map(|state| Some(STANDARD.encode(state.as_ref()?.serialize())));
                Ok(array::<StringArray, _>(raw))
            }
        }
    }

    fn heap_bytes(&self, state: &Option<Box<Sketch>>) -> usize {
        // Retained values are at most about three times k; the levels grow by doubling.
        let values = |sketch: &Sketch| usize::try_from(sketch.n()).unwrap_or(usize::MAX);
        let most = 4 * usize::from(self.k);
        state.as_ref().map_or(0, |sketch| size_of::<Sketch>() + 8 * values(sketch).min(most))
    }
}
