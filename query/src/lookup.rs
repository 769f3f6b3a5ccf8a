//! `LOOKUP('dimTable', 'column', 'key', expr, …)`: what a column has in the row of a dimension table whose primary key the
//! expressions give.
//!
//! A statement's dimension tables are read before it is planned, and kept until their segments change. The calls become
//! calls of functions that hold what was read ([`function`]), so that a statement sees one state of a table.

mod call;
mod function;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array, new_null_array};
use arrow::compute::{cast, concat, concat_batches, take};
use arrow::datatypes::{DataType as ArrowType, Field as ArrowField, Int32Type, Int64Type};
use arrow::row::{RowConverter, SortField};
use datafusion::catalog::TableProvider;
use datafusion::error::DataFusionError;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::ScalarUDF;
use datafusion::physical_plan::collect;
use datafusion::sql::sqlparser::ast::{Expr, Query};
use meunier_execution::predicate_cache::PredicateCache;
use meunier_segment::consuming_segment::OFFSET_COLUMN;
use meunier_segment::schema::Schema;
use meunier_segment::table_snapshot::{PartitionSnapshot, TableSnapshot};
use parking_lot::Mutex;

use crate::error::QueryError;
use crate::options::Rules;
use crate::table_columns::{PARTITION_ID, TableColumns};
use crate::table_provider::SnapshotTable;
use crate::tables::{QueryTable, SearchOptions, Tables};

/// Rows of a dimension table. More: larger tables can be looked into, and more memory is held outside of any query.
const ROWS_MAX: u64 = 1 << 24;

/// The dimension tables as queries last read them.
#[derive(Debug, Default)]
pub(crate) struct DimensionTables {
    kept: Mutex<HashMap<String, Arc<Dimension>>>,
    next_version: AtomicU64,
}

/// The dimension tables of one query, by the names it has for them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dimensions(BTreeMap<String, Arc<Dimension>>);

/// A dimension table in one state: a row for each primary key.
#[derive(Debug)]
struct Dimension {
    /// Another number for each state of each table.
    version: u64,
    state: State,
    schema: Arc<Schema>,
    table: String,
    keys: RowConverter,
    /// The type that each part of a key is compared in.
    key_types: Vec<ArrowType>,
    row_of_key: HashMap<Box<[u8]>, u32>,
    /// The schema's columns as Arrow describes them, and their values; behind the rows stands what an absent key has.
    columns: Vec<(ArrowField, ArrayRef)>,
}

/// What a table was read from. The references keep addresses from being used again, and no rows.
#[derive(Debug)]
struct State {
    schema: Weak<Schema>,
    partitions: Vec<Weak<PartitionSnapshot>>,
}

impl State {
    fn of(snapshot: &TableSnapshot) -> State {
        State {
            schema: Arc::downgrade(&snapshot.schema),
            partitions: snapshot.partitions.iter().map(Arc::downgrade).collect(),
        }
    }

    fn is_of(&self, snapshot: &TableSnapshot) -> bool {
        std::ptr::eq(self.schema.as_ptr(), Arc::as_ptr(&snapshot.schema))
            && self.partitions.len() == snapshot.partitions.len()
            && self
                .partitions
                .iter()
                .zip(&snapshot.partitions)
                .all(|(known, now)| std::ptr::eq(known.as_ptr(), Arc::as_ptr(now)))
    }
}

impl DimensionTables {
    /// Returns the dimension tables that a query names.
    ///
    /// # Errors
    /// When one does not exist, is none, or cannot be read.
    pub(crate) async fn open(
        &self,
        query: &Query,
        tables: &Tables,
        state: &SessionState,
    ) -> Result<Dimensions, QueryError> {
        let mut opened = BTreeMap::new();
        for name in call::tables_in(query)? {
            let Some(table) = tables.get(&name) else {
                return Err(QueryError::TableMissing { hint: tables.hint(&name), table: name });
            };
            let dimension = self.dimension(&table, state).await?;
            opened.insert(name, dimension);
        }
        if !opened.is_empty() {
            self.kept.lock().retain(|name, _| tables.get(name).is_some());
        }
        Ok(Dimensions(opened))
    }

    async fn dimension(
        &self,
        table: &QueryTable,
        state: &SessionState,
    ) -> Result<Arc<Dimension>, QueryError> {
        let name = table.live.name();
        if !table.is_dimension {
            return Err(QueryError::invalid(format!(
                "`LOOKUP` looks into dimension tables; `{name}` is none: write \"isDimTable\": true into its config"
            )));
        }
        let snapshot = table.live.snapshot();
        if let Some(known) = self.kept.lock().get(name).filter(|known| known.state.is_of(&snapshot)) {
            return Ok(Arc::clone(known));
        }
        if snapshot.schema.primary_key_columns().is_empty() {
            return Err(QueryError::invalid(format!(
                "dimension table `{name}` has no primary key: name its columns in `primaryKeyColumns` of its schema"
            )));
        }
        if snapshot.rows() > ROWS_MAX {
            return Err(QueryError::Memory {
                detail: format!("dimension table `{name}` has more than {ROWS_MAX} rows"),
            });
        }
        let version = self.next_version.fetch_add(1, Ordering::Relaxed);
        let failed = |error: DataFusionError| QueryError::from_execution(&error);
        let read = Arc::new(Dimension::read(version, snapshot, state).await.map_err(failed)?);
        self.kept.lock().insert(name.to_owned(), Arc::clone(&read));
        Ok(read)
    }
}

