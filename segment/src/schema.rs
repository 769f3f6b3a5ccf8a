//! A table's schema as the rest of the system sees it: checked, complete, every default filled in.
//!
//! The JSON form is Apache Pinot's and lives in `schema/json.rs`; this file owns the checked types. Column order is the
//! order of the JSON file: dimensions, metrics, date-times, complex columns, then a legacy time column.

mod json;
mod name;
mod time_format;

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{self as arrow_types, SchemaRef};

pub use json::{ParsedSchema, SchemaProblem, SchemaWarning};
pub use name::check_table_name;
pub use time_format::{TimeFormat, TimeFormatError, TimeUnit, check_granularity};

use crate::value::{BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE, Value};

/// Name of a column, as written in the schema (names are case-sensitive in storage).
pub type ColumnName = Arc<str>;

/// Pinot's data types that a column can be declared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataType {
    /// 32-bit signed integer.
    Int,
    /// 64-bit signed integer.
    Long,
    /// 32-bit IEEE float.
    Float,
    /// 64-bit IEEE float.
    Double,
    /// Decimal with up to 38 digits before and 38 after the point.
    BigDecimal,
    /// True or false.
    Boolean,
    /// Milliseconds since the epoch.
    Timestamp,
    /// UTF-8 text.
    String,
    /// UTF-8 text that holds one JSON value.
    Json,
    /// Raw bytes.
    Bytes,
}

/// What a column is for, with what only that kind of column has.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldRole {
    /// Grouped and filtered by.
    Dimension,
    /// Aggregated.
    Metric,
    /// A time column.
    DateTime {
        /// How its values are written.
        format: TimeFormat,
        /// Its granularity as written; Pinot only validates it.
        granularity: String,
    },
    /// Holds values with parts, as JSON.
    Complex(ComplexType),
}

/// What a complex column holds.
#[derive(Debug, Clone, PartialEq)]
pub enum ComplexType {
    /// Keys with values of one type.
    Map(MapValues),
    /// Elements in order.
    List,
    /// Named parts.
    Struct,
}

/// What the values of a MAP column are.
#[derive(Debug, Clone, PartialEq)]
pub struct MapValues {
    /// Their type.
    pub data_type: DataType,
    /// What stands for the value of a key that is not there.
    pub default_null_value: Value,
}

/// What happens to a value longer than [`Field::length_max`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LengthExceeded {
    /// Cut to the maximum.
    Trim,
    /// The record is rejected.
    Reject,
    /// The default null value takes its place.
    SubstituteDefault,
    /// Kept as it is.
    Keep,
}

/// One column of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: ColumnName,
    /// Its declared type.
    pub data_type: DataType,
    /// What it is for.
    pub role: FieldRole,
    /// False for a multi-value column, which holds a list in each row.
    pub single_value: bool,
    /// True when the schema says that null is not meant to occur (column-based null handling).
    pub not_null: bool,
    /// Stored where a record has no value; a multi-value column stores a list of just this.
    pub default_null_value: Value,
    /// Longest STRING, JSON or BYTES value, in characters or bytes.
    pub length_max: u32,
    /// What happens to a longer one.
    pub length_exceeded: LengthExceeded,
}

/// A checked schema. Made only by [`Schema::parse`] and immutable afterwards.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    name: String,
    fields: Vec<Field>,
    primary_key_columns: Vec<ColumnName>,
    column_based_null_handling: bool,
    json: serde_json::Value,
}

impl Schema {
    /// Returns the schema's name, which is also its table's raw name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns all columns, in the order of the JSON file.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Returns the position and definition of the column with exactly this name.
    pub fn field(&self, name: &str) -> Option<(usize, &Field)> {
        self.fields.iter().enumerate().find(|(_, field)| &*field.name == name)
    }

    /// Returns the primary key's columns; empty when there is none.
    pub fn primary_key_columns(&self) -> &[ColumnName] {
        &self.primary_key_columns
    }

    /// Returns whether null handling is declared column by column (`enableColumnBasedNullHandling`).
    pub fn column_based_null_handling(&self) -> bool {
        self.column_based_null_handling
    }

    /// Returns the schema as Pinot's API gives it back: every key that was written and known, plus the mandatory ones.
    pub fn to_json(&self) -> &serde_json::Value {
        &self.json
    }

    /// Returns the columns that the schema says how to compute (`transformFunction`), with the expressions.
    pub fn transform_functions(&self) -> Vec<(String, String)> {
        let lists = self.json.as_object().into_iter().flat_map(|json| json.values());
        let specs = lists.filter_map(serde_json::Value::as_array).flatten();
        let function = |spec: &serde_json::Value| {
            let function = spec.get("transformFunction")?.as_str().filter(|text| !text.trim().is_empty())?;
            Some((spec.get("name")?.as_str()?.to_owned(), function.to_owned()))
        };
        specs.filter_map(function).collect()
    }

    /// Returns the Arrow schema of decoded rows: one nullable column a field, lists for multi-value columns.
    pub fn arrow_schema(&self) -> SchemaRef {
        let fields: Vec<_> = self.fields.iter().map(Field::arrow_field).collect();
        Arc::new(arrow_types::Schema::new(fields))
    }
}

impl Field {
    /// Returns the Arrow field of decoded rows: null means that the record had no value.
    pub fn arrow_field(&self) -> arrow_types::Field {
        let item = self.data_type.arrow();
        let data_type = if self.single_value { item } else { arrow_types::DataType::new_list(item, true) };
        arrow_types::Field::new(&*self.name, data_type, true)
    }
}

impl DataType {
    /// All types, in the order of Pinot's documentation.
    pub const ALL: [DataType; 10] = [
        DataType::Int,
        DataType::Long,
        DataType::Float,
        DataType::Double,
        DataType::BigDecimal,
        DataType::Boolean,
        DataType::Timestamp,
        DataType::String,
        DataType::Json,
        DataType::Bytes,
    ];

    /// Returns the type's name in Pinot's JSON and answers.
    pub fn name(self) -> &'static str {
        match self {
            DataType::Int => "INT",
            DataType::Long => "LONG",
            DataType::Float => "FLOAT",
            DataType::Double => "DOUBLE",
            DataType::BigDecimal => "BIG_DECIMAL",
            DataType::Boolean => "BOOLEAN",
            DataType::Timestamp => "TIMESTAMP",
            DataType::String => "STRING",
            DataType::Json => "JSON",
            DataType::Bytes => "BYTES",
        }
    }

    /// Returns the Arrow type of one decoded value.
    pub fn arrow(self) -> arrow_types::DataType {
        use arrow_types::DataType as Arrow;
        match self {
            DataType::Int => Arrow::Int32,
            DataType::Long => Arrow::Int64,
            DataType::Float => Arrow::Float32,
            DataType::Double => Arrow::Float64,
            DataType::BigDecimal => Arrow::Decimal256(BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE),
            DataType::Boolean => Arrow::Boolean,
            DataType::Timestamp => Arrow::Timestamp(arrow_types::TimeUnit::Millisecond, None),
            DataType::String | DataType::Json => Arrow::Utf8,
            DataType::Bytes => Arrow::Binary,
        }
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests;
