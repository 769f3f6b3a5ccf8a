//! One field spec: its type, its role and what Pinot allows for both, its default null value, and how it is given back.

use serde_json::{Map, Value as Json};

use super::ReadField;
use super::default_null::read_default;
use crate::json_reader::{Findings, JsonObject, scalar_text};
use crate::nearest::did_you_mean;
use crate::schema::name::check_column_name;
use crate::schema::{DataType, Field, FieldRole, LengthExceeded, TimeFormat, check_granularity};

/// Longest value where a field spec does not say.
pub(super) const LENGTH_MAX: u32 = 512;

/// The granularity of a date-time column that does not say; Pinot only validates it.
const GRANULARITY: &str = "1:MILLISECONDS";

/// Keys that are kept and given back as written.
const KEPT_KEYS: [&str; 7] =
    ["transformFunction", "virtualColumnProvider", "description", "tags", "fieldId", "aliases", "metadata"];

/// Which list a field spec stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SpecKind {
    Dimension,
    Metric,
    DateTime,
}

impl SpecKind {
    pub(super) const ALL: [SpecKind; 3] = [SpecKind::Dimension, SpecKind::Metric, SpecKind::DateTime];

    pub(super) fn list_key(self) -> &'static str {
        match self {
            SpecKind::Dimension => "dimensionFieldSpecs",
            SpecKind::Metric => "metricFieldSpecs",
            SpecKind::DateTime => "dateTimeFieldSpecs",
        }
    }

    fn field_type(self) -> &'static str {
        match self {
            SpecKind::Dimension => "DIMENSION",
            SpecKind::Metric => "METRIC",
            SpecKind::DateTime => "DATE_TIME",
        }
    }
}

/// Reads one field spec; `None` when its name or type cannot be used. Every fault goes to `findings`.
pub(super) fn read(spec: &JsonObject<'_>, kind: SpecKind, findings: &mut Findings) -> Option<ReadField> {
    let name = read_name(spec, findings);
    let data_type = read_data_type(spec, findings);
    check_field_type(spec, kind, findings);
    warn_of_kept_keys(spec, findings);
    let single_value = spec.boolean("singleValueField", findings).unwrap_or(true);
    let not_null = spec.boolean("notNull", findings).unwrap_or(false);
    let length_max = spec.integer("maxLength", 1, i64::from(i32::MAX), findings);
    let length_max = length_max.and_then(|length| u32::try_from(length).ok()).unwrap_or(LENGTH_MAX);
    let length_exceeded = read_length_exceeded(spec, findings);
    let allow_trailing_zeros = spec.boolean("allowTrailingZeros", findings).unwrap_or(false);
    let (name, data_type) = (name?, data_type?);
    check_type_and_role(spec, kind, data_type, single_value, findings);
    let default_null_value = read_default(spec, kind, data_type, findings);
    let role = read_role(spec, kind, data_type, findings)?;
    let field = Field {
        name: name.into(),
        data_type,
        role,
        single_value,
        not_null,
        default_null_value,
        length_max,
        length_exceeded: length_exceeded.unwrap_or_else(|| default_length_exceeded(data_type)),
    };
    let json = echo(spec, kind, &field, allow_trailing_zeros);
    Some(ReadField { field, json, place: spec.path().to_string() })
}

pub(super) fn read_name(spec: &JsonObject<'_>, findings: &mut Findings) -> Option<String> {
    let name = match spec.get("name") {
        Some(_) => spec.text("name", findings)?,
        None => String::new(),
    };
    if let Some(message) = check_column_name(&name) {
        findings.problem(spec.place("name"), message);
        return None;
    }
    if name.starts_with('$') {
        findings
            .warning(spec.place("name"), format!("`SELECT *` leaves out `{name}`, as it begins with `$`"));
    }
    Some(name)
}

pub(super) fn read_data_type(spec: &JsonObject<'_>, findings: &mut Findings) -> Option<DataType> {
    let text = spec.required_text("dataType", "one of INT, LONG, DOUBLE, STRING, TIMESTAMP, …", findings)?;
    let data_type = DataType::ALL.into_iter().find(|data_type| data_type.name() == text);
    if data_type.is_none() {
        findings.problem(spec.place("dataType"), unknown_type(&text));
    }
    data_type
}

