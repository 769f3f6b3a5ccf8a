//! Fits records of many shapes into a table: fields with a column go there, all others into documents beside them, and all
//! values with their paths into one text that can be searched.

use std::collections::HashMap;

use meunier_catalog::table_config::{MergedText, SchemaConforming};
use meunier_segment::schema::{DataType, Schema};
use meunier_segment::value::{format_double, format_timestamp};

use super::fields::{FieldValue, Fields};
use super::metadata;

/// Ends the names of fields that CLP made of a log message, which is in the merged text itself.
const CLP_SUFFIXES: [&str; 3] = ["_logtype", "_dictionaryVars", "_encodedVars"];

/// Fits the records of one table into its schema.
#[derive(Debug)]
pub(super) struct Conformer {
    config: SchemaConforming,
    root: Node,
    /// Whether each column of extras holds text, and not a document.
    extras_as_text: [bool; 2],
}

/// A step of the paths that lead to columns.
#[derive(Debug, Default)]
struct Node {
    children: HashMap<String, Node>,
    column: Option<Column>,
}

#[derive(Debug)]
struct Column {
    name: String,
    /// Lists and objects become JSON text.
    takes_text: bool,
}

/// What a record becomes.
#[derive(Default)]
struct Output {
    row: Fields,
    extras: Fields,
    unindexable: Fields,
    merged: Fields,
}

impl Conformer {
    pub(super) fn new(config: SchemaConforming, schema: &Schema) -> Conformer {
        let mut root = Node::default();
        let path_of = |column: &str| config.columns_by_path.iter().find(|(_, known)| *known == column);
        for field in schema.fields() {
            let path = path_of(&field.name).map_or(&*field.name, |(path, _)| path.as_str());
            let node = path
                .split('.')
                .fold(&mut root, |node, step| node.children.entry(step.to_owned()).or_default());
            let takes_text = field.data_type == DataType::String && field.single_value;
            node.column = Some(Column { name: field.name.to_string(), takes_text });
        }
        let is_text = |column: &Option<String>| {
            let field = column.as_deref().and_then(|column| schema.field(column));
            field.is_some_and(|(_, field)| field.data_type == DataType::String)
        };
        let extras_as_text = [is_text(&config.indexable_extras), is_text(&config.unindexable_extras)];
        Conformer { config, root, extras_as_text }
    }

    /// Returns the columns of a record.
    pub(super) fn conform(&self, record: Fields) -> Fields {
        let mut output = Output::default();
        let mut path = Vec::new();
        for (name, value) in record {
            path.push(name);
            self.place(Some(&self.root), &mut path, value, true, &mut output);
            path.pop();
        }
        let Output { mut row, extras, unindexable, merged } = output;
        let documents =
            [(&self.config.indexable_extras, extras), (&self.config.unindexable_extras, unindexable)];
        for ((column, fields), as_text) in documents.into_iter().zip(self.extras_as_text) {
            if let Some(column) = column.as_deref().filter(|_| !fields.is_empty()) {
                let document = FieldValue::Map(fields);
                row.set(column, if as_text { FieldValue::Text(document.to_json()) } else { document });
            }
        }
        if let Some(config) = self.config.merged_text.as_ref().filter(|_| !merged.is_empty()) {
            let texts = merged_texts(config, &merged);
            row.set(
                config.column.as_str(),
                match config.is_list {
                    true => FieldValue::List(texts.into_iter().map(FieldValue::Text).collect()),
                    false => FieldValue::Text(texts.join(" ")),
                },
            );
        }
        row
    }

    /// Puts a field where it belongs. `parent` is the step above it, where a column's path leads so far.
    fn place(
        &self,
        parent: Option<&Node>,
        path: &mut Vec<String>,
        value: FieldValue,
        mut is_indexable: bool,
        output: &mut Output,
    ) {
        let config = &self.config;
        let name = path.last().map(String::as_str).unwrap_or_default();
        if metadata::is_metadata(name) {
            output.row.set(name, value);
            return;
        }
        let whole = path.join(".");
        if config.paths_to_drop.contains(&whole) {
            return;
        }
        let node = parent.and_then(|parent| parent.child(name, config.splits_names_at_dots));
        let column = node.and_then(|node| node.column.as_ref());
        let preserves_with_index = config.paths_to_preserve_with_index.contains(&whole);
        if preserves_with_index || config.paths_to_preserve.contains(&whole) {
            if preserves_with_index {
                self.merge_all(&whole, &value, &mut output.merged);
            }
            match column {
                Some(column) => output.row.set(column.name.as_str(), column.fitting(value)),
                None => output.row.set(whole, value),
            }
            return;
        }
        is_indexable &= config.unindexable_suffix.is_empty() || !name.ends_with(&config.unindexable_suffix);
        match value {
            FieldValue::Null => {}
            FieldValue::Map(fields) => {
                for (name, value) in fields {
                    path.push(name);
                    self.place(node, path, value, is_indexable, output);
                    path.pop();
                }
            }
            value if !is_indexable => put(&mut output.unindexable, path, value),
            value => match column {
                Some(column) => {
                    if config.paths_to_store_twice.contains(&whole) {
                        put(&mut output.extras, path, value.clone());
                    }
                    self.merge(&column.name, &value, &mut output.merged);
                    output.row.set(column.name.as_str(), column.fitting(value));
                }
                None if config.indexable_extras.is_some() => {
                    self.merge(&whole, &value, &mut output.merged);
                    if !config.paths_to_skip_storage.contains(&whole) {
                        put(&mut output.extras, path, value);
                    }
                }
                None => {}
            },
        }
    }

