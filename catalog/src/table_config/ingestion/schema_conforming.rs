//! `schemaConformingTransformerConfig`: records of many shapes, of which fields without a column are kept as JSON.

use std::collections::{BTreeMap, BTreeSet};

use meunier_segment::json_reader::{Findings, JsonObject, scalar_text};
use meunier_segment::schema::{DataType, Schema};

use super::super::columns::check_column;

/// Both names of the config; the second is of an older version.
const KEYS: [&str; 2] = ["schemaConformingTransformerConfig", "schemaConformingTransformerV2Config"];

/// Longest document of the merged text that Lucene takes, and the default.
const DOCUMENT_LENGTH_MAX: i64 = 32_766;

/// What becomes of the fields of a record that have no column of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaConforming {
    /// The column that keeps fields without a column, as JSON; none where they are dropped.
    pub indexable_extras: Option<String>,
    /// The column that keeps fields that must not be indexed.
    pub unindexable_extras: Option<String>,
    /// Ends the names of fields that must not be indexed.
    pub unindexable_suffix: String,
    /// Paths that are left out with all below them.
    pub paths_to_drop: BTreeSet<String>,
    /// Paths that are kept as they come, and not looked into.
    pub paths_to_preserve: BTreeSet<String>,
    /// The same, and what is below them is in the merged text.
    pub paths_to_preserve_with_index: BTreeSet<String>,
    /// Paths that are in the merged text only.
    pub paths_to_skip_storage: BTreeSet<String>,
    /// Columns that are filled from a path of another name, by that path.
    pub columns_by_path: BTreeMap<String, String>,
    /// Whether a dot in a field's name counts as a step of its path.
    pub splits_names_at_dots: bool,
    /// Columns that are kept with the extras too, by their paths.
    pub paths_to_store_twice: BTreeSet<String>,
    /// How the merged text is made, where its column exists.
    pub merged_text: Option<MergedText>,
}

/// One text, or a list of texts, of all values with their paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedText {
    /// Its column.
    pub column: String,
    /// Whether the column holds a list.
    pub is_list: bool,
    /// Whether values with capitals are there once more without them.
    pub adds_lower_case: bool,
    /// Whether the value comes before the path.
    pub value_first: bool,
    /// What stands between value and path.
    pub separator: String,
    /// What stands before each.
    pub begin: String,
    /// What stands after each.
    pub end: String,
    /// Most characters of one.
    pub length_max: usize,
    /// Values of so many characters that look like Base64 are left out.
    pub binary_length_min: usize,
    /// Paths that are left out.
    pub paths_to_exclude: BTreeSet<String>,
    /// Beginnings of paths that are left out.
    pub prefixes_to_exclude: BTreeSet<String>,
}

pub(super) fn read(
    config: &JsonObject<'_>,
    schema: Option<&Schema>,
    findings: &mut Findings,
) -> Option<SchemaConforming> {
    let config = KEYS.iter().find_map(|key| config.object(key, findings))?;
    let conforming = SchemaConforming {
        indexable_extras: extras(
            &config,
            ["enableIndexableExtras", "indexableExtrasField"],
            "json_data",
            schema,
            findings,
        ),
        unindexable_extras: extras(
            &config,
            ["enableUnindexableExtras", "unindexableExtrasField"],
            "json_data_no_idx",
            schema,
            findings,
        ),
        unindexable_suffix: config
            .text("unindexableFieldSuffix", findings)
            .unwrap_or_else(|| "_noindex".into()),
        paths_to_drop: paths(&config, "fieldPathsToDrop", findings),
        paths_to_preserve: paths(&config, "fieldPathsToKeepSameAsInput", findings),
        paths_to_preserve_with_index: paths(&config, "fieldPathsToKeepSameAsInputWithIndex", findings),
        paths_to_skip_storage: match config.get("fieldPathsToSkipStorage") {
            Some(_) => paths(&config, "fieldPathsToSkipStorage", findings),
            None => BTreeSet::from(["message".to_owned()]),
        },
        columns_by_path: columns_by_path(&config, schema, findings),
        splits_names_at_dots: config.boolean("useAnonymousDotInFieldNames", findings).unwrap_or(true),
        paths_to_store_twice: paths(&config, "fieldsToDoubleIngest", findings),
        merged_text: merged_text(&config, schema, findings),
    };
    if let Some(schema) = schema {
        check_names(&config, &conforming, schema, findings);
    }
    Some(conforming)
}

fn paths(config: &JsonObject<'_>, key: &str, findings: &mut Findings) -> BTreeSet<String> {
    config.texts(key, findings).into_iter().map(|path| path.text).collect()
}

