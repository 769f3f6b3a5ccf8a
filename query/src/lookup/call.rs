//! A call of `LOOKUP` in the syntax tree: which table it names, and what takes its place.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::sql::sqlparser::ast::{Expr, Query, Visit, Visitor};
use meunier_segment::nearest::did_you_mean;
use meunier_segment::schema::FieldRole;

use super::Dimension;
use super::function::name_of;
use crate::dialect::syntax::{arguments, call, cast, constant_text, function_name};
use crate::error::QueryError;

/// The canonical name of the function.
const LOOKUP: &str = "lookup";
const USAGE: &str = "LOOKUP('dimTable', 'column', 'keyColumn', value[, 'keyColumn2', value2 …])";

/// Returns the names of the tables that a query looks into.
///
/// # Errors
/// When a call names none.
pub(super) fn tables_in(query: &Query) -> Result<BTreeSet<String>, QueryError> {
    struct Names(BTreeSet<String>);
    impl Visitor for Names {
        type Break = QueryError;

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<QueryError> {
            let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
            if function_name(function) != LOOKUP {
                return ControlFlow::Continue(());
            }
            match arguments(function).as_deref().and_then(<[Expr]>::first).and_then(constant_text) {
                Some(name) => {
                    self.0.insert(name);
                    ControlFlow::Continue(())
                }
                None => ControlFlow::Break(QueryError::invalid(format!(
                    "`LOOKUP` takes the name of a dimension table in quotes first; call it as {USAGE}"
                ))),
            }
        }
    }
    let mut names = Names(BTreeSet::new());
    match query.visit(&mut names) {
        ControlFlow::Continue(()) => Ok(names.0),
        ControlFlow::Break(error) => Err(error),
    }
}

/// Returns what takes the place of a call.
///
/// # Errors
/// When it does not fit its table.
pub(super) fn rewritten(
    dimensions: &BTreeMap<String, Arc<Dimension>>,
    arguments: &[Expr],
) -> Result<Expr, QueryError> {
    let [table, column, keys @ ..] = arguments else { return Err(wrong_call("it has too few arguments")) };
    let (Some(table), Some(column)) = (constant_text(table), constant_text(column)) else {
        return Err(wrong_call("the table and the column are texts in quotes"));
    };
    let Some(dimension) = dimensions.get(&table) else {
        return Err(QueryError::invalid("`LOOKUP` is for queries; a record cannot look into a table"));
    };
    let Some(position) = dimension.position(&column) else {
        let names = dimension.columns.iter().map(|(field, _)| field.name().as_str());
        return Err(QueryError::ColumnMissing {
            hint: did_you_mean(&column, names),
            column,
            place: format!("table `{}`", dimension.table),
        });
    };
    let (pairs, rest) = keys.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(wrong_call("each key column has a value behind it"));
    }
    let wanted = dimension.schema.primary_key_columns();
    let written: Option<Vec<String>> = pairs.iter().map(|[name, _]| constant_text(name)).collect();
    let Some(written) = written else {
        return Err(wrong_call("key columns are texts in quotes"));
    };
    let are_keys = written.len() == wanted.len()
        && written.iter().zip(wanted).all(|(written, wanted)| written.eq_ignore_ascii_case(wanted));
    if !are_keys {
        let wanted: Vec<&str> = wanted.iter().map(|name| &**name).collect();
        return Err(QueryError::invalid(format!(
            "the primary key of `{}` is ({}), not ({}): `LOOKUP` takes its columns in this order",
            dimension.table,
            wanted.join(", "),
            written.join(", ")
        )));
    }
    let values = pairs.iter().map(|[_, value]| value.clone()).collect();
    let found = call(&name_of(dimension, position), values);
    let field = &dimension.schema.fields()[position];
    // The cast changes nothing: it tells the dialect of the type.
    Ok(match (&field.role, field.single_value) {
        (FieldRole::Complex(_), _) | (_, false) => found,
        _ => cast(found, field.data_type),
    })
}

fn wrong_call(detail: &str) -> QueryError {
    QueryError::invalid(format!("{detail}; call it as {USAGE}"))
}
