//! Counts of distinct values and frequent values, by sketches: exact while there are few where only a number is asked for,
//! and in the bytes of Pinot's libraries where a sketch is.

mod frequent;
mod hll;
mod sketch;
mod smart;
mod theta;

use arrow::datatypes::DataType;
use datafusion::common::plan_err;
use datafusion::error::Result;

use self::frequent::{FrequentLongs, FrequentTexts};
use self::hll::Hll;
use self::sketch::{Answer, Sketched};
use self::smart::Smart;
use self::theta::{Cpc, Theta};
use super::call::Call;
use super::cell::check_cell;
use super::columns::is_bytes;
use super::computation::{Groups, States};
use super::udaf::Definition;

/// Distinct values that are counted exactly.
const EXACT_MAX: usize = 100_000;
/// Registers of a HyperLogLog where a call names none, as a power of two.
const HLL_LOG2M: i64 = 8;
/// Entries of theta sketches where a call names none.
const THETA_ENTRIES: u64 = 16_384;
/// Entries of CPC sketches where a call names none, as a power of two.
const CPC_LG_K: i64 = 12;
/// Entries of the tables of frequent items where a call names none.
const FREQUENT_ITEMS: i64 = 256;

/// All of them.
pub(crate) static DEFINITIONS: [Definition; 13] = [
    count(
        "distinctCountHLL",
        &["distinctCountHLLMV", "fastHLL"],
        "distinctCountHLL(column[, log2m])",
        "The number of distinct values: exact up to 100,000, then within one per cent; of stored HyperLogLogs their estimate",
        |call| {
            call.integer(1, 1..=24, HLL_LOG2M)?;
            if is_bytes(&call.types[0]) { hll(call, Answer::Estimate) } else { smart(call, EXACT_MAX) }
        },
    ),
    raw(
        "distinctCountRawHLL",
        &["distinctCountRawHLLMV"],
        "distinctCountRawHLL(column[, log2m])",
        "The HyperLogLog of the values, in hex",
        |call| hll(call, Answer::Hex),
    ),
    count(
        "distinctCountHLLPlus",
        &["distinctCountHLLPlusMV"],
        "distinctCountHLLPlus(column[, p[, sp]])",
        "The number of distinct values: exact up to 100,000, then within one per cent",
        |call| {
            call.integer(1, 4..=24, 14)?;
            call.integer(2, 0..=32, 0)?;
            values_only(call)?;
            smart(call, EXACT_MAX)
        },
    ),
    count(
        "distinctCountULL",
        &[],
        "distinctCountULL(column[, p])",
        "The number of distinct values: exact up to 100,000, then within one per cent",
        |call| {
            call.integer(1, 3..=26, 12)?;
            values_only(call)?;
            smart(call, EXACT_MAX)
        },
    ),
    smart_count("distinctCountSmartHLL", "distinctCountSmartHLL(column[, 'threshold=100000;log2m=12'])"),
    smart_count("distinctCountSmartHLLPlus", "distinctCountSmartHLLPlus(column[, 'threshold=100000;p=14'])"),
    smart_count("distinctCountSmartULL", "distinctCountSmartULL(column[, 'threshold=100000;p=12'])"),
    count(
        "distinctCountThetaSketch",
        &[],
        "distinctCountThetaSketch(column[, 'nominalEntries=16384'])",
        "The number of distinct values by a theta sketch",
        |call| theta(call, Answer::Estimate),
    ),
    raw(
        "distinctCountRawThetaSketch",
        &[],
        "distinctCountRawThetaSketch(column[, 'nominalEntries=16384'])",
        "The theta sketch of the values, in Base64",
        |call| theta(call, Answer::Base64),
    ),
    count(
        "distinctCountCPCSketch",
        &[],
        "distinctCountCPCSketch(column[, lgK])",
        "The number of distinct values by a CPC sketch",
        |call| cpc(call, Answer::Estimate),
    ),
    raw(
        "distinctCountRawCPCSketch",
        &[],
        "distinctCountRawCPCSketch(column[, lgK])",
        "The CPC sketch of the values, in Base64",
        |call| cpc(call, Answer::Base64),
    ),
    raw(
        "frequentLongsSketch",
        &[],
        "frequentLongsSketch(column[, maxMapSize])",
        "The sketch of the most frequent LONG values, in Base64",
        frequent,
    ),
    raw(
        "frequentStringsSketch",
        &[],
        "frequentStringsSketch(column[, maxMapSize])",
        "The sketch of the most frequent texts, in Base64",
        frequent,
    ),
];

type Start = fn(&Call) -> Result<Box<dyn States>>;

