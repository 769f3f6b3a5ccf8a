//! Bytes that were not written by us: they are refused, or queries over them end without panic.

use arrow::buffer::Buffer;
use proptest::prelude::*;

use super::super::*;
use super::model::{Case, id_of};
use crate::index::IndexParts;

/// A change to the parts of a tree.
#[derive(Debug, Clone)]
enum Damage {
    /// A number of a buffer becomes another.
    Number { buffer: usize, place: usize, value: u32 },
    /// A byte of a buffer changes.
    Byte { buffer: usize, place: usize, value: u8 },
    /// A buffer ends early, or too late.
    Length { buffer: usize, len: usize },
    /// Two buffers change places.
    Swap { one: usize, other: usize },
    /// A number of the header becomes another.
    Header { key: &'static str, value: u64 },
}

fn damage() -> impl Strategy<Value = Damage> {
    let index = || any::<prop::sample::Index>().prop_map(|index| index.index(1 << 20));
    // Numbers near the right ones do more harm than others.
    let value = || prop_oneof![4 => 0..700_u32, 1 => any::<u32>(), 1 => Just(u32::MAX)];
    prop_oneof![
        8 => (0..5_usize, index(), value())
            .prop_map(|(buffer, place, value)| Damage::Number { buffer, place, value }),
        3 => (index(), index(), any::<u8>())
            .prop_map(|(buffer, place, value)| Damage::Byte { buffer, place, value }),
        1 => (index(), 0..3_000_usize).prop_map(|(buffer, len)| Damage::Length { buffer, len }),
        1 => (index(), index()).prop_map(|(one, other)| Damage::Swap { one, other }),
        1 => (
            prop::sample::select(vec!["rows", "nodes", "records", "leaf_records_max"]),
            prop_oneof![0..700_u64, Just(u64::MAX)]
        ).prop_map(|(key, value)| Damage::Header { key, value }),
    ]
}

impl Damage {
    fn apply(&self, parts: &mut IndexParts) {
        let buffers = parts.buffers.len();
        match *self {
            Damage::Number { buffer, place, value } => {
                parts.buffers[buffer] = changed(&parts.buffers[buffer], place * 4, &value.to_le_bytes())
            }
            Damage::Byte { buffer, place, value } => {
                parts.buffers[buffer % buffers] = changed(&parts.buffers[buffer % buffers], place, &[value])
            }
            Damage::Length { buffer, len } => {
                let mut bytes = parts.buffers[buffer % buffers].to_vec();
                bytes.resize(len, 0);
                parts.buffers[buffer % buffers] = Buffer::from(bytes);
            }
            Damage::Swap { one, other } => parts.buffers.swap(one % buffers, other % buffers),
            Damage::Header { key, value } => parts.header[key] = value.into(),
        }
    }
}

fn changed(buffer: &Buffer, place: usize, with: &[u8]) -> Buffer {
    let mut bytes = buffer.to_vec();
    if bytes.len() >= with.len() {
        let place = place % bytes.len() / with.len() * with.len();
        if let Some(slots) = bytes.get_mut(place..place + with.len()) {
            slots.copy_from_slice(with);
        }
    }
    // Copied to memory of numbers, so that it is aligned as a file's blocks are.
    Buffer::from_vec(
        bytes
            .chunks(8)
            .map(|chunk| {
                let mut eight = [0; 8];
                eight[..chunk.len()].copy_from_slice(chunk);
                u64::from_ne_bytes(eight)
            })
            .collect::<Vec<_>>(),
    )
    .slice_with_length(0, bytes.len())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_parts_are_refused_or_harmless(case in Case::any(), damages in prop::collection::vec(damage(), 1..4)) {
        let mut parts = case.tree().to_parts();
        damages.iter().for_each(|damage| damage.apply(&mut parts));
        let lens = case.cardinalities.clone();
        let len_of = |name: &str| Some(lens[name[1..].parse::<usize>().unwrap()] as usize);
        let Ok(tree) = StarTree::from_parts(&parts, case.rows.len(), len_of) else { return Ok(()) };
        let group_by = case.group_by();
        let records = tree.records(&case.filters(), &group_by);
        prop_assert!(records.len() <= tree.record_count() + tree.node_count());
        for &record in &records {
            prop_assert!((record as usize) < tree.record_count());
            for &dimension in &group_by {
                prop_assert!(id_of(&tree, dimension, record) < case.cardinalities[dimension]);
            }
        }
        for pair in tree.options().function_pairs.iter().flat_map(FunctionPair::stored) {
            let column = tree.metric(&pair).unwrap();
            prop_assert_eq!(column.len(), tree.record_count());
            if let MetricColumn::Ids(ids) = column {
                for record in 0..u32::try_from(ids.len()).unwrap() {
                    prop_assert!(ids.of_record(record).max().is_none_or(|id| id < case.cardinalities[0]));
                }
            }
        }
        tree.select(&case.filters(), &group_by);
    }
}

#[test]
fn parts_of_another_segment_are_refused() {
    let case = Case::fixed();
    let parts = case.tree().to_parts();
    let fault = |parts: &IndexParts, rows, len| StarTree::from_parts(parts, rows, |_| len).unwrap_err();
    let rows = case.rows.len();
    assert_eq!(fault(&parts, rows + 1, Some(5)), "it has another number of rows than its segment");
    assert_eq!(fault(&parts, rows, Some(6)), "dimension `d0` has another dictionary than its column");
    assert_eq!(fault(&parts, rows, None), "dimension `d0` has another dictionary than its column");
    let mut named = parts.clone();
    named.header["metrics"][0]["pair"] = "MAX__m".into();
    assert_eq!(fault(&named, rows, Some(5)), "`SUM__m` is stored under another name");
    let mut unaligned = parts.clone();
    let shifted = [&[0], parts.buffers[0].as_slice()].concat();
    unaligned.buffers[0] = Buffer::from_vec(vec![0_u64; shifted.len().div_ceil(8)]);
    unaligned.buffers[0] = unaligned.buffers[0].slice_with_length(1, parts.buffers[0].len());
    assert_eq!(fault(&unaligned, rows, Some(5)), "a buffer is not aligned");
    assert_eq!(
        fault(&IndexParts { header: 1.into(), buffers: Vec::new() }, rows, None),
        "invalid type: integer `1`, expected struct Header"
    );
}
