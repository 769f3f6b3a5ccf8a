//! The part of an explanation that tells how segments are read: what drops segments and rows before any row is tested.

mod operators;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::physical_plan::ExecutionPlan;
use meunier_execution::filter::{FilterStep, explain};
use meunier_execution::segment_work::SegmentInput;
use meunier_execution::star_tree_query::StarTreeQuery;

use crate::compute::carried;
use crate::grouping_scan::GroupingScan;
use crate::scan::SegmentScan;

pub(crate) use self::operators::operators_table;

/// Returns a paragraph for each scan of a plan.
///
/// # Errors
/// When a segment's file cannot be read.
pub(crate) fn explain_scans(plan: &dyn ExecutionPlan) -> Result<String> {
    let mut text = String::new();
    append(plan, &mut text)?;
    Ok(text)
}

fn append(plan: &dyn ExecutionPlan, text: &mut String) -> Result<()> {
    if let Some(source) = plan.downcast_ref::<DataSourceExec>() {
        let source = source.data_source();
        if let Some(scan) = source.downcast_ref::<SegmentScan>() {
            let (table, input) = scan.reads();
            describe(table, input, None, text)?;
        } else if let Some(scan) = source.downcast_ref::<GroupingScan>() {
            let work = scan.work();
            describe(&work.grouping.table, &work.segments, work.star_tree.as_ref(), text)?;
        }
    }
    plan.children().into_iter().try_for_each(|child| append(child.as_ref(), text))
}

/// Returns what the scans of a plan read.
fn scans_of(plan: &dyn ExecutionPlan) -> Vec<SegmentInput> {
    let source = plan.downcast_ref::<DataSourceExec>().map(|source| source.data_source());
    let read = source.and_then(|source| {
        if let Some(scan) = source.downcast_ref::<SegmentScan>() {
            return Some(scan.reads().1.clone());
        }
        source.downcast_ref::<GroupingScan>().map(|scan| scan.work().segments.clone())
    });
    let below = plan.children().into_iter().flat_map(|child| scans_of(child.as_ref()));
    read.into_iter().chain(below).collect()
}

fn describe(
    table: &str,
    input: &SegmentInput,
    star_tree: Option<&StarTreeQuery>,
    text: &mut String,
) -> Result<()> {
    let mut paragraph = Paragraph(text);
    let kept: u64 = input.segments.iter().map(|segment| segment.rows() as u64).sum();
    let dropped: u64 = input.pruned.iter().map(|pruned| pruned.rows).sum();
    let segments = input.segments.len() + input.pruned.len();
    paragraph.line(&format!("Segments of {table}: {}", amount(segments, kept + dropped)));
    let mut reasons: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
    for pruned in &*input.pruned {
        let (segments, rows) = reasons.entry(pruned.by.name()).or_default();
        *segments += 1;
        *rows += pruned.rows;
    }
    for (reason, (segments, rows)) in reasons {
        paragraph.line(&format!("  dropped by {reason}: {}", amount(segments, rows)));
    }
    let mut rest = Vec::new();
    let (mut trees, mut records) = (0, 0_u64);
    for segment in &*input.segments {
        let served = match star_tree {
            Some(query) => query.record_count(segment).map_err(carried)?,
            None => None,
        };
        match served {
            Some(count) => {
                trees += 1;
                records += count as u64;
            }
            None => rest.push(segment.clone()),
        }
    }
    if trees > 0 {
        paragraph
            .line(&format!("  answered by star-tree: {}", amount_of(trees, "segment", records, "record")));
    }
    let rest = SegmentInput { segments: Arc::from(rest), ..input.clone() };
    for step in explain(&rest).map_err(carried)? {
        paragraph.line(&step_line(&step));
    }
    Ok(())
}

/// The lines about one scan.
struct Paragraph<'a>(&'a mut String);

impl Paragraph<'_> {
    fn line(&mut self, line: &str) {
        writeln!(self.0, "{line}").expect("a text takes every line");
    }
}

fn step_line(step: &FilterStep) -> String {
    let means: Vec<&str> = step.means.iter().map(|means| means.name()).collect();
    let mut line =
        format!("  condition on {}, {}: ", step.columns.join(", "), amount(step.segments, step.rows));
    if !means.is_empty() {
        let _ = write!(line, "{} rows dropped by {}", step.rows_dropped, means.join(" and "));
    }
    if step.tests_rows {
        line.push_str(if means.is_empty() { "each row tested" } else { ", the others tested" });
    }
    line
}

fn amount(segments: usize, rows: u64) -> String {
    amount_of(segments, "segment", rows, "row")
}

fn amount_of(segments: usize, of: &str, rows: u64, kind: &str) -> String {
    let plural = |count: u64| if count == 1 { "" } else { "s" };
    format!("{segments} {of}{}, {rows} {kind}{}", plural(segments as u64), plural(rows))
}
