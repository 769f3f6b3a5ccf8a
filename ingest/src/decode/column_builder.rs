//! Appends JSON values to one column's buffer: directly where the JSON type is the column's own, else through [`coerce`].
//!
//! Invariant: after each row the buffer has one entry more, or, cut back, as many as before it. A failed append may leave a
//! part of a row behind; the caller cuts it off.

use meunier_segment::column_buffer::{ByteBuffer, ColumnBuffer, Full, ValueBuffer};
use meunier_segment::reject::RejectReason;
use meunier_segment::schema::{ColumnName, DataType, Field};
use simd_json::{Node, StaticNode};

use super::coerce::{self, Coerced};
use super::document::{Document, Item, Scalar};
use super::fault::{Fault, shorten};
use super::json_text::{write_string, write_value};
use super::length_limit::LengthLimit;
use super::tape_reader::{TapeReader, Unreadable};
use super::timestamp_text::LastDay;

/// What one column makes of JSON values.
pub(super) struct ColumnBuilder {
    name: ColumnName,
    data_type: DataType,
    is_list: bool,
    length: LengthLimit,
    /// What the last text of a TIMESTAMP column left for the next.
    last_day: LastDay,
}

/// Where a column's value is to be found, and what reads JSON that is embedded in a string.
pub(super) struct Source<'r, 'd> {
    pub(super) document: &'r mut Document<'d>,
    pub(super) embedded: &'r mut TapeReader,
}

impl ColumnBuilder {
    pub(super) fn new(field: &Field) -> ColumnBuilder {
        ColumnBuilder {
            name: field.name.clone(),
            data_type: field.data_type,
            is_list: !field.single_value,
            length: LengthLimit::of(field),
            last_day: LastDay::default(),
        }
    }

    pub(super) fn name(&self) -> &ColumnName {
        &self.name
    }

    /// Appends the value at a node of the document as row number `row`.
    #[inline]
    pub(super) fn append(
        &mut self,
        to: &mut ColumnBuffer,
        row: usize,
        at: usize,
        source: &mut Source<'_, '_>,
    ) -> Result<(), Fault> {
        let node = &source.document.nodes()[at];
        if let Node::Static(StaticNode::Null) = node {
            to.push_null(row);
            return Ok(());
        }
        if !self.is_list && source.document.is_direct(node) && self.push_direct(&mut to.values, node) {
            return Ok(());
        }
        self.append_converted(to, row, at, source)
    }

    /// Appends a value that needs no conversion; returns false, with nothing appended, for any other.
    #[inline]
    fn push_direct(&self, to: &mut ValueBuffer, node: &Node<'_>) -> bool {
        match (to, node) {
            (ValueBuffer::String(values), Node::String(text)) if text.len() <= self.length.max() => {
                values.push(text).is_ok()
            }
            (
                ValueBuffer::Long(values) | ValueBuffer::Timestamp(values),
                Node::Static(StaticNode::U64(value)),
            ) => i64::try_from(*value).map(|value| values.push(value)).is_ok(),
            (
                ValueBuffer::Long(values) | ValueBuffer::Timestamp(values),
                Node::Static(StaticNode::I64(value)),
            ) => {
                values.push(*value);
                true
            }
            (ValueBuffer::Int(values), Node::Static(StaticNode::U64(value))) => {
                i32::try_from(*value).map(|value| values.push(value)).is_ok()
            }
            (ValueBuffer::Int(values), Node::Static(StaticNode::I64(value))) => {
                i32::try_from(*value).map(|value| values.push(value)).is_ok()
            }
            (ValueBuffer::Double(values), Node::Static(StaticNode::F64(value))) => {
                // Adding zero turns -0.0 into 0.0; the parser lets no infinity pass.
                values.push(*value + 0.0);
                true
            }
            (ValueBuffer::Double(values), Node::Static(StaticNode::U64(value))) => {
                #[expect(clippy::cast_precision_loss, reason = "DOUBLE rounds to the nearest")]
                values.push(*value as f64);
                true
            }
            (ValueBuffer::Float(values), Node::Static(StaticNode::F64(value))) => {
                #[expect(clippy::cast_possible_truncation, reason = "FLOAT rounds to the nearest")]
                let value = *value as f32 + 0.0;
                values.extend(value.is_finite().then_some(value));
                value.is_finite()
            }
            (ValueBuffer::Boolean(values), Node::Static(StaticNode::Bool(value))) => {
                values.push(*value);
                true
            }
            _ => false,
        }
    }

