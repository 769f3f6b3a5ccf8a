//! Sums, extremes, modes, moments, first and last values, collections and arrays against plain models.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Decimal256Array, Float64Array, Int32Array, Int64Array, ListArray,
    StringArray, TimestampMillisecondArray,
};
use arrow::datatypes::{Float64Type, Int64Type, i256};

use super::table::{Random, Table};

const ROWS: usize = 2_000;

struct Model {
    table: Table,
    keys: Vec<i32>,
    longs: Vec<i64>,
    doubles: Vec<f64>,
    texts: Vec<String>,
    times: Vec<i64>,
}

fn model() -> Model {
    let mut random = Random(11);
    let keys: Vec<i32> = (0..ROWS).map(|_| random.below(4) as i32).collect();
    let longs: Vec<i64> = (0..ROWS).map(|_| random.below(40) as i64 - 20).collect();
    let doubles: Vec<f64> = (0..ROWS).map(|_| (random.unit() * 6.0).exp()).collect();
    let texts: Vec<String> = (0..ROWS).map(|_| format!("t{}", random.below(30))).collect();
    let mut times: Vec<i64> = (0..ROWS as i64).map(|row| 1_700_000_000_000 + row * 7).collect();
    for row in (1..ROWS).rev() {
        times.swap(row, random.below(row as u64 + 1) as usize);
    }
    let table = Table::new([
        ("k", Arc::new(Int32Array::from(keys.clone())) as ArrayRef),
        ("l", Arc::new(Int64Array::from(longs.clone()))),
        ("d", Arc::new(Float64Array::from(doubles.clone()))),
        ("s", Arc::new(StringArray::from(texts.clone()))),
        ("ts", Arc::new(TimestampMillisecondArray::from(times.clone()))),
    ]);
    Model { table, keys, longs, doubles, texts, times }
}

impl Model {
    fn rows(&self, key: i32) -> impl Iterator<Item = usize> + '_ {
        (0..ROWS).filter(move |row| self.keys[*row] == key)
    }
}

#[test]
fn sums_and_extremes_agree_with_the_model() {
    let model = model();
    let answer = model.table.query(
        "SELECT k, sumint(l), minlong(l), maxlong(l), minstring(s), maxstring(s), minmaxrange(l), sum0(l) FILTER (WHERE l > 0), distinctsum(l), distinctavg(l)
         FROM t GROUP BY k ORDER BY k",
    );
    let expected: Vec<String> = (0..4)
        .map(|key| {
            let longs: Vec<i64> = model.rows(key).map(|row| model.longs[row]).collect();
            let (min, max) = (longs.iter().min().unwrap(), longs.iter().max().unwrap());
            let texts: BTreeSet<&String> = model.rows(key).map(|row| &model.texts[row]).collect();
            let distinct: BTreeSet<i64> = longs.iter().copied().collect();
            let distinct_sum = distinct.iter().sum::<i64>() as f64;
            format!(
                "{key}|{}|{min}|{max}|{}|{}|{:?}|{:?}|{distinct_sum:?}|{:?}",
                longs.iter().sum::<i64>(),
                texts.first().unwrap(),
                texts.last().unwrap(),
                (max - min) as f64,
                longs.iter().filter(|long| **long > 0).sum::<i64>() as f64,
                distinct_sum / distinct.len() as f64,
            )
        })
        .collect();
    assert_eq!(answer.lines(), expected);
}

#[test]
fn the_mode_is_the_most_frequent_value() {
    let table = Table::new([
        ("v", Arc::new(Int32Array::from(vec![5, 7, 7, 5, 1])) as ArrayRef),
        ("big", Arc::new(Int64Array::from(vec![i64::MAX, i64::MAX - 1, i64::MAX - 1, 3, 3]))),
    ]);
    let answer = table.query(
        "SELECT mode(v), mode(v, 'MAX'), mode(v, 'avg'), mode(v) FILTER (WHERE v > 5), mode(big) FROM t",
    );
    assert_eq!(answer.lines(), ["5.0|7.0|6.0|7.0|3.0"]);
    assert!(table.error("SELECT mode(v, 'FIRST') FROM t").contains("FIRST"));
}

