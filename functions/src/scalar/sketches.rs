//! Sketches of one value, and what is made of stored sketches.
//!
//! A stored sketch is BYTES, or a text in Base64 as the raw aggregates give it.

mod stored;
mod tuples;

use arrow::array::{Array, ArrayRef};
use datasketches::cpc::CpcUnion;

use self::stored::{cpc_at, item_at, theta_at};
use super::call::{Call, Fault};
use super::function::{Function, Overload};
use super::kind::{Kind, Scalar};
use super::rows::{Bytes, fault, row1};
use super::sink::{Output, check_value, collect};
use crate::aggregate::sketches::hll::Hll;
use crate::aggregate::sketches::sets;
use crate::aggregate::sketches::sketch::Sketch;
use crate::aggregate::sketches::theta::{Cpc, Theta};
use crate::aggregate::sketches::ull::Ull;
use crate::description::FunctionGroup::Sketch as Group;

/// Entries of a theta sketch where a call names none.
const THETA_ENTRIES: i32 = 16_384;
/// Entries of the union of theta sketches.
const THETA_UNION_LG: u8 = 12;
const CPC_LG: u8 = 12;
const CPC_LG_USUAL: i32 = 12;
const HLL_LOG2M: i32 = 8;
const ULL_P: i32 = 12;
/// Most sketches that are put together at once.
const SKETCHES_MAX: usize = 5;

/// Returns the functions.
pub(crate) fn functions() -> Vec<Function> {
    let mut functions = makers();
    functions.extend(theta_sets());
    functions.extend(cpc_unions());
    functions.extend(tuples::functions());
    functions
}

fn makers() -> Vec<Function> {
    vec![
        maker(
            &["toThetaSketch"],
            "toThetaSketch(value[, nominalEntries])",
            "The theta sketch of a value.",
            |call| {
                sketches_of::<Theta>(call, THETA_ENTRIES, |entries| {
                    (16..=1 << 26).contains(&entries).then(|| lg(entries))
                })
            },
        ),
        maker(&["toHLL"], "toHLL(value[, log2m])", "The HyperLogLog of a value.", |call| {
            sketches_of::<Hll>(call, HLL_LOG2M, |log2| {
                u8::try_from(log2).ok().filter(|log2| (1..=22).contains(log2))
            })
        }),
        maker(&["toCpcSketch"], "toCpcSketch(value[, lgK])", "The CPC sketch of a value.", |call| {
            sketches_of::<Cpc>(call, CPC_LG_USUAL, |lg| {
                u8::try_from(lg).ok().filter(|lg| (4..=26).contains(lg))
            })
        }),
        maker(&["toULL"], "toULL(value[, p])", "The UltraLogLog of a value.", |call| {
            sketches_of::<Ull>(call, ULL_P, |p| u8::try_from(p).ok().filter(|p| (3..=22).contains(p)))
        }),
        Function::new(
            Group,
            &["fromULL"],
            "fromULL(bytes)",
            "The UltraLogLog of hash4j's registers, as it is stored.",
            [row1::<Bytes, _>(|registers| match Ull::of_registers(registers) {
                Some(sketch) => Ok(sketch.to_bytes()),
                None => fault(format!("{} bytes are no registers of an UltraLogLog", registers.len())),
            })],
        ),
    ]
}

type Kernel = fn(&Call<'_>) -> Result<ArrayRef, Fault>;

fn maker(
    names: &'static [&'static str],
    signature: &'static str,
    text: &'static str,
    kernel: Kernel,
) -> Function {
    let overload =
        Overload::new(&[Kind::Any, Kind::One(Scalar::Int)], Vec::<u8>::gives(), kernel).required(1);
    Function::new(Group, names, signature, text, [overload])
}

fn lg(entries: i32) -> u8 {
    u8::try_from(entries.cast_unsigned().next_power_of_two().ilog2()).unwrap_or(u8::MAX)
}

/// Returns a sketch of each value; of a null an empty one.
fn sketches_of<S: Sketch<Settings = u8>>(
    call: &Call<'_>,
    usual: i32,
    read: fn(i32) -> Option<u8>,
) -> Result<ArrayRef, Fault> {
    let values = call.column(0)?;
    collect::<Vec<u8>>(call.rows, |row| {
        let size = if call.len() > 1 { call.int(1, row).unwrap_or(usual) } else { usual };
        let Some(settings) = read(size) else { return fault(format!("{size} is no size of such a sketch")) };
        let mut sketch = S::new(&settings)?;
        let at = values.at(row);
        if values.array.is_valid(at) {
            item_at(&values.array, at, |item| sketch.offer(item))?;
        }
        let bytes = sketch.to_bytes();
        check_value(bytes.len())?;
        Ok(Some(bytes))
    })
}

