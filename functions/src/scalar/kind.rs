//! What an argument is wanted as, and how a value of another type becomes it.
//!
//! Pinot's rules: a number where a text is wanted becomes its text, a text where a number is wanted is parsed, a TIMESTAMP
//! is its milliseconds, a BOOLEAN is 1 or 0, BYTES are written in hex.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Decimal256Array, ListArray, StringArray,
    TimestampMillisecondArray, new_null_array,
};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{
    DataType, Decimal256Type, Field, Float32Type, Float64Type, TimeUnit, TimestampMillisecondType,
};
use datafusion::common::exec_err;
use datafusion::error::Result;
use meunier_segment::value::{
    BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE, format_big_decimal, format_hex, format_timestamp,
    parse_big_decimal, parse_hex, parse_timestamp,
};

use super::number;

/// What an argument is wanted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// As it comes.
    Any,
    /// One value of a type.
    One(Scalar),
    /// One value that has the type already.
    Only(Scalar),
    /// An array of a type.
    Many(Scalar),
    /// An array of whatever it has.
    AnyArray,
}

/// Pinot's types of single values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    Int,
    Long,
    Float,
    Double,
    Decimal,
    Boolean,
    Timestamp,
    Text,
    Bytes,
}

/// The Arrow type of BIG_DECIMAL.
pub(crate) const DECIMAL: DataType = DataType::Decimal256(BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE);
/// The Arrow type of TIMESTAMP.
pub(crate) const TIMESTAMP: DataType = DataType::Timestamp(TimeUnit::Millisecond, None);

/// Returns the type of arrays of a type.
pub(crate) fn array_of(element: DataType) -> DataType {
    DataType::List(element_field(element))
}

/// Returns the field of an array's elements.
pub(crate) fn element_field(element: DataType) -> Arc<Field> {
    Arc::new(Field::new_list_field(element, true))
}

impl Scalar {
    /// Returns the Arrow type that values are brought to.
    pub(crate) fn data_type(self) -> DataType {
        match self {
            Scalar::Int => DataType::Int32,
            Scalar::Long => DataType::Int64,
            Scalar::Float => DataType::Float32,
            Scalar::Double => DataType::Float64,
            Scalar::Decimal => DECIMAL,
            Scalar::Boolean => DataType::Boolean,
            Scalar::Timestamp => TIMESTAMP,
            Scalar::Text => DataType::Utf8,
            Scalar::Bytes => DataType::Binary,
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Scalar::Int => "an INT",
            Scalar::Long => "a LONG",
            Scalar::Float => "a FLOAT",
            Scalar::Double => "a DOUBLE",
            Scalar::Decimal => "a BIG_DECIMAL",
            Scalar::Boolean => "a BOOLEAN",
            Scalar::Timestamp => "a TIMESTAMP",
            Scalar::Text => "a STRING",
            Scalar::Bytes => "BYTES",
        }
    }
}

impl Kind {
    /// Returns whether a value of a type can be brought to this; single values can differ in what they say, so that a text
    /// may still be no number.
    pub(crate) fn takes(self, data_type: &DataType) -> bool {
        let is_array = element_type(data_type).is_some();
        match self {
            _ if *data_type == DataType::Null => true,
            Kind::Any => true,
            Kind::One(_) => !is_array && is_single(data_type),
            Kind::Only(scalar) => plain_type(data_type) == scalar.data_type(),
            Kind::Many(_) | Kind::AnyArray => is_array || is_single(data_type),
        }
    }

    /// Brings values to this kind. A single value where an array is wanted is an array of one.
    pub(crate) fn bring(self, values: &ArrayRef) -> Result<ArrayRef> {
        match self {
            Kind::Any => plain(values),
            Kind::One(scalar) | Kind::Only(scalar) => single(values, scalar),
            Kind::Many(scalar) => match element_type(values.data_type()) {
                Some(_) => elements(values, |inner| single(inner, scalar)),
                None if *values.data_type() == DataType::Null => {
                    Ok(new_null_array(&array_of(scalar.data_type()), values.len()))
                }
                None => Ok(arrays_of_one(&single(values, scalar)?)),
            },
            Kind::AnyArray => match element_type(values.data_type()) {
                Some(_) => elements(values, plain),
                None if *values.data_type() == DataType::Null => {
                    Ok(new_null_array(&array_of(DataType::Utf8), values.len()))
                }
                None => Ok(arrays_of_one(&plain(values)?)),
            },
        }
    }
}

