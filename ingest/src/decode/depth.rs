//! Measures how deep JSON text nests, before any parser sees it.
//!
//! Two passes, of which the second is rare. Fewer opening brackets than the limit, counted without regard to strings, prove
//! that the text is not too deep. Otherwise the brackets outside strings are followed, 64 bytes at a time as bit sets.
//! In malformed text a bracket may be missed, but only behind the place at which every parser stops.

const BLOCK: usize = 64;
/// The lowest bit of each byte.
const EVERY: u64 = 0x0101_0101_0101_0101;
/// The lower byte of each pair.
const EVEN_LANES: u64 = 0x00ff_00ff_00ff_00ff;

/// Returns whether arrays and objects in `text` nest deeper than `depth_max`.
pub(super) fn is_deeper_than(text: &[u8], depth_max: usize) -> bool {
    openers(text) > depth_max as u64 && follow(text, i64::try_from(depth_max).unwrap_or(i64::MAX))
}

/// Counts `[` and `{`, which differ in one bit, anywhere in the text.
fn openers(text: &[u8]) -> u64 {
    let is_opener = |byte: &&u8| **byte | 0x20 == b'{';
    let (words, rest) = text.as_chunks::<8>();
    // A lane of eight bits counts at most once a word, so 255 words cannot overflow it.
    let of_group = |group: &[[u8; 8]]| {
        let lanes: u64 =
            group.iter().map(|word| lanes_equal(u64::from_le_bytes(*word) | EVERY << 5, b'{')).sum();
        (lanes & EVEN_LANES) + (lanes >> 8 & EVEN_LANES)
    };
    let pairs = words.chunks(255).map(of_group);
    let counts = pairs.map(|pairs| pairs.wrapping_mul(0x0001_0001_0001_0001) >> 48);
    counts.sum::<u64>() + rest.iter().filter(is_opener).count() as u64
}

fn follow(text: &[u8], depth_max: i64) -> bool {
    let mut depth = 0_i64;
    let mut strings = Strings::default();
    for block in text.chunks(BLOCK) {
        let mut padded = [b' '; BLOCK];
        padded[..block.len()].copy_from_slice(block);
        let outside = !strings.inside(&padded);
        let open = outside & (positions_of(&padded, b'[') | positions_of(&padded, b'{'));
        let close = outside & (positions_of(&padded, b']') | positions_of(&padded, b'}'));
        let opened = i64::from(open.count_ones());
        if depth + opened > depth_max && deepest(depth, open, close) > depth_max {
            return true;
        }
        depth += opened - i64::from(close.count_ones());
    }
    false
}

/// The greatest depth within one block.
fn deepest(mut depth: i64, open: u64, close: u64) -> i64 {
    let mut deepest = depth;
    for bit in 0..BLOCK {
        depth += i64::from(open >> bit & 1 == 1) - i64::from(close >> bit & 1 == 1);
        deepest = deepest.max(depth);
    }
    deepest
}

/// Whether the last block ended inside a string, and whether it ended with a backslash that escapes the next byte.
#[derive(Default)]
struct Strings {
    is_open: bool,
    escapes_next: bool,
}

impl Strings {
    /// Returns the bytes from each opening quote up to its closing one.
    fn inside(&mut self, block: &[u8; BLOCK]) -> u64 {
        let quotes = positions_of(block, b'"') & !self.escaped(positions_of(block, b'\\'));
        let mut inside = quotes;
        for shift in [1, 2, 4, 8, 16, 32] {
            inside ^= inside << shift;
        }
        if self.is_open {
            inside = !inside;
        }
        self.is_open = inside >> (BLOCK - 1) == 1;
        inside
    }

    /// Returns the bytes that follow a backslash which is not itself escaped.
    fn escaped(&mut self, mut backslashes: u64) -> u64 {
        let mut escaped = u64::from(std::mem::take(&mut self.escapes_next));
        backslashes &= !escaped;
        while backslashes != 0 {
            let at = backslashes.trailing_zeros();
            let next = (1_u64 << at).checked_shl(1).unwrap_or(0);
            self.escapes_next = next == 0;
            escaped |= next;
            backslashes &= !(next | 1 << at);
        }
        escaped
    }
}

/// Returns a bit set of the bytes equal to `byte`.
fn positions_of(block: &[u8; BLOCK], byte: u8) -> u64 {
    let (words, _) = block.as_chunks::<8>();
    let mut positions = 0;
    for (i, word) in words.iter().enumerate() {
        // The product moves the eight low bits next to each other into the top byte.
        let lanes = lanes_equal(u64::from_le_bytes(*word), byte);
        positions |= lanes.wrapping_mul(0x0102_0408_1020_4080) >> 56 << (8 * i);
    }
    positions
}

/// Returns a one in the lowest bit of each byte of `word` that equals `byte`.
#[inline]
fn lanes_equal(word: u64, byte: u8) -> u64 {
    const LOW_7: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let difference = word ^ (EVERY * u64::from(byte));
    // Adding carries into the high bit unless the low seven are zero; no carry leaves its byte.
    !(((difference & LOW_7) + LOW_7) | difference | LOW_7) >> 7
}
