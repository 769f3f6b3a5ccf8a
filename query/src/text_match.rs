//! TEXT_MATCH on a column, as a condition that is read once and that a text index may answer.

use std::any::Any;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field};
use datafusion::error::{DataFusionError, Result};
use meunier_execution::compute::{Compute, TextQuestion};
use meunier_execution::error::ExecutionError;
use meunier_functions::text_query;
use meunier_segment::text_search::{Analyzer, TextOptions, TextQuery, Words};

/// Metadata of a column whose texts are cut in another way than those of other columns.
const TEXT_OPTIONS: &str = "meunier.text";

/// Returns a column's field with what is to be known of its texts.
pub(crate) fn with_options(field: Field, options: &TextOptions) -> Field {
    if *options == TextOptions::default() {
        return field;
    }
    let mut metadata = field.metadata().clone();
    let written = serde_json::to_string(options).expect("options are plain structs of flags and texts");
    metadata.insert(TEXT_OPTIONS.to_owned(), written);
    field.with_metadata(metadata)
}

/// A query of a column's texts.
#[derive(Debug)]
pub(crate) struct TextMatch {
    /// The query and its options as they are written.
    written: (String, String),
    query: TextQuery,
    negated: bool,
    options: TextOptions,
    analyzer: Analyzer,
}

impl TextMatch {
    /// Returns the rows that a query matches, or with `negated` those that it does not. Null matches neither.
    ///
    /// # Errors
    /// When the query is not valid.
    pub(crate) fn new(query: &str, query_options: &str, field: &Field, negated: bool) -> Result<TextMatch> {
        let options = match field.metadata().get(TEXT_OPTIONS) {
            Some(written) => {
                serde_json::from_str(written).map_err(|error| DataFusionError::External(Box::new(error)))?
            }
            None => TextOptions::default(),
        };
        Ok(TextMatch {
            written: (query.to_owned(), query_options.to_owned()),
            query: text_query(query, query_options, &options)?,
            negated,
            analyzer: Analyzer::new(&options.words),
            options,
        })
    }

    fn holds<'t>(&self, texts: impl Iterator<Item = &'t str>) -> bool {
        let mut words = Words::default();
        texts.for_each(|text| self.analyzer.add_words(text, &mut words));
        self.query.matches(&words) != self.negated
    }
}

impl Compute for TextMatch {
    fn compute(&self, inputs: &[ArrayRef], _rows: usize) -> std::result::Result<ArrayRef, ExecutionError> {
        let holds: BooleanArray = match inputs[0].data_type() {
            DataType::List(_) => {
                let lists = inputs[0].as_list::<i32>();
                let rows = lists.iter().map(|row| {
                    let texts = cast(&row?, &DataType::Utf8).ok()?;
                    Some(self.holds(texts.as_string::<i32>().iter().flatten()))
                });
                rows.collect()
            }
            _ => {
                let texts = cast(&inputs[0], &DataType::Utf8)?;
                let rows = texts.as_string::<i32>().iter();
                rows.map(|text| Some(self.holds(std::iter::once(text?)))).collect()
            }
        };
        debug_assert_eq!(holds.len(), inputs[0].len());
        Ok(Arc::new(holds))
    }

    fn text_question(&self) -> Option<TextQuestion<'_>> {
        Some(TextQuestion { query: &self.query, negated: self.negated, options: &self.options.words })
    }

    fn hash_code(&self) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        (&self.written, self.negated).hash(&mut hasher);
        Some(hasher.finish())
    }

    fn is_same(&self, other: &dyn Compute) -> bool {
        let other: &dyn Any = other;
        other.downcast_ref::<TextMatch>().is_some_and(|other| {
            self.written == other.written && self.negated == other.negated && self.options == other.options
        })
    }
}
