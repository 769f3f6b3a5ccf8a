//! A function of one row's values: its names, what it takes and gives, and what computes it.
//!
//! A function has one or more [`Overload`]s, told apart by how many arguments they take, or by their types. Arguments are
//! brought to the wanted types here, so that a kernel sees nothing else.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, UInt32Array, new_null_array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{exec_err, internal_err, plan_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

use super::call::{Call, Column, Fault};
use super::kind::{Kind, array_of, element_field, element_type};
use crate::canonical;
use crate::description::{FunctionDescription, FunctionGroup};

/// The key of a field's metadata that names Pinot's type where Arrow has one type for two of Pinot's.
const PINOT_TYPE: &str = "pinot.type";

/// What computes the rows of a batch.
pub(crate) type Kernel = Box<dyn Fn(&Call<'_>) -> Result<ArrayRef, Fault> + Send + Sync>;

/// What a function has to do with arrays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArrayUse {
    /// Nothing: it takes one value at a time.
    None,
    /// It takes a whole array and gives one value.
    Takes,
    /// Of an array it gives an array.
    Gives,
}

/// What a call gives.
#[derive(Debug, Clone)]
pub(crate) enum Gives {
    /// Always the same type.
    Type(DataType),
    /// JSON: a text of another type in answers.
    Json,
    /// A type that depends on the arguments.
    Of(fn(&Asked<'_>) -> Result<Gives, Fault>),
}

/// What is known of a call when it is planned.
pub(crate) struct Asked<'a> {
    /// The arguments' types.
    pub(crate) types: Vec<DataType>,
    /// The arguments that are constants.
    pub(crate) constants: &'a [Option<&'a ScalarValue>],
}

impl Asked<'_> {
    /// Returns the constant text at a position.
    pub(crate) fn text(&self, position: usize) -> Option<&str> {
        self.constants.get(position).copied().flatten().and_then(|scalar| scalar.try_as_str().flatten())
    }
}

/// One way to call a function.
pub(crate) struct Overload {
    kinds: Vec<Kind>,
    /// How many of the kinds must be there.
    required: usize,
    /// Whether the last kind may come any number of times.
    repeats: bool,
    gives: Gives,
    kernel: Kernel,
}

impl Overload {
    /// Returns an overload that takes each of the kinds once.
    pub(crate) fn new(
        kinds: &[Kind],
        gives: Gives,
        kernel: impl Fn(&Call<'_>) -> Result<ArrayRef, Fault> + Send + Sync + 'static,
    ) -> Overload {
        Overload {
            kinds: kinds.to_vec(),
            required: kinds.len(),
            repeats: false,
            gives,
            kernel: Box::new(kernel),
        }
    }

    /// Only the first arguments must be there.
    pub(crate) fn required(mut self, required: usize) -> Overload {
        self.required = required;
        self
    }

    /// The last argument may come any number of times.
    pub(crate) fn repeats(mut self) -> Overload {
        self.repeats = true;
        self
    }

    fn takes_count(&self, count: usize) -> bool {
        count >= self.required && (self.repeats || count <= self.kinds.len())
    }

    fn kind(&self, position: usize) -> Kind {
        let last = self.kinds.len().saturating_sub(1);
        self.kinds.get(position.min(last)).copied().unwrap_or(Kind::Any)
    }

    fn takes(&self, types: &[DataType]) -> bool {
        types.iter().enumerate().all(|(position, data_type)| self.kind(position).takes(data_type))
    }
}

/// A function of one row's values.
pub(crate) struct Function {
    pub(crate) description: FunctionDescription,
    inner_name: String,
    overloads: Vec<Overload>,
    volatility: Volatility,
    /// An array where one value is wanted gives an array of the results.
    over_arrays: bool,
    /// The results are arrays, though only the arguments tell of what.
    gives_array: bool,
}

impl Function {
    /// Returns a function.
    pub(crate) fn new<const N: usize>(
        group: FunctionGroup,
        names: &'static [&'static str],
        signature: &'static str,
        text: &'static str,
        overloads: [Overload; N],
    ) -> Function {
        let (name, aliases) = names.split_first().expect("a function has a name");
        Function {
            description: FunctionDescription { name, aliases, signature, group, text },
            inner_name: canonical(name),
            overloads: overloads.into(),
            volatility: Volatility::Immutable,
            over_arrays: false,
            gives_array: false,
        }
    }

    /// Another result each time.
    pub(crate) fn volatile(mut self) -> Function {
        self.volatility = Volatility::Volatile;
        self
    }

    /// Takes an array where it wants one value, and gives an array of the results.
    pub(crate) fn over_arrays(mut self) -> Function {
        self.over_arrays = true;
        self
    }

    /// The results are arrays of whatever the arguments are.
    pub(crate) fn gives_array(mut self) -> Function {
        self.gives_array = true;
        self
    }

