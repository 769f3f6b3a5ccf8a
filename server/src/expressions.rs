//! Hands the functions of queries to ingestion, which computes columns with them.

use std::sync::{Arc, LazyLock};

use arrow::array::ArrayRef;
use meunier_ingest::{Expression, ExpressionCompiler, ExpressionInput};
use meunier_query::{RecordExpression, RecordExpressions};

/// Loading all functions takes milliseconds, and every table config that is read needs them.
static COMPILER: LazyLock<Arc<RecordCompiler>> =
    LazyLock::new(|| Arc::new(RecordCompiler(RecordExpressions::new())));

/// Returns what reads the expressions of table configs.
pub fn compiler() -> Arc<dyn ExpressionCompiler> {
    Arc::clone(&*COMPILER) as Arc<dyn ExpressionCompiler>
}

#[derive(Debug)]
struct RecordCompiler(RecordExpressions);

impl ExpressionCompiler for RecordCompiler {
    fn compile(&self, text: &str) -> Result<Box<dyn Expression>, String> {
        let expression = self.0.parse(text).map_err(|error| error.to_string())?;
        let input = |field: &meunier_query::RecordField| ExpressionInput {
            name: field.name.clone(),
            as_json: field.as_json,
        };
        let inputs = expression.fields().iter().map(input).collect();
        Ok(Box::new(Compiled { expression, inputs }))
    }
}

#[derive(Debug)]
struct Compiled {
    expression: RecordExpression,
    inputs: Vec<ExpressionInput>,
}

impl Expression for Compiled {
    fn inputs(&self) -> &[ExpressionInput] {
        &self.inputs
    }

    fn evaluate(&mut self, columns: &[ArrayRef], rows: usize) -> Result<ArrayRef, String> {
        self.expression.evaluate(columns, rows).map_err(|error| error.to_string())
    }
}
