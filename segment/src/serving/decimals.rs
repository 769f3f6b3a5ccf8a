//! Floats that were written as decimals: a whole number divided by a power of ten.
//!
//! A float is such a decimal only if the division gives it back bit for bit; NaN, −0.0 and infinities never are.

use super::wire::Refused;

/// The largest exponent of ten: all powers up to it are exact.
const EXPONENT_MAX: u8 = 15;
/// Whole numbers up to this are exact.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
/// Exponents are tried on so many values.
const SAMPLE: usize = 64;

/// Floats as whole numbers.
pub(crate) struct Decimals {
    pub(crate) exponent: u8,
    pub(crate) integers: Vec<i64>,
}

/// A float that a decimal may stand for.
pub(crate) trait Float: Copy {
    /// Returns the number itself.
    fn to_f64(self) -> f64;
    /// Returns the nearest float.
    fn from_f64(value: f64) -> Self;
    /// Returns whether all bits are the same.
    fn is_same(self, other: Self) -> bool;
}

impl Float for f64 {
    fn to_f64(self) -> f64 {
        self
    }

    fn from_f64(value: f64) -> f64 {
        value
    }

    fn is_same(self, other: f64) -> bool {
        self.to_bits() == other.to_bits()
    }
}

impl Float for f32 {
    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    #[expect(clippy::cast_possible_truncation, reason = "the nearest float is meant")]
    fn from_f64(value: f64) -> f32 {
        value as f32
    }

    fn is_same(self, other: f32) -> bool {
        self.to_bits() == other.to_bits()
    }
}

/// Returns the floats as decimals of one exponent, where all of them are.
pub(crate) fn to_decimals<F: Float>(values: &[F]) -> Option<Decimals> {
    let step = values.len().div_ceil(SAMPLE).max(1);
    let exponent = (0..=EXPONENT_MAX)
        .find(|&exponent| values.iter().step_by(step).all(|&value| to_decimal(value, exponent).is_some()))?;
    for exponent in exponent..=EXPONENT_MAX {
        let mut integers = Vec::with_capacity(values.len());
        integers.extend(values.iter().map_while(|&value| to_decimal(value, exponent)));
        if integers.len() == values.len() {
            return Some(Decimals { exponent, integers });
        }
        // Only a value with more digits than the sample's can be helped by a larger exponent.
        let failed = values[integers.len()];
        if (exponent..=EXPONENT_MAX).all(|exponent| to_decimal(failed, exponent).is_none()) {
            return None;
        }
    }
    None
}

fn to_decimal<F: Float>(value: F, exponent: u8) -> Option<i64> {
    let scaled = (value.to_f64() * power(exponent)).round();
    if scaled.is_nan() || scaled.abs() > WHOLE_MAX {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and below 2^53")]
    let integer = scaled as i64;
    from_decimal::<F>(integer, exponent).is_same(value).then_some(integer)
}

#[expect(clippy::cast_precision_loss, reason = "every number that was written is below 2^53")]
fn from_decimal<F: Float>(integer: i64, exponent: u8) -> F {
    F::from_f64(integer as f64 / power(exponent))
}

fn power(exponent: u8) -> f64 {
    const POWERS: [f64; EXPONENT_MAX as usize + 1] =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    POWERS[usize::from(exponent)]
}

/// Returns the function that gives back the floats.
pub(crate) fn from_decimals<F: Float>(exponent: u8) -> Result<impl Fn(i64) -> F, Refused> {
    if exponent > EXPONENT_MAX {
        return Err("decimals have an impossible exponent");
    }
    Ok(move |integer| from_decimal(integer, exponent))
}

#[cfg(test)]
mod tests;
