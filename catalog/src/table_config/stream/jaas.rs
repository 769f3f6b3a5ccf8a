//! Reads Java's JAAS login text, as far as user name and password are in it.
//!
//! ```text
//! org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p";
//! ```

/// What a login text says.
#[derive(PartialEq)]
pub(super) struct Login {
    /// The login module's class, without its package.
    pub(super) module: String,
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
}

/// Reads a login text; `None` when it is not of the form above.
pub(super) fn parse(text: &str) -> Option<Login> {
    let mut rest = text.trim().trim_end_matches(';').trim_end();
    let class = word(&mut rest)?;
    let _control_flag = word(&mut rest)?;
    let mut login = Login { module: class.rsplit('.').next()?.to_string(), username: None, password: None };
    while !rest.trim_start().is_empty() {
        let (name, after) = rest.trim_start().split_once('=')?;
        rest = after;
        let value = value(&mut rest)?;
        match name.trim() {
            "username" => login.username = Some(value),
            "password" => login.password = Some(value),
            _ => {}
        }
    }
    Some(login)
}

fn word<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let text = rest.trim_start();
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (word, after) = text.split_at(end);
    *rest = after;
    (!word.is_empty()).then_some(word)
}

/// Takes one value: in double or single quotes with `\` before a quote inside, or up to the next space.
fn value(rest: &mut &str) -> Option<String> {
    let text = rest.trim_start();
    let quote = text.chars().next().filter(|c| *c == '"' || *c == '\'');
    let Some(quote) = quote else { return word(rest).map(str::to_string) };
    let mut value = String::new();
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => value.push(letters.next()?.1),
            _ if letter == quote => {
                *rest = &text[at + 1..];
                return Some(value);
            }
            _ => value.push(letter),
        }
    }
    None
}
