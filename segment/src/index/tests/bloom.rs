//! Bloom filters, also against the Parquet library's own.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, StringArray};
use parquet::bloom_filter::Sbbf;
use proptest::prelude::*;

use super::{any_column, array_of};
use crate::index::{BloomFilter, BloomFilterSize};
use crate::value::Value;

fn longs(range: std::ops::Range<i64>) -> ArrayRef {
    Arc::new(range.map(|value| value.wrapping_mul(0x9e37_79b9)).collect::<Int64Array>())
}

proptest! {
    #[test]
    fn passes_every_value_that_is_there((data_type, values) in any_column(500)) {
        let array = array_of(data_type, &values);
        let built = BloomFilter::build(&array, BloomFilterSize::default()).unwrap();
        let opened = BloomFilter::from_parts(&built.to_parts(), array.data_type()).unwrap();
        for value in &values {
            prop_assert!(built.may_contain(value));
            prop_assert!(opened.may_contain(value));
        }
    }
}

#[test]
fn passes_about_as_many_absent_values_as_asked_for() {
    let array = longs(0..20_000);
    for per_million in [500_000, 50_000, 10_000, 1_000] {
        let size = BloomFilterSize { false_positives_per_million: per_million, bytes_max: None };
        let filter = BloomFilter::build(&array, size).unwrap();
        let absent = (20_000_i64..220_000).map(|value| Value::Long(value.wrapping_mul(0x9e37_79b9)));
        let passed = absent.filter(|value| filter.may_contain(value)).count() as f64 / 200_000.0;
        let asked = f64::from(per_million) / 1e6;
        assert!(passed < asked * 1.25, "{passed} instead of {asked}");
        assert!(passed > asked / 1.25, "{passed} instead of {asked}: larger than needed");
    }
}

#[test]
fn keeps_to_its_largest_size_and_has_a_block_at_least() {
    let small = BloomFilterSize { bytes_max: Some(100), ..BloomFilterSize::default() };
    assert_eq!(BloomFilter::build(&longs(0..20_000), small).unwrap().memory_bytes(), 96);
    let none = BloomFilter::build(&longs(0..0), BloomFilterSize::default()).unwrap();
    assert_eq!(none.memory_bytes(), 32);
    assert!(!none.may_contain(&Value::Long(0)));
    let equal: ArrayRef = Arc::new(Int64Array::from(vec![7; 20_000]));
    assert_eq!(BloomFilter::build(&equal, BloomFilterSize::default()).unwrap().memory_bytes(), 32);
    for per_million in [0, 1_000_000, u32::MAX] {
        let size = BloomFilterSize { false_positives_per_million: per_million, bytes_max: Some(0) };
        assert_eq!(BloomFilter::build(&longs(0..9), size).unwrap().memory_bytes(), 32);
    }
}

#[test]
fn is_the_filter_of_the_parquet_library() {
    let texts: Vec<String> = (0..2000).map(|i| format!("text {i}")).collect();
    let array: ArrayRef = Arc::new(StringArray::from(texts.clone()));
    let ours = BloomFilter::build(&array, BloomFilterSize::default()).unwrap();
    let parts = ours.to_parts();
    let theirs = Sbbf::new(&parts.buffers[0]);
    for text in texts.iter().cloned().chain((0..20_000).map(|i| format!("absent {i}"))) {
        assert_eq!(
            ours.may_contain(&Value::String(text.as_str().into())),
            theirs.check(text.as_str()),
            "{text}"
        );
    }
}

#[test]
fn tells_nothing_of_values_of_another_type() {
    let filter = BloomFilter::build(&longs(0..10), BloomFilterSize::default()).unwrap();
    assert!(filter.may_contain(&Value::Int(12_345)));
    assert!(filter.may_contain(&Value::Boolean(true)));
    assert!(
        BloomFilter::build(&(Arc::new(BooleanArray::from(vec![true])) as _), BloomFilterSize::default())
            .is_none()
    );
}
