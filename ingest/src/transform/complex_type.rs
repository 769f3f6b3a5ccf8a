//! Objects in a record become fields of it, and lists of objects become rows, as `complexTypeConfig` asks.

use meunier_catalog::table_config::{CollectionsToJson, ComplexTypeConfig};

use super::fields::{FieldValue, Fields};

/// What the rows of one record may take together: a list of many elements repeats all other fields for each.
const UNNESTED_BYTES_MAX: usize = 64 << 20;

/// Flattens and unnests the records of one table.
#[derive(Debug)]
pub(super) struct ComplexTypes {
    config: ComplexTypeConfig,
}

impl ComplexTypes {
    pub(super) fn new(config: ComplexTypeConfig) -> ComplexTypes {
        ComplexTypes { config }
    }

    /// Returns the rows of a record, at least one.
    ///
    /// # Errors
    /// When two fields would have one name, or the rows together would be too large.
    pub(super) fn rows(&self, mut record: Fields) -> Result<Vec<Fields>, String> {
        let names = record.names();
        self.flatten(&mut record, names);
        let mut rows = vec![record];
        // Sorted, so that a list comes before the lists in its elements.
        for column in &self.config.fields_to_unnest {
            let mut unnested = Vec::with_capacity(rows.len());
            let mut bytes = 0;
            for row in rows {
                self.unnest(row, column, &mut unnested, &mut bytes)?;
            }
            rows = unnested;
        }
        rows.iter_mut().try_for_each(|row| self.rename(row))?;
        Ok(rows)
    }

    /// Puts the entries of objects in their place.
    fn flatten(&self, record: &mut Fields, names: Vec<String>) {
        for name in names {
            match record.get_mut(&name) {
                Some(FieldValue::Map(_)) => {
                    let Some(FieldValue::Map(map)) = record.remove(&name) else { continue };
                    let mut nested = Vec::new();
                    for (key, value) in map {
                        let flat = self.joined(&name, &key);
                        if matches!(value, FieldValue::Map(_) | FieldValue::List(_)) {
                            nested.push(flat.clone());
                        }
                        record.set(flat, value);
                    }
                    self.flatten(record, nested);
                }
                Some(list @ FieldValue::List(_)) => self.flatten_list(list, &name),
                Some(_) | None => {}
            }
        }
    }

    /// Flattens the objects of a list that will be unnested; any other list becomes JSON where that is asked for.
    fn flatten_list(&self, list: &mut FieldValue, path: &str) {
        let FieldValue::List(values) = &mut *list else { return };
        if self.config.fields_to_unnest.iter().any(|field| field == path) {
            for value in values {
                if let FieldValue::Map(map) = value {
                    let names = map.names();
                    self.flatten_element(path, map, names);
                }
            }
        } else if self.becomes_json(values) {
            *list = FieldValue::Text(list.to_json());
        }
    }

    /// Flattens an object in a list: its fields are named within the object, and are known by the list's path before that.
    fn flatten_element(&self, path: &str, element: &mut Fields, names: Vec<String>) {
        for name in names {
            match element.get_mut(&name) {
                Some(FieldValue::Map(_)) => {
                    let Some(FieldValue::Map(map)) = element.remove(&name) else { continue };
                    let mut nested = Vec::new();
                    for (key, value) in map {
                        let flat = self.joined(&name, &key);
                        if matches!(value, FieldValue::Map(_) | FieldValue::List(_)) {
                            nested.push(flat.clone());
                        }
                        element.set(flat, value);
                    }
                    self.flatten_element(path, element, nested);
                }
                Some(list @ FieldValue::List(_)) => self.flatten_list(list, &self.joined(path, &name)),
                Some(_) | None => {}
            }
        }
    }

    /// Looks at the first element only, as Pinot does.
    fn becomes_json(&self, values: &[FieldValue]) -> bool {
        match self.config.collections_to_json {
            CollectionsToJson::None => false,
            CollectionsToJson::All => true,
            CollectionsToJson::NonPrimitive => {
                matches!(values.first(), Some(FieldValue::Map(_) | FieldValue::List(_)))
            }
        }
    }

    /// Makes a row of each element of a list. A row without the list, or with an empty one, stays.
    fn unnest(
        &self,
        mut row: Fields,
        column: &str,
        rows: &mut Vec<Fields>,
        bytes: &mut usize,
    ) -> Result<(), String> {
        let elements = match row.remove(column) {
            Some(FieldValue::List(elements)) => elements,
            other => {
                other.into_iter().for_each(|value| row.set(column, value));
                rows.push(row);
                return Ok(());
            }
        };
        *bytes += row.bytes().saturating_mul(elements.len());
        if *bytes > UNNESTED_BYTES_MAX {
            return Err(format!(
                "`{column}` has {} elements: the rows would take more than {UNNESTED_BYTES_MAX} bytes",
                elements.len()
            ));
        }
        if elements.is_empty() {
            rows.push(row);
            return Ok(());
        }
        for element in elements {
            let mut copy = row.clone();
            match element {
                FieldValue::Map(map) => {
                    map.into_iter().for_each(|(key, value)| copy.set(self.joined(column, &key), value));
                }
                value => copy.set(column, value),
            }
            rows.push(copy);
        }
        Ok(())
    }

    fn rename(&self, row: &mut Fields) -> Result<(), String> {
        for (prefix, replacement) in &self.config.prefixes_to_rename {
            for name in row.names() {
                let Some(rest) = name.strip_prefix(prefix.as_str()) else { continue };
                let Some(value) = row.remove(&name) else { continue };
                let renamed = format!("{replacement}{rest}");
                if renamed.is_empty() || row.value(&renamed).is_some() {
                    return Err(format!("`{name}` cannot become `{renamed}`: there is such a field"));
                }
                row.set(renamed, value);
            }
        }
        Ok(())
    }

    fn joined(&self, path: &str, name: &str) -> String {
        format!("{path}{}{name}", self.config.delimiter)
    }
}
