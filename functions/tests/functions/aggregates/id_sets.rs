//! Sets of ids: what was put in is found, and the bytes are those of RoaringBitmap and Guava.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array, StringArray};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use datafusion::scalar::ScalarValue;
use meunier_functions::{Id, IdSet, empty_value};

use super::table::Table;

#[test]
fn sets_hold_what_was_put_in() {
    let table = Table::new([
        ("i", Arc::new(Int32Array::from_iter_values((0..700).map(|row| row * 3 - 500))) as ArrayRef),
        ("l", Arc::new(Int64Array::from_iter_values((0..700).map(|row| row << 33)))),
        ("s", Arc::new(StringArray::from_iter_values((0..700).map(|row| format!("ü{row}"))))),
        ("d", Arc::new(Float64Array::from_iter_values((0..700).map(|row| f64::from(row) / 7.0)))),
    ]);
    let answer = table.query("SELECT idset(i), idset(l), idset(s, 'expectedInsertions=1000;fpp=0.01'), idset(d, 'fpp=0.01;expectedInsertions=1000') FROM t");
    let sets: Vec<IdSet> = (0..4).map(|position| IdSet::parse(&answer.text(position)).unwrap()).collect();
    let mut wrong = 0;
    for row in 0..700 {
        assert!(sets[0].contains(Id::Int(row * 3 - 500)) && !sets[0].contains(Id::Int(row * 3 - 499)));
        assert!(
            sets[1].contains(Id::Long(i64::from(row) << 33))
                && !sets[1].contains(Id::Long(i64::from(row) + 1))
        );
        assert!(sets[2].contains(Id::Text(&format!("ü{row}"))));
        assert!(sets[3].contains(Id::Double(f64::from(row) / 7.0)));
        wrong += u32::from(sets[2].contains(Id::Text(&format!("x{row}"))));
    }
    assert!(wrong < 30, "{wrong} of 700 texts that are not there");
}

#[test]
fn the_bytes_are_those_of_the_java_libraries() {
    let table = Table::new([
        ("i", Arc::new(Int32Array::from(vec![1, 2])) as ArrayRef),
        ("l", Arc::new(Int64Array::from(vec![1, 2]))),
        ("s", Arc::new(StringArray::from(vec!["a", "a"]))),
    ]);
    let answer =
        table.query("SELECT idset(i), idset(l), idset(s, 'expectedInsertions=1000;fpp=0.03') FROM t");
    // RoaringBitmap's portable form: cookie 12346, one container, key 0, cardinality - 1, offset 16, the values.
    let bitmap = [0x3a, 0x30, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0x10, 0, 0, 0, 1, 0, 2, 0];
    let bytes = STANDARD.decode(answer.text(0)).unwrap();
    assert_eq!(bytes, [&[1][..], &bitmap].concat());
    // Roaring64NavigableMap's own form: unsigned, one bitmap, high part 0.
    let bytes = STANDARD.decode(answer.text(1)).unwrap();
    assert_eq!(bytes, [&[2, 0, 0, 0, 0, 1, 0, 0, 0, 0][..], &bitmap].concat());
    // Guava: strategy 1, five hashes, (long) (1000 * 7.2985) bits in words of 64.
    let bytes = STANDARD.decode(answer.text(2)).unwrap();
    assert_eq!(bytes[..8], [3, 2, 1, 5, 0, 0, 0, 115]);
    assert_eq!(bytes.len(), 8 + 115 * 8);
    assert_eq!(bytes[8..].iter().map(|byte| byte.count_ones()).sum::<u32>(), 5);
}

#[test]
fn broken_sets_are_refused() {
    for text in ["?", "", "CQ==", "AwIBBQAAAAE=", "AQAAAA=="] {
        assert!(IdSet::parse(text).is_err(), "{text}");
    }
    assert_eq!(IdSet::parse("AA==").unwrap(), IdSet::Empty);
    assert_eq!(empty_value("ID_SET"), Some(ScalarValue::Utf8(Some("AA==".to_owned()))));
    assert_eq!(empty_value("percentile95"), Some(ScalarValue::Float64(Some(f64::NEG_INFINITY))));
    assert_eq!(empty_value("percentileEst50MV"), Some(ScalarValue::Int64(Some(i64::MIN))));
}
