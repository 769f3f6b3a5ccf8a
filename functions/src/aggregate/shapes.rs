//! `stUnion`: all shapes of a group as one.

use arrow::array::{ArrayRef, BinaryArray};
use arrow::datatypes::DataType;
use datafusion::common::plan_err;
use datafusion::error::Result;
use foldhash::fast::FixedState;
use hashbrown::HashSet;

use super::columns::bytes;
use super::computation::{Computation, Groups, array};
use super::serial::{Reader, Write};
use super::udaf::Definition;
use crate::scalar::geo_union;

/// All of them.
pub(crate) static DEFINITIONS: [Definition; 1] = [Definition {
    description: Definition::describe(
        "ST_Union",
        &[],
        "ST_Union(shape)",
        "The union of all shapes on a plane",
    ),
    arguments: 1..=1,
    elements: true,
    result: |types| match &types[0] {
        DataType::Binary | DataType::Null => Ok(DataType::Binary),
        other => plan_err!("shapes are BYTES, not {other}; call it as ST_Union(shape)"),
    },
    start: |_| Ok(Groups::boxed(Union)),
}];

/// The shapes of a group, each once, and their bytes.
type Shapes = (HashSet<Box<[u8]>, FixedState>, usize);

/// Unions of shapes.
struct Union;

fn put((shapes, held): &mut Shapes, shape: &[u8]) {
    if !shapes.contains(shape) {
        *held += shape.len();
        shapes.insert(shape.into());
    }
}

impl Computation for Union {
    type State = Shapes;
    type Columns = BinaryArray;

    fn start(&self) -> Shapes {
        Shapes::default()
    }

    fn columns(&self, arguments: &[ArrayRef]) -> Result<BinaryArray> {
        bytes(&arguments[0])
    }

    fn add(&mut self, state: &mut Shapes, columns: &BinaryArray, row: usize) -> Result<()> {
        put(state, columns.value(row));
        Ok(())
    }

    fn write(&mut self, (shapes, _): &mut Shapes, out: &mut Vec<u8>) {
        shapes.iter().for_each(|shape| out.put_bytes(shape));
    }

    fn merge(&mut self, state: &mut Shapes, written: &[u8]) -> Result<()> {
        let mut reader = Reader(written);
        while !reader.is_at_end() {
            put(state, reader.bytes()?);
        }
        Ok(())
    }

    fn finish(&mut self, states: &mut [Shapes]) -> Result<ArrayRef> {
        let mut unions = Vec::with_capacity(states.len());
        for (shapes, _) in &*states {
            // One order, so that the same shapes have the same union.
            let mut shapes: Vec<Vec<u8>> = shapes.iter().map(|shape| shape.to_vec()).collect();
            shapes.sort_unstable();
            unions.push(match shapes.is_empty() {
                true => None,
                false => Some(geo_union(&shapes).map_err(|fault| fault.into_error("ST_Union(shape)"))?),
            });
        }
        Ok(array::<BinaryArray, _>(unions.into_iter()))
    }

    fn heap_bytes(&self, (shapes, held): &Shapes) -> usize {
        shapes.allocation_size() + held
    }
}
