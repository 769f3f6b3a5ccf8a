//! Whole documents: objects and arrays out of texts.

use super::node::{Node, Parts, compact, document, is_document, parts, quoted};
use crate::description::FunctionGroup::Json as Group;
use crate::scalar::call::Fault;
use crate::scalar::function::Function;
use crate::scalar::rows::{Nullable, Text, Texts, fault, row1, row3};
use crate::scalar::sink::Json;

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            Group,
            &["isJson"],
            "isJson(text)",
            "Whether the text is a JSON document.",
            [row1::<Text, _>(is_document)],
        ),
        Function::new(
            Group,
            &["jsonFormat"],
            "jsonFormat(value)",
            "The value as JSON: a document without blanks, any other text in quotes, an array as an array.",
            [
                row1::<Text, _>(|text| Json(nested(text).unwrap_or_else(|| quoted(text)))),
                row1::<Texts, _>(|texts| {
                    let texts: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
                    Json(format!("[{}]", texts.join(",")))
                }),
            ],
        ),
        Function::new(
            Group,
            &["toJsonMapStr"],
            "toJsonMapStr(map)",
            "A map as JSON.",
            [row1::<Text, _>(|text| match nested(text) {
                Some(json) => Ok(json),
                None => fault("the text is no map"),
            })],
        ),
        Function::new(
            Group,
            &["jsonStringToArray"],
            "jsonStringToArray(text)",
            "The array that the text is; null for anything else.",
            [row1::<Text, _>(|text| nested(text).filter(|json| json.starts_with('[')).map(Json))],
        ),
        Function::new(
            Group,
            &["jsonStringToMap"],
            "jsonStringToMap(text)",
            "The object that the text is; null for anything else.",
            [row1::<Text, _>(|text| nested(text).filter(|json| json.starts_with('{')).map(Json))],
        ),
        Function::new(
            Group,
            &["jsonStringToListOrMap", "jsonExtractObject"],
            "jsonStringToListOrMap(text)",
            "The array or object that the text is; null for anything else.",
            [row1::<Nullable<Text>, _>(|text| text.and_then(nested).map(Json))],
        ),
        Function::new(
            Group,
            &["jsonKeyValueArrayToMap"],
            "jsonKeyValueArrayToMap(array[, keyName, valueName])",
            "One object of an array of objects that have a `key` and a `value`.",
            [
                row1::<Text, _>(|array| key_values(array, "key", "value")),
                row3::<Text, Text, Text, _>(key_values),
            ],
        ),
    ]
}

/// Returns an object or an array without blanks.
fn nested(text: &str) -> Option<String> {
    let json = document(text)?;
    json.starts_with(['{', '[']).then(|| compact(json).into_owned())
}

fn key_values(array: &str, key_name: &str, value_name: &str) -> Result<Json, Fault> {
    let Some(Parts::Array(elements)) = document(array).map(parts) else {
        return fault("the text is no array of objects");
    };
    let mut entries: Vec<(String, String)> = Vec::with_capacity(elements.len());
    let mut places = std::collections::HashMap::new();
    for element in elements {
        let Parts::Object(fields) = parts(element) else { return fault("an element is no object") };
        let field = |wanted: &str| {
            let found = fields.iter().find(|(name, _)| name == wanted);
            found.map(|(_, raw)| Node::of(raw).text().into_owned())
        };
        let (Some(key), Some(value)) = (field(key_name), field(value_name)) else {
            return fault(format!("an element has not both `{key_name}` and `{value_name}`"));
        };
        match places.get(&key) {
            Some(place) => entries[*place] = (key, value),
            None => {
                places.insert(key.clone(), entries.len());
                entries.push((key, value));
            }
        }
    }
    let written: Vec<_> =
        entries.iter().map(|(key, value)| format!("{}:{}", quoted(key), quoted(value))).collect();
    Ok(Json(format!("{{{}}}", written.join(","))))
}
