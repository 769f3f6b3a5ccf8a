//! Writes JSON text straight into a byte buffer.
//!
//! Each value is followed by a comma, and closing an object or array takes the last one back, so that no writer keeps
//! count. Numbers with decimals are integers of the smallest unit, which prints exactly and fast.

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Two decimal digits for each number below 100.
static DIGIT_PAIRS: [[u8; 2]; 100] = digit_pairs();

/// An open object.
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
}

/// An open array.
pub(crate) struct Array<'a> {
    out: &'a mut Vec<u8>,
}

/// Members of an object rendered once and written many times.
pub(crate) struct Fragment(Box<[u8]>);

/// Appends an object that `fill` gives its members.
#[inline]
pub(crate) fn write_object(out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
    out.push(b'{');
    fill(&mut Object { out });
    close(out, b'}');
}

impl Fragment {
    /// Returns the members that `fill` writes, rendered.
    pub(crate) fn new(fill: impl FnOnce(&mut Object<'_>)) -> Fragment {
        let mut out = Vec::new();
        fill(&mut Object { out: &mut out });
        Fragment(out.into_boxed_slice())
    }
}

impl Object<'_> {
    /// Writes members rendered before.
    #[inline]
    pub(crate) fn fragment(&mut self, fragment: &Fragment) {
        self.out.extend_from_slice(&fragment.0);
    }

    /// Writes a null.
    #[inline]
    pub(crate) fn null(&mut self, name: &str) {
        self.member(name, |out| out.extend_from_slice(b"null"));
    }

    /// Writes true or false.
    #[inline]
    pub(crate) fn boolean(&mut self, name: &str, value: bool) {
        self.member(name, |out| write_boolean(out, value));
    }

    /// Writes an integer.
    #[inline]
    pub(crate) fn integer(&mut self, name: &str, value: i64) {
        self.member(name, |out| write_integer(out, value));
    }

    /// Writes an integer that is never negative.
    #[inline]
    pub(crate) fn unsigned(&mut self, name: &str, value: u64) {
        self.member(name, |out| write_unsigned(out, value));
    }

    /// Writes `units` of `10^-decimals` as a number.
    #[inline]
    pub(crate) fn decimal(&mut self, name: &str, units: i64, decimals: u32) {
        self.member(name, |out| write_decimal(out, units, decimals));
    }

    /// Writes `units` of `10^-decimals` as text, as producers do whose readers must not round it.
    #[inline]
    pub(crate) fn decimal_text(&mut self, name: &str, units: i64, decimals: u32) {
        self.member(name, |out| {
            out.push(b'"');
            write_decimal(out, units, decimals);
            out.push(b'"');
        });
    }

