//! Star-trees: pre-aggregated group-bys.

use meunier_segment::json_reader::{Findings, JsonObject};
use meunier_segment::nearest::did_you_mean;
use meunier_segment::options::{FunctionPair, PairFunction, StarTreeOptions};
use meunier_segment::schema::{ColumnName, DataType, Field, Schema};

use super::declaration::{IndexDeclaration, IndexKind};
use crate::table_config::columns::check_column;

/// Rows of a leaf where the config does not say.
const LEAF_RECORDS_MAX: u32 = 10_000;

/// Functions that Pinot's star-trees aggregate beside [`PairFunction::ALL`].
const OTHER_FUNCTIONS: [&str; 17] = [
    "SUMPRECISION",
    "DISTINCTCOUNTTUPLESKETCH",
    "DISTINCTCOUNTRAWINTEGERSUMTUPLESKETCH",
    "SUMVALUESINTEGERSUMTUPLESKETCH",
    "AVGVALUEINTEGERSUMTUPLESKETCH",
    "PERCENTILEEST",
    "PERCENTILERAWEST",
    "PERCENTILETDIGEST",
    "PERCENTILERAWTDIGEST",
    "SUMINT",
    "SUMLONG",
    "COUNTMV",
    "SUMMV",
    "MINMV",
    "MAXMV",
    "AVGMV",
    "MINMAXRANGEMV",
];

/// One star-tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StarTree {
    /// Its dimensions, outermost first.
    pub dimensions: Vec<ColumnName>,
    /// Dimensions without a star node.
    pub no_star_node: Vec<ColumnName>,
    /// What it aggregates.
    pub aggregations: Vec<StarTreeAggregation>,
    /// A node with more rows than this is split.
    pub leaf_records_max: u32,
}

/// One aggregation of a star-tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StarTreeAggregation {
    /// The function, upper case and without underscores.
    pub function: String,
    /// The same, where a star-tree here can hold it.
    pub pair_function: Option<PairFunction>,
    /// The column, or `*`.
    pub column: ColumnName,
}

impl StarTree {
    /// Returns what segments build: functions that a star-tree here cannot hold are left out.
    pub(super) fn options(&self) -> StarTreeOptions {
        let pair = |aggregation: &StarTreeAggregation| {
            let column = Some(aggregation.column.clone()).filter(|column| **column != *"*");
            Some(FunctionPair { function: aggregation.pair_function?, column })
        };
        StarTreeOptions {
            dimensions: self.dimensions.clone(),
            skip_star_dimensions: self.no_star_node.clone(),
            function_pairs: self.aggregations.iter().filter_map(pair).collect(),
            leaf_records_max: self.leaf_records_max as usize,
        }
    }
}

pub(super) fn read(
    config: &JsonObject<'_>,
    declarations: &[IndexDeclaration],
    schema: Option<&Schema>,
    findings: &mut Findings,
) -> Vec<StarTree> {
    let trees = config.objects("starTreeIndexConfigs", findings);
    trees.iter().map(|tree| read_tree(tree, declarations, schema, findings)).collect()
}

fn read_tree(
    tree: &JsonObject<'_>,
    declarations: &[IndexDeclaration],
    schema: Option<&Schema>,
    findings: &mut Findings,
) -> StarTree {
    let dimensions = read_dimensions(tree, declarations, schema, findings);
    if dimensions.is_empty() {
        findings.problem(
            tree.place("dimensionsSplitOrder"),
            "is missing: write the dimensions that are grouped by",
        );
    }
    let no_star_node = read_no_star_node(tree, &dimensions, findings);
    let aggregations = read_aggregations(tree, declarations, schema, findings);
    if aggregations.is_empty()
        && tree.get("functionColumnPairs").is_none()
        && tree.get("aggregationConfigs").is_none()
    {
        findings.problem(tree.place("functionColumnPairs"), "is missing: write for example [\"COUNT__*\"]");
    }
    let leaf_records = tree.integer("maxLeafRecords", 1, i64::from(i32::MAX), findings);
    let leaf_records_max =
        leaf_records.and_then(|count| u32::try_from(count).ok()).unwrap_or(LEAF_RECORDS_MAX);
    StarTree { dimensions, no_star_node, aggregations, leaf_records_max }
}

fn read_dimensions(
    tree: &JsonObject<'_>,
    declarations: &[IndexDeclaration],
    schema: Option<&Schema>,
    findings: &mut Findings,
) -> Vec<ColumnName> {
    let mut dimensions: Vec<ColumnName> = Vec::new();
    for item in tree.texts("dimensionsSplitOrder", findings) {
        let field = check_column(&item.text, &item.path, schema, findings);
        let raw =
            |other: &IndexDeclaration| other.kind == IndexKind::NoDictionary && other.column == item.text;
        if field.is_some_and(|field| !field.single_value) {
            let message =
                format!("`{}` is a multi-value column, which cannot be a star-tree's dimension", item.text);
            findings.problem(item.path.clone(), message);
        } else if declarations.iter().any(raw) {
            let message = format!(
                "a star-tree's dimension needs a dictionary: take `{}` off the raw columns",
                item.text
            );
            findings.problem(item.path.clone(), message);
        }
        if dimensions.iter().any(|other| **other == *item.text) {
            findings.problem(item.path, format!("`{}` is listed twice: remove one", item.text));
            continue;
        }
        dimensions.push(item.text.into());
    }
    dimensions
}

