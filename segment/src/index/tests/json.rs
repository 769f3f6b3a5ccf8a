//! A JSON index against the documents themselves.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, StringArray};
use proptest::prelude::*;
use serde_json::{Map, Value as Json};

use crate::index::JsonIndex;
use crate::json_flat::{FlatKey, FlattenOptions, JsonCondition, JsonTest, KeyTest, ValueTest, flatten};

/// Values that are longer than a letter.
#[derive(Debug)]
struct Long;

impl ValueTest for Long {
    fn holds(&self, value: &str) -> Result<bool, String> {
        Ok(value.len() > 1)
    }
}

/// A test that no value can be put to.
#[derive(Debug)]
struct Faulty;

impl ValueTest for Faulty {
    fn holds(&self, _value: &str) -> Result<bool, String> {
        Err("no answer".to_owned())
    }
}

pub(super) fn document() -> impl Strategy<Value = String> {
    let leaf =
        prop_oneof![Just(Json::Null), (0..3).prop_map(Json::from), "[ab\u{0}]{0,2}".prop_map(Json::from)];
    let nested = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
            prop::collection::vec(("[xy]", inner), 0..3)
                .prop_map(|fields| Json::from(fields.into_iter().collect::<Map<String, Json>>())),
        ]
    });
    prop_oneof![20 => nested.prop_map(|document| document.to_string()), 1 => "[{}a]{0,3}"]
}

fn key_test() -> impl Strategy<Value = JsonTest> {
    let path = prop::collection::vec(prop::sample::select(vec![".x", ".y", "[*]", "[0]", "[1]"]), 0..4);
    let values = || prop::collection::vec("[ab0-2]{0,2}", 1..3);
    let test = prop_oneof![
        Just(KeyTest::Exists),
        values().prop_map(KeyTest::OneOf),
        values().prop_map(KeyTest::NoneOf),
        Just(()).prop_map(|()| KeyTest::Holds(Arc::new(Long))),
    ];
    (path, test).prop_map(|(path, test)| {
        let key = FlatKey::parse(&format!("${}", path.concat())).expect("all brackets are closed");
        JsonTest::Key { key, test }
    })
}

pub(super) fn condition() -> impl Strategy<Value = JsonCondition> {
    let test = key_test().prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..3).prop_map(JsonTest::All),
            prop::collection::vec(inner, 1..3).prop_map(JsonTest::Any),
        ]
    });
    (test, any::<bool>()).prop_map(|(test, negated)| JsonCondition { test, negated })
}

pub(super) fn array_of_documents(documents: &[String]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(documents))
}

fn options() -> impl Strategy<Value = FlattenOptions> {
    (0_usize..3, any::<bool>(), any::<bool>(), 0_usize..3).prop_map(
        |(levels, arrays, side_by_side, length)| FlattenOptions {
            levels_max: levels,
            exclude_array: arrays,
            disable_cross_array_unnest: side_by_side,
            value_length_max: length,
            ..FlattenOptions::default()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn finds_the_documents_that_match(
        documents in prop::collection::vec(document(), 0..30),
        conditions in prop::collection::vec(condition(), 1..6),
        options in options(),
    ) {
        let built = JsonIndex::build(&array_of_documents(&documents), &options).unwrap();
        let count = u32::try_from(documents.len()).unwrap();
        let opened = JsonIndex::from_parts(&built.to_parts(), count).unwrap();
        prop_assert_eq!(opened.options(), &options);
        for condition in &conditions {
            let matches = |document: &String| condition.matches(&flatten(document, &options)).unwrap();
            let expected: Vec<u32> =
                (0..count).filter(|number| matches(&documents[*number as usize])).collect();
            prop_assert_eq!(built.documents(condition).unwrap().iter().collect::<Vec<u32>>(), expected.clone());
            prop_assert_eq!(opened.documents(condition).unwrap().iter().collect::<Vec<u32>>(), expected);
        }
    }
}

#[test]
fn what_it_cannot_answer_is_an_error() {
    let documents = array_of_documents(&[r#"{"x": "a"}"#.to_owned()]);
    let index = JsonIndex::build(&documents, &FlattenOptions::default()).unwrap();
    let key = FlatKey::parse("$.x").unwrap();
    let test = JsonTest::Key { key, test: KeyTest::Holds(Arc::new(Faulty)) };
    assert!(index.documents(&JsonCondition { test, negated: false }).is_err());
    assert!(JsonIndex::from_parts(&index.to_parts(), 2).is_err());
    let numbers: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    assert!(JsonIndex::build(&numbers, &FlattenOptions::default()).is_none());
}
