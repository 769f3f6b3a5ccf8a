//! The columns a star-tree is built from, taken from those of a sealed segment.
//!
//! Nulls are not looked at: where a row is null its column's default value stands and counts, as in Pinot without null
//! handling. So a query with null handling must not be answered from the tree where a column has nulls.

use std::borrow::Cow;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType as ArrowType, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMillisecondType,
};

use super::metric::{MetricColumn, MetricRows};
use super::options::{FunctionPair, PairFunction, StarTreeOptions};
use crate::column::ColumnValues;
use crate::ids::Ids;
use crate::schema::ColumnName;
use crate::seal::SealedColumn;

/// What a star-tree is built from.
#[derive(Debug)]
pub struct StarTreeInput<'a> {
    /// How many rows the segment has.
    pub rows: usize,
    /// The dimensions, in split order.
    pub dimensions: Vec<DimensionInput<'a>>,
    /// The aggregated columns, each once, in any order.
    pub metrics: Vec<MetricInput>,
    /// The columns whose distinct values are aggregated, each once, in any order.
    pub distinct: Vec<DistinctInput<'a>>,
}

/// A single-value column with a dictionary, of which a query may want the distinct values.
#[derive(Debug)]
pub struct DistinctInput<'a> {
    /// Its name.
    pub column: ColumnName,
    /// One id a row.
    pub ids: Cow<'a, Ids>,
}

/// A single-value column with a dictionary.
#[derive(Debug)]
pub struct DimensionInput<'a> {
    /// One id a row.
    pub ids: Cow<'a, Ids>,
    /// How many values the dictionary has; every id is below.
    pub cardinality: usize,
}

/// A numeric column.
#[derive(Debug)]
pub struct MetricInput {
    /// Its name.
    pub column: ColumnName,
    /// One number a row.
    pub values: MetricColumn,
}

impl<'a> StarTreeInput<'a> {
    /// Returns what the options name of these columns.
    ///
    /// # Errors
    /// The fault in words: a column that is missing or cannot be used so. A dimension needs a dictionary, which columns
    /// of numbers have in some segments only.
    pub fn of_columns(
        options: &StarTreeOptions,
        columns: &'a [SealedColumn],
    ) -> Result<StarTreeInput<'a>, String> {
        let mut dimensions = Vec::with_capacity(options.dimensions.len());
        for name in &options.dimensions {
            let column = find(columns, name)?;
            let ColumnValues::Ids { ids, dictionary } = &column.column.values else {
                let needed = "one value a row and a dictionary";
                return Err(format!("dimension `{name}` of a star-tree needs {needed}, and has not both"));
            };
            dimensions.push(DimensionInput { ids: Cow::Borrowed(ids), cardinality: dictionary.len() });
        }
        let mut metrics: Vec<MetricInput> = Vec::new();
        let mut distinct: Vec<DistinctInput<'a>> = Vec::new();
        for FunctionPair { function, column } in options.stored_pairs() {
            let Some(name) = column else { continue };
            if function == PairFunction::DistinctCount {
                let ColumnValues::Ids { ids, .. } = &find(columns, &name)?.column.values else {
                    return Err(format!(
                        "`{name}` needs one value a row and a dictionary for its distinct values"
                    ));
                };
                distinct.push(DistinctInput { column: name, ids: Cow::Borrowed(ids) });
            } else if metrics.iter().all(|metric| metric.column != name) {
                let values = numbers(find(columns, &name)?)?;
                metrics.push(MetricInput { column: name, values });
            }
        }
        let rows = columns.first().map_or(0, |first| first.column.len());
        Ok(StarTreeInput { rows, dimensions, metrics, distinct })
    }

    /// Says what does not fit together, if anything does not.
    pub(super) fn check(&self, options: &StarTreeOptions) -> Result<(), String> {
        if u32::try_from(self.rows).is_err() {
            return Err(format!("a star-tree of {} rows would need wider row numbers", self.rows));
        }
        if self.dimensions.len() != options.dimensions.len() {
            return Err("a star-tree got another number of dimensions than it splits on".into());
        }
        for (name, dimension) in options.dimensions.iter().zip(&self.dimensions) {
            if dimension.ids.len() != self.rows {
                return Err(format!("dimension `{name}` has another number of rows than its segment"));
            }
            let outside = dimension.ids.max().is_some_and(|id| id as usize >= dimension.cardinality);
            if outside || u32::try_from(dimension.cardinality).is_err() {
                return Err(format!("ids of dimension `{name}` lie outside its dictionary"));
            }
        }
        Ok(())
    }

    /// Returns what a pair aggregates.
    pub(super) fn rows_of(&self, pair: &FunctionPair) -> Option<MetricRows<'_>> {
        let column = pair.column.as_ref()?;
        if pair.function == PairFunction::DistinctCount {
            let found = self.distinct.iter().find(|distinct| distinct.column == *column)?;
            return Some(MetricRows::Ids(&found.ids));
        }
        let found = self.metrics.iter().find(|metric| metric.column == *column)?;
        Some(MetricRows::Numbers(&found.values))
    }
}

fn find<'a>(columns: &'a [SealedColumn], name: &str) -> Result<&'a SealedColumn, String> {
    let found = columns.iter().find(|column| &*column.field.name == name);
    found.ok_or_else(|| format!("column `{name}` of a star-tree does not exist"))
}

fn numbers(column: &SealedColumn) -> Result<MetricColumn, String> {
    let refused =
        || format!("column `{}` of {} cannot be aggregated", column.field.name, column.field.data_type);
    match &column.column.values {
        ColumnValues::Plain(array) => plain_numbers(array).ok_or_else(refused),
        ColumnValues::Ids { ids, dictionary } => {
            let values = dictionary.stored_values().map_err(|error| error.to_string())?;
            Ok(match plain_numbers(&values).ok_or_else(refused)? {
                MetricColumn::I64(values) => MetricColumn::I64(take(ids, &values).into()),
                MetricColumn::F64(values) => MetricColumn::F64(take(ids, &values).into()),
                MetricColumn::Ids(_) => return Err(refused()),
            })
        }
        ColumnValues::IdLists { .. } | ColumnValues::PlainLists { .. } => Err(refused()),
    }
}

/// Returns stored values as numbers of 64 bits, which hold each of them exactly; `None` where they are none.
fn plain_numbers(array: &ArrayRef) -> Option<MetricColumn> {
    Some(match array.data_type() {
        ArrowType::Int32 => {
            let values = array.as_primitive::<Int32Type>().values();
            MetricColumn::I64(values.iter().map(|&value| i64::from(value)).collect())
        }
        ArrowType::Int64 => MetricColumn::I64(array.as_primitive::<Int64Type>().values().clone()),
        ArrowType::Timestamp(..) => {
            MetricColumn::I64(array.as_primitive::<TimestampMillisecondType>().values().clone())
        }
        ArrowType::Float32 => {
            let values = array.as_primitive::<Float32Type>().values();
            MetricColumn::F64(values.iter().map(|&value| f64::from(value)).collect())
        }
        ArrowType::Float64 => MetricColumn::F64(array.as_primitive::<Float64Type>().values().clone()),
        _ => return None,
    })
}

fn take<T: Copy>(ids: &Ids, values: &[T]) -> Vec<T> {
    match ids {
        Ids::U8(ids) => ids.iter().map(|&id| values[usize::from(id)]).collect(),
        Ids::U16(ids) => ids.iter().map(|&id| values[usize::from(id)]).collect(),
        Ids::U32(ids) => ids.iter().map(|&id| values[id as usize]).collect(),
    }
}
