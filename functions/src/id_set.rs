//! Sets of ids as Pinot writes them: what `idSet` gives and `inIdSet` takes.
//!
//! Integers are kept in Roaring bitmaps, everything else in Guava's bloom filter, so that a set of texts may hold a text that
//! nobody put in. The bytes are Pinot's, in Base64.

use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use datafusion::common::{exec_datafusion_err, exec_err};
use datafusion::error::Result;
use murmur3::murmur3_x64_128;
use roaring::{RoaringBitmap, RoaringTreemap};

const EMPTY: u8 = 0;
const INTS: u8 = 1;
const LONGS: u8 = 2;
const BLOOM: u8 = 3;
/// The number of Guava's strategy `MURMUR128_MITZ_64`.
const MITZ_64: u8 = 1;
/// A filter with more words than this is refused: half a gigabyte.
const WORDS_MAX: u64 = 1 << 26;

/// One id.
#[derive(Debug, Clone, Copy)]
pub enum Id<'a> {
    /// INT.
    Int(i32),
    /// LONG, and what is stored as one.
    Long(i64),
    /// FLOAT.
    Float(f32),
    /// DOUBLE.
    Double(f64),
    /// STRING.
    Text(&'a str),
    /// BYTES.
    Bytes(&'a [u8]),
}

/// A set of ids.
#[derive(Debug, Clone, PartialEq)]
pub enum IdSet {
    /// No id at all.
    Empty,
    /// INT values.
    Ints(RoaringBitmapIds),
    /// LONG values.
    Longs(RoaringTreemapIds),
    /// Values of any type, and some that nobody put in.
    Bloom(BloomIds),
}

/// INT values, as the unsigned numbers of the same bits.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RoaringBitmapIds(RoaringBitmap);

/// LONG values, as the unsigned numbers of the same bits.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RoaringTreemapIds(RoaringTreemap);

/// Guava's bloom filter.
#[derive(Debug, Clone, PartialEq)]
pub struct BloomIds {
    /// What kind of values were put in: 0 INT, 1 LONG, 2 STRING, 3 BYTES.
    kind: u8,
    hashes: u8,
    words: Vec<u64>,
}

impl IdSet {
    /// Returns a set without ids for so many of the kind of `like`; texts, bytes and fractions need a bloom filter, which
    /// holds an id that was not put in with the probability given.
    pub fn for_ids(like: Id<'_>, expected: u32, false_positives: f64) -> IdSet {
        let kind = match like {
            Id::Int(_) => return IdSet::Ints(RoaringBitmapIds::default()),
            Id::Long(_) => return IdSet::Longs(RoaringTreemapIds::default()),
            Id::Float(_) => 0,
            Id::Double(_) => 1,
            Id::Text(_) => 2,
            Id::Bytes(_) => 3,
        };
        let ln_2 = std::f64::consts::LN_2;
        let bits = -f64::from(expected) * false_positives.ln() / (ln_2 * ln_2);
        #[expect(clippy::cast_possible_truncation, reason = "cut off as Guava cuts it off")]
        let (words, hashes) =
            ((bits as u64).div_ceil(64).clamp(1, WORDS_MAX), (-false_positives.ln() / ln_2).round() as u8);
        let words = vec![0; usize::try_from(words).unwrap_or(usize::MAX)];
        IdSet::Bloom(BloomIds { kind, hashes: hashes.max(1), words })
    }

    /// Puts an id in. One of another kind than the set's is not put in.
    pub fn insert(&mut self, id: Id<'_>) {
        match (self, id) {
            (IdSet::Ints(set), Id::Int(id)) => {
                set.0.insert(id.cast_unsigned());
            }
            (IdSet::Longs(set), Id::Long(id)) => {
                set.0.insert(id.cast_unsigned());
            }
            (IdSet::Longs(set), Id::Int(id)) => {
                set.0.insert(i64::from(id).cast_unsigned());
            }
            (IdSet::Bloom(set), id) => {
                let places: Vec<usize> = set.places(id).collect();
                places.into_iter().for_each(|bit| set.words[bit / 64] |= 1 << (bit % 64));
            }
            _ => {}
        }
    }

    /// Returns whether the set holds an id, or in a bloom filter may hold it.
    pub fn contains(&self, id: Id<'_>) -> bool {
        match (self, id) {
            (IdSet::Ints(set), Id::Int(id)) => set.0.contains(id.cast_unsigned()),
            (IdSet::Ints(set), Id::Long(id)) => {
                i32::try_from(id).is_ok_and(|id| set.0.contains(id.cast_unsigned()))
            }
            (IdSet::Longs(set), Id::Int(id)) => set.0.contains(i64::from(id).cast_unsigned()),
            (IdSet::Longs(set), Id::Long(id)) => set.0.contains(id.cast_unsigned()),
            (IdSet::Bloom(set), id) => set.places(id).all(|bit| set.words[bit / 64] >> (bit % 64) & 1 == 1),
            _ => false,
        }
    }

    /// Takes in all ids of another set.
    ///
    /// # Errors
    /// When the sets are of different kinds or sizes.
    pub fn merge(&mut self, other: IdSet) -> Result<()> {
        match (&mut *self, other) {
            (_, IdSet::Empty) => {}
            (IdSet::Empty, other) => *self = other,
            (IdSet::Ints(ids), IdSet::Ints(others)) => ids.0 |= others.0,
            (IdSet::Longs(ids), IdSet::Longs(others)) => ids.0 |= others.0,
            (IdSet::Bloom(ids), IdSet::Bloom(others))
                if (ids.kind, ids.hashes, ids.words.len())
                    == (others.kind, others.hashes, others.words.len()) =>
            {
                ids.words.iter_mut().zip(others.words).for_each(|(word, other)| *word |= other);
            }
            _ => return exec_err!("two sets of ids of different kinds cannot be merged"),
        }
        Ok(())
    }

    /// Returns about how many bytes the set holds.
    pub fn bytes_held(&self) -> usize {
        match self {
            IdSet::Empty => 0,
            IdSet::Ints(set) => set.0.serialized_size(),
            IdSet::Longs(set) => set.0.serialized_size(),
            IdSet::Bloom(set) => 8 * set.words.capacity(),
        }
    }

    /// Returns the set as Pinot writes it.
    ///
    /// # Errors
    /// When a bitmap cannot be written, which memory alone can prevent.
    pub fn to_base64(&self) -> Result<String> {
        Ok(STANDARD.encode(self.to_bytes()?))
    }

    /// Reads what Pinot or [`IdSet::to_base64`] wrote.
    ///
    /// # Errors
    /// When the text is no set of ids.
    pub fn parse(text: &str) -> Result<IdSet> {
        match STANDARD.decode(text) {
            Ok(bytes) => IdSet::from_bytes(&bytes),
            Err(error) => exec_err!("a set of ids is written in Base64: {error}"),
        }
    }

    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(16 + self.bytes_held());
        match self {
            IdSet::Empty => bytes.push(EMPTY),
            IdSet::Ints(set) => {
                bytes.push(INTS);
                set.0.serialize_into(&mut bytes)?;
            }
            IdSet::Longs(set) => {
                bytes.extend([LONGS, 0]);
                let count = u32::try_from(set.0.bitmaps().count()).unwrap_or(u32::MAX);
                bytes.extend(count.to_be_bytes());
                for (high, bitmap) in set.0.bitmaps() {
                    bytes.extend(high.to_be_bytes());
                    bitmap.serialize_into(&mut bytes)?;
                }
            }
            IdSet::Bloom(set) => {
                bytes.extend([BLOOM, set.kind, MITZ_64, set.hashes]);
                bytes.extend(u32::try_from(set.words.len()).unwrap_or(u32::MAX).to_be_bytes());
                set.words.iter().for_each(|word| bytes.extend(word.to_be_bytes()));
            }
        }
        Ok(bytes)
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<IdSet> {
        let broken = || exec_datafusion_err!("{} bytes are no set of ids", bytes.len());
        let (kind, rest) = bytes.split_first().ok_or_else(broken)?;
        match *kind {
            EMPTY => Ok(IdSet::Empty),
            INTS => Ok(IdSet::Ints(RoaringBitmapIds(RoaringBitmap::deserialize_from(rest)?))),
            LONGS => {
                // The first byte says whether numbers are ordered with their sign, which a set does not care for.
                let (count, rest) =
                    rest.get(1..).and_then(|rest| rest.split_first_chunk()).ok_or_else(broken)?;
                let (mut reader, mut bitmaps) = (Cursor::new(rest), Vec::new());
                for _ in 0..u32::from_be_bytes(*count) {
                    let mut high = [0; 4];
                    std::io::Read::read_exact(&mut reader, &mut high)?;
                    bitmaps.push((u32::from_be_bytes(high), RoaringBitmap::deserialize_from(&mut reader)?));
                }
                Ok(IdSet::Longs(RoaringTreemapIds(RoaringTreemap::from_bitmaps(bitmaps))))
            }
            BLOOM => bloom(rest).map(IdSet::Bloom).ok_or_else(broken),
            _ => Err(broken()),
        }
    }
}

fn bloom(bytes: &[u8]) -> Option<BloomIds> {
    let ([kind, MITZ_64, hashes], rest) = bytes.split_first_chunk()? else { return None };
    let (count, rest) = rest.split_first_chunk()?;
    let (words, end) = rest.as_chunks::<8>();
    let is_whole = end.is_empty() && words.len() == usize::try_from(u32::from_be_bytes(*count)).ok()?;
    let words: Vec<u64> = words.iter().map(|word| u64::from_be_bytes(*word)).collect();
    (is_whole && !words.is_empty()).then_some(BloomIds { kind: *kind, hashes: *hashes, words })
}

impl BloomIds {
    fn places(&self, id: Id<'_>) -> impl Iterator<Item = usize> + use<> {
        let hash = match (id, self.kind) {
            (Id::Int(id), 1) => hash(&i64::from(id).to_le_bytes()),
            (Id::Int(id), _) => hash(&id.to_le_bytes()),
            (Id::Long(id), _) => hash(&id.to_le_bytes()),
            (Id::Float(id), _) => hash(&id.to_bits().to_le_bytes()),
            (Id::Double(id), _) => hash(&id.to_bits().to_le_bytes()),
            (Id::Text(id), _) => hash(&id.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()),
            (Id::Bytes(id), _) => hash(id),
        };
        let (bits, hashes) = (64 * self.words.len() as u64, u64::from(self.hashes));
        #[expect(clippy::cast_possible_truncation, reason = "the two halves, and a place among the bits")]
        let places = move |time: u64| {
            let combined = (hash as u64).wrapping_add(time.wrapping_mul((hash >> 64) as u64));
            ((combined & i64::MAX.cast_unsigned()) % bits) as usize
        };
        (0..hashes).map(places)
    }
}

fn hash(bytes: &[u8]) -> u128 {
    murmur3_x64_128(&mut Cursor::new(bytes), 0).expect("reading from memory does not fail")
}
