//! One mention of an index in a table config, and all the places where it may stand.

use std::collections::BTreeMap;

use meunier_segment::json_reader::{Findings, JsonObject};
use meunier_segment::nearest::did_you_mean;
use meunier_segment::schema::ColumnName;
use serde_json::{Map, Value};

/// The kinds of indexes that a config can ask for on one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IndexKind {
    /// Rows ordered by the column.
    Sorted,
    /// Rows of each value.
    Inverted,
    /// Rows of ranges of values.
    Range,
    /// Which values a segment cannot hold.
    Bloom,
    /// Values stored as they are, without a dictionary.
    NoDictionary,
    /// Paths and values inside JSON text.
    Json,
    /// Words of a text.
    Text,
    /// Words of several columns together.
    MultiColumnText,
    /// Values by prefix and pattern, FST and IFST.
    Fst,
    /// Hexagons on the globe.
    H3,
    /// Nearest vectors.
    Vector,
    /// The column cut to coarser times.
    Timestamp,
    /// Keys of a struct.
    OpenStruct,
}

/// One mention of an index.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct IndexDeclaration {
    pub(super) path: String,
    /// False where the config says that the column shall not have the index.
    pub(super) wanted: bool,
    pub(super) column: String,
    pub(super) kind: IndexKind,
    pub(super) settings: Map<String, Value>,
    pub(super) settings_path: String,
}

/// Keys of `tableIndexConfig` that list columns.
const COLUMN_LISTS: [(&str, IndexKind); 6] = [
    ("sortedColumn", IndexKind::Sorted),
    ("invertedIndexColumns", IndexKind::Inverted),
    ("rangeIndexColumns", IndexKind::Range),
    ("bloomFilterColumns", IndexKind::Bloom),
    ("jsonIndexColumns", IndexKind::Json),
    ("noDictionaryColumns", IndexKind::NoDictionary),
];

/// Keys of `tableIndexConfig` that map columns to settings.
const COLUMN_MAPS: [(&str, IndexKind); 3] = [
    ("bloomFilterConfigs", IndexKind::Bloom),
    ("jsonIndexConfigs", IndexKind::Json),
    ("noDictionaryConfig", IndexKind::NoDictionary),
];

/// Names in `indexType` and `indexTypes`.
const INDEX_TYPES: [(&str, IndexKind); 13] = [
    ("INVERTED", IndexKind::Inverted),
    ("SORTED", IndexKind::Sorted),
    ("TEXT", IndexKind::Text),
    ("FST", IndexKind::Fst),
    ("IFST", IndexKind::Fst),
    ("JSON", IndexKind::Json),
    ("TIMESTAMP", IndexKind::Timestamp),
    ("VECTOR", IndexKind::Vector),
    ("RANGE", IndexKind::Range),
    ("H3", IndexKind::H3),
    ("BLOOM", IndexKind::Bloom),
    ("BLOOM_FILTER", IndexKind::Bloom),
    ("OPEN_STRUCT", IndexKind::OpenStruct),
];

/// Keys of `indexes` that ask for an index; `forward`, `dictionary` and `null` are read apart or always there.
const INDEX_KEYS: [(&str, IndexKind); 10] = [
    ("inverted", IndexKind::Inverted),
    ("range", IndexKind::Range),
    ("bloom", IndexKind::Bloom),
    ("json", IndexKind::Json),
    ("text", IndexKind::Text),
    ("fst", IndexKind::Fst),
    ("ifst", IndexKind::Fst),
    ("h3", IndexKind::H3),
    ("vector", IndexKind::Vector),
    ("open_struct", IndexKind::OpenStruct),
];

const CODECS: [&str; 12] = [
    "PASS_THROUGH",
    "SNAPPY",
    "ZSTANDARD",
    "LZ4",
    "GZIP",
    "MV_ENTRY_DICT",
    "CLP",
    "CLPV2",
    "CLPV2_ZSTD",
    "CLPV2_LZ4",
    "DELTA",
    "DELTADELTA",
];

