//! Percentiles by a digest: `percentileTDigest`, the digests of `percentileEst`, and the digests themselves as text.

use arrow::array::{ArrayRef, BinaryArray, Float64Array, Int64Array, StringArray};
use datafusion::common::exec_err;
use datafusion::error::Result;

use super::digest::{Digest, Scratch};
use super::quantile_digest::QuantileDigest;
use crate::aggregate::columns::{bytes, doubles, longs};
use crate::aggregate::computation::{Computation, array};

/// What is answered of a digest.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    /// The value at a percentile.
    Percentile(f64),
    /// The digest in Pinot's bytes, in hex.
    Raw,
}

/// Values, or digests of values.
pub(crate) enum Input<V> {
    Values(V),
    Digests(BinaryArray),
}

/// `percentileTDigest` and `percentileRawTDigest`.
pub(crate) struct TDigest {
    answer: Answer,
    compression: f64,
    /// Whether the column holds digests.
    of_digests: bool,
    scratch: Scratch,
}

impl TDigest {
    pub(crate) fn new(answer: Answer, compression: f64, of_digests: bool) -> TDigest {
        TDigest { answer, compression, of_digests, scratch: Scratch::default() }
    }
}

impl Computation for TDigest {
    type State = Digest;
    type Columns = Input<Float64Array>;

    fn start(&self) -> Digest {
        Digest::new(self.compression)
    }

    fn columns(&self, arguments: &[ArrayRef]) -> Result<Input<Float64Array>> {
        Ok(match self.of_digests {
            true => Input::Digests(bytes(&arguments[0])?),
            false => Input::Values(doubles(&arguments[0])?),
        })
    }

    fn add(&mut self, state: &mut Digest, columns: &Input<Float64Array>, row: usize) -> Result<()> {
        match columns {
            Input::Values(values) => match values.values()[row] {
                value if value.is_nan() => {
                    return exec_err!("NaN has no place among the values of a t-digest");
                }
                value => state.add(value, &mut self.scratch),
            },
            Input::Digests(digests) => {
                state.merge(Digest::from_pinot(digests.value(row))?, &mut self.scratch);
            }
        }
        Ok(())
    }

    fn write(&mut self, state: &mut Digest, out: &mut Vec<u8>) {
        state.write(out, &mut self.scratch);
    }

    fn merge(&mut self, state: &mut Digest, written: &[u8]) -> Result<()> {
        state.merge(Digest::read(self.compression, written)?, &mut self.scratch);
        Ok(())
    }

    fn finish(&mut self, states: &mut [Digest]) -> Result<ArrayRef> {
        let scratch = &mut self.scratch;
        Ok(match self.answer {
            Answer::Percentile(percentile) => array::<Float64Array, _>(
                states.iter_mut().map(|digest| digest.quantile(percentile / 100.0, scratch)),
            ),
            Answer::Raw => array::<StringArray, _>(
                states
                    .iter_mut()
                    .map(|digest| (!digest.is_empty()).then(|| hex::encode(digest.pinot_bytes(scratch)))),
            ),
        })
    }

    fn heap_bytes(&self, state: &Digest) -> usize {
        state.heap_bytes()
    }
}

/// `percentileRawEst`, and `percentileEst` of a column that holds digests.
pub(crate) struct Est {
    pub(crate) answer: Answer,
    /// Whether the column holds digests.
    pub(crate) of_digests: bool,
}

impl Computation for Est {
    type State = QuantileDigest;
    type Columns = Input<Int64Array>;

    fn start(&self) -> QuantileDigest {
        QuantileDigest::new()
    }

    fn columns(&self, arguments: &[ArrayRef]) -> Result<Input<Int64Array>> {
        Ok(match self.of_digests {
            true => Input::Digests(bytes(&arguments[0])?),
            false => Input::Values(longs(&arguments[0])?),
        })
    }

    fn add(&mut self, state: &mut QuantileDigest, columns: &Input<Int64Array>, row: usize) -> Result<()> {
        match columns {
            Input::Values(values) => state.add(values.values()[row]),
            Input::Digests(digests) => state.merge(&QuantileDigest::from_pinot(digests.value(row))?),
        }
        Ok(())
    }

    fn write(&mut self, state: &mut QuantileDigest, out: &mut Vec<u8>) {
        if !state.is_empty() {
            out.extend(state.to_pinot());
        }
    }

    fn merge(&mut self, state: &mut QuantileDigest, written: &[u8]) -> Result<()> {
        state.merge(&QuantileDigest::from_pinot(written)?);
        Ok(())
    }

    fn finish(&mut self, states: &mut [QuantileDigest]) -> Result<ArrayRef> {
        Ok(match self.answer {
            Answer::Percentile(percentile) => {
                array::<Int64Array, _>(states.iter().map(|digest| digest.quantile(percentile / 100.0)))
            }
            Answer::Raw => array::<StringArray, _>(
                states.iter().map(|digest| (!digest.is_empty()).then(|| hex::encode(digest.to_pinot()))),
            ),
        })
    }

    fn heap_bytes(&self, state: &QuantileDigest) -> usize {
        state.heap_bytes()
    }
}
