use proptest::prelude::*;

use super::*;

fn texts(values: &[Vec<u8>]) -> (Vec<i32>, Vec<u8>) {
    let mut offsets = vec![0];
    let mut data = Vec::new();
    for value in values {
        data.extend_from_slice(value);
        offsets.push(i32::try_from(data.len()).unwrap());
    }
    (offsets, data)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fronts_come_back(mut values in prop::collection::vec("[ab]{0,6}", 0..60)) {
        values.sort_unstable();
        let values: Vec<Vec<u8>> = values.into_iter().map(String::into_bytes).collect();
        let (offsets, data) = texts(&values);
        let fronts = to_fronts(Texts { offsets: &offsets, data: &data });
        let back = from_fronts(&fronts.shared, &fronts.lengths, &fronts.data);
        prop_assert_eq!(back, Ok((offsets, data)));
    }

    #[test]
    fn digits_come_back(
        head in "[a-zé]{0,5}",
        words in prop::collection::vec(any::<u64>(), 2..40),
        more in any::<bool>(),
    ) {
        let tail = |word: &u64| if more { format!("-{:032x}", u128::from(*word) * u128::from(*word)) } else { String::new() };
        let values: Vec<Vec<u8>> =
            words.iter().map(|word| format!("{head}{word:016x}{}", tail(word)).into_bytes()).collect();
        let (offsets, data) = texts(&values);
        match to_digits(Texts { offsets: &offsets, data: &data }) {
            Some(digits) => {
                prop_assert_eq!(from_digits(&digits.pattern, &digits.words, values.len()), Ok(data));
            }
            None => prop_assert!(values.iter().all(|value| *value == values[0])),
        }
    }

    #[test]
    fn any_fronts_are_refused_or_fit_their_data(
        shared in prop::collection::vec(-2..9_i64, 0..20),
        lengths in prop::collection::vec(-2..9_i64, 20),
        data in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        if let Ok((offsets, bytes)) = from_fronts(&shared, &lengths[..shared.len()], &data) {
            prop_assert_eq!(offsets.last().copied(), i32::try_from(bytes.len()).ok());
            prop_assert!(offsets.is_sorted());
        }
    }
}

#[test]
fn texts_of_other_patterns_have_no_digits() {
    let none = |values: &[&str]| {
        let values: Vec<Vec<u8>> = values.iter().map(|value| value.as_bytes().to_vec()).collect();
        let (offsets, data) = texts(&values);
        to_digits(Texts { offsets: &offsets, data: &data }).is_none()
    };
    assert!(none(&[]));
    assert!(none(&[""]));
    assert!(none(&["", ""]));
    assert!(none(&["a1", "a22"]), "lengths differ");
    assert!(none(&["aF", "a0"]), "an upper-case digit comes back in lower case");
    assert!(none(&["a1", "x1"]), "no digit where they differ");
    assert!(none(&["same", "same"]), "nothing differs");
    assert!(none(&[&"0".repeat(65), &"1".repeat(65)]), "too long");
    assert!(!none(&["x1-a", "x2-a"]));
}

#[test]
fn impossible_digits_are_refused() {
    assert!(from_digits(b"a\xff", &[vec![16]], 1).is_err(), "a word of two digits");
    assert!(from_digits(b"a\xff", &[vec![1], vec![1]], 1).is_err(), "too many words");
    assert!(from_digits(b"a", &[], 3).is_ok_and(|data| data == b"aaa"));
    assert!(from_digits(&[DIGIT; 65], &vec![vec![0]; 5], 1).is_err(), "too long");
}

#[test]
fn lengths_must_add_up() {
    assert_eq!(offsets_of(&[1, 0, 2], 3), Ok(vec![0, 1, 1, 3]));
    for (lengths, bytes) in
        [(vec![1, 1], 3), (vec![4], 3), (vec![-1, 4], 3), (vec![i64::MAX, 1], 3), (vec![], 1)]
    {
        assert!(offsets_of(&lengths, bytes).is_err(), "{lengths:?}");
    }
}
