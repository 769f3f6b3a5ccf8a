//! Gives a field of a record the type that the table config names for it, by the rules for columns.

use meunier_segment::reject::RejectReason;
use meunier_segment::schema::DataType;

use super::coerce::{
    to_boolean, to_double, to_float, to_int, to_long, to_timestamp, write_bytes, write_text,
};
use super::document::Scalar;
use super::timestamp_text::LastDay;
use crate::transform::FieldValue;

/// Returns a field's value in a type; a list is one in `is_list` only, where it has more than one element.
///
/// # Errors
/// Why it has none in this type.
pub(crate) fn in_type(
    value: FieldValue,
    data_type: DataType,
    is_list: bool,
) -> Result<FieldValue, RejectReason> {
    let elements = match value {
        FieldValue::List(elements) if data_type != DataType::Json => elements,
        single if is_list && single != FieldValue::Null => vec![single],
        single => return scalar_in_type(single, data_type),
    };
    let mut elements: Vec<FieldValue> =
        elements.into_iter().filter(|element| *element != FieldValue::Null).collect();
    match (is_list, elements.len()) {
        (_, 0) => Ok(FieldValue::Null),
        (true, _) => elements
            .into_iter()
            .map(|element| scalar_in_type(element, data_type))
            .collect::<Result<_, _>>()
            .map(FieldValue::List),
        (false, 1) => scalar_in_type(elements.remove(0), data_type),
        (false, _) => Err(RejectReason::TypeMismatch),
    }
}

fn scalar_in_type(value: FieldValue, data_type: DataType) -> Result<FieldValue, RejectReason> {
    let document = match (&value, data_type) {
        (FieldValue::Null, _) => return Ok(value),
        (FieldValue::List(_) | FieldValue::Map(_), DataType::Json | DataType::String) => {
            return Ok(FieldValue::Text(value.to_json()));
        }
        // The column decides whether a text is a document, and writes it as one.
        (_, DataType::Json) => return Ok(value),
        (FieldValue::Bytes(_), DataType::Bytes) => return Ok(value),
        (FieldValue::Bytes(_), DataType::String) => value.to_json().trim_matches('"').to_owned(),
        (FieldValue::Bytes(_) | FieldValue::List(_) | FieldValue::Map(_), _) => {
            return Err(RejectReason::TypeMismatch);
        }
        _ => String::new(),
    };
    let scalar = match &value {
        FieldValue::Boolean(value) => Scalar::Boolean(*value),
        FieldValue::Integer(value) => Scalar::Integer(*value),
        FieldValue::Timestamp(value) if data_type != DataType::String => Scalar::Integer(*value),
        FieldValue::Double(value) => Scalar::Float(*value),
        FieldValue::Number(text) => match text.parse::<f64>() {
            Ok(number) if data_type != DataType::BigDecimal && number.is_finite() => Scalar::Float(number),
            Ok(_) | Err(_) => Scalar::Huge(text),
        },
        FieldValue::Text(text) => Scalar::Text(text),
        FieldValue::Timestamp(millis) => {
            return Ok(FieldValue::Text(meunier_segment::value::format_timestamp(*millis)));
        }
        FieldValue::Null | FieldValue::Bytes(_) | FieldValue::List(_) | FieldValue::Map(_) => {
            Scalar::Text(&document)
        }
    };
    let typed = match data_type {
        DataType::Int => to_int(scalar)?.map(|value| FieldValue::Integer(value.into())),
        DataType::Long => to_long(scalar)?.map(FieldValue::Integer),
        DataType::Float => to_float(scalar)?.map(|value| FieldValue::Double(value.into())),
        DataType::Double => to_double(scalar)?.map(FieldValue::Double),
        DataType::BigDecimal => Some(decimal(scalar)?),
        DataType::Boolean => Some(FieldValue::Boolean(to_boolean(scalar))),
        DataType::Timestamp => to_timestamp(scalar, &mut LastDay::default())?.map(FieldValue::Timestamp),
        DataType::String | DataType::Json => {
            let mut text = String::new();
            write_text(scalar, &mut text);
            Some(FieldValue::Text(text))
        }
        DataType::Bytes => {
            let mut bytes = Vec::new();
            if !write_bytes(scalar, &mut bytes) {
                return Err(RejectReason::TypeMismatch);
            }
            Some(FieldValue::Bytes(bytes))
        }
    };
    Ok(typed.unwrap_or(FieldValue::Null))
}

/// A decimal keeps its spelling, once it is known to be one.
fn decimal(scalar: Scalar<'_>) -> Result<FieldValue, RejectReason> {
    super::coerce::to_big_decimal(scalar)?;
    let mut text = String::new();
    write_text(scalar, &mut text);
    Ok(match scalar {
        Scalar::Boolean(value) => FieldValue::Integer(value.into()),
        _ => FieldValue::Number(text.trim().to_owned()),
    })
}
