//! The columns that a table shows to queries: the schema's, Pinot's virtual ones, and a hidden flag for each column's nulls.
//!
//! Without null handling a stored column holds its default where a row is null, and `$null$name` says which rows are;
//! with it, the nulls themselves are shown.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{DataType as ArrowType, Field as ArrowField, Schema as ArrowSchema, SchemaRef};
use meunier_execution::input::InputColumn;
pub(crate) use meunier_execution::input::scan_type;
use meunier_segment::consuming_segment::{OFFSET_COLUMN, offset_field};
use meunier_segment::nearest::did_you_mean;
use meunier_segment::schema::{ComplexType, DataType, Field, FieldRole, Schema};

use crate::json_match;
use crate::response::rows::{PINOT_TYPE, PINOT_TYPE_JSON, PINOT_TYPE_MAP};
use crate::tables::SearchOptions;
use crate::text_match;

/// Begins the name of the flag that says where a column is null.
const NULL_FLAG_PREFIX: &str = "$null$";
const DOC_ID: &str = "$docId";
const SEGMENT_NAME: &str = "$segmentName";
pub(crate) const PARTITION_ID: &str = "$partitionId";
const HOST_NAME: &str = "$hostName";

/// One column as a query sees it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TableColumn {
    /// A column of the segments.
    Stored {
        /// Its definition.
        field: Arc<Field>,
        /// Whether nulls are nulls; otherwise they are the default null value.
        shows_nulls: bool,
    },
    /// Whether a column is null in a row.
    NullFlag(Arc<Field>),
    /// A row's position in its segment.
    DocId,
    /// The name of a row's segment.
    SegmentName,
    /// The Kafka partition a row came from.
    PartitionId,
    /// The server that answers.
    HostName,
}

/// All columns that a table can show.
#[derive(Debug, Clone)]
pub(crate) struct TableColumns {
    /// Nothing for a query without a table.
    schema: Option<Arc<Schema>>,
    /// Whether the query asked for nulls.
    null_handling: bool,
    /// Whether the table's config lets all of its columns be null.
    table_nulls: bool,
}

impl TableColumns {
    pub(crate) fn new(schema: Arc<Schema>, null_handling: bool, table_nulls: bool) -> TableColumns {
        TableColumns { schema: Some(schema), null_handling, table_nulls }
    }

    /// Returns the columns of a query without a table: none.
    pub(crate) fn none() -> TableColumns {
        TableColumns { schema: None, null_handling: false, table_nulls: false }
    }

    /// Returns the schema's columns.
    pub(crate) fn fields(&self) -> &[Field] {
        self.schema.as_ref().map_or(&[], |schema| schema.fields())
    }

    /// Returns the column of this name whatever its case, the exact spelling first.
    pub(crate) fn find(&self, name: &str) -> Option<TableColumn> {
        let fields = self.fields();
        let exact = fields.iter().find(|field| &*field.name == name);
        if let Some(field) = exact.or_else(|| fields.iter().find(|field| same(&field.name, name))) {
            return Some(self.stored(field));
        }
        if let Some(flagged) = name.strip_prefix(NULL_FLAG_PREFIX) {
            let field = fields.iter().find(|field| &*field.name == flagged)?;
            return Some(TableColumn::NullFlag(Arc::new(field.clone())));
        }
        self.schema.as_ref()?;
        let virtual_columns = [
            (DOC_ID, TableColumn::DocId),
            (SEGMENT_NAME, TableColumn::SegmentName),
            (PARTITION_ID, TableColumn::PartitionId),
            (HOST_NAME, TableColumn::HostName),
            (OFFSET_COLUMN, self.stored(offset_field())),
        ];
        virtual_columns.into_iter().find(|(known, _)| same(known, name)).map(|(_, column)| column)
    }

    /// Returns `; did you mean …?` for the nearest column, or nothing.
    pub(crate) fn hint(&self, name: &str) -> String {
        did_you_mean(name, self.fields().iter().map(|field| &*field.name))
    }

    /// Returns the schema's columns as `*` lists them: by name, as Pinot does.
    pub(crate) fn listed(&self) -> Vec<&Field> {
        let mut fields: Vec<&Field> = self.fields().iter().collect();
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        fields
    }

    /// Returns whether the multi-stage planner takes a column for one that can be null: only schemas with column-based
    /// null handling say so, whatever rows hold.
    pub(crate) fn is_planned_nullable(&self, field: &Field) -> bool {
        !field.not_null && self.schema.as_ref().is_some_and(|schema| schema.column_based_null_handling())
    }

