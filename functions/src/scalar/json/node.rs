//! A part of a JSON document, as the text that it is.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::path::Step;

/// A value of JSON.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node<'a> {
    Null,
    Boolean(bool),
    /// As it is written.
    Number(&'a str),
    Text(Cow<'a, str>),
    /// An object or an array, as it is written.
    Nested(&'a str),
}

impl<'a> Node<'a> {
    /// Returns the value of a text that is known to be JSON.
    pub(super) fn of(raw: &'a str) -> Node<'a> {
        let raw = raw.trim();
        match raw.as_bytes().first() {
            Some(b'{' | b'[') => Node::Nested(raw),
            Some(b'"') => match raw.get(1..raw.len().saturating_sub(1)) {
                Some(plain) if !plain.contains('\\') => Node::Text(Cow::Borrowed(plain)),
                _ => Node::Text(serde_json::from_str::<String>(raw).map(Cow::Owned).unwrap_or_default()),
            },
            Some(b't') => Node::Boolean(true),
            Some(b'f') => Node::Boolean(false),
            Some(b'n') | None => Node::Null,
            Some(_) => Node::Number(raw),
        }
    }

    /// Returns the value as a text: a text as it is, anything else as JSON.
    pub(super) fn text(&self) -> Cow<'a, str> {
        match self {
            Node::Text(text) => text.clone(),
            Node::Null => Cow::Borrowed("null"),
            Node::Boolean(true) => Cow::Borrowed("true"),
            Node::Boolean(false) => Cow::Borrowed("false"),
            Node::Number(number) => Cow::Borrowed(number),
            Node::Nested(raw) => compact(raw),
        }
    }
}

/// Returns JSON without blanks between its parts, and with texts written plainly.
pub(super) fn compact(raw: &str) -> Cow<'_, str> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\t' | b'\r');
    if !raw.bytes().any(|byte| is_blank(&byte) || byte == b'\\') {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(first) = rest.bytes().next() {
        if first == b'"' {
            let length = text_length(rest);
            let (text, after) = rest.split_at(length);
            match text.contains('\\').then(|| serde_json::from_str::<String>(text)) {
                Some(Ok(plain)) => out.push_str(&quoted(&plain)),
                _ => out.push_str(text),
            }
            rest = after;
        } else {
            let length = rest.bytes().take_while(|byte| *byte != b'"').count();
            let (other, after) = rest.split_at(length);
            out.extend(other.split([' ', '\n', '\t', '\r']));
            rest = after;
        }
    }
    Cow::Owned(out)
}

/// Returns how long the text at the begin is, with its quotes.
fn text_length(raw: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in raw.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    raw.len()
}

/// Returns a text as JSON writes it.
pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_else(|_| "\"\"".to_owned())
}

/// Returns whether a text is a JSON document.
pub(super) fn is_document(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Returns the document's text without what is around it; nothing when it is no JSON.
pub(super) fn document(text: &str) -> Option<&str> {
    serde_json::from_str::<&RawValue>(text).ok().map(RawValue::get)
}

/// The parts of a value.
pub(super) enum Parts<'a> {
    Object(Vec<(Cow<'a, str>, &'a str)>),
    Array(Vec<&'a str>),
    None,
}

/// Returns the parts of a value; of equal names in an object the last.
pub(super) fn parts(raw: &str) -> Parts<'_> {
    struct Collect;

    impl<'de> Visitor<'de> for Collect {
        type Value = Parts<'de>;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("an object or an array")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parts<'de>, A::Error> {
            let mut entries: Vec<(Cow<'de, str>, &'de str)> = Vec::new();
            while let Some(name) = map.next_key_seed(Name)? {
                let value = map.next_value::<&RawValue>()?.get();
                entries.push((name, value));
            }
            let mut known = std::collections::HashMap::with_capacity(entries.len());
            for (place, (name, _)) in entries.iter().enumerate() {
                known.insert(name.clone(), place);
            }
            if known.len() < entries.len() {
                let mut place = 0;
                entries.retain(|(name, _)| {
                    place += 1;
                    known.get(name) == Some(&(place - 1))
                });
            }
            Ok(Parts::Object(entries))
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Parts<'de>, A::Error> {
            let mut elements = Vec::new();
            while let Some(element) = seq.next_element::<&RawValue>()? {
                elements.push(element.get());
            }
            Ok(Parts::Array(elements))
        }
    }

    match raw.trim_start().as_bytes().first() {
        Some(b'{' | b'[') => {
            serde_json::Deserializer::from_str(raw).deserialize_any(Collect).unwrap_or(Parts::None)
        }
        _ => Parts::None,
    }
}

/// A name in an object, borrowed where it has no escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

/// Looks one value up by names and positions, in one pass over the document and without keeping any of it.
#[derive(Clone, Copy)]
pub(super) struct Seek<'p> {
    pub(super) steps: &'p [Step],
    /// Of equal names in an object the first counts, otherwise the last.
    pub(super) first_of_equals: bool,
}

impl<'p> Seek<'p> {
    /// Returns the value in a document, nothing where there is none.
    ///
    /// # Errors
    /// When the text is no JSON.
    pub(super) fn find(self, document: &str) -> Result<Option<&str>, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(document);
        let found = self.deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(found)
    }

    fn rest(self) -> Seek<'p> {
        Seek { steps: self.steps.get(1..).unwrap_or_default(), ..self }
    }
}

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = Option<&'de str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        if self.steps.is_empty() {
            return serde::Deserialize::deserialize(deserializer).map(|raw: &RawValue| Some(raw.get()));
        }
        deserializer.deserialize_any(self)
    }
}

macro_rules! no_parts {
    ($($visit:ident $value:ty),+) => {
        $(
            fn $visit<E>(self, _value: $value) -> Result<Self::Value, E> {
                Ok(None)
            }
        )+
    };
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = Option<&'de str>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    no_parts!(visit_bool bool, visit_i64 i64, visit_u64 u64, visit_f64 f64, visit_str &str);

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let wanted = match self.steps.first() {
            Some(Step::Name(name)) => Some(name.as_str()),
            _ => None,
        };
        let (mut found, mut seen) = (None, false);
        while let Some(is_wanted) = map.next_key_seed(IsName(wanted))? {
            if is_wanted && !(seen && self.first_of_equals) {
                seen = true;
                found = map.next_value_seed(self.rest())?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let wanted = match self.steps.first() {
            Some(Step::Position(position)) => Some(*position),
            _ => None,
        };
        let mut found = None;
        if let Some(from_end) = wanted.filter(|position| *position < 0) {
            let mut elements = Vec::new();
            while let Some(element) = seq.next_element::<&RawValue>()? {
                elements.push(element.get());
            }
            let back = usize::try_from(from_end.unsigned_abs()).unwrap_or(usize::MAX);
            let element = elements.len().checked_sub(back).map(|place| elements[place]);
            return match element.map(|element| self.rest().find(element)) {
                Some(found) => found.map_err(serde::de::Error::custom),
                None => Ok(None),
            };
        }
        let mut place = 0;
        loop {
            if wanted == Some(place) {
                match seq.next_element_seed(self.rest())? {
                    Some(value) => found = value,
                    None => break,
                }
            } else if seq.next_element::<IgnoredAny>()?.is_none() {
                break;
            }
            place += 1;
        }
        Ok(found)
    }
}

/// Whether a name in an object is the wanted one.
struct IsName<'p>(Option<&'p str>);

impl<'de> DeserializeSeed<'de> for IsName<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for IsName<'_> {
    type Value = bool;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(self.0 == Some(name))
    }
}
