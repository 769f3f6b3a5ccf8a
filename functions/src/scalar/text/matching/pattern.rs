//! Wildcards and Lucene's regular expressions as those of the `regex` crate.

use meunier_segment::text_search::WordPattern;
use regex::Regex;

/// One letter of a word with wildcards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WildLetter {
    /// Itself.
    Letter(char),
    /// `?`: any letter.
    Any,
    /// `*`: any letters.
    Many,
}

/// Returns the pattern of a word with wildcards, whose letters are as the analyzer writes them.
pub(super) fn wildcard(letters: &[WildLetter]) -> Result<WordPattern, String> {
    let mut pattern = String::from("(?s)^(?:");
    for letter in letters {
        match letter {
            WildLetter::Letter(letter) => pattern.push_str(&regex::escape(letter.encode_utf8(&mut [0; 4]))),
            WildLetter::Any => pattern.push('.'),
            WildLetter::Many => pattern.push_str(".*"),
        }
    }
    pattern.push_str(")$");
    let prefix = letters.iter().map_while(|letter| match letter {
        WildLetter::Letter(letter) => Some(*letter),
        WildLetter::Any | WildLetter::Many => None,
    });
    let prefix = prefix.collect();
    let regex = Regex::new(&pattern).map_err(|_| "the wildcards are too many".to_owned())?;
    Ok(WordPattern { regex, prefix, is_wildcard: true })
}

/// Returns the pattern of a regular expression, which is as the analyzer writes words. Lucene has no anchors, and operators
/// of its own: `@` for any text, `#` for none, and `~`, `&`, `<`, `"`, which are not supported.
pub(super) fn regular(written: &str) -> Result<WordPattern, String> {
    let mut pattern = String::from("(?s)^(?:");
    let (mut prefix, mut prefix_goes_on) = (String::new(), true);
    let mut letters = written.chars().peekable();
    let mut in_class = false;
    while let Some(letter) = letters.next() {
        if in_class {
            in_class = letter != ']';
            if letter == '[' || letter == '&' || letter == '~' {
                // Operators of classes that Lucene does not have.
                pattern.push('\\');
            }
            pattern.push(letter);
            if letter == '\\' {
                pattern.extend(letters.next());
            }
            continue;
        }
        let mut literal = None;
        match letter {
            '\\' => {
                let Some(escaped) = letters.next() else {
                    return Err("nothing stands behind the last `\\` of the regular expression".to_owned());
                };
                match escaped {
                    'd' | 'D' | 's' | 'S' | 'w' | 'W' => pattern.extend(['\\', escaped]),
                    _ => literal = Some(escaped),
                }
            }
            '~' | '&' | '<' | '>' | '"' => {
                return Err(format!(
                    "`{letter}` of Lucene's regular expressions is not supported: write `\\{letter}` for the letter"
                ));
            }
            '@' => pattern.push_str("(?:.*)"),
            '#' => pattern.push_str("[^\\s\\S]"),
            '^' | '$' => literal = Some(letter),
            '[' => {
                in_class = true;
                pattern.push(letter);
            }
            '.' | '(' | ')' | '|' | '*' | '+' | '?' | '{' | '}' | ']' => {
                if letter == '(' && letters.peek() == Some(&'?') {
                    return Err("`(?` stands for nothing in Lucene's regular expressions".to_owned());
                }
                pattern.push(letter);
            }
            other => literal = Some(other),
        }
        if let Some(literal) = literal {
            pattern.push_str(&regex::escape(literal.encode_utf8(&mut [0; 4])));
        }
        match (literal, letters.peek()) {
            // What may be there more or less often is no part of the beginning.
            (Some(literal), next) if prefix_goes_on && !matches!(next, Some('*' | '?' | '{')) => {
                prefix.push(literal);
                prefix_goes_on = !matches!(next, Some('+'));
            }
            _ => prefix_goes_on = false,
        }
    }
    if written.contains('|') {
        prefix.clear();
    }
    pattern.push_str(")$");
    let regex = Regex::new(&pattern).map_err(|_| format!("`{written}` is no regular expression"))?;
    Ok(WordPattern { regex, prefix, is_wildcard: false })
}
