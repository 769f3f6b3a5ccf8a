//! Window functions whose frame leaves rows out: `EXCLUDE CURRENT ROW`, `EXCLUDE GROUP` and `EXCLUDE TIES`.
//!
//! DataFusion's frames are ranges of rows. A function that the dialect names after an exclusion gets each row's range,
//! takes the excluded rows out, and computes over what is left, row by row.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::partition;
use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use datafusion::common::{exec_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::{
    AggregateUDF, PartitionEvaluator, Signature, Volatility, WindowUDF, WindowUDFImpl,
};
use datafusion::physical_plan::PhysicalExpr;
use datafusion::scalar::ScalarValue;
use meunier_functions::Functions;

/// Which rows of a frame are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Exclusion {
    /// The row itself.
    CurrentRow,
    /// The row and those that the order does not tell from it.
    Group,
    /// Those that the order does not tell from it, but not the row.
    Ties,
}

impl Exclusion {
    const ALL: [Exclusion; 3] = [Exclusion::CurrentRow, Exclusion::Group, Exclusion::Ties];

    /// Returns the mark that stands for the exclusion in a statement's tokens and before a function's name.
    pub(crate) fn mark(self) -> &'static str {
        match self {
            Exclusion::CurrentRow => "$exclude current row",
            Exclusion::Group => "$exclude group",
            Exclusion::Ties => "$exclude ties",
        }
    }

    /// Returns the exclusion of a mark.
    pub(crate) fn of_mark(mark: &str) -> Option<Exclusion> {
        Exclusion::ALL.into_iter().find(|exclusion| exclusion.mark() == mark)
    }

    /// Returns the name of a function whose frame leaves these rows out.
    pub(crate) fn function_name(self, function: &str) -> String {
        format!("{}:{function}", self.mark())
    }
}

/// Returns the function of a [name](Exclusion::function_name).
pub(crate) fn window_function(name: &str, functions: &Functions) -> Option<Arc<WindowUDF>> {
    let (mark, base) = name.split_once(':')?;
    let exclusion = Exclusion::of_mark(mark)?;
    let value = match base {
        "firstvalue" => FrameValue::First,
        "lastvalue" => FrameValue::Last,
        _ => FrameValue::Aggregate(functions.aggregate(base)?),
    };
    let signature = match &value {
        FrameValue::First | FrameValue::Last => Signature::any(1, Volatility::Immutable),
        FrameValue::Aggregate(_) => Signature::user_defined(Volatility::Immutable),
    };
    Some(Arc::new(WindowUDF::from(ExcludingFrame { name: name.to_owned(), value, exclusion, signature })))
}

/// What is computed over a frame's rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum FrameValue {
    First,
    Last,
    Aggregate(Arc<AggregateUDF>),
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ExcludingFrame {
    name: String,
    value: FrameValue,
    exclusion: Exclusion,
    signature: Signature,
}

impl WindowUDFImpl for ExcludingFrame {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let FrameValue::Aggregate(aggregate) = &self.value else { return Ok(arg_types.to_vec()) };
        let fields: Vec<FieldRef> =
            arg_types.iter().map(|data_type| Arc::new(Field::new("", data_type.clone(), true))).collect();
        let coerced = fields_with_udf(&fields, aggregate.as_ref())?;
        Ok(coerced.iter().map(|field| field.data_type().clone()).collect())
    }

    fn field(&self, arguments: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        let field = match &self.value {
            FrameValue::First | FrameValue::Last => match arguments.get_input_field(0) {
                Some(field) => field,
                None => return plan_err!("`{}` takes a value", self.name),
            },
            FrameValue::Aggregate(aggregate) => aggregate.return_field(arguments.input_fields())?,
        };
        // A frame can be left without a row.
        Ok(Arc::new(field.as_ref().clone().with_name(arguments.name()).with_nullable(true)))
    }

    fn partition_evaluator(
        &self,
        arguments: PartitionEvaluatorArgs<'_>,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        let fields = arguments.input_fields();
        let result = match &self.value {
            FrameValue::First | FrameValue::Last => match fields.first() {
                Some(field) => Arc::clone(field),
                None => return plan_err!("`{}` takes a value", self.name),
            },
            FrameValue::Aggregate(aggregate) => aggregate.return_field(fields)?,
        };
        Ok(Box::new(Frames {
            value: self.value.clone(),
            exclusion: self.exclusion,
            exprs: arguments.input_exprs().to_vec(),
            schema: Schema::new(fields.to_vec()),
            fields: fields.to_vec(),
            result,
            ignore_nulls: arguments.ignore_nulls(),
            name: self.name.clone(),
            peers: None,
            row: 0,
        }))
    }
}

