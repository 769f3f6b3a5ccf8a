//! Parts that no builder made: refused, or answered without a panic and within the segment's rows.

use std::ops::Bound;

use arrow::buffer::Buffer;
use arrow::datatypes::DataType as ArrowType;
use proptest::prelude::*;
use proptest::sample::Index;
use roaring::RoaringBitmap;
use serde_json::{Value as Json, json};

use super::ids::{any_ranges, lists, one, single};
use super::json::{array_of_documents, condition, document};
use super::text::{array_of_texts, query, text};
use super::{array_of, value_of};
use crate::ids::Ids;
use crate::index::{
    BloomFilter, BloomFilterSize, IndexError, IndexParts, InvertedIndex, JsonIndex, RangeIndex, SortedIndex,
    TextIndex,
};
use crate::json_flat::FlattenOptions;
use crate::schema::DataType;
use crate::text_search::WordOptions;
use crate::value::Value;

#[derive(Debug, Clone)]
enum Damage {
    Byte { buffer: Index, at: Index, to: u8 },
    Cut { buffer: Index, to: Index },
    Grow { buffer: Index, by: usize },
    Drop(Index),
    Repeat(Index),
    Number { at: Index, to: u64 },
    Header(Json),
}

fn any_damage() -> impl Strategy<Value = Vec<Damage>> {
    let one = prop_oneof![
        8 => (any::<Index>(), any::<Index>(), any::<u8>())
            .prop_map(|(buffer, at, to)| Damage::Byte { buffer, at, to }),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(buffer, to)| Damage::Cut { buffer, to }),
        1 => (any::<Index>(), 1_usize..70).prop_map(|(buffer, by)| Damage::Grow { buffer, by }),
        1 => any::<Index>().prop_map(Damage::Drop),
        1 => any::<Index>().prop_map(Damage::Repeat),
        2 => (any::<Index>(), prop_oneof![0_u64..70, any::<u64>()]).prop_map(|(at, to)| Damage::Number { at, to }),
        1 => prop::sample::select(vec![json!(null), json!({}), json!([1]), json!({"starts": "one_each"})])
            .prop_map(Damage::Header),
    ];
    prop::collection::vec(one, 1..4)
}

fn damage(parts: &mut IndexParts, damages: &[Damage]) {
    for damage in damages {
        let count = parts.buffers.len();
        match damage {
            Damage::Header(header) => parts.header = header.clone(),
            Damage::Number { at, to } => {
                let mut numbers = Vec::new();
                collect_numbers(&mut parts.header, &mut numbers);
                if !numbers.is_empty() {
                    let at = at.index(numbers.len());
                    *numbers[at] = json!(to);
                }
            }
            _ if count == 0 => parts.buffers.push(Buffer::from_vec(vec![0_u8; 8])),
            Damage::Drop(buffer) => drop(parts.buffers.remove(buffer.index(count))),
            Damage::Repeat(buffer) => parts.buffers.push(parts.buffers[buffer.index(count)].clone()),
            Damage::Byte { buffer, at, to } => change(&mut parts.buffers[buffer.index(count)], |bytes| {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] = *to;
                }
            }),
            Damage::Cut { buffer, to } => change(&mut parts.buffers[buffer.index(count)], |bytes| {
                bytes.truncate(to.index(bytes.len() + 1));
            }),
            Damage::Grow { buffer, by } => change(&mut parts.buffers[buffer.index(count)], |bytes| {
                bytes.resize(bytes.len() + by, 0xff);
            }),
        }
    }
}

fn change(buffer: &mut Buffer, by: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = buffer.to_vec();
    by(&mut bytes);
    *buffer = Buffer::from_vec(bytes);
}

fn collect_numbers<'a>(json: &'a mut Json, numbers: &mut Vec<&'a mut Json>) {
    match json {
        Json::Number(_) => numbers.push(json),
        Json::Object(map) => map.values_mut().for_each(|value| collect_numbers(value, numbers)),
        _ => {}
    }
}

fn check_within(found: Result<RoaringBitmap, IndexError>, rows: u32) {
    if let Ok(found) = found {
        assert!(found.max().is_none_or(|last| last < rows));
    }
}

fn check_inverted(
    mut parts: IndexParts,
    damages: &[Damage],
    distinct: u32,
    rows: u32,
    ranges: &[std::ops::Range<u32>],
) {
    damage(&mut parts, damages);
    let Ok(index) = InvertedIndex::from_parts(&parts, distinct as usize, rows) else { return };
    check_within(index.rows(ranges), rows);
    assert!(index.count(ranges) <= u64::from(rows));
    for id in 0..distinct + 2 {
        check_within(index.rows(&one(id..id + 1)), rows);
    }
    check_within(index.rows(&one(0..u32::MAX)), rows);
}