fn theta_sets() -> Vec<Function> {
    vec![
        Function::new(
            Group,
            &["getThetaSketchEstimate"],
            "getThetaSketchEstimate(sketch)",
            "How many distinct values a theta sketch has seen.",
            [Overload::new(&[Kind::Any], i64::gives(), |call| {
                collect::<i64>(call.rows, |row| {
                    #[expect(clippy::cast_possible_truncation, reason = "Pinot rounds it")]
                    let estimate = theta_at(call, 0, row)?.map(|sketch| sketch.estimate().round() as i64);
                    Ok(estimate)
                })
            })],
        ),
        theta_set(
            &["thetaSketchUnion"],
            "thetaSketchUnion(sketch, sketch, …)",
            "The union of two to five theta sketches.",
            SKETCHES_MAX,
            |sketches| sets::union(sketches, THETA_UNION_LG),
        ),
        theta_set(
            &["thetaSketchIntersect"],
            "thetaSketchIntersect(sketch, sketch, …)",
            "The intersection of two to five theta sketches.",
            SKETCHES_MAX,
            sets::intersection,
        ),
        theta_set(
            &["thetaSketchDiff"],
            "thetaSketchDiff(sketch, sketch)",
            "What is in the first theta sketch and not in the second.",
            2,
            |sketches| sets::difference(&sketches[0], &sketches[1]),
        ),
        Function::new(
            Group,
            &["thetaSketchToString"],
            "thetaSketchToString(sketch)",
            "A theta sketch in words.",
            [Overload::new(&[Kind::Any], String::gives(), |call| {
                collect::<String>(call.rows, |row| {
                    Ok(theta_at(call, 0, row)?.map(|sketch| stored::in_words(&sketch)))
                })
            })],
        ),
    ]
}

type Combine = fn(
    &[datasketches::theta::CompactThetaSketch],
) -> datafusion::error::Result<datasketches::theta::CompactThetaSketch>;

fn theta_set(
    names: &'static [&'static str],
    signature: &'static str,
    text: &'static str,
    sketches_max: usize,
    combine: Combine,
) -> Function {
    let overload = Overload::new(&vec![Kind::Any; sketches_max], Vec::<u8>::gives(), move |call| {
        collect::<Vec<u8>>(call.rows, |row| {
            let mut sketches = Vec::with_capacity(call.len());
            for position in 0..call.len() {
                match theta_at(call, position, row)? {
                    Some(sketch) => sketches.push(sketch),
                    None => return Ok(None),
                }
            }
            Ok(Some(combine(&sketches)?.serialize()))
        })
    });
    Function::new(Group, names, signature, text, [overload.required(2)])
}

fn cpc_unions() -> Vec<Function> {
    vec![
        Function::new(
            Group,
            &["getCpcSketchEstimate"],
            "getCpcSketchEstimate(sketch)",
            "How many distinct values a CPC sketch has seen.",
            [Overload::new(&[Kind::Any], i64::gives(), |call| {
                collect::<i64>(call.rows, |row| {
                    #[expect(clippy::cast_possible_truncation, reason = "Pinot rounds it")]
                    let estimate = cpc_at(call, 0, row)?.map(|sketch| sketch.estimate().round() as i64);
                    Ok(estimate)
                })
            })],
        ),
        Function::new(
            Group,
            &["cpcSketchUnion"],
            "cpcSketchUnion(sketch, sketch, …)",
            "The union of two to five CPC sketches.",
            [Overload::new(&[Kind::Any; SKETCHES_MAX], Vec::<u8>::gives(), |call| {
                collect::<Vec<u8>>(call.rows, |row| {
                    let mut union = CpcUnion::new(CPC_LG).map_err(stored::bad_cpc)?;
                    for position in 0..call.len() {
                        let Some(sketch) = cpc_at(call, position, row)? else { return Ok(None) };
                        union.update(&sketch).map_err(stored::bad_cpc)?;
                    }
                    Ok(Some(union.to_sketch().serialize()))
                })
            })
            .required(2)],
        ),
    ]
}
