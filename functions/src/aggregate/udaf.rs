//! An aggregate of ours as DataFusion calls it.
//!
//! Every aggregate goes this way: its states are held by [`States`], one a group, whether rows are grouped or not. A
//! multi-value first argument is taken element by element here, so that no aggregate knows of it.

use std::hash::{Hash, Hasher};
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, ListArray, UInt32Array};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{not_impl_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

use super::call::Call;
use super::computation::{Rows, States};
use crate::canonical;
use crate::description::{FunctionDescription, FunctionGroup};

/// What there is to know of one aggregate.
#[derive(Debug)]
pub(crate) struct Definition {
    /// Its names and how it is called.
    pub(crate) description: FunctionDescription,
    /// How many arguments it takes.
    pub(crate) arguments: RangeInclusive<usize>,
    /// Whether a multi-value first argument stands for its elements.
    pub(crate) elements: bool,
    /// Returns the type of the result from those of the arguments.
    pub(crate) result: fn(&[DataType]) -> Result<DataType>,
    /// Reads the constants and starts with no group.
    pub(crate) start: fn(&Call) -> Result<Box<dyn States>>,
}

impl Definition {
    /// Returns the description of an aggregate.
    pub(crate) const fn describe(
        name: &'static str,
        aliases: &'static [&'static str],
        signature: &'static str,
        text: &'static str,
    ) -> FunctionDescription {
        FunctionDescription { name, aliases, signature, group: FunctionGroup::Aggregate, text }
    }
}

/// An aggregate of ours as DataFusion calls it.
#[derive(Debug)]
pub(crate) struct PinotAggregate {
    definition: &'static Definition,
    /// The canonical name.
    name: String,
    signature: Signature,
}

impl PinotAggregate {
    pub(crate) fn new(definition: &'static Definition) -> PinotAggregate {
        let name = canonical(definition.description.name);
        PinotAggregate { definition, name, signature: Signature::variadic_any(Volatility::Immutable) }
    }

    fn takes_elements(&self, types: &[DataType]) -> bool {
        self.definition.elements && matches!(types.first(), Some(DataType::List(_)))
    }

    fn inner_types(&self, types: &[DataType]) -> Vec<DataType> {
        let mut types: Vec<DataType> = types.iter().map(plain).collect();
        if let (true, Some(DataType::List(element))) = (self.definition.elements, types.first()) {
            types[0] = plain(element.data_type());
        }
        types
    }

    fn start(&self, args: &AccumulatorArgs<'_>) -> Result<Grouped> {
        let FunctionDescription { name, signature, .. } = self.definition.description;
        if args.is_distinct {
            return not_impl_err!("DISTINCT in `{name}` is not served; call it as {signature}");
        }
        let types: Vec<DataType> = args.expr_fields.iter().map(|field| field.data_type().clone()).collect();
        let call = Call::new(name, signature, self.inner_types(&types), args)?;
        let states = (self.definition.start)(&call)?;
        let elements = self.takes_elements(&types);
        Ok(Grouped { definition: self.definition, call, states, elements })
    }
}

impl PartialEq for PinotAggregate {
    fn eq(&self, other: &PinotAggregate) -> bool {
        self.name == other.name
    }
}

impl Eq for PinotAggregate {}

impl Hash for PinotAggregate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl AggregateUDFImpl for PinotAggregate {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let FunctionDescription { name, signature, .. } = self.definition.description;
        if !self.definition.arguments.contains(&types.len()) {
            return plan_err!("`{name}` does not take {} arguments; call it as {signature}", types.len());
        }
        (self.definition.result)(&self.inner_types(types))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format!("{}[state]", args.name), DataType::LargeBinary, true))])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Ungrouped(self.start(&args)?, Vec::new())))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(self.start(&args)?))
    }
}

/// Returns the type of a text or a dictionary's values without how Arrow lays it out.
pub(crate) fn plain(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Dictionary(_, values) => plain(values),
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary | DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::LargeList(element) => DataType::List(Arc::clone(element)),
        other => other.clone(),
    }
}

