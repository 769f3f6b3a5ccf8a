//! Limits on a statement's size, checked on its tokens.
//!
//! Planning recurses over the syntax tree, and a chain of operators is as deep a tree as nested parentheses are: two
//! thousand `OR`s overflow a common stack. So both are counted here, where nothing recurses yet.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::QueryError;

/// Longest text: far above any query written by hand or by a dashboard.
pub(crate) const TEXT_BYTES_MAX: usize = 256 * 1024;
/// Most tokens: an IN list of about 10,000 values.
pub(crate) const TOKENS_MAX: usize = 20_000;
/// Deepest nesting of parentheses, brackets and CASE.
pub(crate) const DEPTH_MAX: usize = 50;
/// Deepest tree of operators: a chain such as `a OR b OR c` is one level deeper for each of them, and a chain in
/// parentheses adds to the chain it stands in.
pub(crate) const CHAIN_MAX: usize = 500;
/// How many operators a bracket counts for. Planning asks for the type of what is in it again at every level above.
const BRACKET_CHAIN: usize = 8;
/// Deepest tree of joins, and of queries combined by UNION and its kind.
pub(crate) const COMBINED_MAX: usize = 100;
/// Most operators in all; planning takes time for each and cannot be stopped in the middle.
pub(crate) const OPERATORS_MAX: usize = 1_000;

pub(crate) fn check_text(text: &str) -> Result<(), QueryError> {
    within("bytes", text.len(), TEXT_BYTES_MAX)
}

/// Checks the number of tokens, the nesting, and the chains of operators.
pub(crate) fn check_tokens(tokens: &[TokenWithSpan]) -> Result<(), QueryError> {
    within("tokens", tokens.len(), TOKENS_MAX)?;
    let mut operators = 0;
    let mut levels = vec![Level::default()];
    let mut after_period = false;
    for token in tokens {
        let role = if after_period { Role::Other } else { role(&token.token) };
        after_period = token.token == Token::Period;
        let level = levels.last_mut().expect("the statement's own level stays");
        match role {
            Role::Opens => levels.push(Level::default()),
            Role::OpensCase => levels.push(Level { case: true, ..Level::default() }),
            Role::Closes => close_bracket(&mut levels),
            Role::ClosesCase if level.case => close(&mut levels),
            Role::Operator => {
                operators += 1;
                level.chain += 1;
            }
            Role::Combines => {
                operators += 1;
                level.end_chain();
                level.combined += 1;
            }
            Role::BeginsExpression => level.end_chain(),
            Role::ClosesCase | Role::Other => {}
        }
        let level = levels.last().expect("the statement's own level stays");
        within("operators in one chain", level.chain, CHAIN_MAX)?;
        within("joined or combined queries", level.combined, COMBINED_MAX)?;
        within("levels of nesting", levels.len() - 1, DEPTH_MAX)?;
    }
    within("operators", operators, OPERATORS_MAX)
}

/// Ends the innermost bracket, and with it a CASE that is still open inside.
fn close_bracket(levels: &mut Vec<Level>) {
    while levels.len() > 1 {
        let case = levels.last().is_some_and(|level| level.case);
        close(levels);
        if !case {
            return;
        }
    }
}

/// Ends the innermost level. It is an operand of the chain around it, which becomes deeper than it is.
fn close(levels: &mut Vec<Level>) {
    if levels.len() > 1
        && let Some(mut inner) = levels.pop()
        && let Some(outer) = levels.last_mut()
    {
        inner.end_chain();
        outer.chain = outer.chain.max(inner.deepest_chain + BRACKET_CHAIN);
        outer.combined = outer.combined.max(inner.combined);
    }
}

fn within(what: &'static str, found: usize, max: usize) -> Result<(), QueryError> {
    if found > max { Err(QueryError::StatementTooLarge { what, found, max }) } else { Ok(()) }
}

/// What stands inside one bracket or CASE, or in the statement outside of all.
#[derive(Default)]
struct Level {
    case: bool,
    /// Depth of the tree of operators read so far in this expression.
    chain: usize,
    /// The deepest of the expressions before.
    deepest_chain: usize,
    /// Depth of the tree of joins and combined queries.
    combined: usize,
}

impl Level {
    fn end_chain(&mut self) {
        self.deepest_chain = self.deepest_chain.max(std::mem::take(&mut self.chain));
    }
}

enum Role {
    Opens,
    Closes,
    OpensCase,
    ClosesCase,
    /// Makes the tree of the expression it stands in one level deeper.
    Operator,
    /// Makes the tree of the FROM clause or of the query one level deeper.
    Combines,
    BeginsExpression,
    Other,
}

fn role(token: &Token) -> Role {
    match token {
        Token::LParen | Token::LBracket | Token::LBrace => Role::Opens,
        Token::RParen | Token::RBracket | Token::RBrace => Role::Closes,
        Token::Comma | Token::SemiColon => Role::BeginsExpression,
        Token::Word(word) if word.quote_style.is_none() => keyword_role(word.keyword),
        Token::Word(_)
        | Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::HexStringLiteral(_)
        | Token::Period => Role::Other,
        _ => Role::Operator,
    }
}

fn keyword_role(keyword: Keyword) -> Role {
    match keyword {
        Keyword::CASE => Role::OpensCase,
        Keyword::END => Role::ClosesCase,
        Keyword::AND
        | Keyword::OR
        | Keyword::NOT
        | Keyword::XOR
        | Keyword::IS
        | Keyword::LIKE
        | Keyword::COLLATE => Role::Operator,
        Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::MINUS | Keyword::JOIN => {
            Role::Combines
        }
        Keyword::SELECT
        | Keyword::FROM
        | Keyword::WHERE
        | Keyword::GROUP
        | Keyword::HAVING
        | Keyword::ORDER
        | Keyword::LIMIT
        | Keyword::WHEN
        | Keyword::THEN
        | Keyword::ELSE
        | Keyword::ON => Role::BeginsExpression,
        _ => Role::Other,
    }
}
