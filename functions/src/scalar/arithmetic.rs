//! Functions of numbers.

mod bits;
mod round;
mod trigonometry;

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType, Float64Type, i256};

use super::function::{Function, Gives, Overload};
use super::kind::{Kind, Scalar};
use super::number::{double_to_int, double_to_long};
use super::rows::{
    Double, Int, Long, OnlyDecimal, OnlyFloat, OnlyInt, OnlyLong, fault, row0, row1, row2, row3, row4,
};
use crate::description::FunctionGroup::Arithmetic;

/// Returns the functions of numbers.
pub(crate) fn functions() -> Vec<Function> {
    let themes = [
        one_number(),
        several_numbers(),
        parts(),
        round::functions(),
        trigonometry::functions(),
        bits::functions(),
    ];
    themes.into_iter().flatten().collect()
}

/// An overload that computes all numbers of a batch in one loop.
fn doubles(compute: fn(f64) -> f64) -> Overload {
    Overload::new(&[Kind::One(Scalar::Double)], Gives::Type(DataType::Float64), move |call| {
        let numbers = call.column(0)?;
        let result: Float64Array = numbers.array.as_primitive::<Float64Type>().unary(|number| {
            // One NaN, without a sign: Arrow's order puts those with a sign first.
            let result = compute(number);
            if result.is_nan() { f64::NAN } else { result }
        });
        Ok(Arc::new(result) as ArrayRef)
    })
}

fn one_number() -> Vec<Function> {
    let number = |names, signature, text, compute| {
        Function::new(Arithmetic, names, signature, text, [doubles(compute)])
    };
    vec![
        number(
            &["ceil", "ceiling"],
            "ceil(number)",
            "The smallest whole number that is not less.",
            f64::ceil,
        ),
        number(&["floor"], "floor(number)", "The greatest whole number that is not greater.", f64::floor),
        number(&["exp"], "exp(number)", "Euler's number to a power.", f64::exp),
        number(&["exp2"], "exp2(number)", "2 to a power.", |number| 2_f64.powf(number)),
        number(&["exp10"], "exp10(number)", "10 to a power.", |number| 10_f64.powf(number)),
        number(&["ln", "log"], "ln(number)", "The natural logarithm.", f64::ln),
        number(&["log2"], "log2(number)", "The logarithm to base 2.", f64::log2),
        number(&["log10"], "log10(number)", "The logarithm to base 10.", f64::log10),
        number(&["log1p"], "log1p(number)", "The natural logarithm of the number and 1.", f64::ln_1p),
        number(&["sqrt"], "sqrt(number)", "The square root.", f64::sqrt),
        number(&["cbrt"], "cbrt(number)", "The cube root.", f64::cbrt),
        number(
            &["sign"],
            "sign(number)",
            "-1, 0 or 1, as the number is negative, 0 or positive.",
            |number| {
                if number == 0.0 || number.is_nan() { number } else { number.signum() }
            },
        ),
        number(&["sigmoid"], "sigmoid(number)", "1 / (1 + e to -number).", |number| {
            1.0 / (1.0 + (-number).exp())
        }),
        Function::new(
            Arithmetic,
            &["abs"],
            "abs(number)",
            "The number without its sign.",
            [
                row1::<OnlyInt, _>(i32::wrapping_abs),
                row1::<OnlyLong, _>(i64::wrapping_abs),
                row1::<OnlyFloat, _>(f32::abs),
                row1::<OnlyDecimal, _>(i256::wrapping_abs),
                doubles(f64::abs),
            ],
        ),
    ]
}