#[test]
fn moments_agree_with_known_values() {
    // Skewness and kurtosis of SciPy with bias correction: scipy.stats.skew/kurtosis(x, bias=False).
    let values = [2.0, 8.0, 0.0, 4.0, 1.0, 9.0, 9.0, 0.0];
    let table = Table::new([("v", Arc::new(Float64Array::from(values.to_vec())) as ArrayRef)]);
    let answer = table.query("SELECT skewness(v), kurtosis(v) FROM t");
    let (count, mean) = (8.0, values.iter().sum::<f64>() / 8.0);
    let power = |exponent: i32| values.iter().map(|value| (value - mean).powi(exponent)).sum::<f64>();
    let (m2, m3, m4) = (power(2) / count, power(3) / count, power(4) / count);
    let skewness = (count * (count - 1.0)).sqrt() / (count - 2.0) * m3 / m2.powf(1.5);
    let kurtosis =
        (count - 1.0) / ((count - 2.0) * (count - 3.0)) * ((count + 1.0) * (m4 / (m2 * m2) - 3.0) + 6.0);
    assert!((answer.double(0) - skewness).abs() < 1e-12);
    assert!((answer.double(1) - kurtosis).abs() < 1e-12);
}

#[test]
fn moments_merged_over_partitions_are_those_of_all_rows() {
    let model = model();
    let answer = model.table.query("SELECT k, skewness(d), kurtosis(d) FROM t GROUP BY k ORDER BY k");
    for key in 0..4 {
        let values: Vec<f64> = model.rows(key).map(|row| model.doubles[row]).collect();
        let (n, mean) = (values.len() as f64, values.iter().sum::<f64>() / values.len() as f64);
        let power = |exponent: i32| values.iter().map(|value| (value - mean).powi(exponent)).sum::<f64>();
        let variance = power(2) / (n - 1.0);
        let skewness = n / ((n - 1.0) * (n - 2.0)) * power(3) / variance.powf(1.5);
        let found = answer.column(1).as_primitive::<Float64Type>().value(key as usize);
        assert!((found - skewness).abs() < 1e-9 * skewness.abs(), "{found} {skewness}");
    }
}

#[test]
fn first_and_last_values_go_by_time() {
    let model = model();
    let answer = model.table.query(
        "SELECT k, firstwithtime(s, ts, 'STRING'), lastwithtime(l, ts, 'LONG'), exprmin(s, ts), exprmax(ts, l, ts) FROM t GROUP BY k ORDER BY k",
    );
    for key in 0..4 {
        let first = model.rows(key).min_by_key(|row| model.times[*row]).unwrap();
        let last = model.rows(key).max_by_key(|row| model.times[*row]).unwrap();
        let largest = model.rows(key).max_by_key(|row| (model.longs[*row], model.times[*row])).unwrap();
        let at = key as usize;
        assert_eq!(answer.column(1).as_string::<i32>().value(at), model.texts[first]);
        assert_eq!(answer.column(2).as_primitive::<Int64Type>().value(at), model.longs[last]);
        assert_eq!(answer.column(3).as_string::<i32>().value(at), model.texts[first]);
        let times = answer.column(4).as_primitive::<arrow::datatypes::TimestampMillisecondType>();
        assert_eq!(times.value(at), model.times[largest]);
    }
}

#[test]
fn null_values_do_not_count_by_time() {
    let table = Table::new([
        ("v", Arc::new(BooleanArray::from(vec![None, Some(true), Some(false)])) as ArrayRef),
        ("t", Arc::new(Int64Array::from(vec![Some(1), Some(2), None]))),
    ]);
    let answer = table.query("SELECT firstwithtime(v, t, 'BOOLEAN'), lastwithtime(v, t, 'BOOLEAN') FROM t");
    assert_eq!(answer.lines(), ["true|true"]);
}

