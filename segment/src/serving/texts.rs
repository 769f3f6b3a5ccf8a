//! Texts of few own bytes: hexadecimal digits in a fixed pattern, and sorted texts that begin alike.

use super::layout::DIGIT;
use super::wire::Refused;

/// Digits of one word.
const WORD_DIGITS: usize = 16;
/// Longer texts are not looked through for digits.
const PATTERN_BYTES_MAX: usize = 64;

/// Texts side by side, and where each begins and ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Texts<'a> {
    /// One more than there are texts; they do not fall.
    pub(crate) offsets: &'a [i32],
    pub(crate) data: &'a [u8],
}

impl<'a> Texts<'a> {
    pub(crate) fn len(self) -> usize {
        self.offsets.len() - 1
    }

    pub(crate) fn get(self, index: usize) -> &'a [u8] {
        &self.data[place(self.offsets[index])..place(self.offsets[index + 1])]
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = &'a [u8]> {
        self.offsets.windows(2).map(move |ends| &self.data[place(ends[0])..place(ends[1])])
    }

    /// Returns the bytes of all texts, side by side.
    pub(crate) fn bytes(self) -> &'a [u8] {
        &self.data[place(self.offsets[0])..place(self.offsets[self.len()])]
    }
}

fn place(offset: i32) -> usize {
    usize::try_from(offset).expect("offsets are not negative")
}

/// Texts that differ in hexadecimal digits only.
pub(crate) struct Digits {
    /// The text, [`DIGIT`] in place of each digit.
    pub(crate) pattern: Vec<u8>,
    /// Sixteen digits of each text, the first most significant; then the next sixteen; the last word takes the rest.
    pub(crate) words: Vec<Vec<i64>>,
}

/// Returns the texts as digits, where all of them are of one pattern.
pub(crate) fn to_digits(texts: Texts<'_>) -> Option<Digits> {
    if texts.len() == 0 {
        return None;
    }
    let first = texts.get(0);
    if first.is_empty() || first.len() > PATTERN_BYTES_MAX {
        return None;
    }
    let mut same = [true; PATTERN_BYTES_MAX];
    let mut hexadecimal = [true; PATTERN_BYTES_MAX];
    for text in texts.iter() {
        if text.len() != first.len() {
            return None;
        }
        for (place, byte) in text.iter().enumerate() {
            same[place] &= *byte == first[place];
            hexadecimal[place] &= NIBBLES[usize::from(*byte)] < 16;
        }
        if (0..first.len()).any(|place| !same[place] && !hexadecimal[place]) {
            return None;
        }
    }
    let mut pattern = first.to_vec();
    let places: Vec<usize> = (0..first.len()).filter(|&place| !same[place]).collect();
    for &place in &places {
        pattern[place] = DIGIT;
    }
    if places.is_empty() || pattern.iter().filter(|&&byte| byte == DIGIT).count() != places.len() {
        return None;
    }
    let words = places.chunks(WORD_DIGITS).map(|places| {
        let word = |text: &[u8]| {
            let digits = places.iter().map(|&place| u64::from(NIBBLES[usize::from(text[place])]));
            digits.fold(0, |word, digit| word << 4 | digit).cast_signed()
        };
        texts.iter().map(word).collect()
    });
    Some(Digits { words: words.collect(), pattern })
}

/// Returns the texts' bytes side by side; each is as long as the pattern.
pub(crate) fn from_digits(pattern: &[u8], words: &[Vec<i64>], count: usize) -> Result<Vec<u8>, Refused> {
    let places: Vec<usize> = (0..pattern.len()).filter(|&place| pattern[place] == DIGIT).collect();
    if places.len().div_ceil(WORD_DIGITS) != words.len() || pattern.len() > PATTERN_BYTES_MAX {
        return Err("a pattern has another number of digits than its words");
    }
    let mut out = Vec::with_capacity(count * pattern.len());
    for _ in 0..count {
        out.extend_from_slice(pattern);
    }
    for (places, words) in places.chunks(WORD_DIGITS).zip(words) {
        for (text, word) in out.chunks_exact_mut(pattern.len()).zip(words) {
            let mut word = word.cast_unsigned();
            for &place in places.iter().rev() {
                text[place] = b"0123456789abcdef"[(word & 15) as usize];
                word >>= 4;
            }
            if word != 0 {
                return Err("a word has more digits than its pattern");
            }
        }
    }
    Ok(out)
}