    /// Returns what the function has to do with arrays.
    pub(crate) fn array_use(&self) -> ArrayUse {
        let gives_array = |overload: &Overload| matches!(&overload.gives, Gives::Type(DataType::List(_)));
        let takes_array = |overload: &Overload| {
            overload.kinds.iter().any(|kind| matches!(kind, Kind::Many(_) | Kind::AnyArray))
        };
        match () {
            () if self.over_arrays || self.gives_array => ArrayUse::Gives,
            () if !self.overloads.iter().any(takes_array) => ArrayUse::None,
            () if self.overloads.iter().any(gives_array) => ArrayUse::Gives,
            () => ArrayUse::Takes,
        }
    }

    /// Returns the type of the results, when it is the same for all arguments.
    pub(crate) fn settled_type(&self) -> Option<DataType> {
        let mut types = self.overloads.iter().map(|overload| match &overload.gives {
            Gives::Type(data_type) => Some(data_type),
            Gives::Json | Gives::Of(_) => None,
        });
        let first = types.next()??;
        (!self.over_arrays && types.all(|other| other == Some(first))).then(|| first.clone())
    }

    /// Returns the function as DataFusion plans it.
    pub(crate) fn planned(self) -> ScalarUDF {
        let volatility = self.volatility;
        ScalarUDF::new_from_impl(Planned { function: self, signature: Signature::user_defined(volatility) })
    }

    fn overload(&self, types: &[DataType]) -> Result<&Overload> {
        let mut of_count =
            self.overloads.iter().filter(|overload| overload.takes_count(types.len())).peekable();
        if of_count.peek().is_none() {
            return plan_err!("`{}` cannot take {} arguments", self.description.signature, types.len());
        }
        match of_count.find(|overload| overload.takes(types)) {
            Some(overload) => Ok(overload),
            None => {
                let types: Vec<_> = types.iter().map(ToString::to_string).collect();
                plan_err!("`{}` cannot take ({})", self.description.signature, types.join(", "))
            }
        }
    }

    /// Returns the position of the array that the function is to go through, if it is called so.
    fn array_position(&self, types: &[DataType]) -> Option<usize> {
        let overload = self.overloads.iter().find(|overload| overload.takes_count(types.len()))?;
        let mut positions = (0..types.len()).filter(|position| {
            matches!(overload.kind(*position), Kind::One(_)) && element_type(&types[*position]).is_some()
        });
        positions.next().filter(|_| self.over_arrays)
    }

    fn result_type(
        &self,
        types: Vec<DataType>,
        constants: &[Option<&ScalarValue>],
    ) -> Result<(DataType, bool)> {
        if let Some(position) = self.array_position(&types) {
            let mut of_elements = types;
            let Some(element) = element_type(&of_elements[position]).cloned() else {
                return plan_err!("`{}` goes through an array", self.description.signature);
            };
            of_elements[position] = element;
            let (of_each, json) = self.result_type(of_elements, constants)?;
            return Ok((array_of(of_each), json));
        }
        let mut gives = self.overload(&types)?.gives.clone();
        if let Gives::Of(decide) = gives {
            let asked = Asked { types, constants };
            gives = decide(&asked).map_err(|fault| self.explained(fault))?;
        }
        match gives {
            Gives::Type(data_type) => Ok((data_type, false)),
            Gives::Json => Ok((DataType::Utf8, true)),
            Gives::Of(_) => internal_err!("the type of `{}` is not settled", self.description.signature),
        }
    }

    fn explained(&self, fault: Fault) -> DataFusionError {
        fault.into_error(self.description.signature)
    }

