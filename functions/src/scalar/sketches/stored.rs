//! Values on their way into sketches, and sketches as they are stored.

use std::borrow::Cow;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Decimal256Type, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMillisecondType,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use datasketches::common::NumStdDev;
use datasketches::cpc::CpcSketch;
use datasketches::error::Error;
use datasketches::theta::CompactThetaSketch;
use meunier_segment::value::format_big_decimal;

use super::super::call::{Call, Fault};
use super::super::number::double_text;
use crate::aggregate::sketches::sketch::Item;

/// Hands a value that is not null to a sketch, in the form that Pinot hashes.
pub(super) fn item_at(array: &ArrayRef, at: usize, offer: impl FnOnce(Item<'_>)) -> Result<(), Fault> {
    match array.data_type() {
        DataType::Null => {}
        DataType::Int32 => offer(Item::Int(array.as_primitive::<Int32Type>().value(at))),
        DataType::Int64 => offer(Item::Long(array.as_primitive::<Int64Type>().value(at))),
        DataType::Float32 => offer(Item::Float(array.as_primitive::<Float32Type>().value(at))),
        DataType::Float64 => offer(Item::Double(array.as_primitive::<Float64Type>().value(at))),
        DataType::Boolean => offer(Item::Int(i32::from(array.as_boolean().value(at)))),
        DataType::Timestamp(..) => {
            offer(Item::Long(array.as_primitive::<TimestampMillisecondType>().value(at)));
        }
        DataType::Decimal256(..) => {
            offer(Item::Text(&format_big_decimal(array.as_primitive::<Decimal256Type>().value(at))));
        }
        DataType::Utf8 => offer(Item::Text(array.as_string::<i32>().value(at))),
        DataType::Binary => offer(Item::Bytes(array.as_binary::<i32>().value(at))),
        other => return Err(Fault::Arguments(format!("there are no sketches of {other}"))),
    }
    Ok(())
}

/// Returns the bytes of a sketch, or nothing where it is null.
pub(super) fn bytes_at<'a>(
    call: &Call<'a>,
    position: usize,
    row: usize,
) -> Result<Option<Cow<'a, [u8]>>, Fault> {
    let column = call.column(position)?;
    let at = column.at(row);
    if column.array.is_null(at) || *column.array.data_type() == DataType::Null {
        return Ok(None);
    }
    match column.array.data_type() {
        DataType::Binary => Ok(Some(column.array.as_binary::<i32>().value(at).into())),
        DataType::Utf8 => match STANDARD.decode(column.array.as_string::<i32>().value(at)) {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(error) => Err(Fault::Arguments(format!("the sketch is not in Base64: {error}"))),
        },
        other => Err(Fault::Arguments(format!("a sketch is BYTES or a text in Base64, not {other}"))),
    }
}

/// Returns the theta sketch of a row.
pub(super) fn theta_at(
    call: &Call<'_>,
    position: usize,
    row: usize,
) -> Result<Option<CompactThetaSketch>, Fault> {
    let bad = |error: Error| Fault::Arguments(format!("theta sketch: {error}"));
    let bytes = bytes_at(call, position, row)?;
    bytes.map(|bytes| CompactThetaSketch::deserialize(&bytes).map_err(bad)).transpose()
}

/// Returns the CPC sketch of a row.
pub(super) fn cpc_at(call: &Call<'_>, position: usize, row: usize) -> Result<Option<CpcSketch>, Fault> {
    let bytes = bytes_at(call, position, row)?;
    bytes.map(|bytes| CpcSketch::deserialize(&bytes).map_err(bad_cpc)).transpose()
}

/// Returns what is wrong with a CPC sketch.
pub(super) fn bad_cpc(error: Error) -> Fault {
    Fault::Arguments(format!("CPC sketch: {error}"))
}

/// Returns what Java's library prints of a theta sketch.
pub(super) fn in_words(sketch: &CompactThetaSketch) -> String {
    let seed_hash = sketch.seed_hash();
    let lines = [
        ("Estimate", double_text(sketch.estimate())),
        ("Upper Bound, 95% conf", double_text(sketch.upper_bound(NumStdDev::Two))),
        ("Lower Bound, 95% conf", double_text(sketch.lower_bound(NumStdDev::Two))),
        ("Theta (double)", double_text(sketch.theta())),
        ("Theta (long)", sketch.theta64().to_string()),
        ("Theta (long) hex", format!("{:016x}", sketch.theta64())),
        ("EstMode?", sketch.is_estimation_mode().to_string()),
        ("Empty?", sketch.is_empty().to_string()),
        ("Ordered?", sketch.is_ordered().to_string()),
        ("Retained Entries", sketch.num_retained().to_string()),
        ("Seed Hash", format!("{seed_hash:04x} | {seed_hash}")),
    ];
    let mut words = String::from("\n### HeapCompactSketch SUMMARY: \n");
    for (name, value) in lines {
        words.push_str(&format!("   {name:<24}: {value}\n"));
    }
    words.push_str("### END SKETCH SUMMARY\n");
    words
}
