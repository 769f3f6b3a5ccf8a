//! Predicates on multi-value columns: true for a row when one of its elements passes the test.
//!
//! The dialect writes `tags = 'x'` on a multi-value column as `$mv_eq(tags, 'x')`, and `tags <> 'x'`, which Pinot means as
//! "no element equals", as the negation of the same.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder, Scalar};
use arrow::compute::kernels::{boolean, cmp, comparison};
use arrow::compute::{and, cast};
use arrow::datatypes::DataType;
use datafusion::common::{exec_err, internal_err};
use datafusion::error::Result;
use datafusion::logical_expr::type_coercion::binary::comparison_coercion;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use datafusion::scalar::ScalarValue;

/// What an element is tested for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ElementTest {
    /// Equal to the argument.
    Equal,
    /// Less than it.
    Less,
    /// Not greater.
    LessOrEqual,
    /// Greater.
    Greater,
    /// Not less.
    GreaterOrEqual,
    /// Equal to one of the arguments.
    In,
    /// Not less than the first argument and not greater than the second.
    Between,
    /// `LIKE` the argument.
    Like,
    /// A regular expression is found in it.
    Regexp,
}

impl ElementTest {
    /// All tests.
    pub const ALL: [ElementTest; 9] = [
        ElementTest::Equal,
        ElementTest::Less,
        ElementTest::LessOrEqual,
        ElementTest::Greater,
        ElementTest::GreaterOrEqual,
        ElementTest::In,
        ElementTest::Between,
        ElementTest::Like,
        ElementTest::Regexp,
    ];

    /// Returns the canonical name of the function that applies the test.
    pub fn function_name(self) -> &'static str {
        match self {
            ElementTest::Equal => "$mveq",
            ElementTest::Less => "$mvlt",
            ElementTest::LessOrEqual => "$mvle",
            ElementTest::Greater => "$mvgt",
            ElementTest::GreaterOrEqual => "$mvge",
            ElementTest::In => "$mvin",
            ElementTest::Between => "$mvbetween",
            ElementTest::Like => "$mvlike",
            ElementTest::Regexp => "$mvregexp",
        }
    }

    /// Returns for each element whether it passes; null where the element is.
    ///
    /// # Errors
    /// When the arguments do not fit the elements' type.
    pub fn apply(self, elements: &ArrayRef, arguments: &[ScalarValue]) -> Result<BooleanArray> {
        let first = || arguments.first().map_or_else(|| internal_err!("an element test has an argument"), Ok);
        match self {
            ElementTest::Equal => compare(elements, first()?, cmp::eq),
            ElementTest::Less => compare(elements, first()?, cmp::lt),
            ElementTest::LessOrEqual => compare(elements, first()?, cmp::lt_eq),
            ElementTest::Greater => compare(elements, first()?, cmp::gt),
            ElementTest::GreaterOrEqual => compare(elements, first()?, cmp::gt_eq),
            ElementTest::In => {
                let mut found = compare(elements, first()?, cmp::eq)?;
                for argument in &arguments[1..] {
                    found = boolean::or(&found, &compare(elements, argument, cmp::eq)?)?;
                }
                Ok(found)
            }
            ElementTest::Between => {
                let [low, high] = arguments else { return internal_err!("BETWEEN has two bounds") };
                Ok(and(&compare(elements, low, cmp::gt_eq)?, &compare(elements, high, cmp::lt_eq)?)?)
            }
            ElementTest::Like => compare(elements, first()?, arrow::compute::like),
            ElementTest::Regexp => {
                let Some(Some(pattern)) = first()?.try_as_str() else {
                    return exec_err!("a regular expression is a text");
                };
                let text = cast(elements, &DataType::Utf8View)?;
                Ok(comparison::regexp_is_match_scalar(text.as_string_view(), pattern, None)?)
            }
        }
    }
}

type Kernel = fn(
    &dyn arrow::array::Datum,
    &dyn arrow::array::Datum,
) -> std::result::Result<BooleanArray, arrow::error::ArrowError>;

fn compare(elements: &ArrayRef, argument: &ScalarValue, kernel: Kernel) -> Result<BooleanArray> {
    let wanted = argument.data_type();
    let Some(common) = comparison_coercion(elements.data_type(), &wanted) else {
        return exec_err!(
            "a multi-value column of {} cannot be compared with {wanted}",
            elements.data_type()
        );
    };
    let elements = cast(elements, &common)?;
    let argument = argument.cast_to(&common)?.to_array()?;
    Ok(kernel(&elements, &Scalar::new(argument))?)
}

/// `$mv…(column, argument, …)`: whether any element of the row passes.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct AnyElement {
    test: ElementTest,
    signature: Signature,
}

impl AnyElement {
    pub(crate) fn new(test: ElementTest) -> AnyElement {
        AnyElement { test, signature: Signature::variadic_any(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for AnyElement {
    fn name(&self) -> &str {
        self.test.function_name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some((column, rest)) = args.args.split_first() else {
            return internal_err!("`{}` has a column", self.name());
        };
        let mut arguments = Vec::with_capacity(rest.len());
        for argument in rest {
            match argument {
                ColumnarValue::Scalar(scalar) => arguments.push(scalar.clone()),
                ColumnarValue::Array(_) => {
                    return exec_err!("a multi-value column is compared with constants only");
                }
            }
        }
        let column = column.to_array(args.number_rows)?;
        let Some(lists) = column.as_list_opt::<i32>() else {
            return exec_err!("`{}` tests a multi-value column, not {}", self.name(), column.data_type());
        };
        let offsets = lists.value_offsets();
        let (first, last) = (offsets[0] as usize, offsets[offsets.len() - 1] as usize);
        let passed = self.test.apply(&lists.values().slice(first, last - first), &arguments)?;
        let mut any = BooleanBufferBuilder::new(lists.len());
        for row in 0..lists.len() {
            let elements = offsets[row] as usize - first..offsets[row + 1] as usize - first;
            any.append(elements.into_iter().any(|element| passed.is_valid(element) && passed.value(element)));
        }
        Ok(ColumnarValue::Array(Arc::new(BooleanArray::new(any.finish(), lists.nulls().cloned()))))
    }
}
