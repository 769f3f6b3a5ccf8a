//! What users send to define a table, read and checked: a schema, a table config, or both in one.

use std::sync::Arc;

use meunier_catalog::table_config::{ParsedTableConfig, StreamConfig, TableConfig, TableType};
use meunier_ingest::check_expressions;
use meunier_segment::json_reader::{self, JsonProblem, kind};
use meunier_segment::schema::Schema;
use serde_json::{Map, Value, json};

use crate::error::{ApiError, problems_json};

/// Pinot's suffix for a table that is filled from a stream.
const REALTIME_SUFFIX: &str = "_REALTIME";

/// How clients that know of databases write the one that is always there.
const DATABASE_PREFIX: &str = "default.";

/// A schema that was sent.
#[derive(Debug, Clone)]
pub struct SentSchema {
    /// Checked.
    pub schema: Arc<Schema>,
    /// As written.
    pub json: Arc<Value>,
    /// What was noticed.
    pub notes: Notes,
}

/// A table config that was sent.
#[derive(Debug, Clone)]
pub struct SentTable {
    /// Checked.
    pub config: Arc<TableConfig>,
    /// Its stream.
    pub stream: StreamConfig,
    /// As written.
    pub json: Arc<Value>,
    /// What was noticed.
    pub notes: Notes,
}

/// What was noticed in documents that were accepted: part of every answer to a create or an update.
#[derive(Debug, Clone, Default)]
pub struct Notes {
    /// Keys that mean nothing, by their place.
    pub unrecognized: Map<String, Value>,
    /// What works, but likely not as meant.
    pub warnings: Vec<JsonProblem>,
    /// What is kept and given back and has no effect yet, although rows or answers differ without it.
    pub changes_answers: Vec<JsonProblem>,
    /// What is kept and given back and has no effect yet; rows and answers are the same without it.
    pub not_supported: Vec<JsonProblem>,
}

impl Notes {
    /// Returns the notes with all places below `prefix`.
    pub fn below(self, prefix: &str) -> Notes {
        let below =
            |problem: JsonProblem| JsonProblem { path: format!("{prefix}{}", problem.path), ..problem };
        Notes {
            unrecognized: self
                .unrecognized
                .into_iter()
                .map(|(path, value)| (format!("{prefix}{path}"), value))
                .collect(),
            warnings: self.warnings.into_iter().map(below).collect(),
            changes_answers: self.changes_answers.into_iter().map(below).collect(),
            not_supported: self.not_supported.into_iter().map(below).collect(),
        }
    }

    /// Returns both notes in one.
    pub fn and(mut self, other: Notes) -> Notes {
        self.unrecognized.extend(other.unrecognized);
        self.warnings.extend(other.warnings);
        self.changes_answers.extend(other.changes_answers);
        self.not_supported.extend(other.not_supported);
        self
    }

    /// Adds a warning about the whole.
    pub fn warn(&mut self, message: impl Into<String>) {
        self.warnings.push(JsonProblem { path: String::new(), message: message.into() });
    }

    /// Writes the notes into an answer: Pinot's field, and three of ours.
    pub fn write_into(&self, answer: &mut Value) {
        answer["unrecognizedProperties"] = Value::Object(self.unrecognized.clone());
        answer["changesAnswers"] = problems_json(&self.changes_answers);
        answer["warnings"] = problems_json(&self.warnings);
        answer["notSupported"] = problems_json(&self.not_supported);
    }

    /// Returns the answer to an accepted change.
    pub fn to_answer(&self, status: &str) -> Value {
        let mut answer = json!({"status": status});
        self.write_into(&mut answer);
        answer
    }
}

/// Reads a schema from the text of a request.
///
/// # Errors
/// 400 with every problem.
pub fn parse_schema(text: &str) -> Result<SentSchema, ApiError> {
    let json = parse_object("schema", text)?;
    read_schema(&json)
}

/// Reads a schema.
///
/// # Errors
/// 400 with every problem.
pub fn read_schema(json: &Value) -> Result<SentSchema, ApiError> {
    let parsed = Schema::parse(&json.to_string())
        .map_err(|problems| ApiError::invalid_document("schema", problems))?;
    let notes = Notes { unrecognized: parsed.unrecognized, warnings: parsed.warnings, ..Notes::default() };
    Ok(SentSchema { schema: Arc::new(parsed.schema), json: Arc::new(json.clone()), notes })
}

/// Reads a table config and checks it against the schema.
///
/// # Errors
/// 400 with every problem.
pub fn read_table(json: &Value, schema: &Schema) -> Result<SentTable, ApiError> {
    let parsed = TableConfig::parse(&json.to_string(), Some(schema))
        .map_err(|problems| ApiError::invalid_document("table config", problems))?;
    let problems = check_expressions(&parsed.config, schema, crate::expressions::compiler().as_ref());
    if !problems.is_empty() {
        return Err(ApiError::invalid_document("table config", problems));
    }
    sent_table(json, parsed)
}

