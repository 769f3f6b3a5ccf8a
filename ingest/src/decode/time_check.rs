//! Holds the times of rows to the range that Pinot takes for plausible: the hundred years from 1971 on.

use meunier_segment::column_buffer::{ColumnBuffer, ValueBuffer};
use meunier_segment::reject::RejectReason;
use meunier_segment::schema::{FieldRole, Schema, TimeFormat};
use meunier_segment::value::format_timestamp;

use super::fault::{Fault, shorten};

/// 1971-01-01T00:00:00Z.
const FIRST_MS: i64 = 31_536_000_000;
/// 2071-01-01T00:00:00Z, the first moment beyond.
const END_MS: i64 = 3_187_296_000_000;

/// Returns whether a time is in the range.
pub(crate) fn is_plausible_time(millis: i64) -> bool {
    (FIRST_MS..END_MS).contains(&millis)
}

/// The check of one table's time column.
#[derive(Debug)]
pub(super) struct TimeCheck {
    column: usize,
    name: String,
    format: TimeFormat,
}

impl TimeCheck {
    /// Returns the check of a column that holds times.
    pub(super) fn of(schema: &Schema, name: &str) -> Option<TimeCheck> {
        let (column, field) = schema.field(name)?;
        let FieldRole::DateTime { format, .. } = &field.role else { return None };
        Some(TimeCheck { column, name: name.to_owned(), format: format.clone() })
    }

    /// Returns the column's position in the schema.
    pub(super) fn column(&self) -> usize {
        self.column
    }

    /// Checks the last row's time. A row without one has nothing to check.
    ///
    /// # Errors
    /// When it is no time of the column's format, or out of range.
    pub(super) fn last_of(&self, columns: &[ColumnBuffer]) -> Result<(), Fault> {
        let column = &columns[self.column];
        let Some(last) = column.values.len().checked_sub(1) else { return Ok(()) };
        if column.nulls.last() == Some(&last) {
            return Ok(());
        }
        let (millis, text) = match &column.values {
            ValueBuffer::Timestamp(values) => (Some(values[last]), String::new()),
            ValueBuffer::Long(values) => (self.format.epoch_millis(values[last]), values[last].to_string()),
            ValueBuffer::Int(values) => {
                (self.format.epoch_millis(i64::from(values[last])), values[last].to_string())
            }
            ValueBuffer::String(values) => {
                let text = values.value(last);
                (self.format.text_millis(text), text.to_owned())
            }
            _ => return Ok(()),
        };
        match millis {
            Some(millis) if is_plausible_time(millis) => Ok(()),
            Some(millis) => {
                let detail = format!("{} is no time from 1971 to 2070", format_timestamp(millis));
                Err(Fault::new(RejectReason::OutOfRange, detail).of_column(&self.name))
            }
            None => {
                let detail = format!("`{}` is no time as `{}`", shorten(&text), self.format);
                Err(Fault::new(RejectReason::TypeMismatch, detail).of_column(&self.name))
            }
        }
    }
}
