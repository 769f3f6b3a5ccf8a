//! Takes log messages apart as CLP does: into a text with places, and the variables that stood there.
//!
//! The form is that of CLP's `VariablesSchemaV2` and `VariableEncodingMethodsV1`, in eight bytes a variable, which Pinot
//! writes. A message is cut at its delimiters, all bytes but letters, digits and `+ - . \ _`. A token is a variable when it
//! has a digit, or follows an `=` and has a letter, or is hexadecimal with two digits or more. Whole numbers and decimal
//! fractions whose spelling can be told from their value become numbers; all other variables stay texts.

/// Stands for a whole number.
const INTEGER: char = '\u{11}';
/// Stands for a variable that stays a text.
const TEXT: char = '\u{12}';
/// Stands for a decimal fraction.
const FRACTION: char = '\u{13}';
/// Stands before one of these, and before itself, where the message has them.
const ESCAPE: char = '\\';

/// Most digits of a fraction that fit.
const FRACTION_DIGITS_MAX: usize = 16;

/// A message taken apart.
#[derive(Debug, Default, PartialEq)]
pub(super) struct EncodedMessage {
    /// The message with a place for each variable.
    pub(super) log_type: String,
    /// The variables that stay texts, in order.
    pub(super) texts: Vec<String>,
    /// The numbers, in order.
    pub(super) numbers: Vec<i64>,
}

/// Takes a message apart.
pub(super) fn encode(message: &str) -> EncodedMessage {
    let mut encoded = EncodedMessage { log_type: String::with_capacity(message.len()), ..Default::default() };
    let mut written = 0;
    let mut next = 0;
    while let Some((start, end)) = next_token(message, next) {
        next = end;
        let token = &message[start..end];
        if !is_variable(token, message[..start].ends_with('=')) {
            continue;
        }
        write_constant(&message[written..start], &mut encoded.log_type);
        written = end;
        let number = fraction(token).map(|number| (FRACTION, number));
        match number.or_else(|| integer(token).map(|number| (INTEGER, number))) {
            Some((place, number)) => {
                encoded.log_type.push(place);
                encoded.numbers.push(number);
            }
            None => {
                encoded.log_type.push(TEXT);
                encoded.texts.push(token.to_owned());
            }
        }
    }
    write_constant(&message[written..], &mut encoded.log_type);
    encoded
}

/// Returns where the next run of bytes that are no delimiters is. Its borders are ASCII or what is no ASCII, which is a
/// delimiter, so that they are borders of characters.
fn next_token(message: &str, from: usize) -> Option<(usize, usize)> {
    let bytes = message.as_bytes();
    let start = from + bytes[from..].iter().position(|byte| !is_delimiter(*byte))?;
    let length = bytes[start..].iter().position(|byte| is_delimiter(*byte));
    Some((start, length.map_or(bytes.len(), |length| start + length)))
}

fn is_delimiter(byte: u8) -> bool {
    !(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'\\' | b'_'))
}

fn is_variable(token: &str, after_equals: bool) -> bool {
    let has_digit = token.bytes().any(|byte| byte.is_ascii_digit());
    let is_hexadecimal = token.len() > 1 && token.bytes().all(|byte| byte.is_ascii_hexdigit());
    let has_letter = token.bytes().any(|byte| byte.is_ascii_alphabetic());
    has_digit || is_hexadecimal || (after_equals && has_letter)
}

fn write_constant(constant: &str, out: &mut String) {
    for letter in constant.chars() {
        if matches!(letter, INTEGER | TEXT | FRACTION | ESCAPE) {
            out.push(ESCAPE);
        }
        out.push(letter);
    }
}

/// Returns a whole number that is written without needless zeros or signs.
fn integer(token: &str) -> Option<i64> {
    let digits = token.strip_prefix('-').unwrap_or(token);
    let is_canonical = match digits.as_bytes() {
        [b'0'] => digits.len() == token.len(),
        [first, ..] => first.is_ascii_digit() && *first != b'0',
        [] => false,
    };
    // A second sign would be read too.
    if is_canonical { token.parse().ok() } else { None }
}