#[test]
fn collections_hold_every_value() {
    let model = model();
    let answer = model.table.query(
        "SELECT k, arrayagg(l, 'LONG'), arrayagg(s, 'STRING', true), listagg(s, ';', TRUE) FROM t GROUP BY k ORDER BY k",
    );
    for key in 0..4 {
        let mut longs: BTreeMap<i64, i32> = BTreeMap::new();
        model.rows(key).for_each(|row| *longs.entry(model.longs[row]).or_default() += 1);
        for value in
            answer.column(1).as_list::<i32>().value(key as usize).as_primitive::<Int64Type>().values()
        {
            *longs.entry(*value).or_default() -= 1;
        }
        assert!(longs.values().all(|count| *count == 0));
        let wanted: BTreeSet<&str> = model.rows(key).map(|row| model.texts[row].as_str()).collect();
        let list = answer.column(2).as_list::<i32>().value(key as usize);
        let found: Vec<&str> = list.as_string::<i32>().iter().flatten().collect();
        assert_eq!((found.len(), found.into_iter().collect()), (wanted.len(), wanted.clone()));
        let joined = answer.column(3).as_string::<i32>().value(key as usize);
        assert_eq!(joined.split(';').collect::<BTreeSet<_>>(), wanted);
    }
}

#[test]
fn sum_precision_does_not_round_before_the_end() {
    let scale = i256::from_i128(10_i128.pow(38));
    let decimals = Decimal256Array::from_iter_values([
        i256::from_i128(10_i128.pow(37)),
        i256::from_i128(123_456_789_012).checked_mul(scale).unwrap(),
    ]);
    let decimals = decimals.with_precision_and_scale(76, 38).unwrap();
    let table = Table::new([
        ("b", Arc::new(decimals) as ArrayRef),
        ("d", Arc::new(Float64Array::from(vec![0.1, 0.2]))),
        ("s", Arc::new(StringArray::from(vec!["1e30", "0.00000000000000000001"]))),
    ]);
    let answer = table.query(
        "SELECT sumprecision(b), sumprecision(b, 5), sumprecision(d), sumprecision(d, 10, 4), sumprecision(s) FROM t",
    );
    assert_eq!(
        answer.lines(),
        ["123456789012.1|123460000000|0.3|0.3000|1000000000000000000000000000000.00000000000000000001"]
    );
    assert!(table.error("SELECT sumprecision(b, 0) FROM t").contains("whole number"));
}

#[test]
fn a_histogram_counts_by_edges() {
    let values = [0.0, 9.99, 10.0, 55.0, 100.0, 100.01, -0.1];
    let table = Table::new([("v", Arc::new(Float64Array::from(values.to_vec())) as ArrayRef)]);
    let answer = table.query("SELECT histogram(v, 0, 100, 10), histogram(v, 0, 100, 1) FROM t");
    assert_eq!(answer.lines(), ["[2.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]|[5.0]"]);
    assert!(table.error("SELECT histogram(v, 5, 5, 10) FROM t").contains("edges"));
}

#[test]
fn arrays_are_added_position_by_position() {
    let lists = ListArray::from_iter_primitive::<Int64Type, _, _>([
        Some(vec![Some(1), Some(2), Some(3)]),
        Some(vec![Some(10)]),
        None,
    ]);
    let table = Table::new([("v", Arc::new(lists) as ArrayRef)]);
    let answer = table.query(
        "SELECT sumarraylong(v), sumarraydouble(v), summv(v), minmv(v), maxmv(v), avgmv(v), countmv(v), minmaxrangemv(v), distinctsummv(v) FROM t",
    );
    assert_eq!(answer.lines(), ["[11, 2, 3]|[11.0, 2.0, 3.0]|16.0|1.0|10.0|4.0|4|9.0|16.0"]);
}