/// Reads the column of the extras, which must be there to hold them unless they are switched off.
fn extras(
    config: &JsonObject<'_>,
    [switch, key]: [&str; 2],
    default: &str,
    schema: Option<&Schema>,
    findings: &mut Findings,
) -> Option<String> {
    let enabled = config.boolean(switch, findings).unwrap_or(true);
    let column = config.text_or_empty(key, findings).unwrap_or_else(|| default.to_owned());
    if !enabled {
        return None;
    }
    if let Some(schema) = schema {
        let place = config.place(key);
        match schema.field(&column) {
            Some((_, field)) if matches!(field.data_type, DataType::Json | DataType::String) => {}
            Some((_, field)) => findings.problem(
                place,
                format!("`{column}` is {} and must hold documents: make it JSON or STRING", field.data_type),
            ),
            None => findings.problem(
                place,
                format!(
                    "the schema has no column `{column}`: add it as JSON, or write `\"{switch}\": false`"
                ),
            ),
        }
    }
    Some(column)
}

fn columns_by_path(
    config: &JsonObject<'_>,
    schema: Option<&Schema>,
    findings: &mut Findings,
) -> BTreeMap<String, String> {
    let mut columns = BTreeMap::new();
    let Some(map) = config.object("columnNameToJsonKeyPathMap", findings) else { return columns };
    for (column, path) in map.entries() {
        check_column(column, &map.place(column), schema, findings);
        match scalar_text(path).filter(|path| !path.trim().is_empty()) {
            Some(path) => {
                columns.insert(path, column.to_owned());
            }
            None => findings.problem(map.place(column), "write the path of a field, such as \"outer.inner\""),
        }
    }
    columns
}

/// As in Pinot the merged text is made where its column exists, which by default is `__mergedTextIndex`.
fn merged_text(
    config: &JsonObject<'_>,
    schema: Option<&Schema>,
    findings: &mut Findings,
) -> Option<MergedText> {
    let text = |key: &str, default: &str, findings: &mut Findings| {
        config.text(key, findings).unwrap_or_else(|| default.to_owned())
    };
    let length = |key: &str, default: i64, findings: &mut Findings| {
        let length = config.integer(key, 0, DOCUMENT_LENGTH_MAX, findings).unwrap_or(default);
        usize::try_from(length).unwrap_or(usize::MAX)
    };
    // The second name is of an older version.
    let binary_keys =
        ["mergedTextIndexBinaryDocumentDetectionMinLength", "mergedTextIndexBinaryTokenDetectionMinLength"];
    let binary_key = binary_keys.into_iter().find(|key| config.get(key).is_some()).unwrap_or(binary_keys[0]);
    let column = text("mergedTextIndexField", "__mergedTextIndex", findings);
    let merged = MergedText {
        is_list: schema
            .and_then(|schema| schema.field(&column))
            .is_some_and(|(_, field)| !field.single_value),
        adds_lower_case: config.boolean("optimizeCaseInsensitiveSearch", findings).unwrap_or(false),
        value_first: config.boolean("reverseTextIndexKeyValueOrder", findings).unwrap_or(true),
        separator: text("jsonKeyValueSeparator", ":", findings),
        begin: text("mergedTextIndexBeginOfDocAnchor", "", findings),
        end: text("mergedTextIndexEndOfDocAnchor", "", findings),
        length_max: length("mergedTextIndexDocumentMaxLength", DOCUMENT_LENGTH_MAX, findings),
        binary_length_min: length(binary_key, 512, findings),
        paths_to_exclude: paths(config, "mergedTextIndexPathToExclude", findings),
        prefixes_to_exclude: paths(config, "mergedTextIndexPrefixToExclude", findings),
        column,
    };
    let has_column = schema.is_some_and(|schema| schema.field(&merged.column).is_some());
    has_column.then_some(merged)
}

/// Columns that the config's own rules would never fill are mistakes.
fn check_names(
    config: &JsonObject<'_>,
    conforming: &SchemaConforming,
    schema: &Schema,
    findings: &mut Findings,
) {
    for field in schema.fields() {
        let name = &*field.name;
        let suffix = &conforming.unindexable_suffix;
        if !suffix.is_empty() && name.ends_with(suffix.as_str()) {
            let message =
                format!("the column `{name}` ends so, and would never be filled: choose another suffix");
            findings.problem(config.place("unindexableFieldSuffix"), message);
        }
        if conforming.paths_to_drop.contains(name) {
            let message =
                format!("`{name}` is a column: remove it from the paths to drop, or from the schema");
            findings.problem(config.place("fieldPathsToDrop"), message);
        }
    }
    let mapped = conforming.columns_by_path.keys().map(String::as_str);
    for path in mapped.chain(schema.fields().iter().map(|field| &*field.name)) {
        if path.split('.').any(str::is_empty) {
            let message = format!("the path `{path}` has an empty step, which no field's name is");
            findings.problem(config.place("columnNameToJsonKeyPathMap"), message);
        }
    }
    for path in &conforming.paths_to_preserve {
        if !conforming.columns_by_path.contains_key(path) && schema.field(path).is_none() {
            let message =
                format!("`{path}` is neither a column nor mapped to one by `columnNameToJsonKeyPathMap`");
            findings.problem(config.place("fieldPathsToKeepSameAsInput"), message);
        }
    }
}
