//! `clpDecode`: a log line out of the parts that CLP makes of it.
//!
//! The log type is the line with a placeholder for each variable: [`INTEGER`] and [`FLOAT`] stand for the next encoded
//! variable, [`DICTIONARY`] for the next text. An encoded float is, from its lowest bits up, the decimal point's place from
//! the right less 1 (4 bits), how many digits there are less 1 (4 bits), the digits as a number (54 bits), and, in the
//! highest bit, whether it is negative.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::Int64Type;

use crate::description::FunctionGroup::Text as Group;
use crate::scalar::call::{Call, Fault};
use crate::scalar::function::{Function, Overload};
use crate::scalar::kind::{Kind, Scalar};
use crate::scalar::sink::{Output, collect};

const TEXT: Kind = Kind::One(Scalar::Text);
const INTEGER: char = '\u{11}';
const DICTIONARY: char = '\u{12}';
const FLOAT: char = '\u{13}';
const ESCAPE: char = '\\';
/// What stands for a line that cannot be put together, where a call names nothing else.
const DEFAULT: &str = "null";

/// Returns the function.
pub(super) fn functions() -> Vec<Function> {
    let overload = Overload::new(
        &[TEXT, Kind::Many(Scalar::Text), Kind::Many(Scalar::Long), TEXT],
        String::gives(),
        decode,
    );
    vec![Function::new(
        Group,
        &["clpDecode"],
        "clpDecode(logType, dictionaryVariables, encodedVariables[, default])",
        "The log line that CLP took apart; `clpDecode(\"column\")` stands for the columns `column_logtype`, `column_dictionaryVars` \
         and `column_encodedVars`. The default, or 'null', for parts that do not fit.",
        [overload.required(3)],
    )]
}

fn decode(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    let (texts, numbers) = (call.column(1)?, call.column(2)?);
    let (texts_of, numbers_of) = (texts.array.as_list::<i32>(), numbers.array.as_list::<i32>());
    collect(call.rows, |row| {
        let Some(log_type) = call.text(0, row) else { return Ok(None) };
        let (text_at, number_at) = (texts.at(row), numbers.at(row));
        let texts: Vec<String> = match texts_of.is_valid(text_at) {
            true => texts_of.value(text_at).as_string::<i32>().iter().flatten().map(str::to_owned).collect(),
            false => Vec::new(),
        };
        let numbers: Vec<i64> = match numbers_of.is_valid(number_at) {
            true => numbers_of.value(number_at).as_primitive::<Int64Type>().iter().flatten().collect(),
            false => Vec::new(),
        };
        let line = line(log_type, texts, numbers);
        Ok(Some(line.unwrap_or_else(|| call.text(3, row).unwrap_or(DEFAULT).to_owned())))
    })
}

fn line(log_type: &str, texts: Vec<String>, numbers: Vec<i64>) -> Option<String> {
    let (mut texts, mut numbers) = (texts.into_iter(), numbers.into_iter());
    let (mut line, mut letters) = (String::with_capacity(log_type.len()), log_type.chars());
    while let Some(letter) = letters.next() {
        match letter {
            INTEGER => line.push_str(&numbers.next()?.to_string()),
            FLOAT => line.push_str(&float(numbers.next()?.cast_unsigned())?),
            DICTIONARY => line.push_str(&texts.next()?),
            ESCAPE => line.push(letters.next()?),
            plain => line.push(plain),
        }
    }
    Some(line)
}

/// Returns a float as it was written, or nothing for bits that stand for none.
fn float(bits: u64) -> Option<String> {
    let of_four = |shift: u32| usize::try_from(bits >> shift & 0xf).unwrap_or(0) + 1;
    let (behind_point, count) = (of_four(0), of_four(4));
    let digits = (bits >> 8 & ((1 << 54) - 1)).to_string();
    if digits.len() > count && digits != "0" || behind_point > count {
        return None;
    }
    let digits = format!("{digits:0>count$}");
    let (before, behind) = digits.split_at(count - behind_point);
    let sign = if bits >> 63 == 1 { "-" } else { "" };
    Some(format!("{sign}{before}.{behind}"))
}
