//! Computations that the caller brings along.

use std::any::Any;
use std::fmt::Debug;

use arrow::array::ArrayRef;
use meunier_segment::json_flat::{FlattenOptions, JsonCondition};
use meunier_segment::text_search::{TextQuery, WordOptions};

use crate::error::Result;

/// A condition on JSON documents.
#[derive(Debug, Clone, Copy)]
pub struct JsonQuestion<'a> {
    /// The condition.
    pub condition: &'a JsonCondition,
    /// How documents are taken apart for it: an index that did it otherwise does not know the answer.
    pub options: &'a FlattenOptions,
}

/// A query of texts.
#[derive(Debug, Clone, Copy)]
pub struct TextQuestion<'a> {
    /// The query.
    pub query: &'a TextQuery,
    /// Whether the texts are asked for that do not match.
    pub negated: bool,
    /// How texts are cut into words for it: an index that did it otherwise does not know the answer.
    pub options: &'a WordOptions,
}

/// Computes one array from others, row by row and without side effects. Called on the values of a dictionary as well as
/// on those of rows, so the same inputs must always give the same output.
pub trait Compute: Any + Debug + Send + Sync {
    /// Returns `rows` values, computed from `inputs` of `rows` values each.
    ///
    /// # Errors
    /// When a value makes the computation fail.
    fn compute(&self, inputs: &[ArrayRef], rows: usize) -> Result<ArrayRef>;

    /// Returns what a JSON index is to be asked in its place, where it is such a question.
    fn json_question(&self) -> Option<JsonQuestion<'_>> {
        None
    }

    /// Returns what a text index is to be asked in its place, where it is such a question.
    fn text_question(&self) -> Option<TextQuestion<'_>> {
        None
    }

    /// Returns what every text begins with for which the result is true, where that is known of a computation over texts.
    fn text_prefix(&self) -> Option<&str> {
        None
    }

    /// Returns a number that computations which are the same share; `None` where they cannot be told from others.
    fn hash_code(&self) -> Option<u64> {
        None
    }

    /// Returns whether another computation gives the same output for every input.
    fn is_same(&self, _other: &dyn Compute) -> bool {
        false
    }
}