/// The value of each byte that is a lower-case hexadecimal digit, 16 for all others.
const NIBBLES: [u8; 256] = {
    let mut nibbles = [16; 256];
    let mut digit = 0;
    while digit < 16 {
        nibbles[b"0123456789abcdef"[digit as usize] as usize] = digit;
        digit += 1;
    }
    nibbles
};

/// Texts of which each begins as the one before.
pub(crate) struct Fronts {
    /// How many bytes are those of the text before.
    pub(crate) shared: Vec<i64>,
    /// How many bytes follow.
    pub(crate) lengths: Vec<i64>,
    /// What follows, of all texts.
    pub(crate) data: Vec<u8>,
}

/// Splits each text from what it shares with the one before.
pub(crate) fn to_fronts(texts: Texts<'_>) -> Fronts {
    let mut fronts = Fronts { shared: Vec::new(), lengths: Vec::new(), data: Vec::new() };
    let mut before: &[u8] = &[];
    for text in texts.iter() {
        let shared = before.iter().zip(text).take_while(|(a, b)| a == b).count();
        fronts.shared.push(length(shared));
        fronts.lengths.push(length(text.len() - shared));
        fronts.data.extend_from_slice(&text[shared..]);
        before = text;
    }
    fronts
}

fn length(bytes: usize) -> i64 {
    i64::try_from(bytes).expect("an array holds less than 2 GiB")
}

/// Returns the texts' offsets and bytes.
pub(crate) fn from_fronts(
    shared: &[i64],
    lengths: &[i64],
    mut data: &[u8],
) -> Result<(Vec<i32>, Vec<u8>), Refused> {
    const IMPOSSIBLE: Refused = "a text shares more than there is";
    let (mut out, mut offsets) = (Vec::with_capacity(data.len() * 2), vec![0]);
    let mut before = 0;
    for (&shared, &length) in shared.iter().zip(lengths) {
        let shared = usize::try_from(shared).map_err(|_| IMPOSSIBLE)?;
        let length = usize::try_from(length).map_err(|_| IMPOSSIBLE)?;
        let start = out.len();
        if shared > start - before || start + shared + length > i32::MAX as usize {
            return Err(IMPOSSIBLE);
        }
        let (own, rest) = data.split_at_checked(length).ok_or("texts are longer than their data")?;
        data = rest;
        out.extend_from_within(before..before + shared);
        out.extend_from_slice(own);
        offsets.push(i32::try_from(out.len()).map_err(|_| IMPOSSIBLE)?);
        before = start;
    }
    if !data.is_empty() {
        return Err("texts are shorter than their data");
    }
    Ok((offsets, out))
}

/// Returns the offsets of texts of these lengths, which together take `bytes`.
pub(crate) fn offsets_of(lengths: &[i64], bytes: usize) -> Result<Vec<i32>, Refused> {
    const IMPOSSIBLE: Refused = "lengths do not add up to their data";
    let mut offsets = Vec::with_capacity(lengths.len() + 1);
    let mut end = 0_i32;
    offsets.push(end);
    for &length in lengths {
        let length = i32::try_from(length).ok().filter(|length| *length >= 0).ok_or(IMPOSSIBLE)?;
        end = end.checked_add(length).ok_or(IMPOSSIBLE)?;
        offsets.push(end);
    }
    if usize::try_from(end) != Ok(bytes) {
        return Err(IMPOSSIBLE);
    }
    Ok(offsets)
}

#[cfg(test)]
mod tests;