impl Dimensions {
    /// Returns whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the call that takes the place of one of `LOOKUP`.
    ///
    /// # Errors
    /// When the call does not fit the table.
    pub(crate) fn call(&self, arguments: &[Expr]) -> Result<Expr, QueryError> {
        call::rewritten(&self.0, arguments)
    }

    /// Returns the function behind a rewritten call.
    pub(crate) fn function(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        function::find(&self.0, name)
    }
}

impl Dimension {
    /// Of rows with the same key the last one counts, by the order of their partition.
    async fn read(
        version: u64,
        snapshot: TableSnapshot,
        state: &SessionState,
    ) -> Result<Dimension, DataFusionError> {
        let (schema, table) = (Arc::clone(&snapshot.schema), snapshot.table.clone());
        let of_snapshot = State::of(&snapshot);
        let extra = [OFFSET_COLUMN, PARTITION_ID].map(str::to_owned).into();
        let columns = TableColumns::new(Arc::clone(&schema), false, false).shown(&extra);
        let provider = SnapshotTable::new(
            Arc::new(snapshot),
            columns,
            Rules::default(),
            "".into(),
            Arc::default(),
            Arc::new(PredicateCache::new(0)),
            &SearchOptions::default(),
        );
        let plan = provider.scan(state, None, &[], None).await?;
        let batches = collect(plan, state.task_ctx()).await?;
        let rows = concat_batches(&provider.schema(), &batches)?;
        let key_columns: Vec<ArrayRef> = schema
            .primary_key_columns()
            .iter()
            .map(|name| Ok(Arc::clone(column(&rows, name)?)))
            .collect::<Result<_, DataFusionError>>()?;
        let key_types: Vec<ArrowType> = key_columns.iter().map(|key| key.data_type().clone()).collect();
        let keys = RowConverter::new(key_types.iter().cloned().map(SortField::new).collect())?;
        let row_of_key = last_rows(&rows, &keys, &key_columns)?;
        let mut columns = Vec::with_capacity(schema.fields().len());
        for field in schema.fields() {
            let name: &str = &field.name;
            let shown = rows.schema().field_with_name(name)?.clone();
            let absent = match field.single_value {
                true => cast(&field.default_null_value.to_array(), shown.data_type())?,
                false => empty_list(shown.data_type())?,
            };
            let values = concat(&[column(&rows, name)?, &absent])?;
            columns.push((shown, values));
        }
        Ok(Dimension { version, state: of_snapshot, schema, table, keys, key_types, row_of_key, columns })
    }

    /// Returns the position of a column of the schema.
    fn position(&self, name: &str) -> Option<usize> {
        let named = |same: fn(&str, &str) -> bool| {
            self.columns.iter().position(|(field, _)| same(field.name(), name))
        };
        named(|known, name| known == name).or_else(|| named(str::eq_ignore_ascii_case))
    }

    /// Returns the values of a column in the rows of some keys: null for a key of which a part is null.
    fn values(&self, position: usize, keys: &[ArrayRef]) -> Result<ArrayRef, DataFusionError> {
        let mut parts = Vec::with_capacity(keys.len());
        for (part, wanted) in keys.iter().zip(&self.key_types) {
            parts.push(function::part_of_key(part, wanted)?);
        }
        let (_, values) = &self.columns[position];
        let absent = u32::try_from(values.len() - 1).unwrap_or(u32::MAX);
        let rows = self.keys.convert_columns(&parts)?;
        let is_null = |row: usize| parts.iter().any(|part| part.is_null(row));
        let places = rows.iter().enumerate().map(|(row, key)| match is_null(row) {
            true => None,
            false => Some(self.row_of_key.get(key.as_ref()).copied().unwrap_or(absent)),
        });
        Ok(take(values, &places.collect::<UInt32Array>(), None)?)
    }
}

fn column<'a>(rows: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, DataFusionError> {
    rows.column_by_name(name)
        .ok_or_else(|| DataFusionError::Internal(format!("a dimension table without `{name}`")))
}

/// Returns the row of each key that came last.
fn last_rows(
    rows: &RecordBatch,
    keys: &RowConverter,
    key_columns: &[ArrayRef],
) -> Result<HashMap<Box<[u8]>, u32>, DataFusionError> {
    let partitions = column(rows, PARTITION_ID)?.as_primitive::<Int32Type>();
    let offsets = column(rows, OFFSET_COLUMN)?.as_primitive::<Int64Type>();
    let place = |row: u32| (partitions.value(row as usize), offsets.value(row as usize));
    let mut last: HashMap<Box<[u8]>, u32> = HashMap::with_capacity(rows.num_rows());
    for (row, key) in (0_u32..).zip(&keys.convert_columns(key_columns)?) {
        match last.get_mut(key.as_ref()) {
            Some(known) if place(*known) < place(row) => *known = row,
            Some(_) => {}
            None => {
                last.insert(key.as_ref().into(), row);
            }
        }
    }
    Ok(last)
}

/// Returns one list without elements.
fn empty_list(data_type: &ArrowType) -> Result<ArrayRef, DataFusionError> {
    let ArrowType::List(element) = data_type else { return Ok(new_null_array(data_type, 1)) };
    let list = arrow::array::ListArray::try_new(
        Arc::clone(element),
        arrow::buffer::OffsetBuffer::from_lengths([0]),
        arrow::array::new_empty_array(element.data_type()),
        None,
    )?;
    Ok(Arc::new(list))
}
