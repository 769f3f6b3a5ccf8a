//! The old `timeFieldSpec`: one time column, told as an incoming granularity and maybe an outgoing one that Pinot
//! converted to while ingesting. It becomes a date-time column named as the outgoing one, and is given back as written.

use serde_json::{Map, Value};

use super::field::{date_time_field, read_data_type, read_name};
use super::{ReadField, keys};
use crate::json_reader::{Findings, JsonObject};
use crate::schema::{DataType, FieldRole, TimeFormat, TimeUnit};

/// One granularity spec, as far as it could be read.
#[derive(PartialEq)]
struct Granularity {
    name: String,
    data_type: DataType,
    format: TimeFormat,
    text: String,
}

pub(super) fn read(document: &JsonObject<'_>, findings: &mut Findings) -> Option<ReadField> {
    let spec = document.object("timeFieldSpec", findings)?;
    let Some(incoming_spec) = spec.object("incomingGranularitySpec", findings) else {
        findings.problem(
            spec.path(),
            "`incomingGranularitySpec` is missing: better write the column into `dateTimeFieldSpecs`",
        );
        return None;
    };
    let incoming = read_granularity(&incoming_spec, findings);
    let outgoing = match spec.object("outgoingGranularitySpec", findings) {
        Some(outgoing_spec) => Some(read_granularity(&outgoing_spec, findings)?),
        None => None,
    };
    let incoming = incoming?;
    warn(&spec, &incoming, outgoing.as_ref(), findings);
    let column = outgoing.unwrap_or(incoming);
    let role = FieldRole::DateTime { format: column.format, granularity: column.text };
    let field = date_time_field(&spec, column.name, column.data_type, role, findings);
    Some(ReadField { field, json: echo(&spec), place: spec.path().to_string() })
}

fn read_granularity(spec: &JsonObject<'_>, findings: &mut Findings) -> Option<Granularity> {
    let name = read_name(spec, findings);
    let data_type = read_data_type(spec, findings);
    let unit = spec.required_text("timeType", "a unit such as MILLISECONDS", findings)?;
    let size_key = if spec.get("timeUnitSize").is_some() { "timeUnitSize" } else { "timeunitSize" };
    let size = spec.integer(size_key, 1, i64::from(i32::MAX), findings).unwrap_or(1);
    let form = spec.text_or_empty("timeFormat", findings).unwrap_or_else(|| "EPOCH".to_string());
    let format = match TimeFormat::parse(&format!("{size}:{unit}:{form}")) {
        Ok(format) => format,
        Err(error) => {
            let key = if TimeUnit::parse(&unit).is_none() { "timeType" } else { "timeFormat" };
            findings.problem(spec.place(key), error.to_string());
            return None;
        }
    };
    let data_type = data_type?;
    let format = if data_type == DataType::Timestamp { TimeFormat::Timestamp } else { format };
    Some(Granularity { name: name?, data_type, format, text: format!("{size}:{unit}") })
}

fn warn(
    spec: &JsonObject<'_>,
    incoming: &Granularity,
    outgoing: Option<&Granularity>,
    findings: &mut Findings,
) {
    let column = outgoing.unwrap_or(incoming);
    let Granularity { name, data_type, format, text } = column;
    findings.warning(
        spec.path(),
        format!(
            "`timeFieldSpec` is the old way: write \"dateTimeFieldSpecs\": [{{\"name\": \"{name}\", \"dataType\": \
             \"{data_type}\", \"format\": \"{format}\", \"granularity\": \"{text}\"}}]"
        ),
    );
    if column != incoming {
        findings.warning(
            spec.place("outgoingGranularitySpec"),
            format!(
                "`{}` is not converted to `{name}`, which is read from the records under its own name: fill it with a \
                 transform in the table's `ingestionConfig.transformConfigs`",
                incoming.name
            ),
        );
    }
}

/// The spec as written, without unknown keys.
fn echo(spec: &JsonObject<'_>) -> Map<String, Value> {
    let mut json = Map::new();
    for (key, value) in spec.entries() {
        let known_part = match (key, value) {
            ("incomingGranularitySpec" | "outgoingGranularitySpec", Value::Object(granularity)) => {
                let known = granularity.iter().filter(|(key, _)| keys::GRANULARITY.contains(&key.as_str()));
                Some(Value::Object(known.map(|(key, value)| (key.clone(), value.clone())).collect()))
            }
            ("name" | "dataType" | "defaultNullValue" | "notNull", value) => Some(value.clone()),
            _ => None,
        };
        json.extend(known_part.map(|value| (key.to_string(), value)));
    }
    json
}
