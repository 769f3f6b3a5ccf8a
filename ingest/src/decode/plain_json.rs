//! Reads the objects that machines mostly write, in one pass: keys in the order of the last record, strings without escapes,
//! numbers that are exact at once.
//!
//! The nodes are those that simd-json's tape would have, as a test compares, but for the record's own keys. Whatever else a text holds (an escape, a number
//! with an exponent or many digits, an error) ends the attempt, and the full parser decides.

use simd_json::{Node, StaticNode};

use super::record_fields::RecordFields;
use super::special_bytes::SpecialBytes;

/// Most digits of a number; any such integer fits 64 bits with its sign.
const DIGITS_MAX: usize = 18;
/// Doubles hold every integer below this exactly. Divided by a power of ten that is exact too, the quotient is the nearest
/// double there is.
const EXACT_MAX: u64 = 1 << 53;
const POWERS_OF_TEN: [f64; DIGITS_MAX + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18];

/// A reader with its buffers.
#[derive(Default)]
pub(super) struct PlainReader {
    special: SpecialBytes,
}

impl PlainReader {
    /// Reads an object: fills `nodes` with one that stands for it and then the nodes of its keys' values, `starts` with where
    /// each node starts, and shows `fields` the keys. Returns whether the text could be read; if not, all hold rubbish.
    #[inline]
    pub(super) fn read<'a>(
        &mut self,
        text: &'a str,
        depth_max: usize,
        fields: &mut RecordFields,
        nodes: &mut Vec<Node<'a>>,
        starts: &mut Vec<u32>,
    ) -> bool {
        nodes.clear();
        starts.clear();
        // Places are 32 bits wide; longer texts are the full parser's.
        if u32::try_from(text.len()).is_err() {
            return false;
        }
        self.special.find_in(text.as_bytes());
        let special = &self.special;
        let mut parser = Parser { text, special, at: 0, depth_left: depth_max, nodes, starts };
        parser.skip_blanks();
        parser.record(fields).is_some() && {
            parser.skip_blanks();
            parser.at == text.len()
        }
    }
}

struct Parser<'a, 'n> {
    text: &'a str,
    special: &'n SpecialBytes,
    at: usize,
    depth_left: usize,
    nodes: &'n mut Vec<Node<'a>>,
    starts: &'n mut Vec<u32>,
}

