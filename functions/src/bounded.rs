//! Functions whose result can be much larger than their arguments, held to a limit.
//!
//! `replace` nested three times makes a gigabyte from a kilobyte, and the planner folds constants before any memory limit
//! counts. So what a call makes is counted, or reckoned from the arguments first, and too much of it is an error.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::BooleanArray;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::NullBuffer;
use arrow::compute::{cast, nullif};
use arrow::datatypes::DataType;
use arrow::datatypes::FieldRef;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

/// Most bytes of text that one call may make for one batch of rows.
pub(crate) const RESULT_BYTES_MAX: usize = 256 << 20;
/// Longest single text that a call may make: far above any message, and made in milliseconds.
pub(crate) const VALUE_BYTES_MAX: usize = 4 << 20;

/// A text function whose result is as large as all its arguments together, checked first; null where an argument is.
#[derive(Debug)]
pub(crate) struct BoundedText {
    name: &'static str,
    inner: Arc<ScalarUDF>,
}

impl BoundedText {
    /// Returns `inner` with its result bounded, under a name of our map.
    pub(crate) fn wrap(name: &'static str, inner: Arc<ScalarUDF>) -> Arc<ScalarUDF> {
        Arc::new(ScalarUDF::new_from_impl(BoundedText { name, inner }))
    }
}

impl BoundedText {
    fn check(&self, bytes: usize, place: &str, max: usize) -> Result<()> {
        if bytes <= max {
            return Ok(());
        }
        let name = self.name();
        let detail = format!("`{name}` could make {bytes} bytes of text {place}, at most {max} are allowed");
        Err(DataFusionError::ResourcesExhausted(detail))
    }
}

impl PartialEq for BoundedText {
    fn eq(&self, other: &BoundedText) -> bool {
        self.name == other.name && self.inner == other.inner
    }
}

impl Eq for BoundedText {}

impl Hash for BoundedText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.inner.hash(state);
    }
}

impl ScalarUDFImpl for BoundedText {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(arg_types)
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arg_types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let field = self.inner.return_field_from_args(args)?;
        Ok(Arc::new(field.as_ref().clone().with_nullable(true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let mut sizes = Vec::with_capacity(args.args.len());
        for argument in &args.args {
            sizes.push(Sizes::of(argument, rows)?);
        }
        let sum = |measure: fn(&Sizes) -> usize| sizes.iter().map(measure).fold(0, usize::saturating_add);
        self.check(sum(|sizes| sizes.total), "for one batch of rows", RESULT_BYTES_MAX)?;
        self.check(sum(|sizes| sizes.longest), "in one value", VALUE_BYTES_MAX)?;
        let arguments = args.args.clone();
        let result = self.inner.invoke_with_args(args)?;
        null_where_an_argument_is(result, &arguments, rows)
    }
}

/// How large one argument is over all rows.
struct Sizes {
    total: usize,
    longest: usize,
}

impl Sizes {
    fn of(argument: &ColumnarValue, rows: usize) -> Result<Sizes> {
        let array = match argument {
            ColumnarValue::Array(array) => Arc::clone(array),
            ColumnarValue::Scalar(scalar) => scalar.to_array()?,
        };
        let one_for_all = array.len() == 1 && rows > 1;
        let text =
            if *array.data_type() == DataType::Utf8View { array } else { cast(&array, &DataType::Utf8View)? };
        let mut sizes = Sizes { total: 0, longest: 0 };
        for value in text.as_string_view().iter() {
            let length = value.map_or(0, str::len);
            sizes.total = sizes.total.saturating_add(length);
            sizes.longest = sizes.longest.max(length);
        }
        if one_for_all {
            sizes.total = sizes.total.saturating_mul(rows);
        }
        Ok(sizes)
    }
}

fn null_where_an_argument_is(
    result: ColumnarValue,
    arguments: &[ColumnarValue],
    rows: usize,
) -> Result<ColumnarValue> {
    let mut valid: Option<NullBuffer> = None;
    for argument in arguments {
        let array: ArrayRef = argument.to_array(rows)?;
        valid = NullBuffer::union(valid.as_ref(), array.logical_nulls().as_ref());
    }
    let Some(valid) = valid else { return Ok(result) };
    let array = result.to_array(rows)?;
    Ok(ColumnarValue::Array(nullif(&array, &BooleanArray::new(!valid.inner(), None))?))
}
