//! Which values of a dictionary are tested.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{BooleanArray, StringArray};

use super::*;

/// Lets texts pass that begin with a prefix and end with a letter, and counts those that it was asked.
#[derive(Debug)]
struct Ends {
    prefix: String,
    letter: char,
    asked: AtomicUsize,
}

impl Compute for Ends {
    fn compute(&self, inputs: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        self.asked.fetch_add(rows, Ordering::Relaxed);
        let texts = inputs[0].as_string_view().iter().flatten();
        let holds = texts.map(|text| Some(text.starts_with(&self.prefix) && text.ends_with(self.letter)));
        Ok(Arc::new(holds.collect::<BooleanArray>()))
    }

    fn text_prefix(&self) -> Option<&str> {
        Some(&self.prefix)
    }
}

fn check(prefix: &str, is_sorted: bool, expected_asked: usize) {
    let mut texts: Vec<String> = (0..1_000).map(|number| format!("{number:03}x")).collect();
    texts.extend(["über".to_owned(), "üx".to_owned()]);
    let values: ArrayRef = Arc::new(StringArray::from_iter_values(&texts));
    let dictionary = Dictionary::of_values(values, is_sorted);
    let test = Arc::new(Ends { prefix: prefix.to_owned(), letter: 'x', asked: AtomicUsize::new(0) });
    let found = IdSet::of(&Test::Truth(Arc::clone(&test) as Arc<dyn Compute>), &dictionary).unwrap();
    let expected: Vec<u32> = (0..)
        .zip(&texts)
        .filter(|(_, text)| text.starts_with(prefix) && text.ends_with('x'))
        .map(|(id, _)| id)
        .collect();
    assert_eq!(found.ranges().iter().cloned().flatten().collect::<Vec<u32>>(), expected, "{prefix}");
    assert_eq!(test.asked.load(Ordering::Relaxed), expected_asked, "{prefix}");
}

#[test]
fn only_values_with_the_beginning_are_tested() {
    check("12", true, 10);
    check("999", true, 1);
    check("999y", true, 0);
    check("ü", true, 2);
    check("", true, 1_002);
    check("12", false, 1_002);
}
