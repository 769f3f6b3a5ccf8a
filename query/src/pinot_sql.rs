//! The lexical side of Pinot's SQL: what an identifier is, and which clauses exist.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, Visit, Visitor};
use datafusion::sql::sqlparser::dialect::{Dialect, Precedence};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};

/// Pinot's SQL for the parser: ANSI, double-quoted identifiers, `$` in names, `LIMIT offset, count`, `FILTER (WHERE …)`,
/// `BETWEEN SYMMETRIC`, `U&'…'`, and hints in comments.
#[derive(Debug, Default)]
pub(crate) struct PinotDialect;

impl Dialect for PinotDialect {
    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '"'
    }

    fn identifier_quote_style(&self, _identifier: &str) -> Option<char> {
        Some('"')
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_' || ch == '$'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphanumeric() || ch == '_' || ch == '$'
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_within_after_array_aggregation(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    fn supports_limit_comma(&self) -> bool {
        true
    }

    fn supports_window_function_null_treatment_arg(&self) -> bool {
        true
    }

    fn supports_left_associative_joins_without_parens(&self) -> bool {
        true
    }

    fn allow_extract_custom(&self) -> bool {
        true
    }

    fn supports_parens_around_table_factor(&self) -> bool {
        true
    }

    fn supports_unicode_string_literal(&self) -> bool {
        true
    }

    fn parse_infix(
        &self,
        parser: &mut Parser,
        expr: &Expr,
        _precedence: u8,
    ) -> Option<Result<Expr, ParserError>> {
        let forms = [
            (&[Keyword::NOT, Keyword::BETWEEN, Keyword::SYMMETRIC][..], true, true),
            (&[Keyword::BETWEEN, Keyword::SYMMETRIC], false, true),
            (&[Keyword::NOT, Keyword::BETWEEN, Keyword::ASYMMETRIC], true, false),
            (&[Keyword::BETWEEN, Keyword::ASYMMETRIC], false, false),
        ];
        let (_, negated, symmetric) = forms.into_iter().find(|(words, ..)| parser.parse_keywords(words))?;
        Some(between(self, parser, expr, negated, symmetric))
    }
}

/// Parses the bounds behind `BETWEEN SYMMETRIC` or `BETWEEN ASYMMETRIC`.
fn between(
    dialect: &PinotDialect,
    parser: &mut Parser,
    expr: &Expr,
    negated: bool,
    symmetric: bool,
) -> Result<Expr, ParserError> {
    let precedence = dialect.prec_value(Precedence::Between);
    let one = parser.parse_subexpr(precedence)?;
    parser.expect_keyword_is(Keyword::AND)?;
    let other = parser.parse_subexpr(precedence)?;
    let within = |low: &Expr, high: &Expr, negated| Expr::Between {
        expr: Box::new(expr.clone()),
        negated,
        low: Box::new(low.clone()),
        high: Box::new(high.clone()),
    };
    if !symmetric {
        return Ok(within(&one, &other, negated));
    }
    // Each bound is written twice, so one inside the other would double with each level.
    if [expr, &one, &other].into_iter().any(holds_between) {
        return Err(ParserError::ParserError("a bound of BETWEEN SYMMETRIC holds another BETWEEN".into()));
    }
    let either = Expr::Nested(Box::new(Expr::BinaryOp {
        left: Box::new(within(&one, &other, false)),
        op: BinaryOperator::Or,
        right: Box::new(within(&other, &one, false)),
    }));
    Ok(match negated {
        true => Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(either) },
        false => either,
    })
}

fn holds_between(expr: &Expr) -> bool {
    struct Betweens;
    impl Visitor for Betweens {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Between { .. } => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    expr.visit(&mut Betweens).is_break()
}