    fn compute(&self, columns: Vec<Column>, rows: usize, given: &DataType) -> Result<ColumnarValue> {
        let types: Vec<_> = columns.iter().map(|column| column.array.data_type().clone()).collect();
        if let Some(position) = self.array_position(&types) {
            return self.compute_elements(columns, position, rows, given);
        }
        let overload = self.overload(&types)?;
        let mut brought = Vec::with_capacity(columns.len());
        for (position, column) in columns.into_iter().enumerate() {
            let array = overload.kind(position).bring(&column.array);
            let array = array.map_err(|error| self.explained(Fault::from(error)))?;
            brought.push(Column { array, constant: column.constant });
        }
        let constant =
            self.volatility == Volatility::Immutable && brought.iter().all(|column| column.constant);
        let call = Call { columns: &brought, rows: if constant { 1 } else { rows }, given };
        let result = (overload.kernel)(&call).map_err(|fault| self.explained(fault))?;
        if constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?));
        }
        Ok(ColumnarValue::Array(result))
    }

    fn compute_elements(
        &self,
        mut columns: Vec<Column>,
        position: usize,
        rows: usize,
        given: &DataType,
    ) -> Result<ColumnarValue> {
        let constant = columns.iter().all(|column| column.constant);
        let rows = if constant { 1 } else { rows };
        let lists = columns[position].to_rows(rows)?;
        let lists = Kind::AnyArray.bring(&lists)?;
        let lists = lists.as_list::<i32>();
        let mut row_of_element = Vec::with_capacity(lists.values().len());
        for row in 0..lists.len() {
            let elements = usize::try_from(lists.value_length(row)).unwrap_or(0);
            row_of_element.extend(std::iter::repeat_n(u32::try_from(row).unwrap_or(u32::MAX), elements));
        }
        let (first, last) = (lists.value_offsets()[0], lists.value_offsets()[lists.len()]);
        let (first, last) = (usize::try_from(first).unwrap_or(0), usize::try_from(last).unwrap_or(0));
        let elements = lists.values().slice(first, last - first);
        let row_of_element = UInt32Array::from(row_of_element);
        for (other, column) in columns.iter_mut().enumerate() {
            if other == position {
                *column = Column { array: Arc::clone(&elements), constant: false };
            } else if !column.constant {
                column.array = take(&column.array, &row_of_element, None)?;
            }
        }
        let given = element_type(given).cloned().unwrap_or(DataType::Null);
        let results = self.compute(columns, elements.len(), &given)?.into_array(elements.len())?;
        let offsets = arrow::buffer::OffsetBuffer::from_lengths(
            (0..lists.len()).map(|row| usize::try_from(lists.value_length(row)).unwrap_or(0)),
        );
        let field = element_field(results.data_type().clone());
        let lists = ListArray::try_new(field, offsets, results, lists.nulls().cloned())?;
        if constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&lists, 0)?));
        }
        Ok(ColumnarValue::Array(Arc::new(lists)))
    }

    /// Computes each value of a dictionary once, when nothing else differs from row to row.
    fn compute_dictionary(&self, columns: &[Column], given: &DataType) -> Option<ColumnarValue> {
        let mut differing = columns.iter().filter(|column| !column.constant);
        let (only, None) = (differing.next()?, differing.next()) else { return None };
        let dictionary = only.array.as_any_dictionary_opt()?;
        let values = dictionary.values();
        let worth_it = values.len() <= only.array.len() && values.null_count() == 0;
        if self.volatility != Volatility::Immutable || !worth_it || dictionary.keys().null_count() > 0 {
            return None;
        }
        let of_values = columns.iter().map(|column| match column.constant {
            true => column.clone(),
            false => Column { array: Arc::clone(values), constant: false },
        });
        // A value that no row has may fail: then the rows are computed one by one.
        let results = self.compute(of_values.collect(), values.len(), given).ok()?;
        let results = results.into_array(values.len()).ok()?;
        Some(ColumnarValue::Array(take(&results, dictionary.keys(), None).ok()?))
    }
}

/// A function in DataFusion's form.
struct Planned {
    function: Function,
    signature: Signature,
}

impl std::fmt::Debug for Planned {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.function.description.signature)
    }
}

/// The name says which function it is.
impl PartialEq for Planned {
    fn eq(&self, other: &Planned) -> bool {
        self.function.inner_name == other.function.inner_name
    }
}

impl Eq for Planned {}

impl Hash for Planned {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.inner_name.hash(state);
    }
}

impl ScalarUDFImpl for Planned {
    fn name(&self) -> &str {
        &self.function.inner_name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let mut of_elements = types.to_vec();
        if let Some(position) = self.function.array_position(types)
            && let Some(element) = element_type(&types[position])
        {
            of_elements[position] = element.clone();
        }
        self.function.overload(&of_elements)?;
        Ok(types.to_vec())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(self.function.result_type(types.to_vec(), &vec![None; types.len()])?.0)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let (data_type, json) = self.function.result_type(types, args.scalar_arguments)?;
        let field = Field::new(self.name(), data_type, true);
        Ok(Arc::new(match json {
            true => field.with_metadata([(PINOT_TYPE.to_owned(), "JSON".to_owned())].into()),
            false => field,
        }))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let given = args.return_field.data_type();
        if args.number_rows == 0 {
            return Ok(ColumnarValue::Array(new_null_array(given, 0)));
        }
        let mut columns = Vec::with_capacity(args.args.len());
        for argument in &args.args {
            columns.push(match argument {
                ColumnarValue::Array(array) => Column { array: Arc::clone(array), constant: false },
                ColumnarValue::Scalar(scalar) => Column { array: scalar.to_array()?, constant: true },
            });
        }
        if let Some(result) = self.function.compute_dictionary(&columns, given) {
            return Ok(result);
        }
        let result = self.function.compute(columns, args.number_rows, given)?;
        if result.data_type() != *given {
            return exec_err!("`{}` gave {} for {given}", self.name(), result.data_type());
        }
        Ok(result)
    }
}