/// Returns the type of the elements of an array type.
pub(crate) fn element_type(data_type: &DataType) -> Option<&DataType> {
    match data_type {
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            Some(field.data_type())
        }
        DataType::Dictionary(_, values) => element_type(values),
        _ => None,
    }
}

/// Returns the plain type of a value: texts as Utf8, bytes as Binary, without dictionaries.
pub(crate) fn plain_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Dictionary(_, values) => plain_type(values),
        DataType::Utf8View | DataType::LargeUtf8 | DataType::Utf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary | DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Int8 | DataType::Int16 | DataType::UInt8 | DataType::UInt16 => DataType::Int32,
        DataType::UInt32 | DataType::UInt64 => DataType::Int64,
        DataType::Decimal128(..) | DataType::Decimal256(..) => DECIMAL,
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => TIMESTAMP,
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            array_of(plain_type(field.data_type()))
        }
        other => other.clone(),
    }
}

fn plain(values: &ArrayRef) -> Result<ArrayRef> {
    let wanted = plain_type(values.data_type());
    Ok(if *values.data_type() == wanted { Arc::clone(values) } else { cast(values, &wanted)? })
}

fn is_single(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_single(values),
        other => {
            other.is_numeric()
                || matches!(
                    other,
                    DataType::Null
                        | DataType::Boolean
                        | DataType::Utf8
                        | DataType::LargeUtf8
                        | DataType::Utf8View
                        | DataType::Binary
                        | DataType::LargeBinary
                        | DataType::BinaryView
                        | DataType::FixedSizeBinary(_)
                        | DataType::Timestamp(..)
                        | DataType::Date32
                        | DataType::Date64
                )
        }
    }
}

fn elements(values: &ArrayRef, bring: impl Fn(&ArrayRef) -> Result<ArrayRef>) -> Result<ArrayRef> {
    let lists = match values.data_type() {
        DataType::List(_) => Arc::clone(values),
        other => {
            let element = element_type(other).cloned().unwrap_or(DataType::Null);
            cast(values, &array_of(element))?
        }
    };
    let lists = lists.as_list::<i32>();
    let inner = bring(lists.values())?;
    let field = element_field(inner.data_type().clone());
    Ok(Arc::new(ListArray::try_new(field, lists.offsets().clone(), inner, lists.nulls().cloned())?))
}

fn arrays_of_one(values: &ArrayRef) -> ArrayRef {
    let offsets = arrow::buffer::OffsetBuffer::from_lengths(std::iter::repeat_n(1, values.len()));
    let field = element_field(values.data_type().clone());
    Arc::new(ListArray::new(field, offsets, Arc::clone(values), values.logical_nulls()))
}

fn single(values: &ArrayRef, wanted: Scalar) -> Result<ArrayRef> {
    if *values.data_type() == wanted.data_type() {
        return Ok(Arc::clone(values));
    }
    if *values.data_type() == DataType::Null {
        return Ok(new_null_array(&wanted.data_type(), values.len()));
    }
    let values = plain(values)?;
    if *values.data_type() == wanted.data_type() {
        return Ok(values);
    }
    match (values.data_type(), wanted) {
        (DataType::Utf8, _) => parsed(values.as_string(), wanted),
        (_, Scalar::Text) => written(&values),
        (DataType::Timestamp(..), _) => single(&cast(&values, &DataType::Int64)?, wanted),
        (DataType::Boolean, Scalar::Timestamp) | (_, Scalar::Bytes) | (DataType::Binary, _) => {
            exec_err!("{} cannot be taken as {}", values.data_type(), wanted.noun())
        }
        (DataType::Float32 | DataType::Float64, Scalar::Int | Scalar::Long | Scalar::Timestamp) => {
            narrowed(&values, wanted)
        }
        (DataType::Float32 | DataType::Float64, Scalar::Decimal) => {
            parsed(written(&values)?.as_string(), wanted)
        }
        (_, Scalar::Timestamp) => Ok(cast(&single(&values, Scalar::Long)?, &TIMESTAMP)?),
        (_, _) => strictly(&values, &wanted.data_type()),
    }
}

