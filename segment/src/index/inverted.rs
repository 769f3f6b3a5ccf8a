//! Rows of each value of a dictionary column.
//!
//! Two forms. The builder takes bitmaps where they save a quarter of the lists: where they are dense, or their rows lie
//! together. Sparse ones are lists inside, and slower to join than lists are. Both forms begin with the [`Starts`] of the
//! ids, an entry for each row that an id stands in.
//!
//! ```text
//! bitmaps   ids + 1 bit-packed byte places: of the bitmap of id 0 (which is 0), of id 1, …, and the end of all
//!           the bitmaps, in Roaring's portable format; an id without a row has no bytes
//! lists     row numbers, bit-packed: those of id 0 ascending, those of id 1 ascending, …
//! ```

use std::ops::Range;

use arrow::buffer::Buffer;
use roaring::{MultiOps, RoaringBitmap};
use serde::{Deserialize, Serialize};

use super::packed::{self, Packed};
use super::starts::{Starts, StartsHeader};
use super::{IndexError, IndexParts, rows};
use crate::column::ColumnValues;

/// No serialised bitmap of a row is shorter. With it one sees without building them that bitmaps are the larger form.
const BITMAP_BYTES_MIN: usize = 15;

/// The rows of each dictionary id.
#[derive(Debug, Clone)]
pub struct InvertedIndex {
    starts: Starts,
    rows: u32,
    single_value: bool,
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    Bitmaps { places: Packed, bitmaps: Buffer },
    Lists(Packed),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InvertedHeader {
    /// Each row has one id, so that no row is in two sets.
    single_value: bool,
    /// Over all ids.
    entries: u32,
    starts: StartsHeader,
    form: FormHeader,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum FormHeader {
    Bitmaps { place_width: u32 },
    Lists { width: u32 },
}

impl InvertedIndex {
    /// Returns the index of a whole segment's column; `None` when it has no dictionary.
    pub fn build(values: &ColumnValues) -> Option<InvertedIndex> {
        let (lists, single_value) = match values {
            ColumnValues::Ids { ids, dictionary } => {
                let mut wide = Vec::with_capacity(ids.len());
                ids.extend_into(&mut wide);
                let rows = wide.len();
                (RowLists::gather(dictionary.len(), rows, |row| &wide[row..=row])?, true)
            }
            ColumnValues::IdLists { offsets, ids, dictionary } => {
                let mut wide = Vec::with_capacity(ids.len());
                ids.extend_into(&mut wide);
                let borders: &[i32] = offsets;
                let place = |row: usize| usize::try_from(borders[row]).expect("offsets are not negative");
                let lists = RowLists::gather(dictionary.len(), borders.len() - 1, |row| {
                    &wide[place(row)..place(row + 1)]
                })?;
                (lists, false)
            }
            ColumnValues::Plain(_) | ColumnValues::PlainLists { .. } => return None,
        };
        Some(InvertedIndex::of(&lists, single_value))
    }

    /// Returns the index of lists of ids below `distinct`; `None` when they are more than a `u32` counts.
    pub(super) fn of_lists<'a>(
        distinct: usize,
        rows: usize,
        ids_of: impl Fn(usize) -> &'a [u32],
    ) -> Option<InvertedIndex> {
        Some(InvertedIndex::of(&RowLists::gather(distinct, rows, ids_of)?, false))
    }

    fn of(lists: &RowLists, single_value: bool) -> InvertedIndex {
        let starts = Starts::of_counts(&lists.counts);
        let form = lists.bitmaps().unwrap_or_else(|| {
            Form::Lists(Packed::new(lists.entries.iter().copied(), lists.rows.saturating_sub(1)))
        });
        InvertedIndex { starts, rows: lists.rows, single_value, form }
    }

    /// Returns the rows that hold an id of these ranges, which ascend and do not overlap.
    ///
    /// # Errors
    /// When the index's bytes turn out to be damaged.
    pub fn rows(&self, ids: &[Range<u32>]) -> Result<RoaringBitmap, IndexError> {
        // Most of a single-value column is more quickly found as what is left by the rest.
        if self.single_value && self.starts.count(ids) > u64::from(self.rows) / 2 {
            let others = self.rows_listed(&complement(ids, self.starts.distinct()))?;
            return Ok(rows::all(self.rows) - others);
        }
        self.rows_listed(ids)
    }

    /// Returns at least how many rows hold an id of these ranges: the exact number where each row has one id.
    pub fn count(&self, ids: &[Range<u32>]) -> u64 {
        self.starts.count(ids).min(u64::from(self.rows))
    }

    /// Returns the index as a serving file holds it.
    pub fn to_parts(&self) -> IndexParts {
        let mut buffers: Vec<Buffer> = self.starts.buffer().cloned().into_iter().collect();
        let form = match &self.form {
            Form::Bitmaps { places, bitmaps } => {
                buffers.extend([places.buffer().clone(), bitmaps.clone()]);
                FormHeader::Bitmaps { place_width: places.width() }
            }
            Form::Lists(lists) => {
                buffers.push(lists.buffer().clone());
                FormHeader::Lists { width: lists.width() }
            }
        };
        let header = InvertedHeader {
            single_value: self.single_value,
            entries: self.starts.entries(),
            starts: self.starts.header(),
            form,
        };
        IndexParts::new(&header, buffers)
    }

    /// Opens an index over `rows` rows with `distinct` different ids.
    ///
    /// # Errors
    /// Says what does not hold.
    pub fn from_parts(parts: &IndexParts, distinct: usize, rows: u32) -> Result<InvertedIndex, String> {
        let (header, mut buffers) = parts.open::<InvertedHeader>()?;
        if header.single_value && header.entries != rows {
            return Err(format!("{} entries of {rows} single-value rows", header.entries));
        }
        let starts = Starts::open(&header.starts, &mut buffers, distinct, header.entries)?;
        let form = match header.form {
            FormHeader::Bitmaps { place_width } => {
                let places = Packed::open(buffers.next()?, place_width, distinct.saturating_add(1))?;
                Form::Bitmaps { places, bitmaps: buffers.next()? }
            }
            FormHeader::Lists { width } => {
                Form::Lists(Packed::open(buffers.next()?, width, header.entries as usize)?)
            }
        };
        buffers.end()?;
        Ok(InvertedIndex { starts, rows, single_value: header.single_value, form })
    }

    /// Returns the memory the index takes, that of its buffers included.
    pub fn memory_bytes(&self) -> usize {
        let form = match &self.form {
            Form::Bitmaps { places, bitmaps } => places.buffer().len() + bitmaps.len(),
            Form::Lists(lists) => lists.buffer().len(),
        };
        self.starts.memory_bytes() + form
    }

    fn rows_listed(&self, ids: &[Range<u32>]) -> Result<RoaringBitmap, IndexError> {
        let found = match &self.form {
            Form::Bitmaps { places, bitmaps } => self.union_of_bitmaps(places, bitmaps, ids)?,
            Form::Lists(lists) => self.union_of_lists(lists, ids)?,
        };
        let one_entry_a_row = self.single_value || ids.iter().map(ExactSizeIterator::len).sum::<usize>() == 1;
        let count = self.starts.count(ids);
        if found.len() > count || (one_entry_a_row && found.len() < count) {
            return Err(IndexError::Damaged("an id has another number of rows than is told"));
        }
        Ok(found)
    }

    fn union_of_lists(&self, lists: &Packed, ids: &[Range<u32>]) -> Result<RoaringBitmap, IndexError> {
        let entries = |ids: &Range<u32>| {
            let range = self.starts.range(ids);
            range.start as usize..range.end as usize
        };
        match ids {
            [one] if one.len() == 1 => rows::of_ascending(lists.iter(entries(one)), self.rows),
            [one] => rows::of_unordered(lists.iter(entries(one)), self.rows),
            many => {
                let listed: Vec<u32> = many.iter().flat_map(|ids| lists.iter(entries(ids))).collect();
                rows::of_unordered(listed.into_iter(), self.rows)
            }
        }
    }

    fn union_of_bitmaps(
        &self,
        places: &Packed,
        bitmaps: &Buffer,
        ids: &[Range<u32>],
    ) -> Result<RoaringBitmap, IndexError> {
        let last = u32::try_from(self.starts.distinct()).unwrap_or(u32::MAX);
        let read = |id: u32| {
            let place = places.get(id as usize) as usize..places.get(id as usize + 1) as usize;
            let bytes = bitmaps.get(place).ok_or(IndexError::Damaged("a bitmap outside its buffer"))?;
            if bytes.is_empty() {
                return Ok(RoaringBitmap::new());
            }
            RoaringBitmap::deserialize_from(bytes).map_err(|_| IndexError::Damaged("not a bitmap"))
        };
        let ids = ids.iter().flat_map(|ids| ids.start..ids.end.min(last));
        rows::check_below(ids.map(read).union()?, self.rows)
    }
}

/// Returns the ids below `distinct` outside the ranges.
fn complement(ids: &[Range<u32>], distinct: usize) -> Vec<Range<u32>> {
    let mut others = Vec::with_capacity(ids.len() + 1);
    let mut next = 0;
    for range in ids {
        if range.start > next {
            others.push(next..range.start);
        }
        next = next.max(range.end);
    }
    let end = u32::try_from(distinct).unwrap_or(u32::MAX);
    if next < end {
        others.push(next..end);
    }
    others
}

/// Rows of each id, not packed yet.
struct RowLists {
    counts: Vec<u32>,
    entries: Vec<u32>,
    rows: u32,
}

impl RowLists {
    /// Sorts the rows by id, by counting. `None` when they are more than a `u32` counts, or an id is out of bounds.
    fn gather<'a>(distinct: usize, rows: usize, ids_of: impl Fn(usize) -> &'a [u32]) -> Option<RowLists> {
        const NO_ROW: u32 = u32::MAX;
        let rows = u32::try_from(rows).ok().filter(|rows| *rows < NO_ROW)?;
        let mut counts = vec![0_u32; distinct];
        // An id that stands twice in a row is one entry; rows come in order, so the last one seen tells.
        let mut seen = vec![NO_ROW; distinct];
        let mut entries = 0_u32;
        for row in 0..rows {
            for &id in ids_of(row as usize) {
                if std::mem::replace(seen.get_mut(id as usize)?, row) != row {
                    counts[id as usize] += 1;
                    entries = entries.checked_add(1)?;
                }
            }
        }
        let mut next = Vec::with_capacity(distinct);
        let mut start = 0;
        for count in &counts {
            next.push(start);
            start += count;
        }
        let mut listed = vec![0; entries as usize];
        seen.fill(NO_ROW);
        for row in 0..rows {
            for &id in ids_of(row as usize) {
                let id = id as usize;
                if std::mem::replace(&mut seen[id], row) != row {
                    listed[next[id] as usize] = row;
                    next[id] += 1;
                }
            }
        }
        Some(RowLists { counts, entries: listed, rows })
    }

