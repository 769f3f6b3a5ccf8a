//! Counts of distinct values and frequent values, by sketches: exact while there are few where only a number is asked for,
//! and in the bytes of Pinot's libraries where a sketch is.

mod filtered;
mod frequent;
pub(crate) mod hll;
pub(crate) mod hll_plus;
mod registers;
pub(crate) mod sets;
pub(crate) mod sketch;
mod smart;
pub(crate) mod theta;
pub(crate) mod tuple;
pub(crate) mod ull;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::error::Result;

use self::filtered::Filtered;
use self::frequent::{FrequentLongs, FrequentTexts};
use self::hll::Hll;
use self::hll_plus::{HllPlus, Precision};
use self::registers::Registers;
use self::sets::SetExpression;
use self::sketch::{Answer, Sketched};
use self::smart::Smart;
use self::theta::{Cpc, Theta};
use self::tuple::{TupleAnswer, Tuples};
use self::ull::Ull;
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
/// The precision of a HyperLogLogPlus and of an UltraLogLog where a call names none.
const HLL_PLUS_P: i64 = 14;
const ULL_P: i64 = 12;
/// Most filters of a theta sketch: each is a sketch a group.
const FILTERS_MAX: usize = 64;

/// All of them.
pub(crate) static DEFINITIONS: [Definition; 19] = [
    count(
        "distinctCountHLL",
        &["distinctCountHLLMV", "fastHLL"],
        "distinctCountHLL(column[, log2m])",
        "The number of distinct values by a HyperLogLog, as Pinot estimates it: within 6.5 per cent as a rule, with 2^12 registers within 1.6",
        |call| hll(call, Answer::Estimate),
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
        |call| hll_plus(call, Answer::Estimate),
    ),
    raw(
        "distinctCountRawHLLPlus",
        &["distinctCountRawHLLPlusMV"],
        "distinctCountRawHLLPlus(column[, p[, sp]])",
        "The HyperLogLogPlus of the values, in hex",
        |call| hll_plus(call, Answer::Hex),
    ),
    count(
        "distinctCountULL",
        &[],
        "distinctCountULL(column[, p])",
        "The number of distinct values: exact up to 100,000, then within one per cent",
        |call| ull(call, Answer::Estimate),
    ),
    raw(
        "distinctCountRawULL",
        &[],
        "distinctCountRawULL(column[, p])",
        "The UltraLogLog of the values, in Base64",
        |call| ull(call, Answer::Base64),
    ),
    smart_count("distinctCountSmartHLL", "distinctCountSmartHLL(column[, 'threshold=100000;log2m=12'])"),
    smart_count("distinctCountSmartHLLPlus", "distinctCountSmartHLLPlus(column[, 'threshold=100000;p=14'])"),
    smart_count("distinctCountSmartULL", "distinctCountSmartULL(column[, 'threshold=100000;p=12'])"),
    with_filters(count(
        "distinctCountThetaSketch",
        &[],
        "distinctCountThetaSketch(column[, 'nominalEntries=16384'[, 'filter', …, 'SET_INTERSECT($1, $2)']])",
        "The number of distinct values by a theta sketch; with filters, of what an expression of sets makes of theirs, $0 being all rows",
        |call| theta(call, Answer::Estimate),
    )),
    with_filters(raw(
        "distinctCountRawThetaSketch",
        &[],
        "distinctCountRawThetaSketch(column[, 'nominalEntries=16384'[, 'filter', …, 'SET_INTERSECT($1, $2)']])",
        "The theta sketch of the values, in Base64",
        |call| theta(call, Answer::Base64),
    )),
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
    tuple(
        "distinctCountTupleSketch",
        "distinctCountTupleSketch(column[, nominalEntries])",
        "The number of distinct keys of stored tuple sketches",
        |_| Ok(DataType::Int64),
    ),
    tuple(
        "distinctCountRawIntegerSumTupleSketch",
        "distinctCountRawIntegerSumTupleSketch(column[, nominalEntries])",
        "The union of stored tuple sketches, in Base64",
        |_| Ok(DataType::Utf8),
    ),
    tuple(
        "sumValuesIntegerSumTupleSketch",
        "sumValuesIntegerSumTupleSketch(column[, nominalEntries])",
        "The sum of the values in stored tuple sketches",
        |_| Ok(DataType::Int64),
    ),
    tuple(
        "avgValueIntegerSumTupleSketch",
        "avgValueIntegerSumTupleSketch(column[, nominalEntries])",
        "The mean value of a key in stored tuple sketches",
        |_| Ok(DataType::Int64),
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
        arguments: 1..=3,
        elements: true,
        result: |types| check_cell(&types[0]).map(|_| Answer::Base64.data_type()),
        start,
    }
}

