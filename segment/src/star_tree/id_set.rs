//! The dictionary ids that a predicate lets through.

use std::ops::Range;

/// Ids as ranges: ascending, not empty, no two touching.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdSet {
    ranges: Vec<Range<u32>>,
}

impl IdSet {
    /// Returns the set of all ids in `ranges`, which may be in any order and overlap.
    pub fn from_ranges(mut ranges: Vec<Range<u32>>) -> IdSet {
        ranges.retain(|range| !range.is_empty());
        ranges.sort_unstable_by_key(|range| range.start);
        ranges.dedup_by(|next, previous| {
            let touches = next.start <= previous.end;
            if touches {
                previous.end = previous.end.max(next.end);
            }
            touches
        });
        IdSet { ranges }
    }

    /// Returns the set of all ids in `range`.
    pub fn from_range(range: Range<u32>) -> IdSet {
        IdSet::from_ranges(vec![range])
    }

    /// Returns the set of these ids, in any order.
    pub fn from_ids(ids: impl IntoIterator<Item = u32>) -> IdSet {
        IdSet::from_ranges(ids.into_iter().map(|id| id..id.saturating_add(1)).collect())
    }

    /// Returns the ids as ascending ranges, no two of which touch.
    pub fn ranges(&self) -> &[Range<u32>] {
        &self.ranges
    }

    /// Returns whether the set has no id.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Returns whether the set has this id.
    #[inline]
    pub fn contains(&self, id: u32) -> bool {
        match &*self.ranges {
            [range] => range.contains(&id),
            ranges => {
                let after = ranges.partition_point(|range| range.start <= id);
                after > 0 && id < ranges[after - 1].end
            }
        }
    }

    /// Returns the ids that both sets have.
    pub fn intersect(&self, other: &IdSet) -> IdSet {
        let (mut left, mut right) = (0, 0);
        let mut ranges = Vec::new();
        while let (Some(a), Some(b)) = (self.ranges.get(left), other.ranges.get(right)) {
            let both = a.start.max(b.start)..a.end.min(b.end);
            if !both.is_empty() {
                ranges.push(both);
            }
            match a.end <= b.end {
                true => left += 1,
                false => right += 1,
            }
        }
        IdSet { ranges }
    }

    /// Returns whether the set has every id below `cardinality`.
    pub(super) fn is_all(&self, cardinality: usize) -> bool {
        self.ranges.first().is_some_and(|range| range.start == 0 && range.end as usize >= cardinality)
    }
}
