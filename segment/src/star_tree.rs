//! A star-tree: the rows of one sealed segment aggregated in advance, so that a dashboard's query reads thousands of
//! records where the segment has millions of rows. The idea and the options are Pinot's.
//!
//! A *record* holds for each dimension an id or the star, which stands for all of the dimension's values, and for each
//! function and column the aggregated value. Records and the tree's nodes are columns of numbers; nothing points. How the
//! tree is built is told in `star_tree/build.rs`, how it is walked in `star_tree/select.rs`, and its bytes in
//! `segment/star-tree.md`.
//!
//! Invariant: the records selected for a query hold each row that passes its filters once.

mod options;
mod id_set;
mod metric;
mod record_ids;
mod input;
mod sort;
mod nodes;
mod build;
mod select;
mod parts;

pub use id_set::IdSet;
pub use input::{DimensionInput, DistinctInput, MetricInput, StarTreeInput};
pub use metric::MetricColumn;
pub use options::{DIMENSIONS_MAX, FunctionPair, LEAF_RECORDS_MAX_DEFAULT, PairFunction, StarTreeOptions};
pub use record_ids::RecordIds;
pub use select::{DimensionFilter, SelectedRecords};

use crate::ids::Ids;
use crate::schema::ColumnName;
use nodes::Nodes;

/// The star-tree of one segment, immutable.
#[derive(Debug, Clone)]
pub struct StarTree {
    options: StarTreeOptions,
    rows: usize,
    nodes: Nodes,
    /// In split order.
    dimensions: Vec<Dimension>,
    /// As [`StarTreeOptions::stored_pairs`] orders them.
    metrics: Vec<Metric>,
}

#[derive(Debug, Clone)]
struct Dimension {
    name: ColumnName,
    /// How many values the column's dictionary has.
    cardinality: usize,
    /// One a record; the star is the first number that is no id.
    ids: Ids,
}

impl Dimension {
    /// Returns what stands for all values.
    fn star(&self) -> u32 {
        u32::try_from(self.cardinality).expect("a dictionary has fewer than 2^32 values")
    }
}

#[derive(Debug, Clone)]
struct Metric {
    /// COUNT, SUM, MIN, MAX or DISTINCTCOUNT.
    pair: FunctionPair,
    column: MetricColumn,
}

impl StarTree {
    /// Returns what the tree was built by; where a table's options are others now, it must be built again.
    pub fn options(&self) -> &StarTreeOptions {
        &self.options
    }

    /// Returns how many rows the segment has.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Returns how many records there are.
    pub fn record_count(&self) -> usize {
        self.dimensions.first().map_or(0, |dimension| dimension.ids.len())
    }

    /// Returns how many nodes there are.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Returns whether the tree answers queries that filter and group by these columns and ask for these functions. Only
    /// filters that can be told as sets of ids count as such; a query with null handling is never covered where one of
    /// the columns has nulls, which the tree does not know.
    pub fn covers(
        &self,
        filter_columns: &[&str],
        group_columns: &[&str],
        functions: &[FunctionPair],
    ) -> bool {
        let mut columns = filter_columns.iter().chain(group_columns);
        columns.all(|column| self.dimension(column).is_some())
            && functions.iter().flat_map(FunctionPair::stored).all(|pair| self.metric(&pair).is_some())
    }

    /// Returns the position of a column in the split order.
    pub fn dimension(&self, column: &str) -> Option<usize> {
        self.dimensions.iter().position(|dimension| &*dimension.name == column)
    }

    /// Returns one dimension of all records. Where records were selected with this dimension grouped by, theirs are ids
    /// of the column's dictionary; others may be the star, which is the dictionary's length.
    ///
    /// # Panics
    /// When the dimension does not exist.
    pub fn dimension_ids(&self, dimension: usize) -> &Ids {
        &self.dimensions[dimension].ids
    }

    /// Returns the aggregated values of COUNT, SUM, MIN, MAX or DISTINCTCOUNT, one a record; of AVG and MINMAXRANGE ask for what
    /// [`FunctionPair::stored`] names.
    pub fn metric(&self, pair: &FunctionPair) -> Option<&MetricColumn> {
        self.metrics.iter().find(|metric| metric.pair == *pair).map(|metric| &metric.column)
    }
}

#[cfg(test)]
mod tests;
