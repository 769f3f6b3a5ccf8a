//! Measures how deep JSON text nests, before any parser sees it.
//!
//! Two passes, of which the second is rare. Fewer opening brackets than the limit, counted without regard to strings, prove
//! that the text is not too deep. Otherwise the brackets outside strings are followed, 64 bytes at a time as bit sets.
//! In malformed text a bracket may be missed, but only behind the place at which every parser stops.

const BLOCK: usize = 64;

/// Returns whether arrays and objects in `text` nest deeper than `depth_max`.
pub(super) fn is_deeper_than(text: &[u8], depth_max: usize) -> bool {
    openers(text) > depth_max && follow(text, i64::try_from(depth_max).unwrap_or(i64::MAX))
}

/// Counts `[` and `{`, which differ in one bit, anywhere in the text.
fn openers(text: &[u8]) -> usize {
    // A chunk of fewer than 256 bytes can be counted in a byte a lane, which lets the loop use the widest vectors.
    let of_chunk = |chunk: &[u8]| usize::from(chunk.iter().map(|byte| u8::from(byte | 0x20 == b'{')).sum::<u8>());
    let chunks = text.chunks_exact(128);
    of_chunk(chunks.remainder()) + chunks.map(of_chunk).sum::<usize>()
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
    const LOW_7: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    const EVERY: u64 = 0x0101_0101_0101_0101;
    let (words, _) = block.as_chunks::<8>();
    let mut positions = 0;
    for (i, word) in words.iter().enumerate() {
        let difference = u64::from_le_bytes(*word) ^ (EVERY * u64::from(byte));
        // The high bit of each byte of `equal` tells whether `difference` is zero there.
        let equal = !(((difference & LOW_7) + LOW_7) | difference | LOW_7);
        // The product moves the eight high bits next to each other into the top byte.
        positions |= (equal >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56 << (8 * i);
    }
    positions
}
