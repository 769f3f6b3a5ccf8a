//! Which indexes a table asks for, gathered from all the places where Pinot lets them be written.
//!
//! Every mention becomes one [`declaration::IndexDeclaration`]; they are checked against the schema and then sorted into
//! an [`IndexingConfig`]. The order of the places is: lists of `tableIndexConfig`, then `fieldConfigList`.

mod declaration;
mod json_index;
mod partitions;
mod star_tree;
mod text_index;

use std::collections::BTreeMap;

use meunier_segment::index::BloomFilterSize;
use meunier_segment::json_reader::{Findings, JsonObject};
use meunier_segment::nearest::did_you_mean;
use meunier_segment::options::SegmentOptions;
use meunier_segment::schema::{ColumnName, DataType, Field, Schema};
use meunier_segment::text_search::TextOptions;

use super::columns::check_column;
use declaration::IndexDeclaration;
pub use declaration::IndexKind;
pub use json_index::JsonIndex;
pub use partitions::ColumnPartition;
pub use star_tree::{StarTree, StarTreeAggregation};
pub use text_index::TextIndex;

/// False positives of a bloom filter that does not say.
const FALSE_POSITIVE_RATE: f64 = 0.05;

/// How a table's columns are stored and indexed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IndexingConfig {
    /// Rows of a sealed segment are ordered by this column.
    pub sorted_column: Option<ColumnName>,
    /// Columns with an inverted index.
    pub inverted: Vec<ColumnName>,
    /// Columns with a range index.
    pub range: Vec<ColumnName>,
    /// Columns whose values are found by their beginnings: those with an FST or IFST index.
    pub prefix: Vec<ColumnName>,
    /// Bloom filters.
    pub bloom: Vec<BloomFilter>,
    /// Columns stored without a dictionary.
    pub no_dictionary: Vec<ColumnName>,
    /// JSON indexes.
    pub json: Vec<JsonIndex>,
    /// Text indexes, also those over several columns, one each.
    pub text: Vec<TextIndex>,
    /// Timestamp indexes.
    pub timestamp: Vec<TimestampIndex>,
    /// Star-trees.
    pub star_trees: Vec<StarTree>,
    /// Whether a star-tree over low-cardinality dimensions is made by itself.
    pub default_star_tree: bool,
    /// Columns that the topic is partitioned by.
    pub partitions: Vec<ColumnPartition>,
    /// Indexes of all other kinds.
    pub other: Vec<OtherIndex>,
    /// Whether rows of equal dimensions and time are rolled up while consuming.
    pub aggregate_metrics: bool,
    /// Compression codecs of raw columns, as written.
    pub compression: BTreeMap<ColumnName, String>,
    /// Where each index is written.
    pub(super) places: Vec<(IndexKind, String)>,
}

/// A bloom filter on one column.
#[derive(Debug, Clone, PartialEq)]
pub struct BloomFilter {
    /// The column.
    pub column: ColumnName,
    /// Share of absent values that the filter lets pass, between 0 and 1.
    pub false_positive_rate: f64,
    /// Largest size of one filter; `None` means any.
    pub bytes_max: Option<u64>,
}

impl BloomFilter {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share is between 0 and 1, and the cast saturates"
    )]
    fn size(&self) -> BloomFilterSize {
        BloomFilterSize {
            false_positives_per_million: (self.false_positive_rate * 1e6).round() as u32,
            bytes_max: self.bytes_max,
        }
    }
}

/// Columns of a TIMESTAMP column cut to coarser steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimestampIndex {
    /// The column.
    pub column: ColumnName,
    /// The steps, each one of [`TIMESTAMP_GRANULARITIES`].
    pub granularities: Vec<String>,
}

/// Steps that a timestamp index can have.
pub const TIMESTAMP_GRANULARITIES: [&str; 9] =
    ["MILLISECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"];

/// An index of a kind without settings of its own here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherIndex {
    /// The column.
    pub column: ColumnName,
    /// Which index.
    pub kind: IndexKind,
}

