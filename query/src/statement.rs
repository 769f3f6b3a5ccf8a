//! The text of a statement, taken apart before anything recursive sees it.
//!
//! [`Statement::read`] works on the token stream alone: it checks sizes, takes `SET …;` and `OPTION(…)` out, and lets
//! exactly one `SELECT` (or `EXPLAIN` of one) through. [`Statement::parse`] then makes the syntax tree, which recurses and
//! so belongs on a thread with a deep stack.

pub(crate) mod forms;
mod size;

use std::fmt;

use datafusion::sql::sqlparser::ast::{Expr, Query};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use meunier_segment::nearest::did_you_mean;

use crate::error::QueryError;
use crate::pinot_sql::PinotDialect;

/// How deep the parser may recurse. A level of nesting costs it up to three steps; [`size`] refuses deep nesting first,
/// with a clearer message.
const PARSER_RECURSION_MAX: usize = 4 * size::DEPTH_MAX;

/// What an EXPLAIN asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Explain {
    /// `EXPLAIN`: all that is known, in our words.
    Everything,
    /// `EXPLAIN PLAN FOR`: Pinot's table of operators, or of a multi-stage query the logical plan.
    Plan,
    /// `EXPLAIN IMPLEMENTATION PLAN FOR`: the plan as it is run.
    Implementation,
}

/// One statement, its options taken out.
#[derive(Debug)]
pub(crate) struct Statement {
    tokens: Vec<TokenWithSpan>,
    /// Which plan is asked for instead of its rows.
    pub(crate) explain: Option<Explain>,
    /// `SET` and `OPTION` pairs, in the order in which later ones win.
    pub(crate) options: Vec<(String, String)>,
}

impl Statement {
    /// Reads the [tokens](tokens_of) of a text.
    ///
    /// # Errors
    /// When they are too many, or anything but one query with its options.
    pub(crate) fn read(tokens: Vec<TokenWithSpan>) -> Result<Statement, QueryError> {
        size::check_tokens(&tokens)?;

        let mut settings = Vec::new();
        let mut query: Option<Vec<TokenWithSpan>> = None;
        for part in split_statements(tokens) {
            if is_word(part.first(), Keyword::SET) {
                settings.push(read_set(&part)?);
            } else if query.is_some() {
                return Err(at(&part[0], "one query at a time: a second statement begins here"));
            } else {
                query = Some(part);
            }
        }
        let Some(mut tokens) = query else {
            return Err(QueryError::NotAQuery { detail: "the text holds no query".into() });
        };
        let mut options = take_options(&mut tokens)?;
        options.append(&mut settings);
        let explain = take_explain(&mut tokens);
        check_is_query(&tokens)?;
        Ok(Statement { tokens, explain, options })
    }

    /// Returns the syntax tree.
    ///
    /// # Errors
    /// When the tokens do not follow the grammar.
    pub(crate) fn parse(self) -> Result<Box<Query>, QueryError> {
        let end = self.tokens.last().map_or(Location { line: 1, column: 1 }, |token| token.span.end);
        let mut parser = Parser::new(&PinotDialect)
            .with_recursion_limit(PARSER_RECURSION_MAX)
            .with_tokens_with_locations(forms::rewrite(self.tokens));
        let query = parser.parse_query().map_err(|error| syntax_error(error, end))?;
        let rest = parser.peek_token();
        if rest.token != Token::EOF {
            return Err(at(&rest, &format!("expected the end of the statement, found `{}`", rest.token)));
        }
        Ok(query)
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, token) in self.tokens.iter().enumerate() {
            let separator = if position > 0 { " " } else { "" };
            write!(f, "{separator}{}", token.token)?;
        }
        Ok(())
    }
}

/// Returns the syntax tree of the one expression that the tokens are.
///
/// # Errors
/// When they are too many, or anything else.
pub(crate) fn parse_expression(tokens: Vec<TokenWithSpan>) -> Result<Expr, QueryError> {
    size::check_tokens(&tokens)?;
    let end = tokens.last().map_or(Location { line: 1, column: 1 }, |token| token.span.end);
    let mut parser = Parser::new(&PinotDialect)
        .with_recursion_limit(PARSER_RECURSION_MAX)
        .with_tokens_with_locations(tokens);
    let expr = parser.parse_expr().map_err(|error| syntax_error(error, end))?;
    let rest = parser.peek_token();
    match rest.token {
        Token::EOF => Ok(expr),
        _ => Err(at(&rest, &format!("expected the end of the expression, found `{}`", rest.token))),
    }
}