/// Java's narrowing of floating numbers: towards zero, and to the nearest end where it is too large.
fn narrowed(values: &ArrayRef, wanted: Scalar) -> Result<ArrayRef> {
    let doubles = cast(values, &DataType::Float64)?;
    let longs = doubles.as_primitive::<Float64Type>();
    Ok(match wanted {
        Scalar::Int => {
            Arc::new(longs.unary::<_, arrow::datatypes::Int32Type>(number::double_to_int)) as ArrayRef
        }
        _ => single(
            &(Arc::new(longs.unary::<_, arrow::datatypes::Int64Type>(number::double_to_long)) as ArrayRef),
            wanted,
        )?,
    })
}

/// A cast that fails where a value does not fit.
fn strictly(values: &ArrayRef, wanted: &DataType) -> Result<ArrayRef> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    Ok(cast_with_options(values, wanted, &options)?)
}

fn parsed(texts: &StringArray, wanted: Scalar) -> Result<ArrayRef> {
    let bad = |text: &str| -> Result<()> { exec_err!("'{}' is not {}", shortened(text), wanted.noun()) };
    macro_rules! each {
        ($array:ty, $parse:expr) => {{
            let mut parsed = Vec::with_capacity(texts.len());
            for text in texts {
                let value = text.map(|text| ($parse(text.trim()), text));
                if let Some((None, text)) = value {
                    bad(text)?;
                }
                parsed.push(value.and_then(|(value, _)| value));
            }
            <$array>::from_iter(parsed)
        }};
    }
    Ok(match wanted {
        Scalar::Int => Arc::new(each!(arrow::array::Int32Array, number::parse_int)),
        Scalar::Long => Arc::new(each!(arrow::array::Int64Array, number::parse_long)),
        Scalar::Float => Arc::new(each!(arrow::array::Float32Array, number::parse_float)),
        Scalar::Double => Arc::new(each!(arrow::array::Float64Array, number::parse_double)),
        Scalar::Boolean => Arc::new(each!(BooleanArray, |text| Some(number::parse_boolean(text)))),
        Scalar::Timestamp => Arc::new(each!(TimestampMillisecondArray, parse_timestamp)),
        Scalar::Decimal => {
            let unscaled = each!(Decimal256Array, parse_big_decimal);
            Arc::new(unscaled.with_precision_and_scale(BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE)?)
        }
        Scalar::Bytes => {
            let mut bytes = Vec::with_capacity(texts.len());
            for text in texts {
                let value = text.map(|text| (parse_hex(text.trim()), text));
                if let Some((None, text)) = value {
                    bad(text)?;
                }
                bytes.push(value.and_then(|(value, _)| value));
            }
            Arc::new(BinaryArray::from_iter(bytes))
        }
        Scalar::Text => Arc::new(texts.clone()),
    })
}

fn written(values: &ArrayRef) -> Result<ArrayRef> {
    fn texts<T>(values: impl Iterator<Item = Option<T>>, write: impl Fn(T) -> String) -> ArrayRef {
        Arc::new(values.map(|value| value.map(&write)).collect::<StringArray>())
    }
    Ok(match values.data_type() {
        DataType::Float32 => texts(values.as_primitive::<Float32Type>().iter(), number::float_text),
        DataType::Float64 => texts(values.as_primitive::<Float64Type>().iter(), number::double_text),
        DataType::Decimal256(..) => texts(values.as_primitive::<Decimal256Type>().iter(), format_big_decimal),
        DataType::Timestamp(..) => {
            texts(values.as_primitive::<TimestampMillisecondType>().iter(), format_timestamp)
        }
        DataType::Binary => texts(values.as_binary::<i32>().iter(), format_hex),
        _ => strictly(values, &DataType::Utf8)?,
    })
}

/// Returns a text for a message, cut where it is long.
pub(crate) fn shortened(text: &str) -> String {
    const SHOWN_MAX: usize = 64;
    if text.chars().count() <= SHOWN_MAX {
        return text.to_owned();
    }
    text.chars().take(SHOWN_MAX).chain(['…']).collect()
}
