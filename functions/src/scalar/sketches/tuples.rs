//! Tuple sketches whose entries carry an INT.

use arrow::array::{Array, ArrayRef};
use datasketches::tuple::{
    TupleANotB, TupleIntersection, TupleSketch, TupleSketchBuilder, TupleUnionBuilder,
};
use std::hash::Hash;

use super::stored::{bytes_at, item_at};
use crate::aggregate::sketches::theta::{Update, update};
use crate::aggregate::sketches::tuple::{Combined, Compact, failed};
use crate::description::FunctionGroup::Sketch as Group;
use crate::scalar::call::{Call, Fault};
use crate::scalar::function::{Function, Overload};
use crate::scalar::kind::{Kind, Scalar};
use crate::scalar::rows::fault;
use crate::scalar::sink::{Output, collect};

/// The logarithm of the nominal entries where a call names none.
const LG_K: i32 = 14;

/// Returns the functions.
pub(super) fn functions() -> Vec<Function> {
    let of_value = Overload::new(
        &[Kind::Any, Kind::One(Scalar::Int), Kind::One(Scalar::Int)],
        Vec::<u8>::gives(),
        sketches_of,
    );
    vec![
        Function::new(
            Group,
            &["toIntegerSumTupleSketch"],
            "toIntegerSumTupleSketch(key, value[, lgK])",
            "The tuple sketch of a key with an INT.",
            [of_value.required(2)],
        ),
        Function::new(
            Group,
            &["getIntTupleSketchEstimate"],
            "getIntTupleSketchEstimate(sketch)",
            "How many distinct keys a tuple sketch has seen.",
            [Overload::new(&[Kind::Any], i64::gives(), |call| {
                collect::<i64>(call.rows, |row| {
                    #[expect(clippy::cast_possible_truncation, reason = "Pinot rounds it")]
                    let estimate = sketch_at(call, 0, row)?.map(|sketch| sketch.estimate().round() as i64);
                    Ok(estimate)
                })
            })],
        ),
        union(
            &["intSumTupleSketchUnion"],
            "intSumTupleSketchUnion([nominalEntries, ]sketch, sketch)",
            "The union of two tuple sketches, the values of a key added.",
            |call| unions(call, Combined::Sum),
        ),
        union(
            &["intMinTupleSketchUnion"],
            "intMinTupleSketchUnion([nominalEntries, ]sketch, sketch)",
            "The union of two tuple sketches with the smallest value of a key.",
            |call| unions(call, Combined::Min),
        ),
        union(
            &["intMaxTupleSketchUnion"],
            "intMaxTupleSketchUnion([nominalEntries, ]sketch, sketch)",
            "The union of two tuple sketches with the largest value of a key.",
            |call| unions(call, Combined::Max),
        ),
        pair(
            &["intSumTupleSketchIntersect"],
            "intSumTupleSketchIntersect(sketch, sketch)",
            "The keys that are in both tuple sketches, their values added.",
            |call| intersections(call, Combined::Sum),
        ),
        pair(
            &["intMinTupleSketchIntersect"],
            "intMinTupleSketchIntersect(sketch, sketch)",
            "The keys that are in both tuple sketches, with the smaller value.",
            |call| intersections(call, Combined::Min),
        ),
        pair(
            &["intMaxTupleSketchIntersect"],
            "intMaxTupleSketchIntersect(sketch, sketch)",
            "The keys that are in both tuple sketches, with the larger value.",
            |call| intersections(call, Combined::Max),
        ),
        pair(
            &["intSumTupleSketchDiff"],
            "intSumTupleSketchDiff(sketch, sketch)",
            "What is in the first tuple sketch and not in the second.",
            |call| {
                each_pair(call, 0, |_, first, second| {
                    Ok(TupleANotB::default().compute(first, second, true).map_err(failed)?)
                })
            },
        ),
    ]
}

