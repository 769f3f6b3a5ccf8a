//! The texts that hold each word of a column.
//!
//! Texts are those of the dictionary's ids, or of the rows where there is none or a row has several;
//! [`text_search`](crate::text_search) cuts them into words. Words stand once a text and without their positions: whether
//! they stand as a phrase, the few texts that hold all of them are asked themselves.
//!
//! ```text
//! words     the bytes of all words, ascending and without gaps
//! ends      a bit-packed number for each word: where its bytes end
//! …         the texts of each word, in the buffers of an inverted index over the words
//! ```

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::Buffer;
use hashbrown::HashMap;
use roaring::{MultiOps, RoaringBitmap};
use serde::{Deserialize, Serialize};

use super::inverted::InvertedIndex;
use super::packed::Packed;
use super::{IndexError, IndexParts, rows};
use crate::text_search::{Analyzer, Clause, Occur, TextQuery, WordOptions, WordTest, Words, should_count};

/// The texts of each word.
#[derive(Debug, Clone)]
pub struct TextIndex {
    options: WordOptions,
    texts: u32,
    words: Buffer,
    word_ends: Packed,
    postings: InvertedIndex,
}

/// Texts that match, or may.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchingTexts {
    /// These match.
    pub surely: RoaringBitmap,
    /// Of these the texts themselves tell.
    pub perhaps: RoaringBitmap,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TextHeader {
    options: WordOptions,
    texts: u32,
    words: usize,
    word_width: u32,
    postings: serde_json::Value,
}

impl TextIndex {
    /// Returns the index of some texts; where there are `offsets`, of the texts from one to the next together. `None` where
    /// they are no texts, or more than it can number.
    pub fn build(texts: &ArrayRef, offsets: Option<&[i32]>, options: &WordOptions) -> Option<TextIndex> {
        let values = texts.as_string_opt::<i32>()?;
        let count = offsets.map_or(values.len(), |offsets| offsets.len().saturating_sub(1));
        let analyzer = Analyzer::new(options);
        let mut ids: HashMap<String, u32> = HashMap::new();
        let (mut entries, mut ends) = (Vec::new(), Vec::with_capacity(count));
        for number in 0..count {
            let mut words = Words::default();
            let places = match offsets {
                Some(offsets) => {
                    usize::try_from(offsets[number]).ok()?..usize::try_from(offsets[number + 1]).ok()?
                }
                None => number..number + 1,
            };
            places.for_each(|place| analyzer.add_words(values.value(place), &mut words));
            for word in words.as_slice() {
                let next = u32::try_from(ids.len()).ok()?;
                entries.push(*ids.entry_ref(word.text.as_str()).or_insert(next));
            }
            ends.push(entries.len());
        }
        let mut sorted: Vec<(String, u32)> = ids.into_iter().collect();
        sorted.sort_unstable();
        let mut rank = vec![0; sorted.len()];
        let (mut words, mut word_ends) = (Vec::new(), Vec::with_capacity(sorted.len()));
        for (place, (word, id)) in (0..).zip(&sorted) {
            rank[*id as usize] = place;
            words.extend_from_slice(word.as_bytes());
            word_ends.push(u32::try_from(words.len()).ok()?);
        }
        entries.iter_mut().for_each(|id| *id = rank[*id as usize]);
        let postings = InvertedIndex::of_lists(sorted.len(), count, |number| {
            let start = if number == 0 { 0 } else { ends[number - 1] };
            &entries[start..ends[number]]
        })?;
        let end = word_ends.last().copied().unwrap_or(0);
        Some(TextIndex {
            options: options.clone(),
            texts: u32::try_from(count).ok()?,
            words: Buffer::from_vec(words),
            word_ends: Packed::new(word_ends.into_iter(), end),
            postings,
        })
    }

    /// Returns how texts were cut into words.
    pub fn options(&self) -> &WordOptions {
        &self.options
    }

    /// Returns the texts that match a query, or with `negated` those that do not.
    ///
    /// # Errors
    /// When the index's bytes turn out to be damaged.
    pub fn texts(&self, query: &TextQuery, negated: bool) -> Result<MatchingTexts, IndexError> {
        let bounds = self.bounds(query)?;
        let perhaps = &bounds.most - &bounds.least;
        let surely = if negated { rows::all(self.texts) - bounds.most } else { bounds.least };
        Ok(MatchingTexts { surely, perhaps })
    }

    fn bounds(&self, query: &TextQuery) -> Result<Bounds, IndexError> {
        match query {
            TextQuery::All => Ok(Bounds::exact(rows::all(self.texts))),
            TextQuery::Nothing => Ok(Bounds::exact(RoaringBitmap::new())),
            TextQuery::Word(test) => Ok(Bounds::exact(self.texts_of(test)?)),
            TextQuery::Phrase(phrase) => {
                let mut most: Option<RoaringBitmap> = None;
                for part in &phrase.parts {
                    let texts = self.texts_of(&part.test)?;
                    let both = match most {
                        Some(before) => before & texts,
                        None => texts,
                    };
                    let is_empty = both.is_empty();
                    most = Some(both);
                    if is_empty {
                        break;
                    }
                }
                Ok(Bounds { least: RoaringBitmap::new(), most: most.unwrap_or_default() })
            }
            TextQuery::Clauses { clauses, should_min } => self.bounds_of_clauses(clauses, *should_min),
        }
    }

