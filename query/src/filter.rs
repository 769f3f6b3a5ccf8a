//! The filter of a scan: which rows of a chunk pass.
//!
//! A filter is a list of conditions that must all hold. A condition on one dictionary column is evaluated once for each
//! distinct value of a segment and then looked up by id; any other is evaluated on the values of the rows that are still
//! in question. Both are DataFusion's own expressions, so the answer is the one that a filter above the scan would give.

use std::fmt;
use std::sync::{Arc, OnceLock};

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array, new_null_array,
};
use arrow::buffer::NullBuffer;
use arrow::compute::take;
use arrow::datatypes::{Schema as ArrowSchema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::utils::{collect_columns, reassign_expr_columns};
use meunier_segment::column::{Column, ColumnValues};
use meunier_segment::dictionary::Dictionary;
use meunier_segment::ids::Ids;

use crate::scan::{FilterColumn, gather};
use crate::scan_statistics::ScanStatistics;

/// A dictionary so many times larger than the rows in question is not worth evaluating on.
const DICTIONARY_SHARE_MAX: usize = 8;

/// Conditions that must all hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    conditions: Vec<Condition>,
    on_dictionaries: bool,
}

/// One condition over some of a table's columns.
#[derive(Debug, Clone)]
struct Condition {
    /// As it came, columns counted in the table.
    original: Arc<dyn PhysicalExpr>,
    /// The same with columns counted in `columns`.
    expression: Arc<dyn PhysicalExpr>,
    columns: Vec<usize>,
    schema: SchemaRef,
}

/// What a filter found out about one segment, shared by all readers of one execution.
#[derive(Debug)]
pub(crate) struct SegmentFilter {
    /// For each condition, its truth by dictionary id; `None` inside when a value made it fail.
    by_id: Vec<OnceLock<Option<TruthById>>>,
}

/// A condition's truth for each value of a dictionary.
#[derive(Debug)]
struct TruthById {
    dictionary: Arc<Dictionary>,
    holds: Vec<bool>,
    holds_for_null: bool,
}

/// Rows of one chunk.
#[derive(Debug, Clone)]
pub(crate) enum Selection {
    /// Rows that follow on each other.
    Range {
        /// The first.
        start: usize,
        /// How many.
        rows: usize,
    },
    /// Any rows, ascending.
    Rows(UInt32Array),
}

impl Selection {
    /// Returns how many rows are selected.
    pub(crate) fn rows(&self, chunk_rows: usize) -> usize {
        let rows = match self {
            Selection::Range { rows, .. } => *rows,
            Selection::Rows(rows) => rows.len(),
        };
        debug_assert!(rows <= chunk_rows);
        rows
    }

    /// Returns `rows` of the selected rows from the `start`-th on.
    pub(crate) fn slice(&self, start: usize, rows: usize) -> Selection {
        match self {
            Selection::Range { start: first, .. } => Selection::Range { start: first + start, rows },
            Selection::Rows(all) => Selection::Rows(all.slice(start, rows)),
        }
    }

    /// Returns the selected rows.
    pub(crate) fn iter(&self) -> Box<dyn Iterator<Item = usize> + '_> {
        match self {
            Selection::Range { start, rows } => Box::new(*start..start + rows),
            Selection::Rows(rows) => Box::new(rows.values().iter().map(|&row| row as usize)),
        }
    }

    fn len(&self) -> usize {
        match self {
            Selection::Range { rows, .. } => *rows,
            Selection::Rows(rows) => rows.len(),
        }
    }

    /// Keeps the selected rows for which `keep` holds.
    fn retain(self, mut keep: impl FnMut(usize) -> bool) -> Selection {
        let kept: Vec<u32> = match &self {
            Selection::Range { start, rows } => {
                let range = *start..start + rows;
                range.filter(|&row| keep(row)).map(row_id).collect()
            }
            Selection::Rows(rows) => {
                rows.values().iter().copied().filter(|&row| keep(row as usize)).collect()
            }
        };
        if kept.len() == self.len() { self } else { Selection::Rows(kept.into()) }
    }
}