fn unknown_type(text: &str) -> String {
    let names = DataType::ALL.map(DataType::name);
    if let Some(item) = text.strip_suffix("_ARRAY").filter(|item| names.contains(item)) {
        return format!(
            "`{text}` is a type of answers only: write `{item}` and `\"singleValueField\": false`"
        );
    }
    match text {
        "UUID" => "UUID is not supported yet: write STRING".to_string(),
        "MAP" | "LIST" | "STRUCT" | "OPEN_STRUCT" => {
            format!("a column of type {text} stands in `complexFieldSpecs`: move it there")
        }
        _ => {
            let hint = did_you_mean(text, names);
            format!("`{text}` is no data type: write one of {}{hint}", names.join(", "))
        }
    }
}

fn check_field_type(spec: &JsonObject<'_>, kind: SpecKind, findings: &mut Findings) {
    let Some(written) = spec.text("fieldType", findings) else { return };
    if written != kind.field_type() {
        let message = format!(
            "`{written}` has no effect, as the list decides: the column is a {}; move it to another list or remove the key",
            kind.field_type()
        );
        findings.warning(spec.place("fieldType"), message);
    }
}

fn warn_of_kept_keys(spec: &JsonObject<'_>, findings: &mut Findings) {
    if spec.get("transformFunction").is_some() {
        let message = "the old place: write it into the table's `ingestionConfig.transformConfigs`";
        findings.warning(spec.place("transformFunction"), message);
    }
    if spec.get("virtualColumnProvider").is_some() {
        findings
            .warning(spec.place("virtualColumnProvider"), "kept, but without effect: it names a Java class");
    }
}

const LENGTH_STRATEGIES: [(&str, LengthExceeded); 4] = [
    ("TRIM_LENGTH", LengthExceeded::Trim),
    ("ERROR", LengthExceeded::Reject),
    ("SUBSTITUTE_DEFAULT_VALUE", LengthExceeded::SubstituteDefault),
    ("NO_ACTION", LengthExceeded::Keep),
];

fn read_length_exceeded(spec: &JsonObject<'_>, findings: &mut Findings) -> Option<LengthExceeded> {
    let text = spec.text_or_empty("maxLengthExceedStrategy", findings)?;
    let found = LENGTH_STRATEGIES.iter().find(|(name, _)| *name == text).map(|(_, strategy)| *strategy);
    if found.is_none() {
        let names = LENGTH_STRATEGIES.map(|(name, _)| name);
        let hint = did_you_mean(&text, names);
        let message = format!("`{text}` is unknown: write one of {}{hint}", names.join(", "));
        findings.problem(spec.place("maxLengthExceedStrategy"), message);
    }
    found
}

fn default_length_exceeded(data_type: DataType) -> LengthExceeded {
    if data_type == DataType::String { LengthExceeded::Trim } else { LengthExceeded::Keep }
}

fn read_role(
    spec: &JsonObject<'_>,
    kind: SpecKind,
    data_type: DataType,
    findings: &mut Findings,
) -> Option<FieldRole> {
    match kind {
        SpecKind::Dimension => Some(FieldRole::Dimension),
        SpecKind::Metric => Some(FieldRole::Metric),
        SpecKind::DateTime => {
            let format = read_format(spec, data_type, findings);
            let granularity = read_granularity(spec, findings);
            Some(FieldRole::DateTime { format: format?, granularity: granularity? })
        }
    }
}

fn read_format(spec: &JsonObject<'_>, data_type: DataType, findings: &mut Findings) -> Option<TimeFormat> {
    let is_timestamp = data_type == DataType::Timestamp;
    if is_timestamp && spec.get("format").is_none() {
        return Some(TimeFormat::Timestamp);
    }
    let text = spec.required_text("format", "for example \"1:MILLISECONDS:EPOCH\"", findings)?;
    match TimeFormat::parse(&text) {
        Ok(format) => Some(if is_timestamp { TimeFormat::Timestamp } else { format }),
        Err(error) => {
            findings.problem(spec.place("format"), error.to_string());
            None
        }
    }
}

fn read_granularity(spec: &JsonObject<'_>, findings: &mut Findings) -> Option<String> {
    if spec.get("granularity").is_none() {
        findings
            .warning(spec.place("granularity"), format!("`granularity` is missing: {GRANULARITY} is taken"));
        return Some(GRANULARITY.to_string());
    }
    let text = spec.required_text("granularity", "for example \"1:MILLISECONDS\"", findings)?;
    if let Some(message) = check_granularity(&text) {
        findings.problem(spec.place("granularity"), message);
        return None;
    }
    Some(text)
}

