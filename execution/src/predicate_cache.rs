//! Rows of sealed segments that predicates selected before.
//!
//! A sealed segment does not change, so what a predicate selects of it once it selects always. Dashboards ask the same
//! conditions again and again; here the rows are kept of those that cost something to find, in as many bytes as are given.
//! An entry does not keep its segment open, and goes when the segment has gone or others are asked for more.

use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use meunier_segment::sealed_segment::SealedSegment;
use meunier_segment::table_snapshot::Segment;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use roaring::RoaringBitmap;

use crate::filter::segment_rows::{SegmentRows, row_id_in_segment};
use crate::input::{ChunkView, InputColumn};
use crate::predicate::Predicate;
use crate::predicate_key::PredicateKey;
use crate::rows::ChunkRows;

/// What an entry takes beside its rows, about.
const ENTRY_BYTES: u64 = 512;
/// Entries that are expected at a time: memory for finding them is taken at once.
const ENTRIES_EXPECTED: usize = 4096;
/// After so many new entries those of segments that have gone are dropped.
const SWEEP_EVERY: u64 = 256;

/// The rows, shared by all queries.
#[derive(Debug)]
pub struct PredicateCache {
    entries: Cache<EntryKey, Arc<SegmentRows>, ByBytes>,
    inserted: AtomicU64,
}

/// A segment and a predicate. The reference keeps the segment's address from being used again.
#[derive(Debug, Clone)]
struct EntryKey {
    segment: Weak<SealedSegment>,
    predicate: Arc<PredicateKey>,
}

impl PartialEq for EntryKey {
    fn eq(&self, other: &EntryKey) -> bool {
        Weak::ptr_eq(&self.segment, &other.segment) && self.predicate == other.predicate
    }
}

impl Eq for EntryKey {}

impl Hash for EntryKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.segment.as_ptr().hash(state);
        self.predicate.hash(state);
    }
}

#[derive(Debug, Clone)]
struct ByBytes;

impl Weighter<EntryKey, Arc<SegmentRows>> for ByBytes {
    fn weight(&self, _: &EntryKey, rows: &Arc<SegmentRows>) -> u64 {
        ENTRY_BYTES + rows.memory_bytes() as u64
    }
}

impl PredicateCache {
    /// Returns a cache of at most so many bytes.
    pub fn new(bytes_max: u64) -> PredicateCache {
        PredicateCache {
            entries: Cache::with_weighter(ENTRIES_EXPECTED, bytes_max, ByBytes),
            inserted: AtomicU64::new(0),
        }
    }

    /// Returns the memory that is used, about.
    pub fn memory_bytes(&self) -> u64 {
        self.entries.weight()
    }

    /// Returns how many sets of rows are kept.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn insert(&self, key: EntryKey, rows: SegmentRows) {
        self.entries.insert(key, Arc::new(rows));
        if self.inserted.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.entries.retain(|key, _| key.segment.strong_count() > 0);
        }
    }
}

/// One query's way to the cache: its predicate as a key, whole and in parts.
#[derive(Debug)]
pub struct KnownRows {
    cache: Arc<PredicateCache>,
    whole: Option<Arc<PredicateKey>>,
    parts: Vec<Option<Arc<PredicateKey>>>,
}

impl KnownRows {
    /// Returns the way for a predicate.
    pub fn new(
        cache: &Arc<PredicateCache>,
        predicate: &Predicate,
        columns: &Arc<[InputColumn]>,
    ) -> KnownRows {
        let key = |predicate: &Predicate| PredicateKey::of(predicate, columns).map(Arc::new);
        let (whole, parts) = match predicate {
            Predicate::And(parts) => (key(predicate), parts.iter().map(key).collect()),
            only => (None, vec![key(only)]),
        };
        KnownRows { cache: Arc::clone(cache), whole, parts }
    }

    /// Returns the rows that a part of the predicate selects; of the whole without a number.
    pub(crate) fn rows(&self, segment: &Segment, part: Option<usize>) -> Option<Arc<SegmentRows>> {
        self.cache.entries.get(&self.key(segment, part)?)
    }

    /// Keeps the rows that a part of the predicate selects.
    pub(crate) fn keep(&self, segment: &Segment, part: usize, rows: &SegmentRows) {
        if let Some(key) = self.key(segment, Some(part)) {
            self.cache.insert(key, rows.clone());
        }
    }

    /// Returns a recorder of what a part selects, or the whole.
    pub(crate) fn recorder(&self, segment: &Segment, part: Option<usize>) -> Option<Recorder> {
        let key = self.key(segment, part)?;
        let chunks = vec![None; segment.chunk_rows().len()];
        let left = AtomicUsize::new(chunks.len());
        Some(Recorder { cache: Arc::clone(&self.cache), key, chunks: Mutex::new(chunks), left })
    }

    fn key(&self, segment: &Segment, part: Option<usize>) -> Option<EntryKey> {
        let Segment::Sealed(segment) = segment else { return None };
        let predicate = match part {
            Some(part) => self.parts.get(part)?.as_ref()?,
            None => self.whole.as_ref()?,
        };
        Some(EntryKey { segment: Arc::downgrade(segment), predicate: Arc::clone(predicate) })
    }
}

/// Collects the rows of one segment chunk by chunk, and keeps them when all chunks are known.
#[derive(Debug)]
pub(crate) struct Recorder {
    cache: Arc<PredicateCache>,
    key: EntryKey,
    chunks: Mutex<Vec<Option<RoaringBitmap>>>,
    left: AtomicUsize,
}

impl Recorder {
    /// Notes the rows of a chunk.
    pub(crate) fn record(&self, view: &ChunkView<'_>, rows: &ChunkRows) {
        let mut bitmap = RoaringBitmap::new();
        let first = row_id_in_segment(view.first_row);
        match rows {
            ChunkRows::Range(range) => {
                let place = |row: usize| row_id_in_segment(view.first_row + row);
                bitmap.insert_range(place(range.start)..place(range.end));
            }
            ChunkRows::List(rows) => bitmap.extend(rows.iter().map(|row| first + row)),
        }
        let mut chunks = self.chunks.lock().unwrap_or_else(PoisonError::into_inner);
        if chunks[view.chunk].replace(bitmap).is_none() && self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            let mut all = RoaringBitmap::new();
            chunks.iter_mut().filter_map(Option::take).for_each(|chunk| all |= chunk);
            self.cache.insert(self.key.clone(), SegmentRows::Bitmap(all));
        }
    }
}
