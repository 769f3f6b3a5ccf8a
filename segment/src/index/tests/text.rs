//! A text index against the texts themselves, and against a model that knows words only as lists.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, StringArray};
use proptest::prelude::*;
use regex::Regex;

use crate::index::TextIndex;
use crate::text_search::{
    Analyzer, Clause, Occur, Phrase, PhraseOrder, PhrasePart, TextAnalyzer, TextQuery, WordOptions,
    WordPattern, WordTest, Words,
};

pub(super) fn text() -> impl Strategy<Value = String> {
    prop::collection::vec("[abc]{1,2}|the|[AB]", 0..6).prop_map(|words| words.join(" "))
}

fn word_test() -> impl Strategy<Value = WordTest> {
    let word = || "[abc]{1,2}";
    prop_oneof![
        3 => word().prop_map(WordTest::Is),
        1 => "[abc]".prop_map(WordTest::Prefix),
        1 => word().prop_map(|word| WordTest::Pattern(WordPattern {
            regex: Regex::new(&format!("^(?:{word}.?)$")).unwrap(),
            prefix: word,
            is_wildcard: false,
        })),
        1 => (word(), 0_usize..2).prop_map(|(word, prefix)| WordTest::Near { word, edits: 1, prefix }),
        1 => (word(), any::<bool>(), prop::option::of(word())).prop_map(|(low, with, high)| WordTest::Between {
            low: Some((low, with)),
            high: high.map(|high| (high, !with)),
        }),
    ]
}

pub(super) fn query() -> impl Strategy<Value = TextQuery> {
    let phrase = (prop::collection::vec(word_test(), 1..4), 0_u32..3, any::<bool>()).prop_map(
        |(tests, slop, kept)| {
            let parts = (0..).zip(tests).map(|(offset, test)| PhrasePart { offset, test }).collect();
            let order = if kept { PhraseOrder::Kept } else { PhraseOrder::Moved };
            TextQuery::Phrase(Phrase { parts, slop, order })
        },
    );
    let leaf = prop_oneof![
        6 => word_test().prop_map(TextQuery::Word),
        3 => phrase,
        1 => Just(TextQuery::All),
        1 => Just(TextQuery::Nothing),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let occur = prop::sample::select(vec![Occur::Must, Occur::Should, Occur::Should, Occur::MustNot]);
        let clause = (occur, inner).prop_map(|(occur, query)| Clause { occur, query });
        (prop::collection::vec(clause, 1..5), 0_usize..3)
            .prop_map(|(clauses, should_min)| TextQuery::Clauses { clauses, should_min })
    })
}

pub(super) fn array_of_texts(texts: &[String]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(texts))
}

fn options() -> impl Strategy<Value = WordOptions> {
    let analyzers =
        vec![TextAnalyzer::Standard, TextAnalyzer::Simple, TextAnalyzer::Whitespace, TextAnalyzer::Keyword];
    (prop::sample::select(analyzers), any::<bool>(), any::<bool>()).prop_map(
        |(analyzer, case_sensitive, stops)| WordOptions {
            analyzer,
            case_sensitive,
            stop_words_include: if stops { ["c".to_owned()].into() } else { [].into() },
            stop_words_exclude: if stops { ["the".to_owned()].into() } else { [].into() },
        },
    )
}

fn check(index: &TextIndex, texts: &[Words], query: &TextQuery) {
    for negated in [false, true] {
        let found = index.texts(query, negated).unwrap();
        assert!(found.surely.is_disjoint(&found.perhaps));
        for (number, words) in (0..).zip(texts) {
            let matches = query.matches(words) != negated;
            assert!(!found.surely.contains(number) || matches, "{number} does not match {query:?}");
            let is_found = found.surely.contains(number) || found.perhaps.contains(number);
            assert!(is_found || !matches, "{number} matches {query:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn finds_the_texts_that_match(
        texts in prop::collection::vec(text(), 0..30),
        queries in prop::collection::vec(query(), 1..6),
        options in options(),
    ) {
        let analyzer = Analyzer::new(&options);
        let built = TextIndex::build(&array_of_texts(&texts), None, &options).unwrap();
        let count = u32::try_from(texts.len()).unwrap();
        let opened = TextIndex::from_parts(&built.to_parts(), count).unwrap();
        prop_assert_eq!(opened.options(), &options);
        let words: Vec<Words> = texts.iter().map(|text| analyzer.words(text)).collect();
        for query in &queries {
            check(&built, &words, query);
            check(&opened, &words, query);
        }
    }

    #[test]
    fn finds_the_rows_of_several_texts(
        texts in prop::collection::vec(prop::collection::vec(text(), 0..4), 0..20),
        queries in prop::collection::vec(query(), 1..6),
    ) {
        let options = WordOptions::default();
        let analyzer = Analyzer::new(&options);
        let mut offsets = vec![0];
        let (mut flat, mut words) = (Vec::new(), Vec::new());
        for row in &texts {
            flat.extend_from_slice(row);
            offsets.push(i32::try_from(flat.len()).unwrap());
            let mut of_row = Words::default();
            row.iter().for_each(|text| analyzer.add_words(text, &mut of_row));
            words.push(of_row);
        }
        let index = TextIndex::build(&array_of_texts(&flat), Some(&offsets), &options).unwrap();
        for query in &queries {
            check(&index, &words, query);
        }
    }

    #[test]
    fn only_phrases_are_asked_of_the_texts(texts in prop::collection::vec(text(), 1..30), test in word_test()) {
        let index = TextIndex::build(&array_of_texts(&texts), None, &WordOptions::default()).unwrap();
        let found = index.texts(&TextQuery::Word(test), false).unwrap();
        prop_assert!(found.perhaps.is_empty());
    }
}

#[test]
fn what_it_cannot_hold_is_not_built() {
    let numbers: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    assert!(TextIndex::build(&numbers, None, &WordOptions::default()).is_none());
    let texts = array_of_texts(&["a word".to_owned()]);
    let index = TextIndex::build(&texts, None, &WordOptions::default()).unwrap();
    assert!(TextIndex::from_parts(&index.to_parts(), 2).is_err());
}
