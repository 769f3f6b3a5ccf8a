//! Words and phrases as Lucene's documentation and Pinot's tests have them, and edits against another way to count them.

use proptest::prelude::*;

use super::distance::is_near;
use super::*;

fn shown(options: &WordOptions, text: &str) -> String {
    let words = Analyzer::new(options).words(text);
    let shown = words.as_slice().iter().map(|word| format!("{}@{}", word.text, word.position));
    shown.collect::<Vec<_>>().join(" ")
}

fn of(analyzer: TextAnalyzer) -> WordOptions {
    WordOptions { analyzer, ..WordOptions::default() }
}

#[test]
fn analyzers_cut_as_lucenes() {
    let text = "The Quick-brown FOX, it's 3.14 x_y!";
    assert_eq!(shown(&WordOptions::default(), text), "quick@1 brown@2 fox@3 it's@4 3.14@5 x_y@6");
    assert_eq!(shown(&of(TextAnalyzer::Simple), text), "the@0 quick@1 brown@2 fox@3 it@4 s@5 x@6 y@7");
    assert_eq!(shown(&of(TextAnalyzer::Whitespace), text), "The@0 Quick-brown@1 FOX,@2 it's@3 3.14@4 x_y!@5");
    assert_eq!(shown(&of(TextAnalyzer::Keyword), "Two Words"), "Two Words@0");
    let sensitive = WordOptions { case_sensitive: true, ..WordOptions::default() };
    assert_eq!(shown(&sensitive, "The fox and the Fox"), "The@0 fox@1 Fox@4");
    let long = "x".repeat(600);
    let lengths: Vec<usize> = Analyzer::new(&WordOptions::default())
        .words(&long)
        .as_slice()
        .iter()
        .map(|word| word.text.len())
        .collect();
    assert_eq!(lengths, [255, 255, 90]);
}

#[test]
fn stop_words_are_chosen() {
    let options = WordOptions {
        stop_words_include: ["Java".to_owned()].into(),
        stop_words_exclude: ["is".to_owned()].into(),
        ..WordOptions::default()
    };
    assert_eq!(shown(&options, "Java IS not C"), "is@1 c@3");
}

fn holds(phrase: &[(u32, &str)], slop: u32, order: PhraseOrder, text: &str) -> bool {
    let parts = phrase
        .iter()
        .map(|(offset, word)| PhrasePart { offset: *offset, test: WordTest::Is((*word).to_owned()) });
    let phrase = Phrase { parts: parts.collect(), slop, order };
    phrase.is_in(Analyzer::new(&of(TextAnalyzer::Whitespace)).words(text).as_slice())
}

#[test]
fn phrases_hold_as_lucenes() {
    let moved = |phrase: &[(u32, &str)], slop, text| holds(phrase, slop, PhraseOrder::Moved, text);
    let ab = [(0, "a"), (1, "b")];
    assert!(moved(&ab, 0, "x a b"));
    assert!(!moved(&ab, 0, "a x b"));
    assert!(moved(&ab, 1, "a x b"));
    // Two words change places for two moves.
    assert!(!moved(&ab, 1, "b a"));
    assert!(moved(&ab, 2, "b a"));
    // A word that was left out keeps its place.
    assert!(moved(&[(0, "a"), (2, "b")], 0, "a x b"));
    assert!(!moved(&[(0, "a"), (2, "b")], 0, "a b"));
    // One word of the text is not two of the phrase.
    assert!(!moved(&[(0, "a"), (1, "a")], 3, "x a x"));
    assert!(moved(&[(0, "a"), (1, "a")], 3, "a x a"));
    let kept = |slop, text| holds(&ab, slop, PhraseOrder::Kept, text);
    assert!(kept(0, "a b") && kept(1, "a x b") && kept(1, "a x x a x b"));
    assert!(!kept(0, "a x b") && !kept(5, "b a"));
}

/// Words at most one edit from a word.
fn edited(word: &[char]) -> Vec<Vec<char>> {
    let mut all = vec![word.to_vec()];
    for at in 0..=word.len() {
        for letter in ['a', 'b', 'c'] {
            let mut longer = word.to_vec();
            longer.insert(at, letter);
            all.push(longer);
            if at < word.len() {
                let mut changed = word.to_vec();
                changed[at] = letter;
                all.push(changed);
            }
        }
        if at < word.len() {
            let mut shorter = word.to_vec();
            shorter.remove(at);
            all.push(shorter);
        }
        if at + 1 < word.len() {
            let mut crossed = word.to_vec();
            crossed.swap(at, at + 1);
            all.push(crossed);
        }
    }
    all
}

proptest! {
    #[test]
    fn a_word_is_near_when_an_edit_makes_it_so(first in "[abc]{0,5}", second in "[abc]{0,5}") {
        let letters: Vec<char> = first.chars().collect();
        let wanted: Vec<char> = second.chars().collect();
        prop_assert_eq!(is_near(&first, &second, 0), first == second);
        prop_assert_eq!(is_near(&first, &second, 1), edited(&letters).contains(&wanted));
        if is_near(&first, &second, 2) {
            let reached = edited(&letters).iter().any(|word| edited(word).contains(&wanted));
            prop_assert!(reached);
        }
    }
}
