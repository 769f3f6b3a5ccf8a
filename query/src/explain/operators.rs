//! Pinot's table of operators: `EXPLAIN PLAN FOR …` in the single-stage engine.

use datafusion::error::Result;
use datafusion::physical_plan::ExecutionPlan;
use meunier_execution::filter::{FilterStep, Means, explain};

use super::scans_of;
use crate::compute::carried;
use crate::dialect::operators::{FilterOperator, Operators};
use crate::response::{OutputColumn, ResultTable};

/// Ids of the row that begins the plan of segments.
const PLAN_START: i32 = -1;

/// Returns the operators of a query in Pinot's table, with what its plan tells of segments and indexes.
///
/// # Errors
/// When a segment's file cannot be read.
pub(crate) fn operators_table(
    operators: &Operators,
    segment_count: usize,
    plan: &dyn ExecutionPlan,
) -> Result<ResultTable> {
    let mut rows = Rows::default();
    let root = rows.add(&operators.reduce, 0);
    let scans = scans_of(plan);
    let Some(scan) = scans.first() else {
        let combine = rows.add(operators.combine, root);
        rows.begin(segment_count);
        let node = if operators.aggregates_all { "AGGREGATE_NO_SCAN" } else { &operators.node };
        rows.add(node, combine);
        return Ok(rows.table());
    };
    if scan.segments.is_empty() {
        rows.begin(segment_count);
        rows.add("ALL_SEGMENTS_PRUNED_ON_SERVER", root);
        return Ok(rows.table());
    }
    let combine = rows.add(operators.combine, root);
    rows.begin(scan.segments.len());
    let mut parent = rows.add(&operators.node, combine);
    if let Some(transform) = &operators.transform {
        parent = rows.add(transform, parent);
    }
    parent = rows.add(&operators.project, parent);
    parent = rows.add("DOC_ID_SET", parent);
    let steps = explain(scan).map_err(carried)?;
    match &operators.filter {
        Some(filter) => rows.filter(filter, &steps, parent),
        None => {
            let docs: u64 = scan.segments.iter().map(|segment| segment.rows() as u64).sum();
            rows.add(&format!("FILTER_MATCH_ENTIRE_SEGMENT(docs:{docs})"), parent);
        }
    }
    Ok(rows.table())
}

#[derive(Debug, Default)]
struct Rows {
    written: Vec<(String, i32, i32)>,
    last_id: i32,
}

impl Rows {
    /// Adds an operator below another and returns its id.
    fn add(&mut self, operator: &str, parent: i32) -> i32 {
        self.last_id += 1;
        self.written.push((operator.to_owned(), self.last_id, parent));
        self.last_id
    }

    fn begin(&mut self, segments: usize) {
        self.written.push((format!("PLAN_START(numSegmentsForThisPlan:{segments})"), PLAN_START, PLAN_START));
    }

    fn filter(&mut self, filter: &FilterOperator, steps: &[FilterStep], parent: i32) {
        match filter {
            FilterOperator::And(parts) => self.filters("FILTER_AND", parts, steps, parent),
            FilterOperator::Or(parts) => self.filters("FILTER_OR", parts, steps, parent),
            FilterOperator::Not(inner) => {
                let id = self.add("FILTER_NOT", parent);
                self.filter(inner, steps, id);
            }
            FilterOperator::Leaf { column: None, text } => {
                self.add(&format!("FILTER_EXPRESSION({text})"), parent);
            }
            FilterOperator::Leaf { column: Some(column), text } => {
                let operator = match means_of(column, steps) {
                    Some((name, look_up)) => format!("{name}(indexLookUp:{look_up},{text})"),
                    None => format!("FILTER_FULL_SCAN({text})"),
                };
                self.add(&operator, parent);
            }
        }
    }

    fn filters(&mut self, name: &str, parts: &[FilterOperator], steps: &[FilterStep], parent: i32) {
        let id = self.add(name, parent);
        for part in parts {
            self.filter(part, steps, id);
        }
    }

    fn table(self) -> ResultTable {
        let column = |name: &str, type_name: &'static str| OutputColumn { name: name.into(), type_name };
        let rows: Vec<Vec<u8>> = self
            .written
            .iter()
            .map(|row| serde_json::to_vec(row).expect("texts and numbers are always JSON"))
            .collect();
        ResultTable {
            columns: vec![
                column("Operator", "STRING"),
                column("Operator_Id", "INT"),
                column("Parent_Id", "INT"),
            ],
            row_count: rows.len() as u64,
            rows: rows.join(&b','),
            implicit_limit: None,
        }
    }
}

/// Returns the index that answers a condition on a column in some segments at least.
fn means_of(column: &str, steps: &[FilterStep]) -> Option<(&'static str, &'static str)> {
    let means = steps.iter().filter(|step| step.columns == [column]).flat_map(|step| &step.means);
    means.into_iter().find_map(|means| match means {
        Means::Sorted => Some(("FILTER_SORTED_INDEX", "sorted_index")),
        Means::Inverted => Some(("FILTER_INVERTED_INDEX", "inverted_index")),
        Means::Range => Some(("FILTER_RANGE_INDEX", "range_index")),
        Means::Json => Some(("FILTER_JSON_INDEX", "json_index")),
        Means::Text => Some(("FILTER_TEXT_INDEX", "text_index")),
        Means::Bounds | Means::Nulls | Means::Dictionary | Means::Bloom | Means::ZoneMap => None,
    })
}
