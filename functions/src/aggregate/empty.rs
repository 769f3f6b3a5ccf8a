//! What aggregates answer over no row at all where nulls are not shown.

use datafusion::scalar::ScalarValue;

use crate::canonical;

/// Returns what an aggregate answers over no row where nulls are not shown; nothing for one whose answer is null even
/// there, or is never null. The name may be any that a query may write.
pub fn empty_value(name: &str) -> Option<ScalarValue> {
    let name = canonical(name);
    let name = name.strip_suffix("mv").unwrap_or(&name);
    let double = |value: f64| Some(ScalarValue::Float64(Some(value)));
    let long = |value: i64| Some(ScalarValue::Int64(Some(value)));
    match name.trim_end_matches(|letter: char| letter.is_ascii_digit()) {
        "sum" | "distinctsum" => double(0.0),
        "min" => double(f64::INFINITY),
        "max" | "avg" | "minmaxrange" | "mode" | "percentile" | "percentilesmarttdigest" => {
            double(f64::NEG_INFINITY)
        }
        "varpop" | "varsamp" | "variance" | "stddevpop" | "stddevsamp" | "stddev" | "covarpop"
        | "covarsamp" => double(f64::NEG_INFINITY),
        "percentiletdigest" | "skewness" | "kurtosis" | "distinctavg" => double(f64::NAN),
        "percentileest" => long(i64::MIN),
        "sumvaluesintegersumtuplesketch" => long(0),
        "sumprecision" => Some(ScalarValue::Utf8(Some("0".to_owned()))),
        // The empty set: one byte of zero.
        "idset" => Some(ScalarValue::Utf8(Some("AA==".to_owned()))),
        _ => None,
    }
}
