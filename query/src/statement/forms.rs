//! Forms that the parser does not know, written with ones that it knows.
//!
//! `a LEFT ASOF JOIN b MATCH_CONDITION (c)` becomes `a ASOF JOIN b MATCH_CONDITION ("$left"(c))`, and
//! `OVER (… EXCLUDE TIES)` becomes `OVER ("$exclude ties" …)`, where a window's name may stand. The dialect reads both marks.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::window_exclusion::Exclusion;

/// Marks an ASOF join that keeps all rows of its left side, as a call around its MATCH_CONDITION.
pub(crate) const LEFT_ASOF: &str = "$left";

/// Rewrites the tokens of a query.
pub(super) fn rewrite(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let tokens = mark_left_asof(tokens);
    mark_exclusions(tokens)
}

fn mark_left_asof(mut tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let is_left_asof = |three: &[TokenWithSpan]| {
        is_word(&three[0], Keyword::LEFT)
            && is_word(&three[1], Keyword::ASOF)
            && is_word(&three[2], Keyword::JOIN)
    };
    let mut from = 0;
    while let Some(found) = tokens[from..].windows(3).position(is_left_asof) {
        let left = from + found;
        from = left + 3;
        let Some((open, close)) = match_condition(&tokens, from) else { continue };
        let place = tokens[left].span;
        let token = |token| TokenWithSpan { token, span: place };
        tokens.insert(close, token(Token::RParen));
        tokens.insert(open + 1, token(Token::LParen));
        tokens.insert(open + 1, token(Token::make_word(LEFT_ASOF, Some('"'))));
        tokens.remove(left);
    }
    tokens
}

/// Returns the parentheses of the first MATCH_CONDITION that is not inside other parentheses.
fn match_condition(tokens: &[TokenWithSpan], from: usize) -> Option<(usize, usize)> {
    let mut depth = 0_usize;
    let mut open = None;
    for at in from..tokens.len() {
        match &tokens[at].token {
            Token::LParen => {
                let begins = depth == 0 && is_word(&tokens[at - 1], Keyword::MATCH_CONDITION);
                if begins {
                    open = Some(at);
                }
                depth += 1;
            }
            Token::RParen => {
                depth = depth.checked_sub(1)?;
                if let (0, Some(open)) = (depth, open) {
                    return Some((open, at));
                }
            }
            _ => {}
        }
    }
    None
}

fn mark_exclusions(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut marked: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut open = Vec::new();
    let mut pending = Vec::new();
    for token in tokens {
        match &token.token {
            Token::LParen => open.push(marked.len()),
            Token::RParen => {
                let opened = open.pop();
                if let (Some(opened), Some((start, exclusion))) = (opened, written_exclusion(&marked)) {
                    let span = marked[start].span;
                    marked.truncate(start);
                    if let Some(exclusion) = exclusion {
                        let token = Token::make_word(exclusion.mark(), Some('"'));
                        pending.push((opened + 1, TokenWithSpan { token, span }));
                    }
                }
            }
            _ => {}
        }
        marked.push(token);
    }
    // From the back, so that earlier places stay what they are.
    pending.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    for (at, token) in pending {
        marked.insert(at, token);
    }
    marked
}

/// Returns where an `EXCLUDE …` at the end begins, and what it leaves out.
fn written_exclusion(tokens: &[TokenWithSpan]) -> Option<(usize, Option<Exclusion>)> {
    let forms: [(&[&str], Option<Exclusion>); 4] = [
        (&["EXCLUDE", "CURRENT", "ROW"], Some(Exclusion::CurrentRow)),
        (&["EXCLUDE", "GROUP"], Some(Exclusion::Group)),
        (&["EXCLUDE", "TIES"], Some(Exclusion::Ties)),
        (&["EXCLUDE", "NO", "OTHERS"], None),
    ];
    forms.into_iter().find_map(|(words, exclusion)| {
        let start = tokens.len().checked_sub(words.len())?;
        let same = tokens[start..].iter().zip(words).all(|(token, word)| {
            matches!(&token.token, Token::Word(found)
                if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word))
        });
        same.then_some((start, exclusion))
    })
}

fn is_word(token: &TokenWithSpan, keyword: Keyword) -> bool {
    matches!(&token.token, Token::Word(word) if word.keyword == keyword)
}
