//! How a table's columns are stored: the part of the table config that segments act on.

use std::collections::BTreeSet;

use crate::schema::ColumnName;

/// Storage choices of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SegmentOptions {
    /// Rows are ordered by this single-value column when a segment is sealed.
    pub sorted_column: Option<ColumnName>,
    /// Columns stored without a dictionary.
    pub no_dictionary_columns: BTreeSet<ColumnName>,
}
