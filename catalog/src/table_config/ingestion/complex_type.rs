//! `complexTypeConfig`: how objects and lists in records become columns and rows.

use meunier_segment::json_reader::{Findings, JsonObject, scalar_text};
use meunier_segment::nearest::did_you_mean;

/// How objects and lists in records become columns and rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComplexTypeConfig {
    /// Lists of which each element becomes a row, sorted: a list comes before those in its elements.
    pub fields_to_unnest: Vec<String>,
    /// What stands between the names of an object and of what is in it.
    pub delimiter: String,
    /// Which other lists become JSON text.
    pub collections_to_json: CollectionsToJson,
    /// Beginnings of names, and what to write in their place.
    pub prefixes_to_rename: Vec<(String, String)>,
}

/// Which lists become JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CollectionsToJson {
    /// None.
    None,
    /// Those whose first element is a list or an object.
    NonPrimitive,
    /// All.
    All,
}

const MODES: [(&str, CollectionsToJson); 3] = [
    ("NONE", CollectionsToJson::None),
    ("NON_PRIMITIVE", CollectionsToJson::NonPrimitive),
    ("ALL", CollectionsToJson::All),
];

pub(super) fn read(config: &JsonObject<'_>, findings: &mut Findings) -> ComplexTypeConfig {
    let mut fields: Vec<String> =
        config.texts("fieldsToUnnest", findings).into_iter().map(|field| field.text).collect();
    fields.sort_unstable();
    fields.dedup();
    let delimiter = config.text("delimiter", findings).unwrap_or_else(|| ".".to_owned());
    ComplexTypeConfig {
        fields_to_unnest: fields,
        delimiter,
        collections_to_json: read_mode(config, findings),
        prefixes_to_rename: read_prefixes(config, findings),
    }
}

fn read_mode(config: &JsonObject<'_>, findings: &mut Findings) -> CollectionsToJson {
    const KEY: &str = "collectionNotUnnestedToJson";
    let Some(text) = config.text_or_empty(KEY, findings) else { return CollectionsToJson::NonPrimitive };
    let known = MODES.iter().find(|(name, _)| *name == text).map(|(_, mode)| *mode);
    known.unwrap_or_else(|| {
        let names = MODES.map(|(name, _)| name);
        let hint = did_you_mean(&text, names);
        findings.problem(
            config.place(KEY),
            format!("`{text}` is unknown: write one of {}{hint}", names.join(", ")),
        );
        CollectionsToJson::NonPrimitive
    })
}

fn read_prefixes(config: &JsonObject<'_>, findings: &mut Findings) -> Vec<(String, String)> {
    let Some(prefixes) = config.object("prefixesToRename", findings) else { return Vec::new() };
    let mut renamed = Vec::new();
    for (prefix, value) in prefixes.entries() {
        let problem = match scalar_text(value) {
            _ if prefix.is_empty() => Some("an empty prefix is every field's: name one"),
            None => Some("write the text that takes the prefix's place"),
            Some(replacement) => {
                renamed.push((prefix.to_owned(), replacement));
                None
            }
        };
        if let Some(message) = problem {
            findings.problem(prefixes.place(prefix), message);
        }
    }
    renamed
}