    fn append_converted(
        &mut self,
        to: &mut ColumnBuffer,
        row: usize,
        at: usize,
        source: &mut Source<'_, '_>,
    ) -> Result<(), Fault> {
        let before = to.values.len();
        let has_value = if self.is_list {
            self.push_list(&mut to.values, at, source)?;
            to.values.len() > before
        } else {
            self.push_item(&mut to.values, at, source)?
        };
        match &mut to.list_ends {
            _ if !has_value => to.push_null(row),
            Some(ends) => ends.push(to.values.len()).map_err(full)?,
            None => {}
        }
        Ok(())
    }

    /// Appends the elements of an array, or a single value as the only one. A list in a list of one is that list.
    fn push_list(
        &mut self,
        to: &mut ValueBuffer,
        mut at: usize,
        source: &mut Source<'_, '_>,
    ) -> Result<(), Fault> {
        while source.document.item(at) == (Item::Array { length: 1 })
            && matches!(source.document.item(at + 1), Item::Array { .. })
        {
            at += 1;
        }
        let Item::Array { length } = source.document.item(at) else {
            return self.push_item(to, at, source).map(drop);
        };
        let mut element = at + 1;
        let nodes = source.document.nodes();
        for _ in 0..length {
            let node = &nodes[element];
            if !(source.document.is_direct(node) && self.push_direct(to, node)) {
                self.push_item(to, element, source)?;
            }
            element = source.document.after(element);
        }
        Ok(())
    }

    /// Appends one value; returns false, with nothing appended, for null.
    fn push_item(
        &mut self,
        to: &mut ValueBuffer,
        at: usize,
        source: &mut Source<'_, '_>,
    ) -> Result<bool, Fault> {
        match source.document.item(at) {
            Item::Null => Ok(false),
            Item::Scalar(Scalar::Text(text)) if self.data_type == DataType::Json => {
                self.push_json_text(to, text, source)
            }
            _ if self.data_type == DataType::Json => self.push_as_json(to, at, source),
            Item::Array { length } => match only_value(source.document, at, length) {
                Only::None => Ok(false),
                Only::One(element) => self.push_item(to, element, source),
                Only::Several => self.push_nested(to, at, source),
            },
            Item::Object { .. } => self.push_nested(to, at, source),
            Item::Scalar(Scalar::Float(_)) if self.data_type == DataType::BigDecimal => {
                self.push_scalar(to, Scalar::Huge(source.document.number_text(at)))
            }
            Item::Scalar(scalar) => self.push_scalar(to, scalar),
        }
    }

    fn push_nested(
        &mut self,
        to: &mut ValueBuffer,
        at: usize,
        source: &mut Source<'_, '_>,
    ) -> Result<bool, Fault> {
        if self.data_type == DataType::String {
            return self.push_as_json(to, at, source);
        }
        let mut value = String::new();
        write_value(source.document, at, &mut value);
        Err(self.refused(RejectReason::TypeMismatch, &value))
    }

    /// Appends a value of any kind as JSON text.
    fn push_as_json(
        &mut self,
        to: &mut ValueBuffer,
        at: usize,
        source: &mut Source<'_, '_>,
    ) -> Result<bool, Fault> {
        self.push_written(to, |out| {
            write_value(source.document, at, out);
            Ok(())
        })
    }

    /// Appends a string of a JSON column: the JSON value that it holds, or else itself as a JSON string.
    fn push_json_text(
        &mut self,
        to: &mut ValueBuffer,
        text: &str,
        source: &mut Source<'_, '_>,
    ) -> Result<bool, Fault> {
        self.push_written(to, |out| {
            match source.embedded.read(text.as_bytes(), |document| write_value(document, 0, out)) {
                Ok(_) => {}
                Err(Unreadable::Malformed(_)) => write_string(text, out),
                Err(Unreadable::TooDeep) => {
                    let detail = format!("the JSON text `{}` nests too deep", shorten(text));
                    return Err(Fault::new(RejectReason::TooDeep, detail));
                }
            }
            Ok(())
        })
    }

