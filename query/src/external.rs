//! DataFusion's aggregates as aggregates of the segment level.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, new_empty_array};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Accumulator, AggregateUDF, EmitTo, Expr, GroupsAccumulator};
use datafusion::physical_expr::aggregate::{AggregateExprBuilder, AggregateFunctionExpr};
use datafusion::physical_expr::{GroupsAccumulatorAdapter, PhysicalExpr, create_physical_expr};
use meunier_execution::error::{ExecutionError, Result as ExecutionResult};
use meunier_execution::external::{ExternalFunction, ExternalStates};

/// Aggregates whose results depend on nothing but which values there are. A theta or CPC sketch heeds their order too, but not
/// beyond the error that it promises, and rows have no order that it could keep.
const OF_DISTINCT_VALUES: [&str; 12] = [
    "distinctcounthll",
    "distinctcountrawhll",
    "distinctcounthllplus",
    "distinctcountrawhllplus",
    "distinctcountull",
    "distinctcountrawull",
    "distinctcountthetasketch",
    "distinctcountrawthetasketch",
    "distinctcountcpcsketch",
    "distinctcountrawcpcsketch",
    "distinctcountmv",
    "distinctcountsmarthll",
];

/// One aggregate of DataFusion's with its arguments.
#[derive(Debug)]
pub(crate) struct ExternalAggregate {
    aggregate: Arc<AggregateFunctionExpr>,
    argument_types: Vec<DataType>,
}

impl ExternalAggregate {
    /// Returns the aggregate over arguments that name columns of `table`.
    ///
    /// # Errors
    /// When its arguments do not fit it.
    pub(crate) fn of(
        function: &Arc<AggregateUDF>,
        arguments: &[Expr],
        distinct: bool,
        table: &SchemaRef,
        props: &ExecutionProps,
    ) -> Result<ExternalAggregate> {
        let inputs = DFSchema::try_from(Arc::clone(table))?;
        let context = PhysicalPlanningContext::default();
        let mut physical: Vec<Arc<dyn PhysicalExpr>> = Vec::with_capacity(arguments.len());
        for argument in arguments {
            physical.push(create_physical_expr(argument, &inputs, props, &context)?);
        }
        let argument_types =
            physical.iter().map(|argument| argument.data_type(table)).collect::<Result<_>>()?;
        let aggregate = AggregateExprBuilder::new(Arc::clone(function), physical)
            .schema(Arc::clone(table))
            .alias(function.name())
            .with_distinct(distinct)
            .build()?;
        Ok(ExternalAggregate { aggregate: Arc::new(aggregate), argument_types })
    }

    /// Returns the type of the results.
    pub(crate) fn data_type(&self) -> DataType {
        self.aggregate.field().data_type().clone()
    }
}

impl ExternalFunction for ExternalAggregate {
    fn is_of_distinct_values(&self) -> bool {
        OF_DISTINCT_VALUES.contains(&self.aggregate.fun().name())
    }

    fn start(&self, grouped: bool) -> ExecutionResult<Box<dyn ExternalStates>> {
        if !grouped {
            return Ok(Box::new(One(self.aggregate.create_accumulator().map_err(failed)?)));
        }
        let mut states: Box<dyn GroupsAccumulator> = match self.aggregate.groups_accumulator_supported() {
            true => self.aggregate.create_groups_accumulator().map_err(failed)?,
            false => {
                let aggregate = Arc::clone(&self.aggregate);
                Box::new(GroupsAccumulatorAdapter::new(move || aggregate.create_accumulator()))
            }
        };
        let no_rows: Vec<ArrayRef> = self.argument_types.iter().map(new_empty_array).collect();
        // Without a filter DataFusion takes every group for one that has rows; told once that there is one, it keeps count. Here
        // groups come without rows too, where the filter of this aggregate passes none.
        let no_filter = BooleanArray::new_null(0);
        states.update_batch(&no_rows, &[], Some(&no_filter), 0).map_err(failed)?;
        Ok(Box::new(Grouped { states, no_rows, result_type: self.data_type(), known: 0, groups: Vec::new() }))
    }

