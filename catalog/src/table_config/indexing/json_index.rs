//! The settings of a JSON index: what of each document it takes.

use std::collections::BTreeSet;

use meunier_segment::json_flat::{FlattenOptions, IndexPaths};
use meunier_segment::json_reader::{Findings, JsonObject};
use meunier_segment::schema::ColumnName;

use super::declaration::IndexDeclaration;

/// A JSON index on one column.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonIndex {
    /// The column.
    pub column: ColumnName,
    /// What it takes of each document.
    pub options: FlattenOptions,
}

pub(super) fn read(declaration: &IndexDeclaration, findings: &mut Findings) -> FlattenOptions {
    let settings = JsonObject::new(&declaration.settings, &declaration.settings_path);
    let mut most = |key| {
        let number = settings.integer(key, i64::from(i32::MIN), i64::from(i32::MAX), findings);
        // What is not above zero is no limit.
        number.and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
    };
    let (levels_max, value_length_max) = (most("maxLevels"), most("maxValueLength"));
    let mut flag = |key| settings.boolean(key, findings).unwrap_or(false);
    let (exclude_array, disable_cross_array_unnest) = (flag("excludeArray"), flag("disableCrossArrayUnnest"));
    // A document that is no JSON is always kept.
    flag("skipInvalidJson");
    let mut texts = |key| -> Option<BTreeSet<String>> {
        settings.get(key)?;
        Some(settings.texts(key, findings).into_iter().map(|item| item.text).collect())
    };
    let (include_paths, exclude_paths) = (texts("includePaths"), texts("excludePaths"));
    let (exclude_fields, index_paths) = (texts("excludeFields"), texts("indexPaths"));
    if include_paths.as_ref().is_some_and(BTreeSet::is_empty) {
        findings.problem(settings.place("includePaths"), "no path is included: name one, or remove the key");
    }
    if include_paths.is_some() && exclude_paths.is_some() {
        let message = "paths are either included or excluded: remove this or `includePaths`";
        findings.problem(settings.place("excludePaths"), message);
    }
    FlattenOptions {
        levels_max,
        exclude_array,
        disable_cross_array_unnest,
        include_paths,
        exclude_paths: exclude_paths.unwrap_or_default(),
        exclude_fields: exclude_fields.unwrap_or_default(),
        index_paths: IndexPaths::new(index_paths.unwrap_or_default()),
        value_length_max,
    }
}
