//! Flat records of each key and value of a column of JSON documents.
//!
//! Documents are those of the dictionary's ids, or of the rows where there is none; [`json_flat`](crate::json_flat) takes
//! them apart. Records are numbered through all documents, in order. A term is a key alone, or a key, a zero byte and a
//! value; a key stands right before its values.
//!
//! ```text
//! terms     the bytes of all terms, ascending and without gaps
//! ends      a bit-packed number for each term: where its bytes end
//! bitmaps   the records of each term, in Roaring's portable format
//! places    a bit-packed number for each term: where its bitmap ends
//! documents a bit-packed number for each record: its document, ascending
//! ```

use std::collections::BTreeMap;
use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::Buffer;
use roaring::{MultiOps, RoaringBitmap};
use serde::{Deserialize, Serialize};

use super::packed::Packed;
use super::{IndexError, IndexParts, rows};
use crate::json_flat::{FlatKey, FlattenOptions, JsonCondition, JsonTest, KeyTest, flatten};

/// Stands between a key and a value.
const SEPARATOR: u8 = 0;

/// The records of each key and value.
#[derive(Debug, Clone)]
pub struct JsonIndex {
    options: FlattenOptions,
    documents: u32,
    terms: Buffer,
    term_ends: Packed,
    bitmaps: Buffer,
    bitmap_ends: Packed,
    document_of: Packed,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonHeader {
    options: FlattenOptions,
    documents: u32,
    terms: usize,
    term_width: u32,
    bitmap_width: u32,
    records: u32,
    document_width: u32,
}

impl JsonIndex {
    /// Returns the index of some documents; `None` where they are no texts, or more than it can number.
    pub fn build(documents: &ArrayRef, options: &FlattenOptions) -> Option<JsonIndex> {
        let texts = documents.as_string_opt::<i32>()?;
        let count = u32::try_from(texts.len()).ok()?;
        let mut found: BTreeMap<Vec<u8>, RoaringBitmap> = BTreeMap::new();
        let mut document_of: Vec<u32> = Vec::new();
        for (document, text) in (0..count).zip(texts) {
            for record in flatten(text.unwrap_or_default(), options) {
                let number = u32::try_from(document_of.len()).ok().filter(|number| *number < u32::MAX)?;
                for (key, value) in &record {
                    found.entry(key.as_bytes().to_vec()).or_default().insert(number);
                    found.entry(term(key, value)).or_default().insert(number);
                }
                document_of.push(document);
            }
        }
        let (mut terms, mut term_ends) = (Vec::new(), Vec::with_capacity(found.len()));
        let (mut bitmaps, mut bitmap_ends) = (Vec::new(), Vec::with_capacity(found.len()));
        for (term, mut records) in found {
            terms.extend_from_slice(&term);
            term_ends.push(u32::try_from(terms.len()).ok()?);
            records.optimize();
            records.serialize_into(&mut bitmaps).expect("memory takes every write");
            bitmap_ends.push(u32::try_from(bitmaps.len()).ok()?);
        }
        let packed = |numbers: Vec<u32>| {
            let max = numbers.last().copied().unwrap_or(0);
            Packed::new(numbers.into_iter(), max)
        };
        Some(JsonIndex {
            options: options.clone(),
            documents: count,
            terms: Buffer::from_vec(terms),
            term_ends: packed(term_ends),
            bitmaps: Buffer::from_vec(bitmaps),
            bitmap_ends: packed(bitmap_ends),
            document_of: packed(document_of),
        })
    }

    /// Returns how documents were taken apart.
    pub fn options(&self) -> &FlattenOptions {
        &self.options
    }

    /// Returns the documents that pass.
    ///
    /// # Errors
    /// When the index's bytes turn out to be damaged, or a test of a value fails.
    pub fn documents(&self, condition: &JsonCondition) -> Result<RoaringBitmap, IndexError> {
        let records = self.records(&condition.test)?;
        if records.max().is_some_and(|last| last as usize >= self.document_of.len()) {
            return Err(IndexError::Damaged("a record that the index does not have"));
        }
        let mut documents: Vec<u32> =
            records.iter().map(|record| self.document_of.get(record as usize)).collect();
        documents.dedup();
        let found = rows::of_unordered(documents.into_iter(), self.documents)?;
        Ok(if condition.negated { rows::all(self.documents) - found } else { found })
    }

    fn records(&self, test: &JsonTest) -> Result<RoaringBitmap, IndexError> {
        match test {
            JsonTest::All(parts) => {
                let mut parts = parts.iter();
                let Some(first) = parts.next() else {
                    return Err(IndexError::Damaged("a condition without parts"));
                };
                let mut records = self.records(first)?;
                for part in parts {
                    if records.is_empty() {
                        break;
                    }
                    records &= self.records(part)?;
                }
                Ok(records)
            }
            JsonTest::Any(parts) => parts.iter().map(|part| self.records(part)).union(),
            JsonTest::Key { key, test } => self.records_of_key(key, test),
        }
    }

