//! Sorted and inverted indexes over dictionary ids.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::Int64Array;
use arrow::buffer::OffsetBuffer;
use proptest::prelude::*;
use roaring::RoaringBitmap;

use crate::column::ColumnValues;
use crate::dictionary::Dictionary;
use crate::ids::Ids;
use crate::index::{InvertedIndex, SortedIndex};

pub(super) fn dictionary(distinct: usize) -> Arc<Dictionary> {
    let values: Int64Array = (0_i64..).take(distinct).collect();
    Arc::new(Dictionary::of_values(Arc::new(values), true))
}

pub(super) fn single(ids: &[u32], distinct: usize) -> ColumnValues {
    ColumnValues::Ids { ids: Ids::narrow(ids.to_vec(), distinct), dictionary: dictionary(distinct) }
}

pub(super) fn lists(rows: &[Vec<u32>], distinct: usize) -> ColumnValues {
    ColumnValues::IdLists {
        offsets: OffsetBuffer::from_lengths(rows.iter().map(Vec::len)),
        ids: Ids::narrow(rows.concat(), distinct),
        dictionary: dictionary(distinct),
    }
}

pub(super) fn one(ids: Range<u32>) -> Vec<Range<u32>> {
    std::iter::once(ids).collect()
}

/// Sorted disjoint ranges of ids.
pub(super) fn any_ranges(distinct: u32) -> impl Strategy<Value = Vec<Range<u32>>> {
    prop::collection::btree_set(0..=distinct, 0..6).prop_map(|borders| {
        let borders: Vec<u32> = borders.into_iter().collect();
        borders.chunks_exact(2).map(|pair| pair[0]..pair[1]).collect()
    })
}

fn check_inverted(rows: &[Vec<u32>], values: &ColumnValues, distinct: usize, ranges: &[Range<u32>]) {
    let built = InvertedIndex::build(values).unwrap();
    let row_count = u32::try_from(rows.len()).unwrap();
    let opened = InvertedIndex::from_parts(&built.to_parts(), distinct, row_count).unwrap();
    let holds =
        |row: &Vec<u32>, ids: &[Range<u32>]| row.iter().any(|id| ids.iter().any(|ids| ids.contains(id)));
    let model = |ids: &[Range<u32>]| -> RoaringBitmap {
        (0..).zip(rows).filter(|(_, row)| holds(row, ids)).map(|(row, _)| row).collect()
    };
    let every = u32::try_from(distinct).unwrap();
    let single_value = matches!(values, ColumnValues::Ids { .. });
    for index in [&built, &opened] {
        let one_each = (0..every.min(20)).map(|id| one(id..id + 1));
        for ids in one_each.chain([ranges.to_vec(), one(0..every), vec![]]) {
            let expected = model(&ids);
            assert_eq!(index.rows(&ids).unwrap(), expected, "{ids:?}");
            assert!(index.count(&ids) >= expected.len());
            if single_value || ids.len() == 1 && ids[0].len() == 1 {
                assert_eq!(index.count(&ids), expected.len());
            }
        }
    }
}

fn few_or_many() -> impl Strategy<Value = u32> {
    prop_oneof![1_u32..6, 200_u32..400]
}

proptest! {
    #[test]
    fn inverted_finds_rows_of_single_values(
        (distinct, ids, ranges) in few_or_many().prop_flat_map(|distinct| {
            (Just(distinct), prop::collection::vec(0..distinct, 0..3000), any_ranges(distinct))
        })
    ) {
        let rows: Vec<Vec<u32>> = ids.iter().map(|id| vec![*id]).collect();
        check_inverted(&rows, &single(&ids, distinct as usize), distinct as usize, &ranges);
    }

    #[test]
    fn inverted_finds_rows_of_multi_values(
        (distinct, rows, ranges) in few_or_many().prop_flat_map(|distinct| {
            let rows = prop::collection::vec(prop::collection::vec(0..distinct, 0..5), 0..800);
            (Just(distinct), rows, any_ranges(distinct))
        })
    ) {
        check_inverted(&rows, &lists(&rows, distinct as usize), distinct as usize, &ranges);
    }

    #[test]
    fn sorted_finds_the_rows_of_ids(
        (distinct, mut ids, ranges) in few_or_many().prop_flat_map(|distinct| {
            (Just(distinct), prop::collection::vec(0..distinct, 0..3000), any_ranges(distinct))
        })
    ) {
        let ascending = ids.is_sorted();
        let narrow = |ids: &[u32]| Ids::narrow(ids.to_vec(), distinct as usize);
        prop_assert_eq!(SortedIndex::build(&narrow(&ids), distinct as usize).is_some(), ascending);
        ids.sort_unstable();
        let built = SortedIndex::build(&narrow(&ids), distinct as usize).unwrap();
        let rows = u32::try_from(ids.len()).unwrap();
        let opened = SortedIndex::from_parts(&built.to_parts(), distinct as usize, rows).unwrap();
        for range in ranges.into_iter().chain([0..distinct, 0..1, 0..0]) {
            let expected: Vec<u32> = (0..).zip(&ids).filter(|(_, id)| range.contains(id)).map(|(row, _)| row).collect();
            prop_assert_eq!(built.rows(range.clone()).collect::<Vec<_>>(), expected.clone());
            prop_assert_eq!(opened.rows(range).collect::<Vec<_>>(), expected);
        }
    }
}

#[test]
fn many_rows_of_few_values_are_bitmaps_and_distinct_ones_lists_without_starts() {
    let rows = 200_000_u32;
    let few: Vec<u32> = (0..rows).map(|row| row * 7919 % 10).collect();
    let index = InvertedIndex::build(&single(&few, 10)).unwrap();
    assert!(index.memory_bytes() < rows as usize * 10 / 8 + 10_000);
    check_inverted(&few.iter().map(|id| vec![*id]).collect::<Vec<_>>(), &single(&few, 10), 10, &[2..5, 7..8]);

    // Not much smaller as bitmaps.
    let some: Vec<u32> = (0..rows).map(|row| row * 7919 % 100).collect();
    check_inverted(
        &some.iter().map(|id| vec![*id]).collect::<Vec<_>>(),
        &single(&some, 100),
        100,
        &[2..30, 71..80],
    );

    let distinct: Vec<u32> = (0..rows).map(|row| (row * 7919) % rows).collect();
    let index = InvertedIndex::build(&single(&distinct, rows as usize)).unwrap();
    assert_eq!(index.memory_bytes(), rows as usize * 18 / 8 + 7);
    assert_eq!(index.rows(&one(distinct[5]..distinct[5] + 1)).unwrap().iter().collect::<Vec<_>>(), [5]);
    assert_eq!(index.rows(&[0..1000, 5000..90_000]).unwrap().len(), 86_000);
}

#[test]
fn a_column_without_dictionary_has_no_inverted_index() {
    assert!(InvertedIndex::build(&ColumnValues::Plain(Arc::new(Int64Array::from(vec![1])))).is_none());
}
