//! What all sketches have in common: values go in, or sketches in their serialised form; a number or bytes come out.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray};
use arrow::datatypes::{
    DataType, Decimal256Type, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMillisecondType,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use datafusion::error::Result;

use crate::aggregate::cell::check_cell;
use crate::aggregate::columns::cast_to;
use crate::aggregate::computation::{Computation, array};

/// One value on its way into a sketch.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Item<'a> {
    Int(i32),
    Long(i64),
    Float(f32),
    Double(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

/// A summary of distinct or frequent values.
pub(crate) trait Sketch: Sized + Send + Sync + 'static {
    /// How large it is, and the like.
    type Settings: Send + Sync + 'static;

    fn new(settings: &Self::Settings) -> Result<Self>;
    fn offer(&mut self, item: Item<'_>);
    /// Takes in a sketch in its serialised form.
    fn merge(&mut self, settings: &Self::Settings, bytes: &[u8]) -> Result<()>;
    /// Returns its serialised form.
    fn to_bytes(&self) -> Vec<u8>;
    /// Returns the form in which Pinot answers it.
    fn to_answer(&self) -> Vec<u8> {
        self.to_bytes()
    }
    fn estimate(&self) -> i64;
    /// Returns the bytes it holds outside itself; quick.
    fn heap_bytes(&self) -> usize;
}

/// What is answered of a sketch.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    Estimate,
    Hex,
    Base64,
}

impl Answer {
    /// Returns the type of the answer.
    pub(crate) fn data_type(self) -> DataType {
        match self {
            Answer::Estimate => DataType::Int64,
            Answer::Hex | Answer::Base64 => DataType::Utf8,
        }
    }
}

/// Offers the value of a row, or merges the sketch that it is.
pub(crate) fn offer_row<S: Sketch>(
    sketch: &mut S,
    settings: &S::Settings,
    values: &ArrayRef,
    of_sketches: bool,
    row: usize,
) -> Result<()> {
    match values.data_type() {
        DataType::Binary if of_sketches => {
            return sketch.merge(settings, values.as_binary::<i32>().value(row));
        }
        DataType::Boolean => sketch.offer(Item::Int(i32::from(values.as_boolean().value(row)))),
        DataType::Int32 => sketch.offer(Item::Int(values.as_primitive::<Int32Type>().value(row))),
        DataType::Int64 => sketch.offer(Item::Long(values.as_primitive::<Int64Type>().value(row))),
        DataType::Timestamp(..) => {
            sketch.offer(Item::Long(values.as_primitive::<TimestampMillisecondType>().value(row)));
        }
        DataType::Float32 => sketch.offer(Item::Float(values.as_primitive::<Float32Type>().value(row))),
        DataType::Float64 => sketch.offer(Item::Double(values.as_primitive::<Float64Type>().value(row))),
        DataType::Decimal256(..) => {
            let bytes = values.as_primitive::<Decimal256Type>().value(row).to_be_bytes();
            sketch.offer(Item::Bytes(&bytes));
        }
        DataType::Binary => sketch.offer(Item::Bytes(values.as_binary::<i32>().value(row))),
        _ => sketch.offer(Item::Text(values.as_string::<i32>().value(row))),
    }
    Ok(())
}

/// One sketch a group.
pub(crate) struct Sketched<S: Sketch> {
    settings: S::Settings,
    answer: Answer,
    /// The type that values are read in.
    of: DataType,
    /// Whether the column holds serialised sketches.
    of_sketches: bool,
}

impl<S: Sketch> Sketched<S> {
    pub(crate) fn new(
        settings: S::Settings,
        answer: Answer,
        column: &DataType,
        bytes_are_sketches: bool,
    ) -> Result<Sketched<S>> {
        let of = check_cell(column)?;
        let of_sketches = bytes_are_sketches && of == DataType::Binary;
        Ok(Sketched { settings, answer, of, of_sketches })
    }

    fn sketch<'a>(&self, state: &'a mut Option<Box<S>>) -> Result<&'a mut S> {
        Ok(match state {
            Some(sketch) => sketch,
            None => state.insert(Box::new(S::new(&self.settings)?)),
        })
    }
}

impl<S: Sketch> Computation for Sketched<S> {
    type State = Option<Box<S>>;
    type Columns = ArrayRef;

    fn start(&self) -> Option<Box<S>> {
        None
    }

    fn columns(&self, arguments: &[ArrayRef]) -> Result<ArrayRef> {
        cast_to(&arguments[0], &self.of)
    }

    fn add(&mut self, state: &mut Option<Box<S>>, columns: &ArrayRef, row: usize) -> Result<()> {
        let sketch = self.sketch(state)?;
        offer_row(sketch, &self.settings, columns, self.of_sketches, row)
    }

    fn write(&mut self, state: &mut Option<Box<S>>, out: &mut Vec<u8>) {
        if let Some(sketch) = state {
            out.extend(sketch.to_bytes());
        }
    }

    fn merge(&mut self, state: &mut Option<Box<S>>, written: &[u8]) -> Result<()> {
        self.sketch(state)?.merge(&self.settings, written)
    }

    fn finish(&mut self, states: &mut [Option<Box<S>>]) -> Result<ArrayRef> {
        let sketches = states.iter().map(Option::as_ref);
        Ok(match self.answer {
            // Nothing has no distinct values, whether nulls are shown or not.
            Answer::Estimate => array::<Int64Array, _>(
                sketches.map(|sketch| Some(sketch.map_or(0, |sketch| sketch.estimate()))),
            ),
            Answer::Hex => array::<StringArray, _>(
                sketches.map(|sketch| sketch.map(|sketch| hex::encode(sketch.to_answer()))),
            ),
            Answer::Base64 => array::<StringArray, _>(
                sketches.map(|sketch| sketch.map(|sketch| STANDARD.encode(sketch.to_answer()))),
            ),
        })
    }

    fn heap_bytes(&self, state: &Option<Box<S>>) -> usize {
        state.as_ref().map_or(0, |sketch| size_of::<S>() + sketch.heap_bytes())
    }
}
