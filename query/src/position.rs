//! Where in a statement its fault stands.
//!
//! The parser knows the place of what it cannot read. A name that does not exist is found out later, in a tree without
//! places, so its first mention is looked up in the tokens.

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::QueryError;
use crate::statement::tokens_of;

/// A place in a statement, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) line: u64,
    pub(crate) column: u64,
}

/// Returns the place of an error's cause, where it has one.
pub(crate) fn position_of(error: &QueryError, sql: &str) -> Option<Position> {
    match error {
        QueryError::Syntax { line, column, .. } => Some(Position { line: *line, column: *column }),
        QueryError::TableMissing { table: name, .. }
        | QueryError::TableDisabled { table: name }
        | QueryError::ColumnMissing { column: name, .. } => first_mention(sql, name, |_| true),
        QueryError::FunctionMissing { function, .. } => {
            first_mention(sql, function, |next| next.is_some_and(|next| next.token == Token::LParen))
        }
        _ => None,
    }
}

/// Finds the first word that is the last part of `name`, if what follows it fits.
fn first_mention(sql: &str, name: &str, fits: impl Fn(Option<&TokenWithSpan>) -> bool) -> Option<Position> {
    let tokens = tokens_of(sql).ok()?;
    let last_part = name.rsplit('.').next().unwrap_or(name);
    let is_it = |at: &usize| match &tokens[*at].token {
        Token::Word(word) => {
            (word.value.eq_ignore_ascii_case(last_part) || word.value.eq_ignore_ascii_case(name))
                && fits(tokens.get(at + 1))
        }
        _ => false,
    };
    let at = (0..tokens.len()).find(is_it)?;
    let start = tokens[at].span.start;
    Some(Position { line: start.line, column: start.column })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(error: &QueryError, sql: &str) -> Option<(u64, u64)> {
        position_of(error, sql).map(|position| (position.line, position.column))
    }

    #[test]
    fn a_missing_name_stands_where_it_is_first_mentioned() {
        let text = String::new;
        let column = QueryError::ColumnMissing { column: "t.cty".into(), place: text(), hint: text() };
        assert_eq!(place(&column, "SELECT n,\n  t.cty FROM t"), Some((2, 5)));
        let function = QueryError::FunctionMissing { function: "summ".into(), hint: text() };
        assert_eq!(place(&function, "SELECT summ, SUMM(n) FROM t"), Some((1, 14)));
        let table = QueryError::TableMissing { table: "trps".into(), hint: text() };
        assert_eq!(place(&table, "SELECT * FROM \"trps\""), Some((1, 15)));
        assert_eq!(place(&QueryError::Cancelled, "SELECT 1"), None);
    }
}