    /// Keeps all values below a path for the merged text.
    fn merge_all(&self, path: &str, value: &FieldValue, merged: &mut Fields) {
        let suffix = &self.config.unindexable_suffix;
        if !suffix.is_empty() && path.ends_with(suffix.as_str()) {
            return;
        }
        match value {
            FieldValue::Map(fields) => {
                for (name, value) in fields.iter() {
                    self.merge_all(&format!("{path}.{name}"), value, merged);
                }
            }
            value => self.merge(path, value, merged),
        }
    }

    fn merge(&self, path: &str, value: &FieldValue, merged: &mut Fields) {
        if self.config.merged_text.is_some() && *value != FieldValue::Null {
            merged.set(path, value.clone());
        }
    }
}

impl Node {
    /// Returns the next step. A name with dots counts as several where that is asked for.
    fn child(&self, name: &str, splits_at_dots: bool) -> Option<&Node> {
        if !splits_at_dots {
            return self.children.get(name);
        }
        name.split('.').try_fold(self, |node, step| node.children.get(step))
    }
}

impl Column {
    fn fitting(&self, value: FieldValue) -> FieldValue {
        match value {
            FieldValue::List(_) | FieldValue::Map(_) if self.takes_text => FieldValue::Text(value.to_json()),
            value => value,
        }
    }
}

/// Puts a value into a document, below the objects of its path. A name above it that has a value of another kind gives way,
/// as the last of two fields does everywhere.
fn put(document: &mut Fields, path: &[String], value: FieldValue) {
    match path {
        [] => {}
        [name] => document.set(name.as_str(), value),
        [name, below @ ..] => {
            if !matches!(document.get(name), Some(FieldValue::Map(_))) {
                document.set(name.as_str(), FieldValue::Map(Fields::default()));
            }
            if let Some(FieldValue::Map(inner)) = document.get_mut(name) {
                put(inner, below, value);
            }
        }
    }
}

/// Returns a text for each value, and for each element of a list.
fn merged_texts(config: &MergedText, merged: &Fields) -> Vec<String> {
    let mut texts = Vec::new();
    for (path, value) in merged.iter() {
        let is_excluded = config.paths_to_exclude.contains(path)
            || config.prefixes_to_exclude.iter().any(|prefix| path.starts_with(prefix.as_str()))
            || CLP_SUFFIXES.iter().any(|suffix| path.ends_with(suffix));
        if is_excluded {
            continue;
        }
        match value {
            FieldValue::List(elements) => {
                add_text(config, path, &value.to_json(), &mut texts);
                elements.iter().for_each(|element| add_text(config, path, &element.to_json(), &mut texts));
            }
            value => {
                let text = text_of(value);
                if !is_binary(&text, config.binary_length_min) {
                    add_text(config, path, &text, &mut texts);
                }
            }
        }
    }
    texts
}

fn add_text(config: &MergedText, path: &str, value: &str, texts: &mut Vec<String>) {
    let length = |text: &str| text.encode_utf16().count();
    let Some(room) = config.length_max.checked_sub(config.separator.len() + length(path)) else { return };
    let value = cut(value, room);
    let mut add = |value: &str| {
        let (first, second) = if config.value_first { (value, path) } else { (path, value) };
        texts.push(format!("{}{first}{}{second}{}", config.begin, config.separator, config.end));
    };
    add(value);
    if config.adds_lower_case && value.chars().any(char::is_uppercase) {
        add(&value.to_lowercase());
    }
}

/// Cuts a text to so many characters as Java counts them.
fn cut(text: &str, length: usize) -> &str {
    let mut left = length;
    for (at, letter) in text.char_indices() {
        match left.checked_sub(letter.len_utf16()) {
            Some(rest) => left = rest,
            None => return &text[..at],
        }
    }
    text
}

/// Returns a value as Java prints it.
fn text_of(value: &FieldValue) -> String {
    match value {
        FieldValue::Text(text) => text.clone(),
        FieldValue::Number(text) => text.parse().map_or_else(|_| text.clone(), format_double),
        FieldValue::Double(value) => format_double(*value),
        FieldValue::Timestamp(millis) => format_timestamp(*millis),
        FieldValue::Bytes(_) => value.to_json().trim_matches('"').to_owned(),
        FieldValue::Null
        | FieldValue::Boolean(_)
        | FieldValue::Integer(_)
        | FieldValue::List(_)
        | FieldValue::Map(_) => value.to_json(),
    }
}

/// Whether a long text looks like Base64, with points behind it or without.
fn is_binary(text: &str, length_min: usize) -> bool {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte);
    text.len() >= length_min && text.trim_end_matches('.').bytes().all(is_base64)
}

#[cfg(test)]
mod tests;
