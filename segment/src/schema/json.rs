//! Pinot's schema JSON: reads it into a checked [`Schema`], and says everything that is wrong with it at once.
//!
//! A schema is its three lists of field specs, read by [`field`]; the old `timeFieldSpec` becomes one more date-time
//! column ([`legacy_time`]). What is read here is also what [`Schema::to_json`] gives back, as Pinot would.

mod complex;
mod default_null;
mod field;
mod keys;
mod legacy_time;

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::name::check_table_name;
use super::{ColumnName, Field, Schema};
use crate::json_reader::{self, Findings, JsonObject, JsonProblem};
use crate::nearest::did_you_mean;
use field::SpecKind;

/// One thing that is wrong, and what to write instead.
pub type SchemaProblem = JsonProblem;
/// One thing that was accepted, but likely not meant.
pub type SchemaWarning = JsonProblem;

/// A schema and what was noticed while reading it.
#[derive(Debug, Clone)]
pub struct ParsedSchema {
    /// The checked schema.
    pub schema: Schema,
    /// Keys that Pinot does not know: JSON pointer to value.
    pub unrecognized: Map<String, Value>,
    /// What works, but likely not as meant.
    pub warnings: Vec<SchemaWarning>,
}

/// A column as read: checked, as it is given back, and where it stands.
struct ReadField {
    field: Field,
    json: Map<String, Value>,
    place: String,
}

impl Schema {
    /// Reads Pinot's schema JSON.
    ///
    /// # Errors
    /// Every problem at once, each with its place.
    pub fn parse(text: &str) -> Result<ParsedSchema, Vec<SchemaProblem>> {
        let document = json_reader::parse_object(text).map_err(|problem| vec![problem])?;
        let mut findings = Findings { warnings: json_reader::duplicate_keys(text), ..Findings::default() };
        json_reader::find_unrecognized(&document, keys::KNOWN, &mut findings);
        let schema = read_schema(&JsonObject::new(&document, ""), &mut findings);
        match schema {
            Some(schema) if findings.problems.is_empty() => {
                Ok(ParsedSchema { schema, unrecognized: findings.unrecognized, warnings: findings.warnings })
            }
            Some(_) | None => Err(findings.into_refusal()),
        }
    }
}

fn read_schema(document: &JsonObject<'_>, findings: &mut Findings) -> Option<Schema> {
    let name = read_name(document, findings);
    let column_based_null_handling =
        document.boolean("enableColumnBasedNullHandling", findings).unwrap_or(false);
    let mut columns = Columns::default();
    let mut specs: Map<String, Value> = Map::new();
    for kind in SpecKind::ALL {
        let read = read_specs(document, kind, findings);
        let json: Vec<Value> = read.iter().map(|read| Value::Object(read.json.clone())).collect();
        if !json.is_empty() {
            specs.insert(kind.list_key().to_string(), json.into());
        }
        columns.add_all(read, findings);
    }
    let complex = complex::read_all(document, findings);
    if !complex.is_empty() {
        let json: Vec<Value> = complex.iter().map(|read| Value::Object(read.json.clone())).collect();
        specs.insert(complex::LIST_KEY.to_string(), json.into());
    }
    columns.add_all(complex, findings);
    if let Some(time) = legacy_time::read(document, findings) {
        specs.insert("timeFieldSpec".to_string(), time.json.clone().into());
        columns.add_all(vec![time], findings);
    }
    let primary_key_columns = read_primary_key(document, &columns.fields, findings);
    let lists = SpecKind::ALL.map(SpecKind::list_key).into_iter().chain([complex::LIST_KEY, "timeFieldSpec"]);
    if columns.fields.is_empty() && lists.into_iter().all(|key| document.get(key).is_none()) {
        findings.problem("/dimensionFieldSpecs", "the schema has no column: write at least one here");
    }
    let name = name?;
    let json = echo(document, &name, column_based_null_handling, specs, &primary_key_columns);
    Some(Schema { name, fields: columns.fields, primary_key_columns, column_based_null_handling, json })
}

fn read_name(document: &JsonObject<'_>, findings: &mut Findings) -> Option<String> {
    let name = document.required_text("schemaName", "the name of its table, such as \"orders\"", findings)?;
    if let Some(message) = check_table_name(&name) {
        findings.problem(document.place("schemaName"), message);
        return None;
    }
    Some(name)
}

fn read_specs(document: &JsonObject<'_>, kind: SpecKind, findings: &mut Findings) -> Vec<ReadField> {
    let specs = document.objects(kind.list_key(), findings);
    specs.iter().filter_map(|spec| field::read(spec, kind, findings)).collect()
}

/// The columns so far, with the places of their names.
#[derive(Default)]
struct Columns {
    fields: Vec<Field>,
    place_by_folded_name: HashMap<String, (ColumnName, String)>,
}

impl Columns {
    fn add_all(&mut self, read: Vec<ReadField>, findings: &mut Findings) {
        for ReadField { field, place, .. } in read {
            self.check_unique(&field, &place, findings);
            self.fields.push(field);
        }
    }

    fn check_unique(&mut self, field: &Field, place: &str, findings: &mut Findings) {
        let (name, folded) = (&field.name, field.name.to_lowercase());
        let Some((first, first_place)) = self.place_by_folded_name.get(&folded) else {
            self.place_by_folded_name.insert(folded, (name.clone(), place.to_string()));
            return;
        };
        if first == name {
            findings.problem(
                place,
                format!("the column `{name}` is already declared at {first_place}: remove one"),
            );
        } else {
            let message =
                format!("`{name}` differs from `{first}` at {first_place} only in case, which SQL ignores");
            findings.warning(place, message);
        }
    }
}

fn read_primary_key(document: &JsonObject<'_>, fields: &[Field], findings: &mut Findings) -> Vec<ColumnName> {
    let mut columns: Vec<ColumnName> = Vec::new();
    for item in document.texts("primaryKeyColumns", findings) {
        let Some(field) = fields.iter().find(|field| *field.name == *item.text) else {
            let hint = did_you_mean(&item.text, fields.iter().map(|field| &*field.name));
            findings.problem(item.path, format!("the schema has no column `{}`{hint}", item.text));
            continue;
        };
        if columns.contains(&field.name) {
            findings.problem(item.path, format!("`{}` is listed twice: remove one", item.text));
            continue;
        }
        if !field.single_value {
            let message =
                format!("`{}` is a multi-value column, which cannot be part of a primary key", item.text);
            findings.problem(item.path, message);
        }
        columns.push(field.name.clone());
    }
    columns
}

fn echo(
    document: &JsonObject<'_>,
    name: &str,
    column_based_null_handling: bool,
    specs: Map<String, Value>,
    primary_key_columns: &[ColumnName],
) -> Value {
    let mut json = Map::new();
    json.insert("schemaName".to_string(), name.into());
    json.insert("enableColumnBasedNullHandling".to_string(), column_based_null_handling.into());
    json.extend(specs);
    if !primary_key_columns.is_empty() {
        let names: Vec<Value> = primary_key_columns.iter().map(|name| (**name).into()).collect();
        json.insert("primaryKeyColumns".to_string(), names.into());
    }
    for key in ["description", "tags"] {
        if let Some(value) = document.get(key) {
            json.insert(key.to_string(), value.clone());
        }
    }
    Value::Object(json)
}
