//! Tuple sketches of Apache DataSketches whose entries carry an INT that is summed up: `…IntegerSumTupleSketch`.

use arrow::array::{ArrayRef, BinaryArray, Int64Array, StringArray};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use datafusion::common::{DataFusionError, exec_datafusion_err};
use datafusion::error::Result;
use datasketches::codec::{SketchBytes, SketchSlice};
use datasketches::error::{Error, ErrorKind};
use datasketches::tuple::{
    CompactTupleSketch, SummaryCombinePolicy, SummaryPolicy, SummaryUpdatePolicy, TupleSummaryValue,
    TupleUnion, TupleUnionBuilder,
};

use crate::aggregate::columns::bytes;
use crate::aggregate::computation::{Computation, array};

/// What is answered of a tuple sketch.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TupleAnswer {
    /// How many distinct keys there are.
    Keys,
    /// The sum of all values.
    Sum,
    /// The mean value of a key.
    Mean,
    /// The sketch, in Base64.
    Raw,
}

/// Unions of tuple sketches.
pub(crate) struct Tuples {
    pub(crate) answer: TupleAnswer,
    /// The logarithm of the nominal entries.
    pub(crate) lg_k: u8,
}

/// The value of one key: the INT, and what Java's library does with two of them.
#[derive(Debug, Clone)]
pub(crate) struct IntegerSummary {
    value: i32,
    mode: u8,
}

/// What becomes of two values of a key; the numbers are those of Java's modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Combined {
    /// They are added.
    Sum = 0,
    /// The smaller one stays.
    Min = 1,
    /// The larger one stays.
    Max = 2,
}

impl SummaryPolicy for Combined {
    type Summary = IntegerSummary;

    fn create(&self) -> IntegerSummary {
        let value = match self {
            Combined::Sum => 0,
            Combined::Min => i32::MAX,
            Combined::Max => i32::MIN,
        };
        IntegerSummary { value, mode: *self as u8 }
    }
}

impl SummaryCombinePolicy for Combined {
    fn combine(&self, summary: &mut IntegerSummary, other: &IntegerSummary) {
        self.update(summary, other.value);
        summary.mode = *self as u8;
    }
}

impl SummaryUpdatePolicy<i32> for Combined {
    fn update(&self, summary: &mut IntegerSummary, value: i32) {
        summary.value = match self {
            Combined::Sum => summary.value.wrapping_add(value),
            Combined::Min => summary.value.min(value),
            Combined::Max => summary.value.max(value),
        };
    }
}

impl TupleSummaryValue for IntegerSummary {
    fn serialize_size(&self) -> usize {
        5
    }

    fn serialize_value(&self, bytes: &mut SketchBytes) {
        bytes.write_i32_le(self.value);
        bytes.write_u8(self.mode);
    }

    fn deserialize_value(cursor: &mut SketchSlice<'_>) -> std::result::Result<IntegerSummary, Error> {
        let ended = |_| Error::new(ErrorKind::InvalidData, "a tuple sketch ends in a summary");
        Ok(IntegerSummary {
            value: cursor.read_i32_le().map_err(ended)?,
            mode: cursor.read_u8().map_err(ended)?,
        })
    }
}

pub(crate) fn failed(error: Error) -> DataFusionError {
    exec_datafusion_err!("tuple sketch: {error}")
}

type Union = TupleUnion<Combined>;
/// A tuple sketch as it is stored.
pub(crate) type Compact = CompactTupleSketch<IntegerSummary>;

impl Tuples {
    #[expect(clippy::cast_possible_truncation, reason = "Pinot rounds it")]
    fn number(&self, sketch: &Compact) -> Option<i64> {
        let sum: f64 = sketch.iter().map(|entry| f64::from(entry.summary().value)).sum();
        match self.answer {
            TupleAnswer::Keys => Some(sketch.estimate() as i64),
            TupleAnswer::Sum => Some((sum / sketch.theta()).round() as i64),
            TupleAnswer::Mean | TupleAnswer::Raw => match sketch.num_retained() {
                0 => None,
                retained => Some((sum / retained as f64).round() as i64),
            },
        }
    }
}

impl Computation for Tuples {
    type State = Option<Box<Union>>;
    type Columns = BinaryArray;

    fn start(&self) -> Option<Box<Union>> {
        None
    }

    fn columns(&self, arguments: &[ArrayRef]) -> Result<BinaryArray> {
        bytes(&arguments[0])
    }

    fn add(&mut self, state: &mut Option<Box<Union>>, columns: &BinaryArray, row: usize) -> Result<()> {
        self.merge(state, columns.value(row))
    }

    fn write(&mut self, state: &mut Option<Box<Union>>, out: &mut Vec<u8>) {
        if let Some(union) = state {
            out.extend(union.to_sketch(true).serialize());
        }
    }

    fn merge(&mut self, state: &mut Option<Box<Union>>, written: &[u8]) -> Result<()> {
        let sketch = Compact::deserialize(written).map_err(failed)?;
        let union = match state {
            Some(union) => union,
            None => {
                let union = TupleUnionBuilder::new(Combined::Sum).lg_k(self.lg_k).build().map_err(failed)?;
                state.insert(Box::new(union))
            }
        };
        union.update(&sketch).map_err(failed)
    }

    fn finish(&mut self, states: &mut [Option<Box<Union>>]) -> Result<ArrayRef> {
        let sketches = states.iter().map(|state| state.as_ref().map(|union| union.to_sketch(true)));
        Ok(match self.answer {
            TupleAnswer::Raw => array::<StringArray, _>(
                sketches.map(|sketch| sketch.map(|sketch| STANDARD.encode(sketch.serialize()))),
            ),
            TupleAnswer::Keys => array::<Int64Array, _>(
                sketches.map(|sketch| sketch.map_or(Some(0), |sketch| self.number(&sketch))),
            ),
            TupleAnswer::Sum | TupleAnswer::Mean => {
                array::<Int64Array, _>(sketches.map(|sketch| sketch.and_then(|sketch| self.number(&sketch))))
            }
        })
    }

    fn heap_bytes(&self, state: &Option<Box<Union>>) -> usize {
        state.as_ref().map_or(0, |union| size_of::<Union>() + union.estimated_size())
    }
}
