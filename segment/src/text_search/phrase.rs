//! Words that are to stand together.

use super::word_test::WordTest;
use super::words::Word;

/// Some words and how they are to stand.
#[derive(Debug, Clone)]
pub struct Phrase {
    /// The words, at least one, in ascending order of their offsets.
    pub parts: Vec<PhrasePart>,
    /// How far they may stand from where they should.
    pub slop: u32,
    /// What that is measured by.
    pub order: PhraseOrder,
}

/// A word of a phrase.
#[derive(Debug, Clone)]
pub struct PhrasePart {
    /// Where it stands in the phrase. Words that were left out count.
    pub offset: u32,
    /// What the text's word is asked.
    pub test: WordTest,
}

/// How the distance of words from their places is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhraseOrder {
    /// By how much the distances from the places in the phrase differ; words may change their places for it.
    Moved,
    /// By how many other words stand between the first and the last; the order stays.
    Kept,
}

impl Phrase {
    /// Returns whether a text of these words has the phrase.
    pub fn is_in(&self, words: &[Word]) -> bool {
        let mut places: Vec<Vec<i64>> = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let found = words.iter().filter(|word| part.test.holds(&word.text));
            let found: Vec<i64> = found.map(|word| i64::from(word.position)).collect();
            if found.is_empty() {
                return false;
            }
            places.push(found);
        }
        match self.order {
            PhraseOrder::Moved => self.stands_moved(&places),
            PhraseOrder::Kept => self.stands_in_order(&places),
        }
    }

    /// All of one choice of places, less the offsets, lie in a window; each place is taken once.
    fn stands_moved(&self, places: &[Vec<i64>]) -> bool {
        let slop = i64::from(self.slop);
        let offset = |part: usize| i64::from(self.parts[part].offset);
        // Without slop every part begins the same window, so those of one part are all.
        let starts = if slop == 0 { &places[..1] } else { places };
        let lows = starts.iter().enumerate().flat_map(|(part, found)| {
            let offset = offset(part);
            found.iter().map(move |place| place - offset)
        });
        let mut taken: Vec<i64> = Vec::with_capacity(places.len());
        for low in lows {
            taken.clear();
            let fits = places.iter().enumerate().all(|(part, found)| {
                let window = low + offset(part)..=low + offset(part) + slop;
                let begin = found.partition_point(|place| place < window.start());
                let mut free = found[begin..]
                    .iter()
                    .take_while(|place| window.contains(place))
                    .filter(|place| !taken.contains(place));
                let place = free.next().copied();
                taken.extend(place);
                place.is_some()
            });
            if fits {
                return true;
            }
        }
        false
    }

    /// The parts follow each other, with no more than so many other words between the first and the last.
    fn stands_in_order(&self, places: &[Vec<i64>]) -> bool {
        let Some((first, others)) = places.split_first() else { return false };
        let words = i64::try_from(places.len()).unwrap_or(i64::MAX);
        first.iter().any(|start| {
            let mut last = *start;
            for found in others {
                let Some(next) = found.get(found.partition_point(|place| *place <= last)) else {
                    return false;
                };
                last = *next;
            }
            last - start + 1 - words <= i64::from(self.slop)
        })
    }
}
