//! Columns that a table config names must be in the schema.

use meunier_segment::json_reader::Findings;
use meunier_segment::nearest::did_you_mean;
use meunier_segment::schema::{Field, Schema};

/// Returns the column, or notes that the schema has none of this name. Without a schema nothing is checked.
pub(super) fn check_column<'a>(
    name: &str,
    place: &str,
    schema: Option<&'a Schema>,
    findings: &mut Findings,
) -> Option<&'a Field> {
    let schema = schema?;
    let field = schema.field(name).map(|(_, field)| field);
    if field.is_none() {
        let hint = did_you_mean(name, schema.fields().iter().map(|field| &*field.name));
        findings.problem(place, format!("the schema has no column `{name}`{hint}"));
    }
    field
}
