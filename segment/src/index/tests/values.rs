//! Range indexes over plain values.

use std::ops::Bound;
use std::sync::Arc;

use arrow::array::{Array, BooleanArray, Datum, Float64Array};
use arrow::compute::kernels::cmp;
use proptest::prelude::*;
use roaring::RoaringBitmap;

use super::{any_column, array_of, value_of};
use crate::index::{IndexError, RangeIndex};
use crate::schema::DataType;
use crate::value::Value;

fn matches(value: &Value, low: Bound<&Value>, high: Bound<&Value>) -> bool {
    let above = match low {
        Bound::Unbounded => true,
        Bound::Included(low) => value.compare(low).unwrap().is_ge(),
        Bound::Excluded(low) => value.compare(low).unwrap().is_gt(),
    };
    let below = match high {
        Bound::Unbounded => true,
        Bound::Included(high) => value.compare(high).unwrap().is_le(),
        Bound::Excluded(high) => value.compare(high).unwrap().is_lt(),
    };
    above && below
}

fn check(data_type: DataType, values: &[Value], low: Bound<&Value>, high: Bound<&Value>) {
    let array = array_of(data_type, values);
    let built = RangeIndex::build(&array).unwrap();
    let rows = u32::try_from(values.len()).unwrap();
    let opened = RangeIndex::from_parts(&built.to_parts(), array.data_type(), rows).unwrap();
    let expected: RoaringBitmap =
        (0..).zip(values).filter(|(_, value)| matches(value, low, high)).map(|(row, _)| row).collect();
    for index in [built, opened] {
        let mut reads = 0;
        let read = |row: u32| {
            reads += 1;
            Ok::<_, IndexError>(values[row as usize].clone())
        };
        assert_eq!(index.rows(low, high, read).unwrap(), expected);
        assert!(reads <= 18, "{reads} values were read");
        let count = index.count(low, high);
        assert!(count >= expected.len() && count <= expected.len() + 512, "{count} {}", expected.len());
    }
}

fn any_bound(data_type: DataType, values: &[Value]) -> BoxedStrategy<Bound<Value>> {
    let some = prop_oneof![-25_i64..25, any::<i64>()].prop_map(move |number| value_of(data_type, number));
    let value = match values {
        [] => some.boxed(),
        values => prop_oneof![prop::sample::select(values.to_vec()), some].boxed(),
    };
    prop_oneof![
        Just(Bound::Unbounded),
        value.clone().prop_map(Bound::Included),
        value.prop_map(Bound::Excluded),
    ]
    .boxed()
}

proptest! {
    #[test]
    fn finds_the_rows_between_bounds(
        (data_type, values, low, high) in any_column(2000).prop_flat_map(|(data_type, values)| {
            let bounds = (any_bound(data_type, &values), any_bound(data_type, &values));
            (Just(data_type), Just(values), bounds).prop_map(|(t, v, (low, high))| (t, v, low, high))
        })
    ) {
        check(data_type, &values, low.as_ref(), high.as_ref());
    }
}

#[test]
fn finds_runs_of_equal_values_longer_than_the_way_between_fences() {
    let values: Vec<Value> = (0..3000).map(|row| Value::Long(i64::from(row % 2 == 0) * 10)).collect();
    for value in [Value::Long(-1), Value::Long(0), Value::Long(5), Value::Long(10), Value::Long(11)] {
        check(DataType::Long, &values, Bound::Included(&value), Bound::Included(&value));
        check(DataType::Long, &values, Bound::Excluded(&value), Bound::Unbounded);
        check(DataType::Long, &values, Bound::Unbounded, Bound::Excluded(&value));
        check(DataType::Long, &values, Bound::Excluded(&value), Bound::Excluded(&value));
    }
}

/// DataFusion answers a filter that no index serves with these kernels.
#[test]
fn orders_floats_as_arrow_does() {
    let floats = [
        -f64::NAN,
        f64::NEG_INFINITY,
        -1.5,
        -f64::MIN_POSITIVE / 2.0,
        -0.0,
        0.0,
        f64::MIN_POSITIVE,
        1.5,
        f64::INFINITY,
        f64::NAN,
    ];
    let array = Float64Array::from(floats.to_vec());
    let index = RangeIndex::build(&(Arc::new(array.clone()) as _)).unwrap();
    let read = |row: u32| Ok::<_, IndexError>(Value::Double(floats[row as usize]));
    let set = |mask: BooleanArray| -> RoaringBitmap {
        (0..).zip(mask.values().iter()).filter(|(_, holds)| *holds).map(|(row, _)| row).collect()
    };
    for bound in floats {
        let scalar = Float64Array::new_scalar(bound);
        let value = Value::Double(bound);
        let rows = |low, high| index.rows(low, high, read).unwrap();
        let (included, excluded, open) = (Bound::Included(&value), Bound::Excluded(&value), Bound::Unbounded);
        let column: &dyn Datum = &array;
        assert_eq!(rows(open, excluded), set(cmp::lt(column, &scalar).unwrap()), "< {bound}");
        assert_eq!(rows(open, included), set(cmp::lt_eq(column, &scalar).unwrap()), "<= {bound}");
        assert_eq!(rows(excluded, open), set(cmp::gt(column, &scalar).unwrap()), "> {bound}");
        assert_eq!(rows(included, open), set(cmp::gt_eq(column, &scalar).unwrap()), ">= {bound}");
        assert_eq!(rows(included, included), set(cmp::eq(column, &scalar).unwrap()), "= {bound}");
    }
}

#[test]
fn a_bound_of_another_type_is_refused_and_counts_all() {
    let values = [Value::Long(1), Value::Long(2)];
    let index = RangeIndex::build(&array_of(DataType::Long, &values)).unwrap();
    let other = Value::Int(1);
    let read = |row: u32| Ok(values[row as usize].clone());
    assert_eq!(index.rows(Bound::Included(&other), Bound::Unbounded, read), Err(IndexError::OtherType));
    assert_eq!(index.count(Bound::Included(&other), Bound::Unbounded), 2);
}

#[test]
fn booleans_have_no_range_index() {
    assert!(RangeIndex::build(&(Arc::new(BooleanArray::from(vec![true])) as _)).is_none());
}
