//! Finds the bytes of a text that end a run of plain ones within a JSON string: quotes, backslashes, control characters.
//!
//! They are all found beforehand, 64 bytes at a time as bit sets, so that the end of a string costs no loop whose length
//! is hard to predict.

const BLOCK: usize = 64;

/// Where a text has special bytes, as bit sets of 64 bytes each.
#[derive(Default)]
pub(super) struct SpecialBytes {
    blocks: Vec<u64>,
}

impl SpecialBytes {
    /// Takes up a new text.
    #[inline]
    pub(super) fn find_in(&mut self, text: &[u8]) {
        self.blocks.clear();
        let (blocks, rest) = text.as_chunks::<BLOCK>();
        self.blocks.extend(blocks.iter().map(special_bytes));
        let mut last = [b' '; BLOCK];
        last[..rest.len()].copy_from_slice(rest);
        self.blocks.push(special_bytes(&last));
    }

    /// Returns the place of the first special byte at or after `at`.
    #[inline]
    pub(super) fn next(&self, at: usize) -> Option<usize> {
        let mut block = at / BLOCK;
        let ahead = self.blocks.get(block)? >> (at % BLOCK);
        if ahead != 0 {
            return Some(at + ahead.trailing_zeros() as usize);
        }
        loop {
            block += 1;
            let bits = *self.blocks.get(block)?;
            if bits != 0 {
                return Some(block * BLOCK + bits.trailing_zeros() as usize);
            }
        }
    }
}

/// Returns the bit set of the special bytes of a block.
#[inline]
fn special_bytes(block: &[u8; BLOCK]) -> u64 {
    // Compilers turn this into comparisons of whole vectors.
    let is_special =
        block.map(|byte| u8::from(byte < 0x20) | u8::from(byte == b'"') | u8::from(byte == b'\\'));
    let (words, _) = is_special.as_chunks::<8>();
    let mut bits = 0;
    for (i, word) in words.iter().enumerate() {
        // The product moves the eight low bits next to each other into the top byte.
        bits |= u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56 << (8 * i);
    }
    bits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_special_byte_is_found(text in prop::collection::vec(prop_oneof![any::<u8>(), 0x1e_u8..0x24], 0..300)) {
            let mut special = SpecialBytes::default();
            special.find_in(&text);
            let is_special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
            for at in 0..=text.len() {
                let expected = text[at..].iter().position(is_special).map(|place| at + place);
                prop_assert_eq!(special.next(at), expected);
            }
        }
    }
}