    /// Returns the form with a bitmap an id, where it is a quarter smaller than lists.
    fn bitmaps(&self) -> Option<Form> {
        let width = packed::width_of(self.rows.saturating_sub(1));
        let bytes_max = packed::byte_len(width, self.entries.len())? / 4 * 3;
        let used = self.counts.iter().filter(|count| **count > 0).count();
        if used * BITMAP_BYTES_MIN + self.counts.len() > bytes_max {
            return None;
        }
        let mut bytes = Vec::new();
        let mut places = Vec::with_capacity(self.counts.len() + 1);
        places.push(0);
        let mut start = 0;
        for &count in &self.counts {
            let end = start + count as usize;
            if count > 0 {
                let listed = self.entries[start..end].iter().copied();
                let mut bitmap = RoaringBitmap::from_sorted_iter(listed).expect("rows were taken in order");
                bitmap.optimize();
                bitmap.serialize_into(&mut bytes).expect("memory takes every write");
            }
            places.push(u32::try_from(bytes.len()).ok()?);
            start = end;
            if bytes.len() > bytes_max {
                return None;
            }
        }
        let end = places.last().copied().unwrap_or(0);
        let places = Packed::new(places.into_iter(), end);
        if places.buffer().len() + bytes.len() > bytes_max {
            return None;
        }
        Some(Form::Bitmaps { places, bitmaps: Buffer::from_vec(bytes) })
    }
}
