//! Values of one type or encoding as another.

mod uuids;

use arrow::datatypes::i256;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use meunier_segment::value::{BIG_DECIMAL_SCALE, format_hex, parse_big_decimal, parse_hex};

use super::call::Fault;
use super::function::Function;
use super::kind::shortened;
use super::rows::{Bytes, Decimal, Long, OnlyBytes, Text, fault, row1};
use crate::description::FunctionGroup::Conversion;

/// Base64 as Java reads it: padding may be left out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Returns the conversions.
pub(crate) fn functions() -> Vec<Function> {
    let mut functions = bytes_and_texts();
    functions.extend(uuids::functions());
    functions
}

fn bytes_and_texts() -> Vec<Function> {
    vec![
        Function::new(
            Conversion,
            &["hexToBytes"],
            "hexToBytes(text)",
            "The bytes that a text in hex says.",
            [row1::<Text, _>(|text| match parse_hex(text) {
                Some(bytes) => Ok(bytes),
                None => fault(format!("'{}' is not hex", shortened(text))),
            })],
        ),
        Function::new(
            Conversion,
            &["bytesToHex"],
            "bytesToHex(bytes)",
            "The bytes in hex.",
            [row1::<Bytes, _>(format_hex)],
        ),
        Function::new(
            Conversion,
            &["base64Encode"],
            "base64Encode(bytes)",
            "The bytes in Base64, as bytes.",
            [row1::<Bytes, _>(|bytes| BASE64.encode(bytes).into_bytes())],
        ),
        Function::new(
            Conversion,
            &["base64Decode"],
            "base64Decode(bytes)",
            "The bytes that bytes in Base64 say.",
            [row1::<Bytes, _>(decoded)],
        ),
        Function::new(
            Conversion,
            &["toBase64"],
            "toBase64(bytes)",
            "The bytes in Base64.",
            [
                row1::<OnlyBytes, _>(|bytes| BASE64.encode(bytes)),
                row1::<Bytes, _>(|bytes| BASE64.encode(bytes)),
            ],
        ),
        Function::new(
            Conversion,
            &["fromBase64"],
            "fromBase64(text)",
            "The bytes that a text in Base64 says.",
            [row1::<Text, _>(|text| decoded(text.as_bytes()))],
        ),
        Function::new(
            Conversion,
            &["hexDecimalToLong"],
            "hexDecimalToLong(text)",
            "The number of a text in hex, with or without `0x`.",
            [row1::<Text, _>(|text| {
                let digits = text.strip_prefix("0x").unwrap_or(text);
                i64::from_str_radix(digits, 16)
                    .map_err(|_| Fault::Arguments(format!("'{}' is no number in hex", shortened(text))))
            })],
        ),
        Function::new(
            Conversion,
            &["longToHexDecimal"],
            "longToHexDecimal(number)",
            "The number in hex.",
            [row1::<Long, _>(|number| format!("{number:x}"))],
        ),
        Function::new(
            Conversion,
            &["bigDecimalToBytes"],
            "bigDecimalToBytes(number)",
            "The decimal number as its scale in two bytes and its digits as a whole number.",
            [row1::<Decimal, _>(decimal_bytes)],
        ),
        Function::new(
            Conversion,
            &["bytesToBigDecimal"],
            "bytesToBigDecimal(bytes)",
            "The decimal number that `bigDecimalToBytes` made bytes of.",
            [row1::<Bytes, _>(decimal_of_bytes)],
        ),
    ]
}

/// Returns what bytes of Base64 stand for.
pub(crate) fn decoded(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    BASE64.decode(bytes).map_err(|_| Fault::from("the argument is not Base64"))
}

fn decimal_bytes(stored: i256) -> Vec<u8> {
    let (ten, mut unscaled, mut scale) = (i256::from_i128(10), stored, i16::from(BIG_DECIMAL_SCALE));
    while scale > 0 && unscaled.wrapping_rem(ten) == i256::ZERO {
        unscaled = unscaled.wrapping_div(ten);
        scale -= 1;
    }
    let digits = unscaled.to_be_bytes();
    // Java writes no more bytes than the sign needs.
    let filler = if unscaled.is_negative() { 0xFF } else { 0 };
    let sign = |byte: u8| byte & 0x80 == filler & 0x80;
    let spare = digits.windows(2).take_while(|pair| pair[0] == filler && sign(pair[1])).count();
    [&scale.to_be_bytes(), &digits[spare..]].concat()
}

fn decimal_of_bytes(bytes: &[u8]) -> Result<i256, Fault> {
    let Some((scale, digits)) = bytes.split_first_chunk::<2>() else {
        return fault("a decimal number has two bytes of scale and more");
    };
    let negative = digits.first().is_some_and(|byte| byte & 0x80 != 0);
    let mut whole = [if negative { 0xFF } else { 0 }; 32];
    let Some(begin) = whole.len().checked_sub(digits.len()).filter(|_| !digits.is_empty()) else {
        return fault("the decimal number has too many digits, or none");
    };
    whole[begin..].copy_from_slice(digits);
    let text = format!("{}e{}", i256::from_be_bytes(whole), -i32::from(i16::from_be_bytes(*scale)));
    parse_big_decimal(&text).ok_or_else(|| Fault::from("the decimal number has too many digits"))
}
