//! Computations that the caller brings along.

use std::fmt::Debug;

use arrow::array::ArrayRef;

use crate::error::Result;

/// Computes one array from others, row by row and without side effects. Called on the values of a dictionary as well as
/// on those of rows, so the same inputs must always give the same output.
pub trait Compute: Debug + Send + Sync {
    /// Returns `rows` values, computed from `inputs` of `rows` values each.
    ///
    /// # Errors
    /// When a value makes the computation fail.
    fn compute(&self, inputs: &[ArrayRef], rows: usize) -> Result<ArrayRef>;
}
