//! How a filter is answered: what EXPLAIN shows. Predicates are bound as for a query, and no row is read.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::bind::Binder;
use super::node::Node;
use super::zones::Zone;
use crate::error::Result;
use crate::input::InputColumn;
use crate::predicate::Predicate;
use crate::segment_work::SegmentInput;

/// What answers a condition in a segment without its rows being tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Means {
    /// The smallest and the largest value of the segment.
    Bounds,
    /// How many rows are null.
    Nulls,
    /// All of the dictionary's values pass, or none.
    Dictionary,
    /// A bloom filter.
    Bloom,
    /// The smallest and the largest value of each chunk.
    ZoneMap,
    /// A sorted index.
    Sorted,
    /// An inverted index.
    Inverted,
    /// A range index.
    Range,
    /// A JSON index.
    Json,
    /// A text index.
    Text,
}

impl Means {
    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Means::Bounds => "bounds",
            Means::Nulls => "null counts",
            Means::Dictionary => "dictionary",
            Means::Bloom => "bloom filter",
            Means::ZoneMap => "zone map",
            Means::Sorted => "sorted index",
            Means::Inverted => "inverted index",
            Means::Range => "range index",
            Means::Json => "json index",
            Means::Text => "text index",
        }
    }
}

/// How one condition is answered in some segments alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterStep {
    /// The columns it is about.
    pub columns: Vec<String>,
    /// What answers it, or a part of it.
    pub means: Vec<Means>,
    /// Whether rows that are left are tested one by one.
    pub tests_rows: bool,
    /// The segments.
    pub segments: usize,
    /// Their rows.
    pub rows: u64,
    /// Those of them that are dropped without a test.
    pub rows_dropped: u64,
}

/// Returns how each part of a predicate is answered.
///
/// # Errors
/// When a segment's file cannot be read.
pub fn explain(input: &SegmentInput) -> Result<Vec<FilterStep>> {
    let parts = match &*input.predicate {
        Predicate::True => return Ok(Vec::new()),
        Predicate::And(parts) => parts,
        only => std::slice::from_ref(only),
    };
    let mut steps: BTreeMap<(usize, Vec<Means>, bool), FilterStep> = BTreeMap::new();
    for segment in &*input.segments {
        let means = RefCell::default();
        let binder =
            Binder { columns: &input.columns, segment, use_indexes: input.uses_indexes, means: Some(&means) };
        for (number, part) in parts.iter().enumerate() {
            means.borrow_mut().clear();
            let node = binder.bind(part)?;
            let rows = segment.rows() as u64;
            let (left, tests_rows) = match &node {
                Node::All => (rows, false),
                Node::None => (0, false),
                Node::Indexed(found) => (found.count(0, segment.rows()), false),
                node => {
                    let chunks = segment.chunk_rows().into_iter().enumerate();
                    let open = chunks.filter(|(chunk, _)| node.zone(*chunk) != Zone::None);
                    (open.map(|(_, rows)| rows as u64).sum(), true)
                }
            };
            if tests_rows {
                // What answers a part of a condition drops nothing while the rest is open, but bounds of chunks do. Of JSON
                // and text indexes it is told all the same: rows are then tested for an id, and not for what their texts hold,
                // or are few.
                means.borrow_mut().retain(|means| matches!(means, Means::Json | Means::Text));
                means.borrow_mut().extend((left < rows).then_some(Means::ZoneMap));
            }
            let used: Vec<Means> = means.borrow().iter().copied().collect();
            let step = steps.entry((number, used.clone(), tests_rows)).or_insert_with(|| FilterStep {
                columns: columns_of(part, &input.columns),
                means: used,
                tests_rows,
                segments: 0,
                rows: 0,
                rows_dropped: 0,
            });
            step.segments += 1;
            step.rows += rows;
            step.rows_dropped += rows - left;
        }
    }
    Ok(steps.into_values().collect())
}

fn columns_of(predicate: &Predicate, columns: &[InputColumn]) -> Vec<String> {
    let mut names = BTreeSet::new();
    collect_columns(predicate, columns, &mut names);
    names.into_iter().map(str::to_owned).collect()
}

fn collect_columns<'a>(predicate: &Predicate, columns: &'a [InputColumn], names: &mut BTreeSet<&'a str>) {
    let name = |column: usize| match &columns[column] {
        InputColumn::Stored { field, .. } | InputColumn::NullFlag(field) => &*field.name,
        InputColumn::DocId => "$docId",
        InputColumn::SegmentName => "$segmentName",
        InputColumn::PartitionId => "$partitionId",
        InputColumn::HostName(_) => "$hostName",
    };
    match predicate {
        Predicate::True | Predicate::False => {}
        Predicate::And(parts) | Predicate::Or(parts) => {
            parts.iter().for_each(|part| collect_columns(part, columns, names));
        }
        Predicate::Value { column, .. }
        | Predicate::AnyElement { column, .. }
        | Predicate::Null { column, .. } => {
            names.insert(name(*column));
        }
        Predicate::Rows { columns: read, .. } => names.extend(read.iter().map(|&column| name(column))),
    }
}