fn check_type_and_role(
    spec: &JsonObject<'_>,
    kind: SpecKind,
    data_type: DataType,
    single_value: bool,
    findings: &mut Findings,
) {
    let types = match kind {
        SpecKind::Dimension => None,
        SpecKind::Metric => metric_type_fault(data_type),
        SpecKind::DateTime => date_time_type_fault(data_type),
    };
    if let Some(fault) = types {
        findings.problem(spec.place("dataType"), fault);
    }
    let multi_value_fault = match kind {
        SpecKind::Metric => Some("a metric holds one value a row: move the column to `dimensionFieldSpecs`"),
        SpecKind::DateTime => {
            Some("a date-time column holds one value a row: move it to `dimensionFieldSpecs`")
        }
        SpecKind::Dimension if data_type == DataType::Json => {
            Some("a JSON column holds one value a row: remove the key, the value may be a JSON list")
        }
        SpecKind::Dimension => None,
    };
    if let Some(fault) = multi_value_fault.filter(|_| !single_value) {
        findings.problem(spec.place("singleValueField"), fault);
    }
    if data_type == DataType::String && kind == SpecKind::Metric {
        findings.warning(spec.path(), "a STRING metric cannot be summed: move it to `dimensionFieldSpecs`");
    }
    let has_length = matches!(data_type, DataType::String | DataType::Json | DataType::Bytes);
    if !has_length && spec.get("maxLength").is_some() {
        findings.warning(spec.place("maxLength"), format!("has no effect on {data_type}: remove it"));
    }
}

fn metric_type_fault(data_type: DataType) -> Option<String> {
    match data_type {
        DataType::Boolean | DataType::Timestamp | DataType::Json => {
            Some(format!("a metric cannot be {data_type}: move the column to `dimensionFieldSpecs`"))
        }
        DataType::Int
        | DataType::Long
        | DataType::Float
        | DataType::Double
        | DataType::BigDecimal
        | DataType::String
        | DataType::Bytes => None,
    }
}

fn date_time_type_fault(data_type: DataType) -> Option<String> {
    match data_type {
        DataType::Boolean | DataType::Json | DataType::Bytes => {
            Some(format!("a date-time column cannot be {data_type}: write LONG, INT, STRING or TIMESTAMP"))
        }
        DataType::Int
        | DataType::Long
        | DataType::Float
        | DataType::Double
        | DataType::BigDecimal
        | DataType::Timestamp
        | DataType::String => None,
    }
}

/// What the old time column and date-time specs share.
pub(super) fn date_time_field(
    spec: &JsonObject<'_>,
    name: String,
    data_type: DataType,
    role: FieldRole,
    findings: &mut Findings,
) -> Field {
    Field {
        name: name.into(),
        data_type,
        role,
        single_value: true,
        not_null: spec.boolean("notNull", findings).unwrap_or(false),
        default_null_value: read_default(spec, SpecKind::DateTime, data_type, findings),
        length_max: LENGTH_MAX,
        length_exceeded: default_length_exceeded(data_type),
    }
}

fn echo(
    spec: &JsonObject<'_>,
    kind: SpecKind,
    field: &Field,
    allow_trailing_zeros: bool,
) -> Map<String, Json> {
    let mut json = Map::new();
    let mut put = |key: &str, value: Json| json.insert(key.to_string(), value);
    put("name", (*field.name).into());
    put("dataType", field.data_type.name().into());
    put("fieldType", kind.field_type().into());
    if !field.single_value {
        put("singleValueField", false.into());
    }
    if field.not_null {
        put("notNull", true.into());
    }
    // Pinot leaves out a default that is the usual one; who wrote it down will look for it.
    if spec.get("defaultNullValue").is_some() {
        put("defaultNullValue", field.default_null_value.to_json());
    }
    if field.length_max != LENGTH_MAX {
        put("maxLength", field.length_max.into());
    }
    if field.length_exceeded != default_length_exceeded(field.data_type)
        && let Some((name, _)) =
            LENGTH_STRATEGIES.iter().find(|(_, strategy)| *strategy == field.length_exceeded)
    {
        put("maxLengthExceedStrategy", (*name).into());
    }
    if allow_trailing_zeros {
        put("allowTrailingZeros", true.into());
    }
    for key in KEPT_KEYS {
        if let Some(value) = spec.get(key) {
            put(key, value.clone());
        }
    }
    if let FieldRole::DateTime { format, granularity } = &field.role {
        put("format", spec.get("format").and_then(scalar_text).unwrap_or_else(|| format.to_string()).into());
        put("granularity", granularity.as_str().into());
        if let Some(value) = spec.get("sampleValue") {
            put("sampleValue", value.clone());
        }
    }
    json
}