fn row_id(row: usize) -> u32 {
    u32::try_from(row).expect("a chunk has at most 65,536 rows")
}

impl Filter {
    /// Returns the filter that lets the rows through for which all `conditions` hold. Their columns count in
    /// `table_schema`. `on_dictionaries` lets conditions be evaluated on dictionaries.
    ///
    /// # Errors
    /// When a condition names a column that the schema does not have: a bug of the planner.
    pub(crate) fn new(
        conditions: Vec<Arc<dyn PhysicalExpr>>,
        table_schema: &ArrowSchema,
        on_dictionaries: bool,
    ) -> Result<Filter> {
        let mut own = Vec::with_capacity(conditions.len());
        for original in conditions {
            own.push(Condition::new(original, table_schema)?);
        }
        // A condition on fewer columns is cheaper and narrows what the next one must read.
        own.sort_by_key(|condition| condition.columns.len());
        Ok(Filter { conditions: own, on_dictionaries })
    }

    /// Returns whether every row passes.
    pub(crate) fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }

    /// Returns a place for what will be found out about one segment.
    pub(crate) fn for_segment(&self) -> SegmentFilter {
        SegmentFilter { by_id: self.conditions.iter().map(|_| OnceLock::new()).collect() }
    }

    /// Returns the rows of a chunk that pass. `read` gives the chunk's columns.
    ///
    /// # Errors
    /// When a column cannot be read, or a value makes a condition fail.
    pub(crate) fn select(
        &self,
        segment: &SegmentFilter,
        chunk_rows: usize,
        counters: &ScanStatistics,
        read: &dyn Fn(usize) -> Result<FilterColumn>,
    ) -> Result<Selection> {
        let mut selection = Selection::Range { start: 0, rows: chunk_rows };
        for (condition, by_id) in self.conditions.iter().zip(&segment.by_id) {
            if selection.len() == 0 {
                break;
            }
            ScanStatistics::add(
                &counters.entries_in_filter,
                (selection.len() * condition.columns.len()) as u64,
            );
            let mut columns = Vec::with_capacity(condition.columns.len());
            for &column in &condition.columns {
                columns.push(read(column)?);
            }
            selection = match &columns[..] {
                [FilterColumn::Stored { column, shows_nulls }] if self.on_dictionaries => {
                    match condition.truth_by_id(by_id, column, *shows_nulls, selection.len()) {
                        Some((truth, ids)) => {
                            truth.narrow(selection, ids, column.nulls.as_ref(), *shows_nulls)
                        }
                        None => condition.narrow(selection, &columns)?,
                    }
                }
                _ => condition.narrow(selection, &columns)?,
            };
        }
        Ok(selection)
    }

    /// Calls `f` on every condition.
    ///
    /// # Errors
    /// What `f` returns.
    pub(crate) fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let mut recursion = TreeNodeRecursion::Continue;
        for condition in &self.conditions {
            recursion = recursion.visit_sibling(|| f(&condition.original))?;
        }
        Ok(recursion)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, condition) in self.conditions.iter().enumerate() {
            let separator = if position > 0 { " AND " } else { "" };
            write!(f, "{separator}{}", condition.original)?;
        }
        Ok(())
    }
}

impl Condition {
    fn new(original: Arc<dyn PhysicalExpr>, table_schema: &ArrowSchema) -> Result<Condition> {
        let mut columns: Vec<usize> =
            collect_columns(&original).iter().map(|column| column.index()).collect();
        columns.sort_unstable();
        columns.dedup();
        let schema: SchemaRef = Arc::new(table_schema.project(&columns)?);
        let expression = reassign_expr_columns(Arc::clone(&original), &schema)?;
        Ok(Condition { original, expression, columns, schema })
    }

