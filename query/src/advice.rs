//! What a statement's own text says about its fault: the word that was likely meant, the end that is missing.
//!
//! The parser knows only where it could not go on. The slip is mostly just before that: a keyword with a letter too many was
//! read as a name, a `CASE` never ended, a text stands in the quotes of names.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};
use meunier_segment::nearest::nearest;

use crate::error::QueryError;
use crate::position::first_mention;
use crate::statement::tokens_of;

/// Words that go on with a statement after a name.
const CLAUSES: [&str; 16] = [
    "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "OFFSET", "JOIN", "INNER", "LEFT", "RIGHT",
    "UNION", "OPTION", "FILTER", "OVER", "BETWEEN",
];

/// Adds to an error what the text suggests.
pub(crate) fn advise(error: &mut QueryError, sql: &str) {
    match error {
        QueryError::Syntax { line, column, detail } if !detail.contains(';') => {
            let Ok(tokens) = tokens_of(sql) else { return };
            let is_before = |token: &TokenWithSpan| {
                let start = token.span.start;
                (start.line, start.column) < (*line, *column)
            };
            let mut at = tokens.iter().take_while(|token| is_before(token)).count();
            // The parser may have gone one word too far before it tells which one it did not expect.
            if let Some(before) = at.checked_sub(1).filter(|before| is_found(&tokens[*before], detail))
                && !tokens.get(at).is_some_and(|token| is_found(token, detail))
            {
                at = before;
                (*line, *column) = (tokens[at].span.start.line, tokens[at].span.start.column);
            }
            if let Some(advice) = syntax_advice(&tokens, at, detail) {
                detail.push_str(&advice);
            }
        }
        QueryError::ColumnMissing { column, hint, .. } if hint.is_empty() => {
            let Ok(tokens) = tokens_of(sql) else { return };
            let Some(at) = first_mention(&tokens, column, |_| true) else { return };
            if let Token::Word(word) = &tokens[at].token
                && word.quote_style == Some('"')
            {
                *hint = format!("; a text stands in single quotes: '{}'", word.value);
            }
        }
        _ => {}
    }
}

/// Whether the parser says that it found this word.
fn is_found(token: &TokenWithSpan, detail: &str) -> bool {
    matches!(token.token, Token::Word(_))
        && detail.rsplit_once("found ").is_some_and(|(_, found)| found == token.token.to_string())
}

/// Returns what is likely wrong where the token `at` could not be read.
fn syntax_advice(tokens: &[TokenWithSpan], at: usize, detail: &str) -> Option<String> {
    if let Some(case) = case_without_end(tokens) {
        let start = tokens[case].span.start;
        return Some(format!("; the `CASE` at line {}, column {} has no `END`", start.line, start.column));
    }
    let before = at.checked_sub(1).map(|before| &tokens[before]);
    // The word that cannot be read may be the slip itself.
    for word in [before, tokens.get(at)].into_iter().flatten().filter_map(name) {
        if let Some(meant) = nearest(word, CLAUSES).filter(|meant| !meant.eq_ignore_ascii_case(word)) {
            return Some(format!("; did you mean `{meant}` for `{word}`?"));
        }
    }
    let Some(Token::Word(found)) = tokens.get(at).map(|token| &token.token) else { return None };
    let goes_on = CLAUSES.iter().any(|clause| found.value.eq_ignore_ascii_case(clause));
    let after_comma = before.is_some_and(|token| token.token == Token::Comma);
    let followed_by_by = matches!(tokens.get(at + 1).map(|token| &token.token),
        Some(Token::Word(next)) if next.keyword == Keyword::BY);
    match (found.keyword, after_comma && (goes_on || followed_by_by)) {
        (_, true) => Some(format!("; remove the comma before `{}`", found.value)),
        (Keyword::NoKeyword, false) => None,
        (_, false) if found.quote_style.is_some() || !wants_name(detail) => None,
        (Keyword::FROM | Keyword::WHERE | Keyword::HAVING | Keyword::LIMIT, false) => None,
        (_, false) if followed_by_by => None,
        (_, false) => {
            Some(format!("; `{}` is a word of SQL: as a name it stands in double quotes", found.value))
        }
    }
}

/// Whether a name could stand where the parser found something else.
fn wants_name(detail: &str) -> bool {
    detail.starts_with("expected an expression") || detail.starts_with("expected identifier")
}

/// Returns a word that was read as a name.
fn name(token: &TokenWithSpan) -> Option<&str> {
    match &token.token {
        Token::Word(word) if word.keyword == Keyword::NoKeyword && word.quote_style.is_none() => {
            Some(&word.value)
        }
        _ => None,
    }
}

/// Returns the last `CASE` that does not end.
fn case_without_end(tokens: &[TokenWithSpan]) -> Option<usize> {
    let mut open = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match &token.token {
            Token::Word(word) if word.keyword == Keyword::CASE => open.push(at),
            Token::Word(word) if word.keyword == Keyword::END => {
                open.pop();
            }
            _ => {}
        }
    }
    open.pop()
}
