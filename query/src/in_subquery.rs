//! `IN_SUBQUERY(value, 'SELECT ID_SET(column) FROM …')`: the inner statement runs first, and its set takes its place.
//!
//! As in Pinot, the inner statement is a text, has one row and one column, and may hold such a call itself.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Query, Value, Visit, VisitMut, Visitor, VisitorMut,
};
use meunier_functions::canonical;

use crate::error::QueryError;

/// How deep such statements may stand in each other.
pub(crate) const DEPTH_MAX: usize = 4;
/// Most inner statements of one statement.
const STATEMENTS_MAX: usize = 16;

/// Names of the call. Every row of a partition is on this server, so that both mean the same.
const NAMES: [&str; 2] = ["insubquery", "inpartitionedsubquery"];

/// Returns the texts of the inner statements.
///
/// # Errors
/// When a call has none, or they are too many.
pub(crate) fn inner_statements(query: &Query) -> Result<BTreeSet<String>, QueryError> {
    struct Texts(BTreeSet<String>);
    impl Visitor for Texts {
        type Break = QueryError;

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<QueryError> {
            if !is_call(expr) {
                return ControlFlow::Continue(());
            }
            match text_of(expr) {
                Some(text) => {
                    self.0.insert(text.to_owned());
                    ControlFlow::Continue(())
                }
                None => ControlFlow::Break(QueryError::invalid(
                    "`IN_SUBQUERY` takes a value and a statement in quotes, such as 'SELECT ID_SET(id) FROM t'",
                )),
            }
        }
    }
    let mut texts = Texts(BTreeSet::new());
    match query.visit(&mut texts) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) if texts.0.len() > STATEMENTS_MAX => Err(QueryError::invalid(format!(
            "a statement holds at most {STATEMENTS_MAX} inner statements of `IN_SUBQUERY`"
        ))),
        ControlFlow::Continue(()) => Ok(texts.0),
    }
}

/// Puts the sets that inner statements gave in their place.
pub(crate) fn put_sets(query: &mut Query, sets: &BTreeMap<String, String>) {
    struct Sets<'a>(&'a BTreeMap<String, String>);
    impl VisitorMut for Sets<'_> {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
            let set = is_call(expr).then(|| text_of(expr).and_then(|text| self.0.get(text))).flatten();
            if let (Some(set), Expr::Function(function)) = (set, expr) {
                function.name = vec!["inIdSet".into()].into();
                if let FunctionArguments::List(list) = &mut function.args
                    && let [_, FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value)))] =
                        &mut list.args[..]
                {
                    value.value = Value::SingleQuotedString(set.clone());
                }
            }
            ControlFlow::Continue(())
        }
    }
    let _ = VisitMut::visit(query, &mut Sets(sets));
}

/// Returns the set out of the rows of an inner statement's answer.
///
/// # Errors
/// When it is not one text.
pub(crate) fn set_of(rows: &[u8], statement: &str) -> Result<String, QueryError> {
    match serde_json::from_slice::<(String,)>(rows) {
        Ok((set,)) => Ok(set),
        Err(_) => Err(QueryError::invalid(format!(
            "the inner statement of `IN_SUBQUERY` gives one set of `ID_SET`, which this does not: {statement}"
        ))),
    }
}

fn is_call(expr: &Expr) -> bool {
    let Expr::Function(function) = expr else { return false };
    match &function.name.0[..] {
        [name] => name.as_ident().is_some_and(|name| NAMES.contains(&canonical(&name.value).as_str())),
        _ => false,
    }
}

fn text_of(expr: &Expr) -> Option<&str> {
    let Expr::Function(function) = expr else { return None };
    let FunctionArguments::List(list) = &function.args else { return None };
    match &list.args[..] {
        [_, FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value)))] => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}
