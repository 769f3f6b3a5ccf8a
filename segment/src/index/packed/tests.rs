use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn gives_back_what_was_packed(values in prop::collection::vec(any::<u32>(), 0..200), shift in 0_u32..32) {
        let values: Vec<u32> = values.into_iter().map(|value| value >> shift).collect();
        let max = values.iter().copied().max().unwrap_or(0);
        let packed = Packed::new(values.iter().copied(), max);
        let opened = Packed::open(packed.buffer().clone(), packed.width(), values.len()).unwrap();
        prop_assert_eq!(opened.iter(0..values.len()).collect::<Vec<_>>(), values.clone());
        for (i, value) in values.iter().enumerate() {
            prop_assert_eq!(opened.get(i), *value);
        }
    }
}

#[test]
fn refuses_lengths_that_do_not_fit() {
    let packed = Packed::new([1, 2, 3].into_iter(), 3);
    assert_eq!(packed.buffer().len(), 8);
    for (width, len) in [(0, 3), (33, 3), (2, 5), (9, 3), (u32::MAX, 3), (2, usize::MAX), (32, usize::MAX)] {
        assert!(Packed::open(packed.buffer().clone(), width, len).is_err(), "{width} {len}");
    }
}