/// Returns the tokens of a text.
///
/// # Errors
/// When the text is too long, or something in it is no token of SQL.
pub(crate) fn tokens_of(text: &str) -> Result<Vec<TokenWithSpan>, QueryError> {
    size::check_text(text)?;
    let mut tokens = Tokenizer::new(&PinotDialect, text).tokenize_with_location().map_err(|error| {
        let Location { line, column } = error.location;
        QueryError::Syntax { line, column, detail: unended(&error.message) }
    })?;
    tokens.retain(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF));
    for token in &mut tokens {
        if let Token::UnicodeStringLiteral(text) = &mut token.token {
            token.token = Token::SingleQuotedString(std::mem::take(text));
        }
    }
    match tokens.iter().find(|token| matches!(token.token, Token::Placeholder(_))) {
        Some(token) => Err(at(
            token,
            &format!("`{}` stands for a value that is not given; write the value", token.token),
        )),
        None => Ok(tokens),
    }
}

fn split_statements(tokens: Vec<TokenWithSpan>) -> Vec<Vec<TokenWithSpan>> {
    let mut parts = vec![Vec::new()];
    for token in tokens {
        match token.token {
            Token::SemiColon => parts.push(Vec::new()),
            _ => parts.last_mut().expect("there is always one part").push(token),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Reads `SET name = value`.
fn read_set(part: &[TokenWithSpan]) -> Result<(String, String), QueryError> {
    let equals = part.iter().position(|token| token.token == Token::Eq);
    match equals {
        Some(equals) if equals + 1 < part.len() && is_name(&part[1..equals]) => {
            Ok((plain_text(&part[1..equals]), option_value(&part[equals + 1..])?))
        }
        _ => Err(at(&part[0], "expected `SET name = value`")),
    }
}

/// Takes `OPTION(name = value, …)` from the end, as often as it stands there. The first one written comes first.
fn take_options(tokens: &mut Vec<TokenWithSpan>) -> Result<Vec<(String, String)>, QueryError> {
    let mut options = Vec::new();
    while let Some(start) = option_clause_start(tokens) {
        let clause = tokens.split_off(start);
        let inner = &clause[2..clause.len() - 1];
        let mut pairs = Vec::new();
        for pair in inner.split(|token| token.token == Token::Comma) {
            let equals = pair.iter().position(|token| token.token == Token::Eq);
            match equals {
                Some(equals) if equals + 1 < pair.len() && is_name(&pair[..equals]) => {
                    pairs.push((plain_text(&pair[..equals]), option_value(&pair[equals + 1..])?));
                }
                _ => return Err(at(&clause[0], "expected `OPTION(name = value, …)`")),
            }
        }
        pairs.append(&mut options);
        options = pairs;
    }
    Ok(options)
}

/// Returns where the last tokens `OPTION ( … )` begin.
fn option_clause_start(tokens: &[TokenWithSpan]) -> Option<usize> {
    if tokens.last()?.token != Token::RParen {
        return None;
    }
    let open = tokens.iter().rposition(|token| token.token == Token::LParen)?;
    let word = open.checked_sub(1)?;
    let named_option = matches!(&tokens[word].token, Token::Word(found)
        if found.quote_style.is_none() && found.value.eq_ignore_ascii_case("option"));
    named_option.then_some(word)
}

/// An option's value: a word, a number, several with `|` between, or a text in quotes; a sign may stand before a number.
fn option_value(tokens: &[TokenWithSpan]) -> Result<String, QueryError> {
    match tokens {
        [TokenWithSpan { token: Token::SingleQuotedString(text), .. }] => Ok(text.clone()),
        _ if tokens.iter().all(|token| is_plain(&token.token)) => Ok(plain_text(tokens)),
        _ => Err(at(&tokens[0], "an option's value is a word, a number or a text in quotes")),
    }
}

/// Words with dots between, perhaps in quotes.
fn is_name(tokens: &[TokenWithSpan]) -> bool {
    let allowed =
        |token: &Token| matches!(token, Token::Word(_) | Token::SingleQuotedString(_) | Token::Period);
    !tokens.is_empty() && tokens.iter().all(|token| allowed(&token.token))
}

fn is_plain(token: &Token) -> bool {
    matches!(
        token,
        Token::Word(_)
            | Token::Number(..)
            | Token::Period
            | Token::Minus
            | Token::Plus
            | Token::Colon
            | Token::Pipe
    )
}

fn plain_text(tokens: &[TokenWithSpan]) -> String {
    let mut text = String::new();
    for token in tokens {
        match &token.token {
            Token::Word(word) => text.push_str(&word.value),
            Token::SingleQuotedString(value) => text.push_str(value),
            other => text.push_str(&other.to_string()),
        }
    }
    text
}

/// Takes `EXPLAIN [IMPLEMENTATION] [PLAN [… FOR]]` from the front.
fn take_explain(tokens: &mut Vec<TokenWithSpan>) -> Option<Explain> {
    const KNOWN: [&str; 9] =
        ["PLAN", "FOR", "IMPLEMENTATION", "INCLUDING", "EXCLUDING", "ALL", "ATTRIBUTES", "WITH", "WITHOUT"];
    if !is_word(tokens.first(), Keyword::EXPLAIN) {
        return None;
    }
    let query = tokens.iter().position(|token| begins_query(&token.token)).unwrap_or(tokens.len());
    let is_named = |token: &TokenWithSpan, name: &str| match &token.token {
        Token::Word(word) => word.value.eq_ignore_ascii_case(name),
        _ => false,
    };
    let said = &tokens[1..query];
    if !said.iter().all(|token| KNOWN.iter().any(|known| is_named(token, known))) {
        tokens.remove(0);
        return Some(Explain::Everything);
    }
    let says = |name: &str| said.iter().any(|token| is_named(token, name));
    let explain = match (says("IMPLEMENTATION"), says("PLAN")) {
        (true, _) => Explain::Implementation,
        (false, true) => Explain::Plan,
        (false, false) => Explain::Everything,
    };
    tokens.drain(..query);
    Some(explain)
}

fn begins_query(token: &Token) -> bool {
    match token {
        Token::LParen => true,
        Token::Word(word) => matches!(word.keyword, Keyword::SELECT | Keyword::WITH | Keyword::VALUES),
        _ => false,
    }
}

fn check_is_query(tokens: &[TokenWithSpan]) -> Result<(), QueryError> {
    match tokens.first() {
        None => Err(QueryError::NotAQuery { detail: "the text holds no query".into() }),
        Some(first) if begins_query(&first.token) => Ok(()),
        Some(first) => match &first.token {
            Token::Word(word) => {
                let hint = did_you_mean(&word.value, ["SELECT", "WITH", "SET", "EXPLAIN"]);
                Err(at(first, &format!("only queries are served here, `{}` begins none{hint}", word.value)))
            }
            other => Err(at(first, &format!("expected SELECT, found `{other}`"))),
        },
    }
}

fn is_word(token: Option<&TokenWithSpan>, keyword: Keyword) -> bool {
    matches!(token, Some(TokenWithSpan { token: Token::Word(word), .. }) if word.keyword == keyword)
}

fn at(token: &TokenWithSpan, detail: &str) -> QueryError {
    let Location { line, column } = token.span.start;
    QueryError::Syntax { line, column, detail: detail.to_owned() }
}

/// Turns `Expected: x, found: y at Line: 1, Column: 5` into an error with a place; without one it is the text's end.
fn syntax_error(error: ParserError, end: Location) -> QueryError {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text,
        ParserError::RecursionLimitExceeded => {
            return QueryError::invalid(format!(
                "the statement is nested more than {} levels deep",
                size::DEPTH_MAX
            ));
        }
    };
    let place = text.rsplit_once(" at Line: ").and_then(|(detail, place)| {
        let (line, column) = place.split_once(", Column: ")?;
        Some((detail, line.parse().ok()?, column.parse().ok()?))
    });
    let (detail, line, column) = place.unwrap_or((text.as_str(), end.line, end.column));
    let detail =
        lower_first(detail).replacen("expected: ", "expected ", 1).replacen(", found: ", ", found ", 1);
    QueryError::Syntax { line, column, detail: detail.replace("found EOF", "found the end of the statement") }
}

/// Says what has no end, in words that fit the place where it begins.
fn unended(message: &str) -> String {
    match message {
        "Unterminated string literal" => "the text that begins here has no end: close it with `'`".into(),
        _ if message.starts_with("Expected close delimiter '\"'") => {
            "the quoted name that begins here has no end: close it with `\"`".into()
        }
        other => lower_first(other),
    }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests;