    fn records_of_key(&self, key: &FlatKey, test: &KeyTest) -> Result<RoaringBitmap, IndexError> {
        let mut records = match test {
            KeyTest::Exists => self.records_of(key.key.as_bytes())?,
            KeyTest::OneOf(values) => {
                values.iter().map(|value| self.records_of(&term(&key.key, value))).union()?
            }
            KeyTest::NoneOf(values) => {
                let mut records = self.records_of(key.key.as_bytes())?;
                for value in values {
                    records -= self.records_of(&term(&key.key, value))?;
                }
                records
            }
            KeyTest::Holds(_) => {
                let mut passing = Vec::new();
                let begin = key.key.len() + 1;
                for number in self.values_of(&key.key)? {
                    let value = self.term(number)?.get(begin..).and_then(|value| str::from_utf8(value).ok());
                    let value = value.ok_or(IndexError::Damaged("a value that is no text"))?;
                    if test.passes(value).map_err(IndexError::Test)? {
                        passing.push(self.bitmap(number)?);
                    }
                }
                passing.union()
            }
        };
        for (key, position) in &key.positions {
            if records.is_empty() {
                break;
            }
            records &= self.records_of(&term(key, position))?;
        }
        Ok(records)
    }

    /// Returns the numbers of the terms that are a key with a value.
    fn values_of(&self, key: &str) -> Result<Range<usize>, IndexError> {
        let mut bound = term(key, "");
        let start = self.first_from(&bound)?;
        if let Some(last) = bound.last_mut() {
            *last = SEPARATOR + 1;
        }
        Ok(start..self.first_from(&bound)?)
    }

    fn records_of(&self, term: &[u8]) -> Result<RoaringBitmap, IndexError> {
        let number = self.first_from(term)?;
        match number < self.term_ends.len() && self.term(number)? == term {
            true => self.bitmap(number),
            false => Ok(RoaringBitmap::new()),
        }
    }

    /// Returns the number of the first term that is not below another.
    fn first_from(&self, term: &[u8]) -> Result<usize, IndexError> {
        let (mut low, mut high) = (0, self.term_ends.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.term(middle)? < term {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        Ok(low)
    }

    fn term(&self, number: usize) -> Result<&[u8], IndexError> {
        part(&self.terms, &self.term_ends, number).ok_or(IndexError::Damaged("a term outside its buffer"))
    }

    fn bitmap(&self, number: usize) -> Result<RoaringBitmap, IndexError> {
        let bytes = part(&self.bitmaps, &self.bitmap_ends, number)
            .ok_or(IndexError::Damaged("a bitmap outside its buffer"))?;
        RoaringBitmap::deserialize_from(bytes).map_err(|_| IndexError::Damaged("not a bitmap"))
    }

    /// Returns the index as a serving file holds it.
    pub fn to_parts(&self) -> IndexParts {
        let header = JsonHeader {
            options: self.options.clone(),
            documents: self.documents,
            terms: self.term_ends.len(),
            term_width: self.term_ends.width(),
            bitmap_width: self.bitmap_ends.width(),
            records: u32::try_from(self.document_of.len()).expect("records were counted in a u32"),
            document_width: self.document_of.width(),
        };
        let buffers = [
            &self.terms,
            self.term_ends.buffer(),
            &self.bitmaps,
            self.bitmap_ends.buffer(),
            self.document_of.buffer(),
        ];
        IndexParts::new(&header, buffers.into_iter().cloned().collect())
    }

    /// Opens an index over so many documents.
    ///
    /// # Errors
    /// Says what does not hold.
    pub fn from_parts(parts: &IndexParts, documents: u32) -> Result<JsonIndex, String> {
        let (header, mut buffers) = parts.open::<JsonHeader>()?;
        if header.documents != documents {
            return Err(format!("{} documents of {documents}", header.documents));
        }
        let terms = buffers.next()?;
        let term_ends = Packed::open(buffers.next()?, header.term_width, header.terms)?;
        let bitmaps = buffers.next()?;
        let bitmap_ends = Packed::open(buffers.next()?, header.bitmap_width, header.terms)?;
        let document_of = Packed::open(buffers.next()?, header.document_width, header.records as usize)?;
        buffers.end()?;
        Ok(JsonIndex {
            options: header.options,
            documents,
            terms,
            term_ends,
            bitmaps,
            bitmap_ends,
            document_of,
        })
    }
}

fn term(key: &str, value: &str) -> Vec<u8> {
    [key.as_bytes(), &[SEPARATOR], value.as_bytes()].concat()
}

/// Returns the bytes of a part of a buffer whose parts lie side by side.
fn part<'a>(buffer: &'a Buffer, ends: &Packed, number: usize) -> Option<&'a [u8]> {
    let start = if number == 0 { 0 } else { ends.get(number - 1) };
    buffer.as_slice().get(start as usize..ends.get(number) as usize)
}