    /// Returns the condition's truth for the column's dictionary and the column's ids, where that is worth its while.
    fn truth_by_id<'a>(
        &self,
        known: &'a OnceLock<Option<TruthById>>,
        column: &'a Column,
        shows_nulls: bool,
        rows: usize,
    ) -> Option<(&'a TruthById, &'a Ids)> {
        let ColumnValues::Ids { ids, dictionary } = &column.values else { return None };
        if known.get().is_none() && dictionary.len() > rows.saturating_mul(DICTIONARY_SHARE_MAX) {
            return None;
        }
        // A value that no selected row has may make the condition fail, so a failure here is not the query's.
        let truth = known.get_or_init(|| self.evaluate_on(dictionary, shows_nulls).ok()).as_ref()?;
        Arc::ptr_eq(&truth.dictionary, dictionary).then_some((truth, ids))
    }

    fn evaluate_on(&self, dictionary: &Arc<Dictionary>, shows_nulls: bool) -> Result<TruthById> {
        let values = dictionary.scan_values()?;
        let holds_for_null = match shows_nulls {
            true => self.evaluate(vec![new_null_array(values.data_type(), 1)], 1)? == [true],
            false => false,
        };
        let len = values.len();
        let holds = self.evaluate(vec![values], len)?;
        Ok(TruthById { dictionary: Arc::clone(dictionary), holds, holds_for_null })
    }

    /// Keeps the selected rows whose values pass.
    fn narrow(&self, selection: Selection, columns: &[FilterColumn]) -> Result<Selection> {
        let rows = selection.len();
        let mut arrays = Vec::with_capacity(columns.len());
        for column in columns {
            arrays.push(column.selected(&selection)?);
        }
        let mut holds = self.evaluate(arrays, rows)?.into_iter();
        Ok(selection.retain(|_| holds.next().unwrap_or(false)))
    }

    fn evaluate(&self, arrays: Vec<ArrayRef>, rows: usize) -> Result<Vec<bool>> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)?;
        let truth = self.expression.evaluate(&batch)?.into_array(rows)?;
        let truth: &BooleanArray = truth.as_boolean();
        Ok(truth.iter().map(|holds| holds == Some(true)).collect())
    }
}

impl FilterColumn {
    fn selected(&self, selection: &Selection) -> Result<ArrayRef> {
        match self {
            FilterColumn::Stored { column, shows_nulls } => gather(column, selection, *shows_nulls),
            FilterColumn::Made(array) => match selection {
                Selection::Range { start, rows } => Ok(array.slice(*start, *rows)),
                Selection::Rows(rows) => Ok(take(array, rows, None)?),
            },
        }
    }
}

impl TruthById {
    fn narrow(
        &self,
        selection: Selection,
        ids: &Ids,
        nulls: Option<&NullBuffer>,
        shows_nulls: bool,
    ) -> Selection {
        let nulls = nulls.filter(|_| shows_nulls);
        if nulls.is_none() {
            if self.holds.iter().all(|holds| *holds) {
                return selection;
            }
            if !self.holds.contains(&true) {
                return Selection::Range { start: 0, rows: 0 };
            }
        }
        match ids {
            Ids::U8(ids) => self.narrow_by(selection, |row| usize::from(ids[row]), nulls),
            Ids::U16(ids) => self.narrow_by(selection, |row| usize::from(ids[row]), nulls),
            Ids::U32(ids) => self.narrow_by(selection, |row| ids[row] as usize, nulls),
        }
    }

    fn narrow_by(
        &self,
        selection: Selection,
        id: impl Fn(usize) -> usize,
        nulls: Option<&NullBuffer>,
    ) -> Selection {
        match nulls {
            None => selection.retain(|row| self.holds[id(row)]),
            Some(nulls) => selection.retain(|row| match nulls.is_null(row) {
                true => self.holds_for_null,
                false => self.holds[id(row)],
            }),
        }
    }
}
