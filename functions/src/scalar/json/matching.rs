//! `jsonMatch(json, condition)`: whether a document fulfils a condition on its values, as Pinot's JSON index tells it.

mod condition;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use meunier_segment::json_flat::{FlattenOptions, flatten};

use crate::description::FunctionGroup::Json as Group;
use crate::scalar::call::{Call, Fault};
use crate::scalar::function::{Asked, Function, Gives, Overload};
use crate::scalar::kind::{Kind, Scalar};
use crate::scalar::rows::fault;
use crate::scalar::sink::collect;
pub(crate) use condition::parse;

const TEXT: Kind = Kind::One(Scalar::Text);

pub(super) fn functions() -> Vec<Function> {
    vec![Function::new(
        Group,
        &["jsonMatch"],
        "jsonMatch(json, condition)",
        "Whether a document fulfils a condition such as '\"$.a[*].b\" = 1 AND \"$.c\" IS NOT NULL', whose parts hold for \
         the same elements of arrays.",
        [Overload::new(&[TEXT, TEXT], Gives::Of(truth), matched)],
    )]
}

/// The condition is read when the query is planned, so that a fault in it is one of the query.
fn truth(asked: &Asked<'_>) -> Result<Gives, Fault> {
    match asked.text(1) {
        Some(condition) => parse(condition)?,
        None => return fault("the condition on a document is a constant"),
    };
    Ok(Gives::Type(DataType::Boolean))
}

fn matched(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    let mut conditions = call.prepared(1, parse)?;
    let options = FlattenOptions::default();
    collect(call.rows, |row| {
        let Some(condition) = conditions.at(row)? else { return Ok(None) };
        // A null has no values, like the document `null`.
        let records = call.text(0, row).map_or_else(Vec::new, |json| flatten(json, &options));
        Ok(Some(condition.matches(&records)?))
    })
}
