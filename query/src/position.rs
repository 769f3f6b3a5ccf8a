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
    if let QueryError::Syntax { line, column, .. } = error {
        return Some(Position { line: *line, column: *column });
    }
    let tokens = tokens_of(sql).ok()?;
    let at = match error {
        QueryError::TableMissing { table: name, .. }
        | QueryError::TableDisabled { table: name }
        | QueryError::ColumnMissing { column: name, .. } => first_mention(&tokens, name, |_| true),
        QueryError::FunctionMissing { function, .. } => first_call(&tokens, function),
        QueryError::Invalid { detail } | QueryError::Planning { detail } => first_quoted(&tokens, detail),
        // What a function says of its arguments. Other faults tell of values, which may stand in the text by chance.
        QueryError::Execution { detail } if detail.starts_with('`') && detail.contains("(") => {
            first_quoted(&tokens, detail)
        }
        _ => None,
    };
    let start = tokens[at?].span.start;
    Some(Position { line: start.line, column: start.column })
}

/// Finds the first word that is the last part of `name`, if what follows it fits.
pub(crate) fn first_mention(
    tokens: &[TokenWithSpan],
    name: &str,
    fits: impl Fn(Option<&TokenWithSpan>) -> bool,
) -> Option<usize> {
    let last_part = name.rsplit('.').next().unwrap_or(name);
    let is_it = |at: &usize| match &tokens[*at].token {
        Token::Word(word) => {
            (word.value.eq_ignore_ascii_case(last_part) || word.value.eq_ignore_ascii_case(name))
                && fits(tokens.get(at + 1))
        }
        _ => false,
    };
    (0..tokens.len()).find(is_it)
}

fn first_call(tokens: &[TokenWithSpan], function: &str) -> Option<usize> {
    first_mention(tokens, function, |next| next.is_some_and(|next| next.token == Token::LParen))
}

/// Finds what a message names: a text or number of the statement that it repeats, else a word that it repeats, else the keyword
/// that it begins with.
fn first_quoted(tokens: &[TokenWithSpan], message: &str) -> Option<usize> {
    let named: Vec<&str> =
        message.split(['`', '\'']).skip(1).step_by(2).filter(|name| !name.is_empty()).collect();
    let is_literal = |at: &usize| match &tokens[*at].token {
        Token::SingleQuotedString(text) => named.contains(&text.as_str()),
        Token::Number(text, _) => named.contains(&text.as_str()),
        _ => false,
    };
    let of_word = |name: &&str| match name.split_once('(') {
        Some((function, _)) => first_call(tokens, function),
        None => first_mention(tokens, name, |_| true),
    };
    let of_keyword = || {
        let first =
            message.split_whitespace().next().filter(|word| word.chars().all(|c| c.is_ascii_uppercase()));
        first.and_then(|word| first_mention(tokens, word, |_| true))
    };
    (0..tokens.len()).find(is_literal).or_else(|| named.iter().find_map(of_word)).or_else(of_keyword)
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

    #[test]
    fn a_message_that_repeats_a_part_of_the_text_stands_there() {
        let sql = "SELECT dateTrunc('hur', ts)\nFROM t WHERE n = 'x' LIMIT 5";
        let invalid = |detail: &str| place(&QueryError::invalid(detail), sql);
        assert_eq!(invalid("`x` is no value of type LONG"), Some((2, 18)));
        assert_eq!(invalid("`dateTrunc(unit, time)`: 'hur' is no unit; did you mean `hour`?"), Some((1, 18)));
        assert_eq!(invalid("`dateTrunc(unit, time)` cannot take 2 arguments"), Some((1, 8)));
        assert_eq!(invalid("LIMIT takes a whole number"), Some((2, 22)));
        assert_eq!(invalid("nothing of it is there"), None);
        // A value of a row is no place in the text.
        let failed = QueryError::Execution { detail: "`x` cannot be read as DOUBLE".into() };
        assert_eq!(place(&failed, sql), None);
    }
}