    fn bounds_of_clauses(&self, clauses: &[Clause], should_min: usize) -> Result<Bounds, IndexError> {
        let mut found = Bounds::exact(rows::all(self.texts));
        let mut should = Vec::new();
        for clause in clauses {
            let bounds = self.bounds(&clause.query)?;
            match clause.occur {
                Occur::Must => {
                    found.least &= bounds.least;
                    found.most &= bounds.most;
                }
                Occur::MustNot => {
                    found.least -= bounds.most;
                    found.most -= bounds.least;
                }
                Occur::Should => should.push(bounds),
            }
        }
        let needed = should_count(clauses, should_min);
        if needed > 0 {
            found.least &= in_so_many(should.iter().map(|bounds| &bounds.least), needed);
            found.most &= in_so_many(should.iter().map(|bounds| &bounds.most), needed);
        }
        Ok(found)
    }

    /// Returns the texts with a word that passes.
    fn texts_of(&self, test: &WordTest) -> Result<RoaringBitmap, IndexError> {
        let begun = self.words_beginning(test.prefix())?;
        let ranges = match test {
            WordTest::Is(word) => {
                let is_there = !begun.is_empty() && self.word(begun.start)? == word;
                let only = begun.start..begun.start + usize::from(is_there);
                vec![only]
            }
            WordTest::Prefix(_) => vec![begun],
            WordTest::Pattern(_) | WordTest::Near { .. } | WordTest::Between { .. } => {
                let mut ranges: Vec<Range<usize>> = Vec::new();
                for number in begun {
                    if !test.holds(self.word(number)?) {
                        continue;
                    }
                    match ranges.last_mut() {
                        Some(last) if last.end == number => last.end += 1,
                        _ => ranges.push(number..number + 1),
                    }
                }
                ranges
            }
        };
        let number = |place: usize| u32::try_from(place).expect("words are numbered in a u32");
        let ranges: Vec<Range<u32>> = ranges
            .into_iter()
            .filter(|range| !range.is_empty())
            .map(|range| number(range.start)..number(range.end))
            .collect();
        if ranges.is_empty() {
            return Ok(RoaringBitmap::new());
        }
        self.postings.rows(&ranges)
    }

    /// Returns the numbers of the words that begin so.
    fn words_beginning(&self, prefix: &str) -> Result<Range<usize>, IndexError> {
        let start = self.first_where(0, |word| word.as_bytes() >= prefix.as_bytes())?;
        let end = self.first_where(start, |word| !word.starts_with(prefix))?;
        Ok(start..end)
    }

    /// Returns the number of the first word from `low` on for which something holds that then holds for all behind it.
    fn first_where(&self, mut low: usize, holds: impl Fn(&str) -> bool) -> Result<usize, IndexError> {
        let mut high = self.word_ends.len();
        while low < high {
            let middle = low + (high - low) / 2;
            match holds(self.word(middle)?) {
                true => high = middle,
                false => low = middle + 1,
            }
        }
        Ok(low)
    }

    fn word(&self, number: usize) -> Result<&str, IndexError> {
        let start = if number == 0 { 0 } else { self.word_ends.get(number - 1) };
        let bytes = self.words.as_slice().get(start as usize..self.word_ends.get(number) as usize);
        let word = bytes.and_then(|bytes| str::from_utf8(bytes).ok());
        word.ok_or(IndexError::Damaged("a word that is no text"))
    }

    /// Returns the index as a serving file holds it.
    pub fn to_parts(&self) -> IndexParts {
        let postings = self.postings.to_parts();
        let header = TextHeader {
            options: self.options.clone(),
            texts: self.texts,
            words: self.word_ends.len(),
            word_width: self.word_ends.width(),
            postings: postings.header,
        };
        let own = [self.words.clone(), self.word_ends.buffer().clone()];
        IndexParts::new(&header, own.into_iter().chain(postings.buffers).collect())
    }

    /// Opens an index over so many texts.
    ///
    /// # Errors
    /// Says what does not hold.
    pub fn from_parts(parts: &IndexParts, texts: u32) -> Result<TextIndex, String> {
        let (header, mut buffers) = parts.open::<TextHeader>()?;
        if header.texts != texts {
            return Err(format!("{} texts of {texts}", header.texts));
        }
        if u32::try_from(header.words).is_err() {
            return Err(format!("{} words", header.words));
        }
        let words = buffers.next()?;
        let word_ends = Packed::open(buffers.next()?, header.word_width, header.words)?;
        let postings = IndexParts { header: header.postings, buffers: buffers.rest() };
        let postings = InvertedIndex::from_parts(&postings, header.words, texts)?;
        Ok(TextIndex { options: header.options, texts, words, word_ends, postings })
    }
}

/// What is known of the texts that match: all of these do, and none but those.
struct Bounds {
    least: RoaringBitmap,
    most: RoaringBitmap,
}

impl Bounds {
    fn exact(texts: RoaringBitmap) -> Bounds {
        Bounds { least: texts.clone(), most: texts }
    }
}

/// Returns the numbers that stand in so many of the sets at least.
fn in_so_many<'a>(sets: impl Iterator<Item = &'a RoaringBitmap> + Clone, needed: usize) -> RoaringBitmap {
    if needed <= 1 {
        return sets.union();
    }
    // Entry i has what stands in more than i of the sets so far.
    let mut counted = vec![RoaringBitmap::new(); needed];
    for set in sets {
        let mut carried = set.clone();
        for more in &mut counted {
            let both = &*more & &carried;
            *more |= carried;
            carried = both;
        }
    }
    counted.pop().unwrap_or_default()
}