    /// Returns the schema's columns and those of `extra`, which are not in it.
    pub(crate) fn shown(&self, extra: &BTreeSet<String>) -> Vec<TableColumn> {
        let stored = self.listed().into_iter().map(|field| self.stored(field));
        stored.chain(extra.iter().filter_map(|name| self.find(name))).collect()
    }

    fn stored(&self, field: &Field) -> TableColumn {
        let column_based = self.schema.as_ref().is_some_and(|schema| schema.column_based_null_handling());
        let nullable = match column_based {
            true => !field.not_null,
            false => self.table_nulls,
        };
        TableColumn::Stored { field: Arc::new(field.clone()), shows_nulls: self.null_handling && nullable }
    }
}

impl TableColumn {
    /// Returns the name as queries resolve it.
    pub(crate) fn name(&self) -> String {
        match self {
            TableColumn::Stored { field, .. } => field.name.to_string(),
            TableColumn::NullFlag(field) => null_flag_name(&field.name),
            TableColumn::DocId => DOC_ID.into(),
            TableColumn::SegmentName => SEGMENT_NAME.into(),
            TableColumn::PartitionId => PARTITION_ID.into(),
            TableColumn::HostName => HOST_NAME.into(),
        }
    }

    /// Returns the column as segments are read for it.
    pub(crate) fn input(&self, host_name: &Arc<str>) -> InputColumn {
        match self {
            TableColumn::Stored { field, shows_nulls } => {
                InputColumn::Stored { field: Arc::clone(field), shows_nulls: *shows_nulls }
            }
            TableColumn::NullFlag(field) => InputColumn::NullFlag(Arc::clone(field)),
            TableColumn::DocId => InputColumn::DocId,
            TableColumn::SegmentName => InputColumn::SegmentName,
            TableColumn::PartitionId => InputColumn::PartitionId,
            TableColumn::HostName => InputColumn::HostName(Arc::clone(host_name)),
        }
    }

    /// Returns whether `SELECT *` leaves the column out.
    pub(crate) fn is_virtual(&self) -> bool {
        match self {
            TableColumn::Stored { field, .. } => &*field.name == OFFSET_COLUMN,
            TableColumn::NullFlag(_)
            | TableColumn::DocId
            | TableColumn::SegmentName
            | TableColumn::PartitionId
            | TableColumn::HostName => true,
        }
    }

    /// Returns the type of one value.
    pub(crate) fn data_type(&self) -> DataType {
        match self {
            TableColumn::Stored { field, .. } => field.data_type,
            TableColumn::NullFlag(_) => DataType::Boolean,
            TableColumn::DocId | TableColumn::PartitionId => DataType::Int,
            TableColumn::SegmentName | TableColumn::HostName => DataType::String,
        }
    }

    /// Returns whether a row has a list of values.
    pub(crate) fn is_multi_value(&self) -> bool {
        matches!(self, TableColumn::Stored { field, .. } if !field.single_value)
    }

    /// Returns the column as Arrow describes it.
    pub(crate) fn arrow_field(&self) -> ArrowField {
        let item = scan_type(self.data_type());
        let data_type = if self.is_multi_value() { ArrowType::new_list(item, true) } else { item };
        let nullable = matches!(self, TableColumn::Stored { shows_nulls: true, .. });
        let field = ArrowField::new(self.name(), data_type, nullable);
        let named = |name: &str| [(PINOT_TYPE.to_owned(), name.to_owned())].into();
        match self {
            TableColumn::Stored { field: stored, .. }
                if matches!(stored.role, FieldRole::Complex(ComplexType::Map(_))) =>
            {
                field.with_metadata(named(PINOT_TYPE_MAP))
            }
            _ if self.data_type() == DataType::Json => field.with_metadata(named(PINOT_TYPE_JSON)),
            _ => field,
        }
    }
}

/// Returns the Arrow schema of these columns, of which some are searched in a way of their own.
pub(crate) fn arrow_schema(columns: &[TableColumn], search: &SearchOptions) -> SchemaRef {
    let mut fields = Vec::with_capacity(columns.len());
    for column in columns {
        let mut field = column.arrow_field();
        if let Some(options) = search.json_columns.get(column.name().as_str()) {
            field = json_match::with_options(field, options);
        }
        if let Some(options) = search.text_columns.get(column.name().as_str()) {
            field = text_match::with_options(field, options);
        }
        fields.push(field);
    }
    Arc::new(ArrowSchema::new(fields))
}

/// Returns the name of the flag that says where a column is null.
pub(crate) fn null_flag_name(column: &str) -> String {
    format!("{NULL_FLAG_PREFIX}{column}")
}

fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.chars().flat_map(char::to_lowercase).eq(b.chars().flat_map(char::to_lowercase))
}