/// States that DataFusion gives rows with their groups.
struct Grouped {
    definition: &'static Definition,
    call: Call,
    states: Box<dyn States>,
    /// The first argument is a list to be taken element by element.
    elements: bool,
}

impl Grouped {
    fn update(
        &mut self,
        arguments: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        if !self.elements {
            return self.states.update(&Rows { arguments, groups, filter }, total);
        }
        let exploded = Exploded::of(arguments, filter)?;
        let groups: Vec<usize> = exploded.rows.values().iter().map(|row| groups[*row as usize]).collect();
        self.states.update(&Rows { arguments: &exploded.arguments, groups: &groups, filter: None }, total)
    }

    fn count(&self, emit: EmitTo) -> usize {
        match emit {
            EmitTo::All => self.states.len(),
            EmitTo::First(count) => count,
        }
    }
}

impl GroupsAccumulator for Grouped {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.update(values, group_indices, opt_filter, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let count = self.count(emit_to);
        let results = self.states.finish(count)?;
        self.states.forget(count);
        Ok(results)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let count = self.count(emit_to);
        let written = self.states.write(count);
        self.states.forget(count);
        Ok(vec![Arc::new(written)])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.states.merge(&values[0], group_indices, total_num_groups)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |values| values.len());
        let own_groups: Vec<usize> = (0..rows).collect();
        let mut each_row = Grouped {
            definition: self.definition,
            call: self.call.clone(),
            states: (self.definition.start)(&self.call)?,
            elements: self.elements,
        };
        each_row.update(values, &own_groups, opt_filter, rows)?;
        Ok(vec![Arc::new(each_row.states.write(rows))])
    }

    fn size(&self) -> usize {
        self.states.bytes()
    }
}

/// One group of all rows; the vector is as many zeros as the largest batch has rows.
struct Ungrouped(Grouped, Vec<usize>);

impl std::fmt::Debug for Ungrouped {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Ungrouped").finish_non_exhaustive()
    }
}

impl Accumulator for Ungrouped {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = values.first().map_or(0, |values| values.len());
        if self.1.len() < rows {
            self.1.resize(rows, 0);
        }
        self.0.update(values, &self.1[..rows], None, 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.states.grow(1);
        ScalarValue::try_from_array(&self.0.states.finish(1)?, 0)
    }

    fn size(&self) -> usize {
        self.0.states.bytes() + self.1.capacity() * size_of::<usize>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.states.grow(1);
        Ok(vec![ScalarValue::try_from_array(&self.0.states.write(1), 0)?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let groups = vec![0; states[0].len()];
        self.0.states.merge(&states[0], &groups, 1)
    }
}

/// A batch with one row for each element of its first argument.
pub(crate) struct Exploded {
    pub(crate) arguments: Vec<ArrayRef>,
    /// The row of the batch that each element comes from.
    pub(crate) rows: UInt32Array,
}

impl Exploded {
    pub(crate) fn of(arguments: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Exploded> {
        let lists = as_list(&arguments[0])?;
        let counts = |row: usize| {
            lists.is_valid(row) && filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
        };
        let (mut rows, mut elements) = (Vec::new(), Vec::new());
        for (row, range) in lists.value_offsets().windows(2).enumerate() {
            if counts(row) {
                let range = range[0].cast_unsigned()..range[1].cast_unsigned();
                rows.extend(std::iter::repeat_n(u32::try_from(row).unwrap_or(u32::MAX), range.len()));
                elements.extend(range);
            }
        }
        let rows = UInt32Array::from(rows);
        let mut exploded = vec![take(lists.values(), &UInt32Array::from(elements), None)?];
        for argument in &arguments[1..] {
            exploded.push(take(argument, &rows, None)?);
        }
        Ok(Exploded { arguments: exploded, rows })
    }
}

fn as_list(array: &ArrayRef) -> Result<ListArray> {
    match array.data_type() {
        DataType::LargeList(element) => {
            Ok(cast(array, &DataType::List(Arc::clone(element)))?.as_list::<i32>().clone())
        }
        _ => Ok(array.as_list::<i32>().clone()),
    }
}