/// The frames of one partition, row after row.
struct Frames {
    value: FrameValue,
    exclusion: Exclusion,
    exprs: Vec<Arc<dyn PhysicalExpr>>,
    fields: Vec<FieldRef>,
    schema: Schema,
    result: FieldRef,
    ignore_nulls: bool,
    name: String,
    /// Rows that the order does not tell apart, group after group, and the group of the current row.
    peers: Option<(Vec<Range<usize>>, usize)>,
    row: usize,
}

impl fmt::Debug for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frames").field("name", &self.name).field("row", &self.row).finish_non_exhaustive()
    }
}

impl PartitionEvaluator for Frames {
    fn uses_window_frame(&self) -> bool {
        true
    }

    /// Is called for each row in turn. The order's columns stand behind the arguments.
    fn evaluate(&mut self, values: &[ArrayRef], range: &Range<usize>) -> Result<ScalarValue> {
        let row = self.row;
        self.row += 1;
        let (arguments, order) = values.split_at(self.exprs.len().min(values.len()));
        let excluded = match self.exclusion {
            Exclusion::CurrentRow => row..row + 1,
            Exclusion::Group | Exclusion::Ties => self.peers_of(row, order, values)?,
        };
        let is_kept = self.exclusion == Exclusion::Ties && range.contains(&row);
        let parts = [
            range.start..range.end.min(excluded.start),
            row..row + usize::from(is_kept),
            range.start.max(excluded.end)..range.end,
        ];
        self.over(arguments, &parts)
    }
}

impl Frames {
    fn peers_of(&mut self, row: usize, order: &[ArrayRef], values: &[ArrayRef]) -> Result<Range<usize>> {
        let (groups, current) = match &mut self.peers {
            Some(known) => known,
            none => {
                let rows = values.first().map_or(0, |array| array.len());
                let groups = match order.is_empty() {
                    true => std::iter::once(0..rows).collect(),
                    false => partition(order)?.ranges(),
                };
                none.insert((groups, 0))
            }
        };
        while groups.get(*current).is_some_and(|group| group.end <= row) {
            *current += 1;
        }
        match groups.get(*current) {
            Some(group) => Ok(group.clone()),
            None => exec_err!("row {row} lies in no group of its partition"),
        }
    }

    fn over(&self, arguments: &[ArrayRef], parts: &[Range<usize>]) -> Result<ScalarValue> {
        let mut rows = parts.iter().cloned().flatten();
        let shown = |row: &usize| {
            let array = arguments.first();
            array.is_some_and(|array| !self.ignore_nulls || array.is_valid(*row))
        };
        let found = match &self.value {
            FrameValue::First => rows.find(shown),
            FrameValue::Last => rows.rfind(shown),
            FrameValue::Aggregate(aggregate) => return self.aggregated(aggregate, arguments, parts),
        };
        match (found, arguments.first()) {
            (Some(row), Some(array)) => ScalarValue::try_from_array(array, row),
            _ => ScalarValue::try_from(self.result.data_type()),
        }
    }

    fn aggregated(
        &self,
        aggregate: &AggregateUDF,
        arguments: &[ArrayRef],
        parts: &[Range<usize>],
    ) -> Result<ScalarValue> {
        let mut accumulator = aggregate.accumulator(AccumulatorArgs {
            return_field: Arc::clone(&self.result),
            schema: &self.schema,
            ignore_nulls: self.ignore_nulls,
            order_bys: &[],
            is_reversed: false,
            name: &self.name,
            is_distinct: false,
            exprs: &self.exprs,
            expr_fields: &self.fields,
        })?;
        for part in parts.iter().filter(|part| part.start < part.end) {
            let slices: Vec<ArrayRef> =
                arguments.iter().map(|array| array.slice(part.start, part.len())).collect();
            accumulator.update_batch(&slices)?;
        }
        accumulator.evaluate()
    }
}
