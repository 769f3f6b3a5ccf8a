//! What every text begins with that LIKE or REGEXP_LIKE lets pass: a sorted dictionary is then tested in that range only.
//! This is what Pinot's FST indexes are for.

use std::any::Any;
use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::Like;
use meunier_execution::compute::Compute;
use meunier_execution::error::ExecutionError;

use crate::predicate::{column_of, literal_of};

/// A computation that is true of no text but those that begin so.
#[derive(Debug)]
pub(crate) struct Prefixed {
    pub(crate) prefix: String,
    pub(crate) compute: Arc<dyn Compute>,
}

impl Compute for Prefixed {
    fn compute(&self, inputs: &[ArrayRef], rows: usize) -> Result<ArrayRef, ExecutionError> {
        self.compute.compute(inputs, rows)
    }

    fn text_prefix(&self) -> Option<&str> {
        Some(&self.prefix)
    }

    fn hash_code(&self) -> Option<u64> {
        self.compute.hash_code()
    }

    fn is_same(&self, other: &dyn Compute) -> bool {
        let other: &dyn Any = other;
        other.downcast_ref::<Prefixed>().is_some_and(|other| self.compute.is_same(other.compute.as_ref()))
    }
}

/// Returns what every text of a column begins with for which a condition on it is true; nothing where it is not known.
pub(crate) fn prefix_of(condition: &Expr) -> Option<String> {
    let prefix = match condition {
        Expr::Like(Like { negated: false, case_insensitive: false, escape_char: None, expr, pattern }) => {
            column_of(expr).filter(|column| column.cast.is_none())?;
            prefix_of_like(literal_of(pattern)?.try_as_str()??)
        }
        Expr::ScalarFunction(function) if function.func.name() == "regexplike" => {
            let [of, pattern, how @ ..] = &function.args[..] else { return None };
            column_of(of).filter(|column| column.cast.is_none())?;
            let heeds_case = match how {
                [] => true,
                [how] => literal_of(how)?.try_as_str()?? == "c",
                _ => false,
            };
            if !heeds_case {
                return None;
            }
            prefix_of_regexp(literal_of(pattern)?.try_as_str()??)?
        }
        _ => return None,
    };
    (!prefix.is_empty()).then_some(prefix)
}

fn prefix_of_like(pattern: &str) -> String {
    pattern.chars().take_while(|letter| !matches!(letter, '%' | '_' | '\\')).collect()
}

/// Returns the letters behind a `^` that stand for themselves and must be there.
fn prefix_of_regexp(pattern: &str) -> Option<String> {
    let rest = pattern.strip_prefix('^')?;
    // Alternatives, if there are any, need not begin alike.
    if rest.contains('|') {
        return None;
    }
    let mut prefix = String::new();
    let mut letters = rest.chars().peekable();
    while let Some(letter) = letters.next() {
        let letter = match letter {
            '\\' => letters.next().filter(char::is_ascii_punctuation),
            '.' | '[' | ']' | '(' | ')' | '{' | '}' | '*' | '+' | '?' | '^' | '$' => None,
            plain => Some(plain),
        };
        let Some(letter) = letter else { break };
        match letters.peek() {
            Some('*' | '?' | '{') => break,
            Some('+') => {
                prefix.push(letter);
                break;
            }
            _ => prefix.push(letter),
        }
    }
    Some(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_missing_is_no_prefix() {
        for (pattern, prefix) in [
            ("^abc", Some("abc")),
            ("^abc.*x$", Some("abc")),
            ("^abc?d", Some("ab")),
            ("^abc*", Some("ab")),
            ("^ab{0,2}", Some("a")),
            ("^abc+d", Some("abc")),
            (r"^a\.b\d", Some("a.b")),
            (r"^a\Qb\E", Some("a")),
            ("^(ab)c", Some("")),
            ("^ab|cd", None),
            ("abc", None),
        ] {
            assert_eq!(prefix_of_regexp(pattern).as_deref(), prefix, "{pattern}");
        }
        assert_eq!(prefix_of_like("ab_c%"), "ab");
        assert_eq!(prefix_of_like("%ab"), "");
        assert_eq!(prefix_of_like(r"a\%b"), "a");
    }
}