impl<'a> Parser<'a, '_> {
    fn record(&mut self, fields: &mut RecordFields) -> Option<()> {
        fields.begin();
        (self.byte()? == b'{').then(|| self.open())??;
        self.skip_blanks();
        while self.byte()? != b'}' {
            self.expect(b'"')?;
            let value_node = self.nodes.len();
            match fields.take_expected(&self.text.as_bytes()[self.at..], value_node) {
                Some(length) => self.at += length + 1,
                None => fields.take(self.rest_of_string()?, value_node),
            }
            self.skip_blanks();
            self.expect(b':')?;
            self.skip_blanks();
            self.value()?;
            self.separator(b'}')?;
        }
        self.close();
        Some(())
    }

    fn value(&mut self) -> Option<()> {
        match self.byte()? {
            b'"' => self.string(),
            b'-' | b'0'..=b'9' => self.number(),
            b'{' => self.object(),
            b'[' => self.array(),
            b't' => self.literal("true", StaticNode::Bool(true)),
            b'f' => self.literal("false", StaticNode::Bool(false)),
            b'n' => self.literal("null", StaticNode::Null),
            _ => None,
        }
    }

    fn object(&mut self) -> Option<()> {
        let node = self.open()?;
        let mut len = 0;
        self.skip_blanks();
        while self.byte()? != b'}' {
            self.string()?;
            self.skip_blanks();
            self.expect(b':')?;
            self.skip_blanks();
            self.value()?;
            len += 1;
            self.separator(b'}')?;
        }
        self.close();
        self.nodes[node] = Node::Object { len, count: self.nodes.len() - node - 1 };
        Some(())
    }

    fn array(&mut self) -> Option<()> {
        let node = self.open()?;
        let mut len = 0;
        self.skip_blanks();
        while self.byte()? != b']' {
            self.value()?;
            len += 1;
            self.separator(b']')?;
        }
        self.close();
        self.nodes[node] = Node::Array { len, count: self.nodes.len() - node - 1 };
        Some(())
    }

    /// Begins an array or object, whose node is known at its end.
    fn open(&mut self) -> Option<usize> {
        self.depth_left = self.depth_left.checked_sub(1)?;
        self.push(self.at, Node::Static(StaticNode::Null));
        self.at += 1;
        Some(self.nodes.len() - 1)
    }

    fn close(&mut self) {
        self.at += 1;
        self.depth_left += 1;
    }

    /// Goes to the next element, or to the `end` of the array or object.
    #[inline]
    fn separator(&mut self, end: u8) -> Option<()> {
        self.skip_blanks();
        match self.byte()? {
            b',' => {
                self.at += 1;
                self.skip_blanks();
                // A comma is no end.
                (self.byte()? != end).then_some(())
            }
            byte => (byte == end).then_some(()),
        }
    }

    #[inline]
    fn string(&mut self) -> Option<()> {
        let quote = self.at;
        self.expect(b'"')?;
        let string = self.rest_of_string()?;
        self.push(quote, Node::String(string));
        Some(())
    }

    /// Reads the string whose first quote was read.
    #[inline]
    fn rest_of_string(&mut self) -> Option<&'a str> {
        let end = self.special.next(self.at)?;
        let string = self.text.get(self.at..end)?;
        self.at = end;
        self.expect(b'"')?;
        Some(string)
    }

    #[inline]
    fn number(&mut self) -> Option<()> {
        let start = self.at;
        let is_negative = self.byte()? == b'-';
        self.at += usize::from(is_negative);
        let (whole, whole_digits) = self.digits(0);
        let has_leading_zero = whole_digits > 1 && self.text.as_bytes()[self.at - whole_digits] == b'0';
        if whole_digits == 0 || whole_digits > DIGITS_MAX || has_leading_zero {
            return None;
        }
        let value = if self.byte() == Some(b'.') {
            self.at += 1;
            let (all, fraction_digits) = self.digits(whole);
            let is_exact = whole_digits + fraction_digits <= DIGITS_MAX && all < EXACT_MAX;
            if fraction_digits == 0 || !is_exact {
                return None;
            }
            #[expect(clippy::cast_precision_loss, reason = "it is below 2^53")]
            let magnitude = all as f64 / POWERS_OF_TEN[fraction_digits];
            StaticNode::F64(if is_negative { -magnitude } else { magnitude })
        } else if is_negative {
            StaticNode::I64(-whole.cast_signed())
        } else {
            StaticNode::U64(whole)
        };
        // Exponents, and what is no number at all.
        if !matches!(self.byte(), None | Some(b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t')) {
            return None;
        }
        self.push(start, Node::Static(value));
        Some(())
    }

    /// Reads digits, on from a number already begun, and returns the number and how many digits there were. Of too many the
    /// number is wrong.
    #[inline]
    fn digits(&mut self, mut number: u64) -> (u64, usize) {
        let start = self.at;
        while let Some(word) = self.text.as_bytes()[self.at..].first_chunk::<8>() {
            let (value, count) = leading_digits(u64::from_le_bytes(*word));
            number = number.wrapping_mul(TENS[count]).wrapping_add(value);
            self.at += count;
            if count < 8 {
                return (number, self.at - start);
            }
        }
        while let Some(digit @ b'0'..=b'9') = self.byte() {
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        (number, self.at - start)
    }

    fn literal(&mut self, literal: &str, node: StaticNode) -> Option<()> {
        let start = self.at;
        self.text.as_bytes()[start..].starts_with(literal.as_bytes()).then_some(())?;
        self.at += literal.len();
        self.push(start, Node::Static(node));
        // A longer word is no literal: what follows it fails where a comma or an end is due.
        Some(())
    }

    #[inline]
    fn push(&mut self, start: usize, node: Node<'a>) {
        #[expect(clippy::cast_possible_truncation, reason = "the text's length was checked")]
        self.starts.push(start as u32);
        self.nodes.push(node);
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Option<()> {
        let found = self.byte() == Some(byte);
        self.at += usize::from(found);
        found.then_some(())
    }

    #[inline]
    fn skip_blanks(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }
}

const TENS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// Returns the number that the digits at the start of eight bytes make, and how many there are, without a branch.
#[inline]
fn leading_digits(word: u64) -> (u64, usize) {
    const EVERY: u64 = 0x0101_0101_0101_0101;
    let values = word ^ (EVERY * u64::from(b'0'));
    // The high bit of each byte that is no digit, up to the first such byte.
    let others = (values.wrapping_add(EVERY * 0x76) | values) & (EVERY << 7);
    let count = others.trailing_zeros() / 8;
    // The digits move to the end, behind zeros; then neighbours join: to pairs, to fours, to eight.
    let digits = values.checked_shl(64 - 8 * count).unwrap_or(0);
    let pairs = digits.wrapping_mul(10 << 8 | 1) >> 8 & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100 << 16 | 1) >> 16 & 0x0000_ffff_0000_ffff;
    (fours.wrapping_mul(10_000 << 32 | 1) >> 32, count as usize)
}

/// Decides whether an attempt is worth its time, by how the last ones ended.
#[derive(Default)]
pub(super) struct Confidence {
    /// Texts to pass over before the next attempt.
    pause: u32,
    /// Length of the pause after the next failure.
    next_pause: u32,
}

impl Confidence {
    /// A stream of nothing but escapes pays one attempt in so many texts.
    const PAUSE_MAX: u32 = 32;

    #[inline]
    pub(super) fn attempts(&mut self) -> bool {
        let attempts = self.pause == 0;
        self.pause = self.pause.saturating_sub(1);
        attempts
    }

    /// Learns how an attempt ended. One failure alone changes nothing, several in a row double the pause.
    #[inline]
    pub(super) fn learn(&mut self, succeeded: bool) {
        if succeeded {
            self.next_pause /= 2;
        } else {
            self.pause = self.next_pause;
            self.next_pause = (self.next_pause * 2 + 1).min(Self::PAUSE_MAX);
        }
    }
}

#[cfg(test)]
mod tests;