    /// Appends the text that `write` writes, within the column's length limit.
    fn push_written(
        &self,
        to: &mut ValueBuffer,
        write: impl FnOnce(&mut String) -> Result<(), Fault>,
    ) -> Result<bool, Fault> {
        let (ValueBuffer::String(values) | ValueBuffer::Json(values)) = to else {
            unreachable!("only STRING and JSON columns hold text");
        };
        let start = values.last_end();
        write(&mut values.text)?;
        if self.data_type == DataType::String {
            self.length.cut_at_nul(&mut values.text, start)?;
        }
        self.length.apply_to_text(&mut values.text, start)?;
        values.end_value().map_err(full)?;
        Ok(true)
    }

    fn push_scalar(&mut self, to: &mut ValueBuffer, scalar: Scalar<'_>) -> Result<bool, Fault> {
        let pushed = match to {
            ValueBuffer::Int(values) => push(values, coerce::to_int(scalar)),
            ValueBuffer::Long(values) => push(values, coerce::to_long(scalar)),
            ValueBuffer::Float(values) => push(values, coerce::to_float(scalar)),
            ValueBuffer::Double(values) => push(values, coerce::to_double(scalar)),
            ValueBuffer::BigDecimal(values) => push(values, coerce::to_big_decimal(scalar)),
            ValueBuffer::Boolean(values) => push(values, Ok(Some(coerce::to_boolean(scalar)))),
            ValueBuffer::Timestamp(values) => push(values, coerce::to_timestamp(scalar, &mut self.last_day)),
            ValueBuffer::Bytes(values) => return self.push_bytes(values, scalar),
            ValueBuffer::String(_) | ValueBuffer::Json(_) => {
                return self.push_written(to, |out| {
                    coerce::write_text(scalar, out);
                    Ok(())
                });
            }
        };
        pushed.map_err(|reason| self.refused(reason, &text_of(scalar)))
    }

    fn push_bytes(&self, values: &mut ByteBuffer, scalar: Scalar<'_>) -> Result<bool, Fault> {
        let start = values.last_end();
        if !coerce::write_bytes(scalar, &mut values.bytes) {
            return Err(self.refused(RejectReason::TypeMismatch, &text_of(scalar)));
        }
        self.length.apply_to_bytes(&mut values.bytes, start)?;
        values.end_value().map_err(full)?;
        Ok(true)
    }

    #[cold]
    fn refused(&self, reason: RejectReason, value: &str) -> Fault {
        let (value, data_type) = (shorten(value), self.data_type);
        let list = if self.is_list { " list" } else { "" };
        let detail = match reason {
            RejectReason::OutOfRange => format!("`{value}` does not fit {data_type}{list}"),
            _ => format!("`{value}` cannot be stored as {data_type}{list}"),
        };
        Fault::new(reason, detail)
    }
}

fn push<T>(values: &mut Vec<T>, value: Coerced<T>) -> Result<bool, RejectReason> {
    let value = value?;
    let is_value = value.is_some();
    values.extend(value);
    Ok(is_value)
}

/// How many values other than null an array holds.
enum Only {
    None,
    One(usize),
    Several,
}

fn only_value(document: &mut Document<'_>, at: usize, length: usize) -> Only {
    let mut only = Only::None;
    let mut element = at + 1;
    for _ in 0..length {
        if document.item(element) != Item::Null {
            match only {
                Only::None => only = Only::One(element),
                Only::One(_) | Only::Several => return Only::Several,
            }
        }
        element = document.after(element);
    }
    only
}

fn text_of(scalar: Scalar<'_>) -> String {
    let mut text = String::new();
    coerce::write_text(scalar, &mut text);
    text
}

#[cold]
fn full(_: Full) -> Fault {
    Fault::new(RejectReason::TooLarge, "the open batch holds more than 2 GiB in this column")
}