fn several_numbers() -> Vec<Function> {
    vec![
        Function::new(
            Arithmetic,
            &["power", "pow"],
            "power(number, exponent)",
            "The number to a power.",
            [row2::<Double, Double, _>(f64::powf)],
        ),
        Function::new(
            Arithmetic,
            &["hypot"],
            "hypot(first, second)",
            "The longest side of a right-angled triangle.",
            [row2::<Double, Double, _>(f64::hypot)],
        ),
        Function::new(
            Arithmetic,
            &["divide", "div"],
            "divide(number, divisor[, default])",
            "The quotient; the default for a divisor of 0.",
            [
                row2::<Double, Double, _>(|number, divisor| number / divisor),
                row3::<Double, Double, Double, _>(
                    |number, divisor, default| {
                        if divisor == 0.0 { default } else { number / divisor }
                    },
                ),
            ],
        ),
        Function::new(
            Arithmetic,
            &["intDiv"],
            "intDiv(number, divisor)",
            "The quotient rounded down to a whole number.",
            [row2::<Double, Double, _>(|number, divisor| double_to_long((number / divisor).floor()))],
        ),
        Function::new(
            Arithmetic,
            &["intDivOrZero"],
            "intDivOrZero(number, divisor)",
            "The quotient rounded down to a whole number, 0 for a divisor of 0.",
            [row2::<Double, Double, _>(|number, divisor| match divisor {
                0.0 => 0,
                _ => double_to_long((number / divisor).floor()),
            })],
        ),
        Function::new(
            Arithmetic,
            &["moduloOrZero"],
            "moduloOrZero(number, divisor)",
            "The remainder, 0 for a divisor of 0.",
            [
                row2::<OnlyInt, OnlyInt, _>(|number, divisor| number.checked_rem(divisor).unwrap_or(0)),
                row2::<OnlyLong, OnlyLong, _>(|number, divisor| number.checked_rem(divisor).unwrap_or(0)),
                row2::<Double, Double, _>(
                    |number, divisor| if divisor == 0.0 { 0.0 } else { number % divisor },
                ),
            ],
        ),
        Function::new(
            Arithmetic,
            &["positiveModulo"],
            "positiveModulo(number, divisor)",
            "The remainder, made positive by the divisor.",
            [
                row2::<OnlyInt, OnlyInt, _>(|number, divisor| match number.checked_rem_euclid(divisor) {
                    Some(remainder) => Ok(remainder),
                    None if divisor == 0 => fault("the divisor is 0"),
                    None => Ok(0),
                }),
                row2::<OnlyLong, OnlyLong, _>(|number, divisor| match number.checked_rem_euclid(divisor) {
                    Some(remainder) => Ok(remainder),
                    None if divisor == 0 => fault("the divisor is 0"),
                    None => Ok(0),
                }),
                row2::<Double, Double, _>(f64::rem_euclid),
            ],
        ),
        Function::new(
            Arithmetic,
            &["gcd"],
            "gcd(first, second)",
            "The greatest number that divides both.",
            [row2::<Long, Long, _>(|first, second| gcd(first, second).cast_signed())],
        ),
        Function::new(
            Arithmetic,
            &["lcm"],
            "lcm(first, second)",
            "The smallest number that both divide.",
            [row2::<Long, Long, _>(|first, second| match gcd(first, second) {
                0 => 0,
                divisor => (first.unsigned_abs() / divisor).wrapping_mul(second.unsigned_abs()).cast_signed(),
            })],
        ),
        Function::new(
            Arithmetic,
            &["widthBucket"],
            "widthBucket(number, low, high, count)",
            "The number of the bucket, from 1, when low to high are that many of one width; 0 below, count + 1 above.",
            [row4::<Double, Double, Double, Int, _>(|number, low, high, count| {
                if number.is_nan() || !low.is_finite() || !high.is_finite() || low >= high || count <= 0 {
                    return fault(
                        "the bounds are finite and in order, there is a bucket, and no number is NaN",
                    );
                }
                Ok(match number {
                    _ if number < low => 0,
                    _ if number >= high => count.saturating_add(1),
                    _ => double_to_int((number - low) / (high - low) * f64::from(count)).saturating_add(1),
                })
            })],
        ),
    ]
}

fn parts() -> Vec<Function> {
    vec![
        Function::new(Arithmetic, &["pi"], "pi()", "The number π.", [row0(|| std::f64::consts::PI)]),
        Function::new(Arithmetic, &["e", "euler"], "e()", "Euler's number.", [row0(|| std::f64::consts::E)]),
        Function::new(
            Arithmetic,
            &["rand"],
            "rand([seed])",
            "A number from 0 to below 1: any, or always the same for a seed.",
            [
                // The 53 low bits of a random UUID are all random.
                row0(|| fraction(uuid::Uuid::new_v4().as_u64_pair().1)),
                row1::<Long, _>(|seed| fraction(mixed(seed.cast_unsigned() ^ 0x5_DEEC_E66D) >> 11)),
            ],
        )
        .volatile(),
        Function::new(
            Arithmetic,
            &["factorial"],
            "factorial(number)",
            "The product of the whole numbers up to a number of 0 to 20.",
            [row1::<Long, _>(|number| match number {
                0..=20 => Ok((1..=number).product::<i64>()),
                _ => fault(format!("the factorial of {number} is no LONG; numbers from 0 to 20 have one")),
            })],
        ),
        Function::new(
            Arithmetic,
            &["isFinite"],
            "isFinite(number)",
            "1 for a finite number, else 0.",
            [row1::<Double, _>(|number| i32::from(number.is_finite()))],
        ),
        Function::new(
            Arithmetic,
            &["isInfinite"],
            "isInfinite(number)",
            "1 for an infinite number, else 0.",
            [row1::<Double, _>(|number| i32::from(number.is_infinite()))],
        ),
        Function::new(
            Arithmetic,
            &["isNaN"],
            "isNaN(number)",
            "1 for NaN, else 0.",
            [row1::<Double, _>(|number| i32::from(number.is_nan()))],
        ),
        Function::new(
            Arithmetic,
            &["ifNotFinite"],
            "ifNotFinite(number, default)",
            "The number, the default where it is not finite.",
            [row2::<Double, Double, _>(|number, default| if number.is_finite() { number } else { default })],
        ),
    ]
}

fn gcd(first: i64, second: i64) -> u64 {
    let (mut first, mut second) = (first.unsigned_abs(), second.unsigned_abs());
    while first != 0 {
        (first, second) = (second % first, first);
    }
    second
}

/// Returns 53 bits as a number from 0 to below 1.
fn fraction(bits: u64) -> f64 {
    const BITS: u64 = (1 << 53) - 1;
    (bits & BITS) as f64 / (1_u64 << 53) as f64
}

/// Pinot's mixing of a seed: the finish of MurmurHash3.
fn mixed(seed: u64) -> u64 {
    let seed = (seed ^ (seed >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let seed = (seed ^ (seed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    seed ^ (seed >> 33)
}
