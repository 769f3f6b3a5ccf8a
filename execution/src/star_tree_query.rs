//! Answers an aggregation from star-trees, where they hold what it asks for.
//!
//! The records that a tree selects are like rows: dimensions are ids of the segment's own dictionaries, so that groups are
//! found among them as among rows, and metrics are aggregates to be aggregated on.

use std::sync::Arc;

use meunier_segment::column::{Column, ColumnValues};
use meunier_segment::dictionary::Dictionary;
use meunier_segment::schema::Field;
use meunier_segment::star_tree::{DimensionFilter, FunctionPair, IdSet as TreeIds, PairFunction, StarTree};
use meunier_segment::table_snapshot::Segment;

use crate::aggregation::{Aggregate, Aggregation, Function, Input, Key};
use crate::error::Result;
use crate::id_set::IdSet;
use crate::input::{InputColumn, unreadable};
use crate::predicate::{Predicate, Test};

/// An aggregation that star-trees can answer, apart from any segment.
#[derive(Debug)]
pub struct StarTreeQuery {
    tests: Vec<(Dimension, Test)>,
    keys: Vec<Dimension>,
    /// What the aggregates read.
    pairs: Vec<FunctionPair>,
    metrics: Vec<Dimension>,
}

/// A column as the query sees it.
#[derive(Debug, Clone)]
struct Dimension {
    field: Arc<Field>,
    shows_nulls: bool,
}

/// Records of one tree that answer the query.
#[derive(Debug)]
pub(crate) struct StarTreeRecords {
    pub(crate) tree: Arc<StarTree>,
    pub(crate) records: Vec<u32>,
    /// The keys of all records of the tree.
    pub(crate) keys: Vec<Column>,
}

impl StarTreeQuery {
    /// Returns the aggregation as star-trees see it, or nothing when it is not of their kind.
    pub fn of(aggregation: &Aggregation, predicate: &Predicate) -> Option<StarTreeQuery> {
        let columns = &aggregation.columns;
        let stored = |column: usize| match &columns[column] {
            InputColumn::Stored { field, shows_nulls } if field.single_value => {
                Some(Dimension { field: Arc::clone(field), shows_nulls: *shows_nulls })
            }
            _ => None,
        };
        let parts = match predicate {
            Predicate::True => &[],
            Predicate::And(parts) => &parts[..],
            one => std::slice::from_ref(one),
        };
        let mut tests = Vec::with_capacity(parts.len());
        for part in parts {
            let Predicate::Value { column, test } = part else { return None };
            tests.push((stored(*column)?, test.clone()));
        }
        let mut keys = Vec::with_capacity(aggregation.keys.len());
        for key in &aggregation.keys {
            let Key::Column { column, .. } = key else { return None };
            keys.push(stored(*column)?);
        }
        let mut pairs = Vec::with_capacity(aggregation.aggregates.len());
        let mut metrics = Vec::new();
        for aggregate in &aggregation.aggregates {
            let (function, column) = pair_of(aggregate)?;
            let metric = match column {
                Some(column) => Some(stored(column)?),
                None => None,
            };
            let name = metric.as_ref().map(|metric| Arc::clone(&metric.field.name));
            pairs.push(FunctionPair { function, column: name });
            metrics.extend(metric);
        }
        Some(StarTreeQuery { tests, keys, pairs, metrics })
    }

    /// Returns how many records of a segment's trees answer the query; nothing where none of them does.
    ///
    /// # Errors
    /// When the segment's file cannot be read.
    pub fn record_count(&self, segment: &Segment) -> Result<Option<usize>> {
        Ok(self.records(segment)?.map(|found| found.records.len()))
    }

    /// Returns the records of the first of a segment's trees that covers the query.
    ///
    /// # Errors
    /// When the segment's file cannot be read.
    pub(crate) fn records(&self, segment: &Segment) -> Result<Option<StarTreeRecords>> {
        let failed = |source| unreadable(segment, source);
        let trees = segment.star_trees().map_err(failed)?;
        if trees.is_empty() || self.meets_nulls(segment) {
            return Ok(None);
        }
        let filtered: Vec<&str> = self.tests.iter().map(|(column, _)| &*column.field.name).collect();
        let grouped: Vec<&str> = self.keys.iter().map(|column| &*column.field.name).collect();
        let Some(tree) = trees.iter().find(|tree| tree.covers(&filtered, &grouped, &self.pairs)) else {
            return Ok(None);
        };
        let dictionary = |field: &Field| segment.dictionary(field).map_err(failed);
        let mut filters = Vec::with_capacity(self.tests.len());
        for (column, test) in &self.tests {
            let Some(dictionary) = dictionary(&column.field)? else { return Ok(None) };
            let Ok(ids) = IdSet::of(test, &dictionary) else { return Ok(None) };
            let Some(dimension) = tree.dimension(&column.field.name) else { return Ok(None) };
            filters.push(DimensionFilter { dimension, ids: TreeIds::from_ranges(ids.ranges().to_vec()) });
        }
        let mut group_by = Vec::with_capacity(self.keys.len());
        let mut keys = Vec::with_capacity(self.keys.len());
        for column in &self.keys {
            let Some(dimension) = tree.dimension(&column.field.name) else { return Ok(None) };
            let Some(dictionary) = dictionary(&column.field)? else { return Ok(None) };
            keys.push(key_column(tree, dimension, dictionary));
            group_by.push(dimension);
        }
        let records = tree.records(&filters, &group_by);
        Ok(Some(StarTreeRecords { tree: Arc::clone(tree), records, keys }))
    }

    /// Returns whether the query tells nulls from default values in a column that has some: a tree does not.
    fn meets_nulls(&self, segment: &Segment) -> bool {
        let columns = self.tests.iter().map(|(column, _)| column).chain(&self.keys).chain(&self.metrics);
        columns
            .filter(|column| column.shows_nulls)
            .any(|column| segment.stats(&column.field).is_none_or(|stats| stats.null_count > 0))
    }
}

fn key_column(tree: &StarTree, dimension: usize, dictionary: Arc<Dictionary>) -> Column {
    let ids = tree.dimension_ids(dimension).clone();
    Column { values: ColumnValues::Ids { ids, dictionary }, nulls: None }
}

fn pair_of(aggregate: &Aggregate) -> Option<(PairFunction, Option<usize>)> {
    if aggregate.filter.is_some() {
        return None;
    }
    let (function, input) = match &aggregate.function {
        Function::Count => return Some((PairFunction::Count, None)),
        Function::Sum(input) => (PairFunction::Sum, input),
        Function::Average(input) => (PairFunction::Avg, input),
        Function::Min(input) => (PairFunction::Min, input),
        Function::Max(input) => (PairFunction::Max, input),
        Function::CountDistinct(Key::Column { column, .. }) => {
            return Some((PairFunction::DistinctCount, Some(*column)));
        }
        Function::External { inputs, function } if function.is_of_distinct_values() => {
            let (Input::Column(column), settings) = inputs.split_first()? else { return None };
            let is_constant =
                |input: &Input| matches!(input, Input::Computed { columns, .. } if columns.is_empty());
            return settings.iter().all(is_constant).then_some((PairFunction::DistinctCount, Some(*column)));
        }
        Function::CountValues(_) | Function::CountDistinct(_) | Function::External { .. } => return None,
    };
    match input {
        Input::Column(column) => Some((function, Some(*column))),
        Input::Computed { .. } => None,
    }
}