    /// Writes text.
    #[inline]
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.texts(name, &[text]);
    }

    /// Writes texts joined to one.
    #[inline]
    pub(crate) fn texts(&mut self, name: &str, texts: &[&str]) {
        self.member(name, |out| write_texts(out, texts));
    }

    /// Writes 16 hexadecimal digits for each number, as text.
    #[inline]
    pub(crate) fn hex<const N: usize>(&mut self, name: &str, values: [u64; N]) {
        self.member(name, |out| {
            out.push(b'"');
            values.into_iter().for_each(|value| write_hex(out, value));
            out.push(b'"');
        });
    }

    /// Writes text that consists of a prefix and numbers joined by hyphens: `host-3-17`.
    #[inline]
    pub(crate) fn numbered(&mut self, name: &str, prefix: &str, numbers: [i64; 2]) {
        self.member(name, |out| {
            out.push(b'"');
            out.extend_from_slice(prefix.as_bytes());
            for number in numbers {
                out.push(b'-');
                write_integer(out, number);
            }
            out.push(b'"');
        });
    }

    /// Writes an object inside this one.
    #[inline]
    pub(crate) fn object(&mut self, name: &str, fill: impl FnOnce(&mut Object<'_>)) {
        self.member(name, |out| write_object(out, fill));
    }

    /// Writes an array.
    #[inline]
    pub(crate) fn array(&mut self, name: &str, fill: impl FnOnce(&mut Array<'_>)) {
        self.member(name, |out| write_array(out, fill));
    }

    #[inline]
    fn member(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
        debug_assert!(!name.bytes().any(needs_escape), "our names are plain");
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        write(self.out);
        self.out.push(b',');
    }
}

impl Array<'_> {
    /// Writes true or false.
    pub(crate) fn boolean(&mut self, value: bool) {
        write_boolean(self.out, value);
        self.out.push(b',');
    }

    /// Writes an integer.
    pub(crate) fn integer(&mut self, value: i64) {
        write_integer(self.out, value);
        self.out.push(b',');
    }

    /// Writes `units` of `10^-decimals` as a number.
    pub(crate) fn decimal(&mut self, units: i64, decimals: u32) {
        write_decimal(self.out, units, decimals);
        self.out.push(b',');
    }

    /// Writes text.
    pub(crate) fn text(&mut self, text: &str) {
        write_texts(self.out, &[text]);
        self.out.push(b',');
    }

    /// Writes an object.
    pub(crate) fn object(&mut self, fill: impl FnOnce(&mut Object<'_>)) {
        write_object(self.out, fill);
        self.out.push(b',');
    }
}

#[inline]
fn write_array(out: &mut Vec<u8>, fill: impl FnOnce(&mut Array<'_>)) {
    out.push(b'[');
    fill(&mut Array { out });
    close(out, b']');
}

#[inline]
fn close(out: &mut Vec<u8>, bracket: u8) {
    if out.last() == Some(&b',') {
        out.pop();
    }
    out.push(bracket);
}

#[inline]
fn write_boolean(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

#[inline]
fn write_integer(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    write_unsigned(out, value.unsigned_abs());
}

#[inline]
fn write_unsigned(out: &mut Vec<u8>, value: u64) {
    write_digits(out, value, 1);
}

fn write_decimal(out: &mut Vec<u8>, units: i64, decimals: u32) {
    if units < 0 {
        out.push(b'-');
    }
    if decimals == 0 {
        return write_unsigned(out, units.unsigned_abs());
    }
    let unit = 10_u64.pow(decimals);
    write_unsigned(out, units.unsigned_abs() / unit);
    out.push(b'.');
    write_digits(out, units.unsigned_abs() % unit, decimals as usize);
}

/// Writes a number with at least `digits_min` digits (at most 20), zeros in front.
#[inline]
fn write_digits(out: &mut Vec<u8>, mut value: u64, digits_min: usize) {
    let mut digits = *b"00000000000000000000";
    let mut start = digits.len() - 2;
    while value >= 100 {
        digits[start..start + 2].copy_from_slice(&DIGIT_PAIRS[(value % 100) as usize]);
        start -= 2;
        value /= 100;
    }
    digits[start..start + 2].copy_from_slice(&DIGIT_PAIRS[(value % 100) as usize]);
    start += usize::from(value < 10);
    out.extend_from_slice(&digits[start.min(digits.len() - digits_min)..]);
}

fn write_hex(out: &mut Vec<u8>, value: u64) {
    let mut digits = [0; 16];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(value.to_be_bytes()) {
        pair[0] = HEX[usize::from(byte >> 4)];
        pair[1] = HEX[usize::from(byte & 15)];
    }
    out.extend_from_slice(&digits);
}

#[inline]
fn write_texts(out: &mut Vec<u8>, texts: &[&str]) {
    out.push(b'"');
    texts.iter().for_each(|text| write_escaped(out, text));
    out.push(b'"');
}

#[inline]
fn write_escaped(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    while let Some(plain) = rest.iter().position(|byte| needs_escape(*byte)) {
        out.extend_from_slice(&rest[..plain]);
        write_escape(out, rest[plain]);
        rest = &rest[plain + 1..];
    }
    out.extend_from_slice(rest);
}

#[inline]
fn needs_escape(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

fn write_escape(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\t' => out.extend_from_slice(b"\\t"),
        control => {
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(control >> 4)]);
            out.push(HEX[usize::from(control & 15)]);
        }
    }
}

const fn digit_pairs() -> [[u8; 2]; 100] {
    let mut pairs = [[0; 2]; 100];
    let mut tens = 0;
    while tens < 10 {
        let mut ones = 0;
        while ones < 10 {
            pairs[tens as usize * 10 + ones as usize] = [b'0' + tens, b'0' + ones];
            ones += 1;
        }
        tens += 1;
    }
    pairs
}

#[cfg(test)]
mod tests;
