//! How a query reads the rows of one table, apart from any segment and from the values of its parameters.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::internal_err;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;
use meunier_execution::counters::ScanCounters;
use meunier_execution::input::InputColumn;
use meunier_execution::predicate::{Predicate, all_of};
use meunier_execution::predicate_cache::PredicateCache;
use meunier_execution::segment_work::SegmentInput;
use meunier_segment::table_snapshot::{Segment, TableSnapshot};

use crate::options::Rules;
use crate::predicate::PredicateContext;

/// The rows of a table for which some conditions hold.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    inputs: Arc<[InputColumn]>,
    schema: SchemaRef,
    rules: Rules,
    known: Option<Arc<PredicateCache>>,
    conditions: Arc<[Expr]>,
    /// What the conditions mean, unless that depends on parameters.
    predicate: Option<Arc<Predicate>>,
}

impl Reading {
    /// Returns the reading of all rows for which `conditions` hold; `inputs` and `schema` are the table's columns.
    ///
    /// # Errors
    /// When a condition names a column that the table does not have.
    pub(crate) fn new(
        inputs: &Arc<[InputColumn]>,
        schema: &SchemaRef,
        rules: Rules,
        known: Option<Arc<PredicateCache>>,
        conditions: Vec<Expr>,
        props: &ExecutionProps,
    ) -> Result<Reading> {
        let context = PredicateContext { columns: inputs, schema, props };
        let has_parameters = conditions.iter().any(has_parameter);
        let predicate = if has_parameters { None } else { Some(Arc::new(context.all(&conditions)?)) };
        Ok(Reading {
            inputs: Arc::clone(inputs),
            schema: Arc::clone(schema),
            rules,
            known,
            conditions: conditions.into(),
            predicate,
        })
    }

    pub(crate) fn inputs(&self) -> &Arc<[InputColumn]> {
        &self.inputs
    }

    pub(crate) fn rules(&self) -> Rules {
        self.rules
    }

    /// Returns the name of one of the table's columns.
    pub(crate) fn column_name(&self, column: usize) -> String {
        self.schema.field(column).name().clone()
    }

    /// Returns the conditions, for EXPLAIN.
    pub(crate) fn conditions(&self) -> &[Expr] {
        &self.conditions
    }

    /// Returns what is read of those segments of a table that can hold a row that passes.
    /// `parameters` are the values of `$1`, `$2`, ….
    ///
    /// # Errors
    /// When a condition cannot be computed with these values.
    pub(crate) fn of_segments(
        &self,
        parameters: &[Option<ScalarValue>],
        snapshot: &TableSnapshot,
        counters: &Arc<ScanCounters>,
    ) -> Result<SegmentInput> {
        let predicate = match &self.predicate {
            Some(predicate) => Arc::clone(predicate),
            None => {
                let mut conditions = Vec::with_capacity(self.conditions.len());
                for condition in &*self.conditions {
                    conditions.push(with_values(condition, parameters)?);
                }
                let props = ExecutionProps::new();
                let context = PredicateContext { columns: &self.inputs, schema: &self.schema, props: &props };
                Arc::new(context.all(&conditions)?)
            }
        };
        let input = SegmentInput {
            segments: Arc::new([]),
            pruned: Arc::new([]),
            columns: Arc::clone(&self.inputs),
            predicate,
            uses_indexes: self.rules.dictionary_filter,
            known: self.known.clone(),
            numbers: Arc::clone(&snapshot.numbers),
            counters: Arc::clone(counters),
        };
        Ok(input.of_segments(snapshot.segment_refs(), self.rules.segment_pruning, counters))
    }
}

impl Reading {
    /// Returns the rows for which one more condition holds.
    ///
    /// # Errors
    /// When it names a column that the table does not have.
    pub(crate) fn predicate(&self, condition: &Expr) -> Result<Predicate> {
        let props = ExecutionProps::new();
        let context = PredicateContext { columns: &self.inputs, schema: &self.schema, props: &props };
        context.all(std::slice::from_ref(condition))
    }

    /// Returns what is left to read of `input` when these must hold as well.
    pub(crate) fn narrowed(&self, input: &SegmentInput, more: Vec<Predicate>) -> SegmentInput {
        let parts = std::iter::once(Predicate::clone(&input.predicate)).chain(more);
        let narrowed = SegmentInput { predicate: Arc::new(all_of(parts.collect())), ..input.clone() };
        let segments = input.segments.iter().map(Segment::borrowed);
        let left = narrowed.of_segments(segments, self.rules.segment_pruning, &input.counters);
        let pruned = input.pruned.iter().chain(&*left.pruned).cloned().collect();
        SegmentInput { pruned, ..left }
    }
}

fn has_parameter(expr: &Expr) -> bool {
    expr.exists(|inner| Ok(matches!(inner, Expr::Placeholder(_)))).unwrap_or(true)
}

fn with_values(condition: &Expr, parameters: &[Option<ScalarValue>]) -> Result<Expr> {
    let valued = condition.clone().transform_down(|inner| {
        let Expr::Placeholder(placeholder) = &inner else { return Ok(Transformed::no(inner)) };
        let number = placeholder.id.strip_prefix('$').and_then(|number| number.parse::<usize>().ok());
        let value = number.and_then(|number| parameters.get(number.checked_sub(1)?)?.clone());
        match value {
            Some(value) => Ok(Transformed::new(Expr::Literal(value, None), true, TreeNodeRecursion::Jump)),
            None => internal_err!("parameter {} has no value", placeholder.id),
        }
    })?;
    Ok(valued.data)
}
