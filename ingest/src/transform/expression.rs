//! What computes expressions of the table config. The functions are those of queries, and this crate knows no SQL: whoever
//! starts the ingester hands in what does.

use std::fmt::Debug;

use arrow::array::ArrayRef;

/// Reads expressions.
pub trait ExpressionCompiler: Debug + Send + Sync {
    /// Reads an expression.
    ///
    /// # Errors
    /// In words, what is wrong with it.
    fn compile(&self, text: &str) -> Result<Box<dyn Expression>, String>;
}

/// An expression over the fields of a record. Each partition has its own.
pub trait Expression: Debug + Send {
    /// Returns the fields it reads.
    fn inputs(&self) -> &[ExpressionInput];

    /// Computes one value a record. `columns` has the values of each input: booleans, 64-bit integers, doubles, texts, bytes,
    /// or lists of them.
    ///
    /// # Errors
    /// When it cannot be computed for one of the records.
    fn evaluate(&mut self, columns: &[ArrayRef], rows: usize) -> Result<ArrayRef, String>;
}

/// A field that an expression reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionInput {
    /// Its name.
    pub name: String,
    /// Whether lists and objects are wanted as JSON text.
    pub as_json: bool,
}

/// Knows no expression: for tables that have none.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoExpressions;

impl ExpressionCompiler for NoExpressions {
    fn compile(&self, text: &str) -> Result<Box<dyn Expression>, String> {
        Err(format!("`{text}` cannot be computed here"))
    }
}
