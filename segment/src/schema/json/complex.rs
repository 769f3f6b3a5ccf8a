//! `complexFieldSpecs`: columns whose values have parts. A value is stored as its JSON text; what a MAP's values are read
//! as is known from its child specs.

use super::ReadField;
use super::default_null::usual_default;
use super::field::{LENGTH_MAX, SpecKind, read_name};
use crate::json_reader::{Findings, JsonObject};
use crate::nearest::did_you_mean;
use crate::schema::{ComplexType, DataType, Field, FieldRole, LengthExceeded, MapValues};
use crate::value::Value;

/// The list of complex field specs.
pub(super) const LIST_KEY: &str = "complexFieldSpecs";

pub(super) fn read_all(document: &JsonObject<'_>, findings: &mut Findings) -> Vec<ReadField> {
    document.objects(LIST_KEY, findings).iter().filter_map(|spec| read(spec, findings)).collect()
}

fn read(spec: &JsonObject<'_>, findings: &mut Findings) -> Option<ReadField> {
    let name = read_name(spec, findings);
    let not_null = spec.boolean("notNull", findings).unwrap_or(false);
    let complex = read_type(spec, findings)?;
    // Pinot's empty value of the type.
    let empty = match complex {
        ComplexType::Map(_) | ComplexType::Struct => "{}",
        ComplexType::List => "[]",
    };
    let field = Field {
        name: name?.into(),
        data_type: DataType::Json,
        role: FieldRole::Complex(complex),
        single_value: true,
        not_null,
        default_null_value: Value::String(empty.into()),
        length_max: LENGTH_MAX,
        length_exceeded: LengthExceeded::Keep,
    };
    let mut json: serde_json::Map<_, _> =
        spec.entries().map(|(key, value)| (key.to_owned(), value.clone())).collect();
    json.insert("fieldType".to_owned(), "COMPLEX".into());
    Some(ReadField { field, json, place: spec.path().to_string() })
}

fn read_type(spec: &JsonObject<'_>, findings: &mut Findings) -> Option<ComplexType> {
    let text = spec.required_text("dataType", "one of MAP, LIST, STRUCT", findings)?;
    match text.as_str() {
        "MAP" => read_map_values(spec, findings).map(ComplexType::Map),
        "LIST" => Some(ComplexType::List),
        "STRUCT" => Some(ComplexType::Struct),
        _ => {
            let hint = did_you_mean(&text, ["MAP", "LIST", "STRUCT"]);
            let message = format!("`{text}` is no complex type: write one of MAP, LIST, STRUCT{hint}");
            findings.problem(spec.place("dataType"), message);
            None
        }
    }
}

/// Reads the child specs `key` and `value` of a MAP.
fn read_map_values(spec: &JsonObject<'_>, findings: &mut Findings) -> Option<MapValues> {
    let Some(children) = spec.object("childFieldSpecs", findings) else {
        let place = spec.place("childFieldSpecs");
        findings.problem(place, "is missing: a MAP has the child specs `key` and `value`");
        return None;
    };
    let child = |name: &str, findings: &mut Findings| {
        let child = children.object(name, findings);
        if child.is_none() {
            findings.problem(children.place(name), "is missing: a MAP has the child specs `key` and `value`");
        }
        child
    };
    let (key, value) = (child("key", findings), child("value", findings));
    let (key, value) = (key?, value?);
    let key_type = key.required_text("dataType", "STRING", findings)?;
    if key_type != "STRING" {
        findings.problem(key.place("dataType"), format!("the keys of a MAP are STRING, not `{key_type}`"));
    }
    let data_type = super::field::read_data_type(&value, findings)?;
    let kind = match value.text("fieldType", findings).as_deref() {
        Some("METRIC") => SpecKind::Metric,
        _ => SpecKind::Dimension,
    };
    Some(MapValues { data_type, default_null_value: usual_default(kind, data_type) })
}
