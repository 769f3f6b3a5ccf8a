//! The distinct values of a column under each record, as ids of its dictionary.

use arrow::buffer::{Buffer, ScalarBuffer};
use roaring::RoaringBitmap;

/// A set of ids a record.
#[derive(Debug, Clone)]
pub struct RecordIds {
    /// Where the bytes of each record's set end.
    pub(super) ends: ScalarBuffer<u64>,
    /// The sets in Roaring's portable format.
    pub(super) sets: Buffer,
}

impl RecordIds {
    /// Writes the sets of all records.
    pub(super) fn of<'a>(sets: impl ExactSizeIterator<Item = &'a RoaringBitmap>) -> RecordIds {
        let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(sets.len()));
        for set in sets {
            let mut set = set.clone();
            set.optimize();
            set.serialize_into(&mut bytes).expect("memory takes every write");
            ends.push(bytes.len() as u64);
        }
        RecordIds { ends: ends.into(), sets: Buffer::from_vec(bytes) }
    }

    /// Opens the sets, all of whose ids must be below `cardinality`.
    pub(super) fn open(
        ends: ScalarBuffer<u64>,
        sets: Buffer,
        cardinality: usize,
    ) -> Result<RecordIds, String> {
        let ids = RecordIds { ends, sets };
        for record in 0..ids.len() {
            let set = ids.read(record).ok_or("a set of ids is none")?;
            if set.max().is_some_and(|last| last as usize >= cardinality) {
                return Err("an id lies outside its dictionary".into());
            }
        }
        match ids.ends.last().copied().unwrap_or(0) == ids.sets.len() as u64 {
            true => Ok(ids),
            false => Err("bytes lie behind the last set of ids".into()),
        }
    }

    /// Returns how many sets there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns whether there is no set.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Returns the ids of a record.
    ///
    /// # Panics
    /// When the record does not exist.
    pub fn of_record(&self, record: u32) -> RoaringBitmap {
        self.read(record as usize).expect("all sets were read when the tree was opened")
    }

    fn read(&self, record: usize) -> Option<RoaringBitmap> {
        let start = if record == 0 { 0 } else { self.ends[record - 1] };
        let place = usize::try_from(start).ok()?..usize::try_from(self.ends[record]).ok()?;
        RoaringBitmap::deserialize_from(self.sets.as_slice().get(place)?).ok()
    }
}
