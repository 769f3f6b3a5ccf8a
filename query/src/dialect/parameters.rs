//! Constants of WHERE that become parameters of the plan.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, UnaryOperator, Value as SqlValue, Visit, Visitor};
use datafusion::sql::sqlparser::tokenizer::Location;
use meunier_segment::schema::DataType;

use super::syntax::{unwrapped, value};
use crate::shape::{Parameter, Shape};

/// Makes parameters of constants.
#[derive(Debug)]
pub(super) struct Parameters<'a> {
    shape: &'a Shape,
    /// Where the constants stand that WHERE itself was written with: an alias may bring others, which stand elsewhere too.
    places: HashSet<(u64, u64)>,
    found: Vec<Parameter>,
}

impl<'a> Parameters<'a> {
    pub(super) fn of(shape: &'a Shape, selection: &Expr) -> Parameters<'a> {
        let mut places = Places(HashSet::new());
        let _ = selection.visit(&mut places);
        Parameters { shape, places: places.0, found: Vec::new() }
    }

    /// Returns the parameter that stands for a constant where a value of a column is meant, if it can be one.
    pub(super) fn take(&mut self, constant: &Expr, data_type: DataType) -> Option<Expr> {
        let (place, negated) = place_of(constant)?;
        if !self.places.contains(&(place.line, place.column)) {
            return None;
        }
        let parameter = Parameter { constant: self.shape.constant_at(place)?, negated, data_type };
        parameter.value(&self.shape.constants[parameter.constant].0)?;
        let name = format!("${}", parameter.constant + 1);
        match self.found.iter().find(|found| found.constant == parameter.constant) {
            // One constant in two places of the rewritten query, such as the bounds of one range.
            Some(found) if *found != parameter => return None,
            Some(_) => {}
            None => self.found.push(parameter),
        }
        Some(value(SqlValue::Placeholder(name)))
    }

    pub(super) fn found(self) -> Vec<Parameter> {
        self.found
    }
}

/// Returns where a number or text begins, and whether it is negated.
fn place_of(expr: &Expr) -> Option<(Location, bool)> {
    match unwrapped(expr) {
        Expr::Value(value) if value.span.start.line > 0 => Some((value.span.start, false)),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match unwrapped(expr) {
            Expr::Value(value) if value.span.start.line > 0 => Some((value.span.start, true)),
            _ => None,
        },
        _ => None,
    }
}

struct Places(HashSet<(u64, u64)>);

impl Visitor for Places {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Value(value) = expr {
            self.0.insert((value.span.start.line, value.span.start.column));
        }
        ControlFlow::Continue(())
    }
}