    fn codes(&self, values: &ArrayRef) -> ExecutionResult<Option<ArrayRef>> {
        meunier_functions::hashes_for(self.aggregate.fun().name(), values).map_err(failed)
    }
}

/// The state of one group that is always there.
struct One(Box<dyn Accumulator>);

impl ExternalStates for One {
    fn take(&mut self, inputs: &[ArrayRef], _: Option<&[u32]>, _: usize) -> ExecutionResult<()> {
        self.0.update_batch(inputs).map_err(failed)
    }

    fn merge(&mut self, partial: &[ArrayRef], _: &[u32], _: usize) -> ExecutionResult<()> {
        self.0.merge_batch(partial).map_err(failed)
    }

    fn partial(&mut self, _: usize) -> ExecutionResult<Vec<ArrayRef>> {
        let states = self.0.state().map_err(failed)?;
        states.iter().map(|state| state.to_array().map_err(failed)).collect()
    }

    fn finish(&mut self, _: usize) -> ExecutionResult<ArrayRef> {
        self.0.evaluate().and_then(|result| result.to_array()).map_err(failed)
    }

    fn memory_bytes(&self) -> usize {
        self.0.size()
    }
}

/// The states of any number of groups.
struct Grouped {
    states: Box<dyn GroupsAccumulator>,
    /// The inputs of no row.
    no_rows: Vec<ArrayRef>,
    result_type: DataType,
    /// How many groups the states know of.
    known: usize,
    /// The rows' groups as DataFusion counts them, used again for each block.
    groups: Vec<usize>,
}

impl Grouped {
    fn set_groups(&mut self, groups: &[u32], group_count: usize) {
        self.known = group_count;
        self.groups.clear();
        self.groups.extend(groups.iter().map(|&group| group as usize));
    }

    /// Tells the states of groups that had no row.
    fn know(&mut self, group_count: usize) -> ExecutionResult<()> {
        if self.known < group_count {
            self.known = group_count;
            self.states.update_batch(&self.no_rows, &[], None, group_count).map_err(failed)?;
        }
        Ok(())
    }
}

impl ExternalStates for Grouped {
    fn take(
        &mut self,
        inputs: &[ArrayRef],
        groups: Option<&[u32]>,
        group_count: usize,
    ) -> ExecutionResult<()> {
        self.set_groups(groups.unwrap_or_default(), group_count);
        self.states.update_batch(inputs, &self.groups, None, group_count).map_err(failed)
    }

    fn merge(&mut self, partial: &[ArrayRef], groups: &[u32], group_count: usize) -> ExecutionResult<()> {
        self.set_groups(groups, group_count);
        self.states.merge_batch(partial, &self.groups, group_count).map_err(failed)
    }

    fn partial(&mut self, group_count: usize) -> ExecutionResult<Vec<ArrayRef>> {
        self.know(group_count)?;
        self.states.state(EmitTo::All).map_err(failed)
    }

    fn finish(&mut self, group_count: usize) -> ExecutionResult<ArrayRef> {
        if group_count == 0 {
            // An adapter cannot tell the type of no result.
            return Ok(new_empty_array(&self.result_type));
        }
        self.know(group_count)?;
        self.states.evaluate(EmitTo::All).map_err(failed)
    }

    fn memory_bytes(&self) -> usize {
        self.states.size() + self.groups.capacity() * size_of::<usize>()
    }
}

impl fmt::Debug for One {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("One").finish_non_exhaustive()
    }
}

impl fmt::Debug for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grouped").field("known", &self.known).finish_non_exhaustive()
    }
}

fn failed(error: DataFusionError) -> ExecutionError {
    ExecutionError::Compute(Box::new(error))
}
