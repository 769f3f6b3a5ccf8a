//! Percentiles: of all values, or of a digest of them.

mod digest;
mod digested;
mod kll;
mod listed;
pub(crate) mod order;
mod quantile_digest;

use arrow::datatypes::DataType;
use datafusion::error::Result;

use self::digested::{Answer, Est, TDigest};
use self::kll::Kll;
use self::listed::{EXACT_VALUES_MAX, Listed, ListedPercentile};
use super::call::Call;
use super::columns::{check_number, is_bytes};
use super::computation::{Groups, States};
use super::udaf::Definition;

/// The compression of t-digests where a call names none.
const COMPRESSION: i64 = 100;
/// More centroids than this no answer needs.
const COMPRESSION_MAX: i64 = 10_000;
/// The size of KLL sketches where a call names none.
const KLL_K: i64 = 200;

/// All of them.
pub(crate) static DEFINITIONS: [Definition; 8] = [
    Definition {
        description: Definition::describe(
            "percentile",
            &["percentileMV"],
            "percentile(column, percentile)",
            "The value at that rank of all values in order; the percentile lies between 0 and 100",
        ),
        arguments: 2..=2,
        elements: true,
        result: double_of_number,
        start: |call| {
            let percentile = call.percentile(1)?;
            let settings = ListedPercentile { percentile, threshold: usize::MAX, compression: 0.0 };
            Ok(Groups::boxed(Listed::<f64>::new(settings)))
        },
    },
    Definition {
        description: Definition::describe(
            "percentileEst",
            &["percentileEstMV"],
            "percentileEst(column, percentile)",
            "The percentile of LONG values: exact up to 100,000 values a group, from a digest beyond",
        ),
        arguments: 2..=2,
        elements: true,
        result: |types| of_number_or_bytes(types, DataType::Int64),
        start: |call| {
            let percentile = call.percentile(1)?;
            if is_bytes(&call.types[0]) {
                let answer = Answer::Percentile(percentile);
                return Ok(Groups::boxed(Est { answer, of_digests: true }));
            }
            let compression = COMPRESSION as f64;
            let settings = ListedPercentile { percentile, threshold: EXACT_VALUES_MAX, compression };
            Ok(Groups::boxed(Listed::<i64>::new(settings)))
        },
    },
    Definition {
        description: Definition::describe(
            "percentileRawEst",
            &["percentileRawEstMV"],
            "percentileRawEst(column, percentile)",
            "The quantile digest of LONG values, in hex",
        ),
        arguments: 2..=2,
        elements: true,
        result: |types| of_number_or_bytes(types, DataType::Utf8),
        start: |call| {
            call.percentile(1)?;
            Ok(Groups::boxed(Est { answer: Answer::Raw, of_digests: is_bytes(&call.types[0]) }))
        },
    },
    Definition {
        description: Definition::describe(
            "percentileTDigest",
            &["percentileTDigestMV"],
            "percentileTDigest(column, percentile[, compression])",
            "The percentile from a t-digest, by default of compression 100",
        ),
        arguments: 2..=3,
        elements: true,
        result: |types| of_number_or_bytes(types, DataType::Float64),
        start: |call| t_digest(call, Answer::Percentile(call.percentile(1)?)),
    },
    Definition {
        description: Definition::describe(
            "percentileRawTDigest",
            &["percentileRawTDigestMV"],
            "percentileRawTDigest(column, percentile[, compression])",
            "The t-digest of the values, in hex",
        ),
        arguments: 2..=3,
        elements: true,
        result: |types| of_number_or_bytes(types, DataType::Utf8),
        start: |call| {
            call.percentile(1)?;
            t_digest(call, Answer::Raw)
        },
    },
    Definition {
        description: Definition::describe(
            "percentileSmartTDigest",
            &[],
            "percentileSmartTDigest(column, percentile[, 'threshold=100000;compression=100'])",
            "The percentile of all values up to a threshold, from a t-digest beyond",
        ),
        arguments: 2..=3,
        elements: true,
        result: double_of_number,
        start: smart,
    },
    Definition {
        description: Definition::describe(
            "percentileKLL",
            &["percentileKLLMV"],
            "percentileKLL(column, percentile[, k])",
            "The percentile from a KLL sketch, by default of k 200",
        ),
        arguments: 2..=3,
        elements: true,
        result: |types| of_number_or_bytes(types, DataType::Float64),
        start: |call| kll(call, Answer::Percentile(call.percentile(1)?)),
    },
    Definition {
        description: Definition::describe(
            "percentileRawKLL",
            &["percentileRawKLLMV"],
            "percentileRawKLL(column, percentile[, k])",
            "The KLL sketch of the values, in Base64",
        ),
        arguments: 2..=3,
        elements: true,
        result: |types| of_number_or_bytes(types, DataType::Utf8),
        start: |call| {
            call.percentile(1)?;
            kll(call, Answer::Raw)
        },
    },
];

fn double_of_number(types: &[DataType]) -> Result<DataType> {
    check_number("a percentile", &types[0])?;
    Ok(DataType::Float64)
}

fn of_number_or_bytes(types: &[DataType], result: DataType) -> Result<DataType> {
    if !is_bytes(&types[0]) {
        check_number("a percentile", &types[0])?;
    }
    Ok(result)
}

fn t_digest(call: &Call, answer: Answer) -> Result<Box<dyn States>> {
    let compression = call.integer(2, 0..=COMPRESSION_MAX, COMPRESSION)?;
    Ok(Groups::boxed(TDigest::new(answer, compression as f64, is_bytes(&call.types[0]))))
}

fn kll(call: &Call, answer: Answer) -> Result<Box<dyn States>> {
    let k = call.integer(2, 8..=i64::from(u16::MAX), KLL_K)?;
    let k = u16::try_from(k).unwrap_or(u16::MAX);
    Ok(Groups::boxed(Kll { answer, k, of_sketches: is_bytes(&call.types[0]) }))
}

fn smart(call: &Call) -> Result<Box<dyn States>> {
    let percentile = call.percentile(1)?;
    let (mut threshold, mut compression) = (EXACT_VALUES_MAX, COMPRESSION as f64);
    for (key, value) in call.parameters(2)? {
        match (key.as_str(), value.parse::<i32>()) {
            // Pinot's way to say "always all values".
            ("threshold", Ok(values)) if values <= 0 => threshold = usize::MAX,
            ("threshold", Ok(values)) => threshold = usize::try_from(values).unwrap_or(usize::MAX),
            ("compression", Ok(wanted)) if (1..=COMPRESSION_MAX).contains(&i64::from(wanted)) => {
                compression = f64::from(wanted);
            }
            _ => return call.refuse(&format!("`{key}={value}` is no parameter that is known")),
        }
    }
    Ok(Groups::boxed(Listed::<f64>::new(ListedPercentile { percentile, threshold, compression })))
}