fn sent_table(json: &Value, parsed: ParsedTableConfig) -> Result<SentTable, ApiError> {
    let stream = match (parsed.config.table_type, &parsed.config.stream) {
        (TableType::Realtime, Some(stream)) => stream.clone(),
        (TableType::Realtime | TableType::Offline, _) => {
            let message = "only tables that are filled from a stream are supported: write `\"tableType\": \"REALTIME\"` and a stream config";
            return Err(ApiError::bad_request(message));
        }
    };
    let notes = Notes {
        unrecognized: parsed.unrecognized,
        warnings: parsed.warnings,
        changes_answers: parsed.changes_answers,
        not_supported: parsed.not_supported,
    };
    Ok(SentTable { config: Arc::new(parsed.config), stream, json: Arc::new(json.clone()), notes })
}

/// Schema and table config of one table, as `/tableConfigs` takes them.
#[derive(Debug, Clone)]
pub struct SentPair {
    /// The schema.
    pub schema: SentSchema,
    /// The table config.
    pub table: SentTable,
}

impl SentPair {
    /// Returns what was noticed in both, with places in the whole document.
    pub fn notes(&self) -> Notes {
        self.schema.notes.clone().below("/schema").and(self.table.notes.clone().below("/realtime"))
    }
}

/// Reads `{tableName, schema, realtime}`.
///
/// # Errors
/// 400 with every problem of both parts.
pub fn parse_pair(text: &str) -> Result<SentPair, ApiError> {
    let document = parse_object("table configs", text)?;
    let schema_json = part(&document, "schema")?;
    let table_json = part(&document, "realtime").map_err(|error| match document.get("offline") {
        Some(offline) if !offline.is_null() => ApiError::bad_request(
            "`offline` tables are not supported: a table is filled from a stream, write it as `realtime`",
        ),
        Some(_) | None => error,
    })?;
    let pair = read_pair(schema_json, table_json)?;
    let name = document.get("tableName").and_then(Value::as_str);
    match name {
        Some(name) if raw_table_name(name) != pair.table.config.table_name => {
            Err(ApiError::bad_request(format!(
                "`tableName` is `{name}`, but `realtime.tableName` is `{}`: write one name",
                pair.table.config.table_name
            )))
        }
        Some(_) | None => Ok(pair),
    }
}

/// Reads a schema and a table config, and checks that they belong together. Reports the problems of both at once.
///
/// # Errors
/// 400 with every problem.
pub fn read_pair(schema_json: &Value, table_json: &Value) -> Result<SentPair, ApiError> {
    let problems_below = |prefix: &str, problems: Vec<JsonProblem>| -> Vec<JsonProblem> {
        problems.into_iter().map(|p| JsonProblem { path: format!("{prefix}{}", p.path), ..p }).collect()
    };
    let schema = Schema::parse(&schema_json.to_string());
    let checked = schema.as_ref().ok().map(|parsed| &parsed.schema);
    let table = TableConfig::parse(&table_json.to_string(), checked);
    if let (Ok(parsed_schema), Ok(parsed)) = (&schema, &table) {
        let compiler = crate::expressions::compiler();
        let problems = check_expressions(&parsed.config, &parsed_schema.schema, compiler.as_ref());
        if !problems.is_empty() {
            return Err(ApiError::invalid_document("table configs", problems_below("/realtime", problems)));
        }
        let schema = read_schema(schema_json)?;
        let table = read_table(table_json, &schema.schema)?;
        return Ok(SentPair { schema, table });
    }
    let mut problems = schema.err().map(|problems| problems_below("/schema", problems)).unwrap_or_default();
    problems.extend(table.err().map(|problems| problems_below("/realtime", problems)).unwrap_or_default());
    Err(ApiError::invalid_document("table configs", problems))
}

fn part<'a>(document: &'a Value, key: &str) -> Result<&'a Value, ApiError> {
    match document.get(key) {
        Some(part) if part.is_object() => Ok(part),
        Some(other) if !other.is_null() => {
            Err(ApiError::bad_request(format!("`{key}` is {}: write an object", kind(other))))
        }
        Some(_) | None => Err(ApiError::bad_request(format!(
            "`{key}` is missing: send {{\"tableName\": …, \"schema\": {{…}}, \"realtime\": {{…}}}}"
        ))),
    }
}

/// Parses a document whose top is an object.
///
/// # Errors
/// 400 with line and column.
pub fn parse_object(what: &str, text: &str) -> Result<Value, ApiError> {
    json_reader::parse_object(text)
        .map(Value::Object)
        .map_err(|problem| ApiError::invalid_document(what, vec![problem]))
}

/// Returns a table's name without Pinot's suffix, and without the name of the only database there is.
pub fn raw_table_name(name: &str) -> &str {
    let name = without_database(name);
    name.strip_suffix(REALTIME_SUFFIX).filter(|raw| !raw.is_empty()).unwrap_or(name)
}

/// Returns the name of a table or schema without that of the only database there is.
pub fn without_database(name: &str) -> &str {
    name.strip_prefix(DATABASE_PREFIX).filter(|raw| !raw.is_empty()).unwrap_or(name)
}

/// Returns a table's name with Pinot's suffix.
pub fn typed_table_name(name: &str) -> String {
    format!("{name}{REALTIME_SUFFIX}")
}
