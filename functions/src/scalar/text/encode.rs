//! Texts as numbers and bytes, and other spellings of the same text.

use unicode_normalization::UnicodeNormalization;

use crate::description::FunctionGroup::Text as Group;
use crate::scalar::call::Fault;
use crate::scalar::function::Function;
use crate::scalar::rows::{Bytes, Text, fault, row1, row2};
use crate::time::unit::unknown;

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            Group,
            &["codepoint"],
            "codepoint(text)",
            "The number of the first letter in Unicode.",
            [row1::<Text, _>(|text| match text.chars().next() {
                Some(letter) => i32::try_from(u32::from(letter)).map_err(|_| Fault::from("no letter")),
                None => fault("an empty text has no first letter"),
            })],
        ),
        Function::new(
            Group,
            &["ascii"],
            "ascii(text)",
            "The number of the first letter, 0 for an empty text.",
            [row1::<Text, _>(|text| text.encode_utf16().next().map_or(0, i32::from))],
        ),
        Function::new(
            Group,
            &["toUtf8"],
            "toUtf8(text)",
            "The text's bytes in UTF-8.",
            [row1::<Text, _>(|text| text.as_bytes().to_vec())],
        ),
        Function::new(
            Group,
            &["fromUtf8"],
            "fromUtf8(bytes)",
            "The text of bytes in UTF-8.",
            [row1::<Bytes, _>(|bytes| String::from_utf8_lossy(bytes).into_owned())],
        ),
        Function::new(
            Group,
            &["toAscii"],
            "toAscii(text)",
            "The text's bytes in ASCII, `?` for other letters.",
            [row1::<Text, _>(|text| Charset::Ascii.encode(text))],
        ),
        Function::new(
            Group,
            &["fromAscii"],
            "fromAscii(bytes)",
            "The text of bytes in ASCII.",
            [row1::<Bytes, _>(|bytes| Charset::Ascii.decode(bytes))],
        ),
        Function::new(
            Group,
            &["toBytes"],
            "toBytes(text, charset)",
            "The text's bytes in a charset; null for a charset that is not known.",
            [row2::<Text, Text, _>(|text, charset| {
                Charset::named(charset).map(|charset| charset.encode(text))
            })],
        ),
        Function::new(
            Group,
            &["fromBytes"],
            "fromBytes(bytes, charset)",
            "The text of bytes in a charset; null for a charset that is not known.",
            [row2::<Bytes, Text, _>(|bytes, charset| {
                Charset::named(charset).map(|charset| charset.decode(bytes))
            })],
        ),
        Function::new(
            Group,
            &["normalize"],
            "normalize(text[, form])",
            "The text in a form of Unicode: NFC, NFD, NFKC or NFKD.",
            [
                row1::<Text, _>(|text| text.nfc().collect::<String>()),
                row2::<Text, Text, _>(|text, form| match form {
                    "NFC" => Ok(text.nfc().collect::<String>()),
                    "NFD" => Ok(text.nfd().collect()),
                    "NFKC" => Ok(text.nfkc().collect()),
                    "NFKD" => Ok(text.nfkd().collect()),
                    other => fault(unknown("form of Unicode", other, ["NFC", "NFD", "NFKC", "NFKD"])),
                }),
            ],
        ),
    ]
}

/// A charset that every Java knows.
#[derive(Clone, Copy)]
enum Charset {
    Utf8,
    Ascii,
    Latin1,
    Utf16 { big: bool, mark: bool },
}

impl Charset {
    fn named(name: &str) -> Option<Charset> {
        let known = [
            ("UTF-8", Charset::Utf8),
            ("UTF8", Charset::Utf8),
            ("US-ASCII", Charset::Ascii),
            ("ASCII", Charset::Ascii),
            ("ISO-8859-1", Charset::Latin1),
            ("LATIN1", Charset::Latin1),
            ("UTF-16", Charset::Utf16 { big: true, mark: true }),
            ("UTF-16BE", Charset::Utf16 { big: true, mark: false }),
            ("UTF-16LE", Charset::Utf16 { big: false, mark: false }),
        ];
        known.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, charset)| charset)
    }

    fn encode(self, text: &str) -> Vec<u8> {
        match self {
            Charset::Utf8 => text.as_bytes().to_vec(),
            Charset::Ascii => {
                text.chars().map(|letter| if letter.is_ascii() { letter as u8 } else { b'?' }).collect()
            }
            Charset::Latin1 => text.chars().map(|letter| u8::try_from(letter).unwrap_or(b'?')).collect(),
            Charset::Utf16 { big, mark } => {
                let units = mark.then_some(0xFEFF).into_iter().chain(text.encode_utf16());
                units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
            }
        }
    }

    fn decode(self, bytes: &[u8]) -> String {
        match self {
            Charset::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            Charset::Ascii => bytes
                .iter()
                .map(|byte| if byte.is_ascii() { char::from(*byte) } else { '\u{FFFD}' })
                .collect(),
            Charset::Latin1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
            Charset::Utf16 { big, mark } => {
                let little_mark = mark && bytes.starts_with(&[0xFF, 0xFE]);
                let (pairs, _) = bytes.as_chunks::<2>();
                let unit = |pair: &[u8; 2]| match big && !little_mark {
                    true => u16::from_be_bytes(*pair),
                    false => u16::from_le_bytes(*pair),
                };
                let units: Vec<_> =
                    pairs.iter().map(unit).filter(|unit| !(mark && *unit == 0xFEFF)).collect();
                String::from_utf16_lossy(&units)
            }
        }
    }
}
