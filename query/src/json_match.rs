//! JSON_MATCH on a column, as a condition that is read once and that a JSON index may answer.

use std::any::Any;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field};
use datafusion::error::{DataFusionError, Result};
use meunier_execution::compute::{Compute, JsonQuestion};
use meunier_execution::error::ExecutionError;
use meunier_functions::json_condition;
use meunier_segment::json_flat::{FlattenOptions, JsonCondition, flatten};

/// Metadata of a column whose documents are taken apart in another way than those of other columns.
const FLATTEN_OPTIONS: &str = "meunier.flatten";

/// Returns a column's field with what is to be known of its documents.
pub(crate) fn with_options(field: Field, options: &FlattenOptions) -> Field {
    if *options == FlattenOptions::default() {
        return field;
    }
    let mut metadata = field.metadata().clone();
    let written = serde_json::to_string(options).expect("options are plain structs of numbers and texts");
    metadata.insert(FLATTEN_OPTIONS.to_owned(), written);
    field.with_metadata(metadata)
}

/// A condition on the documents of a column.
#[derive(Debug)]
pub(crate) struct JsonMatch {
    text: String,
    condition: JsonCondition,
    options: FlattenOptions,
}

impl JsonMatch {
    /// Returns the rows that fulfil a condition, or with `negated` those that do not.
    ///
    /// # Errors
    /// When the condition is not valid.
    pub(crate) fn new(text: &str, field: &Field, negated: bool) -> Result<JsonMatch> {
        let mut condition = json_condition(text).map_err(DataFusionError::Plan)?;
        condition.negated ^= negated;
        let options = match field.metadata().get(FLATTEN_OPTIONS) {
            Some(written) => {
                serde_json::from_str(written).map_err(|error| DataFusionError::External(Box::new(error)))?
            }
            None => FlattenOptions::default(),
        };
        Ok(JsonMatch { text: text.to_owned(), condition, options })
    }
}

impl Compute for JsonMatch {
    fn compute(&self, inputs: &[ArrayRef], _rows: usize) -> std::result::Result<ArrayRef, ExecutionError> {
        let documents = cast(&inputs[0], &DataType::Utf8)?;
        let documents = documents.as_string::<i32>();
        let mut holds = Vec::with_capacity(documents.len());
        for document in documents {
            // A null has no values, like the document `null`.
            let records = document.map_or_else(Vec::new, |document| flatten(document, &self.options));
            let passes = self.condition.matches(&records);
            holds.push(passes.map_err(|fault| {
                ExecutionError::Compute(Box::new(DataFusionError::Execution(format!("`jsonMatch`: {fault}"))))
            })?);
        }
        Ok(Arc::new(BooleanArray::from(holds)))
    }

    fn json_question(&self) -> Option<JsonQuestion<'_>> {
        Some(JsonQuestion { condition: &self.condition, options: &self.options })
    }

    fn hash_code(&self) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        (&self.text, self.condition.negated).hash(&mut hasher);
        Some(hasher.finish())
    }

    fn is_same(&self, other: &dyn Compute) -> bool {
        let other: &dyn Any = other;
        other.downcast_ref::<JsonMatch>().is_some_and(|other| {
            self.text == other.text
                && self.condition.negated == other.condition.negated
                && self.options == other.options
        })
    }
}