/// Returns a fraction's parts in eight bytes: the sign in the highest bit, one bit unused, 54 bits of digits as a number, four
/// bits of the count of digits less one, four bits of the digits behind the point less one.
fn fraction(token: &str) -> Option<i64> {
    let unsigned = token.strip_prefix('-').unwrap_or(token);
    let (whole, behind) = unsigned.split_once('.')?;
    let digits = whole.len() + behind.len();
    let are_digits = whole.bytes().chain(behind.bytes()).all(|byte| byte.is_ascii_digit());
    if behind.is_empty() || digits > FRACTION_DIGITS_MAX || !are_digits {
        return None;
    }
    let value: u64 = format!("{whole}{behind}").parse().ok()?;
    let sign = u64::from(unsigned.len() < token.len());
    let encoded = sign << 63 | value << 8 | (digits as u64 - 1) << 4 | (behind.len() as u64 - 1);
    Some(encoded.cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Puts a message together again, from the form's description.
    fn decode(encoded: &EncodedMessage) -> String {
        let (mut texts, mut numbers) = (encoded.texts.iter(), encoded.numbers.iter());
        let mut out = String::new();
        let mut letters = encoded.log_type.chars();
        while let Some(letter) = letters.next() {
            match letter {
                ESCAPE => out.extend(letters.next()),
                INTEGER => out += &numbers.next().unwrap().to_string(),
                TEXT => out += texts.next().unwrap(),
                FRACTION => {
                    let bits = numbers.next().unwrap().cast_unsigned();
                    let (count, behind) = ((bits >> 4 & 15) as usize + 1, (bits & 15) as usize + 1);
                    let digits = format!("{:0count$}", bits >> 8 & ((1 << 54) - 1));
                    let sign = if bits >> 63 == 1 { "-" } else { "" };
                    out += &format!("{sign}{}.{}", &digits[..count - behind], &digits[count - behind..]);
                }
                other => out.push(other),
            }
        }
        out
    }

    fn check(message: &str, log_type: &str, texts: &[&str], numbers: &[i64]) {
        let encoded = encode(message);
        assert_eq!(encoded.log_type, log_type, "{message:?}");
        assert_eq!(encoded.texts, texts, "{message:?}");
        assert_eq!(encoded.numbers, numbers, "{message:?}");
        assert_eq!(decode(&encoded), message);
    }

    #[test]
    fn variables_are_told_from_words() {
        check("Static text only", "Static text only", &[], &[]);
        check("Task task_12 started", "Task \u{12} started", &["task_12"], &[]);
        check("took 15 ms of -3", "took \u{11} ms of \u{11}", &[], &[15, -3]);
        check("user=alice, key=, x = y", "user=\u{12}, key=, x = y", &["alice"], &[]);
        check("at deadBEEF a", "at \u{12} a", &["deadBEEF"], &[]);
        check("a/b/c1/d", "a/b/\u{12}/d", &["c1"], &[]);
        check("é1é", "é\u{11}é", &[], &[1]);
    }

    #[test]
    fn numbers_that_would_read_otherwise_stay_texts() {
        for token in [
            "007",
            "-0",
            "+5",
            "1.",
            "-.",
            "12345678901234567.5",
            "9223372036854775808",
            "1.2.3",
            "--1",
            "0x1F",
        ] {
            let encoded = encode(token);
            assert!(encoded.numbers.is_empty(), "{token}");
            assert_eq!(decode(&encoded), token);
        }
        check("0", "\u{11}", &[], &[0]);
        check("-9223372036854775808", "\u{11}", &[], &[i64::MIN]);
    }

    #[test]
    fn fractions_keep_their_spelling() {
        // 1.50: digits 150, three of them, two behind the point.
        check("1.50", "\u{13}", &[], &[150 << 8 | 2 << 4 | 1]);
        check(".5", "\u{13}", &[], &[5 << 8]);
        check("-0.0", "\u{13}", &[], &[i64::MIN | 1 << 4]);
        check("1234567890.123456", "\u{13}", &[], &[1_234_567_890_123_456 << 8 | 15 << 4 | 5]);
    }

    #[test]
    fn placeholders_in_a_message_are_escaped() {
        check("a \u{11}\u{12} \u{13} b", "a \\\u{11}\\\u{12} \\\u{13} b", &[], &[]);
        check("c:\\dir x", "c:\\\\dir x", &[], &[]);
    }

    proptest::proptest! {
        #[test]
        fn any_message_comes_back(message in "[ -~é\u{11}\u{12}\u{13}]{0,40}") {
            proptest::prop_assert_eq!(decode(&encode(&message)), message);
        }
    }
}
