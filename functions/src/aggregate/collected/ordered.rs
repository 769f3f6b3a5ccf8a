//! `LISTAGG(column, 'separator') WITHIN GROUP (ORDER BY key, …)`: the values in an order of their own.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::error::Result;

use crate::aggregate::call::Call;
use crate::aggregate::cell::{Cell, CellColumn, check_cell};
use crate::aggregate::columns::texts;
use crate::aggregate::computation::{Computation, Groups, States, array};
use crate::aggregate::serial::{Reader, Write};

/// Most keys of an order.
const KEYS_MAX: usize = 16;

/// One key of the order.
struct Key {
    of: DataType,
    descending: bool,
    nulls_first: bool,
}

/// Texts that are put in order before they are joined.
struct Ordered {
    keys: Vec<Key>,
    distinct: bool,
    separator: String,
}

/// A text with the values of its keys.
type Entry = (Vec<Option<Cell>>, Box<str>);

/// Reads the separator, whether the values are distinct, and for each key a word on its direction, as `DESC NULLS FIRST`.
pub(super) fn start(call: &Call) -> Result<Box<dyn States>> {
    let (separator, distinct) = (call.text(1)?.to_owned(), call.truth(2, false)?);
    let mut keys = Vec::new();
    for position in (3..call.len()).step_by(2) {
        if position + 1 >= call.len() || keys.len() == KEYS_MAX {
            return call.refuse(&format!("an order has up to {KEYS_MAX} keys with a direction each"));
        }
        let written = call.text(position + 1)?;
        keys.push(Key {
            of: check_cell(&call.types[position])?,
            descending: written.starts_with("DESC"),
            nulls_first: written.ends_with("FIRST"),
        });
    }
    Ok(Groups::boxed(Ordered { keys, distinct, separator }))
}

impl Ordered {
    fn compare(&self, (first, text): &Entry, (second, other): &Entry) -> Ordering {
        for ((key, first), second) in self.keys.iter().zip(first).zip(second) {
            let order = match (first, second) {
                (None, None) => Ordering::Equal,
                (None, Some(_)) if key.nulls_first => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) if key.nulls_first => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (Some(first), Some(second)) if key.descending => second.cmp(first),
                (Some(first), Some(second)) => first.cmp(second),
            };
            if order != Ordering::Equal {
                return order;
            }
        }
        // Rows that tie come in the same order in every run.
        text.cmp(other)
    }

    fn joined(&self, entries: &mut [Entry]) -> Option<String> {
        if entries.is_empty() {
            return None;
        }
        entries.sort_by(|first, second| self.compare(first, second));
        let mut seen = hashbrown::HashSet::with_hasher(foldhash::fast::FixedState::default());
        let texts = entries.iter().map(|(_, text)| &**text);
        let texts: Vec<&str> = texts.filter(|text| !self.distinct || seen.insert(*text)).collect();
        Some(texts.join(&self.separator))
    }
}

impl Computation for Ordered {
    type State = (Vec<Entry>, usize);
    type Columns = (StringArray, Vec<(ArrayRef, CellColumn)>);

    fn start(&self) -> Self::State {
        (Vec::new(), 0)
    }

    fn columns(&self, arguments: &[ArrayRef]) -> Result<Self::Columns> {
        let mut keys = Vec::with_capacity(self.keys.len());
        for (place, key) in self.keys.iter().enumerate() {
            let values = &arguments[3 + 2 * place];
            keys.push((ArrayRef::clone(values), CellColumn::new(values, &key.of)?));
        }
        Ok((texts(&arguments[0])?, keys))
    }

    fn add(&mut self, (entries, bytes): &mut Self::State, columns: &Self::Columns, row: usize) -> Result<()> {
        let (values, keys) = columns;
        let is_null = |values: &ArrayRef| *values.data_type() == DataType::Null || values.is_null(row);
        let keys: Vec<Option<Cell>> =
            keys.iter().map(|(values, cells)| (!is_null(values)).then(|| cells.at(row))).collect();
        *bytes += held(&keys, values.value(row));
        entries.push((keys, values.value(row).into()));
        Ok(())
    }

    fn write(&mut self, (entries, _): &mut Self::State, out: &mut Vec<u8>) {
        for (keys, text) in &*entries {
            for key in keys {
                out.put_u8(u8::from(key.is_some()));
                if let Some(key) = key {
                    key.write(out);
                }
            }
            out.put_bytes(text.as_bytes());
        }
    }

    fn merge(&mut self, (entries, bytes): &mut Self::State, written: &[u8]) -> Result<()> {
        let mut reader = Reader(written);
        while !reader.is_at_end() {
            let mut keys = Vec::with_capacity(self.keys.len());
            for _ in &self.keys {
                keys.push(match reader.u8()? {
                    0 => None,
                    _ => Some(Cell::read(&mut reader)?),
                });
            }
            let text = String::from_utf8_lossy(reader.bytes()?).into_owned();
            *bytes += held(&keys, &text);
            entries.push((keys, text.into()));
        }
        Ok(())
    }

    fn finish(&mut self, states: &mut [Self::State]) -> Result<ArrayRef> {
        Ok(array::<StringArray, _>(states.iter_mut().map(|(entries, _)| self.joined(entries))))
    }

    fn heap_bytes(&self, (entries, bytes): &Self::State) -> usize {
        entries.capacity() * size_of::<Entry>() + bytes
    }
}

fn held(keys: &[Option<Cell>], text: &str) -> usize {
    size_of_val(keys) + text.len() + keys.iter().flatten().map(Cell::heap_bytes).sum::<usize>()
}