const fn count(
    name: &'static str,
    aliases: &'static [&'static str],
    signature: &'static str,
    text: &'static str,
    start: Start,
) -> Definition {
    Definition {
        description: Definition::describe(name, aliases, signature, text),
        arguments: 1..=3,
        elements: true,
        result: |types| check_cell(&types[0]).map(|_| Answer::Estimate.data_type()),
        start,
    }
}

const fn raw(
    name: &'static str,
    aliases: &'static [&'static str],
    signature: &'static str,
    text: &'static str,
    start: Start,
) -> Definition {
    Definition {
        description: Definition::describe(name, aliases, signature, text),
        arguments: 1..=2,
        elements: true,
        result: |types| check_cell(&types[0]).map(|_| Answer::Base64.data_type()),
        start,
    }
}

const fn smart_count(name: &'static str, signature: &'static str) -> Definition {
    Definition {
        description: Definition::describe(
            name,
            &[],
            signature,
            "The number of distinct values: exact up to the threshold, then within one per cent",
        ),
        arguments: 1..=2,
        elements: true,
        result: |types| check_cell(&types[0]).map(|_| Answer::Estimate.data_type()),
        start: |call| {
            let mut threshold = EXACT_MAX;
            for (key, value) in call.parameters(1)? {
                match (key.as_str(), value.parse::<i32>()) {
                    ("threshold" | "hllconversionthreshold", Ok(values)) => {
                        // Pinot's way to say "always exact".
                        threshold = usize::try_from(values).ok().filter(|t| *t > 0).unwrap_or(usize::MAX);
                    }
                    ("log2m" | "hlllog2m" | "p" | "sp", Ok(_)) => {}
                    _ => return call.refuse(&format!("`{key}={value}` is no parameter that is known")),
                }
            }
            smart(call, threshold)
        },
    }
}

fn values_only(call: &Call) -> Result<()> {
    match is_bytes(&call.types[0]) {
        true => plan_err!("`{}` of stored sketches is not served; give it the values", call.name),
        false => Ok(()),
    }
}

fn smart(call: &Call, threshold: usize) -> Result<Box<dyn States>> {
    let computation = Sketched::<Smart>::new(threshold, Answer::Estimate, &call.types[0], false)?;
    Ok(Groups::boxed(computation))
}

fn hll(call: &Call, answer: Answer) -> Result<Box<dyn States>> {
    let log2m = u8::try_from(call.integer(1, 1..=24, HLL_LOG2M)?).unwrap_or(u8::MAX);
    Ok(Groups::boxed(Sketched::<Hll>::new(log2m, answer, &call.types[0], true)?))
}

fn theta(call: &Call, answer: Answer) -> Result<Box<dyn States>> {
    let mut entries = THETA_ENTRIES;
    for (key, value) in call.parameters(1)? {
        match (key.as_str(), value.parse::<u64>()) {
            ("nominalentries", Ok(wanted)) if (16..=1 << 26).contains(&wanted) => entries = wanted,
            ("accumulatorthreshold" | "samplingprobability", Ok(_)) => {}
            _ => return call.refuse(&format!("`{key}={value}` is no parameter that is known")),
        }
    }
    let lg_k = u8::try_from(entries.next_power_of_two().ilog2()).unwrap_or(u8::MAX);
    Ok(Groups::boxed(Sketched::<Theta>::new(lg_k, answer, &call.types[0], true)?))
}

fn cpc(call: &Call, answer: Answer) -> Result<Box<dyn States>> {
    let lg_k = u8::try_from(call.integer(1, 4..=26, CPC_LG_K)?).unwrap_or(u8::MAX);
    Ok(Groups::boxed(Sketched::<Cpc>::new(lg_k, answer, &call.types[0], true)?))
}

fn frequent(call: &Call) -> Result<Box<dyn States>> {
    let size = call.integer(1, 8..=1 << 26, FREQUENT_ITEMS)?.cast_unsigned().next_power_of_two();
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let column = &call.types[0];
    let is_long = matches!(column, DataType::Int32 | DataType::Int64 | DataType::Binary | DataType::Null);
    match call.name {
        "frequentLongsSketch" if is_long => {
            Ok(Groups::boxed(Sketched::<FrequentLongs>::new(size, Answer::Base64, column, true)?))
        }
        "frequentStringsSketch" if matches!(column, DataType::Utf8 | DataType::Binary | DataType::Null) => {
            Ok(Groups::boxed(Sketched::<FrequentTexts>::new(size, Answer::Base64, column, true)?))
        }
        _ => call.refuse(&format!("a column of {column} has no such values")),
    }
}
