use proptest::prelude::*;

use super::*;
use crate::serving::packing;

fn any_values() -> impl Strategy<Value = Vec<i64>> {
    let value = prop_oneof![
        4 => 0..1_000_i64,
        1 => Just(i64::MIN),
        1 => Just(i64::MAX),
        1 => any::<i64>(),
        2 => -70_000..70_000_i64,
    ];
    let len = prop_oneof![0..5_usize, 1_020..1_030_usize, 2_040..3_100_usize];
    (len, any::<bool>(), prop::collection::vec(value, 1..40), any::<u64>()).prop_map(
        |(len, ascends, choices, seed)| {
            let word = |index: usize| (index as u64).wrapping_mul(seed | 1).rotate_left(17) ^ seed;
            let mut values: Vec<i64> = (0..len)
                .map(|index| choices[usize::try_from(word(index) % choices.len() as u64).unwrap()])
                .collect();
            if ascends {
                values.sort_unstable();
            }
            values
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_come_back(values in any_values()) {
        for form in [FrameForm::Values, FrameForm::Deltas] {
            let bytes = encode(&values, form);
            let back = decode(&bytes, values.len(), form, Ok);
            prop_assert_eq!(back.as_ref(), Ok(&values));
            prop_assert!(decode::<i64>(&bytes, values.len() + 1024, form, Ok).is_err());
            if !values.is_empty() {
                prop_assert!(decode::<i64>(&bytes[..bytes.len() - 1], values.len(), form, Ok).is_err());
                prop_assert!(decode::<i64>(&bytes, values.len() - 1, form, Ok) != Ok(values.clone()));
            }
        }
    }

    #[test]
    fn any_bytes_are_refused_or_are_as_many_values(bytes in prop::collection::vec(any::<u8>(), 0..300), count in 0..3_000_usize) {
        for form in [FrameForm::Values, FrameForm::Deltas] {
            if let Ok(values) = decode(&bytes, count, form, Ok::<i64, Refused>) {
                prop_assert_eq!(values.len(), count);
            }
        }
    }

    #[test]
    fn flipped_bits_never_panic(values in any_values(), place in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let mut bytes = encode(&values, FrameForm::Values);
        if !bytes.is_empty() {
            let place = place.index(bytes.len());
            bytes[place] ^= 1 << bit;
            if let Ok(found) = decode(&bytes, values.len(), FrameForm::Values, Ok::<i64, Refused>) {
                prop_assert_eq!(found.len(), values.len());
            }
        }
    }

    #[test]
    fn packed_values_come_back(width in 0..=64_u32, len in 0..70_usize, seed in any::<u64>()) {
        let mask = if width == 0 { 0 } else { u64::MAX >> (64 - width) };
        let values: Vec<u64> =
            (0..len as u64).map(|index| index.wrapping_mul(seed).rotate_left(29).wrapping_mul(seed | 1) & mask).collect();
        let mut bytes = Vec::new();
        packing::pack(values.iter().copied(), width, &mut bytes);
        prop_assert_eq!(bytes.len(), packing::packed_bytes(len, width));
        let mut back = vec![7; len];
        packing::unpack(&bytes, width, &mut back);
        prop_assert_eq!(back, values);
    }
}

#[test]
fn few_large_values_do_not_widen_a_frame() {
    let mut values: Vec<i64> = (0..1024).map(|value| value % 16).collect();
    values[100] = i64::MAX;
    values[900] = 1 << 40;
    let bytes = encode(&values, FrameForm::Values);
    assert!(bytes.len() < 1024 / 2 + 64, "{} bytes", bytes.len());
}

#[test]
fn equal_steps_take_no_bits() {
    let values: Vec<i64> = (0..65_536).map(|value| value * 3 + 1_000_000_007).collect();
    let bytes = encode(&values, FrameForm::Deltas);
    assert!(bytes.len() < 64 * 12, "{} bytes", bytes.len());
}
