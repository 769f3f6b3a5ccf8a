//! TEXT_MATCH on a column, as a condition that is read once and that a text index may answer.

use std::any::Any;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use meunier_execution::compute::{Compute, TextQuestion};
use meunier_execution::error::ExecutionError;
use meunier_execution::input::InputColumn;
use meunier_execution::predicate::{Predicate, Test};
use meunier_functions::text_query;
use meunier_segment::schema::DataType as FieldType;
use meunier_segment::text_search::{Analyzer, TextOptions, TextQuery, Words};

use crate::predicate::{PredicateContext, column_of, literal_of};

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

impl PredicateContext<'_> {
    /// `textMatch(column, 'query'[, 'options'])`.
    pub(crate) fn text_match(&self, function: &ScalarFunction, negated: bool) -> Result<Option<Predicate>> {
        let (of, written) = match &function.args[..] {
            [of, query] => (of, [Some(query), None]),
            [of, query, options] => (of, [Some(query), Some(options)]),
            _ => return Ok(None),
        };
        let Some(column) = column_of(of).filter(|column| column.cast.is_none()) else { return Ok(None) };
        let mut texts = ["", ""];
        for (text, argument) in texts.iter_mut().zip(written) {
            let Some(argument) = argument else { continue };
            let Some(constant) = literal_of(argument).and_then(|literal| literal.try_as_str().flatten())
            else {
                return Ok(None);
            };
            *text = constant;
        }
        let column = self.schema.index_of(column.name)?;
        let InputColumn::Stored { field, .. } = &self.columns[column] else { return Ok(None) };
        if !matches!(field.data_type, FieldType::String | FieldType::Json) {
            return Ok(None);
        }
        let [query, options] = texts;
        let matching = Arc::new(TextMatch::new(query, options, self.schema.field(column), negated)?);
        Ok(Some(match field.single_value {
            true => Predicate::Value { column, test: Test::Truth(matching) },
            false => Predicate::Rows { columns: vec![column], truth: matching },
        }))
    }
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
                let texts = cast(lists.values(), &DataType::Utf8)?;
                let texts = texts.as_string::<i32>();
                let rows = lists.offsets().windows(2).enumerate().map(|(row, borders)| {
                    let elements = borders[0].cast_unsigned() as usize..borders[1].cast_unsigned() as usize;
                    let elements = elements.filter(|element| texts.is_valid(*element));
                    lists.is_valid(row).then(|| self.holds(elements.map(|element| texts.value(element))))
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