const fn with_filters(definition: Definition) -> Definition {
    Definition { arguments: 1..=FILTERS_MAX + 3, ..definition }
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

const fn tuple(
    name: &'static str,
    signature: &'static str,
    text: &'static str,
    result: fn(&[DataType]) -> Result<DataType>,
) -> Definition {
    Definition {
        description: Definition::describe(name, &[], signature, text),
        arguments: 1..=2,
        elements: false,
        result,
        start: start_tuple,
    }
}

fn start_tuple(call: &Call) -> Result<Box<dyn States>> {
    if !is_bytes(&call.types[0]) {
        return call.refuse("tuple sketches are stored in columns of BYTES");
    }
    let is_text = call.len() > 1 && call.constant(1)?.try_as_str().is_some();
    let entries = if is_text {
        nominal_entries(call)?
    } else {
        call.integer(1, 16..=1 << 26, 1 << 14)?.cast_unsigned()
    };
    let answer = match call.name {
        "distinctCountTupleSketch" => TupleAnswer::Keys,
        "sumValuesIntegerSumTupleSketch" => TupleAnswer::Sum,
        "avgValueIntegerSumTupleSketch" => TupleAnswer::Mean,
        _ => TupleAnswer::Raw,
    };
    Ok(Groups::boxed(Tuples { answer, lg_k: lg(entries) }))
}

fn lg(entries: u64) -> u8 {
    u8::try_from(entries.next_power_of_two().ilog2()).unwrap_or(u8::MAX)
}

/// Returns the nominal entries that a text of parameters names.
fn nominal_entries(call: &Call) -> Result<u64> {
    let mut entries = THETA_ENTRIES;
    for (key, value) in call.parameters(1)? {
        match (key.as_str(), value.parse::<f64>()) {
            ("nominalentries", Ok(wanted)) if (16.0..=67_108_864.0).contains(&wanted) => {
                #[expect(clippy::cast_possible_truncation, reason = "it is in the range")]
                let wanted = wanted as u64;
                entries = wanted;
            }
            // How Pinot buffers sketches, and a sampling that would make the answer worse.
            ("accumulatorthreshold" | "samplingprobability", Ok(_)) => {}
            _ => return call.refuse(&format!("`{key}={value}` is no parameter that is known")),
        }
    }
    Ok(entries)
}

fn smart(call: &Call, threshold: usize) -> Result<Box<dyn States>> {
    let computation = Sketched::<Smart>::new(threshold, Answer::Estimate, &call.types[0], false)?;
    Ok(Groups::boxed(computation))
}

fn hll(call: &Call, answer: Answer) -> Result<Box<dyn States>> {
    let log2m = u8::try_from(call.integer(1, 1..=24, HLL_LOG2M)?).unwrap_or(u8::MAX);
    match is_bytes(&call.types[0]) {
        true => Ok(Groups::boxed(Sketched::<Hll>::new(log2m, answer, &call.types[0], true)?)),
        false => Ok(Box::new(Registers::new(log2m, answer, &call.types[0])?)),
    }
}

/// Returns hashes of values for the aggregates that take them in the values' place: those by HyperLogLog.
pub(crate) fn hashes_for(aggregate: &str, values: &ArrayRef) -> Result<Option<ArrayRef>> {
    match aggregate {
        "distinctcounthll" | "distinctcountrawhll" => registers::hashes(values),
        _ => Ok(None),
    }
}

/// Counts of values are exact while they are few; sketches are asked for in Pinot's bytes, or stored so.
fn hll_plus(call: &Call, answer: Answer) -> Result<Box<dyn States>> {
    let of = &call.types[0];
    let precision = u8::try_from(call.integer(1, 4..=24, HLL_PLUS_P)?).unwrap_or(u8::MAX);
    let sparse = u8::try_from(call.integer(2, 0..=32, 0)?).unwrap_or(u8::MAX);
    if matches!(answer, Answer::Estimate) && !is_bytes(of) {
        return smart(call, EXACT_MAX);
    }
    let precision = Precision { normal: precision, sparse };
    Ok(Groups::boxed(Sketched::<HllPlus>::new(precision, answer, of, true)?))
}

fn ull(call: &Call, answer: Answer) -> Result<Box<dyn States>> {
    let of = &call.types[0];
    let precision = u8::try_from(call.integer(1, 3..=26, ULL_P)?).unwrap_or(u8::MAX);
    match answer {
        Answer::Estimate if !is_bytes(of) => smart(call, EXACT_MAX),
        _ => Ok(Groups::boxed(Sketched::<Ull>::new(precision, answer, of, true)?)),
    }
}

fn theta(call: &Call, answer: Answer) -> Result<Box<dyn States>> {
    let lg_k = lg(nominal_entries(call)?);
    if let Some(filters) = call.len().checked_sub(3).filter(|filters| *filters > 0) {
        if let Some(other) = call.types[2..2 + filters].iter().find(|of| !is_truth(of)) {
            return call.refuse(&format!("a filter is a condition, not {other}"));
        }
        let written = call.text(call.len() - 1)?;
        let sets = SetExpression::parse(written, filters).or_else(|error| call.refuse(&error))?;
        let of = check_cell(&call.types[0])?;
        return Ok(Groups::boxed(Filtered { lg_k, answer, of, filters, sets }));
    }
    Ok(Groups::boxed(Sketched::<Theta>::new(lg_k, answer, &call.types[0], true)?))
}

fn is_truth(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Boolean | DataType::Null)
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