const DISTINCT: u32 = 300;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn inverted_lists(damages in any_damage(), ranges in any_ranges(DISTINCT), seed in any::<u32>()) {
        let ids: Vec<u32> = (0..1000).map(|row: u32| row.wrapping_mul(seed) % DISTINCT).collect();
        let parts = InvertedIndex::build(&single(&ids, DISTINCT as usize)).unwrap().to_parts();
        check_inverted(parts, &damages, DISTINCT, 1000, &ranges);
    }

    #[test]
    fn inverted_bitmaps(damages in any_damage(), ranges in any_ranges(4), seed in any::<u32>()) {
        let run = 100 + seed % 100;
        let ids: Vec<u32> = (0..3000).map(|row: u32| row / run % 4).collect();
        let parts = InvertedIndex::build(&single(&ids, 4)).unwrap().to_parts();
        assert!(parts.header["form"]["bitmaps"].is_object());
        check_inverted(parts, &damages, 4, 3000, &ranges);
    }

    #[test]
    fn inverted_multi_values(damages in any_damage(), ranges in any_ranges(DISTINCT), seed in any::<u32>()) {
        let rows: Vec<Vec<u32>> =
            (0..500).map(|row: u32| (0..row % 4).map(|i| (row + i).wrapping_mul(seed) % DISTINCT).collect()).collect();
        let parts = InvertedIndex::build(&lists(&rows, DISTINCT as usize)).unwrap().to_parts();
        check_inverted(parts, &damages, DISTINCT, 500, &ranges);
    }

    #[test]
    fn sorted(damages in any_damage(), ranges in any_ranges(DISTINCT), step in 1_u32..9) {
        let ids: Vec<u32> = (0..1000).map(|row: u32| row / step % DISTINCT).take_while(|id| *id < DISTINCT - 1).collect();
        prop_assume!(ids.is_sorted());
        let mut parts = SortedIndex::build(&Ids::narrow(ids, DISTINCT as usize), DISTINCT as usize).unwrap().to_parts();
        damage(&mut parts, &damages);
        if let Ok(index) = SortedIndex::from_parts(&parts, DISTINCT as usize, 1000) {
            for range in ranges.into_iter().chain([0..u32::MAX, 5..5]) {
                let rows = index.rows(range);
                prop_assert!(rows.start <= rows.end && rows.end <= 1000);
            }
        }
    }

    #[test]
    fn range(damages in any_damage(), text in any::<bool>(), low in any::<i64>(), high in -30_i64..30) {
        let data_type = if text { DataType::String } else { DataType::Double };
        let values: Vec<Value> = (0..1500).map(|row| value_of(data_type, row * 7919 % 40 - 20)).collect();
        let mut parts = RangeIndex::build(&array_of(data_type, &values)).unwrap().to_parts();
        damage(&mut parts, &damages);
        if let Ok(index) = RangeIndex::from_parts(&parts, &data_type.arrow(), 1500) {
            let (low, high) = (value_of(data_type, low), value_of(data_type, high));
            for low in [Bound::Unbounded, Bound::Included(&low), Bound::Excluded(&high)] {
                for high in [Bound::Unbounded, Bound::Included(&high), Bound::Excluded(&high)] {
                    check_within(index.rows(low, high, |row| Ok(values[row as usize].clone())), 1500);
                    prop_assert!(index.count(low, high) <= 1500);
                }
            }
        }
    }

    #[test]
    fn json(damages in any_damage(), documents in prop::collection::vec(document(), 1..30), asked in condition()) {
        let count = u32::try_from(documents.len()).unwrap();
        let mut parts = JsonIndex::build(&array_of_documents(&documents), &FlattenOptions::default()).unwrap().to_parts();
        damage(&mut parts, &damages);
        if let Ok(index) = JsonIndex::from_parts(&parts, count) {
            check_within(index.documents(&asked), count);
        }
    }

    #[test]
    fn text_index(damages in any_damage(), texts in prop::collection::vec(text(), 1..30), asked in query(), negated in any::<bool>()) {
        let count = u32::try_from(texts.len()).unwrap();
        let mut parts = TextIndex::build(&array_of_texts(&texts), None, &WordOptions::default()).unwrap().to_parts();
        damage(&mut parts, &damages);
        if let Ok(index) = TextIndex::from_parts(&parts, count)
            && let Ok(found) = index.texts(&asked, negated)
        {
            check_within(Ok(found.surely), count);
            check_within(Ok(found.perhaps), count);
        }
    }

    #[test]
    fn bloom_filter(damages in any_damage(), number in any::<i64>()) {
        let values: Vec<Value> = (0..100).map(|row| value_of(DataType::Long, row)).collect();
        let array = array_of(DataType::Long, &values);
        let mut parts = BloomFilter::build(&array, BloomFilterSize::default()).unwrap().to_parts();
        damage(&mut parts, &damages);
        if let Ok(filter) = BloomFilter::from_parts(&parts, &ArrowType::Int64) {
            let _ = filter.may_contain(&Value::Long(number));
        }
    }
}

#[test]
fn an_index_of_another_segment_is_refused() {
    let ids: Vec<u32> = (0..1000).map(|row: u32| row * 7 % DISTINCT).collect();
    let parts = InvertedIndex::build(&single(&ids, DISTINCT as usize)).unwrap().to_parts();
    assert!(InvertedIndex::from_parts(&parts, DISTINCT as usize, 999).is_err());
    assert!(InvertedIndex::from_parts(&parts, DISTINCT as usize + 1, 1000).is_err());
    let values: Vec<Value> = (0..1000).map(|row| value_of(DataType::Long, row)).collect();
    let parts = RangeIndex::build(&array_of(DataType::Long, &values)).unwrap().to_parts();
    assert!(RangeIndex::from_parts(&parts, &ArrowType::Int64, 10).is_err());
    assert!(RangeIndex::from_parts(&parts, &ArrowType::Int32, 1000).is_err());
}