type Kernel = fn(&Call<'_>) -> Result<ArrayRef, Fault>;

fn pair(
    names: &'static [&'static str],
    signature: &'static str,
    text: &'static str,
    kernel: Kernel,
) -> Function {
    let overload = Overload::new(&[Kind::Any, Kind::Any], Vec::<u8>::gives(), kernel);
    Function::new(Group, names, signature, text, [overload])
}

fn union(
    names: &'static [&'static str],
    signature: &'static str,
    text: &'static str,
    kernel: Kernel,
) -> Function {
    let of_two = Overload::new(&[Kind::Any, Kind::Any], Vec::<u8>::gives(), kernel);
    let of_three = Overload::new(&[Kind::One(Scalar::Int), Kind::Any, Kind::Any], Vec::<u8>::gives(), kernel);
    Function::new(Group, names, signature, text, [of_two, of_three])
}

/// A sketch and the value that its next key gets.
struct Keyed<'a> {
    sketch: &'a mut TupleSketch<Combined>,
    value: i32,
}

impl Update for Keyed<'_> {
    fn update(&mut self, key: impl Hash) {
        self.sketch.update(key, self.value);
    }
}

/// A key or a value that is null makes an empty sketch.
fn sketches_of(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    let keys = call.column(0)?;
    collect::<Vec<u8>>(call.rows, |row| {
        let lg_k = if call.len() > 2 { call.int(2, row).unwrap_or(LG_K) } else { LG_K };
        let Some(lg_k) = u8::try_from(lg_k).ok().filter(|lg_k| (4..=26).contains(lg_k)) else {
            return fault(format!("a tuple sketch has 2^4 to 2^26 entries, not 2^{lg_k}"));
        };
        let mut sketch = TupleSketchBuilder::new(Combined::Sum).lg_k(lg_k).build().map_err(failed)?;
        let at = keys.at(row);
        if let (true, Some(value)) = (keys.array.is_valid(at), call.int(1, row)) {
            item_at(&keys.array, at, |key| update(&mut Keyed { sketch: &mut sketch, value }, key))?;
        }
        Ok(Some(sketch.compact(true).serialize()))
    })
}

fn sketch_at(call: &Call<'_>, position: usize, row: usize) -> Result<Option<Compact>, Fault> {
    let bytes = bytes_at(call, position, row)?;
    Ok(bytes.map(|bytes| Compact::deserialize(&bytes).map_err(failed)).transpose()?)
}

/// Puts the two sketches from a position on together.
fn each_pair(
    call: &Call<'_>,
    first: usize,
    combine: impl Fn(usize, &Compact, &Compact) -> Result<Compact, Fault>,
) -> Result<ArrayRef, Fault> {
    collect::<Vec<u8>>(call.rows, |row| {
        match (sketch_at(call, first, row)?, sketch_at(call, first + 1, row)?) {
            (Some(one), Some(other)) => Ok(Some(combine(row, &one, &other)?.serialize())),
            _ => Ok(None),
        }
    })
}

fn unions(call: &Call<'_>, combined: Combined) -> Result<ArrayRef, Fault> {
    let names_entries = call.len() == 3;
    each_pair(call, usize::from(names_entries), |row, first, second| {
        let entries = if names_entries { call.int(0, row).unwrap_or(1 << LG_K) } else { 1 << LG_K };
        if !(16..=1 << 26).contains(&entries) {
            return fault(format!("a tuple sketch has 16 to 2^26 nominal entries, not {entries}"));
        }
        let lg_k = super::lg(entries);
        let mut union = TupleUnionBuilder::new(combined).lg_k(lg_k).build().map_err(failed)?;
        union.update(first).map_err(failed)?;
        union.update(second).map_err(failed)?;
        Ok(union.to_sketch(true))
    })
}

fn intersections(call: &Call<'_>, combined: Combined) -> Result<ArrayRef, Fault> {
    each_pair(call, 0, |_, first, second| {
        let mut intersection = TupleIntersection::new(combined);
        intersection.update(first).map_err(failed)?;
        intersection.update(second).map_err(failed)?;
        intersection.to_sketch(true).ok_or_else(|| Fault::from("there is no sketch to intersect"))
    })
}