fn read_no_star_node(
    tree: &JsonObject<'_>,
    dimensions: &[ColumnName],
    findings: &mut Findings,
) -> Vec<ColumnName> {
    let mut columns = Vec::new();
    for item in tree.texts("skipStarNodeCreationForDimensions", findings) {
        if !dimensions.iter().any(|dimension| **dimension == *item.text) {
            findings.problem(
                item.path,
                format!("`{}` is not in `dimensionsSplitOrder`: add or remove it", item.text),
            );
        } else {
            columns.push(item.text.into());
        }
    }
    columns
}

fn read_aggregations(
    tree: &JsonObject<'_>,
    declarations: &[IndexDeclaration],
    schema: Option<&Schema>,
    findings: &mut Findings,
) -> Vec<StarTreeAggregation> {
    let mut aggregations = Vec::new();
    for item in tree.texts("functionColumnPairs", findings) {
        let Some((function, column)) = item.text.split_once("__") else {
            let message =
                format!("`{}` is not of the form FUNCTION__column: write for example SUM__amount", item.text);
            findings.problem(item.path, message);
            continue;
        };
        add_aggregation(&mut aggregations, &item.path, function, column, (schema, declarations), findings);
    }
    for entry in tree.objects("aggregationConfigs", findings) {
        let function = entry.required_text("aggregationFunction", "such as \"SUM\"", findings);
        let column = entry.text_or_empty("columnName", findings).unwrap_or_else(|| "*".to_string());
        if let Some(function) = function {
            let place = entry.place("columnName");
            add_aggregation(&mut aggregations, &place, &function, &column, (schema, declarations), findings);
        }
    }
    aggregations
}

fn add_aggregation(
    aggregations: &mut Vec<StarTreeAggregation>,
    place: &str,
    function: &str,
    column: &str,
    (schema, declarations): (Option<&Schema>, &[IndexDeclaration]),
    findings: &mut Findings,
) {
    let function = normal_name(function);
    let mut pair_function = PairFunction::parse(&function).ok();
    if pair_function.is_none() && !OTHER_FUNCTIONS.contains(&function.as_str()) {
        let names: Vec<String> = PairFunction::ALL.iter().map(|pair| normal_name(pair.name())).collect();
        let hint = did_you_mean(&function, names.iter().map(String::as_str).chain(OTHER_FUNCTIONS));
        let names = names.join(", ");
        findings.problem(
            place,
            format!("`{function}` is no function of a star-tree: write one of {names}{hint}"),
        );
        return;
    }
    if column == "*" {
        if pair_function != Some(PairFunction::Count) {
            findings.problem(place, format!("`*` can only be counted: write `{function}__` and a column"));
        }
    } else if let Some(field) = check_column(column, place, schema, findings) {
        check_argument(&function, pair_function, field, place, findings);
        if pair_function == Some(PairFunction::DistinctCount) && !has_distinct_values(field, declarations) {
            pair_function = None;
        }
    }
    aggregations.push(StarTreeAggregation { function, pair_function, column: column.into() });
}

/// Whether a column's distinct values can be kept: it has one value a row, and may have a dictionary.
fn has_distinct_values(field: &Field, declarations: &[IndexDeclaration]) -> bool {
    let raw = |other: &IndexDeclaration| {
        other.wanted && other.kind == IndexKind::NoDictionary && *other.column == *field.name
    };
    field.single_value && field.data_type != DataType::Boolean && !declarations.iter().any(raw)
}

fn normal_name(function: &str) -> String {
    function.to_ascii_uppercase().replace('_', "")
}

fn check_argument(
    function: &str,
    pair_function: Option<PairFunction>,
    field: &Field,
    place: &str,
    findings: &mut Findings,
) {
    let takes_numbers = match pair_function {
        Some(
            PairFunction::Sum
            | PairFunction::Min
            | PairFunction::Max
            | PairFunction::Avg
            | PairFunction::MinMaxRange,
        ) => true,
        Some(PairFunction::Count | PairFunction::DistinctCount) | None => false,
    };
    let is_text = matches!(field.data_type, DataType::String | DataType::Json);
    if !field.single_value && !function.ends_with("MV") {
        let message =
            format!("a star-tree cannot aggregate the multi-value column `{}`: remove the pair", field.name);
        findings.problem(place, message);
    } else if takes_numbers && is_text {
        let message = format!(
            "{function} takes numbers, and `{}` is {}: name another column",
            field.name, field.data_type
        );
        findings.problem(place, message);
    }
}
