use proptest::prelude::*;

use super::*;
use crate::index::IndexParts;

fn reopen(starts: &Starts) -> Result<Starts, String> {
    let parts = IndexParts::new(&starts.header(), starts.buffer().cloned().into_iter().collect());
    let (header, mut buffers) = parts.open::<StartsHeader>()?;
    Starts::open(&header, &mut buffers, starts.distinct(), starts.entries())
}

fn check(counts: &[u32]) {
    let built = Starts::of_counts(counts);
    for starts in [reopen(&built).unwrap(), built] {
        let mut start = 0;
        for (id, count) in (0..).zip(counts) {
            assert_eq!(starts.range(&(id..id + 1)), start..start + count, "id {id}");
            start += count;
        }
        let distinct = u32::try_from(counts.len()).unwrap();
        assert_eq!(starts.range(&(0..distinct)), 0..start);
        assert_eq!(starts.range(&(distinct..u32::MAX)), start..start);
    }
}

proptest! {
    #[test]
    fn finds_the_entries_of_each_id(counts in prop::collection::vec(prop_oneof![0_u32..3, 0_u32..200], 0..2000)) {
        check(&counts);
    }
}

#[test]
fn takes_the_smallest_form() {
    let form = |counts: &[u32]| Starts::of_counts(counts).form;
    assert!(matches!(form(&[]), Form::OneEach));
    assert!(matches!(form(&[1; 1000]), Form::OneEach));
    assert!(matches!(form(&[2; 1000]), Form::Unary { .. }));
    assert!(matches!(form(&[1000, 0, 3000]), Form::Packed(_)));
}

#[test]
fn counts_bits_over_empty_stretches() {
    let mut counts = vec![0; 700];
    counts.extend([1; 700]);
    counts.extend([5000, 0, 1]);
    counts.extend([2; 3000]);
    check(&counts);
}

#[test]
fn refuses_unary_numbers_of_other_ids() {
    let starts = Starts::of_counts(&[2; 100]);
    let bits = starts.buffer().unwrap();
    assert!(check_unary(bits, 100, 200).is_ok());
    assert!(check_unary(bits, 99, 201).is_err());
    assert!(check_unary(bits, 101, 199).is_err());
    assert!(check_unary(bits, 100, u32::MAX).is_err());
    assert!(check_unary(bits, usize::MAX, 1).is_err());
    let mut bytes = bits.to_vec();
    bytes[0] = 0b1001_0010;
    assert!(check_unary(&bytes.into(), 100, 200).is_err(), "the first id has no one");
}
