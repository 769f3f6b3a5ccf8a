//! `enrichmentConfigs`: fields that are added to records before anything else reads them.

use meunier_segment::json_reader::{Findings, JsonObject, scalar_text};

use super::Transform;

/// Fields that are added to records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrichment {
    /// How.
    pub kind: EnricherKind,
    /// Whether that comes before objects and lists are taken apart.
    pub before_complex_types: bool,
}

/// How fields are added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnricherKind {
    /// Each is computed, also where the record has a value.
    GenerateColumn(Vec<Transform>),
    /// Log messages are taken apart by CLP, into fields of their own.
    EncodeLogs(Vec<String>),
    /// In a way that this version does not know, by its name.
    Unsupported(String),
}

pub(super) fn read(entry: &JsonObject<'_>, findings: &mut Findings) -> Option<Enrichment> {
    let kind = entry.required_text("enricherType", "\"generateColumn\" or \"clpEnricher\"", findings)?;
    let before_complex_types = entry.boolean("preComplexTypeTransform", findings).unwrap_or(false);
    if kind == "clpEnricher" {
        let properties = entry.object("properties", findings);
        let fields = properties.map(|properties| properties.texts("fields", findings)).unwrap_or_default();
        if fields.is_empty() {
            let message =
                "`fields` is missing: write the fields that hold log messages, such as [\"message\"]";
            findings.problem(entry.place("properties"), message);
        }
        let kind = EnricherKind::EncodeLogs(fields.into_iter().map(|field| field.text).collect());
        return Some(Enrichment { kind, before_complex_types });
    }
    if kind != "generateColumn" {
        return Some(Enrichment { kind: EnricherKind::Unsupported(kind), before_complex_types });
    }
    let functions = entry
        .object("properties", findings)
        .and_then(|properties| properties.object("fieldToFunctionMap", findings));
    let Some(functions) = functions else {
        let message = "`fieldToFunctionMap` is missing: write {\"column\": \"an expression\"}";
        findings.problem(entry.place("properties"), message);
        return None;
    };
    let mut columns = Vec::new();
    for (column, function) in functions.entries() {
        match scalar_text(function).filter(|function| !function.trim().is_empty()) {
            Some(function) => columns.push(Transform { column: column.to_owned(), function }),
            None => findings.problem(functions.place(column), "write an expression"),
        }
    }
    Some(Enrichment { kind: EnricherKind::GenerateColumn(columns), before_complex_types })
}