/// Returns the indexes that `tableIndexConfig` mentions.
pub(super) fn in_table_index_config(
    config: &JsonObject<'_>,
    findings: &mut Findings,
) -> Vec<IndexDeclaration> {
    let mut declarations = Vec::new();
    for (key, kind) in COLUMN_LISTS {
        for item in config.texts(key, findings) {
            declarations.push(declare(item.path, item.text, kind, None));
        }
    }
    for (key, kind) in COLUMN_MAPS {
        let Some(map) = config.object(key, findings) else { continue };
        for (column, settings) in map.entries() {
            declarations.push(declare(map.place(column), column.to_string(), kind, settings.as_object()));
        }
    }
    if let Some(text) = config.object("multiColumnTextIndexConfig", findings) {
        let shared = text.get("properties").and_then(Value::as_object);
        let of_columns = text.get("perColumnProperties");
        for item in text.texts("columns", findings) {
            let mut settings = shared.cloned().unwrap_or_default();
            let own = of_columns.and_then(|columns| columns.get(&item.text)).and_then(Value::as_object);
            settings.extend(own.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
            declarations.push(declare(item.path, item.text, IndexKind::MultiColumnText, Some(&settings)));
        }
    }
    declarations
}

/// Returns the indexes that one entry of `fieldConfigList` mentions, and notes its compression codec.
pub(super) fn in_field_config(
    config: &JsonObject<'_>,
    compression: &mut BTreeMap<ColumnName, String>,
    findings: &mut Findings,
) -> Vec<IndexDeclaration> {
    let Some(column) = config.required_text("name", "the column's name", findings) else { return Vec::new() };
    let mut declarations = Vec::new();
    let mut declare_here = |path, kind, wanted, settings| {
        let mut declaration = IndexDeclaration { wanted, ..declare(path, column.clone(), kind, settings) };
        match kind {
            IndexKind::Timestamp => declaration.settings_path = config.place("timestampConfig"),
            // Settings of `indexes` stand where they are written.
            IndexKind::Text if !declaration.path.contains("/indexes/") => {
                declaration.settings_path = config.place("properties");
            }
            _ => {}
        }
        declarations.push(declaration);
    };
    if let Some(encoding) = read_encoding(config, findings) {
        declare_here(config.place("encodingType"), IndexKind::NoDictionary, encoding == Encoding::Raw, None);
    }
    for (path, kind) in index_types(config, findings) {
        let settings = match kind {
            IndexKind::Timestamp => config.get("timestampConfig"),
            IndexKind::Text => config.get("properties"),
            _ => None,
        };
        declare_here(path, kind, true, settings.and_then(Value::as_object));
    }
    if let Some(indexes) = config.object("indexes", findings) {
        for (key, kind) in INDEX_KEYS {
            let Some(index) = indexes.object(key, findings) else { continue };
            let settings = indexes.get(key).and_then(Value::as_object);
            declare_here(indexes.place(key), kind, is_enabled(&index, findings), settings);
        }
        if let Some(dictionary) = indexes.object("dictionary", findings)
            && !is_enabled(&dictionary, findings)
        {
            declare_here(dictionary.path().to_string(), IndexKind::NoDictionary, true, None);
        }
        if let Some(forward) = indexes.object("forward", findings)
            && let Some(encoding) = read_encoding(&forward, findings)
        {
            let path = forward.place("encodingType");
            declare_here(path, IndexKind::NoDictionary, encoding == Encoding::Raw, None);
        }
    }
    if let Some(codec) = read_codec(config, findings) {
        compression.insert(column.into(), codec);
    }
    declarations
}

fn declare(
    path: String,
    column: String,
    kind: IndexKind,
    settings: Option<&Map<String, Value>>,
) -> IndexDeclaration {
    let settings_path = path.clone();
    let settings = settings.cloned().unwrap_or_default();
    IndexDeclaration { path, wanted: true, column, kind, settings, settings_path }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Raw,
    Dictionary,
}

fn read_encoding(config: &JsonObject<'_>, findings: &mut Findings) -> Option<Encoding> {
    let encoding = config.text_or_empty("encodingType", findings)?;
    match encoding.to_ascii_uppercase().as_str() {
        "RAW" => Some(Encoding::Raw),
        "DICTIONARY" => Some(Encoding::Dictionary),
        _ => {
            let message = format!("`{encoding}` is no encoding: write RAW or DICTIONARY");
            findings.problem(config.place("encodingType"), message);
            None
        }
    }
}

/// Returns the kinds in `indexTypes` and the older `indexType`, and TIMESTAMP where only its settings are written.
fn index_types(config: &JsonObject<'_>, findings: &mut Findings) -> Vec<(String, IndexKind)> {
    let mut written: Vec<(String, String)> =
        config.texts("indexTypes", findings).into_iter().map(|item| (item.path, item.text)).collect();
    if let Some(text) = config.text_or_empty("indexType", findings) {
        written.push((config.place("indexType"), text));
    }
    let mut kinds: Vec<(String, IndexKind)> = Vec::new();
    for (path, text) in written {
        let name = text.to_ascii_uppercase();
        let known = INDEX_TYPES.iter().find(|(known, _)| *known == name);
        match known {
            Some((_, kind)) if kinds.iter().all(|(_, other)| other != kind) => kinds.push((path, *kind)),
            Some(_) => {}
            None if name == "NONE" => {}
            None => {
                let names = INDEX_TYPES.map(|(name, _)| name);
                let hint = did_you_mean(&text, names);
                findings
                    .problem(path, format!("`{text}` is no index: write one of {}{hint}", names.join(", ")));
            }
        }
    }
    if let Some(timestamp) = config.object("timestampConfig", findings)
        && kinds.iter().all(|(_, kind)| *kind != IndexKind::Timestamp)
    {
        kinds.push((timestamp.path().to_string(), IndexKind::Timestamp));
    }
    kinds
}

/// An index that is written is wanted, unless it says `"disabled": true` or `"enabled": false`.
fn is_enabled(index: &JsonObject<'_>, findings: &mut Findings) -> bool {
    let disabled = index.boolean("disabled", findings).unwrap_or(false);
    let enabled = index.boolean("enabled", findings).unwrap_or(true);
    enabled && !disabled
}

fn read_codec(config: &JsonObject<'_>, findings: &mut Findings) -> Option<String> {
    let codec = config.text_or_empty("compressionCodec", findings)?;
    if !CODECS.contains(&codec.to_ascii_uppercase().as_str()) {
        let hint = did_you_mean(&codec, CODECS);
        let message = format!("`{codec}` is no codec: write one of {}{hint}", CODECS.join(", "));
        findings.problem(config.place("compressionCodec"), message);
        return None;
    }
    Some(codec)
}
