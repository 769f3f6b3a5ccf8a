//! Rounding to decimal places, by the digits that a number is written with.

use crate::description::FunctionGroup::Arithmetic;
use crate::scalar::function::Function;
use crate::scalar::number::{double_to_long, long_to_double};
use crate::scalar::rows::{Double, Int, row1, row2};

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            Arithmetic,
            &["roundDecimal"],
            "roundDecimal(number[, places])",
            "The number rounded to decimal places, halves away from 0; without places to a whole number.",
            [
                row1::<Double, _>(|number| match number.is_finite() {
                    true => long_to_double(double_to_long((number + 0.5).floor())),
                    false => number,
                }),
                row2::<Double, Int, _>(|number, places| rounded(number, places, true)),
            ],
        ),
        Function::new(
            Arithmetic,
            &["truncate"],
            "truncate(number[, places])",
            "The number without the decimal places after some; without places the whole part.",
            [
                row1::<Double, _>(f64::trunc),
                row2::<Double, Int, _>(|number, places| rounded(number, places, false)),
            ],
        ),
    ]
}

/// Rounds by decimal digits: 2.675 is written so, and becomes 2.68, although the nearest DOUBLE is less.
fn rounded(number: f64, places: i32, half_up: bool) -> f64 {
    if !number.is_finite() {
        return number;
    }
    let written = format!("{}", number.abs());
    let (whole, fraction) = written.split_once('.').unwrap_or((&written, ""));
    let digits = [whole, fraction].concat();
    let Some(kept) = i64::try_from(whole.len()).ok().map(|whole| whole + i64::from(places)) else {
        return number;
    };
    let Ok(kept) = usize::try_from(kept) else { return 0.0 * number };
    let Some(next) = digits.as_bytes().get(kept) else { return number };
    let mut kept_digits = digits.as_bytes()[..kept].to_vec();
    if half_up && *next >= b'5' {
        increase(&mut kept_digits);
    }
    let unsigned: Result<f64, _> = match String::from_utf8(kept_digits) {
        Ok(kept) => format!("0{kept}e{}", -i64::from(places)).parse(),
        Err(_) => return number,
    };
    unsigned.map_or(number, |unsigned| unsigned.copysign(number))
}

/// Adds one to a number of decimal digits.
fn increase(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
    digits.insert(0, b'1');
}
