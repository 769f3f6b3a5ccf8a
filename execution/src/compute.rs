//! Computations that the caller brings along.

use std::any::Any;
use std::fmt::Debug;

use arrow::array::ArrayRef;

use crate::error::Result;

/// Computes one array from others, row by row and without side effects. Called on the values of a dictionary as well as
/// on those of rows, so the same inputs must always give the same output.
pub trait Compute: Any + Debug + Send + Sync {
    /// Returns `rows` values, computed from `inputs` of `rows` values each.
    ///
    /// # Errors
    /// When a value makes the computation fail.
    fn compute(&self, inputs: &[ArrayRef], rows: usize) -> Result<ArrayRef>;

    /// Returns a number that computations which are the same share; `None` where they cannot be told from others.
    fn hash_code(&self) -> Option<u64> {
        None
    }

    /// Returns whether another computation gives the same output for every input.
    fn is_same(&self, _other: &dyn Compute) -> bool {
        false
    }
}