/// Reads `tableIndexConfig` and `fieldConfigList` together.
pub(super) fn read(
    config: &JsonObject<'_>,
    field_configs: &[JsonObject<'_>],
    schema: Option<&Schema>,
    findings: &mut Findings,
) -> IndexingConfig {
    let mut declarations = declaration::in_table_index_config(config, findings);
    let mut compression = BTreeMap::new();
    for field_config in field_configs {
        declarations.extend(declaration::in_field_config(field_config, &mut compression, findings));
    }
    for declaration in &declarations {
        let field = check_column(&declaration.column, &declaration.path, schema, findings);
        if let Some(field) = field.filter(|_| declaration.wanted) {
            check_kind(declaration, field, findings);
        }
    }
    let declarations = check_contradictions(declarations, findings);
    check_encodings(&declarations, findings);
    check_dictionary_keys(config, schema, findings);
    let mut indexing = IndexingConfig {
        sorted_column: read_sorted_column(&declarations, schema, findings),
        star_trees: star_tree::read(config, &declarations, schema, findings),
        default_star_tree: config.boolean("enableDefaultStarTree", findings).unwrap_or(false),
        partitions: partitions::read(config, schema, findings),
        aggregate_metrics: config.boolean("aggregateMetrics", findings).unwrap_or(false),
        compression,
        ..IndexingConfig::default()
    };
    for declaration in declarations {
        indexing.add(declaration, findings);
    }
    let _ = config.boolean("enableDynamicStarTreeCreation", findings);
    indexing
}

impl IndexingConfig {
    /// Returns the part of the config that segments act on.
    pub fn segment_options(&self) -> SegmentOptions {
        SegmentOptions {
            sorted_column: self.sorted_column.clone(),
            no_dictionary_columns: self.no_dictionary.iter().cloned().collect(),
            inverted_columns: self.inverted.iter().cloned().collect(),
            prefix_columns: self.prefix.iter().cloned().collect(),
            range_columns: self.range.iter().cloned().collect(),
            bloom_columns: self.bloom.iter().map(|filter| (filter.column.clone(), filter.size())).collect(),
            partitioned_columns: self
                .partitions
                .iter()
                .filter_map(|partition| Some((partition.column.clone(), partition.prunes.clone()?)))
                .collect(),
            json_columns: self
                .json
                .iter()
                .map(|index| (index.column.clone(), index.options.clone()))
                .collect(),
            text_columns: self
                .text
                .iter()
                .map(|index| (index.column.clone(), index.options.words.clone()))
                .collect(),
            star_trees: self.star_trees.iter().map(StarTree::options).collect(),
        }
    }

    /// Returns how texts and queries of the columns with a text index are read.
    pub fn text_columns(&self) -> BTreeMap<ColumnName, TextOptions> {
        self.text.iter().map(|index| (index.column.clone(), index.options.clone())).collect()
    }

    fn add(&mut self, declaration: IndexDeclaration, findings: &mut Findings) {
        let column: ColumnName = declaration.column.as_str().into();
        self.places.push((declaration.kind, declaration.path.clone()));
        match declaration.kind {
            IndexKind::Sorted => {}
            IndexKind::Inverted => add_once(&mut self.inverted, column),
            IndexKind::Range => add_once(&mut self.range, column),
            IndexKind::Fst => add_once(&mut self.prefix, column),
            IndexKind::NoDictionary => add_once(&mut self.no_dictionary, column),
            IndexKind::Bloom => {
                let known = self.bloom.iter().position(|other| other.column == column);
                let filter = read_bloom(&declaration, column, findings);
                match known {
                    // The bare name of a column takes nothing back from the settings that it has elsewhere.
                    Some(_) if declaration.settings.is_empty() => {}
                    Some(known) => self.bloom[known] = filter,
                    None => self.bloom.push(filter),
                }
            }
            IndexKind::Json => {
                let known = self.json.iter().position(|other| other.column == column);
                let options = json_index::read(&declaration, findings);
                match known {
                    Some(_) if declaration.settings.is_empty() => {}
                    Some(known) => self.json[known] = JsonIndex { column, options },
                    None => self.json.push(JsonIndex { column, options }),
                }
            }
            IndexKind::Text | IndexKind::MultiColumnText => {
                let known = self.text.iter().position(|other| other.column == column);
                let options = text_index::read(&declaration, findings);
                match known {
                    Some(_) if declaration.settings.is_empty() => {}
                    Some(known) => self.text[known] = TextIndex { column, options },
                    None => self.text.push(TextIndex { column, options }),
                }
            }
            IndexKind::Timestamp => {
                let granularities = read_granularities(&declaration, findings);
                self.timestamp.push(TimestampIndex { column, granularities });
            }
            IndexKind::H3 | IndexKind::Vector | IndexKind::OpenStruct => {
                self.other.push(OtherIndex { column, kind: declaration.kind });
            }
        }
    }
}

fn add_once(columns: &mut Vec<ColumnName>, column: ColumnName) {
    if !columns.contains(&column) {
        columns.push(column);
    }
}

/// Returns the mentions of indexes that are wanted. What one place asks for, no other may refuse.
fn check_contradictions(
    declarations: Vec<IndexDeclaration>,
    findings: &mut Findings,
) -> Vec<IndexDeclaration> {
    let (wanted, unwanted): (Vec<_>, Vec<_>) =
        declarations.into_iter().partition(|declaration| declaration.wanted);
    // FST and IFST are two keys of one kind, of which one may be off.
    for off in unwanted.iter().filter(|off| off.kind != IndexKind::Fst) {
        let same = |on: &&IndexDeclaration| on.kind == off.kind && on.column == off.column;
        if let Some(on) = wanted.iter().find(same) {
            let message =
                format!("says the opposite of {} about `{}`: remove one of the two", on.path, off.column);
            findings.problem(off.path.clone(), message);
        }
    }
    wanted
}

/// Checks the keys that tell how dictionaries are made. The values of a column alone tell that here.
fn check_dictionary_keys(config: &JsonObject<'_>, schema: Option<&Schema>, findings: &mut Findings) {
    for key in ["onHeapDictionaryColumns", "varLengthDictionaryColumns"] {
        for item in config.texts(key, findings) {
            check_column(&item.text, &item.path, schema, findings);
        }
    }
    for key in ["optimizeDictionary", "optimizeDictionaryForMetrics", "optimizeDictionaryType"] {
        let _ = config.boolean(key, findings);
    }
    for key in ["noDictionarySizeRatioThreshold", "noDictionaryCardinalityRatioThreshold"] {
        let _ = config.float(key, findings);
    }
}

/// Checks that a column's type can have the index.
fn check_kind(declaration: &IndexDeclaration, field: &Field, findings: &mut Findings) {
    let (name, data_type) = (&field.name, field.data_type);
    let has_ranges = field.single_value && data_type != DataType::Boolean;
    if declaration.kind == IndexKind::Range && !has_ranges {
        let message = format!(
            "no range index is built on `{name}`, queries are answered without it: it needs a single-value column that is not \
             BOOLEAN"
        );
        findings.warning(declaration.path.clone(), message);
    }
    let is_text = data_type == DataType::String;
    let is_json = matches!(data_type, DataType::String | DataType::Json);
    let fault = match declaration.kind {
        IndexKind::Json if !is_json || !field.single_value => {
            "a JSON index needs a single-value STRING or JSON column"
        }
        IndexKind::Text | IndexKind::MultiColumnText | IndexKind::Fst if !is_text && !is_json => {
            "a text index needs a STRING column"
        }
        IndexKind::Timestamp if data_type != DataType::Timestamp => {
            "a timestamp index needs a TIMESTAMP column"
        }
        IndexKind::H3 if data_type != DataType::Bytes => "an H3 index needs a BYTES column",
        IndexKind::Vector if data_type != DataType::Float || field.single_value => {
            "a vector index needs a multi-value FLOAT column"
        }
        IndexKind::Bloom if data_type == DataType::Boolean => "a bloom filter does not help a BOOLEAN column",
        IndexKind::Json
        | IndexKind::Text
        | IndexKind::MultiColumnText
        | IndexKind::Fst
        | IndexKind::Timestamp
        | IndexKind::H3
        | IndexKind::Vector
        | IndexKind::Bloom
        | IndexKind::Sorted
        | IndexKind::Inverted
        | IndexKind::Range
        | IndexKind::NoDictionary
        | IndexKind::OpenStruct => return,
    };
    let many = if field.single_value { "" } else { "multi-value " };
    findings.problem(
        declaration.path.clone(),
        format!("{fault}: `{name}` is {many}{data_type}; remove the index"),
    );
}

/// An inverted index lists rows by dictionary id, and an FST index finds values in the dictionary: neither can be had without.
fn check_encodings(declarations: &[IndexDeclaration], findings: &mut Findings) {
    for index in declarations {
        let name = match index.kind {
            IndexKind::Inverted => "inverted",
            IndexKind::Fst => "FST",
            _ => continue,
        };
        let raw =
            |other: &&IndexDeclaration| other.kind == IndexKind::NoDictionary && other.column == index.column;
        if let Some(raw) = declarations.iter().find(raw) {
            let message = format!(
                "an {name} index needs a dictionary, which {} takes from `{}`: remove one of the two",
                raw.path, index.column
            );
            findings.problem(index.path.clone(), message);
        }
    }
}

fn read_sorted_column(
    declarations: &[IndexDeclaration],
    schema: Option<&Schema>,
    findings: &mut Findings,
) -> Option<ColumnName> {
    let mut sorted = declarations.iter().filter(|declaration| declaration.kind == IndexKind::Sorted);
    let first = sorted.next()?;
    for other in sorted.filter(|other| other.column != first.column) {
        let message = format!("rows are sorted by one column, `{}`: remove `{}`", first.column, other.column);
        findings.problem(other.path.clone(), message);
    }
    let field = schema.and_then(|schema| schema.field(&first.column)).map(|(_, field)| field);
    if field.is_some_and(|field| !field.single_value) {
        let message =
            format!("rows cannot be sorted by the multi-value column `{}`: name another", first.column);
        findings.problem(first.path.clone(), message);
        return None;
    }
    Some(first.column.as_str().into())
}

fn read_bloom(declaration: &IndexDeclaration, column: ColumnName, findings: &mut Findings) -> BloomFilter {
    let settings = JsonObject::new(&declaration.settings, &declaration.settings_path);
    let rate = settings.float("fpp", findings).unwrap_or(FALSE_POSITIVE_RATE);
    if rate <= 0.0 || rate >= 1.0 {
        findings.problem(
            settings.place("fpp"),
            format!("{rate} is no share of false positives: write for example 0.05"),
        );
    }
    let bytes = settings.integer("maxSizeInBytes", 0, i64::from(i32::MAX), findings);
    let bytes_max = bytes.and_then(|bytes| u64::try_from(bytes).ok()).filter(|bytes| *bytes > 0);
    BloomFilter { column, false_positive_rate: rate, bytes_max }
}

fn read_granularities(declaration: &IndexDeclaration, findings: &mut Findings) -> Vec<String> {
    let settings = JsonObject::new(&declaration.settings, &declaration.settings_path);
    let mut granularities = Vec::new();
    for item in settings.texts("granularities", findings) {
        let name = item.text.to_ascii_uppercase();
        if !TIMESTAMP_GRANULARITIES.contains(&name.as_str()) {
            let hint = did_you_mean(&item.text, TIMESTAMP_GRANULARITIES);
            let names = TIMESTAMP_GRANULARITIES.join(", ");
            findings
                .problem(item.path, format!("`{}` is no granularity: write one of {names}{hint}", item.text));
        } else if !granularities.contains(&name) {
            granularities.push(name);
        }
    }
    granularities
}
