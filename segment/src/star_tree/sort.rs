//! Orders rows and records by their dimensions, without comparing: counting sorts, least significant digit first.

use crate::ids::Ids;

/// A digit takes so many bits at most: its 8,192 counters stay in the first-level cache.
const DIGIT_BITS: u32 = 13;
const DIGIT_CARDINALITY_MAX: usize = 1 << DIGIT_BITS;

/// Part of a sort key.
struct Digit {
    values: Vec<u16>,
    cardinality: usize,
}

impl Digit {
    fn constant(len: usize) -> Digit {
        Digit { values: vec![0; len], cardinality: 1 }
    }

    /// Reorders `order` by this digit; what ties keeps its order.
    fn sort(&self, order: &mut Vec<u32>) {
        if self.cardinality == 1 {
            return;
        }
        let mut places = vec![0_u32; self.cardinality + 1];
        for &value in &self.values {
            places[usize::from(value) + 1] += 1;
        }
        for digit in 1..places.len() {
            places[digit] += places[digit - 1];
        }
        let mut sorted = vec![0; order.len()];
        for &element in order.iter() {
            let place = &mut places[usize::from(self.values[element as usize])];
            sorted[*place as usize] = element;
            *place += 1;
        }
        *order = sorted;
    }
}

/// Rows in order of their dimensions, the first the most significant, and which of them are alike.
pub(super) struct Groups {
    /// The first row of each group, in the groups' order.
    pub(super) first_rows: Vec<u32>,
    /// The group of each row.
    pub(super) group_of: Vec<u32>,
}

/// Groups rows by all dimensions. Each comes with how many ids it has; there are `rows` ids in each.
pub(super) fn group_rows<'a>(
    dimensions: impl DoubleEndedIterator<Item = (&'a Ids, usize)>,
    rows: usize,
) -> Groups {
    let mut digits = vec![Digit::constant(rows)];
    for (ids, cardinality) in dimensions.rev() {
        match ids {
            Ids::U8(ids) => add_digits(&mut digits, ids, cardinality),
            Ids::U16(ids) => add_digits(&mut digits, ids, cardinality),
            Ids::U32(ids) => add_digits(&mut digits, ids, cardinality),
        }
    }
    let mut order = identity(rows);
    for digit in &digits {
        digit.sort(&mut order);
    }
    let mut groups = Groups { first_rows: Vec::new(), group_of: vec![0; rows] };
    let mut group = 0;
    for (place, &row) in order.iter().enumerate() {
        let alike = place > 0
            && digits
                .iter()
                .all(|digit| digit.values[row as usize] == digit.values[order[place - 1] as usize]);
        if !alike {
            group = u32::try_from(groups.first_rows.len()).expect("there are no more groups than rows");
            groups.first_rows.push(row);
        }
        groups.group_of[row as usize] = group;
    }
    groups
}

/// Returns for each dimension but the first the rank of every record by that dimension and all behind it: records alike
/// in those have the same rank. The entry of the first dimension is empty.
pub(super) fn suffix_ranks(dimensions: &[Vec<u32>], cardinalities: &[usize]) -> Vec<Vec<u32>> {
    let records = dimensions[0].len();
    let mut ranks = vec![Vec::new(); dimensions.len()];
    let mut order = identity(records);
    for dimension in (1..dimensions.len()).rev() {
        let ids = &dimensions[dimension];
        let mut digits = vec![Digit::constant(records)];
        add_digits(&mut digits, ids, cardinalities[dimension]);
        for digit in &digits {
            digit.sort(&mut order);
        }
        let mut ranked = vec![0_u32; records];
        for places in order.windows(2) {
            let (before, here) = (places[0] as usize, places[1] as usize);
            let alike = ids[before] == ids[here]
                && ranks.get(dimension + 1).is_none_or(|behind| behind[before] == behind[here]);
            ranked[here] = ranked[before] + u32::from(!alike);
        }
        ranks[dimension] = ranked;
    }
    ranks
}

/// Adds a dimension in front of the digits: to the last one while there is room in it, else as digits of its own.
fn add_digits<T: Copy + Into<u32>>(digits: &mut Vec<Digit>, ids: &[T], cardinality: usize) {
    let last = digits.last_mut().expect("there is a first digit");
    if last.cardinality.saturating_mul(cardinality) <= DIGIT_CARDINALITY_MAX {
        let stride = low_bits(u32::try_from(last.cardinality).expect("a digit has few values"));
        for (value, &id) in last.values.iter_mut().zip(ids) {
            *value += stride * low_bits(id.into());
        }
        last.cardinality *= cardinality.max(1);
        return;
    }
    let mut left = cardinality;
    let mut shift = 0;
    while left > 1 {
        let mask = DIGIT_CARDINALITY_MAX - 1;
        let values =
            ids.iter().map(|&id| low_bits((id.into() >> shift) & u32::try_from(mask).expect("13 bits")));
        digits.push(Digit { values: values.collect(), cardinality: left.min(DIGIT_CARDINALITY_MAX) });
        left = left.div_ceil(DIGIT_CARDINALITY_MAX);
        shift += DIGIT_BITS;
    }
}

/// Returns a number below a digit's cardinality in the width of a digit.
#[expect(clippy::cast_possible_truncation, reason = "digits have at most 13 bits")]
fn low_bits(value: u32) -> u16 {
    debug_assert!(value as usize <= DIGIT_CARDINALITY_MAX);
    value as u16
}

fn identity(len: usize) -> Vec<u32> {
    (0..u32::try_from(len).expect("a segment has fewer than 2^32 rows")).collect()
}
